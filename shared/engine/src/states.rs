//! How an account stands with what is done for it by schedule, changed from what it is now.

use rollcall_bulk::{directory_import::sync_state::SyncState, push::state::PushState, resync::state::ResyncState};
use rollcall_model::account::AccountId;

use crate::{
    StorageError,
    world::{Pushes, Schedules},
};

/// Who else changes it: the schedule, and the few jobs that may run at once.
const TRIES: u32 = 10;
const WRITING: &str = "writing how the account stands";

/// Changes how the account and its own directory stand, from what that is now, and gives what `change` gave.
///
/// # Errors
/// When the table can't be read or written.
pub async fn change_sync_state<R>(
    schedules: &dyn Schedules,
    account: &AccountId,
    change: impl Fn(&mut SyncState) -> R,
) -> Result<R, StorageError> {
    for _ in 0..TRIES {
        let mut state = schedules.sync_state(account).await?.unwrap_or_default();
        let given = change(&mut state.value);
        if schedules.put_sync_state(account, &state).await? {
            return Ok(given);
        }
    }
    Err(others())
}

/// Changes how the account stands with its resyncs, from what that is now, and gives what `change` gave.
///
/// # Errors
/// When the table can't be read or written.
pub async fn change_resync_state<R>(
    schedules: &dyn Schedules,
    account: &AccountId,
    change: impl Fn(&mut ResyncState) -> R,
) -> Result<R, StorageError> {
    for _ in 0..TRIES {
        let mut state = schedules.resync_state(account).await?.unwrap_or_default();
        let given = change(&mut state.value);
        if schedules.put_resync_state(account, &state).await? {
            return Ok(given);
        }
    }
    Err(others())
}

/// Changes how the account stands with what its phone system is told, from what that is now, and gives what `change` gave.
///
/// # Errors
/// When the table can't be read or written.
pub async fn change_push_state<R>(
    pushes: &dyn Pushes,
    account: &AccountId,
    change: impl Fn(&mut PushState) -> R,
) -> Result<R, StorageError> {
    for _ in 0..TRIES {
        let before = pushes.push_state(account).await?.unwrap_or_default();
        let mut state = before.clone();
        let given = change(&mut state.value);
        if (state == before && state.version > 0) || pushes.put_push_state(account, &state).await? {
            return Ok(given);
        }
    }
    Err(others())
}

fn others() -> StorageError {
    StorageError::transient(WRITING, "others change it all the time")
}
