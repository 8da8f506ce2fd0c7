//! Who goes on next: everything of a round, each event once or more often, in some order of requests. Whoever works may crash at any
//! of them, and is stopped at its deadline.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use jiff::SignedDuration;
use rollcall_bulk::{
    job::{Delivery, Failure, Job},
    upload::{InboxEvent, UploadOptions},
};
use rollcall_engine::{
    DeliveryOutcome, Engine, Limits, Round, StorageError, decide, execute,
    kinds::{
        Append, BringUsers, Push, Resync, Rotate, Undo, UploadNumbers, UploadUsers, scheduled_rests, scheduled_resyncs,
        scheduled_syncs,
    },
};
use rollcall_model::{
    audit::Actor,
    jobs::{Decision, JobId, JobKind, ObjectVersion},
};
use simulation::{By, Edit, Faults, Memory, Systems};
use tokio::time::Instant;

use crate::history::{Event, file};

/// What goes wrong in a round.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trouble {
    /// How many crashes there are. Each comes within some steps of the one before.
    pub crashes: u32,
    /// Of a hundred events, how many come twice.
    pub duplicates: u32,
    /// How often requests fail.
    pub faults: Faults,
    /// What comes late comes later by the hour, and not by the minute.
    pub slow: bool,
    /// Whoever works on the first file that is dropped dies over it, each time, and nobody sends its event back.
    pub doomed: bool,
}

/// After how many deliveries an event goes to the dead-letter queue. Somebody sends it back.
const DELIVERIES: u32 = 4;
/// How many steps there are from crash to crash, about.
const STEPS_TO_A_CRASH: u32 = 60;
/// The same in a slow round, where little else happens at the time.
const STEPS_IF_SLOW: u32 = 25;
/// Seconds within which what happens at once begins, and what failed comes again; and the same where the round is slow.
const SOON: i64 = 40;
const LATE: i64 = 4_000;

/// The engine on a world in memory, and the kinds of job.
pub struct Functions {
    memory: Arc<Memory>,
    engine: Engine,
    resync: Resync,
    push: Push,
    import: BringUsers,
}

impl Functions {
    pub fn new(memory: Arc<Memory>, rows: u64) -> Self {
        let engine = Engine {
            world: memory.world(),
            country: "IN".parse().expect("a country"),
            limits: Limits { file_bytes: 1 << 20, rows, mails_a_day: 1 << 30 },
        };
        let resync = Resync { systems: Arc::new(Systems(memory.clone())) };
        let push = Push { systems: Arc::new(Systems(memory.clone())) };
        let import = BringUsers { directories: Arc::new(Systems(memory.clone())) };
        Self { memory, engine, resync, push, import }
    }

    async fn deliver(&self, source: &ObjectVersion, delivery: &Delivery) -> Result<DeliveryOutcome, StorageError> {
        let engine = &self.engine;
        match InboxEvent::from_key(&source.key).expect("a key of the inbox") {
            InboxEvent::Dropped(upload) => match upload.kind {
                JobKind::AppendCallerIds => engine.run(&Append, &upload, source, delivery).await,
                JobKind::UploadUsers => engine.run(&UploadUsers, &upload, source, delivery).await,
                JobKind::DirectoryImport => engine.run(&self.import, &upload, source, delivery).await,
                JobKind::MappingResync | JobKind::PhoneSnapshot => {
                    engine.run(&self.resync, &upload, source, delivery).await
                }
                JobKind::PushLists => engine.run(&self.push, &upload, source, delivery).await,
                JobKind::RotateCallerIds => engine.run(&Rotate, &upload, source, delivery).await,
                JobKind::UploadNumbers => engine.run(&UploadNumbers, &upload, source, delivery).await,
                JobKind::Undo => engine.run(&Undo, &upload, source, delivery).await,
            },
            InboxEvent::Execute { account, kind, job } => {
                let job = (kind, &job);
                match kind {
                    JobKind::AppendCallerIds => engine.execute(&Append, &account, job, delivery).await,
                    JobKind::UploadUsers => engine.execute(&UploadUsers, &account, job, delivery).await,
                    JobKind::DirectoryImport => engine.execute(&self.import, &account, job, delivery).await,
                    JobKind::MappingResync | JobKind::PhoneSnapshot => {
                        engine.execute(&self.resync, &account, job, delivery).await
                    }
                    JobKind::PushLists => engine.execute(&self.push, &account, job, delivery).await,
                    JobKind::RotateCallerIds => engine.execute(&Rotate, &account, job, delivery).await,
                    JobKind::UploadNumbers => engine.execute(&UploadNumbers, &account, job, delivery).await,
                    JobKind::Undo => engine.execute(&Undo, &account, job, delivery).await,
                }
            }
            InboxEvent::Continue { account, kind, job, .. } => {
                let job = (kind, &job);
                match kind {
                    JobKind::AppendCallerIds => engine.go_on(&Append, &account, job, delivery).await,
                    JobKind::UploadUsers => engine.go_on(&UploadUsers, &account, job, delivery).await,
                    JobKind::DirectoryImport => engine.go_on(&self.import, &account, job, delivery).await,
                    JobKind::MappingResync | JobKind::PhoneSnapshot => {
                        engine.go_on(&self.resync, &account, job, delivery).await
                    }
                    JobKind::PushLists => engine.go_on(&self.push, &account, job, delivery).await,
                    JobKind::RotateCallerIds => engine.go_on(&Rotate, &account, job, delivery).await,
                    JobKind::UploadNumbers => engine.go_on(&UploadNumbers, &account, job, delivery).await,
                    JobKind::Undo => engine.go_on(&Undo, &account, job, delivery).await,
                }
            }
        }
    }

