//! Who asked for a job and who decided about it: kept, shown, and not to be claimed for somebody else.

use std::time::{Duration, Instant};

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use e2e::{Caller, Reply, Stack, rollcall};
use rollcall_bulk::{
    job::{Job, JobState},
    undo::UndoRequest,
    upload::UploadOptions,
};
use rollcall_model::{jobs::JobKind, permit::PermitId};
use serde_json::{Value, json};

const FILE: &str = "Login ID,Allowed Caller ID\nuser1,+919876543210\n";
const TIMEOUT: Duration = Duration::from_mins(1);

async fn send(caller: &Caller, method: Method, path: &str, body: Value) -> Reply {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let reply = caller.ask(method, path, &[("content-type", "application/json")], body).await;
    assert!(reply.status.is_success(), "{path}: {}", reply.text());
    reply
}

/// Drops a file by the API's link, with these headers changed or added.
async fn put(stack: &Stack, caller: &Caller, new: Value, changed: &[(&str, &str)]) -> (StatusCode, Value) {
    let permission = send(caller, Method::POST, "/v1/jobs", new).await.json();
    let mut headers: Vec<(&str, &str)> = permission["headers"]
        .as_object()
        .expect("headers")
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().expect("a text")))
        .collect();
    headers.retain(|(name, _)| changed.iter().all(|(other, _)| other != name));
    headers.extend(changed);
    let url = permission["url"].as_str().expect("a URL");
    let put = stack.stranger().fetch(Method::PUT, url, &headers, FILE).await;
    (put.status, permission)
}

