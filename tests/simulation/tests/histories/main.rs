//! Histories by the thousand: jobs of every kind beside edits, decisions and schedules, with a crash, a deadline, a repeated event, a
//! throttled request or a lost answer at any request. What runs is the engine that ships, on a world in memory.
//!
//! Three things are asked of each. What happens alone ends as it does without any trouble, and, where no policies and limits are in
//! play, as `reference.rs` says. And after each round the invariants hold (`invariants/`), each a sentence that a user of the product
//! would sign, looked up in the world's log: every write with who made it, and what jobs had looked at before.
//!
//! `ROLLCALL_HISTORIES` says how many, and `ROLLCALL_SEED` which is the first.

mod chance;
mod history;
mod invariants;
mod reference;
mod scheduler;
mod seen;
mod undone;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use simulation::{Entry, Faults, Memory, State};

use history::{Event, is_plain};
use invariants::{INVARIANTS, Round, ended_well, essence};
use reference::Reference;
use scheduler::{Functions, Trouble, happen};

/// How many histories the usual run tells.
const HISTORIES: u64 = 300;

fn how_many(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).map_or(usual, |value| value.parse().expect("a number"))
}

#[test]
fn whatever_happens_the_table_ends_as_if_nothing_had() {
    let one = std::env::var("ROLLCALL_SEED").is_ok();
    let first = how_many("ROLLCALL_SEED", 1);
    let count = how_many("ROLLCALL_HISTORIES", if one { 1 } else { HISTORIES });
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64;
    std::thread::scope(|scope| {
        for worker in 0..workers.min(count) {
            let mine = (first + worker..first + count).step_by(usize::try_from(workers).expect("few workers"));
            scope.spawn(move || mine.for_each(run_or_say));
        }
    });
}

/// Runs one history, and says how to run it again if it ends badly.
fn run_or_say(seed: u64) {
    let Err(panic) = catch_unwind(|| run(seed)) else { return };
    for (round, events) in history::rounds(seed).iter().enumerate() {
        for event in events {
            eprintln!("round {round}: {event:?}");
        }
    }
    eprintln!("Run it again: ROLLCALL_SEED={seed} cargo test --test histories");
    resume_unwind(panic);
}

/// Runs one history, in time that passes only as the scheduler lets it.
fn run(seed: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(simulate(seed));
}

async fn simulate(seed: u64) {
    let memory = Memory::new(history::beginning(seed), seed);
    let functions = Functions::new(memory.clone(), history::most_rows(seed));
    let mut rng = fastrand::Rng::with_seed(seed ^ 0xBAD);
    let mut reference = Reference::of(&memory.state());
    let mut past: Vec<Entry> = std::mem::take(&mut memory.state().log);
    let mut at = 0;
    for round in history::rounds(seed) {
        let events: Vec<(usize, Event)> = round.into_iter().enumerate().map(|(n, event)| (at + n, event)).collect();
        at += events.len();
        let before = memory.state().clone();
        let faults = Faults { throttled: rng.u32(0..6), lost: rng.u32(0..6), repeated: rng.u32(0..100) };
        let doomed = !is_plain(seed) && rng.u32(0..6) == 0;
        let trouble = Trouble { crashes: rng.u32(0..8), duplicates: 25, faults, slow: rng.u32(0..3) == 0, doomed };
        happen(&functions, &events, trouble, rng.u64(..)).await;
        memory.fail(Faults::default());
        let log = std::mem::take(&mut memory.state().log);
        let now = memory.state().clone();
        demand("ended_well", (&log, &now), || ended_well(&now));
        let alone = if let [(place, event)] = &*events { Some((*place, event)) } else { None };
        if let Some((place, event)) = alone.filter(|_| !doomed) {
            if !matches!(event, Event::Schedule) {
                let untroubled = without_trouble(before.clone(), &events, seed).await;
                demand("trouble_changes_nothing", (&log, &now), || {
                    assert_eq!(essence(&now), essence(&untroubled), "after {place}");
                });
            }
            if is_plain(seed) {
                demand("reference", (&log, &now), || reference.check(place, event, &now));
            }
        }
        let round = Round { before: &before, now: &now, events: &events, log: &log, past: &past };
        for (name, holds) in INVARIANTS {
            demand(name, (&log, &now), || holds(&round));
        }
        if alone.is_none() {
            reference.adopt(&now, &events, &log);
        }
        past.extend(log);
    }
}

/// Says what doesn't hold, if it doesn't, and what has happened in the round.
fn demand(name: &str, (log, now): (&[Entry], &State), holds: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(holds)) {
        eprintln!("{name} doesn't hold");
        for entry in log {
            eprintln!("  {entry}");
        }
        for job in now.jobs.values() {
            let (id, name, state, failure) = (&job.id.as_str()[..6], &job.upload.name, job.state, &job.failure);
            eprintln!("  {id} {name}: {state:?} {failure:?} {:?} attempts {}", job.counts, job.attempts);
        }
        resume_unwind(panic);
    }
}

/// The same round on the same world, where nothing goes wrong.
async fn without_trouble(before: State, events: &[(usize, Event)], seed: u64) -> State {
    let memory = Memory::new(before, seed);
    let functions = Functions::new(memory.clone(), history::most_rows(seed));
    happen(&functions, events, Trouble::default(), seed).await;
    memory.state().clone()
}
