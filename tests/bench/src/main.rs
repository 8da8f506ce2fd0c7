//! What the product costs, each figure beside what it is measured against, in one run.
//!
//! `cargo bench-all` runs everything, `cargo bench-all api` one part. Machines differ and are noisy: of every pair the runs alternate, medians are
//! compared, and what counts is the ratio.

mod api;
mod job;
mod process;
mod read;
mod resync;
mod rotate;
mod start;
mod users;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

/// The parts, in their order.
const PARTS: [&str; 7] = ["read", "start", "job", "users", "resync", "rotate", "api"];

fn main() -> ExitCode {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = asked.iter().find(|part| !PARTS.contains(&part.as_str())) {
        eprintln!("There is no part {unknown}. Usage: cargo bench-all [{}]...", PARTS.join("|"));
        return ExitCode::from(2);
    }
    if cfg!(debug_assertions) {
        eprintln!("warning: these are figures of a debug build; use cargo bench-all");
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for part in PARTS.iter().filter(|part| asked.is_empty() || asked.iter().any(|asked| asked == *part)) {
        match *part {
            "read" => read::run(),
            "start" => start::run(),
            "job" => runtime.block_on(job::run()),
            "users" => runtime.block_on(users::run()),
            "resync" => runtime.block_on(resync::run()),
            "rotate" => runtime.block_on(rotate::run()),
            _ => runtime.block_on(api::run()),
        }
    }
    ExitCode::SUCCESS
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
