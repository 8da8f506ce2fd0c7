//! Histories by the thousand: jobs of every kind beside edits and deletions, with a death, a deadline or a repeated event between any
//! two requests.
//!
//! Everything that is decided is decided by the model that ships; `shell.rs` is the engine's order of requests around it, and `table.rs`
//! stands for the services. One thing at a time must end exactly as `reference.rs` says it does. What happens at once is held against what
//! always holds.
//!
//! `ROLLCALL_HISTORIES` says how many, and `ROLLCALL_SEED` which is the first.

mod history;
mod reference;
mod shell;
mod table;
mod work;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    panic::{catch_unwind, resume_unwind},
    pin::Pin,
    task::{Context, Poll, Waker},
};

use e2e::{SeededRng, how_much};
use jiff::SignedDuration;
use rollcall_bulk::{
    job::{Delivery, Job, JobState},
    rotation::Checked,
};
use rollcall_model::{
    inventory::{InventoryNumber, NumberFacts, NumberState},
    jobs::{JobId, JobKind},
    mapping::{self, CrmUserId, GivenMapping, Mapping},
    phone_side::PhoneUserId,
};

use history::{Event, NUMBERS, file, number, source};
use reference::{Did, Mapped, Reference, Who};
use shell::{Ending, deliver, numbers_before};
use table::Services;
use work::Note;

/// How many histories the usual run tells.
const HISTORIES: u64 = 300;

#[test]
fn whatever_happens_the_table_ends_as_if_nothing_had() {
    let one = std::env::var("ROLLCALL_SEED").is_ok();
    let first = how_much("ROLLCALL_SEED", 1);
    let count = how_much("ROLLCALL_HISTORIES", if one { 1 } else { HISTORIES });
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64;
    std::thread::scope(|scope| {
        for worker in 0..workers.min(count) {
            let mine = (first + worker..first + count).step_by(usize::try_from(workers).expect("few workers"));
            scope.spawn(move || mine.for_each(tell_or_say));
        }
    });
}

/// Tells one history, and says how to tell it again if it ends badly.
fn tell_or_say(seed: u64) {
    let Err(panic) = catch_unwind(|| tell(seed)) else { return };
    let draws = SeededRng::of(seed);
    eprintln!("History {seed} begins with {:?}", history::beginning(&draws));
    for (round, events) in history::rounds(&draws).iter().enumerate() {
        for event in events {
            eprintln!("round {round}: {event:?}");
        }
    }
    eprintln!("Tell it again: ROLLCALL_SEED={seed} cargo test --test histories");
    resume_unwind(panic);
}

/// Tells one history.
fn tell(seed: u64) {
    let draws = SeededRng::of(seed);
    let services = Services::default();
    let mut reference = Reference::default();
    for (login, list) in history::beginning(&draws) {
        services.users.borrow_mut().insert(login.clone(), person(&login, list.clone()));
        reference.lists.insert(login, list.into_iter().collect());
    }
    for n in 0..NUMBERS {
        let item = InventoryNumber::new(number(n), NumberFacts::default(), services.time());
        reference.numbers.insert(item.number, (item.facts.state, item.version));
        services.inventory.borrow_mut().insert(item.number, item);
    }
    history::mappings().for_each(|mapping| services.put_mapping(mapping));
    reference.mappings = mappings(&services);
    let mut at = 0;
    for round in history::rounds(&draws) {
        let events: Vec<(usize, Event)> = round.into_iter().enumerate().map(|(n, event)| (at + n, event)).collect();
        at += events.len();
        services.log.borrow_mut().clear();
        happen(&services, &events, &draws);
        for (at, event) in &events {
            let job = services.jobs.borrow().get(&JobId::of(&source(*at))).cloned();
            assert_eq!(job.is_some(), file(event).is_some(), "{at}");
            if let Some(job) = job {
                ended_well(&services, &job);
            }
        }
        if let [(at, event)] = &*events {
            let rows = reference.apply(*at, event);
            let job = services.jobs.borrow().get(&JobId::of(&source(*at))).cloned();
            let finished = job.filter(|job| job.state == JobState::Finished).map(|job| job.counts);
            let finished = finished.map(|counts| [counts.applied, counts.partial, counts.unchanged, counts.failed]);
            assert_eq!(finished, rows, "the rows of {at}");
            assert_eq!(lists(&services), reference.lists, "lists after {at}");
            assert_eq!(numbers(&services), reference.numbers, "numbers after {at}");
            assert_eq!(mappings(&services), reference.mappings, "mappings after {at}");
        } else {
            what_always_holds(&services, &events);
            what_crm_users_see(&services, &reference);
            adopt(&mut reference, &services, &events);
        }
    }
}

