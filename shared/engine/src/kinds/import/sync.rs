//! What has changed in the directory, as rows.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_bulk::{
    directory_import::{
        rows::ImportRow,
        sync::{self, DirectoryChange, Planned, SyncTally},
        sync_state::{NextDelta, SyncOutcome, SyncState, Synced},
    },
    job::Failure,
    note::Note,
};
use rollcall_model::user::{Claim, DirectoryId, User};

use super::{BringUsers, Brought, chosen::find};
use crate::{
    Attempt, Interrupt, change_sync_state,
    world::{ChangeStep, CompanyDirectory, TableUsage},
};

/// What the directory has said of the users that came from it.
#[derive(Default)]
struct Told {
    changes: BTreeMap<DirectoryId, DirectoryChange>,
    /// The users, as they are here.
    present: BTreeMap<DirectoryId, User>,
}

/// Why a sync brings no rows.
enum Ends {
    /// It would do too much.
    OnHold(SyncTally, String),
    /// Something else keeps it from going on.
    Interrupt(Interrupt),
}

impl<E: Into<Interrupt>> From<E> for Ends {
    fn from(stop: E) -> Self {
        Self::Interrupt(stop.into())
    }
}

impl BringUsers {
    /// Brings the changes of the directory. A sync that holds, or that the directory refuses, says so where the next
    /// ones look.
    pub(super) async fn sync(
        &self,
        attempt: &mut Attempt<'_>,
        confirmed: bool,
    ) -> Result<(Vec<ImportRow>, Brought), Interrupt> {
        // Before anything else is read: what is imported from here on is for the next sync to look at.
        let standing = attempt.world.schedules.sync_state(attempt.account()).await?.unwrap_or_default().value;
        let (imports, last) = (standing.imports, standing.last_sync.as_ref().map(|sync| sync.job.clone()));
        let asked_again = standing.ask_again.clone();
        let (tally, outcome, failure) = match self.changes(attempt, standing, confirmed).await {
            Ok((rows, tally, next)) => {
                let (planned, failed_before) = (Planned::of(&rows), last.map(|last| (asked_again, last)));
                return Ok((rows, Brought::Sync { tally, planned, failed_before, imports, next }));
            }
            Err(Ends::OnHold(tally, reason)) => {
                (tally, SyncOutcome::OnHold { reason: reason.clone() }, Failure::OnHold { reason })
            }
            Err(Ends::Interrupt(Interrupt::Ends(Failure::Refused { reason }))) if attempt.writes() => {
                (SyncTally::default(), SyncOutcome::Refused { reason: reason.clone() }, Failure::Refused { reason })
            }
            Err(Ends::Interrupt(stop)) => return Err(stop),
        };
        let sync = Synced { job: attempt.job.id.clone(), at: attempt.world.now(), tally, outcome };
        let change = |state: &mut SyncState| {
            state.turn.give_up(&sync.job, sync.at);
            state.synced(sync.clone(), None);
        };
        change_sync_state(&*attempt.world.schedules, attempt.account(), change).await?;
        Err(Interrupt::Ends(failure))
    }

