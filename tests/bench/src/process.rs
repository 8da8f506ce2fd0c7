//! What the kernel says of a process.

use std::{fs, time::Duration};

/// Processor time that a process has used, in user and kernel mode.
pub(crate) fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process is there");
    // The name, in parentheses, may hold spaces; user and system time are the 14th and 15th fields.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |field: usize| fields[field - 3].parse::<u64>().expect("a number of ticks");
    // The kernel counts in hundredths of a second for programs, whatever its own clock (USER_HZ, proc(5)).
    Duration::from_millis((ticks(14) + ticks(15)) * 10)
}

/// The most memory that a process has had in use, in megabytes.
pub(crate) fn peak_megabytes(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process is there");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a high-water mark");
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().expect("kilobytes");
    kilobytes / 1024.0
}

/// Processor time of the threads that a process has at present, to the nanosecond.
pub(crate) fn running(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("the process is there").flatten();
    let used = threads.map(|thread| {
        let stat = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        stat.split(' ').next().and_then(|used| used.parse().ok()).unwrap_or(0)
    });
    Duration::from_nanos(used.sum())
}
