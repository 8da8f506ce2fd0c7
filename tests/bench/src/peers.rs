//! The append beside what somebody would write with the vendor's SDK: against the same engine, and against a stub of the service.

use std::time::{Duration, Instant};

use e2e::Stack;
use rollcall_engine::world::{ListNumbers, Lists, TableUsage, Users};
use rollcall_model::audit::Actor;
use rollcall_storage::{
    connect::{Aws, LocalStack},
    directory::Directory,
};
use tokio::runtime;

use crate::{
    Scale,
    append::{append_measured, stack_behind, start_function},
    count,
    file::{by_user, file},
    middle,
    peer::Peer,
    process::cpu,
    report::Report,
    stub::{Behaviour, LATENCY, Stub},
};

/// Runs of each, by turns.
const ROUNDS: usize = 3;
/// Rows and users.
const SMALL: (usize, usize) = (10_000, 2_000);
const LARGE: (usize, usize) = (100_000, 10_000);
/// Longest that the bare statements may take.
const TIMEOUT: Duration = Duration::from_mins(5);

const JOB: &str = "Rollcall, the whole job";
const STATEMENTS: &str = "its statements alone";
const READS: &str = "its reads alone";

/// Who appends a file.
#[derive(Clone, Copy)]
enum Who<'a> {
    Job,
    Alone(Part),
    Peer(&'a Peer),
}

impl Who<'_> {
    fn name(self) -> &'static str {
        match self {
            Self::Job => JOB,
            Self::Alone(Part::Statements) => STATEMENTS,
            Self::Alone(Part::Reads) => READS,
            Self::Peer(peer) => peer.name,
        }
    }
}

/// What of a job is done by itself.
#[derive(Clone, Copy)]
enum Part {
    Statements,
    Reads,
}

/// One of them, with how long each run took, in seconds, and what it used of a processor.
struct Contender<'a> {
    who: Who<'a>,
    seconds: Vec<f64>,
    cpu_seconds: Vec<f64>,
}

pub(crate) async fn run(report: &mut Report, scale: Scale) {
    report.section("The append beside clients of the vendor's SDKs");
    let peers = Peer::all_or_say(report);
    report.say(&format!(
        "All append the same rows of new numbers; runs alternate, medians of {ROUNDS}. *{JOB}*: from the drop of the file to the end of its job, \
         in which it reads every user, decides and keeps plans, judges every row, writes results and a record; one processor. *{STATEMENTS}*: \
         the same writes by our own client, without a file, a read, a plan or a report. *{READS}*: those of the same users. *Python, a request a user*: from reading its file on disk \
         to its list of failures, one UpdateItem a user from 16 threads. *25 statements a request*: the same with statements as ours, 16 requests \
         in flight, and what the table puts off repeated. None of the peers knows users, policies or limits, or survives its death. Starting \
         processes is in none. Processor time is that of the function's process, and of the client's."
    ));

    let mut rows = Vec::new();
    let stack = Stack::start(&[]).await;
    stack.create_users(scale.of(LARGE.1)).await;
    start_function(&stack).await;
    let endpoint = stack.endpoints().dynamodb;
    for (number, size) in [SMALL, LARGE].into_iter().enumerate() {
        let all = contend(&stack, &peers, (&endpoint, None), scale.size(size), (number + 1) * 100).await;
        rows.extend(all.iter().map(|one| one.row(&all[0], "local engine", scale.size(size))));
        if size == LARGE {
            let [job, statements, reads] = [&all[0], &all[1], &all[2]].map(Contender::time);
            let what = "local engine: the job's time over that of its statements";
            if !report.target(what, job / statements, 1.1, "times", false) {
                report.missed_because(&format!(
                    "the engine works on one request at a time, so that reads can't hide behind writes: they alone take {:.2} of the \
                     statements' time. Engine and function have two processors together.",
                    reads / statements
                ));
            }
        }
    }
    drop(stack);

    let stub = Stub::start().await;
    let stack = stack_behind(&stub).await;
    stub.begin(1, Behaviour::default());
    start_function(&stack).await;
    let size = scale.size(LARGE);
    let all = contend(&stack, &peers, (&stub.url, Some(&stub)), size, 1).await;
    let name = format!("stub, {} ms", LATENCY.as_millis());
    rows.extend(all.iter().map(|one| one.row(&all[0], &name, size)));
    report.table(
        &[
            "table",
            "rows",
            "users",
            "who",
            "rows/s",
            "the job's over it",
            "processor µs/row",
            "over the job's",
            "seconds",
        ],
        &rows,
    );
    let [job, statements] = [&all[0], &all[1]];
    let mut met = true;
    for one in &all {
        let Who::Peer(peer) = one.who else { continue };
        let faster = one.time() / job.time();
        let (times, less) = if peer.batches { (3.0, 4.0) } else { (4.0, 10.0) };
        met &= report.target(&format!("on the stub: rows/s over {}", peer.name), faster, times, "times", true);
        let cheaper = one.cost(size.0) / job.cost(size.0);
        let what = format!("on the stub: processor time of {} over ours", peer.name);
        met &= report.target(&what, cheaper, less, "times", true);
    }
    if !met {
        report.missed_because(&format!(
            "{STATEMENTS} take {:.2} of the seconds and {:.0} % of the processor time of the job, so that a job which did nothing else would \
             be {:.1} times as fast. The rest is what the peers don't do: the file is read twice and from the bucket, every user is read, plans \
             are kept before they are carried out, and every row gets its result.",
            statements.time() / job.time(),
            statements.cost(size.0) / job.cost(size.0) * 100.0,
            job.time() / statements.time(),
        ));
    }
    cost(report, (&stack, &stub), peers.first(), size).await;
}

