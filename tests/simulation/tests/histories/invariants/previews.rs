//! What previews say, and what comes of their executions.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_bulk::{
    job::{Job, Stage},
    undo::{Effect, UndoChange, UndoPlan, UserEffect},
    upload::ResultKeys,
};
use rollcall_model::{caller_id::CallerId, inventory::InventoryNumber, jobs::JobKind, user::User};
use serde_json::Value;
use simulation::{By, State, What};

use super::Round;
use crate::seen::{effects_of, plans_of};

/// What is done to one user.
#[derive(Debug, Default, PartialEq)]
struct Deed {
    added: BTreeSet<CallerId>,
    removed: BTreeSet<CallerId>,
    /// What becomes of the user beside the list: which fields, to what.
    user: Option<(&'static str, BTreeMap<&'static str, String>)>,
}

/// Where something else has come of an executed job than its preview had said, it says so.
pub fn executions_are_held_against_previews(round: &Round<'_>) {
    // One that was given up before an undo of it has ended says so, and not what it would have done.
    let whole = round.finished().filter(|job| job.stage == Stage::Executed && job.failure.is_none());
    for job in whole {
        let Some(previewed) = job.previewed.filter(|previewed| previewed.differs == 0) else { continue };
        let (said, mut done) = (deeds(round.now, job, Stage::Preview), deeds(round.now, job, Stage::Executed));
        // What came onto a list, and was taken off by others before a later attempt looked, was done all the same.
        let by = By::Job(job.id.clone());
        for entry in round.past.iter().chain(round.log).filter(|entry| entry.by == by) {
            let What::User { login, after: Some(after), .. } = &entry.what else { continue };
            let (Some(said), Some(done)) = (said.get(login), done.get_mut(login)) else { continue };
            let came = after.user.caller_ids.iter().filter(|number| said.added.contains(number));
            done.added.extend(came);
        }
        // What another job was putting on a list when this one reserved the number goes with the rest. That job takes it off itself where it is
        // left, and tells of it: nobody could have been shown it.
        for entry in round.log.iter().filter(|entry| matches!(entry.by, By::Job(_)) && entry.by != by) {
            let What::User { login, before, after: Some(after) } = &entry.what else { continue };
            let (Some(said), Some(done)) = (said.get(login), done.get_mut(login)) else { continue };
            let had = |number| before.iter().any(|person| person.user.caller_ids.contains(number));
            let came = after.user.caller_ids.iter().filter(|number| !had(number) && !said.removed.contains(number));
            came.for_each(|number| _ = done.removed.remove(number));
        }
        assert_eq!(said, done, "it was previewed otherwise: {job:?}");
        assert_eq!(previewed.counts, job.counts, "it was previewed otherwise: {job:?}");
    }
}

/// What a job does to users by the plans of a stage.
fn deeds(world: &State, job: &Job, stage: Stage) -> BTreeMap<String, Deed> {
    let keys = ResultKeys::of(&job.upload.account, &job.id, stage);
    let deeds: Vec<(String, Deed)> = if job.upload.kind == JobKind::Undo {
        plans_of(world, &keys).into_iter().map(taken_back).collect()
    } else {
        effects_of(world, job.upload.kind, &keys).into_iter().map(done).collect()
    };
    // A row can't be read whose number is out of service, and says so, whatever an earlier attempt had planned or done.
    let told = |number: &CallerId| world.numbers.get(number).is_some_and(InventoryNumber::is_assignable);
    let deeds = deeds.into_iter().map(|(login, deed)| {
        let added = deed.added.into_iter().filter(told).collect();
        (login, Deed { added, ..deed })
    });
    deeds.filter(|(_, deed)| *deed != Deed::default()).collect()
}

fn done(effect: Effect) -> (String, Deed) {
    let user = match &effect.user {
        UserEffect::None => None,
        UserEffect::Created(user) => Some(("created", fields(None, user))),
        UserEffect::Changed(users) => Some(("changed", fields(Some(&users[0]), &users[1]))),
    };
    let removed = effect.removed.into_iter().map(|(old, _)| old).collect();
    (effect.login, Deed { added: effect.added.into_iter().collect(), removed, user })
}

fn taken_back(plan: Value) -> (String, Deed) {
    let plan: UndoPlan = serde_json::from_value(plan).expect("a plan");
    let user = match &plan.change {
        UndoChange::None => None,
        UndoChange::Delete(_) => Some(("deleted", BTreeMap::new())),
        UndoChange::Restore(users) => Some(("restored", fields(Some(&users[0]), &users[1]))),
    };
    let retracted: BTreeSet<CallerId> = plan.retracted.into_iter().collect();
    let added = plan.put_back.into_iter().filter(|number| !retracted.contains(number)).collect();
    (plan.login, Deed { added, removed: plan.take_off.into_iter().collect(), user })
}

/// The fields that a change sets, and to what.
fn fields(before: Option<&User>, after: &User) -> BTreeMap<&'static str, String> {
    let told = |user: &User| {
        [
            ("profile name", user.profile.name.as_str().to_owned()),
            ("email", format!("{:?}", user.profile.email.as_ref().map(|email| email.as_str().to_owned()))),
            ("web login", format!("{:?}", user.web_login)),
        ]
    };
    let before = before.map(told);
    let changed = |(at, field): (usize, (&'static str, String))| {
        before.as_ref().is_none_or(|before| before[at] != field).then_some(field)
    };
    told(after).into_iter().enumerate().filter_map(changed).collect()
}
