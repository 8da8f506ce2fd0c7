//! Who gets a job's report, how many are sent, and what a file may be called.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use e2e::{Caller, Reply, Stack, rollcall};
use rollcall_bulk::job::{Job, MailState, NotifyIgnored};
use rollcall_model::{
    email::EmailAddress,
    jobs::JobKind,
    settings::{ReportTo, Settings},
};
use serde_json::{Value, json};

/// One row, which fails: a report is due.
const FILE: &str = "Login ID,Allowed Caller ID\nnobody,+919876543210\n";

async fn allow(stack: &Stack) {
    let recipients = vec![EmailAddress::parse("ops@example.com").expect("an address")];
    let report_to = ["partner.example", "pat@single.example"].map(|text| ReportTo::parse(text).expect("a place"));
    let settings = Settings { recipients, report_to: report_to.to_vec(), ..Settings::default() };
    stack.directory.put_settings(&stack.account, &settings).await.expect("settings are written");
}

async fn post(caller: &Caller, body: &Value, headers: &[(&str, &str)]) -> Reply {
    let headers: Vec<_> = headers.iter().copied().chain([("content-type", "application/json")]).collect();
    caller.ask(Method::POST, "/v1/jobs", &headers, body.to_string()).await
}

fn new(notify: &Value) -> Value {
    let mut new = json!({ "kind": "append-caller-ids", "name": "may.csv", "size": FILE.len() });
    if !notify.is_null() {
        new["notify"] = notify.clone();
    }
    new
}

/// Drops the file with this text as its metadata `notify`, straight into the bucket.
async fn drop_naming(stack: &Stack, name: &str, notify: &str) -> Job {
    let upload = stack.upload_of(JobKind::AppendCallerIds, name);
    let headers = [("content-length", FILE.len().to_string()), ("x-amz-meta-notify", notify.to_owned())];
    let headers: BTreeMap<String, String> = headers.map(|(name, value)| (name.to_owned(), value)).into();
    let signed = stack.files.presigned_again(&upload, &headers, Duration::from_mins(1)).await;
    let url = signed.expect("a link").url;
    let headers = [("x-amz-meta-notify", notify)];
    let put = stack.stranger().fetch(Method::PUT, &url, &headers, FILE).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text());
    ended(stack, &upload.key()).await
}

