//! What must come of a history, said as plainly as it can be: one thing after another, nobody dies, nothing comes twice.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use rollcall_bulk::{
    job::{Job, JobState},
    undo::{Act, UndoPlan},
};
use rollcall_model::{
    caller_id::CallerId,
    inventory::NumberState,
    mapping::{CrmUserId, Mapping, MappingState},
};
use simulation::{By, Edit, Entry, Person, State, What};

use crate::{
    history::{Event, Row},
    seen::{did, job, plans},
};

#[derive(Default)]
pub struct Reference {
    pub lists: BTreeMap<String, List>,
    /// The state of each number, and the place of the rotation that gave it, if one did.
    pub numbers: BTreeMap<CallerId, (NumberState, Option<usize>)>,
    pub mappings: BTreeMap<CrmUserId, Mapped>,
    /// What jobs did that can be undone, by their places in the history.
    pub did: BTreeMap<usize, Did>,
}

/// A user's list, and which creation of the user it is.
pub type List = (u64, BTreeSet<CallerId>);

/// A CRM user's mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapped {
    pub login: String,
    pub chosen: Option<String>,
    pub who: Who,
    /// The phone user's list at the last resync.
    pub list: Option<BTreeSet<CallerId>>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Who {
    Nobody,
    Is(String),
    Was(String),
}

/// What one job did.
#[derive(Clone, Default)]
pub struct Did {
    pub users: BTreeMap<String, Deed>,
    /// Numbers that it took out of service, as they were before.
    pub numbers: BTreeMap<CallerId, NumberState>,
    /// What earlier undos have taken back of it.
    pub undone: HashSet<(String, Act)>,
}

/// What one job did to a user.
#[derive(Clone, Debug, Default)]
pub struct Deed {
    pub born: u64,
    pub added: BTreeSet<CallerId>,
    pub removed: BTreeMap<CallerId, Option<CallerId>>,
    /// The user had nothing to dial from when it was decided.
    pub had_none: bool,
}

/// Rows by what came of them: applied, partial, unchanged, failed.
pub type Rows = [u64; 4];
pub const APPLIED: usize = 0;
pub const PARTIAL: usize = 1;
pub const UNCHANGED: usize = 2;
pub const FAILED: usize = 3;

impl Reference {
    /// What is so at the beginning.
    pub fn of(state: &State) -> Self {
        let mut reference = Self::default();
        reference.read(state);
        reference
    }

    fn read(&mut self, state: &State) {
        self.lists = lists(state);
        let by =
            |number: &CallerId| self.numbers.get(number).filter(|(was, _)| *was == state.numbers[number].facts.state);
        let numbers = state.numbers.values().map(|item| (item.number, item.facts.state));
        self.numbers = numbers.map(|(number, now)| (number, (now, by(&number).and_then(|(_, by)| *by)))).collect();
        self.mappings = mappings(state);
    }

    /// What has come of an event that happened alone is what must come of it.
    pub fn check(&mut self, at: usize, event: &Event, state: &State) {
        let rows = self.apply(at, event, state);
        let finished = job(state, at).filter(|job| job.state == JobState::Finished).map(|job| job.counts);
        let finished = finished.map(|counts| [counts.applied, counts.partial, counts.unchanged, counts.failed]);
        assert_eq!(finished, rows, "the rows of {at}");
        let states: BTreeMap<_, _> = self.numbers.iter().map(|(number, (state, _))| (*number, *state)).collect();
        assert_eq!(numbers(state), states, "numbers after {at}");
        let plain = |lists: &BTreeMap<String, List>| -> BTreeMap<String, BTreeSet<CallerId>> {
            lists.iter().map(|(login, (_, list))| (login.clone(), list.clone())).collect()
        };
        assert_eq!(plain(&lists(state)), plain(&self.lists), "lists after {at}");
        assert_eq!(mappings(state), self.mappings, "mappings after {at}");
        let undone = |at: &usize| job(state, *at).is_some_and(|job| job.state == JobState::Undone);
        assert_eq!(self.did.keys().find(|at| undone(at)), None, "it is undone, though not all of it");
        self.lists = lists(state);
    }

