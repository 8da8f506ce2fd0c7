//! Writing mappings.

use std::collections::HashMap;

use rollcall_bulk::{bulk_job::Plan, left_out::LeftOut, resync::ResyncPlan};
use rollcall_model::mapping::{CrmUserId, Mapping};

use crate::{Attempt, StorageError, world::TableUsage};

/// Writes the mappings of these plans, and gives those that must be decided again. A mapping that the table can't store costs its own row: it is
/// written without what it grants, and left as it is where that can't be stored either.
pub(super) async fn write_plans(
    attempt: &Attempt<'_>,
    plans: &mut [&mut ResyncPlan],
    positions: &[usize],
    usage: &mut TableUsage,
) -> Result<Vec<usize>, StorageError> {
    let mut again = Vec::new();
    let mut positions = positions.to_vec();
    for cut in [true, false] {
        let mappings: Vec<&Mapping> = positions.iter().filter_map(|&at| plans[at].change.after.as_ref()).collect();
        let (table, account) = (&attempt.world.mappings, attempt.account());
        let not_written = table.write_mappings(account, &mappings, &attempt.job.id, attempt.until, usage).await?;
        again.extend(not_written.outdated.iter().map(|&at| positions[at]));
        positions = not_written.not_storable.iter().map(|&at| positions[at]).collect();
        let before = if cut { before(attempt, plans, &positions, usage).await? } else { HashMap::new() };
        for &at in &positions {
            let plan = &mut *plans[at];
            if cut {
                plan.change.leave_out_grants(before.get(&plan.crm_user));
            } else {
                plan.change.leave_out(LeftOut::NotStorable);
            }
        }
        positions.retain(|&at| plans[at].writes());
        if positions.is_empty() {
            break;
        }
    }
    Ok(again)
}

/// The mappings of these plans, as they are.
async fn before(
    attempt: &Attempt<'_>,
    plans: &[&mut ResyncPlan],
    positions: &[usize],
    usage: &mut TableUsage,
) -> Result<HashMap<CrmUserId, Mapping>, StorageError> {
    let crm_users: Vec<&CrmUserId> = positions.iter().map(|&at| &plans[at].crm_user).collect();
    attempt.world.mappings.mappings_of(attempt.account(), &crm_users, attempt.until, usage).await
}
