//! Pushes by the thousand: lists, policies, departments, numbers and the phone system itself change while pushes run, die, are repeated, come late and
//! hold. **When no mark is left, what the phone system has is what the user may dial from.**
//!
//! `ROLLCALL_PUSHES` says how many histories, and `ROLLCALL_SEED` which is the first.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use jiff::SignedDuration;
use rollcall_bulk::{
    job::{Delivery, JobState},
    push::Wanted,
    upload::{InboxEvent, UploadOptions},
};
use rollcall_engine::{
    DeliveryOutcome, Engine, Limits, Round, StorageError, execute,
    kinds::{Push, scheduled_pushes, wake},
    world::{NewMark, Pushes, Versioned},
};
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    caller_id::CallerId,
    inventory::{Inventory, InventoryNumber, NumberFacts, NumberState},
    jobs::ObjectVersion,
    phone_side::PhoneUserId,
    settings::PhoneSystem,
    user::{LoginId, Policy, Ref},
};
use simulation::{ACCOUNT, Edit, Faults, Memory, State, Systems};
use tokio::time::Instant;

/// How many histories the usual run tells.
const HISTORIES: u64 = 400;
/// Deliveries of an event before it goes to the dead-letter queue, where nobody looks: the schedule mends that.
const DELIVERIES: u32 = 3;
const NUMBERS: usize = 8;
const USERS: usize = 6;

fn how_many(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).map_or(usual, |value| value.parse().expect("a number"))
}

#[test]
fn when_no_mark_is_left_the_phone_system_has_what_each_user_may_dial_from() {
    let first = how_many("ROLLCALL_SEED", 1);
    for seed in first..first + how_many("ROLLCALL_PUSHES", HISTORIES) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        println!("ROLLCALL_SEED={seed}");
        runtime.expect("a runtime").block_on(History::tell(seed));
    }
}

fn number(at: usize) -> CallerId {
    format!("+9198765000{at:02}").parse().expect("a number")
}

fn login(at: usize) -> String {
    format!("u{at}")
}

fn id(login: &str) -> PhoneUserId {
    PhoneUserId::of_login(&LoginId::parse(login).expect("a login"))
}

fn account() -> AccountId {
    ACCOUNT.parse().expect("an account")
}

fn beginning(seed: u64) -> State {
    let mut state = State::default();
    for at in 0..NUMBERS {
        let item = InventoryNumber::new(number(at), NumberFacts::default(), state.time());
        state.numbers.insert(item.number, item);
    }
    for at in 0..USERS {
        state.edit(&Edit::Create(login(at)));
        state.users.get_mut(&login(at)).expect("it was created").user.caller_ids = vec![number(at % NUMBERS)];
    }
    state.settings.phone_system = if seed.is_multiple_of(2) { PhoneSystem::Smartflo } else { PhoneSystem::ZoomPhone };
    state
}

/// What of the table makes marks, as the stream has told it last.
#[derive(Clone, Default, PartialEq)]
struct Seen {
    users: BTreeMap<String, (Policy, Option<Ref>, Vec<CallerId>)>,
    numbers: BTreeMap<CallerId, (bool, Option<Ref>)>,
    system: PhoneSystem,
}

impl Seen {
    fn of(state: &State) -> Self {
        let users = state.users.iter().map(|(login, person)| {
            let user = &person.user;
            (login.clone(), (user.policy, user.profile.department.clone(), user.caller_ids.clone()))
        });
        let numbers = state.numbers.values();
        let numbers = numbers.map(|item| (item.number, (item.facts.state.is_usable(), item.facts.department.clone())));
        Self { users: users.collect(), numbers: numbers.collect(), system: state.settings.phone_system }
    }
}

/// Marks what has changed, as the function that follows the table does.
async fn follow(memory: Arc<Memory>, before: Seen, now: Seen, sequence: String) -> Result<(), StorageError> {
    let (account, world) = (account(), memory.world());
    let changed = before.users.keys().chain(now.users.keys());
    let changed = changed.filter(|login| before.users.get(*login) != now.users.get(*login));
    let marks: BTreeMap<&String, NewMark> = changed
        .map(|login| (login, NewMark { login: login.clone(), sequence: sequence.clone(), removes: false }))
        .collect();
    let marks: Vec<NewMark> = marks.into_values().collect();
    memory.mark(&account, &marks, world.now()).await?;
    if before.numbers != now.numbers || before.system != now.system {
        memory.mark_everybody(&account, &sequence).await?;
    }
    if memory.push_state(&account).await?.is_none() {
        memory.put_push_state(&account, &Versioned::default()).await?;
    }
    wake(&world, &account).await
}

enum Ending {
    Ended,
    Again,
    Followed(Seen),
}

type Step = Pin<Box<dyn Future<Output = Ending>>>;

#[derive(Clone)]
enum Task {
    Deliver(ObjectVersion),
    Follow,
    Schedule,
}

struct Queued {
    task: Task,
    deliveries: u32,
    running: Option<(Step, i64)>,
}