    /// Goes on from what has come of things that happened at once.
    pub fn adopt(&mut self, state: &State, events: &[(usize, Event)], log: &[Entry]) {
        for entry in log {
            // A number's state is known by whoever gave it.
            if let What::Number { before: Some(before), after } = &entry.what
                && before.facts.state != after.facts.state
            {
                let by = state.dropped.iter().find(|(_, id)| entry.by == By::Job((*id).clone())).map(|(at, _)| *at);
                self.numbers.insert(after.number, (after.facts.state, by));
            }
        }
        self.read(state);
        for (at, event) in events {
            let Some(job) = job(state, *at).filter(|job| job.state == JobState::Finished) else { continue };
            if let Event::Undo { of, .. } = event {
                self.take_back(*of, state, job, log);
            } else if job.upload.kind.has_undo() {
                self.did.insert(*at, did(state, job, log));
            }
        }
        self.did.retain(|at, _| job(state, *at).is_none_or(|job| job.state != JobState::Undone));
    }

    /// Keeps what an undo that happened at once with others has taken back.
    fn take_back(&mut self, of: usize, state: &State, undo: &Job, log: &[Entry]) {
        let Some(did) = self.did.get_mut(&of) else { return };
        for plan in plans(state, undo) {
            let plan: UndoPlan = serde_json::from_value(plan).expect("a plan");
            let back = plan.put_back.iter().filter(|number| !plan.retracted.contains(number)).map(|n| Act::PutBack(*n));
            let acts = plan.take_off.iter().map(|number| Act::TakeOff(*number)).chain(back);
            did.undone.extend(acts.map(|act| (plan.login.clone(), act)));
        }
        let by = By::Job(undo.id.clone());
        let restored = log.iter().filter(|entry| entry.by == by).filter_map(|entry| match &entry.what {
            What::Number { before: Some(before), after } if before.facts.state != after.facts.state => {
                Some(after.number)
            }
            _ => None,
        });
        did.undone.extend(restored.map(|number| (String::new(), Act::RestoreNumber(number))));
    }

    /// What comes of an event; `None` for a job that refuses, and for what is no job.
    pub fn apply(&mut self, at: usize, event: &Event, state: &State) -> Option<Rows> {
        match event {
            Event::Append { rows, .. } => return Some(self.append(at, rows)),
            Event::Rotate { pairs, only, allow_empty, .. } => {
                return Some(self.rotate(at, pairs, only.as_deref(), *allow_empty));
            }
            Event::Undo { of, .. } => return self.undo(*of),
            Event::Resync { .. } => return Some(self.resync()),
            Event::Edit(edit) => self.edit(edit, state),
            _ => unreachable!("a plain history has no {event:?}"),
        }
        None
    }

