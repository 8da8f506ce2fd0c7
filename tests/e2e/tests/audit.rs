//! The audit trail: who changed whose numbers, each once, whatever happens on the way.

use std::time::{Duration, Instant};

use audit_trail::AuditTrail;
use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use e2e::{Caller, Faults, Fuse, Proxy, Stack, json, rollcall, user};
use rollcall_storage::{
    connect::{Aws, LocalStack},
    directory::Directory,
    files::Files,
};
use serde_json::{Value, json};

/// Longest that anything is waited for.
const TIMEOUT: Duration = Duration::from_mins(1);

const ANN: &str = "ann-4711";

/// Entries as they are listed, over all pages, with these parameters.
async fn trail(caller: &Caller, parameters: &str) -> Vec<Value> {
    let mut entries = Vec::new();
    let mut path = format!("/v1/audit?limit=3{parameters}");
    loop {
        let reply = caller.get(&path).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text());
        let mut page = reply.json();
        entries.append(page["items"].as_array_mut().expect("items"));
        let Some(next) = page["next"].as_str() else { return entries };
        path = format!("/v1/audit?limit=3{parameters}&cursor={next}");
    }
}

/// The trail, once it has this many entries.
async fn complete(caller: &Caller, count: usize, parameters: &str) -> Vec<Value> {
    let start = Instant::now();
    loop {
        let entries = trail(caller, parameters).await;
        if entries.len() >= count {
            assert_eq!(entries.len(), count, "{entries:#?}");
            return entries;
        }
        assert!(start.elapsed() < TIMEOUT, "waited too long for {count} entries: {entries:#?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Until when the trail has settled.
async fn settled(caller: &Caller) -> String {
    caller.get("/v1/audit?limit=1").await.json()["settled_until"].as_str().expect("a time").to_owned()
}

/// What an entry says, without its name and its times.
fn told(entry: &Value) -> Value {
    let mut entry = entry.clone();
    let fields = entry.as_object_mut().expect("an entry");
    fields.retain(|name, _| !["id", "at", "changed"].contains(&name.as_str()));
    entry
}

async fn send(caller: &Caller, method: Method, path: &str, body: Value) {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let reply = caller.ask(method, path, &[("content-type", "application/json")], body).await;
    assert!(reply.status.is_success(), "{path}: {}", reply.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_change_numbers_says_who_did_it() {
    let stack = Stack::start(&["AuditSettleSeconds=2", "AuditBatchSeconds=0"]).await;
    let ann = stack.caller(&["--account", "acme", "--subject", ANN]);
    let (one, two) = ("+919876543210", "+919876543211");

    send(&ann, Method::POST, "/v1/numbers", json!({ "numbers": [{ "number": one }, { "number": two }] })).await;
    send(&ann, Method::POST, "/v1/users", json!({ "login": "Maya", "name": "Maya Pillai" })).await;
    send(&ann, Method::POST, "/v1/users/maya/caller-ids", json!({ "caller_ids": [one] })).await;
    let append = stack.append("may.csv", format!("Login ID,Allowed Caller ID\nmaya,{two}\nmaya,{one}\n")).await;
    let file = format!("Login ID,Name,Caller IDs\nmaya,Maya P,\nravi,Ravi,{one}\n");
    let upload = stack.upload_users("people.csv", file).await;
    assert_eq!((append.counts.failed, upload.counts.failed), (0, 0), "{append:?} {upload:?}");
    send(&ann, Method::PUT, "/v1/users/maya/caller-id-policy", json!({ "policy": "all" })).await;
    send(&ann, Method::DELETE, &format!("/v1/users/maya/caller-ids/{}", one.replace('+', "%2B")), Value::Null).await;
    send(&ann, Method::PATCH, "/v1/numbers/%2B919876543211", json!({ "state": "flagged" })).await;
    send(&ann, Method::PATCH, "/v1/numbers/%2B919876543211", json!({ "labels": ["spam"] })).await;
    send(&ann, Method::DELETE, "/v1/users/maya", Value::Null).await;

    let (call, job) = (json!({ "call": ANN }), |id: &dyn std::fmt::Display| json!({ "job": id.to_string() }));
    let new = |number: &str| {
        json!({ "number": number, "change": "created", "by": call, "added": [], "removed": [],
                "state": { "from": null, "to": "active" } })
    };
    let entries = complete(&ann, 10, "").await;
    let mut told: Vec<Value> = entries.iter().map(told).collect();
    // These two are written at the same time.
    told[..2].sort_by_key(ToString::to_string);
    assert_eq!(
        told,
        [
            new(one),
            new(two),
            json!({ "user": "Maya", "change": "created", "by": call, "added": [], "removed": [],
                    "policy": { "from": null, "to": "custom" } }),
            json!({ "user": "Maya", "change": "changed", "by": call, "added": [one], "removed": [] }),
            json!({ "user": "Maya", "change": "changed", "by": job(&append.id), "asked_by": "bucket", "added": [two], "removed": [] }),
            json!({ "user": "ravi", "change": "created", "by": job(&upload.id), "asked_by": "bucket", "added": [one], "removed": [],
                    "policy": { "from": null, "to": "custom" } }),
            json!({ "user": "Maya", "change": "changed", "by": call, "added": [], "removed": [],
                    "policy": { "from": "custom", "to": "all" } }),
            json!({ "user": "Maya", "change": "changed", "by": call, "added": [], "removed": [one] }),
            json!({ "number": two, "change": "changed", "by": call, "added": [], "removed": [],
                    "state": { "from": "active", "to": "flagged" } }),
            json!({ "user": "Maya", "change": "deleted", "by": call, "added": [], "removed": [two],
                    "policy": { "from": "all", "to": null } }),
        ]
    );
    for (parameters, count) in [
        ("&user=maya".to_owned(), 6),
        ("&user=ravi".to_owned(), 1),
        (format!("&job={}", upload.id), 1),
        (format!("&number=%2B{}", &two[1..]), 4),
        (format!("&number=%2B{}&user=maya", &one[1..]), 2),
        (format!("&number=%2B{}&user=maya&job={}", &two[1..], append.id), 1),
        (format!("&to={}", entries[0]["at"].as_str().expect("a time")), 0),
    ] {
        assert_eq!(trail(&ann, &parameters).await.len(), count, "{parameters}");
    }
    let listed = json(&rollcall(Some(&stack), &["audit", "--account", "acme", "--user", "MAYA", "--json"], b""));
    assert_eq!(listed.as_array().map(Vec::len), Some(6), "{listed}");
    let table = rollcall(Some(&stack), &["audit", "--account", "acme", "--job", "latest"], b"");
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(table.contains("ravi") && table.contains("created, custom") && table.contains(one), "{table}");

    let neighbour = stack.caller(&["--account", "acm"]);
    assert_eq!(trail(&neighbour, "").await, [Value::Null; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_past_range_never_changes_and_a_range_is_bounded() {
    let stack = Stack::start(&["AuditSettleSeconds=2", "AuditBatchSeconds=0"]).await;
    let ann = stack.caller(&["--account", "acme"]);
    stack.create_users(5).await;
    complete(&ann, 5, "").await;
    let to = settled(&ann).await;
    let past = format!("&to={to}");
    let before = trail(&ann, &past).await;
    assert_eq!(before.len(), 5);
    let mut later = complete(&ann, 0, &format!("&from={to}")).await;
    assert!(later.is_empty(), "{later:?}");

    stack.create_user(user("later")).await;
    later = complete(&ann, 1, &format!("&from={to}")).await;
    assert_eq!((&later[0]["user"], &later[0]["by"]), (&"later".into(), &Value::Null));
    let text = |entries: &[Value]| serde_json::to_string(entries).expect("JSON");
    assert_eq!(text(&before), text(&trail(&ann, &past).await));

    for (query, pointer) in [
        ("from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:01Z", "from"),
        ("from=2026-03-01T00:00:00Z&to=2026-02-01T00:00:00Z", "from"),
        ("from=yesterday", "from"),
        ("to=2026-03-01", "to"),
        ("job=latest", "job"),
        ("number=12", "number"),
    ] {
        let reply = ann.get(&format!("/v1/audit?{query}")).await;
        let told = (reply.status, reply.json()["code"].clone(), reply.json()["pointer"].clone());
        assert_eq!(told, (StatusCode::BAD_REQUEST, json!("INVALID_PARAMETER"), json!(pointer)), "{query}");
    }
    // The latest first: the same entries, from their end.
    let mut ascending = trail(&ann, "").await;
    ascending.reverse();
    assert!(ascending.len() > 5);
    assert_eq!(text(&trail(&ann, "&order=desc").await), text(&ascending));

    // A cursor belongs to its filters, also where debug prints would be alike.
    let first = ann.get("/v1/audit?limit=1&user=user1").await.json();
    let next = first["next"].as_str().expect("a next page");
    let other = ann.get(&format!("/v1/audit?limit=1&user=user2&cursor={next}")).await;
    assert_eq!(other.json()["code"], "INVALID_CURSOR");
}

/// Records as the stream tells them, of users of the account `acme`.
fn records(users: std::ops::Range<usize>) -> Value {
    let second = jiff::Timestamp::now().as_second();
    let record = |number: usize| {
        json!({
            "eventID": format!("event{number}"),
            "eventName": "INSERT",
            "dynamodb": {
                "ApproximateCreationDateTime": second,
                "SequenceNumber": format!("1000000000000000000{number:02}"),
                "Keys": { "PK": { "S": format!("ACCT#acme#USER#user{number}") }, "SK": { "S": "USER" } },
                "NewImage": { "login": { "S": format!("user{number}") }, "changed_by": { "S": "call:ann" } },
            },
        })
    };
    json!({ "Records": users.map(record).collect::<Vec<_>>() })
}

async fn function(endpoints: LocalStack, stack: &Stack) -> AuditTrail {
    let aws = Aws::local(endpoints).await;
    let directory = Directory::new(&aws, stack.output("TableName"));
    let files = Files::new(&aws, stack.output("FilesBucketName"));
    AuditTrail { directory, files, patience: Duration::from_secs(1) }
}

/// What the function answers to these records.
async fn deliver(function: &AuditTrail, records: Value) -> Value {
    let records = serde_json::from_value(records).expect("records");
    serde_json::to_value(function.handle(records).await).expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_twice_is_shown_once_and_what_could_not_be_kept_is_told_again() {
    let stack = Stack::start(&["AuditSettleSeconds=2", "AuditBatchSeconds=0"]).await;
    let ann = stack.caller(&["--account", "acme"]);
    let done = json!({ "batchItemFailures": [] });
    let all = function(stack.endpoints(), &stack).await;

    // Dead before the object was written, and after.
    for carried_out in [false, true] {
        let fuse = Fuse::after(0, carried_out);
        let s3 = Proxy::start(&stack.endpoints().s3, Faults::default(), Some(fuse.clone())).await;
        let dying = function(LocalStack { s3: s3.url.clone(), ..stack.endpoints() }, &stack).await;
        tokio::select! {
            answer = deliver(&dying, records(0..6)) => panic!("it lived to say {answer}"),
            () = fuse.blown() => {}
        }
    }
    // The whole batch again, and in halves as Lambda cuts it; a part of the next.
    assert_eq!(deliver(&all, records(0..6)).await, done);
    assert_eq!(deliver(&all, records(0..3)).await, done);
    assert_eq!(deliver(&all, records(3..8)).await, done);

    let down = Proxy::start(&stack.endpoints().s3, Faults::default(), None).await;
    down.set_down(true);
    let failing = function(LocalStack { s3: down.url.clone(), ..stack.endpoints() }, &stack).await;
    let mut mixed = records(7..9);
    mixed["Records"].as_array_mut().expect("records").insert(0, json!({ "eventID": "broken" }));
    let again = json!({ "batchItemFailures": [{ "itemIdentifier": "100000000000000000007" }] });
    assert_eq!(deliver(&failing, mixed.clone()).await, again);
    assert_eq!(deliver(&all, mixed).await, done, "one that can't be read holds no other back");

    let names = |entries: &[Value]| entries.iter().map(|entry| entry["user"].clone()).collect::<Vec<_>>();
    let users: Vec<_> = (0..9).map(|number| json!(format!("user{number}"))).collect();
    assert_eq!(names(&complete(&ann, 9, "").await), users);
    // Also where the page begins after the first telling, and in the object of the second.
    let last = trail(&ann, "").await.pop().expect("entries");
    let from = format!("&from={}", last["at"].as_str().expect("a time"));
    assert_eq!(names(&trail(&ann, &from).await), users[8..]);
}

/// Kills the real function whenever it is seen, and the whole stack once.
#[tokio::test(flavor = "multi_thread")]
async fn no_change_is_lost_or_doubled_by_deaths() {
    const USERS: usize = 400;
    let mut stack = Stack::start(&["AuditSettleSeconds=2", "AuditBatchSeconds=0"]).await;
    stack.create_users(USERS).await;
    let rows: String = (1..=USERS).map(|user| format!("user{user},9876543210\n")).collect();
    let job = stack.drop_file("deaths.csv", format!("Login ID,Allowed Caller ID\n{rows}")).await;
    let mut killed = 0;
    let start = Instant::now();
    while killed < 3 {
        assert!(start.elapsed() < TIMEOUT, "the function is never seen");
        killed += stack.kill_all("audit-trail");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let job = stack.ended(&job).await;
    stack.restart("-KILL").await;
    stack.create_user(user("last")).await;

    let ann = stack.caller(&["--account", "acme"]);
    let limit = 2 * USERS + 1;
    let entries = loop {
        let arguments = ["audit", "--account", "acme", "--json", "--limit", "2000"];
        let entries = json(&rollcall(Some(&stack), &arguments, b""));
        let entries = entries.as_array().expect("entries").clone();
        if entries.iter().any(|entry| entry["user"] == "last") {
            break entries;
        }
        assert!(start.elapsed() < 2 * TIMEOUT, "waited too long for the trail");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(entries.len(), limit);
    let by_job = format!("&job={}", job.id);
    let appended = complete(&ann, USERS, &by_job).await;
    let mut users: Vec<_> = appended.iter().filter_map(|entry| entry["user"].as_str()).collect();
    users.sort_unstable();
    users.dedup();
    assert_eq!(users.len(), USERS);
}
