//! Numbers, and who can dial from them.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_bulk::job::{Failure, JobState};
use rollcall_model::{
    caller_id::CallerId,
    inventory::{InventoryNumber, NumberState, utc_day},
    jobs::{JobId, JobKind},
    user::Policy,
};
use simulation::{By, Edit, Person, State, What};

use super::{Round, can_dial};
use crate::{
    history::Event,
    seen::{self, job},
};

/// **Nobody who could dial is left without a number** by a job, unless the job was asked to allow that, or a person has changed something
/// after the job had last looked at it.
pub fn nobody_is_left_without_a_number(round: &Round<'_>) {
    let may_empty = jobs_that_may_empty(round);
    let (mut users, mut numbers) = (round.before.users.clone(), round.before.numbers.clone());
    let mut emptied: BTreeMap<String, (usize, BTreeMap<CallerId, InventoryNumber>)> = BTreeMap::new();
    for (at, entry) in round.log.iter().enumerate() {
        let could: Vec<bool> = users.values().map(|person| can_dial(&person.user, &numbers)).collect();
        let before: Vec<(String, bool, u64)> =
            users.iter().zip(could).map(|((login, person), could)| (login.clone(), could, person.born)).collect();
        match &entry.what {
            What::User { login, after, .. } => {
                users.remove(login);
                users.extend(after.as_deref().map(|person| (login.clone(), person.clone())));
            }
            What::Number { after, .. } => _ = numbers.insert(after.number, (**after).clone()),
            _ => continue,
        }
        for (login, could, born) in before {
            let same = users.get(&login).filter(|person| person.born == born);
            match same.map(|person| can_dial(&person.user, &numbers)) {
                Some(false) if could => _ = emptied.insert(login, (at, numbers.clone())),
                Some(false) => {}
                Some(true) | None => _ = emptied.remove(&login),
            }
        }
    }
    for (login, (at, _)) in emptied {
        let excused = is_touched(round, &login, &may_empty)
            || had_none(round, at, &login)
            || came_while_leaving(round, at, &login)
            || changed_behind(round, at, &login) && !looked_later(round, at, &login);
        let (entry, person) = (&round.log[at], &users[&login]);
        let job = round.job_of(entry).map(|job| job.upload.key());
        assert!(excused, "{login} can dial from nothing since {at}, by {job:?}: {entry:?}, {person:?}");
    }
}

/// Jobs that may leave people without: rotations that were asked to, and jobs that died over their work.
fn jobs_that_may_empty(round: &Round<'_>) -> BTreeSet<By> {
    let allow = round.events.iter().filter(|(_, event)| matches!(event, Event::Rotate { allow_empty: true, .. }));
    let asked = allow.filter_map(|(at, _)| round.now.dropped.get(at)).map(|id| By::Job(id.clone()));
    // One that was previewed in an earlier round may be executed in this one.
    let executed = round.now.jobs.values().filter(|job| job.upload.kind == JobKind::RotateCallerIds);
    let executed = executed.filter(|job| {
        let request = round.now.object(&job.source.key);
        request.is_some_and(|json| String::from_utf8_lossy(json).contains("\"allow_empty\":true"))
    });
    let died = round.now.forsaken.iter().map(|id| By::Job(id.clone()));
    asked.chain(executed.map(|job| By::Job(job.id.clone()))).chain(died).collect()
}

/// Whether one of these jobs has written the user, or a number.
fn is_touched(round: &Round<'_>, login: &str, by: &BTreeSet<By>) -> bool {
    round.log.iter().filter(|entry| by.contains(&entry.by)).any(|entry| match &entry.what {
        What::User { login: of, .. } => of == login,
        What::Number { .. } => true,
        _ => false,
    })
}

