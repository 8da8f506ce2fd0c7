//! Files that take many invocations: a job that stops at its deadline and goes on by an event of its own ends as it would have ended in one.
//! `ROLLCALL_CHAIN_USERS` says how many users the files are about.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use jiff::SignedDuration;
use rollcall_bulk::{
    job::{Delivery, Job, JobState},
    upload::{InboxEvent, InboxKey, UploadOptions},
};
use rollcall_engine::{
    DeliveryOutcome, Engine, Limits, Operation,
    kinds::{Append, Rotate, UploadUsers},
};
use rollcall_model::{
    caller_id::CallerId,
    inventory::{InventoryNumber, NumberFacts},
    jobs::{JobId, JobKind, ObjectVersion},
};
use simulation::{ACCOUNT, Edit, Memory, State};
use tokio::time::Instant;

/// Users in the usual run: some groups.
const USERS: usize = 12_000;
/// Of an invocation in which every job ends. A moment of a simulated request takes a millisecond.
const LONG: SignedDuration = SignedDuration::from_hours(1_000);
/// After how many deliveries an event goes to the dead-letter queue: fewer than there are invocations.
const DELIVERIES: u32 = 2;

fn users() -> usize {
    std::env::var("ROLLCALL_CHAIN_USERS").ok().map_or(USERS, |users| users.parse().expect("a number of users"))
}

fn number(at: usize) -> CallerId {
    format!("+9198765000{at:02}").parse().expect("a number")
}

/// Everybody has the first of ten numbers.
fn beginning() -> State {
    let mut state = State::default();
    for at in 0..10 {
        let item = InventoryNumber::new(number(at), NumberFacts::default(), state.time());
        state.numbers.insert(item.number, item);
    }
    for at in 0..users() {
        let login = format!("user{at}");
        state.edit(&Edit::Create(login.clone()));
        state.users.get_mut(&login).expect("it was created").user.caller_ids = vec![number(0)];
    }
    // Of interest is what comes of it, and not what happened.
    state.log.clear();
    state
}

/// A job at the end of its invocations.
struct Ended {
    job: Job,
    /// How long they took together.
    took: SignedDuration,
    memory: Arc<Memory>,
}

impl Ended {
    /// The rows of a result file, in order.
    fn rows(&self, key: &str) -> Vec<Bytes> {
        let state = self.memory.state();
        let file = state.object(key).cloned().unwrap_or_default();
        let mut rows: Vec<Bytes> = file.split(|byte| *byte == b'\n').map(Bytes::copy_from_slice).collect();
        rows.sort_unstable();
        rows
    }
}

/// Works on one file, in invocations of this time.
async fn run<O: Operation>(operation: &O, kind: JobKind, file: String, time: SignedDuration) -> Ended {
    let memory = Memory::new(beginning(), 1);
    let limits = Limits { file_bytes: 1 << 40, rows: 1 << 40, mails_a_day: 1 };
    let engine = Engine { world: memory.world(), country: "IN".parse().expect("a country"), limits };
    let key = format!("inbox/{ACCOUNT}/{}/long.csv", kind.as_str());
    let source = memory.state().put(&key, file.into(), UploadOptions::default());
    let Ok(InboxEvent::Dropped(upload)) = InboxEvent::from_key(&key) else { panic!("{key} is no upload") };
    let start = Instant::now();
    let mut events = vec![(InboxEvent::Dropped(upload.clone()), 1)];
    loop {
        let (event, number) = events.pop().expect("somebody has the job go on");
        match deliver(&memory, &engine, operation, (&upload, &source), (&event, number, time)).await {
            DeliveryOutcome::Ended => break,
            DeliveryOutcome::Paused(key) => {
                // The file's own event comes once more: its function had died before it was done with.
                if event.continues() > 0 {
                    let old = InboxEvent::Dropped(upload.clone());
                    let again = deliver(&memory, &engine, operation, (&upload, &source), (&old, 2, time)).await;
                    assert_eq!(again, DeliveryOutcome::Ended, "an event of before has nothing left to do");
                }
                events.push((InboxEvent::from_key(&key).expect("an event"), 1));
            }
            DeliveryOutcome::Stuck => events.push((event, number + 1)),
            other => panic!("{other:?}: {:#?}", memory.state().jobs),
        }
    }
    let job = memory.state().jobs[&JobId::of(&source)].clone();
    let took = SignedDuration::try_from(start.elapsed()).expect("some hours");
    Ended { job, took, memory }
}

