//! Mappings of those whose lists a job has changed: CRM users see what came of it at once, and not with the next resync.

use std::collections::HashSet;

use rollcall_bulk::resync::{self, Facts};
use rollcall_model::{
    mapping::{CrmUserId, Mapping, MatchIndex},
    settings::PhoneSystem,
    user::fold,
};

use super::side;
use crate::{Attempt, StorageError, world::TableUsage};

/// How often a mapping is decided again that somebody else changes at the same moment. The next resync looks at one that is changed more often.
const ROUNDS: usize = 4;

/// Brings the mappings of these users, by folded login ID, in step with what they may dial from now. Only where our own directory is the phone
/// system: what another one allows, it says itself.
///
/// # Errors
/// When the table can't be read or written in time.
pub(crate) async fn follow_users(attempt: &mut Attempt<'_>, changed: &HashSet<String>) -> Result<(), StorageError> {
    let (world, account) = (attempt.world, attempt.account());
    if changed.is_empty()
        || world.schedules.resync_state(account).await?.is_none()
        || attempt.settings().await?.phone_system != PhoneSystem::Builtin
    {
        return Ok(());
    }
    let mut usage = TableUsage::default();
    let mut after: Option<CrmUserId> = None;
    loop {
        let page = world.mappings.mappings_after(account, after.as_ref()).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.crm_user.clone());
        let mut open: Vec<Mapping> = page.into_iter().filter(|mapping| follows(mapping, changed)).collect();
        for _ in 0..ROUNDS {
            if open.is_empty() {
                break;
            }
            // Nothing is granted or revoked by it that people are to be told of.
            let facts = Facts::new(Vec::new(), world.now());
            let ours = side::builtin(attempt, &open).await?;
            let index = MatchIndex::of(&ours);
            let decided = open.iter().filter_map(|mapping| resync::decide(mapping, &index, &facts).after);
            let decided: Vec<Mapping> = decided.collect();
            let writes: Vec<&Mapping> = decided.iter().collect();
            let table = &world.mappings;
            let left = table.write_mappings(account, &writes, &attempt.job.id, attempt.until, &mut usage).await?;
            let outdated: Vec<&CrmUserId> = left.outdated.iter().map(|&at| &decided[at].crm_user).collect();
            open = table.mappings_of(account, &outdated, attempt.until, &mut usage).await?.into_values().collect();
        }
    }
    attempt.count_usage(usage);
    Ok(())
}

/// Whether a mapping is about one of them.
fn follows(mapping: &Mapping, changed: &HashSet<String>) -> bool {
    mapping.phone_user().is_some_and(|id| changed.contains(&*fold(id.as_str())))
}