fn person(login: &str, list: Vec<rollcall_model::caller_id::CallerId>) -> rollcall_model::user::User {
    rollcall_model::user::User { caller_ids: list, ..e2e::user(login) }
}

type Step<'a> = Pin<Box<dyn Future<Output = Ending> + 'a>>;

/// One event on its way, as the queue has it.
struct Task<'a> {
    at: usize,
    event: &'a Event,
    deliveries: u32,
    due: i64,
    running: Option<(Step<'a>, i64)>,
}

/// After how many deliveries an event goes to the dead-letter queue. Somebody sends it back.
const DELIVERIES: u32 = 4;

/// Everything of a round, each event once or more often, in some order of requests; whoever works may die at any of them, and dies at its
/// deadline.
fn happen(services: &Services, events: &[(usize, Event)], draws: &SeededRng) {
    let mut tasks: Vec<Task<'_>> = Vec::new();
    for (at, event) in events {
        if let Some((_, bytes)) = file(event) {
            services.bucket.borrow_mut().insert(source(*at).key, bytes);
        }
        // An edit is no event of a queue: it happens once.
        let times =
            if file(event).is_some() { 1 + u64::from(draws.happens(200)) + u64::from(draws.happens(100)) } else { 1 };
        for _ in 0..times {
            let due = services.now.get() + i64::try_from(draws.below(40)).expect("a second");
            tasks.push(Task { at: *at, event, deliveries: 0, due, running: None });
        }
    }
    let deadly = draws.below(60);
    while !tasks.is_empty() {
        let now = services.now.get();
        let ready: Vec<usize> =
            (0..tasks.len()).filter(|&task| tasks[task].running.is_some() || tasks[task].due <= now).collect();
        if ready.is_empty() {
            services.now.set(tasks.iter().map(|task| task.due).min().expect("a task"));
            continue;
        }
        services.now.set(now + 1);
        let chosen = *draws.pick(&ready);
        let task = &mut tasks[chosen];
        let again = now + 1 + i64::try_from(draws.below(60)).expect("a second");
        let Some((step, deadline)) = &mut task.running else {
            task.running = begin(services, task, draws);
            if task.running.is_none() {
                tasks.swap_remove(chosen);
            }
            continue;
        };
        if *deadline <= now || draws.happens(deadly) {
            (task.running, task.due) = (None, again);
            continue;
        }
        match step.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => {}
            Poll::Ready(Ending::Again) => (task.running, task.due) = (None, again),
            Poll::Ready(Ending::Ended) => _ = tasks.swap_remove(chosen),
        }
    }
}

/// Begins a delivery; an edit is done at once.
fn begin<'a>(services: &'a Services, task: &mut Task<'a>, draws: &SeededRng) -> Option<(Step<'a>, i64)> {
    let Some((upload, _)) = file(task.event) else {
        edit(services, task.event);
        return None;
    };
    task.deliveries = task.deliveries % DELIVERIES + 1;
    let seconds = 20 + i64::try_from(draws.below(600)).expect("a second");
    let at = services.time();
    let delivery = Delivery {
        invocation: format!("{}-{}", task.at, draws.below(u64::MAX)),
        at,
        deadline: at + SignedDuration::from_secs(seconds),
        number: task.deliveries,
        of: DELIVERIES,
    };
    let source = source(task.at);
    let step = Box::pin(async move { deliver(services, &upload, &source, delivery).await });
    Some((step, services.now.get() + seconds))
}

