//! Users written by a bulk job: created or changed, many in flight, each with an outcome of its own.

use rollcall_model::{account::AccountId, audit::Actor, caller_id::CallerId, jobs::JobId, user::User};
use tokio::time::Instant;

use super::change::{Marks, Numbers, marks, write_together};
use crate::{
    StorageError,
    directory::{Directory, NotWritten, TableUsage},
    keys::Key,
};

/// One user to be written.
#[derive(Clone, Copy)]
pub enum UserWrite<'a> {
    /// It is to be created, with this list.
    Create(&'a User, &'a [CallerId]),
    /// The first is to become the second, and these numbers are to come onto its list.
    Update([&'a User; 2], &'a [CallerId]),
    /// The first is to become the second, and these numbers are to go off its list.
    Restore([&'a User; 2], &'a [CallerId]),
    /// It is to be deleted, if its list is still this one.
    Delete(&'a User),
}

const WRITING: &str = "writing users";

impl Directory {
    /// Writes users for a job, each whole or not at all. Gives those that were not written: they must be decided again, because
    /// the user is not what it was any more or somebody else has something of it, or the table can't store them.
    ///
    /// A user that this job has written already is left alone: so a request whose answer was lost, or a plan that is
    /// carried out again after a death, writes once.
    ///
    /// # Errors
    /// As [`Directory::find_users`]. What was written stays written.
    pub async fn write_users(
        &self,
        account: &AccountId,
        writes: &[UserWrite<'_>],
        job: &JobId,
        until: Instant,
        usage: &mut TableUsage,
    ) -> Result<NotWritten, StorageError> {
        let each = writes.iter().map(|write| self.write_user(account, *write, job, until));
        Self::write_each(each.collect::<Vec<_>>(), usage).await
    }

    async fn write_user(
        &self,
        account: &AccountId,
        write: UserWrite<'_>,
        job: &JobId,
        until: Instant,
    ) -> Result<(bool, TableUsage), StorageError> {
        let by = Actor::Job(job.clone());
        let marks: Marks = marks(&by).collect();
        let (login, items) = match write {
            UserWrite::Create(user, caller_ids) => {
                let user = User { caller_ids: caller_ids.to_vec(), ..user.clone() };
                let items = self.create_items(account, &user, &marks);
                (user.login, items)
            }
            UserWrite::Update(users, add) => {
                (users[1].login.clone(), self.update_items(account, users, Numbers::Add(add), &marks)?)
            }
            UserWrite::Restore(users, take_off) => {
                (users[1].login.clone(), self.update_items(account, users, Numbers::TakeOff(take_off), &marks)?)
            }
            UserWrite::Delete(user) => {
                let write = || self.delete_with_list(account, user, &by);
                let key = Key::user(account, &user.login.folded());
                return self.write_once(key, 2 + user.claims().len(), job, until, write).await;
            }
        };
        let key = Key::user(account, &login.folded());
        self.write_once(key, items.len(), job, until, || write_together(&self.once, items.clone(), None, WRITING)).await
    }
}
