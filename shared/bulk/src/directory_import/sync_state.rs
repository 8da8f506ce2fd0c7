//! How an account and its directory stand.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::sync::{SyncTally, hold};
use crate::{safety_threshold::Recent, turn::Turn};
use rollcall_model::{jobs::JobId, safety_threshold::SafetyThreshold, user::DirectoryId};

/// What is kept of an account that has imported users.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SyncState {
    /// Where the directory's next delta begins; `None` when all users are to be read.
    pub next: Option<NextDelta>,
    /// Imports so far.
    pub imports: u64,
    /// When the schedule asked for a sync that has not been heard of since.
    pub asked: Option<Timestamp>,
    /// The last import.
    pub last_import: Option<Imported>,
    /// The last sync.
    pub last_sync: Option<Synced>,
    /// Whom syncs that no person has confirmed have deactivated of late.
    #[serde(skip_serializing_if = "Recent::is_empty")]
    pub deactivated: Recent,
    /// Whose turn it is.
    #[serde(skip_serializing_if = "Turn::is_unused")]
    pub turn: Turn,
    /// Whom the last sync that was done could not bring in step. **The next one asks for them by ID**, since the directory's next delta
    /// doesn't tell of them again.
    pub ask_again: BTreeSet<DirectoryId>,
}

/// Users that the next sync asks for by ID at most: each is a request. Where there are more, it reads all users.
const MAX_ASK_AGAIN: usize = 1_000;

/// What a sync leaves that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Imports that there had been when it began.
    pub imports: u64,
    /// Where the next delta begins.
    pub next: NextDelta,
    /// Whom it could not bring in step.
    pub failed: BTreeSet<DirectoryId>,
}

/// Where a delta begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextDelta {
    /// The directory that has said so. Another one knows nothing of it.
    pub tenant: String,
    /// Its link.
    pub link: String,
}

/// An import that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// The job.
    pub job: JobId,
    /// When it ended.
    pub at: Timestamp,
    /// What it brought.
    #[serde(flatten)]
    pub tally: ImportTally,
}

/// What an import brings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImportTally {
    /// Users that were chosen and found.
    pub users: usize,
    /// IDs that nobody has.
    pub unknown_ids: usize,
    /// Those whose telephone can't be read and is left out.
    pub phones_unread: usize,
}

/// A sync that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Synced {
    /// The job.
    pub job: JobId,
    /// When it ended.
    pub at: Timestamp,
    /// What it did; or, where it held, what it would have done.
    #[serde(flatten)]
    pub tally: SyncTally,
    /// Whether that was done.
    pub outcome: SyncOutcome,
}

/// How a sync ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncOutcome {
    /// All of it was done, as far as it could be.
    Done,
    /// Nothing was done: a person must say whether it is meant.
    OnHold {
        /// What would have been done, in a sentence.
        reason: String,
    },
    /// The directory takes our credentials no longer, or there are none.
    Refused {
        /// A sentence for whoever can mend that.
        reason: String,
    },
}

/// How long the schedule waits for a run that it has asked for. It may be in the queue for as long as a directory that
/// doesn't answer is tried again; asked for anew, it would only wait behind itself, and mail when it is given up.
const TIMEOUT: SignedDuration = SignedDuration::from_hours(6);
/// How often it is tried whether credentials are taken again. Each time somebody gets a mail.
const REFUSED_FOR: SignedDuration = SignedDuration::from_hours(24);