/// What a person does by the API, in one write.
fn edit(services: &Services, event: &Event) {
    match event {
        Event::TakeOff(login, number) => services.take_off(None, login, &[*number]),
        Event::Create(login) => {
            services.users.borrow_mut().entry(login.clone()).or_insert_with(|| person(login, Vec::new()));
        }
        Event::Delete(login) => {
            if let Some(user) = services.users.borrow_mut().remove(login) {
                services.log.borrow_mut().push(table::Write {
                    job: None,
                    login: login.clone(),
                    removed: user.caller_ids.into_iter().collect(),
                });
            }
        }
        Event::Put(number, state) => {
            let now = services.inventory.borrow()[number].clone();
            let facts = NumberFacts { state: *state, ..now.facts.clone() };
            if let Ok(after) = now.change(facts, services.time()) {
                services.inventory.borrow_mut().insert(*number, after);
            }
        }
        Event::Choose(crm_user, chosen) => {
            let before = services.mappings.borrow()[crm_user].clone();
            let phone_user = chosen.as_ref().map(|login| PhoneUserId::parse(login).expect("a phone user"));
            services.put_mapping(before.with(GivenMapping { phone_user, ..before.given.clone() }));
        }
        Event::Append(_) | Event::Rotate { .. } | Event::Undo(_) | Event::Resync => unreachable!("a job is no edit"),
    }
}

/// A job has ended, every row has its outcome, and whoever is to get a mail has got it.
fn ended_well(services: &Services, job: &Job) {
    assert!(matches!(job.state, JobState::Finished | JobState::Undone | JobState::Failed), "{job:?}");
    assert!(job.lease.is_none() && job.ended.is_some(), "{job:?}");
    assert!(job.state != JobState::Failed || job.upload.kind == JobKind::Undo, "only an undo refuses: {job:?}");
    if job.state != JobState::Failed {
        assert_eq!((job.counts.rows(), job.counts.unprocessed), (job.progress.rows, 0), "{job:?}");
    }
    assert_eq!(services.mails.borrow().contains_key(&job.id), job.is_mail_due(), "{job:?}");
}

fn what_always_holds(services: &Services, events: &[(usize, Event)]) {
    let (lists, log) = (lists(services), services.log.borrow());
    assert!(
        services.inventory.borrow().values().all(|item| item.reserved_by.is_none()),
        "a mark has outlived its rotation"
    );
    let put = |number| events.iter().any(|(_, event)| matches!(event, Event::Put(n, _) if *n == number));
    for job in jobs(services, events) {
        let effects = soon(shell::effects(services, &job));
        for effect in &effects {
            // What a job has put on a list is there, unless somebody else has taken it off.
            for number in &effect.added {
                let there = lists.get(&effect.login).is_some_and(|list| list.contains(number));
                let others = log.iter().any(|write| {
                    write.login == effect.login && write.job.as_ref() != Some(&job.id) && write.removed.contains(number)
                });
                assert!(there || others, "{number} is lost to {}", effect.login);
            }
        }
        let mine = log.iter().filter(|write| write.job.as_ref() == Some(&job.id));
        if job.upload.kind == JobKind::AppendCallerIds {
            // An append takes off nothing but what it has put there itself, and says so.
            let batches = (0..).map_while(|n| services.bucket.borrow().get(&job.keys().changes(n)).cloned());
            let plans = batches.flat_map(|bytes| serde_json::from_slice::<work::Batch>(&bytes).expect("a batch").plans);
            // A user may have two plans, where a later attempt could read a number that an earlier one couldn't.
            let mut retracted: BTreeMap<String, Vec<_>> = BTreeMap::new();
            for mut plan in plans {
                let login = plan.login().to_owned();
                let [_, numbers] = plan.added().expect("a plan of an append");
                retracted.entry(login).or_default().append(numbers);
            }
            mine.for_each(|write| assert!(write.removed.iter().all(|n| retracted[&write.login].contains(n))));
        } else if job.upload.kind == JobKind::RotateCallerIds {
            let note = services.bucket.borrow()[&job.keys().checkpoint()].clone();
            let note: Note = serde_json::from_slice(&note).expect("a note");
            for old in note.pairs.iter().filter_map(Checked::good).map(|pair| pair.old) {
                let retired = services.inventory.borrow()[&old].facts.state == NumberState::Retired;
                let on = lists.iter().find(|(_, list)| list.contains(&old));
                assert!(!retired || put(old) || on.is_none(), "{old} is retired, and {on:?}");
            }
        }
    }
}

