//! A job asks for the scope of what it changes, and its rows for the scope of what they tell.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use e2e::{Caller, Reply, Stack};
use rollcall_bulk::{
    job::{Job, JobState},
    upload::InboxKey,
};
use rollcall_engine::world::Jobs;
use rollcall_model::{
    jobs::{JobId, JobKind},
    scope::Scope,
};
use serde_json::{Value, json};

const FILE: &str = "Login ID,Allowed Caller ID\nuser1,+919876543210\nnobody,+919876543210\n";
const TIMEOUT: Duration = Duration::from_mins(1);

fn with(stack: &Stack, scopes: &[&str]) -> Caller {
    let mut options = vec!["--account", "acme", "--subject", "mallory"];
    options.extend(scopes.iter().flat_map(|scope| ["--scope", scope]));
    stack.caller(&options)
}

async fn post(caller: &Caller, path: &str, body: Value) -> Reply {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    caller.ask(Method::POST, path, &[("content-type", "application/json")], body).await
}

fn assert_lacks(reply: &Reply, scope: &str, what: &str) {
    let told = (reply.status, reply.json()["code"].clone());
    assert_eq!(told, (StatusCode::FORBIDDEN, json!("SCOPE_MISSING")), "{what}: {}", reply.text());
    assert!(reply.json()["detail"].as_str().expect("a detail").contains(scope), "{what}: {}", reply.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_asks_for_the_scope_of_what_it_changes() {
    let stack = Stack::start(&["AuditSettleSeconds=2", "AuditBatchSeconds=0"]).await;
    stack.create_users(1).await;
    stack.own(&["+919876543210"]).await;
    let writes = "rollcall/jobs.write";
    for (kind, scope) in [
        ("append-caller-ids", "rollcall/users.write"),
        ("upload-users", "rollcall/users.write"),
        ("rotate-caller-ids", "rollcall/numbers.write"),
        ("phone-snapshot", "rollcall/mappings.write"),
    ] {
        let new = json!({ "kind": kind, "name": "x.csv", "size": 1 });
        assert_lacks(&post(&with(&stack, &[writes]), "/v1/jobs", new.clone()).await, scope, kind);
        let read = scope.replace("write", "read");
        assert_lacks(&post(&with(&stack, &[writes, &read]), "/v1/jobs", new.clone()).await, scope, kind);
        let allowed = post(&with(&stack, &[writes, scope]), "/v1/jobs", new).await;
        assert_eq!(allowed.status, StatusCode::CREATED, "{kind}: {}", allowed.text());
    }

    let (jobs, users) = (with(&stack, &[writes]), with(&stack, &[writes, "rollcall/users.write"]));
    let preview = stack.preview(JobKind::AppendCallerIds, "one.csv", FILE).await;
    for decision in ["execute", "discard"] {
        let reply = post(&jobs, &format!("/v1/jobs/{}/{decision}", preview.id), Value::Null).await;
        assert_lacks(&reply, "rollcall/users.write", decision);
    }
    let path = format!("/v1/jobs/{}/execute", preview.id);
    assert_eq!(post(&users, &path, Value::Null).await.status, StatusCode::ACCEPTED);
    let job = stack.job_when(&preview.source, |job| job.state == JobState::Finished).await;

    // What an undo changes is what the job that it undoes has changed.
    let path = format!("/v1/jobs/{}/undo", job.id);
    assert_lacks(&post(&jobs, &path, json!({})).await, "rollcall/users.write", "undo");
    let numbers = with(&stack, &[writes, "rollcall/numbers.write"]);
    assert_lacks(&post(&numbers, &path, json!({})).await, "rollcall/users.write", "undo");
    let asked = post(&users, &path, json!({ "preview": true })).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED);
    let undo = stack.ended_asked(&asked).await;
    assert_eq!(undo.state, JobState::Previewed);
    let path = format!("/v1/jobs/{}/execute", undo.id);
    assert_lacks(&post(&numbers, &path, Value::Null).await, "rollcall/users.write", "execute of an undo");

    // Who was refused is in the trail, once for the same route, however often it was asked.
    let auditor = stack.caller(&["--account", "acme", "--scope", "rollcall/audit.read"]);
    let start = Instant::now();
    loop {
        let page = auditor.get("/v1/audit?limit=200").await.json();
        let refused: Vec<&Value> =
            page["items"].as_array().expect("items").iter().filter(|entry| entry["change"] == "refused").collect();
        let of = |route: &str| refused.iter().filter(|entry| entry["route"] == route).count();
        let routes = ["POST /v1/jobs", "POST /v1/jobs/{id}/execute", "POST /v1/jobs/{id}/undo"];
        if routes.iter().all(|route| of(route) > 0) {
            assert!(refused.iter().all(|entry| entry["by"]["call"] == "mallory" && entry["code"] == "SCOPE_MISSING"));
            // An hour may have begun in between.
            assert!(routes.iter().all(|route| of(route) <= 2), "{refused:?}");
            break;
        }
        assert!(start.elapsed() < TIMEOUT, "waited too long for {refused:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_decides_about_a_job_of_any_kind_has_the_scope_of_what_it_changes() {
    let stack = Stack::start(&[]).await;
    stack.create_users(1).await;
    let preview = stack.preview(JobKind::AppendCallerIds, "one.csv", FILE).await;
    let writes: BTreeSet<&str> = JobKind::ALL.into_iter().filter_map(JobKind::changes).map(Scope::as_str).collect();
    for (at, kind) in JobKind::ALL.into_iter().enumerate() {
        let Some(scope) = kind.changes().map(Scope::as_str) else { continue };
        let id = JobId::parse(&format!("{at:032x}")).expect("a name of a job");
        let upload = InboxKey { kind, ..preview.upload.clone() };
        let job = Job { id: id.clone(), upload, ..preview.clone() };
        stack.directory.claim_job(&job, None).await.expect("a job");
        let others = writes.iter().copied().filter(|write| *write != scope).chain(["rollcall/jobs.write"]);
        let others = with(&stack, &others.collect::<Vec<_>>());
        for decision in ["execute", "discard", "undo"] {
            let body = if decision == "undo" { json!({}) } else { Value::Null };
            let reply = post(&others, &format!("/v1/jobs/{id}/{decision}"), body).await;
            assert_lacks(&reply, scope, &format!("{decision} of {kind:?}"));
        }
        let allowed = with(&stack, &["rollcall/jobs.write", scope]);
        let reply = post(&allowed, &format!("/v1/jobs/{id}/discard"), Value::Null).await;
        assert_eq!(reply.status, StatusCode::OK, "{kind:?}: {}", reply.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_ask_for_the_scope_of_what_they_tell() {
    let stack = Stack::start(&[]).await;
    stack.create_users(1).await;
    stack.own(&["+919876543210", "+919876543211"]).await;
    let append = stack.append("one.csv", FILE).await;
    let pairs = "Retire,Replacement\n+919876543210,+919876543211\n";
    let rotation = stack.ended(&stack.drop_as(JobKind::RotateCallerIds, "two.csv", pairs).await).await;
    assert_eq!(rotation.state, JobState::Finished, "{rotation:?}");
    let undo = post(&stack.caller(&["--account", "acme"]), &format!("/v1/jobs/{}/undo", rotation.id), json!({})).await;
    let undo = stack.ended_asked(&undo).await;
    for (job, scope) in
        [(append, "rollcall/users.read"), (rotation, "rollcall/numbers.read"), (undo, "rollcall/numbers.read")]
    {
        let bare = with(&stack, &["rollcall/jobs.read"]);
        assert_eq!(bare.get(&format!("/v1/jobs/{}", job.id)).await.status, StatusCode::OK);
        let path = format!("/v1/jobs/{}/results", job.id);
        assert_lacks(&bare.get(&path).await, scope, &path);
        assert_lacks(&bare.get(&format!("/v1/jobs/{}/failures", job.id)).await, scope, "failures");
        let allowed = with(&stack, &["rollcall/jobs.read", scope]);
        assert_eq!(allowed.get(&path).await.status, StatusCode::SEE_OTHER, "{path}");
    }
}
