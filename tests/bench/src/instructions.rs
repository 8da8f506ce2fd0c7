//! What work takes in instructions, as valgrind's callgrind counts them: unlike times they are the same in every run, so that a change of
//! them is a change of the program. What the kernel does isn't among them.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use e2e::Stack;
use rollcall_model::account::AccountId;
use rollcall_storage::{connect::Aws, directory::Directory};
use tokio::runtime;

use crate::{
    count,
    lambda::{Lambda, call},
    read,
    report::Report,
    start::{binary, in_lambda, table_of},
};

/// The word that has this program do work to be counted, and nothing else.
pub(crate) const COUNTED: &str = "counted";
/// Calls before anything is counted, and calls that are.
const WARM: usize = 20;
const CALLS: usize = 200;
/// Rows that are counted, after as many that name everybody once.
const ROWS: usize = 100_000;
/// How much more than the last report says is a regression.
const REGRESSION: f64 = 1.10;

pub(crate) async fn run(report: &mut Report, last: &str) {
    report.section("Instructions");
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        report.say("**valgrind is not installed, so nothing is counted.**");
        return;
    }
    report.say(
        "Counted by valgrind's callgrind, without the kernel's, as the difference between a long and a short run. *An event that asks for \
         nothing* goes all the way of a request, from the runtime's API to the routes and the log, and is answered without the table. *The SDK's \
         bare read* is a program that reads the user and does nothing else; valgrind's processor has no instructions for SHA-256, so signing is more of it than on a real one. What is left of a read of a user is our own: the user's item made a \
         value, the value made an answer, and its tag.",
    );
    let stack = Stack::start(&[]).await;
    stack.create_users(1).await;
    let of_call = async |route, path, scope, wanted| {
        let counts = [WARM, WARM + CALLS].map(|calls| (calls, call(&stack, route, path, scope)));
        let [(short, one), (long, other)] = counts;
        let short = function(&stack, Lambda::start(one, wanted, short, Duration::ZERO).await, short).await;
        let long = function(&stack, Lambda::start(other, wanted, long, Duration::ZERO).await, long).await;
        count(long - short) / count(CALLS)
    };
    let users = "rollcall/users.read";
    let whole = of_call("/v1/users/{login}", "/v1/users/user1", users, "\"statusCode\":200").await;
    let nothing = of_call("/v1/nothing", "/v1/nothing", users, "\"statusCode\":404").await;
    let check = "/v1/users/{login}/caller-ids/{number}";
    let asked = "/v1/users/user1/caller-ids/+919876500001";
    let checked = of_call(check, asked, "rollcall/dial.check", "\"statusCode\":200").await;
    let bare = {
        let of = async |reads: usize| ours(&stack, &["reads", &reads.to_string(), stack.account.as_str()]).await;
        count(of(WARM + CALLS).await - of(WARM).await) / count(CALLS)
    };
    let mut rows = Vec::new();
    for account in ["reader", "inventory", "free"] {
        let of = async |work: &str, rows: usize| ours(&stack, &["rows", work, &rows.to_string()]).await;
        let more = async |work: &str| of(work, 2 * ROWS).await - of(work, ROWS).await;
        rows.push(count(more(account).await - more("none").await) / count(ROWS));
    }

    let mut kept = Kept { report, last, worst: 1.0 };
    kept.figure("a user is read", whole / 1e3, "thousand");
    kept.figure("of it an event that asks for nothing", nothing / 1e3, "thousand");
    kept.figure("of it the SDK's bare read", bare / 1e3, "thousand");
    kept.figure("of it our own", (whole - nothing - bare) / 1e3, "thousand");
    kept.figure("a number is checked", checked / 1e3, "thousand");
    kept.figure("a row is read, normalised and grouped: account with an inventory", rows[1], "");
    kept.figure("of it the row and its cells", rows[0], "");
    kept.figure("a row is read, normalised and grouped: account without one", rows[2], "");
    let Kept { last, worst, report } = kept;
    if last.is_empty() {
        report.say("The last report has no such figures.");
    } else {
        report.target("the largest over that of the last report", worst, REGRESSION, "times", false);
    }
}

/// Figures beside those of the last report.
struct Kept<'a> {
    report: &'a mut Report,
    last: &'a str,
    worst: f64,
}

impl Kept<'_> {
    fn figure(&mut self, what: &str, figure: f64, unit: &str) {
        self.report.figure(what, figure, unit);
        let line = self.last.lines().find_map(|line| line.strip_prefix(&format!("| {what} | ")));
        if let Some(last) = line.and_then(|line| line.split(' ').next()?.parse::<f64>().ok()) {
            self.worst = self.worst.max(figure / last);
        }
    }
}

/// The section of the report in the tree.
pub(crate) fn last() -> String {
    let report = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/REPORT.md")).unwrap_or_default();
    let section = report.split_once("\n## Instructions\n").map(|(_, rest)| rest).unwrap_or_default();
    section.split("\n## ").next().unwrap_or_default().to_owned()
}

/// Instructions of a function's whole life, until it has answered so many calls.
async fn function(stack: &Stack, mut lambda: Lambda, calls: usize) -> u64 {
    let mut command = under_valgrind(&binary("users-api"), |command| in_lambda(command, &lambda.address));
    command.envs(table_of(stack, &stack.endpoints().dynamodb));
    let process = command.spawn().expect("valgrind starts");
    for _ in 0..=calls {
        lambda.sign().await;
    }
    // Its answer is on its way when the sign comes.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(Command::new("kill").arg(process.id().to_string()).status().is_ok_and(|status| status.success()));
    collected(process.wait_with_output().expect("valgrind ends").stderr)
}

/// Instructions that this program takes for some work.
async fn ours(stack: &Stack, work: &[&str]) -> u64 {
    let mut program = Command::new(std::env::current_exe().expect("this program"));
    program.arg(COUNTED).args(work);
    let mut command = under_valgrind(&program, |command| in_lambda(command, ""));
    command.envs(table_of(stack, &stack.endpoints().dynamodb));
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("it is waited for");
    collected(output.expect("valgrind starts").stderr)
}

fn under_valgrind(program: &Command, prepare: impl FnOnce(Command) -> Command) -> Command {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program.get_program());
    command.args(program.get_args());
    let mut command = prepare(command);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).stderr(Stdio::piped());
    command
}

/// What callgrind says at the end: `==1== Collected : 123`.
fn collected(said: Vec<u8>) -> u64 {
    let said = String::from_utf8(said).expect("text");
    let count = said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    count.unwrap_or_else(|| panic!("callgrind has counted nothing: {said}"))
}

/// Does work that is to be counted.
pub(crate) fn work(arguments: &[String]) {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["reads", reads, account] => {
            bare_reads(reads.parse().expect("a number"), &account.parse().expect("an account"));
        }
        ["rows", account, rows] => {
            let file = read::counted(rows.parse().expect("a number"));
            match account {
                "reader" => drop(read::rows_of_reader(&file)),
                "inventory" => drop(read::users_of(&file, &read::inventory())),
                "free" => drop(read::users_of(&file, &[])),
                _ => {}
            }
        }
        _ => panic!("there is no such work: {words:?}"),
    }
}

fn bare_reads(reads: usize, account: &AccountId) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let table = std::env::var("TABLE_NAME").expect("the table");
        let directory = Directory::new(&Aws::from_env().await, &table);
        for _ in 0..reads {
            directory.user(account, "user1").await.expect("the table answers").expect("the user is there");
        }
    });
}
