//! What has changed in the directory, as rows.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rollcall_engine::{Run, Stop};
use rollcall_model::{
    directory_import::{
        rows::Row,
        standing::{NextDelta, Outcome, Standing, Synced},
        sync::{self, Change, Planned, Tally},
    },
    job::Failure,
    user::{Claim, DirectoryId, User},
};
use rollcall_platform::directory::BulkWork;
use rollcall_remote::entra::{DeltaLink, Entra, Step};

use crate::{BringUsers, bring::Brought};

/// What the directory has said of the users that came from it.
#[derive(Default)]
struct Told {
    changes: BTreeMap<DirectoryId, Change>,
    /// The users, as they are here.
    present: BTreeMap<DirectoryId, User>,
}

/// Why a sync brings no rows.
enum Ends {
    /// It would do too much.
    Held(Tally, String),
    /// Something else keeps it from going on.
    Stop(Stop),
}

impl<E: Into<Stop>> From<E> for Ends {
    fn from(stop: E) -> Self {
        Self::Stop(stop.into())
    }
}

impl BringUsers {
    /// Brings the changes of the directory. A sync that holds, or that the directory refuses, says so where the next
    /// ones look.
    pub(crate) async fn sync(&self, run: &mut Run<'_>, confirmed: bool) -> Result<(Vec<Row>, Brought), Stop> {
        // Before anything else is read: what is imported from here on is for the next sync to look at.
        let standing = run.engine.directory.standing(run.account()).await?.unwrap_or_default();
        let (imports, last) = (standing.imports, standing.last_sync.as_ref().map(|sync| sync.job.clone()));
        let asked_again = standing.ask_again.clone();
        let (tally, outcome, failure) = match self.changes(run, standing, confirmed).await {
            Ok((rows, tally, next)) => {
                let (planned, failed_before) = (Planned::of(&rows), last.map(|last| (asked_again, last)));
                return Ok((rows, Brought::Sync { tally, planned, failed_before, imports, next }));
            }
            Err(Ends::Held(tally, reason)) => {
                (tally, Outcome::Held { reason: reason.clone() }, Failure::Held { reason })
            }
            Err(Ends::Stop(Stop::Ends(Failure::Refused { reason }))) => {
                (Tally::default(), Outcome::Refused { reason: reason.clone() }, Failure::Refused { reason })
            }
            Err(Ends::Stop(stop)) => return Err(stop),
        };
        let sync = Synced { job: run.job.id.clone(), at: Timestamp::now(), tally, outcome };
        let directory = &run.engine.directory;
        directory.change_standing(run.account(), |standing| standing.synced(sync.clone(), None)).await?;
        Err(Stop::Ends(failure))
    }

    async fn changes(
        &self,
        run: &mut Run<'_>,
        standing: Standing,
        confirmed: bool,
    ) -> Result<(Vec<Row>, Tally, NextDelta), Ends> {
        let entra = self.open(run).await?;
        let tenant = entra.tenant().as_str().to_owned();
        let since = standing.next.filter(|since| since.tenant == tenant).map(|since| DeltaLink::new(since.link));
        let mut told = Told::default();
        let mut pages = entra.changes(since.as_ref()).map_err(|error| self.stop(run, &error))?;
        let (link, whole) = loop {
            match pages.next(run.until).await.map_err(|error| self.stop(run, &error))? {
                Step::Changes(page) => told.take(run, page).await?,
                Step::Anew => told = Told::default(),
                Step::End { link, whole } => break (link, whole),
            }
        };
        let linked = run.engine.directory.linked_users(run.account()).await?;
        if whole {
            let missing = linked.iter().map(|(id, _)| id).filter(|id| !told.changes.contains_key(id));
            let missing: BTreeSet<DirectoryId> = missing.cloned().collect();
            // Those that earlier runs have found to be gone are missing still, and count once.
            if let Some(reason) = sync::hold(missing.len(), 0, linked.len()).filter(|_| !confirmed) {
                let tally = Tally { linked: linked.len(), deactivated: missing.len(), ..Tally::default() };
                return Err(Ends::Held(tally, reason));
            }
            self.ask_for(run, &entra, missing, &mut told).await?;
        }
        // The delta doesn't tell again of those for whom an earlier sync failed.
        let again = standing.ask_again.into_iter().filter(|id| !told.changes.contains_key(id)).collect();
        self.ask_for(run, &entra, again, &mut told).await?;
        let plan = sync::plan(&told.present, linked.len(), &told.changes);
        match admit(run, plan.tally, confirmed).await? {
            Err(reason) => Err(Ends::Held(plan.tally, reason)),
            Ok(()) => Ok((plan.rows, plan.tally, NextDelta { tenant, link: link.into_string() })),
        }
    }

    /// Asks by ID for those of whom the directory did not tell by itself: **who is not in a list is not known to be gone**.
    async fn ask_for(
        &self,
        run: &mut Run<'_>,
        entra: &Entra,
        missing: BTreeSet<DirectoryId>,
        told: &mut Told,
    ) -> Result<(), Stop> {
        let missing: Vec<_> = missing.into_iter().collect();
        let found = self.find(run, entra, &missing).await?;
        let found = found.into_iter().map(|user| user.map_or(Change::Removed, |user| Change::Is(user.into())));
        told.take(run, missing.into_iter().zip(found).collect()).await
    }
}

/// Whether the brake lets the run go on; if so, what it deactivates counts from now on.
async fn admit(run: &Run<'_>, tally: Tally, confirmed: bool) -> Result<Result<(), String>, Stop> {
    if tally.deactivated == 0 && !confirmed {
        return Ok(Ok(()));
    }
    let (job, now) = (&run.job.id, Timestamp::now());
    let admit = |standing: &mut Standing| standing.admit(job, &tally, confirmed, now);
    Ok(run.engine.directory.change_standing(run.account(), admit).await?)
}

impl Told {
    /// Keeps what is said of users that came from the directory.
    async fn take(&mut self, run: &mut Run<'_>, page: Vec<(DirectoryId, Change)>) -> Result<(), Stop> {
        let (directory, account, until) = (&run.engine.directory, run.account(), run.until);
        let claims = page.iter().map(|(id, _)| Claim::DirectoryId(id.clone()));
        // Strongly consistent, unlike a list: somebody who has just been imported is known.
        let owners = directory.owners(account, claims, until, &mut BulkWork::default()).await?;
        let logins: Vec<&str> = owners.values().map(String::as_str).collect();
        let users = directory.whole_users(account, &logins, until, &mut BulkWork::default()).await?;
        self.present.extend(users.into_values().filter_map(|user| Some((user.directory_id.clone()?, user))));
        self.changes.extend(page.into_iter().filter(|(id, _)| self.present.contains_key(id)));
        run.job.progress.rows = self.changes.len() as u64;
        run.show().await?;
        Ok(())
    }
}
