//! No list grows past the account's limit, whoever else adds to it at the same moment, and what was added counts as added.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::{Method, StatusCode};
use e2e::{Event, Faults, Meanwhile, Stack, TestEngine, delivery, user};
use futures_util::future::join_all;
use rollcall_bulk::job::{Job, JobState};
use rollcall_engine::{
    Attempt, DeliveryOutcome, Operation,
    kinds::{Append, UploadUsers},
};
use rollcall_model::{caller_id::CallerId, jobs::JobKind, settings::Settings};
use rollcall_storage::StorageError;
use serde_json::json;

const LIMIT: usize = 10;

async fn start() -> Stack {
    let stack = Stack::start(&[]).await;
    let settings = Settings { list_limit: LIMIT, ..Settings::default() };
    stack.directory.put_settings(&stack.account, &settings).await.unwrap();
    stack
}

fn numbers(lasts: std::ops::Range<usize>) -> Vec<String> {
    lasts.map(|last| format!("+9198765432{last:02}")).collect()
}

async fn create(stack: &Stack, login: &str, lasts: std::ops::Range<usize>) {
    let caller_ids: Vec<CallerId> = numbers(lasts).iter().map(|number| number.parse().unwrap()).collect();
    stack.create_user(rollcall_model::user::User { caller_ids, ..user(login) }).await;
}

/// An append that begins and ends when another job has decided, and before that writes.
struct Overtaken<'a> {
    stack: &'a Stack,
    file: String,
    done: AtomicBool,
}

impl Event for Overtaken<'_> {
    async fn before_write(&self, _: &Attempt<'_>) -> Result<(), StorageError> {
        if !self.done.swap(true, Ordering::Relaxed) {
            self.stack.append("meanwhile.csv", self.file.clone()).await;
        }
        Ok(())
    }
}

/// Runs a job that an append of these numbers overtakes.
async fn overtaken<O: Operation>(stack: &Stack, operation: O, kind: JobKind, file: String, by: &[String]) -> Job {
    let world = TestEngine::new(stack, Faults::default(), None).await;
    let source = stack.put_quietly("overtaken.csv", file).await;
    let upload = stack.upload_of(kind, "overtaken.csv");
    let event = Overtaken { stack, file: format!("login,did\nu,{}\n", by.join(";")), done: AtomicBool::new(false) };
    let operation = Meanwhile(operation, event);
    assert_eq!(world.engine.run(&operation, &upload, &source, &delivery(1)).await.unwrap(), DeliveryOutcome::Ended);
    let job = stack.job_when(&source, |_| true).await;
    assert_eq!(job.state, JobState::Finished);
    job
}

async fn codes(stack: &Stack, job: &Job) -> Vec<(String, Vec<String>)> {
    let rows = stack.report(job, "results").await;
    let codes = |row: &str| row.split("; ").filter(|code| !code.is_empty()).map(ToOwned::to_owned).collect();
    rows.iter().map(|row| (row["Status"].clone(), codes(&row["Error Code"]))).collect()
}

