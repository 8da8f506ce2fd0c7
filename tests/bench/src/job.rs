//! Whole jobs on a local stack: requests, processor time and memory of the function.

use std::time::Instant;

use e2e::Stack;

use crate::{
    count,
    process::{cpu, peak_megabytes},
    report::Report,
};

pub(crate) async fn run(report: &mut Report) {
    let stack = Stack::start(&[]).await;
    stack.create_users(100_000).await;
    // The first job pays for starting the function.
    stack.append("warm.csv", file(1, 1, 0)).await;

    measured(report, &stack, 10_000, 2_000).await;
    measured(report, &stack, 1_000_000, 100_000).await;
}

async fn measured(report: &mut Report, stack: &Stack, rows: usize, users: usize) {
    let pid = stack.function_pids()[0];
    let (before, start) = (cpu(pid), Instant::now());
    let job = stack.append("measured.csv", file(rows, users, rows)).await;
    let (elapsed, used) = (start.elapsed().as_secs_f64(), cpu(pid).saturating_sub(before).as_secs_f64());
    let progress = job.progress;
    assert_eq!((job.counts.rows(), job.counts.applied), (rows as u64, rows as u64), "{job:?}");
    report.section(&format!("A job of {rows} rows over {users} users"));
    report.figure("from drop to end", elapsed, "s");
    let calls = count(progress.table_calls);
    report.target("HTTP calls to DynamoDB for users", calls, count(users) / 20.0, "calls", false);
    report.target(
        "write statements per changed user",
        count(progress.statements) / count(progress.users_changed),
        1.0,
        "",
        false,
    );
    report.target("processor time of the function", used * 1e6 / count(rows), 50.0, "µs/row", false);
    report.target("peak memory of the function", peak_megabytes(pid), 200.0, "MB", false);

    let again = stack.append("measured.csv", file(rows, users, rows)).await;
    assert_eq!(again.counts.unchanged, rows as u64);
    report.target(
        "write statements when the same file is dropped again",
        count(again.progress.statements),
        0.0,
        "",
        false,
    );
}

/// Rows spread over the users; each gives its user one new number. `salt` keeps the numbers of two files apart.
fn file(rows: usize, users: usize, salt: usize) -> String {
    let mut file = "Login ID,Allowed Caller ID\n".to_owned();
    for row in 0..rows {
        let number = 9_000_000_000_usize + row / users + salt;
        file.push_str(&format!("user{},+91{number}\n", row % users + 1));
    }
    file
}