async fn job_of(stack: &Stack, permission: &Value) -> Job {
    let start = Instant::now();
    loop {
        let (jobs, _) = stack.directory.jobs(&stack.account, None, 50).await.expect("jobs are listed");
        if let Some(job) = jobs.into_iter().find(|job| job.upload.key() == permission["upload"].as_str().unwrap()) {
            return stack.ended(&job.source).await;
        }
        assert!(start.elapsed() < TIMEOUT, "waited too long for {permission}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn append(name: &str, preview: bool) -> Value {
    json!({ "kind": "append-caller-ids", "name": name, "size": FILE.len(), "preview": preview })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_says_who_asked_for_it_who_decided_and_what_undoes_what() {
    let stack = Stack::start(&["AuditSettleSeconds=2", "AuditBatchSeconds=0"]).await;
    stack.create_users(1).await;
    let of = |subject: &str| stack.caller(&["--account", "acme", "--subject", subject]);
    let (mallory, ann) = (of("mallory"), of("ann"));
    let (status, permission) = put(&stack, &mallory, append("may.csv", true), &[]).await;
    assert_eq!(status, StatusCode::OK);
    let job = job_of(&stack, &permission).await;
    let path = format!("/v1/jobs/{}", job.id);
    let shown = ann.get(&path).await.json();
    assert_eq!((&shown["asked_by"], &shown["name"]), (&json!({ "call": "mallory" }), &json!("may.csv")));
    assert_eq!(shown["upload"], permission["upload"]);

    send(&ann, Method::POST, &format!("{path}/execute"), Value::Null).await;
    stack.job_when(&job.source, |job| job.state == JobState::Finished).await;
    let shown = ann.get(&path).await.json();
    assert_eq!((&shown["asked_by"]["call"], &shown["decided_by"]["call"]), (&json!("mallory"), &json!("ann")));

    let asked = send(&ann, Method::POST, &format!("{path}/undo"), json!({})).await;
    let undo = stack.ended_asked(&asked).await;
    let shown = ann.get(&path).await.json();
    assert_eq!((&shown["state"], &shown["undone_by"]), (&json!("undone"), &json!(undo.id)));
    let shown = ann.get(&format!("/v1/jobs/{}", undo.id)).await.json();
    assert_eq!((&shown["undoes"], &shown["asked_by"]["call"]), (&json!(job.id), &json!("ann")));
    assert_eq!(shown["name"], "undo.json");

    let told = rollcall(Some(&stack), &["job", job.id.as_str(), "--account", "acme"], b"");
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    for word in ["mallory", "ann", undo.id.as_str()] {
        assert!(told.contains(word), "{told}");
    }
    let listed = rollcall(Some(&stack), &["jobs", "--account", "acme"], b"");
    assert!(String::from_utf8_lossy(&listed.stdout).contains("mallory"));

    // The trail: what the job did, who decided, what was taken back.
    let start = Instant::now();
    let entries = loop {
        let page = ann.get(&format!("/v1/audit?job={}", job.id)).await.json();
        let entries = page["items"].as_array().expect("items").clone();
        if entries.len() >= 3 {
            break entries;
        }
        assert!(start.elapsed() < TIMEOUT, "waited too long for {entries:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let of = |change: &str| entries.iter().find(|entry| entry["change"] == change).expect(change);
    assert_eq!((&of("changed")["by"]["job"], &of("changed")["asked_by"]["call"]), (&json!(job.id), &json!("mallory")));
    assert_eq!((&of("executed")["job"], &of("executed")["by"]["call"]), (&json!(job.id), &json!("ann")));
    assert_eq!((&of("undone")["by"]["job"], &of("undone")["asked_by"]["call"]), (&json!(undo.id), &json!("ann")));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_asks_for_a_job_in_anothers_name() {
    let stack = Stack::start(&[]).await;
    stack.create_users(1).await;
    let ann = stack.caller(&["--account", "acme", "--subject", "ann"]);
    // The link is good with its own permit alone.
    let forged = "0123456789abcdef0123456789abcdef";
    let (status, permission) = put(&stack, &ann, append("a.csv", false), &[("x-amz-meta-permit", forged)]).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    // Who writes the bucket has no permit, or one that isn't for the file.
    let permit = permission["headers"]["x-amz-meta-permit"].as_str().expect("a permit");
    for (name, permit) in [("b.csv", None), ("c.csv", Some(forged)), ("d.csv", Some(permit))] {
        let options = UploadOptions { permit: permit.and_then(PermitId::parse), ..UploadOptions::default() };
        let source = stack.drop_on(JobKind::AppendCallerIds, name, FILE, &options).await;
        let job = stack.ended(&source).await;
        let shown = ann.get(&format!("/v1/jobs/{}", job.id)).await.json();
        assert_eq!((&shown["asked_by"], &shown["state"]), (&json!("bucket"), &json!("finished")), "{name}");
    }
    // Another account's permit is nothing here.
    let other = stack.caller(&["--account", "other", "--subject", "eve"]);
    let theirs = send(&other, Method::POST, "/v1/jobs", append("e.csv", false)).await.json();
    let permit = theirs["headers"]["x-amz-meta-permit"].as_str().and_then(PermitId::parse);
    let source = stack
        .drop_on(JobKind::AppendCallerIds, "e.csv", FILE, &UploadOptions { permit, ..UploadOptions::default() })
        .await;
    let job = stack.ended(&source).await;
    assert_eq!(json!(job.asked_by), json!("bucket"));
    // An undo that is dropped by hand says so too, and names its job all the same.
    let request = UndoRequest { job: job.id.clone(), preview: false, allow_empty: false };
    let undo = stack.ended(&stack.drop_as(JobKind::Undo, "2026/undo.json", request.to_json()).await).await;
    let shown = ann.get(&format!("/v1/jobs/{}", undo.id)).await.json();
    let told = (&shown["asked_by"], &shown["undoes"], &shown["name"]);
    assert_eq!(told, (&json!("bucket"), &json!(job.id), &json!("2026/undo.json")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_tells_settings_catalogue_mappings_and_actions_and_who_did_them() {
    let stack = Stack::start(&["AuditSettleSeconds=2", "AuditBatchSeconds=0"]).await;
    let ann = stack.caller(&["--account", "acme", "--subject", "ann"]);
    let user = json!({ "login": "maya", "name": "Maya Pillai", "calling_agent": true });
    for (method, path, body) in [
        (Method::POST, "/v1/users", user),
        (Method::POST, "/v1/users/maya/actions/block-agent", Value::Null),
        (Method::PUT, "/v1/phone-system", json!({ "system": "snapshot" })),
        (Method::PUT, "/v1/roles/admin", json!({ "name": "Administrator" })),
        (Method::PUT, "/v1/roles/admin", json!({ "name": "Admin" })),
        (Method::PUT, "/v1/departments/sales", json!({ "name": "Sales" })),
        (Method::PUT, "/v1/teams/one", json!({ "name": "One" })),
        (Method::DELETE, "/v1/teams/one", Value::Null),
        (Method::PUT, "/v1/mappings/c1", json!({ "phone_user": "maya", "email": "maya@quail.example" })),
        (Method::PUT, "/v1/mappings/c1", json!({ "phone_user": "ravi" })),
        (Method::DELETE, "/v1/mappings/c1", Value::Null),
    ] {
        send(&ann, method, path, body).await;
    }
    let wanted = [
        ("user", "maya", "created", json!(null)),
        ("user", "maya", "changed", json!({ "agent_status": { "from": "enabled", "to": "blocked" } })),
        ("settings", "acme", "created", json!({ "phone_system": { "from": null, "to": "snapshot" } })),
        ("role", "admin", "created", json!({ "name": { "from": null, "to": "Administrator" } })),
        ("role", "admin", "changed", json!({ "name": { "from": "Administrator", "to": "Admin" } })),
        ("department", "sales", "created", json!({ "name": { "from": null, "to": "Sales" } })),
        ("team", "one", "created", json!({ "name": { "from": null, "to": "One" } })),
        ("team", "one", "deleted", json!({ "name": { "from": "One", "to": null } })),
        ("mapping", "c1", "created", json!({ "phone_user": { "from": null, "to": "maya" } })),
        ("mapping", "c1", "changed", json!({ "phone_user": { "from": "maya", "to": "ravi" } })),
        ("mapping", "c1", "deleted", json!({ "phone_user": { "from": "ravi", "to": null } })),
    ];
    let start = Instant::now();
    let entries = loop {
        let page = ann.get("/v1/audit?limit=200").await.json();
        let entries = page["items"].as_array().expect("items").clone();
        if entries.len() >= wanted.len() {
            break entries;
        }
        assert!(start.elapsed() < TIMEOUT, "waited too long for {entries:#?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let text = json!(entries).to_string();
    assert!(!text.contains("quail") && !text.contains("Pillai"), "personal data: {text}");
    for (about, name, change, fields) in wanted {
        let found = entries.iter().find(|entry| {
            let has = |(field, value): (&String, &Value)| entry["fields"][field] == *value;
            entry[about] == name && entry["change"] == change && fields.as_object().into_iter().flatten().all(has)
        });
        let found = found.unwrap_or_else(|| panic!("{about} {name} {change}: {entries:#?}"));
        assert_eq!(found["by"], json!({ "call": "ann" }), "{found}");
    }
}