struct History {
    memory: Arc<Memory>,
    engine: Arc<Engine>,
    push: Arc<Push>,
    rng: fastrand::Rng,
    tasks: Vec<Queued>,
    seen: Seen,
    crashes: u32,
    sequence: u64,
}

impl History {
    async fn tell(seed: u64) {
        let memory = Memory::new(beginning(seed), seed);
        let limits = Limits { file_bytes: 1 << 20, rows: 1 << 20, mails_a_day: 1 << 20 };
        let engine = Engine { world: memory.world(), country: "IN".parse().expect("a country"), limits };
        let push = Push { systems: Arc::new(Systems(memory.clone())) };
        let mut history = Self {
            engine: Arc::new(engine),
            push: Arc::new(push),
            rng: fastrand::Rng::with_seed(seed),
            tasks: Vec::new(),
            seen: Seen::default(),
            crashes: 0,
            sequence: 0,
            memory,
        };
        for _ in 0..4 {
            history.crashes = history.rng.u32(0..6);
            let faults = Faults {
                throttled: history.rng.u32(0..4),
                lost: history.rng.u32(0..4),
                repeated: history.rng.u32(0..20),
            };
            history.memory.fail(faults);
            let edits = history.rng.usize(1..8);
            history.happens(edits).await;
            history.comes_to_rest().await;
            history.check();
        }
    }

    /// Edits happen while everything else does.
    async fn happens(&mut self, mut edits: usize) {
        let mut steps = 0;
        while edits > 0 || !self.tasks.is_empty() || Seen::of(&self.memory.state()) != self.seen {
            steps += 1;
            assert!(steps < 200_000, "it never ends");
            if edits > 0 && self.rng.u32(0..60) == 0 {
                edits -= 1;
                self.edit();
            }
            self.decide().await;
            self.step().await;
        }
    }

    /// Nothing more changes: whoever was refused is tried again, and the schedule asks for what has died.
    async fn comes_to_rest(&mut self) {
        self.memory.fail(Faults::default());
        self.crashes = 0;
        self.memory.state().refused.clear();
        for _ in 0..10 {
            self.pass(3_700).await;
            let (key, retry) =
                (format!("inbox/{ACCOUNT}/push-lists/asked.json"), Bytes::from_static(b"{\"retry\":true}"));
            self.memory.state().put(&key, retry, UploadOptions::default());
            self.tasks.push(Queued { task: Task::Schedule, deliveries: 0, running: None });
            self.happens(0).await;
            let state = self.memory.state();
            if state.marks.is_empty() && state.everybody.is_none() {
                return;
            }
        }
        let state = self.memory.state();
        panic!("marks are left for ever: {:?} {:#?}", state.marks, state.jobs.values().last());
    }

    fn check(&self) {
        let state = self.memory.state();
        assert!(!state.pushing.as_ref().is_some_and(|of| of.value.is_on_hold()), "nobody waits for anybody");
        let inventory = Inventory::of(state.numbers.values().cloned().collect());
        let owned = state.numbers.keys().copied().collect();
        for at in 0..USERS {
            let login = login(at);
            let user = state.users.get(&login).map(|person| &person.user);
            let told = state.told.get(&(state.settings.phone_system.as_str(), login.clone()));
            let mut wanted = Wanted::of(user, told, &inventory, &owned).list;
            let mut has =
                state.lists.get(&(state.settings.phone_system.as_str(), id(&login))).cloned().unwrap_or_default();
            if state.settings.phone_system == PhoneSystem::ZoomPhone {
                wanted.sort_unstable();
                has.sort_unstable();
            }
            assert_eq!(has, wanted, "{login}: {told:#?}");
        }
    }

    fn edit(&mut self) {
        let rng = &mut self.rng;
        let (login, number) = (login(rng.usize(0..USERS)), number(rng.usize(0..NUMBERS)));
        let department = || Ref::parse("sales").ok();
        let memory = self.memory.clone();
        let mut state = memory.state();
        let there = state.users.contains_key(&login);
        match rng.u32(0..12) {
            0..=3 if there => state.edit(&Edit::Add(login, number)),
            4..=5 if there => state.edit(&Edit::TakeOff(login, number)),
            6 if there => {
                let policy = *rng.choice(&[Policy::All, Policy::Custom, Policy::Department]).expect("a policy");
                state.edit(&Edit::Policy(login, policy));
            }
            7 => {
                let to =
                    *rng.choice(&[NumberState::Active, NumberState::Flagged, NumberState::Retired]).expect("a state");
                state.edit(&Edit::Number(number, to));
            }
            8 => {
                let department = Some(()).filter(|()| rng.bool()).and_then(|()| department());
                state.edit(&Edit::Department(number, department));
            }
            9 if there => state.edit(&Edit::Delete(login)),
            9 => state.edit(&Edit::Create(login)),
            10 => _ = state.refused.insert(id(&login)),
            11 if rng.u32(0..4) == 0 => {
                state.settings.phone_system = match state.settings.phone_system {
                    PhoneSystem::Smartflo => PhoneSystem::ZoomPhone,
                    _ => PhoneSystem::Smartflo,
                };
            }
            _ => {}
        }
    }

