//! The command, the API, and a job that can't go on.

use axum::http::{Method, StatusCode};
use e2e::{Faults, TestEngine, delivery, rollcall};
use rollcall_bulk::{
    job::{Failure, JobState},
    undo::UndoRequest,
};
use rollcall_engine::{DeliveryOutcome, kinds::Undo, world::Bucket};
use rollcall_model::jobs::JobKind;
use serde_json::{Value, json};

use super::{everything, number, stack, state};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_can_not_go_on_says_so_at_its_first_delivery() {
    let stack = stack(2).await;
    stack.recipients(&["ops@example.com"]).await;
    let job = stack.append("may.csv", format!("Login ID,Allowed Caller ID\nuser1,{}\n", number(1))).await;
    stack.files.put(&job.keys().changes(0), "application/json", "{".into()).await.unwrap();
    let request = UndoRequest { job: job.id.clone(), preview: false, allow_empty: false }.to_json();
    let source = stack.put_quietly("undo.json", request).await;
    let world = TestEngine::new(&stack, Faults::default(), None).await;
    let upload = stack.upload_of(JobKind::Undo, "undo.json");
    let ending = world.engine.run(&Undo, &upload, &source, &delivery(1)).await.unwrap();
    assert_eq!(ending, DeliveryOutcome::Ended, "no later delivery would help");
    let undo = stack.job_when(&source, |_| true).await;
    let Some(Failure::GaveUp { attempts: 1, reason }) = &undo.failure else { panic!("{undo:?}") };
    assert!(reason.starts_with("reading what a job did failed"), "{reason}");
    assert_eq!((undo.state, state(&stack, &job).await), (JobState::Failed, JobState::Finished));
    let mails = stack.mails();
    assert_eq!(mails.len(), 1);
    assert!(!mails[0].text.to_lowercase().contains("drop"), "nobody has dropped a file: {}", mails[0].text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_shows_first_what_would_be_taken_back() {
    let stack = stack(1).await;
    stack.append("may.csv", format!("Login ID,Allowed Caller ID\nuser1,{}\n", number(1))).await;
    let run = |arguments: &[&str]| {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--account", "acme"]).collect();
        let output = rollcall(Some(&stack), &arguments, b"");
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), said)
    };
    let (code, said) = run(&["undo", "latest"]);
    assert!(code == Some(3) && said.contains("Would remove   1"), "{said}");
    assert_eq!(stack.list("user1").await.unwrap(), [number(1)]);
    let (code, said) = run(&["job", "latest", "--execute"]);
    assert!(code == Some(0) && said.contains("Numbers gone   1"), "{said}");
    assert_eq!(stack.list("user1").await.unwrap(), [""; 0]);
    assert!(run(&["undo", "latest"]).1.contains("no job that can be undone"));
}

/// The story, through public doors alone.
#[tokio::test(flavor = "multi_thread")]
async fn flagged_numbers_are_replaced_for_everybody_and_all_of_it_is_taken_back() {
    let stack = stack(6).await;
    let owner = stack.caller(&["--account", stack.account.as_str()]);
    let post = async |path: &str, body: Value| {
        let reply = owner.ask(Method::POST, path, &[("content-type", "application/json")], body.to_string()).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{path}: {}", reply.text());
        stack.ended_asked(&reply).await
    };
    let list = |numbers: &[usize]| numbers.iter().map(|&n| number(n)).collect::<Vec<_>>();
    let rows = [[1, 2].as_slice(), &[2, 3], &[3], &[4], &[1, 4], &[2]].into_iter().enumerate();
    let rows: String = rows.map(|(at, numbers)| format!("user{},{}\n", at + 1, list(numbers).join(";"))).collect();
    assert_eq!(stack.append("all.csv", format!("Login ID,Allowed Caller ID\n{rows}")).await.counts.applied, 6);
    for n in 1..=3 {
        let headers = [("content-type", "application/merge-patch+json")];
        let path = format!("/v1/numbers/{}", number(n));
        let patched = owner.ask(Method::PATCH, &path, &headers, json!({ "state": "flagged" }).to_string()).await;
        assert_eq!(patched.status, StatusCode::OK, "{}", patched.text());
    }
    let before = everything(&stack).await;

    let body = json!({ "retire": list(&[1, 2, 3]), "replace_with": list(&[7, 8, 9]), "preview": true });
    let preview = post("/v1/numbers/rotations", body).await;
    assert_eq!((preview.state, preview.counts.applied, preview.counts.rows()), (JobState::Previewed, 7, 7));
    assert_eq!(everything(&stack).await, before, "a preview writes nothing");
    let rotated = post(&format!("/v1/jobs/{}/execute", preview.id), Value::Null).await;
    assert_eq!(
        (rotated.state, rotated.counts, rotated.previewed.unwrap().differs),
        (JobState::Finished, preview.counts, 0)
    );
    for (login, numbers) in [(1, &[7, 8][..]), (2, &[8, 9]), (3, &[9]), (4, &[4]), (5, &[4, 7]), (6, &[8])] {
        assert_eq!(stack.list(&format!("user{login}")).await.unwrap(), list(numbers));
    }

    let undone = post(&format!("/v1/jobs/{}/undo", rotated.id), json!({})).await;
    assert_eq!((undone.state, undone.counts.unchanged), (JobState::Finished, 0), "{undone:?}");
    assert_eq!(everything(&stack).await, before);
    let again = owner
        .ask(Method::POST, &format!("/v1/jobs/{}/undo", rotated.id), &[("content-type", "application/json")], "{}")
        .await;
    assert_eq!((again.status, again.json()["code"].clone()), (StatusCode::CONFLICT, json!("INVALID_JOB_STATE")));
}
