//! The API on a local stack: gateway, function and engine together, from connections that are kept.

use std::{
    thread,
    time::{Duration, Instant},
};

use e2e::Stack;
use rollcall_storage::{connect::Aws, directory::Directory};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime,
    task::JoinSet,
};

use crate::{count, median, process::cpu, report::Report};

const USERS: usize = 1_000;
const CONNECTIONS: usize = 64;
/// Requests of one connection.
const REQUESTS: usize = 400;
/// Requests of one connection before anything is measured: what starts the functions, and their connections.
const WARMING: usize = 20;
/// Requests of a connection that is the only one.
const ALONE: usize = 5_000;
const STARTS: usize = 21;
const FUNCTION: &str = "users-api";

pub(crate) async fn run(report: &mut Report) {
    let stack = Stack::start(&[]).await;
    stack.create_users(USERS).await;
    let caller = stack.caller(&["--account", stack.account.as_str()]);
    let host = stack.output("ApiUrl").trim_start_matches("http://").to_owned();
    let token = caller.token().expect("a token").to_owned();

    report.section(&format!("The API, one user read through the gateway, {CONNECTIONS} connections"));
    report.say(
        "For each read the function asks for the event, asks the table for the user, and answers. What the SDK's own part of it costs on \
         this machine, the figure without an API tells: the same reads by a program that does nothing else.",
    );
    load(&host, &token, WARMING).await;
    let functions = stack.pids_of(FUNCTION);
    let used = || functions.iter().map(|pid| cpu(*pid)).sum::<Duration>();
    let (before, stack_before, own_before) = (used(), cpu(stack.pid()), cpu(std::process::id()));
    let start = Instant::now();
    let mut latencies = load(&host, &token, REQUESTS).await;
    let elapsed = start.elapsed();
    assert_eq!(functions, stack.pids_of(FUNCTION), "no function has started or ended meanwhile");
    let requests = latencies.len();
    latencies.sort_unstable();
    let p99 = latencies[latencies.len() * 99 / 100];
    report.target("requests", count(requests) / elapsed.as_secs_f64(), 1_500.0, "/s", true);
    report.target("99 of 100 take at most", p99.as_secs_f64() * 1e3, 50.0, "ms", false);
    let each = |used: Duration, reads: usize| used.as_secs_f64() * 1e6 / count(reads);
    let share = |used: Duration| each(used, requests);
    let many = share(used().saturating_sub(before));
    let met_by_many = report.target("processor time of the function", many, 300.0, "µs/read", false);
    report.figure("of gateway and engine", share(cpu(stack.pid()).saturating_sub(stack_before)), "µs/read");
    report.figure("of who asks", share(cpu(std::process::id()).saturating_sub(own_before)), "µs/read");
    report.figure("processes of the function", count(functions.len()), "");

    // Without anybody else in the way, as one process of Lambda works.
    let mut connection = Connection::open(&host).await;
    connection.ask(&request(&host, &token, 1)).await;
    let before = used();
    for index in 0..ALONE {
        connection.ask(&request(&host, &token, index % USERS + 1)).await;
    }
    let alone = each(used().saturating_sub(before), ALONE);
    let met_by_one = report.target("processor time of the function, one connection", alone, 300.0, "µs/read", false);
    report.figure("of the SDK's reads without an API", each(read_bare(&stack), ALONE), "µs/read");
    if !(met_by_many && met_by_one) {
        report.missed_because(
            "most of it is the SDK's request and Lambda's runtime. What is left to our own work, *Instructions* tells.",
        );
    }

    let mut starts = Vec::new();
    for _ in 0..STARTS {
        stack.kill_all(FUNCTION);
        while !stack.pids_of(FUNCTION).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let start = Instant::now();
        connection.ask(&request(&host, &token, 1)).await;
        starts.push(start.elapsed());
    }
    report.target(
        &format!("from process start to the first answer, median of {STARTS}"),
        median(starts) * 1e3,
        60.0,
        "ms",
        false,
    );
}

/// Processor time of [`ALONE`] reads of users by the SDK, on one thread, as the function has one.
fn read_bare(stack: &Stack) -> Duration {
    let read = || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let directory = Directory::new(&Aws::local(stack.endpoints()).await, stack.output("TableName"));
            let read = async |index: usize| {
                let user = directory.user(&stack.account, &format!("user{}", index % USERS + 1)).await;
                user.expect("the table answers").expect("the user is there");
            };
            read(0).await;
            let before = cpu(std::process::id());
            for index in 0..ALONE {
                read(index).await;
            }
            cpu(std::process::id()).saturating_sub(before)
        })
    };
    // Another runtime than the one that this is called from.
    thread::scope(|scope| scope.spawn(read).join()).expect("the reads come to an end")
}

/// Asks over every connection at once, and gives how long each answer took.
async fn load(host: &str, token: &str, requests: usize) -> Vec<Duration> {
    let mut connections = JoinSet::new();
    for number in 0..CONNECTIONS {
        let (host, token) = (host.to_owned(), token.to_owned());
        connections.spawn(async move {
            let mut connection = Connection::open(&host).await;
            let mut latencies = Vec::with_capacity(requests);
            for index in 0..requests {
                let request = request(&host, &token, (number * requests + index) % USERS + 1);
                let start = Instant::now();
                connection.ask(&request).await;
                latencies.push(start.elapsed());
            }
            latencies
        });
    }
    connections.join_all().await.concat()
}

fn request(host: &str, token: &str, user: usize) -> String {
    format!("GET /v1/users/user{user} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n")
}

/// A connection that is kept. It does little beside sending and receiving: what asks is not what is measured.
struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    async fn open(host: &str) -> Self {
        let stream = TcpStream::connect(host).await.expect("the gateway is there");
        stream.set_nodelay(true).expect("a connection");
        Self { stream, received: Vec::new() }
    }

    /// Sends a request and waits for its whole answer, which must be a good one.
    async fn ask(&mut self, request: &str) {
        self.stream.write_all(request.as_bytes()).await.expect("the request is sent");
        self.received.clear();
        loop {
            let read = self.stream.read_buf(&mut self.received).await.expect("an answer");
            assert_ne!(read, 0, "the gateway has hung up");
            let Some(end) = self.received.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&self.received[..end]);
            assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if self.received.len() >= end + 4 + length.expect("the length of the answer") {
                return;
            }
        }
    }
}
