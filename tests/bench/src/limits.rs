//! The append at a table that puts off, or loses answers, beside what somebody would write with boto3.

use std::time::Instant;

use e2e::Stack;

use crate::{
    Scale,
    append::{append_measured, stack_behind, start_function},
    count,
    file::file,
    middle,
    peer::Peer,
    process::cpu,
    report::Report,
    stub::{Behaviour, Stub},
};

/// Where a new table on demand begins, and one that has been warmed; and users of the file that meets each limit: some 15 s at the best.
const LIMITED: [(f64, usize); 2] = [(4_000.0, 60_000), (20_000.0, 300_000)];
/// Out of a thousand.
const TROUBLE: Behaviour = Behaviour { writes_per_second: None, throttled: 300, dropped: 20 };
/// Rows and users of the file that meets trouble.
const TROUBLED: (usize, usize) = (100_000, 10_000);
/// Runs with and without trouble, by turns.
const ROUNDS: usize = 3;
/// The peer gets so much less: it takes minutes where ours takes seconds.
const PEERS_SHARE: usize = 5;

pub(crate) async fn run(report: &mut Report, scale: Scale) {
    let stub = Stub::start().await;
    let stack = stack_behind(&stub).await;
    let peer = Peer::set_up_or_say(report);
    let peer = peer.as_ref();
    for (rate, users) in LIMITED {
        limited(report, (&stack, &stub), peer, (rate, scale.of(users))).await;
    }
    troubled(report, (&stack, &stub), peer, scale.size(TROUBLED)).await;
}

/// A table that takes so many writes a second.
async fn limited(
    report: &mut Report,
    (stack, stub): (&Stack, &Stub),
    peer: Option<&Peer>,
    (writes_per_second, users): (f64, usize),
) {
    let behaviour = Behaviour { writes_per_second: Some(writes_per_second), ..Behaviour::default() };
    report.section(&format!("A table that takes {writes_per_second} writes a second"));
    report.say(&format!(
        "The stub puts off, statement by statement, what exceeds that. {users} users with one row each; the peer has {} and one run. \
         Of what was written, the burst that the table had saved up is taken off: one second's worth. The function has one thread, \
         and shares this machine with the stub: where the two processors are used up, they bound it, and not the table.",
        users / PEERS_SHARE
    ));
    stub.begin(1, Behaviour::default());
    start_function(stack).await;
    stub.begin(users, behaviour);
    let (here, start) = (cpu(std::process::id()), Instant::now());
    let run = append_measured(stack, file(users, users, 1)).await;
    let of_stub = cpu(std::process::id()).saturating_sub(here).as_secs_f64() / start.elapsed().as_secs_f64();
    let served = stub.served();
    assert_eq!((run.job.counts.applied, stub.numbers()), (users as u64, users), "{:?}", run.job);
    let writes = count(served.writes);
    let rate = (writes - writes_per_second) / served.seconds();
    report.target("writes taken, of what the table takes", rate / writes_per_second * 100.0, 90.0, "%", true);
    let share = count(served.throttled) / (writes + count(served.throttled)) * 100.0;
    report.target("statements put off", share, 5.0, "%", false);
    report.figure("processors that the function used", run.cpu_seconds / run.seconds, "");
    report.figure("processors that the stub used", of_stub, "");
    report.figure("the function's processor time", run.cpu_seconds * 1e6 / count(users), "µs/user");
    if let Some(peer) = peer {
        let users = users / PEERS_SHARE;
        stub.begin(users, behaviour);
        peer.append(stack, &stub.url, &file(users, users, 1)).await;
        let served = stub.served();
        report.figure(
            "the peer's writes a second, the burst among them",
            count(served.writes) / served.seconds(),
            "/s",
        );
    }
}

/// A table that puts off writes by chance and loses answers.
async fn troubled(
    report: &mut Report,
    (stack, stub): (&Stack, &Stub),
    peer: Option<&Peer>,
    (rows, users): (usize, usize),
) {
    report.section("30 % of statements throttled, 2 % of answers lost");
    report.say(&format!(
        "By chance, however slowly one asks, beside a table that does neither. {rows} rows, {users} users; runs alternate, medians of \
         {ROUNDS}, each by a process of its own. The peer has one run of each, of a {PEERS_SHARE}th of the rows."
    ));
    let mut seconds = [const { Vec::new() }; 2];
    let mut lost = 0;
    for _ in 0..ROUNDS {
        for (seconds, behaviour) in seconds.iter_mut().zip([Behaviour::default(), TROUBLE]) {
            stub.begin(1, Behaviour::default());
            // One that doesn't remember a table that took so little.
            start_function(stack).await;
            stub.begin(users, behaviour);
            let run = append_measured(stack, file(rows, users, 1)).await;
            assert_eq!(run.job.counts.applied, rows as u64, "{:?}", run.job);
            seconds.push(run.seconds);
            lost += rows - stub.numbers();
        }
    }
    let [untroubled, troubled] = seconds.map(|seconds| count(rows) / middle(seconds));
    report.target("numbers lost", count(lost), 0.0, "", false);
    report.figure("rows/s without trouble", untroubled, "/s");
    report.figure("rows/s", troubled, "/s");
    report.target("of the untroubled rate", troubled / untroubled * 100.0, 50.0, "%", true);
    if let Some(peer) = peer {
        let (rows, users) = (rows / PEERS_SHARE, users / PEERS_SHARE);
        let mut rates = Vec::new();
        for behaviour in [Behaviour::default(), TROUBLE] {
            stub.begin(users, behaviour);
            let run = peer.append(stack, &stub.url, &file(rows, users, 1)).await;
            rates.push(count(run.rows) / run.seconds);
            if behaviour.dropped > 0 {
                report.figure("the peer: numbers lost", count(rows - stub.numbers()), "");
                report.figure("the peer: users whom it reports as failed", count(run.failed), "");
            }
        }
        report.figure("the peer: rows/s", rates[1], "/s");
        report.figure("the peer: of its untroubled rate", rates[1] / rates[0] * 100.0, "%");
    }
}
