//! Many users whose lists the phone system is told, at the rate that it takes.

use std::time::{Duration, Instant};

use e2e::{Smartflo, SmartfloTraps, Stack};

use crate::{Scale, count, process::peak_megabytes, report::Report};

/// Users of whom something is to be told.
const USERS: usize = 20_000;
/// Users in whose telling the rate is measured: some minutes, in more than one invocation.
const TOLD: usize = 240;
/// Users a second that the phone system can be told of: one of three of its calls is left to others.
const RATE: f64 = 2.0;
const NUMBER: &str = "+919876500001";
/// How often the phone system is asked how many it was told of.
const GLANCE: Duration = Duration::from_millis(100);
/// Longest that they are waited for.
const TIMEOUT: Duration = Duration::from_mins(20);

pub(crate) async fn run(report: &mut Report, scale: Scale) {
    let users = scale.of(USERS);
    let told = TOLD.min(users);
    let smartflo = Smartflo::start(SmartfloTraps { per_second: 3, page: 100, ..SmartfloTraps::default() }).await;
    // Who there is takes 200 calls, so 100 seconds; then some are told, and another invocation goes on.
    let url = format!("SmartfloUrl={}", smartflo.url);
    let stack = Stack::start(&[&url, "BulkTimeoutSeconds=150", "BulkVisibilitySeconds=900"]).await;
    Smartflo::connect(&stack).await;
    smartflo.buy(&[NUMBER]);
    stack.own(&[NUMBER]).await;
    stack.create_users(users).await;
    let ids: Vec<String> = (1..=users).map(|user| smartflo.hire(&format!("user{user}"))).collect();
    let file: String = (1..=users).map(|user| format!("user{user},{NUMBER}\n")).collect();
    let job = stack.append("all.csv", format!("Login ID,Allowed Caller ID\n{file}")).await;
    assert_eq!(job.counts.applied, users as u64, "{job:?}");

    let (start, mut first, mut peak, mut processes) = (Instant::now(), None, 0.0_f64, Vec::new());
    loop {
        tokio::time::sleep(GLANCE).await;
        for pid in stack.pids_of("push-lists") {
            peak = peak.max(peak_megabytes(pid));
            if !processes.contains(&pid) {
                processes.push(pid);
            }
        }
        let has = ids.iter().filter(|id| smartflo.caller_ids(id).is_some_and(|list| !list.is_empty())).count();
        if has > 0 && first.is_none() {
            first = Some((Instant::now(), has));
        }
        if has >= told {
            break;
        }
        assert!(start.elapsed() < TIMEOUT, "only {has} of {users} have been told");
    }
    let (from, before) = first.expect("somebody was told first");
    let rate = count(told - before) / from.elapsed().as_secs_f64();
    report.section(&format!("{users} changed users, and a phone system that takes three calls a second"));
    report.say(&format!(
        "Told are {told} of them, which is measured: all take {:.1} hours. Functions run for 150 seconds at a time; 100 of the first go to who there is.",
        count(users) / RATE / 3600.0
    ));
    report.target("users told a second, of the two that are possible", rate / RATE, 0.9, "times", true);
    report.target("peak memory of the function", peak, 128.0, "MB", false);
    report.figure("calls that the phone system put off", count(smartflo.throttled()), "");
    report.figure("processes that told", count(processes.len()), "");
}
