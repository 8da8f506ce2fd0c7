//! Lists, and what jobs put on them and take off.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_bulk::{append::AppendPlan, job::JobState};
use rollcall_model::{caller_id::CallerId, jobs::JobKind};
use serde_json::Value;
use simulation::{By, Entry, Person, What};

use super::Round;
use crate::seen::{effects, plans};

/// Whose list a write has changed, what came onto it, and what went.
fn change(entry: &Entry) -> Option<(&str, BTreeSet<CallerId>, BTreeSet<CallerId>)> {
    let What::User { login, before, after } = &entry.what else { return None };
    let list = |person: &Option<Box<Person>>| -> BTreeSet<CallerId> {
        person.iter().flat_map(|person| person.user.caller_ids.iter().copied()).collect()
    };
    let (before, after) = (list(before), list(after));
    Some((login, after.difference(&before).copied().collect(), before.difference(&after).copied().collect()))
}

/// What a job of this round has put on a list is there, unless somebody else has taken it off.
pub fn what_a_job_added_is_there(round: &Round<'_>) {
    for job in round.finished().filter(|job| job.state == JobState::Finished) {
        let by = By::Job(job.id.clone());
        for effect in effects(round.now, job) {
            let list = round.now.users.get(&effect.login).map(|person| &person.user.caller_ids);
            for number in &effect.added {
                let others = round.log.iter().filter(|entry| entry.by != by).filter_map(change);
                let mut others = others.filter(|(login, _, gone)| *login == effect.login && gone.contains(number));
                let there = list.is_some_and(|list| list.contains(number));
                assert!(there || others.next().is_some(), "{number} is lost to {}", effect.login);
            }
        }
    }
}

/// An append takes off nothing but what it has put there itself, and says so.
pub fn appends_remove_nothing(round: &Round<'_>) {
    for job in round.finished().filter(|job| job.upload.kind == JobKind::AppendCallerIds) {
        let plan = |plan: Value| serde_json::from_value::<AppendPlan>(plan).expect("a plan");
        let mut retracted: BTreeMap<String, Vec<CallerId>> = BTreeMap::new();
        // A user may have two plans, where a later attempt could read a number that an earlier one couldn't.
        for plan in plans(round.now, job).into_iter().map(plan) {
            retracted.entry(plan.login).or_default().extend(plan.retracted);
        }
        for (login, _, gone) in round.entries_of(&job.id).filter_map(|(_, entry)| change(entry)) {
            let mine = retracted.get(login).map(Vec::as_slice).unwrap_or_default();
            assert!(gone.iter().all(|number| mine.contains(number)), "{gone:?} off the list of {login} by {job:?}");
        }
    }
}

/// No job makes a list longer that is as long as lists may be, whatever others append at once. What comes back for a number that the same job takes
/// off next, so that nobody is without a number in between, counts when that is off.
pub fn no_job_fills_a_list_past_its_limit(round: &Round<'_>) {
    for (at, entry) in round.log.iter().enumerate().filter(|(_, entry)| matches!(entry.by, By::Job(_))) {
        let (What::User { login, after: Some(after), .. }, Some((_, come, _))) = (&entry.what, change(entry)) else {
            continue;
        };
        let (length, limit) = (after.user.caller_ids.len(), round.now.settings.list_limit);
        let rotates = round.job_of(entry).is_some_and(|job| job.upload.kind == JobKind::RotateCallerIds);
        let mut later = round.log[at + 1..].iter().filter(|later| later.by == entry.by).filter_map(change);
        let swapped = later.any(|(of, _, gone)| of == login && length <= limit + gone.len());
        let fits = come.is_empty() || rotates || length <= limit || swapped;
        assert!(fits, "{login} has {length} numbers of {limit}: {entry:?}");
    }
}
