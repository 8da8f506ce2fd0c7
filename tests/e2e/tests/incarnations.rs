//! Who was deleted and made again under the same login ID is somebody else: nothing that was meant for the former reaches the latter.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use axum::http::{Method, StatusCode};
use e2e::{Caller, Event, Faults, Meanwhile, Reply, Stack, TestEngine, delivery, delivery_of, user};
use rollcall_bulk::{job::Job, undo::UndoRequest};
use rollcall_engine::{
    Attempt, DeliveryOutcome,
    kinds::{Append, UploadUsers},
};
use rollcall_model::jobs::JobKind;
use rollcall_storage::StorageError;
use serde_json::{Value, json};

async fn send(caller: &Caller, method: Method, path: &str, headers: &[(&str, &str)], body: Value) -> Reply {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    caller.ask(method, path, headers, body).await
}

async fn create(caller: &Caller, user: Value) -> Reply {
    send(caller, Method::POST, "/v1/users", &[], user).await
}

async fn delete(caller: &Caller, login: &str) {
    let deleted = send(caller, Method::DELETE, &format!("/v1/users/{login}"), &[], Value::Null).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
}

async fn undo(stack: &Stack, job: &Job) -> Job {
    let request = UndoRequest { job: job.id.clone(), preview: false, allow_empty: false }.to_json();
    let source = stack.drop_as(JobKind::Undo, "undo.json", request).await;
    stack.ended(&source).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_outlives_its_user_is_decided_again_and_frees_nobody_elses_address() {
    let stack = Stack::start(&[]).await;
    let caller = stack.caller(&["--account", stack.account.as_str()]);
    let sam = json!({ "login": "sam", "name": "Sam", "email": "sam@e.example" });
    assert_eq!(create(&caller, sam).await.status, StatusCode::CREATED);
    let rows = "Login ID,Name,Email\nsam,Sam One,sam.one@e.example\n";
    let source = stack.put_quietly("plan.csv", rows).await;
    let upload = stack.upload_of(JobKind::UploadUsers, "plan.csv");
    // The plan is kept, and the table puts off every try to carry it out.
    let throttled = TestEngine::new(&stack, Faults { throttled: 1_000, ..Faults::default() }, None).await;
    let short = delivery_of(1, Duration::from_secs(3));
    let ending = throttled.engine.run(&UploadUsers, &upload, &source, &short).await;
    assert!(!matches!(ending, Ok(DeliveryOutcome::Ended | DeliveryOutcome::GaveUp)), "{ending:?}");
    assert_eq!(stack.user("sam").await.unwrap().profile.name.as_str(), "Sam");

    delete(&caller, "sam").await;
    let sam = json!({ "login": "sam", "name": "Samantha", "email": "samantha@e.example", "designation": "New hire" });
    assert_eq!(create(&caller, sam).await.status, StatusCode::CREATED);
    let zoe = json!({ "login": "zoe", "name": "Zoe", "email": "sam@e.example" });
    assert_eq!(create(&caller, zoe).await.status, StatusCode::CREATED);

    let world = TestEngine::new(&stack, Faults::default(), None).await;
    assert_eq!(world.engine.run(&UploadUsers, &upload, &source, &delivery(2)).await.unwrap(), DeliveryOutcome::Ended);
    let sam = stack.user("sam").await.unwrap();
    // The row is carried out on who is there now: what it doesn't say stays.
    assert_eq!(sam.profile.email.unwrap().as_str(), "sam.one@e.example");
    assert_eq!(sam.profile.designation.unwrap().as_str(), "New hire");
    // Each address is one user's, and what was let go is free.
    for (login, email, status, code) in [
        ("eve", "sam@e.example", StatusCode::CONFLICT, json!("EMAIL_TAKEN")),
        ("eve", "sam.one@e.example", StatusCode::CONFLICT, json!("EMAIL_TAKEN")),
        ("bob", "samantha@e.example", StatusCode::CREATED, Value::Null),
    ] {
        let made = create(&caller, json!({ "login": login, "name": login, "email": email })).await;
        assert_eq!((made.status, made.json()["code"].clone()), (status, code), "{email}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entity_tag_of_what_was_deleted_never_holds_for_what_came_after() {
    let stack = Stack::start(&[]).await;
    let caller = stack.caller(&["--account", stack.account.as_str()]);
    let ana = json!({ "login": "ana", "name": "Ana" });
    let created = create(&caller, ana.clone()).await;
    let tag = created.header("etag").to_owned();
    delete(&caller, "ana").await;
    let again = create(&caller, ana).await;
    assert_ne!(again.header("etag"), tag);
    let headers = [("if-match", tag.as_str())];
    for (method, path, body) in [
        (Method::PATCH, "/v1/users/ana", json!({ "name": "X" })),
        (Method::PUT, "/v1/users/ana/caller-id-policy", json!({ "policy": "all" })),
        (Method::DELETE, "/v1/users/ana", Value::Null),
    ] {
        let stale = send(&caller, method.clone(), path, &headers, body).await;
        assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED, "{method} {path}");
    }
    let headers = [("if-none-match", tag.as_str())];
    assert_eq!(send(&caller, Method::GET, "/v1/users/ana", &headers, Value::Null).await.status, StatusCode::OK);

    let put = async |headers: &[(&str, &str)], email: &str| {
        send(&caller, Method::PUT, "/v1/mappings/crm-1", headers, json!({ "email": email })).await
    };
    let tag = put(&[], "a@e.example").await.header("etag").to_owned();
    let gone = send(&caller, Method::DELETE, "/v1/mappings/crm-1", &[], Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(put(&[], "a@e.example").await.status, StatusCode::CREATED);
    assert_eq!(put(&[("if-match", &tag)], "b@e.example").await.status, StatusCode::PRECONDITION_FAILED);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_takes_nothing_from_the_next_user_of_a_login_id() {
    const NUMBER: &str = "+919876500001";
    let stack = Stack::start(&[]).await;
    let caller = stack.caller(&["--account", stack.account.as_str()]);
    stack.create_user(user("sam")).await;
    let append = stack.append("append.csv", format!("Login ID,Allowed Caller ID\nsam,{NUMBER}\n")).await;
    let made = stack.upload_users("made.csv", "Login ID,Name\nmade,Made\n").await;
    let renamed = stack.upload_users("renamed.csv", "Login ID,Name\nsam,Renamed\n").await;
    for (login, name) in [("sam", "Renamed"), ("made", "Made")] {
        delete(&caller, login).await;
        assert_eq!(create(&caller, json!({ "login": login, "name": name })).await.status, StatusCode::CREATED);
    }
    let list = json!({ "caller_ids": [NUMBER] });
    assert_eq!(send(&caller, Method::POST, "/v1/users/sam/caller-ids", &[], list).await.status, StatusCode::OK);

    for job in [&append, &made, &renamed] {
        let undone = undo(&stack, job).await;
        assert_eq!((undone.counts.applied, undone.counts.unchanged), (0, 1), "{undone:?}");
        assert_eq!(stack.report(&undone, "results").await[0]["Error Code"], "CHANGED_SINCE");
    }
    assert_eq!(stack.list("sam").await.unwrap(), [NUMBER]);
    assert!(stack.user("made").await.is_some());
    assert_eq!(stack.user("sam").await.unwrap().profile.name.as_str(), "Renamed");
}

/// Somebody deletes a user and makes another one of the same login ID, once, after it has been decided what to write.
struct MadeAgain<'a> {
    caller: &'a Caller,
    done: AtomicBool,
}

impl Event for MadeAgain<'_> {
    async fn before_write(&self, _: &Attempt<'_>) -> Result<(), StorageError> {
        if !self.done.swap(true, Ordering::Relaxed) {
            delete(self.caller, "sam").await;
            let sam = json!({ "login": "sam", "name": "Samantha" });
            assert_eq!(create(self.caller, sam).await.status, StatusCode::CREATED);
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_meets_another_user_than_it_had_read_says_so_to_its_undo() {
    const NUMBER: &str = "+919876500001";
    let stack = Stack::start(&[]).await;
    let caller = stack.caller(&["--account", stack.account.as_str()]);
    assert_eq!(create(&caller, json!({ "login": "sam", "name": "Sam" })).await.status, StatusCode::CREATED);
    let source = stack.put_quietly("append.csv", format!("Login ID,Allowed Caller ID\nsam,{NUMBER}\n")).await;
    let upload = stack.upload_of(JobKind::AppendCallerIds, "append.csv");
    let world = TestEngine::new(&stack, Faults::default(), None).await;
    let operation = Meanwhile(Append, MadeAgain { caller: &caller, done: AtomicBool::new(false) });
    assert_eq!(world.engine.run(&operation, &upload, &source, &delivery(1)).await.unwrap(), DeliveryOutcome::Ended);
    let job = stack.job_when(&source, |_| true).await;
    assert_eq!((job.counts.applied, stack.list("sam").await.unwrap()), (1, vec![NUMBER.to_owned()]), "{job:?}");
    let undone = undo(&stack, &job).await;
    assert_eq!((undone.counts.applied, undone.counts.rows()), (1, 1), "{undone:?}");
    assert_eq!(stack.list("sam").await.unwrap(), Vec::<String>::new());
}