/// What a resync of this round has found of a user is what the user had at some time in it.
fn what_crm_users_see(services: &Services, before: &Reference) {
    let (now, log) = (lists(services), services.log.borrow());
    for (crm_user, mapped) in mappings(services) {
        let (Who::Is(login), Some(list)) = (&mapped.who, &mapped.list) else { continue };
        let at_first = &before.mappings[&crm_user];
        if (&mapped.who, &mapped.list) == (&at_first.who, &at_first.list) {
            continue;
        }
        let none = BTreeSet::new();
        let at_last = now.get(login).unwrap_or(&none);
        let removed: BTreeSet<_> =
            log.iter().filter(|write| write.login == *login).flat_map(|write| &write.removed).copied().collect();
        let ever: BTreeSet<_> = at_last.union(&removed).copied().collect();
        assert!(list.is_subset(&ever), "{mapped:?} was never so, {ever:?}");
        let at_first = before.lists.get(login).unwrap_or(&none);
        let always: BTreeSet<_> = at_first.intersection(at_last).filter(|number| !removed.contains(number)).collect();
        assert!(always.into_iter().all(|number| list.contains(number)), "{mapped:?} lacks what was always there");
    }
}

/// The jobs of a round.
fn jobs(services: &Services, events: &[(usize, Event)]) -> Vec<Job> {
    let jobs = services.jobs.borrow();
    events.iter().filter_map(|(at, _)| jobs.get(&JobId::of(&source(*at))).cloned()).collect()
}

/// Goes on from what has come of things that happened at once.
fn adopt(reference: &mut Reference, services: &Services, events: &[(usize, Event)]) {
    reference.lists = lists(services);
    reference.numbers = numbers(services);
    reference.mappings = mappings(services);
    let undone: HashSet<JobId> =
        services.jobs.borrow().values().filter(|job| job.state == JobState::Undone).map(|job| job.id.clone()).collect();
    for (at, _) in events {
        let Some(job) = services.jobs.borrow().get(&JobId::of(&source(*at))).cloned() else { continue };
        if !job.upload.kind.has_undo() {
            continue;
        }
        let mut did = Did::default();
        for effect in soon(shell::effects(services, &job)) {
            did.added.insert(effect.login.clone(), effect.added);
            did.removed.insert(effect.login, effect.removed);
        }
        let before = soon(numbers_before(services, &job));
        did.numbers = before.into_iter().map(|item| (item.number, item.facts.state, item.version)).collect();
        reference.did.insert(*at, did);
    }
    reference.did.retain(|at, _| !undone.contains(&JobId::of(&source(*at))));
}

fn lists(services: &Services) -> BTreeMap<String, BTreeSet<rollcall_model::caller_id::CallerId>> {
    let users = services.users.borrow();
    users.iter().map(|(login, user)| (login.clone(), user.caller_ids.iter().copied().collect())).collect()
}

fn numbers(services: &Services) -> BTreeMap<rollcall_model::caller_id::CallerId, (NumberState, u64)> {
    let inventory = services.inventory.borrow();
    inventory.values().map(|item| (item.number, (item.facts.state, item.version))).collect()
}

fn mappings(services: &Services) -> BTreeMap<CrmUserId, Mapped> {
    let mapped = |mapping: &Mapping| Mapped {
        login: mapping.given.login.as_ref().expect("a login ID").to_string(),
        chosen: mapping.given.phone_user.as_ref().map(|id| id.as_str().to_owned()),
        who: match &mapping.state {
            mapping::MappingState::Unmapped => Who::Nobody,
            mapping::MappingState::Mapped { phone_user } => Who::Is(phone_user.as_str().to_owned()),
            mapping::MappingState::Orphaned { phone_user } => Who::Was(phone_user.as_str().to_owned()),
            mapping::MappingState::Ambiguous { .. } => unreachable!("login IDs are unique"),
        },
        list: mapping.permission.as_ref().map(|permission| permission.caller_ids.iter().copied().collect()),
    };
    let mappings = services.mappings.borrow();
    mappings.values().map(|mapping| (mapping.crm_user.clone(), mapped(mapping))).collect()
}

/// What comes of something that nobody else has a turn beside.
fn soon<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}