impl SyncState {
    /// Whether the schedule asks for a sync. **A run that holds is told once**: the schedule leaves the account alone
    /// until a person has started a run that goes through.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let younger = |then: Timestamp, age| now.duration_since(then) < age;
        let free = match &self.last_sync {
            Some(Synced { outcome: SyncOutcome::OnHold { .. }, .. }) => false,
            Some(Synced { outcome: SyncOutcome::Refused { .. }, at, .. }) => !younger(*at, REFUSED_FOR),
            Some(Synced { outcome: SyncOutcome::Done, .. }) | None => true,
        };
        free && !self.asked.is_some_and(|asked| younger(asked, TIMEOUT))
    }

    /// Lets a sync go on to write, and remembers how many it deactivates; or says why it holds. One that was let through before, by an
    /// earlier attempt, isn't held: part of it may be done. There is no threshold for one that a person has confirmed.
    ///
    /// # Errors
    /// The reason, in a sentence.
    pub fn admit(
        &mut self,
        job: &JobId,
        tally: &SyncTally,
        threshold: Option<SafetyThreshold>,
        now: Timestamp,
    ) -> Result<(), String> {
        let Some(threshold) = threshold else {
            self.deactivated.clear();
            return Ok(());
        };
        if self.deactivated.of(job).is_none_or(|admitted| tally.deactivated > admitted) {
            if let Some(reason) = hold(tally.deactivated, self.deactivated.sum(now), tally.linked, threshold) {
                return Err(reason);
            }
            self.deactivated.add(job, now, tally.deactivated);
        }
        Ok(())
    }

    /// An import has ended. **The next sync reads all users**: a delta that was read while the import wrote may have
    /// missed those that it wrote.
    pub fn imported(&mut self, import: Imported) {
        self.imports += 1;
        self.next = None;
        self.last_import = Some(import);
    }

    /// A sync has ended that a newer one has overtaken. Whatever becomes of that one, those whom it has left behind are asked for again.
    pub fn overtaken(&mut self, failed: &BTreeSet<DirectoryId>) {
        self.ask_for(self.ask_again.union(failed).cloned().collect());
    }

    /// The next sync asks for these by ID; where they are too many, it reads all anew.
    fn ask_for(&mut self, people: BTreeSet<DirectoryId>) {
        self.ask_again = people;
        if self.ask_again.len() > MAX_ASK_AGAIN {
            (self.next, self.ask_again) = (None, BTreeSet::new());
        }
    }

    /// A sync has ended. One that is done says what it leaves.
    pub fn synced(&mut self, sync: Synced, done: Option<Left>) {
        if let Some(Left { imports, next, failed }) = done {
            if self.imports == imports {
                self.next = Some(next);
            }
            self.ask_for(failed);
        }
        self.asked = None;
        self.last_sync = Some(sync);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    fn job() -> JobId {
        JobId::parse(&"0".repeat(32)).unwrap()
    }

    fn next(link: &str) -> NextDelta {
        NextDelta { tenant: "contoso".into(), link: link.into() }
    }

    fn left(imports: u64, link: &str) -> Left {
        Left { imports, next: next(link), failed: BTreeSet::new() }
    }

    fn synced(outcome: SyncOutcome) -> Synced {
        Synced { job: job(), at: at(0), tally: SyncTally::default(), outcome }
    }

    #[test]
    fn whom_an_overtaken_sync_leaves_behind_is_asked_for_again() {
        let mut standing = SyncState { next: Some(next("a")), ..SyncState::default() };
        let person = |n: usize| DirectoryId::parse(&format!("00000000-0000-0000-0000-{n:012}")).unwrap();
        standing.overtaken(&BTreeSet::from([person(1)]));
        standing.overtaken(&BTreeSet::from([person(2)]));
        assert_eq!(standing.ask_again, BTreeSet::from([person(1), person(2)]));
        assert_eq!(standing.next, Some(next("a")), "the newer one may have no end");
        standing.overtaken(&(0..=MAX_ASK_AGAIN).map(person).collect());
        assert_eq!((standing.ask_again.len(), standing.next), (0, None), "too many: the next one reads all anew");
    }

    #[test]
    fn the_schedule_neither_piles_up_nor_nags() {
        let due = |standing: &SyncState| [0, 1, 6, 23, 24].map(|hours| standing.is_due(at(hours)));
        let mut standing = SyncState::default();
        assert_eq!(due(&standing), [true; 5]);
        standing.asked = Some(at(0));
        assert_eq!(due(&standing), [false, false, true, true, true]);
        standing.synced(synced(SyncOutcome::Refused { reason: String::new() }), None);
        assert_eq!(due(&standing), [false, false, false, false, true]);
        standing.synced(synced(SyncOutcome::OnHold { reason: String::new() }), None);
        assert_eq!(due(&standing), [false; 5]);
        standing.synced(synced(SyncOutcome::Done), Some(left(0, "a")));
        assert_eq!(due(&standing), [true; 5]);
    }

    #[test]
    fn the_syncs_of_a_day_deactivate_no_more_together_than_one_may() {
        let mut standing = SyncState::default();
        let job = |number: usize| JobId::parse(&format!("{number:032x}")).unwrap();
        let tally = |deactivated| SyncTally { linked: 40, deactivated, ..SyncTally::default() };
        let watched = Some(SafetyThreshold::default());
        assert_eq!(standing.admit(&job(1), &tally(6), watched, at(0)), Ok(()));
        assert_eq!(standing.admit(&job(1), &tally(6), watched, at(0)), Ok(()), "an attempt that goes on counts once");
        assert_eq!(standing.admit(&job(2), &tally(0), watched, at(1)), Ok(()));
        let reason = standing.admit(&job(3), &tally(6), watched, at(2)).unwrap_err();
        assert!(reason.contains("6 of the 40") && reason.contains("6 others"), "{reason}");
        assert_eq!(standing.admit(&job(3), &tally(6), watched, at(24)), Ok(()), "a day later");
        assert_eq!(standing.admit(&job(4), &tally(30), None, at(25)), Ok(()), "a person means it");
        assert_eq!(standing.admit(&job(5), &tally(8), watched, at(26)), Ok(()), "and has seen what was before it");
    }

    #[test]
    fn a_delta_goes_on_only_where_nothing_can_have_been_missed() {
        let link = |standing: &SyncState| standing.next.clone().map(|next| next.link);
        let mut standing = SyncState::default();
        standing.synced(synced(SyncOutcome::Done), Some(left(0, "a")));
        assert_eq!(link(&standing).as_deref(), Some("a"));
        for reason in [String::new(), "12 of 12".into()] {
            standing.synced(synced(SyncOutcome::OnHold { reason }), None);
            assert_eq!(link(&standing), Some("a".to_owned()), "what was not done is told again");
        }
        standing.imported(Imported { job: job(), at: at(1), tally: ImportTally::default() });
        assert_eq!(link(&standing), None);
        standing.synced(synced(SyncOutcome::Done), Some(left(0, "c")));
        assert_eq!(link(&standing), None, "an import has ended meanwhile");
        standing.synced(synced(SyncOutcome::Done), Some(left(1, "d")));
        assert_eq!(link(&standing).as_deref(), Some("d"));
    }

    #[test]
    fn for_whom_a_sync_failed_the_next_one_asks_again_by_id_or_reads_all() {
        let failed = |count: usize| {
            (0..count).map(|at| DirectoryId::parse(&format!("id-{at}")).unwrap()).collect::<BTreeSet<_>>()
        };
        let mut standing = SyncState::default();
        standing.synced(synced(SyncOutcome::Done), Some(Left { failed: failed(2), ..left(0, "a") }));
        assert_eq!(standing.ask_again, failed(2));
        standing.synced(synced(SyncOutcome::OnHold { reason: String::new() }), None);
        assert_eq!(standing.ask_again, failed(2), "nothing was done, so they still wait");
        standing.synced(synced(SyncOutcome::Done), Some(Left { failed: failed(MAX_ASK_AGAIN + 1), ..left(0, "b") }));
        assert_eq!((standing.ask_again.len(), &standing.next), (0, &None));
        standing.synced(synced(SyncOutcome::Done), Some(left(0, "c")));
        assert_eq!((standing.ask_again.len(), &standing.next), (0, &Some(next("c"))));
    }

    #[test]
    fn it_reads_back() {
        let mut standing = SyncState::default();
        standing.imported(Imported {
            job: job(),
            at: at(1),
            tally: ImportTally { users: 3, ..ImportTally::default() },
        });
        standing.synced(synced(SyncOutcome::OnHold { reason: "12 of 12".into() }), None);
        let json = serde_json::to_string(&standing).unwrap();
        assert_eq!(serde_json::from_str::<SyncState>(&json).unwrap(), standing, "{json}");
    }
}