    async fn changes(
        &self,
        attempt: &mut Attempt<'_>,
        standing: SyncState,
        confirmed: bool,
    ) -> Result<(Vec<ImportRow>, SyncTally, NextDelta), Ends> {
        let directory = self.open(attempt).await?;
        let tenant = directory.tenant().to_owned();
        let since = standing.next.filter(|since| since.tenant == tenant).map(|since| since.link);
        let mut told = Told::default();
        let mut pages = directory.changes(since.as_deref()).map_err(|failure| attempt.system_failed(failure))?;
        let (link, whole) = loop {
            match pages.next(attempt.until).await.map_err(|failure| attempt.system_failed(failure))? {
                ChangeStep::Changes(page) => told.take(attempt, page).await?,
                ChangeStep::Anew => told = Told::default(),
                ChangeStep::End { link, whole } => break (link, whole),
            }
        };
        let linked = attempt.world.users.linked_users(attempt.account()).await?;
        if whole {
            let missing = linked.iter().map(|(id, _)| id).filter(|id| !told.changes.contains_key(id));
            let missing: BTreeSet<DirectoryId> = missing.cloned().collect();
            // Those that earlier runs have found to be gone are missing still, and count once.
            let threshold = attempt.settings().await?.safety_threshold;
            // Whoever looks at a preview looks at each of them.
            let hold = sync::hold(missing.len(), 0, linked.len(), threshold);
            if let Some(reason) = hold.filter(|_| attempt.writes() && !confirmed) {
                let tally = SyncTally { linked: linked.len(), deactivated: missing.len(), ..SyncTally::default() };
                return Err(Ends::OnHold(tally, reason));
            }
            ask_for(attempt, &*directory, missing, &mut told).await?;
        }
        // The delta doesn't tell again of those for whom an earlier sync failed.
        let again = standing.ask_again.into_iter().filter(|id| !told.changes.contains_key(id)).collect();
        ask_for(attempt, &*directory, again, &mut told).await?;
        let plan = sync::plan(&told.present, linked.len(), &told.changes);
        match admit(attempt, plan.tally, confirmed).await? {
            Err(reason) => Err(Ends::OnHold(plan.tally, reason)),
            Ok(()) => Ok((plan.rows, plan.tally, NextDelta { tenant, link })),
        }
    }
}

/// Asks by ID for those of whom the directory did not tell by itself: **who is not in a list is not known to be gone**.
async fn ask_for(
    attempt: &mut Attempt<'_>,
    directory: &dyn CompanyDirectory,
    missing: BTreeSet<DirectoryId>,
    told: &mut Told,
) -> Result<(), Interrupt> {
    let missing: Vec<_> = missing.into_iter().collect();
    let found = find(attempt, directory, &missing).await?;
    let found =
        found.into_iter().map(|user| user.map_or(DirectoryChange::Removed, |user| DirectoryChange::Is(user.into())));
    told.take(attempt, missing.into_iter().zip(found).collect()).await
}

/// Whether the safety threshold lets the run go on; if so, what it deactivates counts from now on. A preview goes on in any case, with a note of what
/// the threshold says.
async fn admit(attempt: &mut Attempt<'_>, tally: SyncTally, confirmed: bool) -> Result<Result<(), String>, Interrupt> {
    if tally.deactivated == 0 && !confirmed {
        return Ok(Ok(()));
    }
    let (job, now, schedules) = (attempt.job.id.clone(), attempt.world.now(), &*attempt.world.schedules);
    let threshold = if confirmed { None } else { Some(attempt.settings().await?.safety_threshold) };
    if attempt.writes() {
        let admit = |state: &mut SyncState| state.admit(&job, &tally, threshold, now);
        return Ok(change_sync_state(schedules, attempt.account(), admit).await?);
    }
    let mut state = schedules.sync_state(attempt.account()).await?.unwrap_or_default().value;
    if let Err(reason) = state.admit(&job, &tally, threshold, now) {
        attempt.job.note([Note::safety_threshold(&reason)]);
    }
    Ok(Ok(()))
}

impl Told {
    /// Keeps what is said of users that came from the directory.
    async fn take(
        &mut self,
        attempt: &mut Attempt<'_>,
        page: Vec<(DirectoryId, DirectoryChange)>,
    ) -> Result<(), Interrupt> {
        let (users, account, until) = (&attempt.world.users, attempt.account(), attempt.until);
        let claims = page.iter().map(|(id, _)| Claim::DirectoryId(id.clone())).collect();
        // Strongly consistent, unlike a list: somebody who has just been imported is known.
        let owners = users.owners(account, claims, until, &mut TableUsage::default()).await?;
        let logins: Vec<&str> = owners.values().map(String::as_str).collect();
        let present = users.whole_users(account, &logins, until, &mut TableUsage::default()).await?;
        self.present.extend(present.into_values().filter_map(|user| Some((user.directory_id.clone()?, user))));
        self.changes.extend(page.into_iter().filter(|(id, _)| self.present.contains_key(id)));
        attempt.job.progress.rows = self.changes.len() as u64;
        attempt.show().await?;
        Ok(())
    }
}
