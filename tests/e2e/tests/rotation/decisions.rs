//! Previews, reservations, and the command.

use axum::http::Method;
use e2e::{Stack, rollcall};
use rollcall_bulk::job::JobState;
use rollcall_model::inventory::NumberState;
use serde_json::{Value, json};

use super::{change, create, item, number, numbers, own, owner, rotate, told};

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_marks_no_number_and_its_execution_does_what_it_says() {
    let stack = Stack::start(&[]).await;
    own(&stack, 0..4).await;
    create(&stack, "asha", &[0, 1]).await;
    create(&stack, "ravi", &[1]).await;
    let request =
        json!({ "retire": [number(0), number(1)], "replace_with": { number(0): number(3) }, "preview": true });
    let versions = [item(&stack, 0).await.version, item(&stack, 1).await.version];
    let preview = rotate(&stack, request).await;
    let expected = [
        format!("{} asha: applied", number(0)),
        format!("{} asha: applied", number(1)),
        format!("{} ravi: failed LIST_WOULD_BE_EMPTY", number(1)),
    ];
    assert_eq!(
        (preview.state, preview.counts.applied, preview.counts.failed),
        (JobState::Previewed, 2, 1),
        "{preview:?}"
    );
    assert_eq!(stack.list("asha").await.unwrap(), numbers(&[0, 1]));
    let now = [item(&stack, 0).await.version, item(&stack, 1).await.version];
    assert_eq!(now, versions, "no number is written");

    let job = stack.execute(&preview).await;
    assert_eq!((job.state, told(&stack, &job).await), (JobState::Finished, expected.to_vec()), "{job:?}");
    assert_eq!(job.previewed.expect("it was previewed").differs, 0);
    assert_eq!(stack.list("asha").await.unwrap(), numbers(&[3]));
    assert_eq!(item(&stack, 0).await.facts.state, NumberState::Retired);
    assert_eq!((item(&stack, 1).await.facts.state, item(&stack, 1).await.reserved_by), (NumberState::Active, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_keeps_lists_from_a_number_until_a_person_decides_or_the_next_rotation_does() {
    let stack = Stack::start(&[]).await;
    own(&stack, 0..3).await;
    create(&stack, "asha", &[0, 2]).await;
    let given_up = rotate(&stack, json!({ "retire": [number(1)] })).await.id;
    change(&stack, 0, |item| item.reserved_by = Some(given_up)).await;
    let append = async |name: &str| {
        let job = stack.append(name, format!("login,did\nasha,{}\n", number(0))).await;
        stack.report(&job, "results").await[0]["Error Code"].clone()
    };
    assert_eq!(append("refused.csv").await, "NUMBER_RETIRED");
    let path = format!("/v1/numbers/{}", number(0).replace('+', "%2B"));
    let edit = async |body: Value| owner(&stack).ask(Method::PATCH, &path, &[], body.to_string()).await.json();
    assert!(edit(json!({ "labels": ["spam"] })).await["reserved_by"].is_string(), "labels decide nothing");
    assert_eq!(edit(json!({ "state": "active" })).await["reserved_by"], Value::Null);
    assert_eq!(append("taken.csv").await, "ALREADY_ALLOWED");

    // The job of the mark has ended, so it keeps nobody away.
    change(&stack, 0, |item| item.reserved_by = Some(rollcall_model::jobs::JobId::parse(&"0".repeat(32)).unwrap()))
        .await;
    let job = rotate(&stack, json!({ "retire": [number(0)] })).await;
    assert_eq!((job.counts.applied, item(&stack, 0).await.facts.state), (1, NumberState::Retired), "{job:?}");
    assert_eq!(edit(json!({ "state": "new" })).await["replaced_by"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_rotates_and_tells_by_its_exit_code() {
    let stack = Stack::start(&[]).await;
    own(&stack, 0..6).await;
    create(&stack, "asha", &[0, 1, 2]).await;
    let run = |arguments: &[&str], input: &str| {
        rollcall(Some(&stack), &[&["rotate", "--yes", "--account", "acme"], arguments].concat(), input.as_bytes())
    };
    let done = run(&["9876500000=98765 00003", "9876500005", "--results", "-"], "");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(String::from_utf8_lossy(&done.stdout).contains("asha,/retire/0,2,applied"), "{done:?}");
    assert_eq!(stack.list("asha").await.unwrap(), numbers(&[1, 2, 3]));

    let sample = rollcall(None, &["sample", "rotate-caller-ids"], b"").stdout;
    let sample = String::from_utf8(sample).unwrap().replace("987654321,987654322", "9876500001,");
    let done = run(&["--file", "-", "--login", "ASHA"], &sample.replace("987654320", "junk"));
    assert_eq!(done.status.code(), Some(1), "one row fails: {done:?}");
    assert_eq!(stack.list("asha").await.unwrap(), numbers(&[2, 3]));
    assert_eq!(item(&stack, 1).await.facts.state, NumberState::Active);

    // What is asked by a file has the file's name and its lines, as if it had been dropped into the bucket.
    let file = stack.dir().join("flagged.csv");
    std::fs::write(&file, "Old Caller ID,New Caller ID\n9876500002,9876500004\n\njunk,\n").unwrap();
    let done = run(&["--file", file.to_str().unwrap(), "--quarantine-days", "30", "--results", "-"], "");
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(told.contains(",line 2,") && told.contains(",line 4,"), "{told}");
    let (jobs, _) = stack.directory.jobs(&stack.account, None, 1).await.unwrap();
    assert_eq!(rollcall_bulk::upload::file_name(&jobs[0].upload.name), "flagged.csv");
    assert!(String::from_utf8_lossy(&done.stderr).contains("flagged.csv"), "{done:?}");

    for arguments in [
        &[][..],
        &["1=2", "--department", "a", "--team", "b"],
        &["1=2", "1=3"],
        &["1", "--quarantine-days", "0"],
        &["--file", "/nowhere.csv"],
    ] {
        let refused = run(arguments, "");
        assert!(!refused.status.success() && !refused.stderr.is_empty(), "{arguments:?}");
    }
}