/// Appends a file by turns. On the stub each begins with users without numbers; on an engine it gets other numbers each time.
async fn contend<'a>(
    stack: &Stack,
    peers: &'a [Peer],
    (endpoint, stub): (&str, Option<&Stub>),
    (rows, users): (usize, usize),
    first_round: usize,
) -> Vec<Contender<'a>> {
    let who = [Who::Job, Who::Alone(Part::Statements), Who::Alone(Part::Reads)]
        .into_iter()
        .chain(peers.iter().map(Who::Peer));
    let mut all: Vec<_> = who.map(|who| Contender { who, seconds: Vec::new(), cpu_seconds: Vec::new() }).collect();
    let mut salt = first_round;
    for _ in 0..ROUNDS {
        for one in &mut all {
            _ = stub.map(|stub| stub.begin(users, Behaviour::default()));
            let (seconds, cpu_seconds) = match one.who {
                Who::Job => {
                    let run = append_measured(stack, file(rows, users, salt)).await;
                    assert_eq!(run.job.counts.applied, rows as u64, "{:?}", run.job);
                    (run.seconds, run.cpu_seconds)
                }
                Who::Alone(part) => alone(part, stack, endpoint, (rows, users), salt).await,
                Who::Peer(peer) => {
                    let run = peer.append(stack, endpoint, &file(rows, users, salt)).await;
                    assert_eq!((run.rows, run.failed), (rows, 0), "{} appends everything", run.versions);
                    (run.seconds, run.cpu_seconds)
                }
            };
            one.seconds.push(seconds);
            one.cpu_seconds.push(cpu_seconds);
            salt += 1;
        }
    }
    all
}

/// The statements or the reads of such a file's job and nothing else, by a thread as the function has one. On the stub, which is of this
/// process, the processor's time is not the client's alone.
async fn alone(part: Part, stack: &Stack, endpoint: &str, (rows, users): (usize, usize), round: usize) -> (f64, f64) {
    let wanted = by_user(rows, users, round);
    let (account, table) = (stack.account.clone(), stack.output("TableName").to_owned());
    let endpoints = LocalStack { dynamodb: endpoint.to_owned(), ..stack.endpoints() };
    let work = move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let directory = Directory::new(&Aws::local(endpoints).await, &table);
            let additions: Vec<ListNumbers<'_>> =
                wanted.iter().map(|(login, numbers)| ListNumbers { login, created: None, numbers }).collect();
            let logins: Vec<&str> = wanted.iter().map(|(login, _)| login.as_str()).collect();
            let (start, before) = (Instant::now(), cpu(std::process::id()));
            let until = tokio::time::Instant::now() + TIMEOUT;
            let usage = &mut TableUsage::default();
            match part {
                Part::Statements => {
                    let done = directory.add_caller_ids(&account, &additions, None, &Actor::Bucket, until, usage).await;
                    let done = done.expect("the table answers");
                    assert!(done.outdated.is_empty() && done.too_large.is_empty(), "everybody is appended to");
                }
                Part::Reads => {
                    let found = directory.find_users(&account, &logins, until, usage).await.expect("the table answers");
                    assert_eq!(found.len(), users, "everybody is there");
                }
            }
            (start.elapsed().as_secs_f64(), cpu(std::process::id()).saturating_sub(before).as_secs_f64())
        })
    };
    tokio::task::spawn_blocking(work).await.expect("the work comes to an end")
}

impl Contender<'_> {
    /// Seconds of the middle run.
    fn time(&self) -> f64 {
        middle(self.seconds.clone())
    }

    /// Processor time in µs a row. The kernel counts hundredths of a second: over all runs, since one takes few of them.
    fn cost(&self, rows: usize) -> f64 {
        self.cpu_seconds.iter().sum::<f64>() / count(self.cpu_seconds.len()) * 1e6 / count(rows)
    }

    fn row(&self, job: &Self, table: &str, (rows, users): (usize, usize)) -> Vec<String> {
        let rate = |one: &Self| count(rows) / one.time();
        let mut row = vec![table.to_owned(), rows.to_string(), users.to_string(), self.who.name().to_owned()];
        row.extend([format!("{:.0}", rate(self)), format!("{:.2}", rate(job) / rate(self))]);
        row.extend([format!("{:.2}", self.cost(rows)), format!("{:.1}", self.cost(rows) / job.cost(rows))]);
        row.push(self.seconds.iter().map(|seconds| format!("{seconds:.2}")).collect::<Vec<_>>().join(" "));
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
