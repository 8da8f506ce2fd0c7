//! A rotation that was given up, and that somebody has sent back.

use std::collections::{BTreeMap, HashSet};

use rollcall_bulk::{
    bulk_job::BulkJob,
    rotation::{self, Checked, Holder, RotationLedger, RotationPlan, Rules},
};
use rollcall_model::{caller_id::CallerId, jobs::ObjectVersion};

use super::{Checkpoint, holder, reservations, walk};
use crate::{
    Attempt, Interrupt, StorageError,
    read::Rows,
    world::{Sought, TableUsage, Walk},
};

/// Users with long lists that are read at a time.
const AT_A_TIME: usize = 100;

/// A job that was given up has released its numbers. Sent back, it reserves those again, and none that a person had taken from it before; then it looks
/// once more who has them.
pub(super) async fn reserve_again(
    attempt: &mut Attempt<'_>,
    mut checkpoint: Checkpoint,
) -> Result<Checkpoint, Interrupt> {
    if checkpoint.released.is_empty() || !attempt.writes() {
        return Ok(checkpoint);
    }
    let inventory = attempt.inventory().await?;
    let stale = reservations::stale(attempt, &inventory).await?;
    let released = |pair: &Checked| pair.good().is_some_and(|pair| checkpoint.released.contains(&pair.old));
    let (places, mut again): (Vec<usize>, Vec<Checked>) =
        checkpoint.pairs.iter().cloned().enumerate().filter(|(_, pair)| released(pair)).unzip();
    reservations::set(attempt, &mut again, &inventory, &stale).await?;
    // Of those that others have taken meanwhile, what was done stays done.
    for (place, pair) in places.into_iter().zip(again) {
        if pair.good().is_none() {
            checkpoint.pairs[place].lose();
        }
    }
    let inventory = attempt.inventory().await?;
    let rules = checkpoint.rules(&inventory);
    reservations::keep(attempt, &checkpoint.pairs, rules.takes_over(), &inventory).await?;
    add_holders(attempt, &mut checkpoint, &rules).await?;
    checkpoint.released.clear();
    attempt.save_checkpoint(&checkpoint).await?;
    Ok(checkpoint)
}

/// Adds rows for those who have got a number since it was released, or need it since. Rows that are there stay, since lists may have been changed
/// by them. Of those who were dealt with before, and have got a number back, whoever would have none without it keeps it, and it stays in service;
/// the others are found by the look that the schedule owes each number that a rotation has retired.
async fn add_holders(attempt: &mut Attempt<'_>, checkpoint: &mut Checkpoint, rules: &Rules) -> Result<(), Interrupt> {
    let numbers: Vec<CallerId> = checkpoint.pairs.iter().filter_map(|pair| Some(pair.good()?.old)).collect();
    let sought = Sought { numbers: &numbers, policies: rules.left_by_policy(), only: None };
    let Walk { holders, cut, .. } = walk(attempt, sought).await?;
    if holders.is_empty() {
        return Ok(());
    }
    let mut ledger = RotationLedger::new(checkpoint.pairs.clone());
    let mut told: HashSet<(String, CallerId)> = HashSet::new();
    let mut rows = open(attempt, &ledger, &checkpoint.rows).await?;
    while rows.more().await? {
        while let Some(row) = rows.reader.next_row()? {
            ledger.read_row(&row);
            told.extend(ledger.tells_of(&row));
            rows.check_time()?;
        }
    }
    let (known, mut added): (Vec<Holder>, Vec<Holder>) =
        holders.into_iter().partition(|holder| ledger.user(&holder.login).is_some());
    let (cut, whole): (Vec<Holder>, Vec<Holder>) = known.into_iter().partition(|holder| cut.contains(&holder.login));
    let mut keep = |mut holder: Holder| {
        let needed = RotationPlan::decide(&holder.login, Some(&holder), rules).kept;
        if needed.is_empty() {
            return;
        }
        holder.caller_ids.retain(|number| needed.contains(number) && !told.contains(&(holder.login.clone(), *number)));
        checkpoint.came_back.push((holder.login.clone(), needed));
        added.extend((!holder.caller_ids.is_empty()).then_some(holder));
    };
    whole.into_iter().for_each(&mut keep);
    // What somebody needs is decided by the whole list.
    for some in cut.chunks(AT_A_TIME) {
        let logins: Vec<&str> = some.iter().map(|holder| holder.login.as_str()).collect();
        let mut usage = TableUsage::default();
        let users = &attempt.world.users;
        let found = users.find_users(attempt.account(), &logins, attempt.until, &mut usage).await?;
        attempt.count_usage(usage);
        found.into_iter().map(|(login, found)| holder(login, found)).for_each(&mut keep);
    }
    if !added.is_empty() {
        checkpoint.rows = write_more(attempt, checkpoint, (&ledger, rules), &added).await?;
    }
    Ok(())
}

async fn open(attempt: &Attempt<'_>, ledger: &RotationLedger, rows: &ObjectVersion) -> Result<Rows, StorageError> {
    let download = attempt.world.bucket.open(rows).await?;
    Ok(Rows::of(download, ledger.columns(), None, attempt.until))
}

/// The rows that there are, and those of these holders. That nobody has a number isn't said any more where one of them has it.
async fn write_more(
    attempt: &Attempt<'_>,
    checkpoint: &Checkpoint,
    (ledger, rules): (&RotationLedger, &Rules),
    holders: &[Holder],
) -> Result<ObjectVersion, Interrupt> {
    let held: HashSet<CallerId> = holders.iter().flat_map(|holder| rules.olds_of(holder)).collect();
    let unknown = BTreeMap::new();
    let mut more = rotation::rows(&checkpoint.pairs, holders, rules, &unknown);
    let mut written = attempt.begin_rows();
    written.csv.record(more.next().iter().flatten().map(|cell| &**cell));
    let mut rows = open(attempt, ledger, &checkpoint.rows).await?;
    while rows.more().await? {
        while let Some(row) = rows.reader.next_row()? {
            if ledger.held_by_nobody(&row).is_none_or(|old| !held.contains(&old)) {
                written.csv.record(row.original().iter().map(|cell| &**cell));
                written.pass_on().await?;
            }
            rows.check_time()?;
        }
    }
    for row in more.filter(|[_, _, login, _]| !login.is_empty()) {
        written.csv.record(row.iter().map(|cell| &**cell));
        written.pass_on().await?;
    }
    Ok(written.finish().await?)
}
