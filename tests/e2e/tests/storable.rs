//! What the table can't store, or never as it was decided, costs one row or one request, and nobody else anything.

use axum::http::{Method, StatusCode};
use e2e::{Caller, Faults, Refused, Stack, TestEngine, delivery, user};
use rollcall_bulk::{
    job::{Job, JobState},
    undo::UndoRequest,
};
use rollcall_engine::DeliveryOutcome;
use rollcall_engine::kinds::Undo;
use rollcall_engine::kinds::{Append, UploadUsers};
use rollcall_model::{
    caller_id::CallerId,
    jobs::{JobKind, ObjectVersion},
    settings::Settings,
};
use serde_json::{Value, json};

/// The user whom the table refuses.
const POISON: &str = "poison";

const REFUSALS: [Refused; 2] = [Refused::Request, Refused::Reason];

/// Rows for users of whom one is refused; with an address, a user is several items.
fn file(prefix: &str, address: bool) -> String {
    let row = |login: String| {
        let address = if address { format!("{login}-{prefix}@example.com") } else { String::new() };
        format!("{login},Somebody {prefix},{address}\n")
    };
    let good = (1..=30).map(|number| row(format!("{prefix}{number}")));
    format!("Login ID,Name,Email\n{}{}", good.collect::<String>(), row(POISON.to_owned()))
}

async fn job(stack: &Stack, source: &ObjectVersion) -> Job {
    stack.job_when(source, |_| true).await
}

