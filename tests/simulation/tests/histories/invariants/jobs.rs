//! How jobs end.

use std::collections::BTreeMap;

use rollcall_bulk::{
    job::{Failure, Job, JobState, MailState},
    report::Counts,
};
use rollcall_model::{
    caller_id::CallerId,
    inventory::NumberState,
    jobs::JobKind,
    mapping::{CrmUserId, Mapping, MappingState},
    phone_side::DialPermission,
    user::{AsOf, User},
};
use simulation::State;

use super::Round;

/// Every job has ended, every row has its outcome, and whoever is to get a mail has got it; but for jobs that were given up and that nobody
/// has sent back.
pub fn ended_well(state: &State) {
    for job in state.jobs.values().filter(|job| !state.forsaken.contains(&job.id)) {
        assert!(job.lease.is_none() && job.ended.is_some(), "{job:?}");
        // Or it has been undone before somebody sent it back.
        let gave_up = matches!(job.failure, Some(Failure::GaveUp { .. })) && job.state != JobState::Undone;
        assert!(!gave_up, "sent back, it ends another way: {job:?}");
        match job.state {
            JobState::Finished | JobState::Undone | JobState::Previewed | JobState::Discarded
                if job.failure.is_none() =>
            {
                assert_eq!((job.counts.rows(), job.counts.unprocessed), (job.progress.rows, 0), "{job:?}");
            }
            JobState::Running | JobState::Previewing => panic!("nobody works on it any more: {job:?}"),
            _ => {}
        }
        let mailed = state.mails.contains_key(&job.id);
        assert!(mailed || !matches!(job.mail, Some(MailState::Sent { .. })), "{job:?}");
        // A sync that fails for the same people as the one before tells nobody.
        let told = job.upload.kind == JobKind::DirectoryImport && job.mail == Some(MailState::NotDue);
        // One that was given up, and could not say so, says it when it is sent back; what was undone before that isn't.
        let gave_up = matches!(job.failure, Some(Failure::GaveUp { .. }));
        let undone = job.state == JobState::Undone && (gave_up || job.mail.is_none());
        assert!(mailed || told || undone || !job.is_mail_due(), "{job:?}");
    }
}

/// A job is undone only when every row of an undo of it was applied.
pub fn undone_means_all_of_it(round: &Round<'_>) {
    let ended = round.finished().filter(|job| job.state == JobState::Finished);
    let undos: Vec<&Job> = ended.filter(|job| job.upload.kind == JobKind::Undo).collect();
    for job in round.now.jobs.values().filter(|job| job.state == JobState::Undone) {
        let by = undos.iter().find(|undo| Some(&undo.id) == job.undone_by.as_ref());
        let left = by.filter(|undo| undo.counts.applied != undo.counts.rows());
        assert!(left.is_none(), "it is undone, though not all of it: {job:?}, {left:?}");
    }
}

/// What a job could do an undo can take back, however many rows that makes.
pub fn what_was_done_can_be_undone(round: &Round<'_>) {
    for job in round.now.jobs.values().filter(|job| job.upload.kind == JobKind::Undo) {
        assert!(!matches!(job.failure, Some(Failure::File(_))), "it can't be undone: {job:?}");
    }
}

/// What must be the same, however much trouble there was on the way: all but versions and times.
#[derive(Debug, PartialEq)]
pub struct Essence {
    users: BTreeMap<String, User>,
    numbers: BTreeMap<CallerId, (NumberState, Option<CallerId>, bool)>,
    mappings: BTreeMap<CrmUserId, (MappingState, Option<DialPermission>)>,
    jobs: BTreeMap<String, Vec<(JobState, Counts)>>,
    asked_again: usize,
}

/// See [`Essence`].
pub fn essence(state: &State) -> Essence {
    let user = |user: &User| User { version: 0, created: None, as_of: AsOf::default(), ..user.clone() };
    let mapping = |mapping: &Mapping| (mapping.state.clone(), mapping.permission.clone());
    let mut jobs: BTreeMap<String, Vec<(JobState, Counts)>> = BTreeMap::new();
    for job in state.jobs.values() {
        jobs.entry(job.upload.name.clone()).or_default().push((job.state, job.counts));
    }
    Essence {
        users: state.users.iter().map(|(login, person)| (login.clone(), user(&person.user))).collect(),
        numbers: state
            .numbers
            .values()
            .map(|item| (item.number, (item.facts.state, item.replaced_by, item.reserved_by.is_some())))
            .collect(),
        mappings: state.mappings.iter().map(|(id, (one, _))| (id.clone(), mapping(one))).collect(),
        jobs,
        asked_again: state.sync.as_ref().map_or(0, |sync| sync.value.ask_again.len()),
    }
}
