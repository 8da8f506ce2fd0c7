//! Files made to hurt: each ends in an error that names a line, in the memory that any file takes. `ROLLCALL_BOMB_MB` says how large.

use rollcall_engine::world::Bucket;
use std::fs;

use axum::http::Method;
use e2e::{Stack, how_much};
use rollcall_bulk::job::{Failure, Job, JobState};
use rollcall_model::code::FileCode;
use serde_json::json;

/// Megabytes of the large ones in the usual run: more than the memory that they may take.
const LARGE: u64 = 80;
/// Megabytes that a function may take, whatever the file.
const MOST_MEGABYTES: u64 = 64;

const HEADER_NAMES: &[u8] = b"Login ID,Allowed Caller ID";
const HEADER: &[u8] = b"Login ID,Allowed Caller ID\n";
const FEW_CELLS: &str = "COLUMN_COUNT";

/// A header, then this over and over.
fn large(piece: &[u8]) -> Vec<u8> {
    let size = usize::try_from(how_much("ROLLCALL_BOMB_MB", LARGE)).expect("a size") << 20;
    HEADER.iter().chain(piece.iter().cycle()).copied().take(size).collect()
}

/// The most memory that the stack's bulk appends have had of their own, in megabytes. Pages of the program's file aren't counted: the
/// kernel can drop them.
fn peak(stack: &Stack) -> u64 {
    let field = |pid: u32, name: &str| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the function runs");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a field");
        line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u64>().expect("a size") / 1_024
    };
    // What is mapped of files changes little after the start.
    let own = |pid| field(pid, "VmHWM").saturating_sub(field(pid, "RssFile"));
    stack.function_pids().into_iter().map(own).max().expect("a function has run")
}

/// The file's own fault, or the first failed row: code and line.
async fn told(stack: &Stack, job: &Job) -> (String, Option<u64>) {
    if let Some(Failure::File(fault)) = &job.failure {
        assert_eq!(job.state, JobState::Failed, "{job:?}");
        return (fault.code.as_str().to_owned(), fault.line);
    }
    assert_eq!((job.state, job.counts.unprocessed), (JobState::Finished, 0), "{job:?}");
    let failed = stack.report(job, "failed").await;
    (failed[0]["Error Code"].clone(), failed[0]["Line"].parse().ok())
}

/// Drops a file by a link, as a browser does, and waits for the end of its job.
async fn dropped(stack: &Stack, bytes: Vec<u8>) -> Job {
    let caller = stack.caller(&["--account", stack.account.as_str()]);
    let body = json!({ "kind": "append-caller-ids", "name": "bomb.csv", "size": bytes.len() }).to_string();
    let asked = caller.ask(Method::POST, "/v1/jobs", &[], body).await;
    let told = asked.json();
    let headers = told["headers"].as_object().expect("headers").iter();
    let headers: Vec<(&str, &str)> =
        headers.map(|(name, value)| (name.as_str(), value.as_str().expect("text"))).collect();
    let put = stack.stranger().fetch(Method::PUT, told["url"].as_str().expect("a link"), &headers, bytes).await;
    assert!(put.status.is_success(), "{}", put.text());
    stack.ended_asked(&asked).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bomb_ends_in_an_error_with_its_line_and_takes_no_more_memory_than_a_file() {
    let stack = Stack::start(&["MaxFileBytes=2000000000"]).await;
    stack.create_users(1).await;
    let malformed = FileCode::MalformedCsv.as_str();
    let too_wide = FileCode::TooManyColumns.as_str();
    let nobody = "USER_NOT_FOUND; NUMBER_INVALID";
    let row = |cell: &[u8], cells: usize| [b"nobody,1", &cell.repeat(cells)[..], b"\n"].concat();
    let bad_numbers = |count: usize| format!("nobody,{}\n", "1;".repeat(count)).into_bytes();
    let many = |cells: usize| [b"a".repeat(10), vec![b','; cells], b"\n".to_vec()].concat();
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcbLOW(\xd1\xe1*-N-2\xd4\x81\x92\x00\x92\xbfN\xb0".to_vec();
    let good = b"user1,9876543210\n".repeat(50);
    let bombs: Vec<(&str, Vec<u8>, &str, Option<u64>)> = vec![
        ("one line", large(b"a"), "MALFORMED_CSV", Some(2)),
        ("nulls", large(b"\0"), FileCode::EncodingUnsupported.as_str(), Some(2)),
        ("no header", large(b"a").split_off(HEADER.len()), malformed, Some(1)),
        ("a million columns", many(1_000_000), malformed, Some(1)),
        ("a million cells", [HEADER, &many(1_000_000), &good].concat(), "MALFORMED_CSV", Some(2)),
        (
            "not UTF-8",
            [HEADER, b"user1,9876543210\n\xff\xfe\xc3\x28,\xf0\x28\n"].concat(),
            "USER_NOT_FOUND; NUMBER_INVALID",
            Some(3),
        ),
        ("gzip", gzip, FileCode::EncodingUnsupported.as_str(), Some(1)),
        ("an open quote", [&b"\""[..], HEADER, &good].concat(), malformed, Some(1)),
        ("an open quote in a row", [HEADER, b"\"user1,1\n", &good].concat(), "MALFORMED_CSV", Some(2)),
        ("a wide header", [HEADER_NAMES, &[b','; 120_000], b"\n", &b"a,b\n".repeat(3_000)].concat(), too_wide, Some(1)),
        (
            "tiny rows under a wide header",
            [HEADER_NAMES, &[b','; 900], b"\n", &b"a,b\n".repeat(500_000)].concat(),
            too_wide,
            Some(74),
        ),
        ("rows of empty cells", [HEADER, &row(b",", 100_000).repeat(20)].concat(), nobody, Some(2)),
        ("a million empty cells", [HEADER, &row(b",", 100_000).repeat(10)].concat(), nobody, Some(2)),
        ("wide rows", [HEADER, &row(b",x", 50_000).repeat(20)].concat(), FEW_CELLS, Some(2)),
        (
            "a column's long name",
            [b"Login ID (", &[b'x'; 100_000][..], b"),Allowed Caller ID\n", &b"nobody,1\n".repeat(5_000)].concat(),
            nobody,
            Some(2),
        ),
        ("many bad numbers", [HEADER, &bad_numbers(60).repeat(500)].concat(), "", Some(2)),
        ("nothing but quotes", [HEADER, &b"\"".repeat(300_000)].concat(), "MALFORMED_CSV", Some(2)),
    ];
    for (name, bytes, code, line) in bombs {
        let (size, rows) = (bytes.len() as u64, bytes.split(|byte| *byte == b'\n').count() as u64);
        let job = dropped(&stack, bytes).await;
        let told = told(&stack, &job).await;
        let time = job.ended.expect("it has ended").duration_since(job.started);
        println!("{name}: {told:?}, {size} bytes in {:.1} s, {} MB so far", time.as_secs_f64(), peak(&stack));
        let as_told = if code.is_empty() { told.0.clone() } else { code.to_owned() };
        assert_eq!(told, (as_told, line), "{name}: {job:?}");
        // A report is at most some times as large as its file, and a message a row.
        for key in [job.keys().results(), job.keys().failed()] {
            let report = stack.files.size(&key).await.unwrap_or_default();
            assert!(report <= 16 * size + 1_024 * rows, "{name}: a report of {report} bytes on {size}");
        }
    }
    assert!(peak(&stack) <= MOST_MEGABYTES, "{} MB", peak(&stack));
    assert_eq!(stack.list("user1").await.unwrap(), ["+919876543210"], "good rows beside a bomb are applied");
}
