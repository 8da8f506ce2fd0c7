//! Runs every fuzz target, one after the other, and says which of them have found something: `cargo fuzz-all [SECONDS]`, for each of them 60 by
//! default. It needs cargo-fuzz (`cargo install cargo-fuzz`) and the stable compiler.

use std::{env, fs, path::Path, process::Command};

/// Seconds for each target.
const SECONDS: u64 = 60;
/// Longest input in bytes: longer ones are slow, and find what short ones find.
const MAX_INPUT: usize = 4096;

fn main() {
    let seconds = env::args().nth(1).map_or(Ok(SECONDS), |text| text.parse()).expect("a number of seconds");
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = fs::read_dir(fuzz.join("targets")).expect("a folder of targets");
    let mut targets: Vec<String> =
        entries.filter_map(|entry| Some(entry.expect("a file").path().file_stem()?.to_str()?.to_owned())).collect();
    targets.sort();
    let failed: Vec<_> = targets.into_iter().filter(|target| !passes(fuzz, target, seconds)).collect();
    if !failed.is_empty() {
        eprintln!("found something: {}. The inputs are in tests/fuzz/artifacts.", failed.join(", "));
        std::process::exit(1);
    }
}

/// Runs one target. What it learns is kept in `target/corpus`, and the inputs of the repository are read besides.
fn passes(fuzz: &Path, target: &str, seconds: u64) -> bool {
    let learnt = fuzz.join("../../target/corpus").join(target);
    fs::create_dir_all(&learnt).expect("a folder for what it learns");
    let status = Command::new("cargo")
        .args(["fuzz", "run", "--sanitizer", "none", "--fuzz-dir"])
        .arg(fuzz)
        .arg(target)
        .args([learnt, fuzz.join("corpus").join(target)])
        .args(["--".to_owned(), format!("-max_total_time={seconds}"), format!("-max_len={MAX_INPUT}")])
        .status()
        .expect("cargo is started");
    status.success()
}
