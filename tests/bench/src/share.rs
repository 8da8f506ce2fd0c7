//! Jobs of many accounts at once: how they share the table, and how long a small file waits behind large ones.

use std::time::Instant;

use futures_util::future::join_all;
use rollcall_model::account::AccountId;

use crate::{
    Scale,
    append::{drop_for, ended, stack_of},
    count,
    file::file,
    middle,
    report::Report,
    stub::{Behaviour, Stub},
};

/// Where a new table on demand begins.
const WRITES_PER_SECOND: f64 = 4_000.0;
/// Jobs that the function works on at once, by the template.
const AT_ONCE: usize = 10;
/// Users of the file of one account, and of those of the others.
const LARGE: usize = 200_000;
const SMALL: usize = 8_000;
/// Seconds of an invocation, and of one of a hundredth of the files.
const INVOCATION: [u64; 2] = [60, 5];
/// Users of each of the files that take all places, and of the one that comes behind them.
const BEFORE: usize = 60_000;
const BEHIND: usize = 100;

pub(crate) async fn run(report: &mut Report, scale: Scale) {
    let behaviour = Behaviour { writes_per_second: Some(WRITES_PER_SECOND), ..Behaviour::default() };
    let (large, small) = (scale.of(LARGE), scale.of(SMALL));
    let invocation = INVOCATION[usize::from(scale.divisor > 1)];
    let stub = Stub::start().await;
    let stack = stack_of(&stub, invocation).await;
    report.section(&format!("{AT_ONCE} jobs of {AT_ONCE} accounts at once"));
    report.say(&format!(
        "One with {large} users, and {} with {small} each, dropped right behind it, at a table that takes {WRITES_PER_SECOND} writes a second. \
         A fair share is a tenth of that for each; a job has it when it takes {:.1} s.",
        AT_ONCE - 1,
        count(small * AT_ONCE) / WRITES_PER_SECOND,
    ));
    stub.begin(large, behaviour);
    let start = Instant::now();
    let jobs = (0..AT_ONCE).map(|at| {
        let (stack, account) = (&stack, account(at));
        async move {
            let users = if at == 0 { large } else { small };
            let id = drop_for(stack, &account, file(users, users, at + 1)).await;
            let job = ended(stack, &account, &id).await;
            assert_eq!(job.counts.applied, users as u64, "{job:?}");
            start.elapsed().as_secs_f64()
        }
    });
    let seconds = join_all(jobs).await;
    let (of_large, of_small) = (seconds[0], &seconds[1..]);
    let slowest = of_small.iter().copied().fold(0.0, f64::max);
    report.figure("the large one's seconds", of_large, "s");
    report.figure("a small one's seconds, the median", middle(of_small.to_vec()), "s");
    report.figure("the slowest small one's seconds", slowest, "s");
    let fair = count(small * AT_ONCE) / WRITES_PER_SECOND;
    report.target("the slowest over its fair share", slowest / fair, 2.0, "times", false);
    let served = stub.served();
    let rate = (count(served.writes) - WRITES_PER_SECOND) / served.seconds();
    report.target("of what the table takes, all together", rate / WRITES_PER_SECOND * 100.0, 80.0, "%", true);

    let before = scale.of(BEFORE);
    report.section("A small file behind more large ones than are worked on at once");
    report.say(&format!(
        "{} files of {before} users, each of an account of its own, then one of {BEHIND} users. Invocations take {invocation} s at most; \
         a job that isn't done by then goes on behind the others.",
        AT_ONCE + 1
    ));
    stub.begin(before.max(BEHIND), behaviour);
    let mut waiting = Vec::new();
    for at in 0..=AT_ONCE {
        let account = account(at);
        waiting.push((drop_for(&stack, &account, file(before, before, at + 1)).await, account));
    }
    let (last, start) = (account(AT_ONCE + 1), Instant::now());
    let id = drop_for(&stack, &last, file(BEHIND, BEHIND, AT_ONCE + 2)).await;
    let job = ended(&stack, &last, &id).await;
    assert_eq!(job.counts.applied, BEHIND as u64, "{job:?}");
    let waited = start.elapsed().as_secs_f64();
    report.target("seconds until the small one has ended, in invocations", waited / count(invocation), 2.0, "", false);
    let mut invocations = Vec::new();
    for (id, account) in &waiting {
        let job = ended(&stack, account, id).await;
        assert_eq!(job.counts.applied, before as u64, "{job:?}");
        invocations.push(count(u64::from(job.attempts)));
    }
    report.figure("seconds until all have ended", start.elapsed().as_secs_f64(), "s");
    report.figure("invocations of a large one, the median", middle(invocations), "");
}

fn account(at: usize) -> AccountId {
    format!("account{at}").parse().expect("an account's name")
}
