//! What has changed in the directory, as rows.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rollcall_bulk::{
    directory_import::{
        rows::ImportRow,
        sync::{self, DirectoryChange, Planned, SyncTally},
        sync_state::{NextDelta, SyncOutcome, SyncState, Synced},
    },
    job::Failure,
};
use rollcall_connectors::entra::{DeltaLink, Entra, Step};
use rollcall_engine::{Attempt, Interrupt};
use rollcall_model::user::{Claim, DirectoryId, User};
use rollcall_storage::directory::TableUsage;

use crate::{BringUsers, bring::Brought};

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
    pub(crate) async fn sync(
        &self,
        attempt: &mut Attempt<'_>,
        confirmed: bool,
    ) -> Result<(Vec<ImportRow>, Brought), Interrupt> {
        // Before anything else is read: what is imported from here on is for the next sync to look at.
        let standing = attempt.engine.directory.standing(attempt.account()).await?.unwrap_or_default();
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
            Err(Ends::Interrupt(Interrupt::Ends(Failure::Refused { reason }))) => {
                (SyncTally::default(), SyncOutcome::Refused { reason: reason.clone() }, Failure::Refused { reason })
            }
            Err(Ends::Interrupt(stop)) => return Err(stop),
        };
        let sync = Synced { job: attempt.job.id.clone(), at: Timestamp::now(), tally, outcome };
        let directory = &attempt.engine.directory;
        directory.change_standing(attempt.account(), |standing| standing.synced(sync.clone(), None)).await?;
        Err(Interrupt::Ends(failure))
    }

    async fn changes(
        &self,
        attempt: &mut Attempt<'_>,
        standing: SyncState,
        confirmed: bool,
    ) -> Result<(Vec<ImportRow>, SyncTally, NextDelta), Ends> {
        let entra = self.open(attempt).await?;
        let tenant = entra.tenant().as_str().to_owned();
        let since = standing.next.filter(|since| since.tenant == tenant).map(|since| DeltaLink::new(since.link));
        let mut told = Told::default();
        let mut pages = entra.changes(since.as_ref()).map_err(|error| self.stop(attempt, &error))?;
        let (link, whole) = loop {
            match pages.next(attempt.until).await.map_err(|error| self.stop(attempt, &error))? {
                Step::Changes(page) => told.take(attempt, page).await?,
                Step::Anew => told = Told::default(),
                Step::End { link, whole } => break (link, whole),
            }
        };
        let linked = attempt.engine.directory.linked_users(attempt.account()).await?;
        if whole {
            let missing = linked.iter().map(|(id, _)| id).filter(|id| !told.changes.contains_key(id));
            let missing: BTreeSet<DirectoryId> = missing.cloned().collect();
            // Those that earlier runs have found to be gone are missing still, and count once.
            if let Some(reason) = sync::hold(missing.len(), 0, linked.len()).filter(|_| !confirmed) {
                let tally = SyncTally { linked: linked.len(), deactivated: missing.len(), ..SyncTally::default() };
                return Err(Ends::OnHold(tally, reason));
            }
            self.ask_for(attempt, &entra, missing, &mut told).await?;
        }
        // The delta doesn't tell again of those for whom an earlier sync failed.
        let again = standing.ask_again.into_iter().filter(|id| !told.changes.contains_key(id)).collect();
        self.ask_for(attempt, &entra, again, &mut told).await?;
        let plan = sync::plan(&told.present, linked.len(), &told.changes);
        match admit(attempt, plan.tally, confirmed).await? {
            Err(reason) => Err(Ends::OnHold(plan.tally, reason)),
            Ok(()) => Ok((plan.rows, plan.tally, NextDelta { tenant, link: link.into_string() })),
        }
    }

    /// Asks by ID for those of whom the directory did not tell by itself: **who is not in a list is not known to be gone**.
    async fn ask_for(
        &self,
        attempt: &mut Attempt<'_>,
        entra: &Entra,
        missing: BTreeSet<DirectoryId>,
        told: &mut Told,
    ) -> Result<(), Interrupt> {
        let missing: Vec<_> = missing.into_iter().collect();
        let found = self.find(attempt, entra, &missing).await?;
        let found = found
            .into_iter()
            .map(|user| user.map_or(DirectoryChange::Removed, |user| DirectoryChange::Is(user.into())));
        told.take(attempt, missing.into_iter().zip(found).collect()).await
    }
}

/// Whether the brake lets the run go on; if so, what it deactivates counts from now on.
async fn admit(attempt: &Attempt<'_>, tally: SyncTally, confirmed: bool) -> Result<Result<(), String>, Interrupt> {
    if tally.deactivated == 0 && !confirmed {
        return Ok(Ok(()));
    }
    let (job, now) = (&attempt.job.id, Timestamp::now());
    let admit = |standing: &mut SyncState| standing.admit(job, &tally, confirmed, now);
    Ok(attempt.engine.directory.change_standing(attempt.account(), admit).await?)
}

impl Told {
    /// Keeps what is said of users that came from the directory.
    async fn take(
        &mut self,
        attempt: &mut Attempt<'_>,
        page: Vec<(DirectoryId, DirectoryChange)>,
    ) -> Result<(), Interrupt> {
        let (directory, account, until) = (&attempt.engine.directory, attempt.account(), attempt.until);
        let claims = page.iter().map(|(id, _)| Claim::DirectoryId(id.clone()));
        // Strongly consistent, unlike a list: somebody who has just been imported is known.
        let owners = directory.owners(account, claims, until, &mut TableUsage::default()).await?;
        let logins: Vec<&str> = owners.values().map(String::as_str).collect();
        let users = directory.whole_users(account, &logins, until, &mut TableUsage::default()).await?;
        self.present.extend(users.into_values().filter_map(|user| Some((user.directory_id.clone()?, user))));
        self.changes.extend(page.into_iter().filter(|(id, _)| self.present.contains_key(id)));
        attempt.job.progress.rows = self.changes.len() as u64;
        attempt.show().await?;
        Ok(())
    }
}
