//! Users written by a bulk job: created or changed, many in flight, each with an outcome of its own.

use futures_util::{StreamExt, TryStreamExt, stream};
use rollcall_model::{account::AccountId, caller_id::CallerId, upload::JobId, user::User};
use tokio::time::Instant;

use super::{change::write_together, item::WRITTEN_BY};
use crate::{
    Error, Kind,
    directory::{
        BulkWork, Directory,
        bulk::{IN_FLIGHT, Patience},
        string,
    },
    error::failed,
    keys::Key,
};

/// One user to be written.
#[derive(Clone, Copy)]
pub enum UserWrite<'a> {
    /// It is to be created, with this list.
    Create(&'a User, &'a [CallerId]),
    /// The first is to become the second, and these numbers are to come onto its list.
    Update([&'a User; 2], &'a [CallerId]),
}

const WRITING: &str = "writing users";

impl Directory {
    /// Writes users for a job, each whole or not at all. Gives the positions of those that must be decided again, because
    /// the user is not what it was any more or somebody else has something of it.
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
        work: &mut BulkWork,
    ) -> Result<Vec<usize>, Error> {
        let each: Vec<_> = writes.iter().map(|write| self.write_user(account, *write, job, until)).collect();
        let numbered =
            each.into_iter().enumerate().map(|(at, write)| async move { write.await.map(|done| (at, done)) });
        let mut outcomes = stream::iter(numbered.collect::<Vec<_>>()).buffer_unordered(IN_FLIGHT);
        let mut again = Vec::new();
        while let Some((at, (written, done))) = outcomes.try_next().await? {
            work.add(done);
            again.extend((!written).then_some(at));
        }
        again.sort_unstable();
        Ok(again)
    }

    async fn write_user(
        &self,
        account: &AccountId,
        write: UserWrite<'_>,
        job: &JobId,
        until: Instant,
    ) -> Result<(bool, BulkWork), Error> {
        let (login, items) = match write {
            UserWrite::Create(user, caller_ids) => {
                let user = User { caller_ids: caller_ids.to_vec(), ..user.clone() };
                let items = self.create_items(account, &user, Some(job));
                (user.login, items)
            }
            UserWrite::Update(users, add) => {
                (users[1].login.clone(), self.update_items(account, users, add, Some(job))?)
            }
        };
        let mut work = BulkWork::default();
        let mut patience = Patience::new(until);
        loop {
            patience.check(WRITING)?;
            self.writes.turn(items.len()).await;
            work.calls += 1;
            work.statements += 1;
            match write_together(&self.once, items.clone(), WRITING).await {
                Ok(()) => {
                    self.writes.learn(items.len(), 0);
                    return Ok((true, work));
                }
                Err(error) if error.kind == Kind::Transient => {
                    self.writes.learn(0, items.len());
                    work.put_off += 1;
                    patience.wait(error).await?;
                }
                Err(error) if error.kind == Kind::Conflict => {
                    work.calls += 1;
                    return Ok((self.has_written(account, &login.folded(), job).await?, work));
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn has_written(&self, account: &AccountId, folded_login: &str, job: &JobId) -> Result<bool, Error> {
        let key = Key::user(account, folded_login).attributes().into();
        let read = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        let read = read.projection_expression(WRITTEN_BY).send().await.map_err(failed(WRITING))?;
        Ok(read.item.and_then(|item| string(&item, WRITTEN_BY)).is_some_and(|by| by == job.as_str()))
    }
}