    fn edit(&mut self, edit: &Edit, state: &State) {
        match edit {
            Edit::Choose(crm_user, chosen) => {
                let Some(mapped) = self.mappings.get_mut(crm_user) else { return };
                if mapped.chosen != *chosen {
                    let who = chosen.clone().map_or(Who::Nobody, Who::Is);
                    if mapped.who != who {
                        mapped.list = None;
                    }
                    (mapped.who, mapped.chosen) = (who, chosen.clone());
                }
            }
            Edit::Map(crm_user, login) => {
                let new = Mapped { login: login.clone(), chosen: None, who: Who::Nobody, list: None };
                self.mappings.entry(crm_user.clone()).or_insert(new);
            }
            Edit::Unmap(crm_user) => _ = self.mappings.remove(crm_user),
            Edit::Remap(crm_user, login) => {
                self.mappings.remove(crm_user);
                self.edit(&Edit::Map(crm_user.clone(), login.clone()), state);
            }
            Edit::TakeOff(login, number) => {
                if let Some((_, list)) = self.lists.get_mut(login) {
                    list.remove(number);
                }
            }
            Edit::Add(login, number) => {
                let taken = self.numbers[number].0 != NumberState::Retired;
                if let Some((_, list)) = self.lists.get_mut(login).filter(|_| taken) {
                    list.insert(*number);
                }
            }
            Edit::Create(login) => {
                let born = state.users[login].born;
                self.lists.entry(login.clone()).or_insert_with(|| (born, BTreeSet::new()));
            }
            Edit::Delete(login) => _ = self.lists.remove(login),
            Edit::Recreate(login) => {
                self.lists.remove(login);
                self.edit(&Edit::Create(login.clone()), state);
            }
            Edit::Number(number, state) => {
                let now = self.numbers[number].0;
                if now != *state && now.may_become(*state) {
                    self.numbers.insert(*number, (*state, None));
                }
            }
            Edit::Label(..) => {}
            _ => unreachable!("a plain history has no {edit:?}"),
        }
    }

    fn append(&mut self, at: usize, rows: &[Row]) -> Rows {
        let (before, mut did, mut counts) = (self.lists.clone(), Did::default(), Rows::default());
        for (login, numbers) in rows {
            let Some((born, list)) = self.lists.get_mut(login) else {
                counts[FAILED] += 1;
                continue;
            };
            let (mut applied, mut good, mut bad) = (0, 0, 0);
            for number in numbers {
                let taken = number.filter(|number| self.numbers[number].0 != NumberState::Retired);
                let Some(number) = taken else {
                    bad += 1;
                    continue;
                };
                good += 1;
                if list.insert(number) {
                    assert!(!before[login].1.contains(&number));
                    applied += 1;
                    let had_none = !before[login].1.iter().any(|number| self.numbers[number].0.is_usable());
                    let deed = Deed { born: *born, had_none, ..Deed::default() };
                    did.users.entry(login.clone()).or_insert(deed).added.insert(number);
                }
            }
            counts[match (bad, good, applied) {
                (0, _, 0) => UNCHANGED,
                (0, ..) => APPLIED,
                (_, 0, _) => FAILED,
                _ => PARTIAL,
            }] += 1;
        }
        self.did.insert(at, did);
        counts
    }

    fn rotate(
        &mut self,
        at: usize,
        pairs: &[(CallerId, Option<CallerId>)],
        only: Option<&[String]>,
        allow_empty: bool,
    ) -> Rows {
        let (mut did, mut counts) = (Did::default(), Rows::default());
        let state = |number: &CallerId| self.numbers[number].0;
        let usable = |number: &CallerId| state(number).is_usable() && pairs.iter().all(|(old, _)| old != number);
        let good = |(old, new): &(CallerId, Option<CallerId>)| {
            state(old) != NumberState::Retired && new.as_ref().is_none_or(usable)
        };
        let (good, bad): (BTreeMap<_, _>, Vec<_>) = {
            let (good, bad): (Vec<_>, Vec<_>) = pairs.iter().copied().partition(good);
            (good.into_iter().collect(), bad)
        };
        let unknown = only.into_iter().flatten().filter(|login| !self.lists.contains_key(*login));
        counts[FAILED] += (bad.len() + unknown.count()) as u64;
        let usable: BTreeSet<CallerId> =
            self.numbers.keys().filter(|number| !good.contains_key(*number)).copied().collect();
        let usable: BTreeSet<CallerId> = usable.into_iter().filter(|number| state(number).is_usable()).collect();
        let (mut held, mut kept) = (BTreeSet::<CallerId>::new(), BTreeSet::<CallerId>::new());
        for (login, (born, list)) in &mut self.lists {
            if only.is_some_and(|only| !only.contains(login)) {
                continue;
            }
            let olds: Vec<CallerId> = list.iter().filter(|number| good.contains_key(number)).copied().collect();
            held.extend(&olds);
            let mut after: BTreeSet<CallerId> = list.iter().filter(|number| !olds.contains(number)).copied().collect();
            let added = olds.iter().filter_map(|old| good[old]).filter(|new| after.insert(*new)).collect();
            if !allow_empty && !olds.is_empty() && after.is_disjoint(&usable) {
                counts[FAILED] += olds.len() as u64;
                kept.extend(olds);
            } else if !olds.is_empty() {
                counts[APPLIED] += olds.len() as u64;
                *list = after;
                let removed = olds.iter().map(|old| (*old, good[old])).collect();
                did.users.insert(login.clone(), Deed { born: *born, added, removed, had_none: false });
            }
        }
        for old in good.keys() {
            counts[UNCHANGED] += u64::from(!held.contains(old));
            if only.is_none() && !kept.contains(old) {
                did.numbers.insert(*old, self.numbers[old].0);
                self.numbers.insert(*old, (NumberState::Retired, Some(at)));
            }
        }
        let changed = did.users.keys().cloned().collect();
        self.did.insert(at, did);
        self.show(&changed);
        counts
    }