/// Whether a job has taken off no more than what it, or the append that it takes back, had put on the list of somebody who had nothing to dial
/// from.
fn had_none(round: &Round<'_>, at: usize, login: &str) -> bool {
    let Some(job) = round.job_of(&round.log[at]) else { return false };
    let append = round.undone_by(job).filter(|undone| undone.upload.kind != JobKind::RotateCallerIds);
    let giver = append.unwrap_or(job);
    // Of two that added the same at once, the log knows one as the writer.
    if seen::had_none(round.now, giver, login) {
        return true;
    }
    let by = By::Job(giver.id.clone());
    let mut numbers: BTreeMap<CallerId, InventoryNumber> = BTreeMap::new();
    for entry in round.past.iter().chain(round.log) {
        match &entry.what {
            What::Number { after, .. } => _ = numbers.insert(after.number, (**after).clone()),
            What::User { login: of, before, .. } if of == login && entry.by == by => {
                return before.as_ref().is_none_or(|person| !can_dial(&person.user, &numbers));
            }
            _ => {}
        }
    }
    false
}

/// Whether what a rotation has taken out of service had come onto the list of somebody who had nothing to dial from, when the rotation was about to do
/// so already.
fn came_while_leaving(round: &Round<'_>, at: usize, login: &str) -> bool {
    let What::Number { after: leaving, .. } = &round.log[at].what else { return false };
    let By::Job(rotation) = &round.log[at].by else { return false };
    let has = |person: &Person| person.user.caller_ids.contains(&leaving.number);
    let (mut numbers, mut came) = (round.before.numbers.clone(), false);
    for entry in &round.log[..at] {
        match &entry.what {
            What::Number { after, .. } => _ = numbers.insert(after.number, (**after).clone()),
            What::User { login: of, before, after: Some(after) } if of == login => {
                let before = before.as_deref();
                let comes = has(after) && !before.is_some_and(has);
                let reserved = numbers[&leaving.number].reserved_by.as_ref() == Some(rotation);
                came = came && has(after)
                    || comes && reserved && !before.is_some_and(|before| can_dial(&before.user, &numbers));
            }
            _ => {}
        }
    }
    came
}

/// Whether a person emptied the list, or has changed the user or a number after whoever did had last looked at it.
fn changed_behind(round: &Round<'_>, at: usize, login: &str) -> bool {
    let By::Job(job) = &round.log[at].by else { return round.log[at].by == By::Person };
    let looked = |what: &dyn Fn(&What) -> bool| round.last(job, at, what).unwrap_or(0);
    let user = looked(&|what| matches!(what, What::SawUser(of) if of == login));
    let inventory = looked(&|what| matches!(what, What::SawInventory));
    round.log[..at].iter().enumerate().any(|(place, entry)| {
        entry.by == By::Person
            && match &entry.what {
                What::User { login: of, .. } => of == login && place > user,
                What::Number { .. } => place > inventory,
                _ => false,
            }
    })
}

/// Whether a rotation that had taken a number off the user's list has looked at the inventory later on: then it had to see that the user
/// needs the number, if it could still be given back.
fn looked_later(round: &Round<'_>, at: usize, login: &str) -> bool {
    // A list that isn't in force gives nobody anything back.
    if round.now.users.get(login).is_some_and(|person| person.user.policy != Policy::Custom) {
        return false;
    }
    if !matches!(round.log[at].what, What::Number { .. }) && round.log[at].by == By::Person {
        return false;
    }
    let rotations = round.finished().filter(|job| job.upload.kind == JobKind::RotateCallerIds);
    rotations.into_iter().any(|job| {
        let removed = removed_by(round, &job.id, login);
        let mut numbers = round.before.numbers.clone();
        let by = By::Job(job.id.clone());
        round.log.iter().enumerate().any(|(place, entry)| {
            if let What::Number { after, .. } = &entry.what {
                numbers.insert(after.number, (**after).clone());
            }
            let free = |number: &CallerId| {
                let item = &numbers[number];
                item.facts.state.is_usable() && item.reserved_by.as_ref().is_none_or(|rotation| *rotation == job.id)
            };
            place > at && entry.by == by && matches!(entry.what, What::SawInventory) && removed.iter().any(free)
        })
    })
}

/// Numbers that a job took off somebody's list in this round.
fn removed_by(round: &Round<'_>, job: &JobId, login: &str) -> BTreeSet<CallerId> {
    let list = |person: &Option<Box<Person>>| -> BTreeSet<CallerId> {
        person.iter().flat_map(|person| person.user.caller_ids.iter().copied()).collect()
    };
    let mut removed = BTreeSet::new();
    for (_, entry) in round.entries_of(job) {
        if let What::User { login: of, before, after } = &entry.what
            && of == login
        {
            removed.extend(list(before).difference(&list(after)));
        }
    }
    removed
}