/// Delivers one event, and lets a millisecond pass in each moment.
async fn deliver<O: Operation>(
    memory: &Arc<Memory>,
    engine: &Engine,
    operation: &O,
    (upload, source): (&InboxKey, &ObjectVersion),
    (event, number, time): (&InboxEvent, u32, SignedDuration),
) -> DeliveryOutcome {
    let at = memory.state().time();
    let invocation = format!("invocation-{}-{number}", event.continues());
    let delivery =
        Delivery { invocation, at, deadline: at + time, continues: event.continues(), number, of: DELIVERIES };
    let attempt = async {
        match event {
            InboxEvent::Continue { account, kind, job, .. } => {
                engine.go_on(operation, account, (*kind, job), &delivery).await
            }
            _ => engine.run(operation, upload, source, &delivery).await,
        }
    };
    let mut attempt = pin!(attempt);
    loop {
        if let Poll::Ready(outcome) = attempt.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return outcome.expect("the attempt ends by itself");
        }
        tokio::time::advance(Duration::from_millis(1)).await;
    }
}

/// What comes of a file is the same, however many invocations it takes.
async fn ends_alike<O: Operation>(operation: &O, kind: JobKind, file: &str) {
    let whole = run(operation, kind, file.to_owned(), LONG).await;
    // Each reads anew, and keeps a part of its time for putting things away.
    let chained = run(operation, kind, file.to_owned(), whole.took / 2).await;
    let (one, many) = (&whole.job, &chained.job);
    println!(
        "{}: {} invocations, {:.0} s and {:.0} s",
        kind.as_str(),
        many.attempts,
        whole.took.as_secs_f64(),
        chained.took.as_secs_f64()
    );
    assert_eq!((one.state, one.attempts), (JobState::Finished, 1), "{one:?}");
    assert!(many.attempts > DELIVERIES, "more invocations than an event has deliveries: {many:?}");
    assert_eq!((many.state, many.counts), (one.state, one.counts), "{many:?}");
    let of = |job: &Job| (job.progress.users_changed, job.progress.numbers_added, job.progress.numbers_removed);
    assert_eq!(of(many), of(one));
    for key in [one.keys().results(), one.keys().failed()] {
        let rows = whole.rows(&key);
        assert!(key.ends_with("failed.csv") || rows.len() > users(), "{key} has {} rows", rows.len());
        let again = chained.rows(&key);
        let differs = rows.iter().zip(&again).find(|(one, many)| one != many);
        assert!(differs.is_none() && rows.len() == again.len(), "{key} differs: {differs:?}");
    }
    let [ours, theirs] = [&whole, &chained].map(|ended| {
        let state = ended.memory.state();
        state.users.iter().map(|(login, person)| (login.clone(), person.user.caller_ids.clone())).collect::<Vec<_>>()
    });
    assert!(ours == theirs, "the lists differ");
}

#[tokio::test(start_paused = true)]
async fn a_long_append_ends_alike_in_one_invocation_and_in_many() {
    let rows = (0..users()).map(|user| {
        // One in fifty is unknown, and one in seventy asks for a number that can't be read.
        let login = if user % 50 == 7 { format!("nobody{user}") } else { format!("user{user}") };
        let second = if user % 70 == 3 { "junk".to_owned() } else { number(user % 5 + 3).to_string() };
        format!("{login},{}\n{login},{second}\n", number(user % 3))
    });
    let file = format!("Login ID,Allowed Caller ID\n{}", rows.collect::<String>());
    ends_alike(&Append, JobKind::AppendCallerIds, &file).await;
}

#[tokio::test(start_paused = true)]
async fn a_long_upload_of_users_ends_alike_in_one_invocation_and_in_many() {
    let rows = (0..users()).map(|user| {
        // Every other one is new, and one in forty has an address that is none.
        let login = if user % 2 == 0 { format!("new{user}") } else { format!("user{user}") };
        let email = if user % 40 == 8 { "nowhere" } else { "" };
        format!("{login},The {user},{email}\n")
    });
    let file = format!("Login ID,Name,Email\n{}", rows.collect::<String>());
    ends_alike(&UploadUsers, JobKind::UploadUsers, &file).await;
}

#[tokio::test(start_paused = true)]
async fn a_long_rotation_ends_alike_in_one_invocation_and_in_many() {
    let file = format!("Old Caller ID,New Caller ID\n{},{}\n", number(0), number(9));
    ends_alike(&Rotate, JobKind::RotateCallerIds, &file).await;
}