    async fn decide(&self, id: &JobId, executes: bool) -> Result<(), StorageError> {
        let Some(job) = self.memory.state().jobs.get(id).cloned() else { return Ok(()) };
        let (world, by) = (&self.engine.world, Actor::Call("ann".to_owned()));
        if executes {
            execute((&*world.jobs, &*world.bucket), &job, &by).await.map(drop)
        } else {
            decide(&*world.jobs, &job, Decision::Discard, &by).await.map(drop)
        }
    }

    async fn schedule(&self) -> Result<(), StorageError> {
        let world = &self.engine.world;
        let round = || Round { now: world.now(), ends: Instant::now() + Duration::from_mins(10) };
        scheduled_rests(world, &round()).await?;
        scheduled_resyncs(world, &round()).await?;
        scheduled_syncs(world, &round()).await
    }
}

/// What is on its way.
#[derive(Clone)]
enum Task {
    Deliver(ObjectVersion),
    Decide(JobId, bool),
    Schedule,
    Wait(i64),
    Edit(Edit),
    Drop(usize, Event),
}

impl Task {
    /// Who does it.
    fn by(&self) -> By {
        match self {
            Self::Deliver(source) => {
                By::Job(InboxEvent::from_key(&source.key).expect("a key of the inbox").job(source))
            }
            Self::Schedule => By::Schedule,
            Self::Decide(..) | Self::Wait(_) | Self::Edit(_) | Self::Drop(..) => By::Person,
        }
    }
}

enum Ending {
    Ended,
    Again,
    GaveUp,
}

type Step<'a> = Pin<Box<dyn Future<Output = Ending> + 'a>>;

/// A task, as the queue has it.
struct Queued<'a> {
    task: Task,
    deliveries: u32,
    due: i64,
    /// What works on it, and until when.
    running: Option<(Step<'a>, i64)>,
}

/// The job of the file at a place, if it has one.
fn job_at(memory: &Memory, at: usize) -> Option<JobId> {
    let state = memory.state();
    state.dropped.get(&at).filter(|id| state.jobs.contains_key(*id)).cloned()
}

/// Has all of a round happen. Must be called in a runtime whose time stands still.
pub async fn happen(functions: &Functions, events: &[(usize, Event)], trouble: Trouble, seed: u64) {
    let (memory, mut rng) = (&functions.memory, fastrand::Rng::with_seed(seed));
    memory.fail(trouble.faults);
    let now = memory.state().now;
    let spread = if trouble.slow { LATE } else { SOON };
    let mut tasks: Vec<Queued<'_>> = Vec::new();
    for (at, event) in events {
        let task = match event {
            Event::Edit(edit) => Task::Edit(edit.clone()),
            Event::Schedule => Task::Schedule,
            Event::Wait(days) => Task::Wait(*days),
            Event::Decide { of, execute } => match job_at(memory, *of) {
                Some(id) => Task::Decide(id, *execute),
                None => continue,
            },
            _ => Task::Drop(*at, event.clone()),
        };
        tasks.push(Queued { task, deliveries: 0, due: now + rng.i64(0..spread), running: None });
    }
    let to_a_crash = if trouble.slow { STEPS_IF_SLOW } else { STEPS_TO_A_CRASH };
    let (mut steps, mut crashes_left, mut doom) = (0_u64, trouble.crashes, trouble.doomed);
    loop {
        steps += 1;
        if steps == 200_000 {
            let state = memory.state();
            let open: Vec<_> = state.jobs.values().filter(|job| job.is_underway()).collect();
            panic!("the round never ends: {open:#?}");
        }
        let notices = memory.state().take_notices();
        for source in notices {
            let times = 1 + u32::from(rng.u32(0..100) < trouble.duplicates);
            for _ in 0..times {
                let within = if rng.u32(0..4) == 0 { spread } else { SOON };
                let due = memory.state().now + rng.i64(0..within);
                tasks.push(Queued { task: Task::Deliver(source.clone()), deliveries: 0, due, running: None });
            }
        }
        if tasks.is_empty() {
            return;
        }
        let now = memory.state().now;
        let ready: Vec<usize> =
            (0..tasks.len()).filter(|&at| tasks[at].running.is_some() || tasks[at].due <= now).collect();
        let Some(&chosen) = rng.choice(&ready) else {
            let next = tasks.iter().map(|task| task.due).min().expect("a task");
            pass(memory, next - now).await;
            continue;
        };
        pass(memory, 1).await;
        let within = if trouble.slow && rng.u32(0..2) == 0 { LATE } else { 60 };
        let again = now + 1 + rng.i64(0..within);
        let queued = &mut tasks[chosen];
        let Some((step, deadline)) = &mut queued.running else {
            if !begin(functions, queued, &mut doom, &mut rng) {
                tasks.swap_remove(chosen);
            }
            continue;
        };
        let by = queued.task.by();
        let doomed = matches!(&by, By::Job(job) if memory.state().forsaken.contains(job));
        let dies = doomed && queued.deliveries < DELIVERIES && rng.u32(0..STEPS_TO_A_CRASH) == 0;
        let crashes = crashes_left > 0 && rng.u32(0..to_a_crash) == 0;
        if *deadline <= now || crashes || dies {
            crashes_left -= u32::from(crashes && !dies);
            (queued.running, queued.due) = (None, again);
            continue;
        }
        memory.state().by = by.clone();
        match step.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => {}
            Poll::Ready(Ending::GaveUp) if doomed => _ = tasks.swap_remove(chosen),
            Poll::Ready(Ending::Again | Ending::GaveUp) => (queued.running, queued.due) = (None, again),
            Poll::Ready(Ending::Ended) => {
                if let By::Job(id) = &tasks.swap_remove(chosen).task.by() {
                    came_through(memory, id);
                }
            }
        }
    }
}

