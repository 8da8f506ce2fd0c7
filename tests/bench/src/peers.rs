//! The append beside what somebody would write with boto3: against the same engine, and against a stub of the service.

use e2e::Stack;

use crate::{
    Scale,
    append::{Run, append_measured, stack_behind, start_function},
    count,
    file::file,
    middle,
    peer::{Peer, PeerRun},
    report::Report,
    stub::{Behaviour, LATENCY, Stub},
};

/// Runs of each, by turns.
const ROUNDS: usize = 3;
/// Rows and users.
const SMALL: (usize, usize) = (10_000, 2_000);
const LARGE: (usize, usize) = (100_000, 10_000);

/// One file, appended by both several times.
struct Pair {
    ours: Vec<Run>,
    theirs: Vec<PeerRun>,
}

pub(crate) async fn run(report: &mut Report, scale: Scale) {
    report.section("The append beside Python with boto3");
    let peer = Peer::set_up_or_say(report);
    let peer = peer.as_ref();
    report.say(&format!(
        "Both append the same new numbers; runs alternate, medians of {ROUNDS}. Ours: from the drop of the file to the end of its \
         job, with reading users, plans, results and record. The peer: from reading its file on disk to its list of failures, one \
         UpdateItem a user from 16 threads, and nothing of the rest. Starting processes is in neither. Processor time is that of \
         the function's and of Python's process."
    ));

    let mut rows = Vec::new();
    let stack = Stack::start(&[]).await;
    stack.create_users(scale.of(LARGE.1)).await;
    start_function(&stack).await;
    let endpoint = stack.endpoints().dynamodb;
    for (number, size) in [SMALL, LARGE].into_iter().enumerate() {
        let pair = pair(&stack, peer, (&endpoint, None), scale.size(size), (number + 1) * 100).await;
        rows.push(pair.row("local engine", scale.size(size)));
    }
    drop(stack);

    let stub = Stub::start().await;
    let stack = stack_behind(&stub).await;
    stub.begin(1, Behaviour::default());
    start_function(&stack).await;
    let size = scale.size(LARGE);
    let untroubled = pair(&stack, peer, (&stub.url, Some(&stub)), size, 1).await;
    let name = format!("stub, {} ms", LATENCY.as_millis());
    rows.push(untroubled.row(&name, size));
    report.table(
        &["table", "rows", "users", "rows/s", "peer's", "times", "processor µs/row", "peer's", "times less"],
        &rows,
    );
    if let Some(run) = untroubled.theirs.first() {
        report.say(&format!("The peer is {}.", run.versions));
        let (rates, costs) = (untroubled.rates(size.0), untroubled.costs(size.0));
        report.target("on the stub: rows/s over the peer's", rates[0] / rates[1], 4.0, "times", true);
        report.target("on the stub: the peer's processor time over ours", costs[1] / costs[0], 10.0, "times", true);
    }
    cost(report, (&stack, &stub), peer, size).await;
}

/// Appends a file by turns. On the stub each begins with users without numbers; on an engine it gets other numbers each time.
async fn pair(
    stack: &Stack,
    peer: Option<&Peer>,
    (endpoint, stub): (&str, Option<&Stub>),
    (rows, users): (usize, usize),
    first_round: usize,
) -> Pair {
    let mut pair = Pair { ours: Vec::new(), theirs: Vec::new() };
    for round in 0..ROUNDS {
        let begin = || _ = stub.map(|stub| stub.begin(users, Behaviour::default()));
        begin();
        let run = append_measured(stack, file(rows, users, first_round + 2 * round)).await;
        assert_eq!(run.job.counts.applied, rows as u64, "{:?}", run.job);
        pair.ours.push(run);
        if let Some(peer) = peer {
            begin();
            let run = peer.append(stack, endpoint, &file(rows, users, first_round + 2 * round + 1)).await;
            assert_eq!((run.rows, run.failed), (rows, 0), "the peer appends everything");
            pair.theirs.push(run);
        }
    }
    pair
}

impl Pair {
    /// Rows a second of both.
    fn rates(&self, rows: usize) -> [f64; 2] {
        let ours = self.ours.iter().map(|run| run.seconds).collect();
        let theirs = self.theirs.iter().map(|run| run.seconds).collect();
        [ours, theirs].map(|seconds| count(rows) / middle(seconds))
    }

    /// Processor time of both in µs a row. The kernel counts hundredths of a second: over all runs, since one takes few of them.
    fn costs(&self, rows: usize) -> [f64; 2] {
        let ours: f64 = self.ours.iter().map(|run| run.cpu_seconds).sum();
        let theirs: f64 = self.theirs.iter().map(|run| run.cpu_seconds).sum();
        [ours / count(self.ours.len()), theirs / count(self.theirs.len())].map(|seconds| seconds * 1e6 / count(rows))
    }

    fn row(&self, table: &str, (rows, users): (usize, usize)) -> Vec<String> {
        let (rates, costs) = (self.rates(rows), self.costs(rows));
        let mut row = vec![table.to_owned(), rows.to_string(), users.to_string()];
        row.extend([format!("{:.0}", rates[0]), format!("{:.0}", rates[1]), format!("{:.1}", rates[0] / rates[1])]);
        row.extend([format!("{:.2}", costs[0]), format!("{:.1}", costs[1]), format!("{:.1}", costs[1] / costs[0])]);
        row
    }
}

/// What the table is paid for a file, and for the same file once more.
async fn cost(report: &mut Report, (stack, stub): (&Stack, &Stub), peer: Option<&Peer>, (rows, users): (usize, usize)) {
    report.section("What the table is paid");
    stub.begin(users, Behaviour::default());
    let file = file(rows, users, 1);
    append_measured(stack, file.clone()).await;
    let served = stub.served();
    report.target("write units per changed user", count(served.write_units) / count(users), 1.0, "", false);
    let (write, read) = (price("w"), price("r"));
    let millions = 1e6 / count(rows);
    let (writes, reads) = (count(served.write_units) * millions, count(served.reads) * millions);
    let dollars = (writes * write + reads * read) / 1e6;
    report.say(&format!(
        "Counted at the stub: {} write units and {} reads of users for {rows} rows over {users} users. A million rows of that kind: \
         {writes:.0} × {write} + {reads:.0} × {read} per million = **{dollars:.4} dollars**. The prices are those of infra/docs/cost.md, \
         which also has what isn't the table's.",
        served.write_units, served.reads
    ));
    stub.count_anew();
    let again = append_measured(stack, file.clone()).await;
    assert_eq!(again.job.counts.unchanged, rows as u64, "{:?}", again.job);
    report.target("writes when the same file is dropped again", count(stub.served().writes), 0.0, "", false);
    if let Some(peer) = peer {
        stub.count_anew();
        peer.append(stack, &stub.url, &file).await;
        report.figure("the peer's writes when it appends the same file again", count(stub.served().writes), "");
    }
}

/// The price that `infra/docs/cost.md` calls so, in dollars per million.
fn price(name: &str) -> f64 {
    let doc = include_str!("../../../infra/docs/cost.md");
    let row = doc.lines().find_map(|line| line.strip_prefix(&format!("| `{name}` | "))).expect("the price");
    row.split(" per million").next().and_then(|price| price.parse().ok()).expect("a price per million")
}