/// N13.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_appends_at_once_each_adds_what_the_list_has_room_for() {
    let stack = start().await;
    create(&stack, "u", 0..1).await;
    let file = format!("login,did\nu,{}\n", numbers(10..19).join(";"));
    let job = overtaken(&stack, Append, JobKind::AppendCallerIds, file, &numbers(20..25)).await;
    let list = stack.list("u").await.unwrap();
    assert_eq!(list, [numbers(0..1), numbers(10..14), numbers(20..25)].concat(), "the first that fit are added");
    assert_eq!(codes(&stack, &job).await, [("partial".to_owned(), vec!["LIST_LIMIT".to_owned(); 5])]);
    assert_eq!(job.progress.numbers_added, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_appends_at_once_both_ask_for_is_no_fault_of_a_full_list() {
    let stack = start().await;
    create(&stack, "u", 0..0).await;
    let file = format!("login,did\nu,{}\n", numbers(0..LIMIT).join(";"));
    let job = overtaken(&stack, Append, JobKind::AppendCallerIds, file, &numbers(0..LIMIT)).await;
    assert_eq!(stack.list("u").await.unwrap(), numbers(0..LIMIT));
    assert_eq!((job.counts.failed, job.counts.partial), (0, 0), "{job:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_is_changed_while_an_append_fills_the_list_gets_what_it_has_room_for() {
    let stack = start().await;
    create(&stack, "u", 0..1).await;
    for name in ["Renamed", ""] {
        let file = format!("Login ID,Name,Allowed Caller ID\nu,{name},{}\n", numbers(10..19).join(";"));
        let by = if name.is_empty() { numbers(30..36) } else { numbers(20..25) };
        let job = overtaken(&stack, UploadUsers, JobKind::UploadUsers, file, &by).await;
        let row = &codes(&stack, &job).await[0];
        assert!(row.1.contains(&"LIST_LIMIT".to_owned()), "{row:?}");
        let found = stack.user("u").await.unwrap();
        assert_eq!((found.caller_ids.len(), found.profile.name.as_str()), (LIMIT, "Renamed"), "{row:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_longer_than_a_lowered_limit_accepts_nothing_and_loses_nothing() {
    let stack = start().await;
    create(&stack, "u", 0..15).await;
    let job = stack.append("more.csv", format!("login,did\nu,{}\n", numbers(14..17).join(";"))).await;
    assert_eq!(stack.list("u").await.unwrap(), numbers(0..15));
    let said = ["LIST_LIMIT", "LIST_LIMIT", "ALREADY_ALLOWED"].map(ToOwned::to_owned);
    assert_eq!(codes(&stack, &job).await, [("partial".to_owned(), said.to_vec())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_whose_answer_was_lost_has_added_what_it_added_though_the_list_is_full_now() {
    let stack = start().await;
    for lost in 0.. {
        let (login, name) = (format!("lost{lost}"), format!("lost{lost}.csv"));
        create(&stack, &login, 0..2).await;
        let world = TestEngine::new(&stack, Faults::default(), None).await;
        world.table.lose_answer(lost);
        let source = stack.put_quietly(&name, format!("login,did\n{login},{}\n", numbers(2..LIMIT).join(";"))).await;
        let upload = stack.upload_of(JobKind::AppendCallerIds, &name);
        for number in 1.. {
            let ended = world.engine.run(&Append, &upload, &source, &delivery(number)).await;
            if ended.is_ok_and(|ending| ending == DeliveryOutcome::Ended) {
                break;
            }
            assert!(number < 3, "request {lost}");
        }
        let job = stack.job_when(&source, |_| true).await;
        assert_eq!((job.counts.applied, job.progress.numbers_added), (1, 8), "request {lost}: {job:?}");
        assert_eq!(stack.list(&login).await.unwrap(), numbers(0..LIMIT));
        if world.table.requests() <= lost.unsigned_abs() {
            assert!(lost > 4, "each request's answer has been lost in turn");
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_at_once_fill_a_list_and_no_more() {
    let stack = start().await;
    create(&stack, "u", 0..0).await;
    let caller = stack.caller(&["--account", stack.account.as_str()]);
    let calls = (0..12).map(|call| {
        let body = json!({ "caller_ids": numbers(call * 3..call * 3 + 3) }).to_string();
        caller.ask(Method::POST, "/v1/users/u/caller-ids", &[("content-type", "application/json")], body)
    });
    let mut added = Vec::new();
    for reply in join_all(calls).await {
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        let reply = reply.json();
        let each = |field: &str| reply[field].as_array().unwrap().clone();
        assert!(each("refused").iter().all(|refused| refused["code"] == "LIST_LIMIT"), "{reply}");
        assert_eq!(each("added").len() + each("refused").len(), 3, "{reply}");
        added.extend(each("added").iter().map(|number| number.as_str().unwrap().to_owned()));
    }
    added.sort();
    assert_eq!((added.len(), &added), (LIMIT, &stack.list("u").await.unwrap()));
}
