//! What the figures were measured on.

use std::{fs, process::Command};

/// The machine and the tools, as lines of Markdown.
pub(crate) fn described() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let os = field("/etc/os-release", "PRETTY_NAME=").trim_matches('"').to_owned();
    let kernel = read("/proc/sys/kernel/osrelease");
    let kilobytes: u64 = field("/proc/meminfo", "MemTotal:").trim_end_matches(" kB").parse().unwrap_or_default();
    let profile = if cfg!(debug_assertions) { "**debug**" } else { "release" };
    [
        format!("- Processor: {}, {cores} cores", field("/proc/cpuinfo", "model name").trim_start_matches([':', ' '])),
        format!("- Memory: {} GiB", (kilobytes + (1 << 19)) >> 20),
        format!("- System: {os}, Linux {}", kernel.trim()),
        format!("- Compiler: {}, {profile} build", said("rustc", &["--version"])),
        format!("- Commit: {}, {}", said("git", &["rev-parse", "--short", "HEAD"]), jiff::Zoned::now().date()),
    ]
    .map(|line| line + "\n")
    .concat()
}

fn read(file: &str) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

/// What follows this in a line of the file.
fn field(file: &str, name: &str) -> String {
    read(file).lines().find_map(|line| line.strip_prefix(name)).unwrap_or("unknown").trim().to_owned()
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let said =
        output.ok().filter(|output| output.status.success()).and_then(|output| String::from_utf8(output.stdout).ok());
    said.map_or("unknown".to_owned(), |said| said.trim().to_owned())
}