/// Whether a rotation has given its reservation of a number back, and left the number in service.
fn has_released(round: &Round<'_>, job: &JobId, number: CallerId) -> bool {
    round.entries_of(job).any(|(_, entry)| {
        matches!(&entry.what, What::Number { before: Some(before), after } if after.number == number
            && before.reserved_by.is_some() && after.reserved_by.is_none() && after.facts.state.is_usable())
    })
}

/// What a rotation of this round has retired is on nobody's list, unless a person has decided otherwise meanwhile.
pub fn rotated_numbers_are_on_no_list(round: &Round<'_>) {
    for entry in round.log {
        let (What::Number { before: Some(before), after }, Some(job)) = (&entry.what, round.job_of(entry)) else {
            continue;
        };
        let number = after.number;
        let retires = job.state == JobState::Finished && after.facts.state == NumberState::Retired;
        let since = |state: &State| state.numbers[&number].facts.state == NumberState::Retired;
        let decided = |event: &Event| matches!(event, Event::Edit(Edit::Number(n, _)) if *n == number);
        if retires
            && before.facts.state != NumberState::Retired
            && since(round.now)
            && !round.events.iter().any(|(_, event)| decided(event))
        {
            // One that was given up and sent back doesn't look at everybody again: the schedule owes the number that.
            if has_released(round, &job.id, number) && after.second_look.is_some() {
                continue;
            }
            let on = round.now.users.iter().find(|(_, person)| person.user.caller_ids.contains(&number));
            assert!(on.is_none(), "{number} is retired, and {on:?}");
        }
    }
}

/// What takes the place of a number that a rotation has taken out of service comes into its department, where it had none. Asked of
/// rotations that had the account for themselves.
pub fn replacements_take_over_departments(round: &Round<'_>) {
    let [(at, Event::Rotate { pairs, .. })] = round.events else { return };
    let finished = job(round.now, *at).is_some_and(|job| job.state == JobState::Finished);
    for (old, new) in pairs.iter().filter_map(|(old, new)| Some((old, (*new)?))) {
        let of = |state: &State, number: &CallerId| state.numbers[number].facts.department.clone();
        let gone = !round.now.numbers[old].facts.state.is_usable() && round.before.numbers[old].facts.state.is_usable();
        if finished && gone && of(round.before, old).is_some() && of(round.before, &new).is_none() {
            assert!(of(round.now, &new).is_some(), "{new} has not come into the department of {old}");
        }
    }
}

/// A number is marked as leaving by a rotation under way, or by one that died over its work.
pub fn only_rotations_under_way_hold_numbers(round: &Round<'_>) {
    for item in round.now.numbers.values() {
        let forsaken = item.reserved_by.as_ref().is_none_or(|job| round.now.forsaken.contains(job));
        assert!(forsaken, "a reservation has outlived its rotation: {item:?}");
    }
}

/// After the schedule's round, no number rests past its day, and none is marked by a rotation that was given up.
pub fn a_schedule_ends_rests_and_marks(round: &Round<'_>) {
    let rotates = |(_, event): &(usize, Event)| {
        matches!(event, Event::Rotate { .. } | Event::Undo { .. } | Event::Decide { .. } | Event::Wait(_))
    };
    if !round.events.iter().any(|(_, event)| matches!(event, Event::Schedule)) || round.events.iter().any(rotates) {
        return;
    }
    // A round that begins before midnight may end after it.
    let today = utc_day(round.before.time());
    for item in round.now.numbers.values() {
        let rests =
            item.facts.state == NumberState::Resting && item.facts.resting_until.is_some_and(|day| day <= today);
        assert!(!rests, "it rests past its day: {item:?}");
        let marked = item.reserved_by.as_ref().and_then(|job| round.before.jobs.get(job));
        let gave_up = marked.filter(|job| matches!(job.failure, Some(Failure::GaveUp { .. })));
        assert!(gave_up.is_none(), "a rotation that was given up has left its mark: {item:?}");
    }
}
