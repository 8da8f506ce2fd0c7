//! What always holds, whatever happened at once.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_bulk::{
    append::AppendPlan,
    job::{Failure, Job, JobState, MailState},
    report::Counts,
};
use rollcall_model::{
    caller_id::CallerId,
    inventory::NumberState,
    jobs::JobKind,
    mapping::{CrmUserId, Mapping, MappingState},
    phone_side::DialPermission,
    settings::PhoneSystem,
    user::{Policy, User},
};
use serde_json::Value;
use simulation::{Edit, State};

use crate::{
    history::Event,
    reference::{effects, job, plans},
};

/// Every job has ended, every row has its outcome, and whoever is to get a mail has got it.
pub fn ended_well(state: &State) {
    for job in state.jobs.values() {
        assert!(job.lease.is_none() && job.ended.is_some(), "{job:?}");
        assert!(!matches!(job.failure, Some(Failure::GaveUp { .. })), "sent back, it ends another way: {job:?}");
        match job.state {
            JobState::Finished | JobState::Undone | JobState::Previewed | JobState::Discarded => {
                assert_eq!((job.counts.rows(), job.counts.unprocessed), (job.progress.rows, 0), "{job:?}");
            }
            JobState::Failed | JobState::OnHold => {}
            JobState::Running | JobState::Previewing => panic!("nobody works on it any more: {job:?}"),
        }
        let mailed = state.mails.contains_key(&job.id);
        assert!(mailed || !matches!(job.mail, Some(MailState::Sent { .. })), "{job:?}");
        // A sync that fails for the same people as the one before tells nobody.
        let told = job.upload.kind == JobKind::DirectoryImport && job.mail == Some(MailState::NotDue);
        assert!(mailed || told || !job.is_mail_due(), "{job:?}");
    }
}

/// What must be the same, however much trouble there was on the way: all but versions and times.
#[derive(Debug, PartialEq)]
pub struct Essence {
    users: BTreeMap<String, User>,
    numbers: BTreeMap<CallerId, (NumberState, Option<CallerId>, bool)>,
    mappings: BTreeMap<CrmUserId, (MappingState, Option<DialPermission>)>,
    jobs: BTreeMap<String, (JobState, Counts)>,
    asked_again: usize,
}

/// See [`Essence`].
pub fn essence(state: &State) -> Essence {
    let user = |user: &User| User { version: 0, ..user.clone() };
    let mapping = |mapping: &Mapping| (mapping.state.clone(), mapping.permission.clone());
    Essence {
        users: state.users.iter().map(|(login, person)| (login.clone(), user(&person.user))).collect(),
        numbers: state
            .numbers
            .values()
            .map(|item| (item.number, (item.facts.state, item.replaced_by, item.reserved_by.is_some())))
            .collect(),
        mappings: state.mappings.iter().map(|(id, (one, _))| (id.clone(), mapping(one))).collect(),
        jobs: state.jobs.values().map(|job| (job.upload.name.clone(), (job.state, job.counts))).collect(),
        asked_again: state.sync.as_ref().map_or(0, |sync| sync.value.ask_again.len()),
    }
}

fn list<'a>(state: &'a State, login: &str) -> Option<&'a Vec<CallerId>> {
    state.users.get(login).map(|person| &person.user.caller_ids)
}

/// What holds of jobs that happened at once.
pub fn always_holds(state: &State, before: &State, events: &[(usize, Event)]) {
    for item in state.numbers.values() {
        assert!(item.reserved_by.is_none(), "a reservation has outlived its rotation: {item:?}");
    }
    for (at, event) in events {
        let Some(job) = job(state, *at).filter(|job| job.state == JobState::Finished) else { continue };
        for effect in effects(state, job) {
            // What a job has put on a list is there, unless somebody else has taken it off.
            for number in &effect.added {
                let there = list(state, &effect.login).is_some_and(|list| list.contains(number));
                let others = state.log.iter().any(|write| {
                    write.login == effect.login && write.job.as_ref() != Some(&job.id) && write.removed.contains(number)
                });
                assert!(there || others, "{number} is lost to {}", effect.login);
            }
        }
        match event {
            Event::Append { .. } => appends_remove_nothing(state, job),
            Event::Rotate { pairs, .. } => {
                let stays = |old| pairs.iter().any(|(_, new)| *new == Some(old));
                retired_are_gone(state, before, pairs.iter().map(|(old, _)| *old).filter(|old| !stays(*old)), events);
            }
            _ => {}
        }
    }
}

/// An append takes off nothing but what it has put there itself, and says so.
fn appends_remove_nothing(state: &State, job: &Job) {
    let plan = |plan: Value| serde_json::from_value::<AppendPlan>(plan).expect("a plan");
    let mut retracted: BTreeMap<String, Vec<CallerId>> = BTreeMap::new();
    // A user may have two plans, where a later attempt could read a number that an earlier one couldn't.
    for plan in plans(state, job).into_iter().map(plan) {
        retracted.entry(plan.login).or_default().extend(plan.retracted);
    }
    for write in state.log.iter().filter(|write| write.job.as_ref() == Some(&job.id)) {
        let mine = retracted.get(&write.login).map(Vec::as_slice).unwrap_or_default();
        assert!(write.removed.iter().all(|number| mine.contains(number)), "{write:?} by {job:?}");
    }
}

/// What a rotation of this round has retired is on nobody's list, unless a person has decided otherwise meanwhile.
fn retired_are_gone(state: &State, before: &State, olds: impl Iterator<Item = CallerId>, events: &[(usize, Event)]) {
    let decided =
        |number| events.iter().any(|(_, event)| matches!(event, Event::Edit(Edit::Number(n, _)) if *n == number));
    for old in olds {
        let retired = state.numbers[&old].facts.state == NumberState::Retired
            && before.numbers[&old].facts.state != NumberState::Retired;
        let on = state.users.iter().find(|(_, person)| person.user.caller_ids.contains(&old));
        assert!(!retired || decided(old) || on.is_none(), "{old} is retired, and {on:?}");
    }
}

/// What a resync of this round has found of a user is what the user had at some time in it.
pub fn seen_by_crm_users(state: &State, before: &State) {
    if state.settings.phone_system == PhoneSystem::Snapshot {
        return;
    }
    for (crm_user, (mapping, _)) in &state.mappings {
        let (MappingState::Mapped { phone_user }, Some(permission)) = (&mapping.state, &mapping.permission) else {
            continue;
        };
        let at_first = &before.mappings[crm_user].0;
        let unchanged = (&mapping.state, &mapping.permission) == (&at_first.state, &at_first.permission);
        if unchanged || permission.policy != Policy::Custom {
            continue;
        }
        let (login, none) = (phone_user.as_str(), Vec::new());
        let now: BTreeSet<CallerId> = list(state, login).unwrap_or(&none).iter().copied().collect();
        let then: BTreeSet<CallerId> = list(before, login).unwrap_or(&none).iter().copied().collect();
        let removed: BTreeSet<CallerId> =
            state.log.iter().filter(|write| write.login == login).flat_map(|write| &write.removed).copied().collect();
        let seen: BTreeSet<CallerId> = permission.caller_ids.iter().copied().collect();
        let ever: BTreeSet<CallerId> = now.union(&removed).copied().collect();
        assert!(seen.is_subset(&ever), "{mapping:?} was never so, {ever:?}");
        let mut always = then.intersection(&now).filter(|number| !removed.contains(number));
        assert!(always.all(|number| seen.contains(number)), "{mapping:?} lacks what was always there");
    }
}
