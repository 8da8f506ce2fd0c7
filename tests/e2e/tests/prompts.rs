//! What commands ask, what their exit codes say, and lists that leave nothing out.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Command, Stdio},
};

use e2e::{Stack, binaries, json, rollcall};
use serde_json::Value;

/// A command at a terminal: what it prints up to its question, what is typed then, what it prints after that, and its exit code.
fn at_a_terminal(stack: &Stack, arguments: &[&str], typed: &str) -> (String, String, Option<i32>) {
    let (mut pty, pts) = pty_process::blocking::open().expect("a terminal");
    pty.resize(pty_process::Size::new(50, 200)).expect("a size");
    let command = pty_process::blocking::Command::new(binaries().join("rollcall"));
    let command = command.args(arguments).env("ROLLCALL_DIR", stack.dir()).env_remove("CARGO").env("NO_COLOR", "1");
    let mut child = command.spawn(pts).expect("rollcall starts");
    let mut asked = Vec::new();
    let mut byte = [0];
    // A terminal that nobody writes to any more can't be read on Linux.
    while !asked.ends_with(b"[y/N] ") && pty.read(&mut byte).is_ok_and(|read| read > 0) {
        asked.push(byte[0]);
    }
    let _ = pty.write_all(typed.as_bytes());
    let mut rest = Vec::new();
    while pty.read(&mut byte).is_ok_and(|read| read > 0) {
        rest.push(byte[0]);
    }
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
    (text(asked), text(rest), child.wait().expect("rollcall ends").code())
}

