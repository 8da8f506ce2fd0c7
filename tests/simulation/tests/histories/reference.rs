//! What must come of a history, said as plainly as it can be: one thing after another, nobody dies, nothing comes twice.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_bulk::{
    append::AppendPlan,
    job::{Job, JobState},
    rotation::RotationPlan,
    undo::Effect,
    user_upload::UserPlan,
};
use rollcall_model::{
    caller_id::CallerId,
    inventory::{InventoryNumber, NumberState},
    jobs::JobKind,
    mapping::{CrmUserId, Mapping, MappingState},
};
use serde_json::Value;
use simulation::{Edit, State};

use crate::history::{Event, Row, file_name};

#[derive(Default)]
pub struct Reference {
    pub lists: BTreeMap<String, BTreeSet<CallerId>>,
    /// The state of each number, and how often it has been written.
    pub numbers: BTreeMap<CallerId, (NumberState, u64)>,
    pub mappings: BTreeMap<CrmUserId, Mapped>,
    /// What jobs did that can be undone, by their places in the history.
    pub did: BTreeMap<usize, Did>,
}

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
    pub added: BTreeMap<String, Vec<CallerId>>,
    pub removed: BTreeMap<String, Vec<(CallerId, Option<CallerId>)>>,
    /// Numbers as they were before.
    pub numbers: Vec<(CallerId, NumberState, u64)>,
}

/// Rows by what came of them: applied, partial, unchanged, failed.
pub type Rows = [u64; 4];
const APPLIED: usize = 0;
const PARTIAL: usize = 1;
const UNCHANGED: usize = 2;
const FAILED: usize = 3;

impl Reference {
    /// What is so at the beginning.
    pub fn of(state: &State) -> Self {
        let mut reference = Self::default();
        reference.read(state);
        reference
    }

    fn read(&mut self, state: &State) {
        self.lists = lists(state);
        self.numbers = numbers(state);
        self.mappings = mappings(state);
    }

    /// What has come of an event that happened alone is what must come of it.
    pub fn check(&mut self, at: usize, event: &Event, state: &State) {
        let rows = self.apply(at, event);
        let finished = job(state, at).filter(|job| job.state == JobState::Finished).map(|job| job.counts);
        let finished = finished.map(|counts| [counts.applied, counts.partial, counts.unchanged, counts.failed]);
        assert_eq!(finished, rows, "the rows of {at}");
        assert_eq!(lists(state), self.lists, "lists after {at}");
        assert_eq!(numbers(state), self.numbers, "numbers after {at}");
        assert_eq!(mappings(state), self.mappings, "mappings after {at}");
    }

    /// Goes on from what has come of things that happened at once.
    pub fn adopt(&mut self, state: &State, events: &[(usize, Event)]) {
        self.read(state);
        for (at, _) in events {
            let Some(job) = job(state, *at).filter(|job| job.upload.kind.has_undo()) else { continue };
            let mut did = Did::default();
            for effect in effects(state, job) {
                did.added.insert(effect.login.clone(), effect.added);
                did.removed.insert(effect.login, effect.removed);
            }
            did.numbers = numbers_before(state, job);
            self.did.insert(*at, did);
        }
        self.did.retain(|at, _| job(state, *at).is_none_or(|job| job.state != JobState::Undone));
    }

    /// What comes of an event; `None` for a job that refuses, and for what is no job.
    pub fn apply(&mut self, at: usize, event: &Event) -> Option<Rows> {
        match event {
            Event::Append { rows, .. } => return Some(self.append(at, rows)),
            Event::Rotate { pairs, allow_empty, .. } => return Some(self.rotate(at, pairs, *allow_empty)),
            Event::Undo { of, .. } => return self.did.remove(of).map(|did| self.undo(&did)),
            Event::Resync { .. } => return Some(self.resync()),
            Event::Edit(edit) => self.edit(edit),
            _ => unreachable!("a plain history has no {event:?}"),
        }
        None
    }

    fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Choose(crm_user, chosen) => {
                let mapped = self.mappings.get_mut(crm_user).expect("a mapping");
                if mapped.chosen != *chosen {
                    let who = chosen.clone().map_or(Who::Nobody, Who::Is);
                    if mapped.who != who {
                        mapped.list = None;
                    }
                    (mapped.who, mapped.chosen) = (who, chosen.clone());
                }
            }
            Edit::TakeOff(login, number) => {
                if let Some(list) = self.lists.get_mut(login) {
                    list.remove(number);
                }
            }
            Edit::Create(login) => _ = self.lists.entry(login.clone()).or_default(),
            Edit::Delete(login) => _ = self.lists.remove(login),
            Edit::Number(number, state) => {
                let (now, writes) = self.numbers[number];
                if now != *state && now.may_become(*state) {
                    self.numbers.insert(*number, (*state, writes + 1));
                }
            }
            Edit::Rename(..) | Edit::Person(_) | Edit::Gone(_) => unreachable!("a plain history has no {edit:?}"),
        }
    }

    fn append(&mut self, at: usize, rows: &[Row]) -> Rows {
        let (before, mut did, mut counts) = (self.lists.clone(), Did::default(), Rows::default());
        for (login, numbers) in rows {
            let Some(list) = self.lists.get_mut(login) else {
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
                    assert!(!before[login].contains(&number));
                    applied += 1;
                    did.added.entry(login.clone()).or_default().push(number);
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

    fn rotate(&mut self, at: usize, pairs: &[(CallerId, Option<CallerId>)], allow_empty: bool) -> Rows {
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
        counts[FAILED] += bad.len() as u64;
        let usable: BTreeSet<CallerId> =
            self.numbers.keys().filter(|number| !good.contains_key(*number)).copied().collect();
        let usable: BTreeSet<CallerId> = usable.into_iter().filter(|number| state(number).is_usable()).collect();
        let (mut held, mut kept) = (BTreeSet::<CallerId>::new(), BTreeSet::<CallerId>::new());
        for (login, list) in &mut self.lists {
            let olds: Vec<CallerId> = list.iter().filter(|number| good.contains_key(number)).copied().collect();
            held.extend(&olds);
            let mut after: BTreeSet<CallerId> = list.iter().filter(|number| !olds.contains(number)).copied().collect();
            let mut added = Vec::new();
            for new in olds.iter().filter_map(|old| good[old]) {
                if after.insert(new) {
                    added.push(new);
                }
            }
            if !allow_empty && !olds.is_empty() && after.is_disjoint(&usable) {
                counts[FAILED] += olds.len() as u64;
                kept.extend(olds);
            } else if !olds.is_empty() {
                counts[APPLIED] += olds.len() as u64;
                *list = after;
                did.added.insert(login.clone(), added);
                did.removed.insert(login.clone(), olds.iter().map(|old| (*old, good[old])).collect());
            }
        }
        for old in good.keys() {
            counts[UNCHANGED] += u64::from(!held.contains(old));
            let (state, writes) = self.numbers[old];
            did.numbers.push((*old, state, writes));
            let after = if kept.contains(old) { state } else { NumberState::Retired };
            // A mark, and its end.
            self.numbers.insert(*old, (after, writes + 2));
        }
        self.did.insert(at, did);
        counts
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
            let list = found.map(|login| self.lists[login].clone());
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

    fn undo(&mut self, did: &Did) -> Rows {
        let mut counts = Rows::default();
        for &(number, before, writes) in &did.numbers {
            let now = self.numbers[&number];
            if now.1 != writes + 2 {
                counts[UNCHANGED] += 1;
            } else if now.0 != before {
                counts[APPLIED] += 1;
                self.numbers.insert(number, (before, now.1 + 1));
            }
        }
        let none = Vec::new();
        let logins: BTreeSet<&String> = did.added.keys().chain(did.removed.keys()).collect();
        for login in logins {
            let (added, removed) = (did.added.get(login).unwrap_or(&none), did.removed.get(login));
            let removed = removed.map(Vec::as_slice).unwrap_or_default();
            let Some(list) = self.lists.get_mut(login) else {
                counts[UNCHANGED] += (added.len() + removed.len()) as u64;
                continue;
            };
            let gone: BTreeSet<CallerId> = added.iter().filter(|number| list.remove(number)).copied().collect();
            counts[APPLIED] += gone.len() as u64;
            counts[UNCHANGED] += (added.len() - gone.len()) as u64;
            for (old, new) in removed {
                let mine = new.filter(|new| added.contains(new));
                let retired = self.numbers[old].0 == NumberState::Retired;
                let back = mine.is_none_or(|new| gone.contains(&new)) && !retired && list.insert(*old);
                counts[if back { APPLIED } else { UNCHANGED }] += 1;
            }
        }
        counts
    }
}

fn lists(state: &State) -> BTreeMap<String, BTreeSet<CallerId>> {
    let lists = state.users.iter();
    lists.map(|(login, person)| (login.clone(), person.user.caller_ids.iter().copied().collect())).collect()
}

fn numbers(state: &State) -> BTreeMap<CallerId, (NumberState, u64)> {
    state.numbers.values().map(|item| (item.number, (item.facts.state, item.version))).collect()
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

/// The job at a place of the history.
pub fn job(state: &State, at: usize) -> Option<&Job> {
    let stem = file_name(at).replace('x', "");
    state.jobs.values().find(|job| job.upload.name.starts_with(&stem))
}

/// What a job has logged that it does, plan by plan.
pub fn plans(state: &State, job: &Job) -> Vec<Value> {
    let groups = (0..).map_while(|number| state.object(&job.keys().changes(number)));
    let groups = groups.map(|bytes| serde_json::from_slice::<Value>(bytes).expect("a group of plans"));
    groups.flat_map(|mut group| group["plans"].take().as_array().expect("plans").clone()).collect()
}

/// What it has done to users.
pub fn effects(state: &State, job: &Job) -> Vec<Effect> {
    let effect = |plan| match job.upload.kind {
        JobKind::AppendCallerIds => Some(serde_json::from_value::<AppendPlan>(plan).expect("a plan").into()),
        JobKind::RotateCallerIds => Some(serde_json::from_value::<RotationPlan>(plan).expect("a plan").into()),
        JobKind::UploadUsers => Some(serde_json::from_value::<UserPlan>(plan).expect("a plan").into()),
        _ => None,
    };
    plans(state, job).into_iter().filter_map(effect).filter(Effect::is_any).collect()
}

fn numbers_before(state: &State, job: &Job) -> Vec<(CallerId, NumberState, u64)> {
    let Some(bytes) = state.object(&job.keys().numbers()) else { return Vec::new() };
    let before: Vec<InventoryNumber> = serde_json::from_slice(bytes).expect("numbers");
    before.into_iter().map(|item| (item.number, item.facts.state, item.version)).collect()
}
