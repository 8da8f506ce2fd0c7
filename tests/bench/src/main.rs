//! What the bulk append costs, each figure beside what it is measured against, in one run.
//!
//! `cargo bench-all` runs everything, `cargo bench-all users start` these parts alone. Machines differ and are noisy: of every pair the runs alternate, medians are
//! compared, and what counts is the ratio.

mod job;
mod process;
mod read;
mod start;
mod users;

use std::time::{Duration, Instant};

fn main() {
    if cfg!(debug_assertions) {
        eprintln!("warning: these are figures of a debug build; use cargo bench-all");
    }
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = chosen.iter().find(|part| !PARTS.contains(&part.as_str())) {
        eprintln!("error: there is no part {unknown}; there are {}", PARTS.join(", "));
        std::process::exit(2);
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for part in PARTS.into_iter().filter(|part| chosen.is_empty() || chosen.iter().any(|chosen| chosen == part)) {
        match part {
            "read" => read::run(),
            "start" => start::run(),
            "job" => runtime.block_on(job::run()),
            _ => runtime.block_on(users::run()),
        }
    }
}

/// What can be run alone.
const PARTS: [&str; 4] = ["read", "start", "job", "users"];

/// Says whether a target is met. A figure is printed either way.
fn target(what: &str, figure: f64, limit: f64, unit: &str, higher_is_better: bool) {
    let met = if higher_is_better { figure >= limit } else { figure <= limit };
    let bound = if higher_is_better { "at least" } else { "at most" };
    let verdict = if met { "met" } else { "MISSED" };
    println!("  {what:<58} {figure:>12.2} {unit:<10} {bound} {limit} {verdict}");
}

fn timed(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

fn median(mut values: Vec<Duration>) -> f64 {
    values.sort_unstable();
    values[values.len() / 2].as_secs_f64()
}