async fn failures(stack: &Stack, job: &Job) -> Vec<(String, String)> {
    let rows = stack.report(job, "failed").await;
    rows.into_iter().map(|row| (row["Login ID"].clone(), row["Error Code"].clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_whom_the_table_refuses_costs_an_upload_one_row() {
    let stack = Stack::start(&[]).await;
    for (at, refused) in REFUSALS.into_iter().enumerate() {
        let world =
            TestEngine::new(&stack, Faults { refused: Some((POISON, refused)), ..Faults::default() }, None).await;
        for address in [false, true] {
            let name = format!("poison-{at}-{address}.csv");
            let prefix = format!("u{at}{address}-");
            let source = stack.put_quietly(&name, file(&prefix, address)).await;
            let upload = stack.upload_of(JobKind::UploadUsers, &name);
            let ending = world.engine.run(&UploadUsers, &upload, &source, &delivery(1)).await.unwrap();
            assert_eq!(ending, DeliveryOutcome::Ended, "{refused:?} {address}");
            let job = job(&stack, &source).await;
            assert_eq!((job.state, job.counts.applied, job.counts.failed), (JobState::Finished, 30, 1), "{job:?}");
            assert_eq!(failures(&stack, &job).await, [(POISON.to_owned(), "NOT_STORABLE".to_owned())]);
            assert!(stack.user(&format!("{prefix}30")).await.is_some());
            assert!(stack.user(POISON).await.is_none());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_the_table_refuses_costs_an_append_one_row_and_not_those_sent_with_it() {
    let stack = Stack::start(&[]).await;
    let mut rows = "Login ID,Allowed Caller ID\n".to_owned();
    for login in (1..=30).map(|number| format!("u{number}")).chain([POISON.to_owned()]) {
        stack.create_user(user(&login)).await;
        rows.push_str(&format!("{login},+919876500001\n"));
    }
    let world =
        TestEngine::new(&stack, Faults { refused: Some((POISON, Refused::Request)), ..Faults::default() }, None).await;
    let source = stack.put_quietly("append.csv", rows).await;
    let upload = stack.upload_of(JobKind::AppendCallerIds, "append.csv");
    assert_eq!(world.engine.run(&Append, &upload, &source, &delivery(1)).await.unwrap(), DeliveryOutcome::Ended);
    let job = job(&stack, &source).await;
    assert_eq!((job.state, job.counts.applied, job.counts.failed), (JobState::Finished, 30, 1), "{job:?}");
    let failed = failures(&stack, &job).await;
    assert_eq!((failed.len(), failed[0].0.as_str()), (1, POISON), "{failed:?}");
    assert!(stack.user(POISON).await.unwrap().caller_ids.is_empty());
    assert_eq!(stack.user("u30").await.unwrap().caller_ids.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_is_never_as_decided_is_left_out_and_the_others_are_written() {
    let stack = Stack::start(&[]).await;
    let faults = Faults { refused: Some((POISON, Refused::Condition)), ..Faults::default() };
    let world = TestEngine::new(&stack, faults, None).await;
    let source = stack.put_quietly("never.csv", file("u", true)).await;
    let upload = stack.upload_of(JobKind::UploadUsers, "never.csv");
    let ending = world.engine.run(&UploadUsers, &upload, &source, &delivery(1)).await.unwrap();
    assert_eq!(ending, DeliveryOutcome::Ended);
    let job = job(&stack, &source).await;
    assert_eq!((job.state, job.counts.applied, job.counts.failed), (JobState::Finished, 30, 1), "{job:?}");
    assert_eq!(failures(&stack, &job).await, [(POISON.to_owned(), "VERSION_CONFLICT".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_leaves_out_whom_the_table_refuses_and_takes_back_the_rest() {
    for refused in REFUSALS {
        let stack = Stack::start(&[]).await;
        for login in ["u1", "u2", POISON] {
            stack.create_user(user(login)).await;
        }
        let rows = format!("Login ID,Name\nu1,New\nu2,New\n{POISON},New\n");
        let upload = stack.upload_users("to-undo.csv", rows).await;
        assert_eq!(upload.counts.applied, 3);

        let world =
            TestEngine::new(&stack, Faults { refused: Some((POISON, refused)), ..Faults::default() }, None).await;
        let request = UndoRequest { job: upload.id.clone(), preview: false, allow_empty: false }.to_json();
        let source = stack.put_quietly("undo.json", request).await;
        let undo = stack.upload_of(JobKind::Undo, "undo.json");
        assert_eq!(world.engine.run(&Undo, &undo, &source, &delivery(1)).await.unwrap(), DeliveryOutcome::Ended);
        let job = job(&stack, &source).await;
        assert_eq!((job.state, job.counts.applied, job.counts.failed), (JobState::Finished, 2, 1), "{job:?}");
        assert_eq!(failures(&stack, &job).await, [(POISON.to_owned(), "NOT_STORABLE".to_owned())]);
        let name = async |login: &str| stack.user(login).await.unwrap().profile.name;
        assert_eq!(name("u1").await, user("u1").profile.name);
        assert_eq!(name(POISON).await.as_str(), "New");
    }
}

async fn post(caller: &Caller, path: &str, body: Value) -> e2e::Reply {
    caller.ask(Method::POST, path, &[], body.to_string()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_name_of_any_script_is_stored_listed_and_found() {
    let stack = Stack::start(&[]).await;
    let caller = stack.caller(&["--account", stack.account.as_str()]);
    let names: Vec<String> = ["😀", "क", "Ⱥ", "a"].iter().map(|one| one.repeat(256)).collect();
    let login = "l".repeat(255);
    for (at, name) in names.iter().enumerate() {
        let body = json!({ "login": format!("{login}{at}"), "name": name, "email": format!("e{at}@example.com") });
        assert_eq!(post(&caller, "/v1/users", body).await.status, StatusCode::CREATED);
        let patch = json!({ "name": names[(at + 1) % names.len()] }).to_string();
        let patched = caller.ask(Method::PATCH, &format!("/v1/users/{login}{at}"), &[], patch).await;
        assert_eq!(patched.status, StatusCode::OK);
    }
    let rows: String =
        names.iter().enumerate().map(|(at, name)| format!("{login}{at},{name}\nnew{at},{name}\n")).collect();
    let job = stack.upload_users("long.csv", format!("Login ID,Name\n{rows}")).await;
    assert_eq!((job.state, job.counts.applied), (JobState::Finished, 8), "{job:?}");

    // Page by page, everybody once.
    let (mut seen, mut next) = (Vec::new(), None::<String>);
    loop {
        let cursor = next.map(|next| format!("&cursor={next}")).unwrap_or_default();
        let page = caller.get(&format!("/v1/users?limit=1{cursor}")).await.json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|user| user["login"].as_str().unwrap().to_owned()));
        next = page["next"].as_str().map(str::to_owned);
        if next.is_none() {
            break;
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_would_grow_past_what_an_item_holds_is_refused_with_a_code() {
    /// Bytes of an item, and of a number in it.
    const ITEM: usize = 400 * 1_024;
    const NUMBER: usize = "+919876500000".len();
    let stack = Stack::start(&[]).await;
    let caller = stack.caller(&["--account", stack.account.as_str()]);
    let numbers: Vec<CallerId> = (0..ITEM / NUMBER - 60).map(|n| format!("+9198765{n:05}").parse().unwrap()).collect();
    let full = user("full");
    let list_limit = 2 * numbers.len();
    stack.directory.put_settings(&stack.account, &Settings { list_limit, ..Settings::default() }).await.unwrap();
    stack
        .directory
        .create_users(&stack.account, &[rollcall_model::user::User { caller_ids: numbers, ..full }])
        .await
        .unwrap();

    let patch = json!({ "designation": "😀".repeat(256) }).to_string();
    let patched = caller.ask(Method::PATCH, "/v1/users/full", &[], patch).await;
    assert_eq!(
        (patched.status, patched.json()["code"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("NOT_STORABLE"))
    );

    let more: Vec<String> = (0..90).map(|n| format!("+91987670{n:04}")).collect();
    let appended = post(&caller, "/v1/users/full/caller-ids", json!({ "caller_ids": more })).await.json();
    assert_eq!(appended["added"], json!([]));
    let refused = appended["refused"].as_array().unwrap();
    assert!(refused.len() == more.len() && refused.iter().all(|one| one["code"] == "LIST_LIMIT"), "{refused:?}");

    let rows = format!("Login ID,Name,Designation\nfull,Full,{}\nother,Other,\n", "😀".repeat(256));
    let job = stack.upload_users("full.csv", rows).await;
    assert_eq!((job.state, job.counts.applied, job.counts.failed), (JobState::Finished, 1, 1), "{job:?}");
    assert_eq!(failures(&stack, &job).await, [("full".to_owned(), "NOT_STORABLE".to_owned())]);
}
