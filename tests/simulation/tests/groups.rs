//! Users with long lists are dealt with in groups that follow from what was read of them: they are the same in each attempt, wherever one
//! dies.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use jiff::SignedDuration;
use rollcall_bulk::{
    job::{Delivery, Job, JobState},
    undo::UndoRequest,
    upload::{InboxEvent, InboxKey, UploadOptions},
};
use rollcall_engine::{
    Engine, Limits, Operation,
    kinds::{Rotate, Undo},
};
use rollcall_model::{
    caller_id::CallerId,
    inventory::{InventoryNumber, NumberFacts},
    jobs::{JobId, JobKind, ObjectVersion},
};
use simulation::{ACCOUNT, Edit, Memory, State};

/// Users with so many numbers each: several groups.
const USERS: usize = 215;
const LIST: usize = 2_450;
/// Of all the moments at which an attempt can die, so many are tried, evenly.
const DEATHS: usize = 3;

fn number(at: usize) -> CallerId {
    format!("+9198765{at:05}").parse().expect("a number")
}

fn beginning() -> State {
    let mut state = State::default();
    for at in 0..=LIST {
        let item = InventoryNumber::new(number(at), NumberFacts::default(), state.time());
        state.numbers.insert(item.number, item);
    }
    let list: Vec<CallerId> = (0..LIST).map(number).collect();
    for at in 0..USERS {
        let login = format!("user{at}");
        state.edit(&Edit::Create(login.clone()));
        state.users.get_mut(&login).expect("it was created").user.caller_ids.clone_from(&list);
    }
    state
}

fn engine(memory: &Arc<Memory>) -> Engine {
    let limits = Limits { file_bytes: 1 << 20, rows: 10, mails_a_day: 1 };
    Engine { world: memory.world(), country: "IN".parse().expect("a country"), limits }
}

fn drop_file(memory: &Arc<Memory>, kind: JobKind, name: &str, file: Vec<u8>) -> (InboxKey, ObjectVersion) {
    let key = format!("inbox/{ACCOUNT}/{}/{name}", kind.as_str());
    let source = memory.state().put(&key, file.into(), UploadOptions::default());
    let Ok(InboxEvent::Dropped(upload)) = InboxEvent::from_key(&key) else { panic!("{key} is no upload") };
    (upload, source)
}

/// Delivers a file until its job ends; the first attempt dies after so many steps. Gives the job, and the steps of the last attempt.
async fn run<O: Operation>(
    memory: &Arc<Memory>,
    operation: &O,
    (upload, source): &(InboxKey, ObjectVersion),
    dies: Option<usize>,
) -> (Job, usize) {
    let engine = engine(memory);
    for number in 1.. {
        let at = memory.state().time();
        let invocation = format!("invocation-{number}");
        let deadline = at + SignedDuration::from_mins(15);
        let delivery = Delivery { invocation, at, deadline, continues: 0, number, of: 10 };
        let mut attempt = pin!(engine.run(operation, upload, source, &delivery));
        let mut steps = 0;
        let ended = loop {
            if number == 1 && dies == Some(steps) {
                break false;
            }
            steps += 1;
            if let Poll::Ready(outcome) = attempt.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                outcome.expect("the attempt ends");
                break true;
            }
            // Whoever waits for a moment gets it.
            tokio::time::advance(Duration::from_millis(1)).await;
        };
        if ended {
            let job = memory.state().jobs[&JobId::of(source)].clone();
            return (job, steps);
        }
        // The lease of whoever has died runs out.
        memory.state().now += 3_600;
    }
    unreachable!("deliveries end");
}

fn groups(state: &State, job: &Job) -> usize {
    (0..).map_while(|group| state.object(&job.keys().changes(group))).count()
}

#[tokio::test(start_paused = true)]
async fn groups_are_the_same_in_each_attempt_wherever_one_dies() {
    let prepared = || {
        let memory = Memory::new(beginning(), 1);
        let file = format!("old,new\n{},{}\n", number(0), number(LIST)).into_bytes();
        let dropped = drop_file(&memory, JobKind::RotateCallerIds, "rotation.csv", file);
        (memory, dropped)
    };
    let (memory, dropped) = prepared();
    let (rotation, steps) = run(&memory, &Rotate, &dropped, None).await;
    let expected = groups(&memory.state(), &rotation);
    assert!(expected > 1, "{expected} groups");
    let file = UndoRequest { job: rotation.id.clone(), preview: false, allow_empty: false }.to_json();
    let rotated = memory.state().clone();
    let undo = drop_file(&memory, JobKind::Undo, "undo.json", file.clone());
    let (undone, undo_steps) = run(&memory, &Undo, &undo, None).await;
    let expected_of_undo = groups(&memory.state(), &undone);
    assert!(expected_of_undo > 1, "{expected_of_undo} groups");

    for death in 1..=DEATHS {
        let (memory, dropped) = prepared();
        let (job, _) = run(&memory, &Rotate, &dropped, Some(steps * death / (DEATHS + 1))).await;
        assert_eq!((job.state, job.attempts), (JobState::Finished, 2), "{death}: {job:?}");
        assert_eq!((job.counts.applied, job.counts.rows()), (USERS as u64, USERS as u64), "{death}");
        assert_eq!(groups(&memory.state(), &job), expected, "{death}");

        let memory = Memory::new(rotated.clone(), 1);
        let undo = drop_file(&memory, JobKind::Undo, "undo.json", file.clone());
        let (job, _) = run(&memory, &Undo, &undo, Some(undo_steps * death / (DEATHS + 1))).await;
        assert_eq!((job.state, job.attempts), (JobState::Finished, 2), "{death}: {job:?}");
        assert_eq!((job.counts.applied, job.counts.rows()), (undone.counts.rows(), undone.counts.rows()), "{death}");
        assert_eq!(groups(&memory.state(), &job), expected_of_undo, "{death}");
    }
}
