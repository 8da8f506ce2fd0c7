//! What was seen of jobs: what they have kept of what they do, and what the log tells.

use rollcall_bulk::{
    append::AppendPlan, job::Job, rotation::RotationPlan, undo::Effect, upload::ResultKeys, user_upload::UserPlan,
};
use rollcall_model::jobs::JobKind;
use serde_json::Value;
use simulation::{By, Entry, State, What};

use crate::reference::Did;

/// The job at a place of the history.
pub fn job(state: &State, at: usize) -> Option<&Job> {
    state.dropped.get(&at).and_then(|id| state.jobs.get(id))
}

/// What a job has logged that it does, plan by plan.
pub fn plans(state: &State, job: &Job) -> Vec<Value> {
    plans_of(state, &job.keys())
}

/// The same of one of its stages.
pub fn plans_of(state: &State, keys: &ResultKeys) -> Vec<Value> {
    let groups = (0..).map_while(|number| state.object(&keys.changes(number)));
    let groups = groups.map(|bytes| serde_json::from_slice::<Value>(bytes).expect("a group of plans"));
    groups.flat_map(|mut group| group["plans"].take().as_array().expect("plans").clone()).collect()
}

/// Whether a user had nothing to dial from when a job decided, also where nothing is left of what it did.
pub fn had_none(state: &State, job: &Job, login: &str) -> bool {
    decided(state, job.upload.kind, &job.keys()).any(|effect| effect.login == login && effect.had_none)
}

/// What it has done to users.
pub fn effects(state: &State, job: &Job) -> Vec<Effect> {
    effects_of(state, job.upload.kind, &job.keys())
}

/// The same of one of its stages.
pub fn effects_of(state: &State, kind: JobKind, keys: &ResultKeys) -> Vec<Effect> {
    decided(state, kind, keys).filter(Effect::is_any).collect()
}

fn decided(state: &State, kind: JobKind, keys: &ResultKeys) -> impl Iterator<Item = Effect> {
    let effect = move |plan| match kind {
        JobKind::AppendCallerIds => Some(serde_json::from_value::<AppendPlan>(plan).expect("a plan").into()),
        JobKind::RotateCallerIds => Some(serde_json::from_value::<RotationPlan>(plan).expect("a plan").into()),
        JobKind::UploadUsers => Some(serde_json::from_value::<UserPlan>(plan).expect("a plan").into()),
        _ => None,
    };
    plans_of(state, keys).into_iter().filter_map(effect)
}

/// What a job did that happened at once with others, by what it has logged and what was seen of it.
pub fn did(state: &State, job: &Job, log: &[Entry]) -> Did {
    let mut did = Did::default();
    for effect in effects(state, job) {
        let deed = did.users.entry(effect.login.clone()).or_default();
        deed.added.extend(effect.added);
        deed.removed.extend(effect.removed);
        deed.had_none |= effect.had_none;
        // Where somebody else was faster to do the same, the log knows that one as the writer.
        let person = state.users.get(&effect.login).filter(|person| effect.created == person.user.created);
        deed.born = person.map_or(deed.born, |person| person.born);
    }
    let mine = |entry: &Entry| entry.by == By::Job(job.id.clone());
    let last_attempt = log.iter().rposition(|entry| mine(entry) && matches!(entry.what, What::TookUp(_)));
    for (at, entry) in log.iter().enumerate() {
        match &entry.what {
            // Decided about by somebody else before the last attempt looked: it is left then, and the rotation says so.
            What::Number { before: Some(before), after }
                if !mine(entry)
                    && before.facts.state != after.facts.state
                    && last_attempt.is_some_and(|last| at < last) =>
            {
                did.numbers.remove(&after.number);
            }
            _ if !mine(entry) => {}
            What::User { login, after: Some(person), .. } => {
                did.users.entry(login.clone()).and_modify(|deed| deed.born = person.born);
            }
            What::Number { before: Some(before), after } if before.facts.state != after.facts.state => {
                did.numbers.insert(after.number, before.facts.state);
            }
            _ => {}
        }
    }
    did
}
