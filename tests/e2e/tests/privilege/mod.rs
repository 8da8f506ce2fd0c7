//! Each function may do what it does, and nothing else. What it may not, the local stack refuses in every test; here is seen
//! that nothing is granted which nobody uses.

mod push;

use std::{collections::BTreeSet, fs, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use axum::http::{Method, StatusCode};
use e2e::{
    Caller, Corruption, Graph, Quirks, ScimClient, Smartflo, SmartfloTraps, Stack, Zoom, ZoomSpoil, ZoomTraps,
    entra_user, json, rollcall,
};
use rollcall_bulk::{
    job::{Job, JobState},
    resync::state::ResyncRequest,
    undo::UndoRequest,
};
use rollcall_connectors::{smartflo::SECRET as SMARTFLO_SECRET, zoom_phone};
use rollcall_model::{
    inventory::{InventoryNumber, NumberFacts},
    jobs::JobKind,
    mapping::{CrmUserId, GivenMapping, Mapping},
    phone_side::PhoneUserId,
    settings::{PhoneSystem, Settings},
};
use rollcall_storage::{connect::Aws, secrets::Secrets};
use serde_json::{Value, json as value};

/// What Lambda and X-Ray do in a function's name, and don't do on this machine.
const NOT_PLAYED: [&str; 7] = [
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
    "logs:",
    "sqs:",
    "xray:",
];

/// What is seen in other tests, which would take too long here: a download of more than four megabytes (`api/users.rs`), and a job that stops at its
/// deadline (`goes_on.rs`).
const SEEN_ELSEWHERE: [&str; 2] = ["/exports/*", "/continue/*"];

/// Users of the files that a function is killed over: as many as keep it at work for some seconds, and no more than an attempt
/// can deal with.
const APPENDED: usize = 3_000;
const CREATED: usize = 500;

/// What stands in the stack's log of who may do what, by its first word: function, action and resource.
fn logged(stack: &Stack, what: &str) -> BTreeSet<String> {
    let log = fs::read_to_string(stack.dir().join("access.log")).expect("the stack says who may do what");
    let told = log.lines().filter_map(|line| line.strip_prefix(what)?.strip_prefix(' '));
    told.filter(|line| !NOT_PLAYED.iter().any(|played| line.contains(&format!(" {played}"))))
        .map(str::to_owned)
        .collect()
}

async fn set_system(stack: &Stack, phone_system: PhoneSystem) {
    let recipients = vec!["ops@example.com".parse().expect("an address")];
    let settings = Settings { phone_system, recipients, ..Settings::default() };
    stack.directory.put_settings(&stack.account, &settings).await.expect("settings are written");
}

async fn resync(stack: &Stack, name: &str, system: PhoneSystem) -> Job {
    set_system(stack, system).await;
    let source =
        stack.drop_as(JobKind::MappingResync, name, ResyncRequest { confirmed: true, preview: false }.to_json()).await;
    stack.ended(&source).await
}

/// Takes the head of the packed inventory away: the function that needs it next packs it anew.
async fn forget_what_is_packed(stack: &Stack) {
    let delete = stack.table().delete_item().table_name(stack.output("TableName"));
    let delete = delete.key("PK", AttributeValue::S(format!("ACCT#{}", stack.account)));
    delete.key("SK", AttributeValue::S("INVENTORY".to_owned())).send().await.expect("it is deleted");
}

/// A number that somebody writes in the table itself is followed, also where nothing is packed.
async fn follow_what_is_written_past_us(stack: &Stack) {
    for digit in [6, 7] {
        if digit == 6 {
            forget_what_is_packed(stack).await;
        }
        let number = format!("+91987650000{digit}");
        let facts = NumberFacts::default();
        let item = InventoryNumber::new(number.parse().expect("a number"), facts, jiff::Timestamp::now());
        let record = AttributeValue::S(serde_json::to_string(&item).expect("JSON"));
        let put = stack.table().put_item().table_name(stack.output("TableName"));
        let put = put.item("PK", AttributeValue::S(format!("ACCT#{}#NUMBERS", stack.account)));
        let put = put.item("SK", AttributeValue::S(format!("NUM#{number}")));
        let put = put.item("number", record).item("version", AttributeValue::N("1".to_owned()));
        put.send().await.expect("it is put");
        for tried in 0.. {
            assert!(tried < 600, "waited too long for the packer");
            if logged(stack, "used")
                .iter()
                .any(|line| line.starts_with("rollcall-TableFollower") && line.contains("PutItem"))
            {
                let inventory = stack.directory.packed_inventory(&stack.account).await.expect("it is read");
                if inventory.get(item.number).is_some() {
                    break;
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Waits until every file that was dropped has a job, and every job its end.
async fn all_ended(stack: &Stack) {
    for _ in 0..600 {
        let queues = json(&rollcall(Some(stack), &["queues", "--json"], &[]));
        let queues = queues.as_array().expect("queues");
        let left = |queue: &Value| {
            ["waiting", "delayed", "in_flight"].iter().filter_map(|name| queue[*name].as_u64()).sum::<u64>()
        };
        if queues.iter().map(left).sum::<u64>() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("waited too long for the jobs");
}

async fn map(stack: &Stack, crm_user: &str, phone_user: &str) {
    let given = GivenMapping { phone_user: PhoneUserId::parse(phone_user).ok(), ..GivenMapping::default() };
    let mapping = Mapping::new(CrmUserId::parse(crm_user).expect("an ID"), given, jiff::Timestamp::now());
    assert!(
        stack.directory.change_mapping(&stack.account, None, &mapping, None).await.expect("the mapping is written")
    );
}

/// A row that is good, and one that isn't.
const FILE: &str = "Login ID,Allowed Caller ID\nuser1,+919876500001\nnobody,+919876500001\n";

async fn post(caller: &Caller, path: &str, body: Value) -> Value {
    let reply = caller.ask(Method::POST, path, &[("idempotency-key", path)], body.to_string()).await;
    assert!(reply.status.is_success(), "{path}: {}", reply.text());
    reply.json()
}

/// A job that goes on after a death looks for what the one before has kept.
async fn go_on_after_deaths(stack: &Stack) {
    let rows = |count: usize, row: fn(usize) -> String| (1..=count).map(row).collect::<String>();
    let append = rows(APPENDED, |number| format!("user{number},+919876500001\n"));
    let create = rows(CREATED, |number| format!("N,new{number},+919876500001\n"));
    let long = [
        (JobKind::AppendCallerIds, "bulk-append", format!("Login ID,Allowed Caller ID\n{append}")),
        (JobKind::UploadUsers, "bulk-users", format!("Name,Login ID,Allowed Caller ID\n{create}")),
    ];
    for (kind, function, file) in long {
        let source = stack.drop_as(kind, "long.csv", file).await;
        stack.job_when(&source, |job| job.lease.is_some()).await;
        assert_eq!(stack.kill_all(function), 1, "{function} was at work");
        let job = stack.ended(&source).await;
        assert!(job.state == JobState::Finished && job.attempts > 1, "{job:?}");
    }
}

async fn drop_files(stack: &Stack) {
    forget_what_is_packed(stack).await;
    assert_eq!(stack.append("append.csv", FILE).await.counts.failed, 1);
    let users = |email: &str| {
        format!(
            "Name,Login ID,Email,Allowed Caller ID\nA,user1,{email}@example.com,+919876500001\nB,user2,,+919876500001\n,user3,,+919876500002\nC,,,\n"
        )
    };
    for email in ["a", "b"] {
        assert_eq!(stack.upload_users(&format!("{email}.csv"), users(email)).await.counts.failed, 1);
    }
    let numbers = "Number,State\n+919876500002,flagged\njunk,active\n";
    let source = stack.drop_as(JobKind::UploadNumbers, "numbers.csv", numbers).await;
    assert_eq!(stack.ended(&source).await.counts.failed, 1);
}

/// Every route is asked in the test of the contract; here those that reach further than the table.
async fn ask_the_api(stack: &Stack, caller: &Caller) {
    post(caller, "/v1/users", value!({ "login": "maya", "name": "Maya", "email": "maya@example.com" })).await;
    let patched = caller.ask(
        Method::PATCH,
        "/v1/users/maya",
        &[("content-type", "application/merge-patch+json")],
        value!({ "email": "m@example.com" }).to_string(),
    );
    assert!(patched.await.status.is_success());
    assert!(caller.ask(Method::DELETE, "/v1/users/maya", &[], "").await.status.is_success());
    post(caller, "/v1/users/user2/caller-ids", value!({ "caller_ids": ["+919876500002"] })).await;
    post(caller, "/v1/numbers", value!({ "numbers": [{ "number": "+919876500009" }] })).await;
    let removed = caller.ask(Method::DELETE, "/v1/users/user2/caller-ids/+919876500001", &[], "").await;
    assert!(removed.status.is_success(), "{}", removed.text());
    for path in ["/v1/users", "/v1/numbers/+919876500001/users", "/v1/jobs", "/v1/mappings", "/v1/users.csv"] {
        let reply = caller.get(path).await;
        assert!(!reply.status.is_client_error() && !reply.status.is_server_error(), "{path}: {}", reply.text());
    }
    let upload =
        post(caller, "/v1/jobs", value!({ "kind": "append-caller-ids", "name": "linked.csv", "size": FILE.len() }))
            .await;
    let headers = upload["headers"].as_object().expect("headers").iter();
    let headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.as_str().expect("text"))).collect();
    // Who has the link may not say what the link doesn't.
    let mut more = headers.clone();
    more.push(("x-amz-meta-role", "admin"));
    let sneaked = stack.stranger().fetch(Method::PUT, upload["url"].as_str().expect("a link"), &more, FILE).await;
    assert_eq!(sneaked.status, 403, "a header that is not signed");
    let put = stack.stranger().fetch(Method::PUT, upload["url"].as_str().expect("a link"), &headers, FILE).await;
    assert!(put.status.is_success(), "{}", put.text());
    let good = stack.append("good.csv", "Login ID,Allowed Caller ID\nuser1,+919876500001\n").await;
    assert_eq!(caller.get(&format!("/v1/jobs/{}/failures", good.id)).await.status, StatusCode::NOT_FOUND);
    let appended = stack.append("again.csv", FILE).await;
    let link = caller.get(&format!("/v1/jobs/{}/failures", appended.id)).await;
    let linked = stack.stranger().fetch(Method::GET, link.header("location"), &[], "").await;
    assert!(linked.status.is_success(), "{}", linked.text());
    all_ended(stack).await;
}

/// Entra ID is not connected, not well, and well.
async fn import_and_sync(stack: &Stack, caller: &Caller, graph: &Graph) {
    let ids = graph.add_users(5);
    assert_eq!(caller.get("/v1/directory/users").await.status, StatusCode::NOT_FOUND);
    let search = value!({ "import": { "search": "person" } }).to_string();
    let import = async |name: &str| stack.drop_as(JobKind::DirectoryImport, name, search.clone()).await;
    assert_eq!(stack.ended(&import("not-connected.json").await).await.state, JobState::Failed);
    Graph::connect(stack, &stack.account).await;
    graph.spoil(Corruption::Broken, "");
    let source = import("all.json").await;
    stack.job_when(&source, |job| job.last_error.is_some()).await;
    graph.mend();
    let imported = stack.ended(&source).await;
    assert!(imported.state == JobState::Finished && imported.attempts > 1, "{imported:?}");
    graph.change(&ids[0], |person| person.mail = Some("elsewhere@example.com".to_owned()));
    post(caller, "/v1/directory/sync", value!({})).await;
    all_ended(stack).await;
}

async fn resync_with_every_system(stack: &Stack, zoom: &Zoom, smartflo: &Smartflo) {
    let secrets = Secrets::new(&Aws::local(stack.endpoints()).await);
    map(stack, "crm-1", "user1").await;
    assert_eq!(resync(stack, "own.json", PhoneSystem::Builtin).await.state, JobState::Finished);
    // Without a snapshot, and with one.
    assert_eq!(resync(stack, "no-snapshot.json", PhoneSystem::Snapshot).await.state, JobState::Failed);
    let snapshot = "User ID,Email,Policy,Department,Allowed Caller ID\nuser1,,custom,,+919876500001\n";
    let source = stack.drop_as(JobKind::PhoneSnapshot, "phones.csv", snapshot).await;
    assert_eq!(stack.ended(&source).await.state, JobState::Finished);
    assert_eq!(resync(stack, "snapshot.json", PhoneSystem::Snapshot).await.state, JobState::Finished);
    // Without a secret, and with one.
    for (system, name) in [(PhoneSystem::ZoomPhone, "zoom"), (PhoneSystem::Smartflo, "smartflo")] {
        assert_eq!(resync(stack, &format!("{name}-no-secret.json"), system).await.state, JobState::Failed);
        push::ask(stack).await;
    }
    secrets.put(&stack.account, zoom_phone::SECRET, &Zoom::credentials()).await.expect("a secret");
    secrets.put(&stack.account, SMARTFLO_SECRET, &Smartflo::credentials()).await.expect("a secret");
    zoom.add_users(3);
    zoom.spoil(Some(ZoomSpoil::Rubbish));
    set_system(stack, PhoneSystem::ZoomPhone).await;
    let source = stack.drop_as(JobKind::MappingResync, "put-off.json", ResyncRequest::default().to_json()).await;
    stack.job_when(&source, |job| job.last_error.is_some()).await;
    zoom.spoil(None);
    assert!(stack.ended(&source).await.attempts > 1);
    smartflo.add_users(3);
    for (system, name) in [(PhoneSystem::ZoomPhone, "zoom"), (PhoneSystem::Smartflo, "smartflo")] {
        let job = resync(stack, &format!("{name}.json"), system).await;
        assert_eq!(job.state, JobState::Finished, "{job:?}");
    }
}

/// A directory pushes users in, groups too, and makes one leave, which is more than its account allows unwatched.
async fn provision(stack: &Stack) {
    let owner = stack.caller(&["--account", "pushed"]);
    let threshold = value!({ "recipients": ["ops@example.com"], "safety_threshold": { "percent": 1, "at_least": 1 } });
    let headers = [("content-type", "application/merge-patch+json")];
    assert!(owner.ask(Method::PATCH, "/v1/settings", &headers, threshold.to_string()).await.status.is_success());
    let client = ScimClient::of_account(stack, "pushed").await;
    let mut maya = entra_user("maya@contoso.example", "e-1");
    maya["displayName"] = "Maya Pillai".into();
    let id = client.made("/Users", maya).await;
    assert_eq!(client.find("Users", "displayName eq \"Maya Pillai\"").await["totalResults"], 1);
    assert_eq!(client.get("/Users").await.json()["totalResults"], 1);
    let group = client.made("/Groups", value!({ "displayName": "Sales", "members": [{ "value": id }] })).await;
    let leave = value!([{ "op": "replace", "value": { "active": false, "externalId": "e-2" } }]);
    assert!(client.patch(&format!("/Users/{id}"), leave).await.status.is_success());
    assert!(client.ask(Method::DELETE, &format!("/Groups/{group}"), &[], None).await.status.is_success());
    assert!(
        owner
            .ask(Method::DELETE, &format!("/v1/directory/scim-keys/{}", client.key), &[], "")
            .await
            .status
            .is_success()
    );
}

/// Shown first, carried out, and taken back; and each asked for what it refuses, which is mailed.
async fn rotate_and_undo(stack: &Stack, caller: &Caller) {
    const TRAIL: &str = "/v1/audit?user=rita";
    stack.own(&["+919876500003", "+919876500004", "+919876500005"]).await;
    let users =
        "Name,Login ID,Email,Allowed Caller ID\nR,rita,rita@example.com,+919876500003\n,user4,four@example.com,\n";
    let uploaded = stack.upload_users("rita.csv", users).await;
    assert_eq!(uploaded.counts.applied, 2, "{uploaded:?}");
    let path = "/v1/numbers/rotations";
    let body = value!({ "retire": ["+919876500003", "junk"], "replace_with": { "+919876500003": "+919876500004" }, "preview": true });
    forget_what_is_packed(stack).await;
    post(caller, path, body).await;
    all_ended(stack).await;
    let job = caller.get("/v1/jobs?kind=rotate-caller-ids&limit=1").await.json()["items"][0].clone();
    assert_eq!(job["state"], "previewed", "{job}");
    let rotation = job["id"].as_str().expect("an ID").to_owned();
    post(caller, &format!("/v1/jobs/{rotation}/execute"), Value::Null).await;
    all_ended(stack).await;
    for undone in [&rotation, uploaded.id.as_str()] {
        forget_what_is_packed(stack).await;
        post(caller, &format!("/v1/jobs/{undone}/undo"), value!({})).await;
        all_ended(stack).await;
        assert_eq!(caller.get(&format!("/v1/jobs/{undone}")).await.json()["state"], "undone");
    }
    let again = UndoRequest { job: uploaded.id, preview: false, allow_empty: false }.to_json();
    let source = stack.drop_as(JobKind::Undo, "again.json", again).await;
    assert_eq!(stack.ended(&source).await.state, JobState::Failed);
    // On a slow machine the trail has more objects than a page is read from.
    let mut path = TRAIL.to_owned();
    for _ in 0..600 {
        let page = caller.get(&path).await.json();
        if page["items"].as_array().is_some_and(|items| !items.is_empty()) {
            return;
        }
        path = page["next"].as_str().map_or_else(|| TRAIL.to_owned(), |next| format!("{TRAIL}&cursor={next}"));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("waited too long for the audit trail");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_function_may_do_what_it_never_does() {
    let (graph, zoom) = (Graph::start(Quirks::default()).await, Zoom::start(ZoomTraps::default()).await);
    let smartflo = Smartflo::start(SmartfloTraps::default()).await;
    let [login, api] = graph.parameters();
    let parameters = [
        login,
        api,
        format!("ZoomApiUrl={}", zoom.url),
        format!("ZoomLoginUrl={}", zoom.url),
        format!("SmartfloUrl={}", smartflo.url),
        // A delivery whose function has died comes again soon.
        "BulkTimeoutSeconds=10".to_owned(),
        "BulkVisibilitySeconds=12".to_owned(),
    ];
    let stack = Stack::start(&parameters.each_ref().map(String::as_str)).await;
    let caller = stack.caller(&["--account", stack.account.as_str()]);
    stack.recipients(&["ops@example.com"]).await;
    stack.create_users(APPENDED).await;
    stack.own(&["+919876500001", "+919876500002"]).await;

    go_on_after_deaths(&stack).await;
    drop_files(&stack).await;
    ask_the_api(&stack, &caller).await;
    import_and_sync(&stack, &caller, &graph).await;
    resync_with_every_system(&stack, &zoom, &smartflo).await;
    push::what_changes(&stack, &smartflo).await;
    rotate_and_undo(&stack, &caller).await;
    provision(&stack).await;
    push::wake_nobody(&stack).await;
    for visited in ["DirectoryImport", "MappingResync", "NumberRotation"] {
        let schedule = format!("{visited}FunctionVisit");
        assert!(rollcall(Some(&stack), &["schedules", "run", &schedule], &[]).status.success());
    }
    follow_what_is_written_past_us(&stack).await;
    assert_eq!(logged(&stack, "denied"), BTreeSet::new());
    let used = logged(&stack, "used");
    let unused: Vec<_> = logged(&stack, "granted").into_iter().filter(|granted| !used.contains(granted)).collect();
    // Whoever needs the inventory first when nothing is packed packs it anew: which of them that is, nobody says.
    let packs = |one: &str| {
        let functions = ["BulkAppend", "BulkUndo", "NumberRotation", "PushLists", "TableFollower"];
        let is_one = functions.iter().any(|name| one.starts_with(&format!("rollcall-{name}Function dynamodb:Query ")));
        is_one && one.ends_with(":table/rollcall-DirectoryTable")
    };
    let explained = |one: &str| SEEN_ELSEWHERE.iter().any(|end| one.ends_with(end)) || packs(one);
    let unexplained: Vec<_> = unused.iter().filter(|one| !explained(one)).collect();
    assert!(unexplained.is_empty(), "granted, and never used: {unexplained:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_role_lacks_is_refused() {
    let template = include_str!("../../../../infra/template.yaml");
    // The first is the bulk append's.
    let lacking = template.replacen("- dynamodb:PartiQLUpdate\n", "- dynamodb:Scan\n", 1);
    assert_ne!(lacking, template);
    let stack = Stack::of_template(&lacking, &[]).await;
    stack.create_users(1).await;
    let source = stack.drop_file("refused.csv", "Login ID,Allowed Caller ID\nuser1,+919876500001\n").await;
    let job = stack.job_when(&source, |job| job.last_error.is_some()).await;
    let error = job.last_error.expect("an error");
    assert!(error.contains("AccessDenied") && error.contains("dynamodb:PartiQLUpdate"), "{error}");
    assert_eq!(stack.list("user1").await, Some(Vec::new()));
    let denied = logged(&stack, "denied");
    assert!(
        denied.iter().all(|line| line.starts_with("rollcall-BulkAppendFunction dynamodb:PartiQLUpdate ")),
        "{denied:?}"
    );
    assert_eq!(denied.len(), 1);
}
