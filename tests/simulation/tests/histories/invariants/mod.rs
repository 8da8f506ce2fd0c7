//! What always holds, whatever happened at once.

mod jobs;
mod lists;
mod mappings;
mod numbers;
mod people;
mod previews;

use std::collections::BTreeMap;

use rollcall_bulk::job::{Job, JobState};
use rollcall_model::{
    caller_id::CallerId,
    inventory::InventoryNumber,
    jobs::{JobId, JobKind},
    phone_side::DialPermission,
    user::{AsOf, User},
};
use simulation::{By, Entry, Person, State, What};

use crate::history::Event;

pub use jobs::{ended_well, essence};

/// A round that is over.
pub struct Round<'a> {
    /// How the world was before it.
    pub before: &'a State,
    /// How it is now.
    pub now: &'a State,
    /// What was to happen, by its places in the history.
    pub events: &'a [(usize, Event)],
    /// What happened in it.
    pub log: &'a [Entry],
    /// What had happened before it.
    pub past: &'a [Entry],
}

/// Looks at a round, and panics where it doesn't hold.
pub type Invariant = fn(&Round<'_>);

/// What holds after every round, by what it is called.
pub const INVARIANTS: [(&str, Invariant); 20] = [
    ("nobody_is_left_without_a_number", numbers::nobody_is_left_without_a_number),
    ("rotated_numbers_are_on_no_list", numbers::rotated_numbers_are_on_no_list),
    ("replacements_take_over_departments", numbers::replacements_take_over_departments),
    ("only_rotations_under_way_hold_numbers", numbers::only_rotations_under_way_hold_numbers),
    ("a_schedule_ends_rests_and_marks", numbers::a_schedule_ends_rests_and_marks),
    ("what_a_job_added_is_there", lists::what_a_job_added_is_there),
    ("appends_remove_nothing", lists::appends_remove_nothing),
    ("no_job_fills_a_list_past_its_limit", lists::no_job_fills_a_list_past_its_limit),
    ("undos_touch_nobody_else", people::undos_touch_nobody_else),
    ("no_job_writes_over_what_others_changed", people::no_job_writes_over_what_others_changed),
    ("the_newer_file_of_a_name_wins", people::the_newer_file_of_a_name_wins),
    ("leavers_are_blocked", people::leavers_are_blocked),
    ("whom_a_sync_left_behind_is_asked_for_again", people::whom_a_sync_left_behind_is_asked_for_again),
    ("permissions_were_so_in_the_round", mappings::permissions_were_so_in_the_round),
    ("resyncs_leave_what_people_gave", mappings::resyncs_leave_what_people_gave),
    ("newer_readings_win", mappings::newer_readings_win),
    ("crm_users_see_replacements", mappings::crm_users_see_replacements),
    ("undone_means_all_of_it", jobs::undone_means_all_of_it),
    ("what_was_done_can_be_undone", jobs::what_was_done_can_be_undone),
    ("executions_are_held_against_previews", previews::executions_are_held_against_previews),
];

impl<'a> Round<'a> {
    /// The job that made an entry, by its record now.
    fn job_of(&self, entry: &Entry) -> Option<&'a Job> {
        match &entry.by {
            By::Job(id) => self.now.jobs.get(id),
            By::Person | By::Schedule => None,
        }
    }

    /// The job that an undo takes back.
    fn undone_by(&self, undo: &Job) -> Option<&'a Job> {
        undo.undoes.as_ref().and_then(|id| self.now.jobs.get(id))
    }

    /// The entries that this job made in this round, each with its place.
    fn entries_of(&self, job: &JobId) -> impl DoubleEndedIterator<Item = (usize, &'a Entry)> {
        let by = By::Job(job.clone());
        self.log.iter().enumerate().filter(move |(_, entry)| entry.by == by)
    }

    /// Where this job has last done something like this before a place.
    fn last(&self, job: &JobId, before: usize, what: impl Fn(&What) -> bool) -> Option<usize> {
        self.entries_of(job)
            .take_while(|(at, _)| *at < before)
            .filter(|(_, entry)| what(&entry.what))
            .last()
            .map(|(at, _)| at)
    }

    /// The jobs of this round that have come to their end.
    fn finished(&self) -> impl Iterator<Item = &'a Job> {
        let before = self.before;
        let ended = |job: &Job| matches!(job.state, JobState::Finished | JobState::Undone);
        self.now.jobs.values().filter(move |job| ended(job) && !before.jobs.get(&job.id).is_some_and(ended))
    }

    /// How a user stood from a place of the log on, at each of its writes. `None` where nobody had the login ID.
    fn users_since(&self, login: &str, place: usize) -> Vec<Option<&'a Person>> {
        let writes = self.log.iter().enumerate().filter_map(|(at, entry)| match &entry.what {
            What::User { login: of, after, .. } if of == login => Some((at, after.as_deref())),
            _ => None,
        });
        let (earlier, later): (Vec<_>, Vec<_>) = writes.partition(|(at, _)| *at < place);
        let at_place = earlier.last().map_or(self.before.users.get(login), |(_, person)| *person);
        std::iter::once(at_place).chain(later.into_iter().map(|(_, person)| person)).collect()
    }
}

/// Whether a user can dial from any number.
fn can_dial(user: &User, numbers: &BTreeMap<CallerId, InventoryNumber>) -> bool {
    let permission = DialPermission::of(user);
    numbers.values().any(|item| permission.allows(item))
}

/// Whether two users differ in more than their lists, policies and versions.
fn profile_differs(one: &User, other: &User) -> bool {
    let bare = |user: &User| User {
        caller_ids: Vec::new(),
        policy: other.policy,
        version: 0,
        created: None,
        as_of: AsOf::default(),
        ..user.clone()
    };
    bare(one) != bare(other)
}

/// Whether a kind of job brings profiles of users.
fn brings_users(kind: JobKind) -> bool {
    matches!(kind, JobKind::UploadUsers | JobKind::DirectoryImport)
}
