//! What the bulk append costs, each figure beside what it is measured against, in one run.
//!
//! `cargo bench-all` runs everything. Machines differ and are noisy: of every pair the runs alternate, medians are
//! compared, and what counts is the ratio.

mod job;
mod process;
mod read;
mod start;

use std::time::{Duration, Instant};

fn main() {
    if cfg!(debug_assertions) {
        eprintln!("warning: these are figures of a debug build; use cargo bench-all");
    }
    read::run();
    start::run();
    tokio::runtime::Runtime::new().expect("a runtime").block_on(job::run());
}

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
