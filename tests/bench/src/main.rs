//! What the product costs, each figure beside what it is measured against, in one run.
//!
//! `cargo bench-all` runs everything, `cargo bench-all api` one part, `cargo bench-all report` everything, and writes
//! `tests/bench/REPORT.md`. Machines differ and are noisy: of every pair the runs alternate, medians are compared, and what
//! counts is the ratio.

mod api;
mod append;
mod chain;
mod cold;
mod file;
mod growth;
mod instructions;
mod job;
mod lambda;
mod large;
mod limits;
mod machine;
mod peer;
mod peers;
mod plot;
mod process;
mod product;
mod push;
mod read;
mod reads;
mod report;
mod resync;
mod rotate;
mod share;
mod start;
mod stub;
mod users;

use std::{
    fs,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use report::Report;

/// The parts, in their order.
const PARTS: [&str; 18] = [
    "peers",
    "limits",
    "share",
    "growth",
    "large",
    "read",
    "start",
    "cold",
    "job",
    "users",
    "resync",
    "rotate",
    "product",
    "api",
    "reads",
    "push",
    "instructions",
    "chain",
];
/// All of them, written down.
const REPORT: &str = "report";
/// Files of a hundredth, to see that it runs: its figures say nothing.
const QUICK: &str = "--quick";

/// How large files are.
#[derive(Clone, Copy)]
struct Scale {
    divisor: usize,
}

impl Scale {
    fn of(self, count: usize) -> usize {
        count / self.divisor
    }

    fn size(self, (rows, users): (usize, usize)) -> (usize, usize) {
        (self.of(rows), self.of(users))
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((instructions::COUNTED, work)) = arguments.split_first().map(|(word, rest)| (word.as_str(), rest)) {
        instructions::work(work);
        return ExitCode::SUCCESS;
    }
    let (options, asked): (Vec<String>, Vec<String>) = arguments.into_iter().partition(|word| word == QUICK);
    let writes = asked.iter().any(|part| part == REPORT);
    if let Some(unknown) = asked.iter().find(|part| !PARTS.contains(&part.as_str()) && *part != REPORT) {
        eprintln!("There is no part {unknown}. Usage: cargo bench-all [{QUICK}] [{REPORT}|{}]...", PARTS.join("|"));
        return ExitCode::from(2);
    }
    if cfg!(debug_assertions) {
        eprintln!("warning: these are figures of a debug build; use cargo bench-all");
    }
    let quick = !options.is_empty();
    let scale = Scale { divisor: if quick { 100 } else { 1 } };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut report = Report::default();
    let mut plot = None;
    let last = instructions::last();
    let start = Instant::now();
    for part in PARTS.iter().filter(|part| asked.is_empty() || writes || asked.iter().any(|asked| asked == *part)) {
        match *part {
            "peers" => runtime.block_on(peers::run(&mut report, scale)),
            "limits" => runtime.block_on(limits::run(&mut report, scale)),
            "share" => runtime.block_on(share::run(&mut report, scale)),
            "chain" => runtime.block_on(chain::run(&mut report, scale)),
            "growth" => plot = Some(runtime.block_on(growth::run(&mut report, scale))),
            "large" => runtime.block_on(large::run(&mut report, scale)),
            "read" => read::run(&mut report),
            "start" => start::run(&mut report),
            "cold" => runtime.block_on(cold::run(&mut report)),
            "job" => runtime.block_on(job::run(&mut report)),
            "users" => runtime.block_on(users::run(&mut report)),
            "resync" => runtime.block_on(resync::run(&mut report)),
            "rotate" => runtime.block_on(rotate::run(&mut report)),
            "product" => runtime.block_on(product::run(&mut report, scale)),
            "instructions" => runtime.block_on(instructions::run(&mut report, &last)),
            "push" => runtime.block_on(push::run(&mut report, scale)),
            "reads" => runtime.block_on(reads::run(&mut report, scale)),
            _ => runtime.block_on(api::run(&mut report)),
        }
        // After each part: a later one may end the whole.
        if writes {
            write(&report, plot.as_deref(), quick, start.elapsed());
        }
    }
    ExitCode::SUCCESS
}

/// Writes report and plot: into the tree what is worth keeping, else beside what was built.
fn write(report: &Report, plot: Option<&str>, quick: bool, elapsed: Duration) {
    let kept = !quick && !cfg!(debug_assertions);
    let tried = e2e::binaries().join("bench-report");
    let dir = if kept { Path::new(env!("CARGO_MANIFEST_DIR")) } else { &tried };
    fs::create_dir_all(dir).expect("a directory for the report");
    if let Some(plot) = plot {
        fs::write(dir.join(growth::PICTURE), plot).expect("the plot is written");
    }
    let introduction = format!(
        "# What it costs, measured\n\nMade by `cargo bench-all report` in {:.0} minutes, all in one run; not edited by hand. {} targets \
         were missed.\n\n{}",
        elapsed.as_secs_f64() / 60.0,
        report.missed(),
        machine::described(),
    );
    report.write(&dir.join("REPORT.md"), &introduction);
    println!("\nWritten to {}", dir.display());
}

fn timed(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

fn median(values: Vec<Duration>) -> f64 {
    middle(values.into_iter().map(|value| value.as_secs_f64()).collect())
}

/// The median; not a number where there are none.
fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn count(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}
