//! The append at a table that puts off, or loses answers, beside what somebody would write with boto3.

use e2e::Stack;

use crate::{
    Scale,
    append::{append_measured, stack_behind, start_function},
    count,
    file::file,
    middle,
    peer::Peer,
    report::Report,
    stub::{Behaviour, Stub},
};

/// Where a new table on demand begins.
const WRITES_PER_SECOND: f64 = 4_000.0;
/// Users of the file that meets that limit: some 15 s at the best.
const LIMITED: usize = 60_000;
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
    stub.begin(1, Behaviour::default());
    start_function(&stack).await;
    let behaviour = Behaviour { writes_per_second: Some(WRITES_PER_SECOND), ..Behaviour::default() };
    let users = scale.of(LIMITED);
    report.section(&format!("A table that takes {WRITES_PER_SECOND} writes a second"));
    let peer = Peer::set_up_or_say(report);
    let peer = peer.as_ref();
    report.say(&format!(
        "The stub puts off, statement by statement, what exceeds that. {users} users with one row each; the peer has {} and one run. \
         Of what was written, the burst that the table had saved up is taken off: one second's worth.",
        users / PEERS_SHARE
    ));
    stub.begin(users, behaviour);
    let run = append_measured(&stack, file(users, users, 1)).await;
    let served = stub.served();
    assert_eq!((run.job.counts.applied, stub.numbers()), (users as u64, users), "{:?}", run.job);
    let writes = count(served.writes);
    let rate = (writes - WRITES_PER_SECOND) / served.seconds();
    report.target("writes taken, of what the table takes", rate / WRITES_PER_SECOND * 100.0, 90.0, "%", true);
    let share = count(served.throttled) / (writes + count(served.throttled)) * 100.0;
    report.target("statements put off", share, 5.0, "%", false);
    if let Some(peer) = peer {
        let users = users / PEERS_SHARE;
        stub.begin(users, behaviour);
        peer.append(&stack, &stub.url, &file(users, users, 1)).await;
        let served = stub.served();
        report.figure(
            "the peer's writes a second, the burst among them",
            count(served.writes) / served.seconds(),
            "/s",
        );
    }
    troubled(report, (&stack, &stub), peer, scale.size(TROUBLED)).await;
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
