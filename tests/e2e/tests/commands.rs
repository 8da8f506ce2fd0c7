//! The commands that people run.

use std::process::Output;

use e2e::{Stack, json, until};
use rollcall_bulk::append::COLUMNS;
use rollcall_model::{account::AccountId, email::EmailAddress, settings::Settings};
use rollcall_tabular::{Reader, RowShape};
use serde_json::Value;

fn rollcall(stack: Option<&Stack>, arguments: &[&str]) -> Output {
    e2e::rollcall(stack, arguments, &[])
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// Whether the demo's rows, lists, counts and mail are as they should be is checked by the demo itself.
#[test]
fn the_demo_goes_as_it_should_and_shows_what_it_promises() {
    let shown = text(&rollcall(None, &["demo"]));
    for promised in
        ["october-numbers.csv", "applied", "Before", "Added", "NUMBER_SCIENTIFIC", "USER_AMBIGUOUS", "Subject"]
    {
        assert!(shown.contains(promised), "{promised} is not in:\n{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_file_ends_with_every_row_accounted_for_and_checked_against_the_table() {
    let stack = Stack::start(&[]).await;
    text(&rollcall(Some(&stack), &["seed", "--users", "500", "--account", "acme"]));
    let file = stack.dir().join("generated.csv");
    let file = file.to_str().expect("a path");
    let generate = ["generate", "--users", "500", "--rows", "5000", "--bad", "5", "--seed", "7", "-o", file, "--json"];
    let made = json(&rollcall(None, &generate));
    let before = stack.directory.users(&stack.account, 1_000).await.unwrap();

    let failures = stack.dir().join("failed.csv");
    let append = ["append", file, "--account", "acme", "--json", "--failures", failures.to_str().expect("a path")];
    let output = rollcall(Some(&stack), &append);
    assert_eq!(output.status.code(), Some(1), "rows failed, so the exit code says so");
    let job = json(&output);
    let count = |status: &str| job["counts"][status].as_u64().expect("a count");
    assert_eq!(job["state"], "finished");
    assert_eq!(count("applied") + count("unchanged") + count("partial") + count("failed"), 5_000);
    assert_eq!(count("applied") + count("unchanged"), made["good"].as_u64().expect("a count"), "{made}");
    assert_eq!(count("partial"), made["partial"].as_u64().expect("a count"), "{made}");
    assert_eq!(count("failed"), made["failed"].as_u64().expect("a count"), "{made}");
    assert_eq!(stack.mails().len(), 1);

    // Against the table: nobody lost a number, and as many were added as the job says.
    let after = stack.directory.users(&stack.account, 1_000).await.unwrap();
    let (mut added, mut changed) = (0, 0);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before.login, after.login);
        assert!(
            before.caller_ids.iter().all(|number| after.caller_ids.contains(number)),
            "{} lost a number",
            after.login
        );
        let more = after.caller_ids.len() - before.caller_ids.len();
        added += more as u64;
        changed += u64::from(more > 0);
    }
    assert_eq!(job["progress"]["numbers_added"], added);
    assert_eq!(job["progress"]["users_changed"], changed);
    assert_eq!(job["progress"]["statements"], changed);

    // The failed file holds as many rows as there are to mend.
    let mut reader = Reader::new(&COLUMNS);
    reader.push(&std::fs::read(failures).unwrap()).unwrap();
    reader.end().unwrap();
    let mut needs_correction = 0;
    while let Some(row) = reader.next_row().unwrap() {
        assert_ne!(row.shape, RowShape::TooLong);
        needs_correction += 1;
    }
    assert_eq!(needs_correction, count("partial") + count("failed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_passes_on_the_seeded_account_and_seeding_again_changes_nothing() {
    let stack = Stack::start(&[]).await;
    text(&rollcall(Some(&stack), &["seed"]));
    let sample = text(&rollcall(None, &["sample", "append-caller-ids"]));
    let output = e2e::rollcall(Some(&stack), &["append", "-", "--name", "sample.csv", "--json"], sample.as_bytes());
    assert!(output.status.success());
    assert_eq!(json(&output)["counts"]["applied"], 2);
    let users = json(&rollcall(Some(&stack), &["users", "--json"]));
    text(&rollcall(Some(&stack), &["seed"]));
    assert_eq!(json(&rollcall(Some(&stack), &["users", "--json"])), users);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_bound_to_an_upload_gets_the_mail() {
    let stack = Stack::start(&[]).await;
    stack.create_users(1).await;
    stack.recipients(&["ops@example.com", "ann@example.com"]).await;
    let append = ["append", "-", "--name", "x.csv", "--account", "acme", "--notify", "ann@example.com"];
    let output = e2e::rollcall(Some(&stack), &append, b"login,did\nuser1,junk\n");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stack.mails()[0].to, ["ann@example.com"]);
    let id = json(&rollcall(Some(&stack), &["jobs", "--account", "acme", "--json"]))[0]["id"].clone();
    let id = id.as_str().expect("an ID");
    assert_eq!(json(&rollcall(Some(&stack), &["job", id, "--account", "acme", "--json"]))["counts"]["failed"], 1);
    assert!(text(&rollcall(Some(&stack), &["mail", "latest"])).contains("1 of 1 rows of x.csv need correction"));
}

/// The product's template, with these events of its bulk function beside that of the queue.
fn scheduled(events: &str) -> String {
    const FUNCTION: &str =
        "      Description: Appends the caller IDs of a dropped file to users, and mails what failed.\n";
    const EVENTS: &str = "      Events:\n        Files:\n";
    let template = include_str!("../../../infra/template.yaml");
    assert!(template.contains(FUNCTION) && template.contains(EVENTS));
    let dead_letters = "DeadLetterQueue: { Type: SQS, TargetArn: !GetAtt BulkAppendDeadLetters.Arn }";
    let function = format!("{FUNCTION}      {dead_letters}\n      EventInvokeConfig: {{ MaximumRetryAttempts: 0 }}\n");
    template.replacen(FUNCTION, &function, 1).replacen(EVENTS, &format!("      Events:\n{events}        Files:\n"), 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_runs_a_function_by_itself_and_when_asked() {
    // An event without files is done at once; one that is no event of a queue can't be read.
    let template = scheduled(
        r#"        Well: { Type: ScheduleV2, Properties: { ScheduleExpression: rate(1 day), Input: '{"Records":[]}' } }
        Badly: { Type: ScheduleV2, Properties: { ScheduleExpression: rate(1 day), Input: '{"Records":7}' } }
        Later: { Type: ScheduleV2, Properties: { ScheduleExpression: cron(0 0 1 1 ? 2199), Input: '{"Records":[]}' } }
"#,
    );
    let mut stack = Stack::of_template(&template, &[]).await;
    let list = |stack: &Stack| json(&rollcall(Some(stack), &["schedules", "--json"]));
    let of = |list: &Value, name: &str| {
        let found = list.as_array().expect("a list").iter().find(|one| one["name"] == name);
        found.expect("the schedule").clone()
    };
    // A rate runs at once, and nobody tries again here.
    stack.dead_letters(1).await;
    let listed = until("the schedule's run", || {
        Some(list(&stack)).filter(|list| of(list, "BulkAppendFunctionWell")["last_run"]["state"] == "succeeded")
    })
    .await;
    let badly = of(&listed, "BulkAppendFunctionBadly");
    assert_eq!(badly["last_run"]["state"], "failed", "{badly}");
    let later = of(&listed, "BulkAppendFunctionLater");
    assert_eq!((&later["last_run"], &later["next_run"]), (&Value::Null, &"2199-01-01T00:00:00Z".into()));
    let shown = text(&rollcall(Some(&stack), &["schedules"]));
    assert!(shown.contains("BulkAppendFunctionLater") && shown.contains("never"), "{shown}");

    let run = |name: &str| rollcall(Some(&stack), &["schedules", "run", name, "--json"]);
    let ran = run("BulkAppendFunctionLater");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(json(&ran)["answer"], serde_json::json!({ "batchItemFailures": [] }));
    let ran = run("BulkAppendFunctionBadly");
    assert_eq!(ran.status.code(), Some(1));
    assert!(json(&ran)["error"].is_string(), "{}", json(&ran));
    stack.dead_letters(1).await;
    let unknown = run("Nobody");
    let told = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(!unknown.status.success() && told.contains("BulkAppendFunctionWell"), "{told}");

    stack.restart("-KILL").await;
    assert_eq!(of(&list(&stack), "BulkAppendFunctionWell"), of(&listed, "BulkAppendFunctionWell"), "it ran today");
}

#[test]
fn a_schedule_that_cannot_be_read_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("template.yaml");
    let event = "        Well: { Type: ScheduleV2, Properties: { ScheduleExpression: rate(1 fortnight) } }\n";
    std::fs::write(&file, scheduled(event)).unwrap();
    let output = rollcall(None, &["up", "--ephemeral", "--template", file.to_str().unwrap()]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(told.contains("BulkAppendFunction") && told.contains("rate(1 fortnight)"), "{told}");
}

fn codes(job: &Value) -> Vec<&str> {
    job["notes"]
        .as_array()
        .map(|notes| notes.iter().filter_map(|note| note["code"].as_str()).collect())
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_understood_of_a_file_is_told_in_the_job_the_command_and_a_mail() {
    let stack = Stack::start(&[]).await;
    stack.create_users(2).await;
    stack.recipients(&["ops@example.com"]).await;
    let run = |arguments: &[&str], input: &str| {
        e2e::rollcall(Some(&stack), &[arguments, &["--account", "acme"]].concat(), input.as_bytes())
    };
    let file = "Login ID,Contact Number\nuser1,9812345678\n";
    let job = json(&run(&["upload", "-", "--name", "people.csv", "--json"], file));
    assert_eq!(codes(&job), ["COLUMNS_IGNORED", "NOTHING_CHANGED"], "{job}");
    let mails = stack.mails();
    assert_eq!((mails.len(), mails[0].subject.as_str()), (1, "Rollcall: people.csv changed nobody"));
    assert!(mails[0].text.contains("\"Contact Number\""), "{}", mails[0].text);
    assert!(text(&run(&["upload", "-"], file)).contains("passed over: \"Contact Number\""));

    // A column of remarks beside what is done is no reason for a mail, and a file that is dropped again isn't either.
    let append = "Login ID,DID,Remarks\nuser1,9876500003,x\n";
    let job = json(&run(&["append", "-", "--json"], append));
    assert_eq!((codes(&job), stack.mails().len()), (vec!["COLUMNS_IGNORED"], 2));
    let job = json(&run(&["append", "-", "--json"], "Login ID,DID\nuser1,9876500003\n"));
    assert_eq!((codes(&job), stack.mails().len()), (vec!["NOTHING_CHANGED"], 2));

    let role = serde_json::json!({ "name": "Agent" }).to_string();
    let put = stack.caller(&["--account", "acme"]).ask(axum::http::Method::PUT, "/v1/roles/agent", &[], role).await;
    assert!(put.status.is_success());
    let numbers = "Login ID,Allowed Caller ID\nuser2,9876500004\n";
    let job = json(&run(&["upload", "-", "--role", "agent", "--json"], numbers));
    assert_eq!(codes(&job), ["MEANT_APPEND"], "{job}");
    let job = json(&run(&["upload", "-", "--json"], numbers));
    assert_eq!(codes(&job), ["NOTHING_CHANGED"], "without a role it is as good as an append: {job}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_and_an_account_are_checked_and_nothing_is_changed() {
    let stack = Stack::start(&[]).await;
    stack.create_users(2).await;
    stack.own(&["+919876500001"]).await;
    stack.recipients(&["ops@example.com"]).await;
    let before = stack.directory.users(&stack.account, 10).await.unwrap();
    let run = |arguments: &[&str], input: &str| {
        e2e::rollcall(Some(&stack), &[&["check"], arguments, &["--account", "acme"]].concat(), input.as_bytes())
    };
    let told = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let bad = run(
        &["-", "--kind", "append-caller-ids"],
        "login,did,note\nuser1,9876500001,x\nuser1,junk,\nnobody,9876500001,\n",
    );
    let said = told(&bad);
    assert_eq!(bad.status.code(), Some(1), "{said}");
    for expected in ["line 3", "NUMBER_INVALID", "line 4", "USER_NOT_FOUND", "\"note\"", "Nothing was changed"] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let good = run(&["-", "--kind", "append-caller-ids"], "login,did\nuser1,9876500001\n");
    assert!(good.status.success() && told(&good).contains("It would change 1 user"), "{}", told(&good));
    let unreadable = run(&["-", "--kind", "upload-users"], "name\nAsha\n");
    assert!(
        unreadable.status.code() == Some(1) && told(&unreadable).contains("HEADER_MISSING"),
        "{}",
        told(&unreadable)
    );
    let (jobs, _) = stack.directory.jobs(&stack.account, None, 10).await.unwrap();
    assert!(jobs.iter().all(|job| job.counts.applied == 0 || job.state.as_str() == "discarded"), "{jobs:?}");
    assert_eq!(stack.directory.users(&stack.account, 10).await.unwrap(), before);
    assert_eq!(stack.mails().len(), 0);

    let clean = run(&[], "");
    assert!(clean.status.success() && told(&clean).contains("Looked at 2 users"), "{}", told(&clean));
    let mut odd = e2e::user("us\u{435}r1");
    odd.caller_ids = vec!["+919876599999".parse().unwrap()];
    stack.create_user(odd).await;
    let found = run(&[], "");
    let said = told(&found);
    assert_eq!(found.status.code(), Some(1), "{said}");
    assert!(said.contains("read alike") && said.contains("+919876599999"), "{said}");
    for wrong in [&["-"][..], &["--kind", "append-caller-ids"], &["-", "--kind", "undo"]] {
        assert_eq!(run(wrong, "").status.code(), Some(2), "{wrong:?}");
    }
}

/// The command lines in what a command has said.
fn hints(output: &Output) -> Vec<String> {
    let program = e2e::binaries().join("rollcall").display().to_string();
    let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    let lines = said.lines().filter_map(|line| line.split_once(program.as_str()));
    lines.map(|(_, rest)| format!("{program}{}", rest.trim_end())).collect()
}

/// Runs a command line as somebody does who has copied it.
fn run_as_printed(line: &str, at: &std::path::Path) -> Output {
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", line]).current_dir(at).env_remove("ROLLCALL_DIR").stdin(std::process::Stdio::null());
    shell.output().expect("a shell")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_says_to_run_next_runs_as_it_is_printed() {
    let stack = Stack::start(&[]).await;
    // Reports go to whom an account names.
    let recipients = vec![EmailAddress::parse("ann@example.com").unwrap()];
    let settings = Settings { recipients, ..Settings::default() };
    for account in ["c01", "demo"] {
        stack.directory.put_settings(&AccountId::parse(account).unwrap(), &settings).await.unwrap();
    }
    let place = tempfile::tempdir().unwrap();
    // A place that a shell would take for two words.
    let dir = place.path().join("the stack's own");
    std::os::unix::fs::symlink(stack.dir(), &dir).unwrap();
    let dir = dir.to_str().unwrap();
    let write = |name: &str, text: &str| std::fs::write(place.path().join(name), text).unwrap();
    let many_bad: String = (0..40).map(|row| format!("nobody{row},98765\n")).collect();
    write("bad.csv", &format!("login,did\nuser1,9876500001\n{many_bad}"));
    write("pairs.csv", "old,new\n9876500001,9876500002\n");
    write("people.csv", "login,name\nuser1,Asha\n");
    let mut collected = Vec::new();
    for account in ["c01", "demo"] {
        let file = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
        let (bad, pairs, people) = (file("bad.csv"), file("pairs.csv"), file("people.csv"));
        let bad_job = ["append", &bad, "--notify", "ann@example.com"];
        for command in [
            &["jobs"][..],
            &["users"],
            &["mappings"],
            &["directory", "users"],
            &["directory", "status"],
            &["phone-system"],
            &["seed", "--users", "3"],
            &bad_job,
            &["append", &bad, "--preview"],
            &["upload", &people, "--preview"],
            &["rotate", "--file", &pairs],
            &["map", "crm1", "--to", "user1"],
        ] {
            let arguments = [&["--dir", dir], command, &["--account", account]].concat();
            collected.extend(hints(&rollcall(None, &arguments)));
        }
    }
    for command in [&["mail"][..], &["mail", "latest"]] {
        collected.extend(hints(&rollcall(None, &[&["--dir", dir], command].concat())));
    }
    for wanted in
        ["mail ", "--failures", "--execute", "--save", "seed", "map ", "directory connect", "resync", "append "]
    {
        assert!(collected.iter().any(|line| line.contains(wanted)), "no hint has {wanted}: {collected:#?}");
    }
    assert!(collected.iter().any(|line| line.contains("--account c01")), "{collected:#?}");
    collected.sort();
    collected.dedup();
    for line in collected {
        // Words in capitals are for people to replace.
        let line = line.replace(" FILE", " bad.csv").replace(" CRM_USER", " crm1").replace(" LOGIN", " user1");
        let output = run_as_printed(&line, place.path());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        if line.contains("directory connect") {
            assert!(told.contains("the secret is empty"), "{line}: {told}");
            continue;
        }
        assert!(matches!(output.status.code(), Some(0 | 1)), "{line}: {output:?}");
        assert!(!told.contains("error:"), "{line}: {told}");
    }
}

#[test]
fn the_version_says_by_which_numbering_plans_numbers_are_read() {
    let told = text(&rollcall(None, &["--version"]));
    assert!(told.contains(&format!("libphonenumber {}", rollcall_model::country::NUMBERING_PLANS)), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_for_scopes_that_routes_ask_for_and_for_a_while() {
    let stack = Stack::start(&[]).await;
    let token = |arguments: &[&str]| rollcall(Some(&stack), &[&["token"], arguments].concat());
    let output = token(&["--scope", "rollcall/user.read"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.contains("rollcall/numbers.write") && told.contains("Did you mean \"rollcall/users.read\"?"),
        "{told}"
    );
    assert!(!output.status.success() && output.stdout.is_empty());
    for expires in ["0h", "1y", "soon"] {
        let output = token(&["--expires", expires]);
        assert!(!output.status.success(), "{expires}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("30m, 2h, 1d, 1w"), "{expires}");
    }
    let output = token(&["--scope", "rollcall/users.read", "--expires", "1d"]);
    assert!(output.status.success() && text(&output).trim().split('.').count() == 3);
}

#[test]
fn mistakes_are_told_clearly() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().to_str().unwrap();
    for (arguments, message) in [
        (&["--dir", dir, "jobs"][..], "no stack is running in"),
        (&["up", "--ephemeral", "--parameter", "MaxDeliveries=1"], "MaxDeliveries"),
        (&["up", "--ephemeral", "--parameter", "NoSuch=1"], "NoSuch"),
    ] {
        let output = rollcall(None, arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success());
        assert!(told.contains(message), "{arguments:?}: {told}");
    }
}