/// A job that was to die, and didn't, is none that nobody sends back.
fn came_through(memory: &Memory, id: &JobId) {
    let mut state = memory.state();
    let gave_up = |job: &Job| matches!(job.failure, Some(Failure::GaveUp { .. }));
    // One that has paused comes again.
    if !state.jobs.get(id).is_some_and(|job| job.is_underway() || gave_up(job)) {
        state.forsaken.remove(id);
    }
}

/// Lets time pass, for the world and for whoever waits.
async fn pass(memory: &Memory, seconds: i64) {
    memory.state().now += seconds;
    tokio::time::advance(Duration::from_secs(seconds.unsigned_abs())).await;
}

/// Begins a task. `false` for what is done at once.
fn begin<'a>(functions: &'a Functions, queued: &mut Queued<'a>, doom: &mut bool, rng: &mut fastrand::Rng) -> bool {
    let memory = &functions.memory;
    let now = memory.state().now;
    let at = memory.state().time();
    let forsaken = matches!(queued.task.by(), By::Job(job) if memory.state().forsaken.contains(&job));
    queued.deliveries =
        if forsaken { DELIVERIES.min(queued.deliveries + 1) } else { queued.deliveries % DELIVERIES + 1 };
    let seconds = rng.i64(300..1_500);
    let number = queued.deliveries;
    let step: Step<'a> = match queued.task.clone() {
        Task::Edit(edit) => {
            memory.state().edit(&edit);
            return false;
        }
        Task::Wait(days) => {
            memory.state().now += days * 86_400;
            return false;
        }
        Task::Drop(place, event) => {
            let file = file(&event, place, |of| job_at(memory, of));
            let (upload, bytes, options) = file.expect("a job has a file");
            let mut state = memory.state();
            let job = JobId::of(&state.put(&upload.key(), bytes, options));
            state.dropped.insert(place, job.clone());
            if std::mem::take(doom) {
                state.forsaken.insert(job);
            }
            return false;
        }
        Task::Deliver(source) => {
            let deadline = at + SignedDuration::from_secs(seconds);
            let invocation = format!("{}-{}", source.version, rng.u64(..));
            let continues = InboxEvent::from_key(&source.key).expect("a key of the inbox").continues();
            let delivery = Delivery { invocation, at, deadline, continues, number, of: DELIVERIES };
            let (told, done_with) = (rng.u32(0..8) > 0, rng.u32(0..8) > 0);
            Box::pin(async move {
                match functions.deliver(&source, &delivery).await {
                    Ok(DeliveryOutcome::Ended) => Ending::Ended,
                    Ok(DeliveryOutcome::GaveUp) => Ending::GaveUp,
                    // Whoever tells that it goes on may fail, and may die before the event that it came by is done with.
                    Ok(DeliveryOutcome::Paused(key)) => {
                        if told {
                            memory.state().put(&key, Bytes::new(), UploadOptions::default());
                        }
                        if told && done_with { Ending::Ended } else { Ending::Again }
                    }
                    Ok(DeliveryOutcome::Busy | DeliveryOutcome::Stuck) | Err(_) => Ending::Again,
                }
            })
        }
        Task::Decide(job, executes) => Box::pin(async move { asked_again(&functions.decide(&job, executes).await) }),
        Task::Schedule => Box::pin(async move { asked_again(&functions.schedule().await) }),
    };
    queued.running = Some((step, now + seconds));
    true
}

/// Whoever gets an error asks again.
fn asked_again(answer: &Result<(), StorageError>) -> Ending {
    if answer.is_ok() { Ending::Ended } else { Ending::Again }
}