async fn ended(stack: &Stack, key: &str) -> Job {
    let start = Instant::now();
    loop {
        let (jobs, _) = stack.directory.jobs(&stack.account, None, 100).await.expect("jobs are listed");
        if let Some(job) = jobs.into_iter().find(|job| job.upload.key() == key) {
            return stack.ended(&job.source).await;
        }
        assert!(start.elapsed() < Duration::from_mins(1), "waited too long for {key}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// To whom the mail about a job went.
fn mailed(stack: &Stack, job: &Job) -> Vec<String> {
    assert!(matches!(job.mail, Some(MailState::Sent { .. })), "{:?}", job.mail);
    stack.mails().into_iter().find(|mail| mail.text.contains(job.id.as_str())).expect("a mail").to
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_go_to_whom_the_account_allows_and_to_nobody_else() {
    let stack = Stack::start(&[]).await;
    allow(&stack).await;
    let claims = json!({ "custom:account": "acme", "email": "own@token.example" });
    let caller = stack.caller_claiming(&claims);
    for notify in [
        json!(null),
        json!("own@token.example"),
        json!("OWN@token.example"),
        json!("ops@example.com"),
        json!("any@partner.example"),
        json!("pat@single.example"),
    ] {
        let reply = post(&caller, &new(&notify), &[]).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{notify}: {}", reply.text());
    }
    let mut unverified = claims.clone();
    unverified["email_verified"] = json!(false);
    let unverified = stack.caller_claiming(&unverified);
    for (caller, notify) in [
        (&caller, "victim@elsewhere.example"),
        (&caller, "eve@single.example"),
        (&caller, "x@sub.partner.example"),
        // Whoever may write an address into their own profile may not have written to it.
        (&unverified, "own@token.example"),
    ] {
        let reply = post(caller, &new(&json!(notify)), &[]).await;
        let told = (reply.status.as_u16(), reply.json()["code"].clone(), reply.json()["pointer"].clone());
        assert_eq!(told, (422, json!("REPORT_ADDRESS_NOT_ALLOWED"), json!("/notify")), "{notify}");
    }
    let told = post(&unverified, &new(&json!(null)), &[]).await.json();
    assert_eq!(told["headers"]["x-amz-meta-notify"], json!(null));

    // In the bucket: who may not get it is passed over, and the job says so.
    for (name, notify, to, ignored) in [
        ("1.csv", "victim@elsewhere.example", "ops@example.com", Some(NotifyIgnored::NotAllowed)),
        ("2.csv", "a@partner.example, b@partner.example", "ops@example.com", Some(NotifyIgnored::Unreadable)),
        ("3.csv", "(x)a@partner.example", "ops@example.com", Some(NotifyIgnored::Unreadable)),
        ("4.csv", "Any Body <any@partner.example>", "any@partner.example", None),
        ("5.csv", "any@partner.example", "any@partner.example", None),
    ] {
        let job = drop_naming(&stack, name, notify).await;
        assert_eq!((mailed(&stack, &job), job.notify_ignored), (vec![to.to_owned()], ignored), "{notify}");
        let reader = stack.caller(&["--account", "acme"]);
        let shown = reader.get(&format!("/v1/jobs/{}", job.id)).await.json();
        assert_eq!(shown["notify_ignored"], json!(ignored));
        let told = rollcall(Some(&stack), &["job", job.id.as_str(), "--account", "acme"], b"");
        assert_eq!(String::from_utf8_lossy(&told.stdout).contains("Report to"), ignored.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_sends_so_many_mails_a_day_and_its_reports_stay() {
    let stack = Stack::start(&["MaxMailsPerDay=2"]).await;
    stack.recipients(&["ops@example.com"]).await;
    let mut states = Vec::new();
    for name in ["a.csv", "b.csv", "c.csv"] {
        states.push(stack.append(name, FILE).await);
    }
    assert_eq!(stack.mails().len(), 2);
    let last = &states[2];
    assert_eq!(last.mail, Some(MailState::TooMany { most: 2 }));
    let caller = stack.caller(&["--account", "acme"]);
    let shown = caller.get(&format!("/v1/jobs/{}", last.id)).await.json();
    assert_eq!((&shown["state"], &shown["mail"]["state"]), (&json!("finished"), &json!("too_many")));
    let report = caller.get(&format!("/v1/jobs/{}/failures", last.id)).await;
    assert_eq!(report.status, StatusCode::SEE_OTHER);
    let told = rollcall(Some(&stack), &["job", last.id.as_str(), "--account", "acme"], b"");
    assert!(String::from_utf8_lossy(&told.stdout).contains("not sent"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_not_called_what_no_link_can_lead_to() {
    let stack = Stack::start(&[]).await;
    let caller = stack.caller(&["--account", "acme"]);
    for name in [".", ".."] {
        let mut new = new(&json!(null));
        new["name"] = json!(name);
        let reply = post(&caller, &new, &[]).await;
        assert_eq!((reply.status.as_u16(), reply.json()["pointer"].clone()), (422, json!("/name")), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_gives_a_link_that_works_to_the_same_upload() {
    let stack = Stack::start(&[]).await;
    let caller = stack.caller(&["--account", "acme", "--subject", "ann"]);
    let key = [("idempotency-key", "one")];
    let first = post(&caller, &new(&json!(null)), &key).await.json();
    // A signature names the second of its making.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let second = post(&caller, &new(&json!(null)), &key).await.json();
    assert_ne!(first["url"], second["url"], "the link is signed anew");
    for field in ["upload", "method", "headers", "expires_in_seconds"] {
        assert_eq!(first[field], second[field], "{field}");
    }
    let headers: Vec<(&str, &str)> = second["headers"]
        .as_object()
        .expect("headers")
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().expect("a text")))
        .collect();
    let url = second["url"].as_str().expect("a URL");
    let put = stack.stranger().fetch(Method::PUT, url, &headers, Body::from(FILE)).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text());
    let job = ended(&stack, first["upload"].as_str().expect("an upload")).await;
    assert_eq!(json!(job.asked_by), json!({ "call": "ann" }));
}
