//! Two things follow from what the table's stream tells: the packed inventory, and what phone systems are to be told. One function does both, since no
//! more than two should read a shard of a stream at once, and the audit trail is the other
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>).
//!
//! **Numbers** are held against the packed inventory. Rollcall writes both together, so there is a difference only where somebody has written a number past
//! it; then the packed inventory follows.
//!
//! **Users** who may dial from other numbers than before are marked, where the account's phone system takes lists; and a push is woken. What was marked
//! already is marked again, which does no harm.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rollcall_bulk::push::state::PushState;
use rollcall_engine::{
    change_push_state,
    kinds::wake_by,
    world::{Accounts, NewMark, Pushes},
};
use rollcall_model::{account::AccountId, caller_id::CallerId};
use rollcall_storage::{
    StorageError,
    connect::Aws,
    directory::{Directory, FollowedChange, FollowedRecord},
    environment::{BadEnvironment, variable},
    files::Files,
};
use serde::Deserialize;

/// The function, as it stands between two events.
pub struct TableFollower {
    directory: Directory,
    files: Files,
}

/// Records of a table's stream.
#[derive(Debug, Deserialize)]
pub struct Records {
    #[serde(rename = "Records")]
    records: Vec<FollowedRecord>,
}

/// What an account's records come to.
#[derive(Default)]
struct Changes {
    numbers: BTreeSet<CallerId>,
    /// Marks by login ID: of several changes, the last.
    users: BTreeMap<String, NewMark>,
    /// The last change that may be everybody's.
    everybody: Option<String>,
    /// Another phone system was chosen.
    chooses_system: bool,
}

impl TableFollower {
    /// The function as its environment describes it.
    ///
    /// # Errors
    /// [`BadEnvironment`] names the variable.
    pub fn from_env(aws: &Aws) -> Result<Self, BadEnvironment> {
        let directory = Directory::new(aws, variable::<String>("TABLE_NAME")?);
        Ok(Self { directory, files: Files::new(aws, variable::<String>("BUCKET_NAME")?) })
    }

    /// Follows what the records are about.
    ///
    /// # Errors
    /// When the table can't be read or written: the records are to be told again, which does no harm to what was followed.
    pub async fn handle(&self, Records { records }: Records) -> Result<(), StorageError> {
        for (account, changes) in by_account(records)? {
            if !changes.numbers.is_empty() {
                let numbers: Vec<CallerId> = changes.numbers.iter().copied().collect();
                self.directory.follow_numbers(&account, &numbers).await?;
            }
            if !changes.users.is_empty() || changes.everybody.is_some() {
                self.mark(&account, changes).await?;
            }
        }
        Ok(())
    }

    /// Marks users of an account whose phone system takes lists. **That is asked each time**: an account that has just chosen another one loses no mark.
    async fn mark(&self, account: &AccountId, changes: Changes) -> Result<(), StorageError> {
        if !self.directory.settings(account).await?.phone_system.takes_lists() {
            return Ok(());
        }
        let now = Timestamp::now();
        let users: Vec<NewMark> = changes.users.into_values().collect();
        self.directory.mark(account, &users, now).await?;
        if let Some(sequence) = &changes.everybody {
            self.directory.mark_everybody(account, sequence).await?;
        }
        // From now on, the account is visited by schedule.
        let chooses = changes.chooses_system;
        let change = |state: &mut PushState| {
            if chooses {
                state.choose_anew();
            }
            state.clone()
        };
        let state = change_push_state(&self.directory, account, change).await?;
        wake_by((&self.directory, &self.directory, &self.files), account, &state, now).await
    }
}

fn by_account(records: Vec<FollowedRecord>) -> Result<BTreeMap<AccountId, Changes>, StorageError> {
    let mut accounts: BTreeMap<AccountId, Changes> = BTreeMap::new();
    for record in records {
        let sequence = record.sequence().to_owned();
        match record.change()? {
            FollowedChange::Number { account, number, changes_lists } => {
                let changes = accounts.entry(account).or_default();
                changes.numbers.insert(number);
                if changes_lists {
                    changes.everybody = Some(sequence);
                }
            }
            FollowedChange::User { account, login, removes } => {
                let users = &mut accounts.entry(account).or_default().users;
                let removes = removes || users.get(&login).is_some_and(|earlier| earlier.removes);
                users.insert(login.clone(), NewMark { login, sequence, removes });
            }
            FollowedChange::System(account) => {
                let changes = accounts.entry(account).or_default();
                (changes.everybody, changes.chooses_system) = (Some(sequence), true);
            }
            FollowedChange::Nothing => {}
        }
    }
    Ok(accounts)
}