    /// A person means whatever holds.
    async fn decide(&self) {
        let held = self.memory.state().jobs.values().find(|job| job.state == JobState::OnHold).cloned();
        let (Some(job), world) = (held, &self.engine.world) else { return };
        let _ = execute((&*world.jobs, &*world.bucket), &job, &Actor::Call("ann".to_owned())).await;
    }

    async fn pass(&self, seconds: i64) {
        self.memory.state().now += seconds;
        tokio::time::advance(Duration::from_secs(seconds.unsigned_abs())).await;
    }

    /// Something goes on.
    async fn step(&mut self) {
        for source in self.memory.state().take_notices() {
            for _ in 0..=u32::from(self.rng.u32(0..5) == 0) {
                self.tasks.push(Queued { task: Task::Deliver(source.clone()), deliveries: 0, running: None });
            }
        }
        let follows = self.tasks.iter().any(|queued| matches!(queued.task, Task::Follow));
        if !follows && Seen::of(&self.memory.state()) != self.seen && self.rng.u32(0..8) == 0 {
            self.tasks.push(Queued { task: Task::Follow, deliveries: 0, running: None });
        }
        self.pass(1).await;
        if self.tasks.is_empty() {
            return;
        }
        let at = self.rng.usize(0..self.tasks.len());
        let now = self.memory.state().now;
        if self.tasks[at].running.is_none() {
            self.tasks[at].deliveries += 1;
            // Nobody sends back what has come too often.
            if matches!(self.tasks[at].task, Task::Deliver(_)) && self.tasks[at].deliveries > DELIVERIES {
                self.tasks.swap_remove(at);
                return;
            }
            let deadline = now + self.rng.i64(200..2_000);
            let step = self.begin(self.tasks[at].task.clone(), self.tasks[at].deliveries, deadline - now);
            self.tasks[at].running = Some((step, deadline));
            return;
        }
        let dies = self.crashes > 0 && self.rng.u32(0..60) == 0;
        let queued = &mut self.tasks[at];
        let Some((step, deadline)) = &mut queued.running else { return };
        if dies || *deadline <= now {
            self.crashes -= u32::from(dies);
            queued.running = None;
            return;
        }
        match step.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => {}
            Poll::Ready(Ending::Again) => queued.running = None,
            Poll::Ready(Ending::Ended) => _ = self.tasks.swap_remove(at),
            Poll::Ready(Ending::Followed(seen)) => {
                self.seen = seen;
                self.tasks.swap_remove(at);
            }
        }
    }

    fn begin(&mut self, task: Task, number: u32, seconds: i64) -> Step {
        let memory = self.memory.clone();
        match task {
            Task::Follow => {
                self.sequence += 1;
                let (before, now, sequence) = (self.seen.clone(), Seen::of(&memory.state()), self.sequence.to_string());
                Box::pin(async move {
                    match follow(memory, before, now.clone(), sequence).await {
                        Ok(()) => Ending::Followed(now),
                        Err(_) => Ending::Again,
                    }
                })
            }
            Task::Schedule => {
                let world = self.engine.world.clone();
                Box::pin(async move {
                    let round = Round { now: world.now(), ends: Instant::now() + Duration::from_mins(10) };
                    if scheduled_pushes(&world, &round).await.is_ok() { Ending::Ended } else { Ending::Again }
                })
            }
            Task::Deliver(source) => {
                let (engine, push) = (self.engine.clone(), self.push.clone());
                let at = memory.state().time();
                let event = InboxEvent::from_key(&source.key).expect("a key of the inbox");
                let delivery = Delivery {
                    invocation: format!("{}-{}", source.version, self.rng.u64(..)),
                    at,
                    deadline: at + SignedDuration::from_secs(seconds),
                    continues: event.continues(),
                    number,
                    of: DELIVERIES,
                };
                Box::pin(async move {
                    let ended = match &event {
                        InboxEvent::Dropped(upload) => engine.run(&*push, upload, &source, &delivery).await,
                        InboxEvent::Execute { account, kind, job } => {
                            engine.execute(&*push, account, (*kind, job), &delivery).await
                        }
                        InboxEvent::Continue { account, kind, job, .. } => {
                            engine.go_on(&*push, account, (*kind, job), &delivery).await
                        }
                    };
                    match ended {
                        Ok(DeliveryOutcome::Ended) => Ending::Ended,
                        Ok(DeliveryOutcome::Paused(key)) => {
                            memory.state().put(&key, Bytes::new(), UploadOptions::default());
                            Ending::Ended
                        }
                        Ok(DeliveryOutcome::Busy | DeliveryOutcome::Stuck | DeliveryOutcome::GaveUp) | Err(_) => {
                            Ending::Again
                        }
                    }
                })
            }
        }
    }
}