fn stdout(stack: &Stack, arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = rollcall(Some(stack), arguments, b"");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

const ROTATE: [&str; 4] = ["rotate", "9876500001=9876500009", "--account", "acme"];

#[tokio::test(flavor = "multi_thread")]
async fn a_question_says_what_it_is_about_and_no_answer_but_yes_changes_anything() {
    let stack = Stack::start(&[]).await;
    let (_, _, code) = stdout(&stack, &["seed", "--users", "20", "--account", "acme"]);
    assert_eq!(code, Some(0));
    let lists = || json(&rollcall(Some(&stack), &["users", "user2", "--account", "acme", "--json"], b""));
    let before = lists();
    assert!(before[0]["caller_ids"].as_array().is_some_and(|numbers| !numbers.is_empty()), "{before}");

    // Ctrl-C, no, and nobody to ask: each has a code of its own, and says that nothing was changed.
    let (asked, rest, code) = at_a_terminal(&stack, &ROTATE, "\x03");
    assert!(asked.contains("Retire 9876500001 (replaced by 9876500009): "), "{asked}");
    assert!(asked.contains("users change") && asked.trim_end().ends_with("Continue? [y/N]"), "{asked}");
    assert!(rest.contains("Nothing was changed") && code == Some(130), "{code:?} {rest}");
    let (_, rest, code) = at_a_terminal(&stack, &ROTATE, "n\n");
    assert!(rest.contains("Nothing was changed") && !rest.contains("Rows") && code == Some(3), "{code:?} {rest}");
    let (said, told, code) = stdout(&stack, &ROTATE);
    assert!(said.contains("previewed") && told.contains("no terminal") && told.contains("--yes"), "{said}{told}");
    assert_eq!(code, Some(3));
    assert_eq!(lists(), before);
    let jobs = json(&rollcall(Some(&stack), &["jobs", "--account", "acme", "--json"], b""));
    let states: Vec<&str> = jobs.as_array().unwrap().iter().map(|job| job["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["previewed", "discarded", "previewed"], "what was declined doesn't wait any more");

    let (_, rest, code) = at_a_terminal(&stack, &ROTATE, "y\n");
    assert!(rest.contains("finished") && code == Some(0), "{code:?} {rest}");
    assert_ne!(lists(), before);

    // The latest that can be undone is the rotation, though a preview came after it; the question names it.
    stdout(&stack, &["rotate", "9876500002", "--account", "acme"]);
    let undo = ["undo", "latest", "--account", "acme"];
    let (asked, rest, code) = at_a_terminal(&stack, &undo, "y\n");
    assert!(asked.contains("Undo the job ") && asked.contains("(rotation, "), "{asked}");
    assert!(rest.contains("finished") && code == Some(0), "{code:?} {rest}");
    assert_eq!(lists(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn why_rows_failed_is_said_at_once() {
    let stack = Stack::start(&[]).await;
    stdout(&stack, &["seed", "--users", "20", "--account", "acme"]);
    let (said, _, code) = stdout(&stack, &["rotate", "12345", "--account", "acme", "--yes"]);
    assert!(said.contains("NUMBER_INVALID") && said.contains("is not a telephone number"), "{said}");
    assert!(!said.contains("Waits for you"), "{said}");
    assert_eq!(code, Some(1));
    let file = stack.dir().join("many.csv");
    let rows: String = (0..40).map(|row| format!("nobody{row},98765\n")).collect();
    std::fs::write(&file, format!("login,did\n{rows}")).unwrap();
    let (said, _, _) = stdout(&stack, &["append", file.to_str().unwrap(), "--account", "acme"]);
    assert_eq!(said.matches("USER_NOT_FOUND").count(), 3, "{said}");
    assert!(said.contains("and 37 more rows") && said.contains("Kind           append"), "{said}");
    std::fs::write(&file, "").unwrap();
    let (_, told, code) = stdout(&stack, &["append", file.to_str().unwrap(), "--account", "acme"]);
    assert!(told.contains("many.csv is empty") && code == Some(1), "{told}");
    // A file of caller IDs that is uploaded with a role is asked about.
    std::fs::write(&file, "Login ID,Allowed Caller ID\nuser1,9876500001\n").unwrap();
    let (_, told, code) = stdout(&stack, &["upload", file.to_str().unwrap(), "--role", "agent", "--account", "acme"]);
    assert!(told.contains("Nothing was changed") && code == Some(3), "{told}");
    let (_, told, code) = stdout(&stack, &["upload", file.to_str().unwrap(), "--role", "agnet", "--account", "acme"]);
    assert!(told.contains("Did you mean \"agent\"?") && code == Some(1), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_whole_or_say_that_they_are_not() {
    let stack = Stack::start(&[]).await;
    stdout(&stack, &["seed", "--users", "300", "--account", "acme"]);
    let list = |more: &[&str]| stdout(&stack, &[&["users", "--account", "acme"], more].concat());
    let (said, told, code) = list(&["--json"]);
    let users: Value = serde_json::from_str(&said).expect("JSON");
    // The shared desk is one more.
    assert_eq!((users.as_array().unwrap().len(), told.as_str(), code), (301, "", Some(0)));
    let (said, told, _) = list(&["--json", "--limit", "2"]);
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap().as_array().unwrap().len(), 2);
    assert!(told.contains("There are more"), "{told}");
    let (said, told, _) = list(&["--limit", "301"]);
    assert!(told.is_empty() && (1..=300).all(|n| said.contains(&format!("user{n} "))), "all are shown: {said}");
    let (said, _, _) = list(&["--csv", "--search", "user12"]);
    let rows: Vec<&str> = said.trim_start_matches('\u{feff}').lines().collect();
    assert!(rows[0].starts_with("Login ID,Name,Role,") && rows.len() > 5, "{said}");
    assert_eq!(list(&["--limit", "0"]).2, Some(2));
    let (said, _, code) = list(&["--search", "nobody at all"]);
    assert!(said.contains("no such user") && code == Some(0), "{said}");

    // Who reads has seen enough and gone: the command ends, and ends well.
    let mut command = Command::new(binaries().join("rollcall"));
    command.args(["users", "--account", "acme"]).env("ROLLCALL_DIR", stack.dir()).env_remove("CARGO");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("rollcall starts");
    let mut first = String::new();
    BufReader::with_capacity(1, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(first.starts_with("Login ID") && output.status.success(), "{first} {output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn help_is_in_groups_and_shells_and_man_are_served() {
    let help = rollcall(None, &["--help"], b"");
    let help = String::from_utf8(help.stdout).unwrap();
    for part in ["Users and numbers:", "\n  append ", "This machine:", "\n  demo "] {
        assert!(help.contains(part), "{part} is not in {help}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = String::from_utf8(rollcall(None, &["completions", shell], b"").stdout).unwrap();
        assert!(script.contains("phone-system"), "{shell}: {script:.200}");
    }
    let place = tempfile::tempdir().unwrap();
    let pages = place.path().join("man1");
    assert!(rollcall(None, &["man", pages.to_str().unwrap()], b"").status.success());
    for page in ["rollcall.1", "rollcall-users.1", "rollcall-users-add.1"] {
        let text = std::fs::read_to_string(pages.join(page)).expect(page);
        assert!(text.contains(".TH"), "{page}: {text:.200}");
    }
    let version = String::from_utf8(rollcall(None, &["--version"], b"").stdout).unwrap();
    assert!(version.contains("(commit "), "{version}");
}

#[test]
fn a_stack_whose_output_nobody_reads_any_more_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("stack");
    let command = |arguments: &[&str]| {
        let mut command = Command::new(binaries().join("rollcall"));
        command.arg("--dir").arg(&dir).args(arguments).env_remove("CARGO");
        command
    };
    let mut stack = command(&["up"]).stdout(Stdio::piped()).spawn().expect("rollcall starts");
    let mut first = String::new();
    BufReader::with_capacity(1, stack.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("Rollcall is up"), "{first}");
    // Each question has a function say something.
    for _ in 0..3 {
        let users = command(&["users"]).output().unwrap();
        assert!(users.status.success(), "{}", String::from_utf8_lossy(&users.stderr));
    }
    assert!(stack.try_wait().unwrap().is_none(), "the stack goes on");
    stack.kill().unwrap();
    stack.wait().unwrap();
}