    /// CRM users see at once what a rotation, or an undo of one, has changed.
    pub fn show(&mut self, changed: &BTreeSet<String>) {
        for mapped in self.mappings.values_mut() {
            if let Who::Is(login) = &mapped.who
                && changed.contains(login)
            {
                mapped.list = Some(self.lists[login].1.clone());
            }
        }
    }

    fn resync(&mut self) -> Rows {
        let mut counts = Rows::default();
        for mapped in self.mappings.values_mut() {
            let there = |login: &&String| self.lists.contains_key(*login);
            let before = match &mapped.who {
                Who::Is(login) | Who::Was(login) => Some(login),
                Who::Nobody => None,
            };
            let sought = mapped.chosen.as_ref().or(before);
            let found = match &mapped.chosen {
                None => sought.filter(there).or(Some(&mapped.login).filter(there)),
                Some(_) => sought.filter(there),
            };
            let list = found.map(|login| self.lists[login].1.clone());
            let who = found.map_or_else(
                || sought.map_or(Who::Nobody, |login| Who::Was(login.clone())),
                |login| Who::Is(login.clone()),
            );
            let changed = (&who, &list) != (&mapped.who, &mapped.list);
            counts[if changed { APPLIED } else { UNCHANGED }] += 1;
            (mapped.who, mapped.list) = (who, list);
        }
        counts
    }
}

fn lists(state: &State) -> BTreeMap<String, List> {
    let list = |person: &Person| (person.born, person.user.caller_ids.iter().copied().collect());
    state.users.iter().map(|(login, person)| (login.clone(), list(person))).collect()
}

fn numbers(state: &State) -> BTreeMap<CallerId, NumberState> {
    state.numbers.values().map(|item| (item.number, item.facts.state)).collect()
}

fn mappings(state: &State) -> BTreeMap<CrmUserId, Mapped> {
    let mapped = |mapping: &Mapping| Mapped {
        login: mapping.given.login.as_ref().expect("a login ID").to_string(),
        chosen: mapping.given.phone_user.as_ref().map(|id| id.as_str().to_owned()),
        who: match &mapping.state {
            MappingState::Unmapped => Who::Nobody,
            MappingState::Mapped { phone_user } => Who::Is(phone_user.as_str().to_owned()),
            MappingState::Orphaned { phone_user } => Who::Was(phone_user.as_str().to_owned()),
            MappingState::Ambiguous { .. } => unreachable!("login IDs are unique"),
        },
        list: mapping.permission.as_ref().map(|permission| permission.caller_ids.iter().copied().collect()),
    };
    state.mappings.values().map(|(mapping, _)| (mapping.crm_user.clone(), mapped(mapping))).collect()
}
