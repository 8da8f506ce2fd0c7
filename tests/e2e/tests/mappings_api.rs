//! Mappings through the API and the commands: what CRM users see, why, and what a person decides about jobs that held.

use axum::http::{Method, StatusCode};
use e2e::{Caller, Faults, InProcess, Proxy, Reply, Stack, json, rollcall};
use rollcall_bulk::job::JobState;
use rollcall_engine::world::{Accounts, Schedules};
use rollcall_model::{
    mapping::{CrmUserId, Mapping},
    phone_side::DialPermission,
    settings::{PhoneSystem, Settings},
    user::Policy,
};
use rollcall_storage::{connect::Aws, secrets::Secrets};
use serde_json::{Value, json};

fn number(last: usize) -> String {
    format!("+9198765{last:05}")
}

fn crm(id: &str) -> CrmUserId {
    CrmUserId::parse(id).expect("an ID")
}

async fn send(caller: &Caller, method: Method, path: &str, headers: &[(&str, &str)], body: Value) -> Reply {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    caller.ask(method, path, headers, body).await
}

async fn put(caller: &Caller, crm_user: &str, headers: &[(&str, &str)], given: Value) -> Reply {
    send(caller, Method::PUT, &format!("/v1/mappings/{crm_user}"), headers, given).await
}

fn owner(stack: &Stack) -> Caller {
    stack.caller(&["--account", stack.account.as_str()])
}

/// What a resync would leave behind.
async fn allow(stack: &Stack, crm_user: &str, permission: DialPermission) {
    let before = stack.directory.mapping(&stack.account, &crm(crm_user)).await.unwrap().expect("a mapping");
    let after = Mapping { permission: Some(permission), version: before.version + 1, ..before.clone() };
    assert!(stack.directory.change_mapping(&stack.account, Some(&before), &after, None).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_is_created_changed_listed_and_deleted() {
    let stack = Stack::start(&[]).await;
    let owner = owner(&stack);
    stack.create_users(2).await;

    let created = put(&owner, "crm-1", &[("if-none-match", "*")], json!({ "phone_user": "USER1" })).await;
    let version = created.json()["version"].as_u64().expect("a version");
    let tag = |changes: u64| format!("\"{}\"", version + changes);
    assert_eq!((created.status, created.header("etag")), (StatusCode::CREATED, &*tag(0)));
    assert_eq!(created.json()["phone_user"], "user1", "named as resyncs name it");
    assert_eq!(created.json()["state"], json!({ "is": "mapped", "phone_user": "user1" }));
    let standing = stack.directory.resync_state(&stack.account).await.unwrap();
    assert!(standing.is_some() && stack.directory.resynced_accounts().await.unwrap() == [stack.account.clone()]);

    // As it is: nothing is written. With a condition that doesn't hold: nothing either.
    let same = put(&owner, "crm-1", &[], json!({ "phone_user": "user1" })).await;
    assert_eq!((same.status, same.header("etag")), (StatusCode::OK, &*tag(0)));
    for (name, value, crm_user) in
        [("if-none-match", "*", "crm-1"), ("if-match", "\"7\"", "crm-1"), ("if-match", "*", "crm-9")]
    {
        let refused = put(&owner, crm_user, &[(name, value)], json!({ "phone_user": "user2" })).await;
        assert_eq!(
            (refused.status, refused.json()["code"].as_str()),
            (StatusCode::PRECONDITION_FAILED, Some("VERSION_CONFLICT"))
        );
    }
    let nobody = put(&owner, "crm-1", &[], json!({ "phone_user": "nobody" })).await;
    assert_eq!((nobody.status.as_u16(), nobody.json()["pointer"].as_str()), (422, Some("/phone_user")));

    // Somebody else's numbers are gone with the change, at once.
    allow(&stack, "crm-1", DialPermission::all()).await;
    let changed = put(&owner, "crm-1", &[("if-match", &*tag(1))], json!({ "phone_user": "user2" })).await;
    assert_eq!((changed.status, changed.header("etag")), (StatusCode::OK, &*tag(2)));
    assert_eq!(changed.json()["permission"], Value::Null);

    // A CRM calls its users what it likes, but for the name of a route.
    let odd = put(&owner, "-?crm_user=a%2Fb%23c%20%F0%9F%93%9E", &[], json!({ "email": "asha@example.com" })).await;
    assert_eq!((odd.status, odd.json()["crm_user"].as_str()), (StatusCode::CREATED, Some("a/b#c 📞")));
    assert_eq!(owner.get("/v1/mappings/-?crm_user=a%2Fb%23c%20%F0%9F%93%9E").await.json(), odd.json());
    let reserved = put(&owner, "resync", &[], json!({ "phone_user": "user1" })).await;
    assert_eq!((reserved.status.as_u16(), reserved.json()["pointer"].as_str()), (400, Some("crm_user")));
    assert!(reserved.json()["detail"].as_str().unwrap().contains("a route of its own"));
    let standing = owner.get("/v1/mappings/resync").await.json();
    assert_eq!(standing, json!({ "done": null, "ended": null, "on_hold": false }));

    let listed = async |query: &str| {
        let page = owner.get(&format!("/v1/mappings{query}")).await.json();
        let names: Vec<_> = page["items"].as_array().unwrap().iter().map(|item| item["crm_user"].clone()).collect();
        (json!(names), page["next"].as_str().map(str::to_owned))
    };
    assert_eq!(listed("").await, (json!(["a/b#c 📞", "crm-1"]), None));
    assert_eq!(listed("?state=mapped").await, (json!(["crm-1"]), None));
    assert_eq!(listed("?state=unmapped").await, (json!(["a/b#c 📞"]), None));
    assert_eq!(listed("?state=orphaned").await, (json!([]), None));
    for state in ["", "&state=mapped"] {
        assert_eq!(put(&owner, "crm-2", &[], json!({ "phone_user": "user1" })).await.json()["crm_user"], "crm-2");
        let (mut names, mut query) = (Vec::new(), format!("?limit=1{state}"));
        loop {
            let (page, next) = listed(&query).await;
            names.extend(page.as_array().unwrap().clone());
            let Some(next) = next else { break };
            query = format!("?limit=1{state}&cursor={next}");
        }
        let all = if state.is_empty() { json!(["a/b#c 📞", "crm-1", "crm-2"]) } else { json!(["crm-1", "crm-2"]) };
        assert_eq!(json!(names), all);
    }

    for (search, found) in [("CRM-1", json!(["crm-1"])), ("nobody", json!([]))] {
        let (page, next) = listed(&format!("?search={search}")).await;
        assert_eq!((page, next), (found, None), "{search}");
    }

    let delete = async || send(&owner, Method::DELETE, "/v1/mappings/crm-1", &[], Value::Null).await.status.as_u16();
    assert_eq!((delete().await, delete().await), (204, 404));
    assert_eq!(owner.get("/v1/mappings/crm-1").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crm_user_sees_costs_one_read_and_is_not_sent_twice() {
    let stack = Stack::start(&[]).await;
    let owner = owner(&stack);
    stack.create_users(1).await;
    stack.own(&[&number(1), &number(2)]).await;
    put(&owner, "crm-1", &[], json!({ "phone_user": "user1" })).await;
    let path = "/v1/mappings/crm-1/caller-ids";
    let none = owner.get(path).await;
    assert_eq!(none.json(), json!({ "crm_user": "crm-1", "caller_ids": [], "resynced": null }));

    allow(&stack, "crm-1", DialPermission::all()).await;
    let seen = owner.get(path).await;
    assert_eq!(seen.json()["caller_ids"], json!([number(1), number(2)]));
    let unchanged = owner.ask(Method::GET, path, &[("if-none-match", seen.header("etag"))], String::new()).await;
    assert_eq!((unchanged.status, unchanged.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let retire = json!({ "state": "retired" });
    send(&owner, Method::PATCH, &format!("/v1/numbers/{}", number(1)), &[], retire).await;
    let after = owner.ask(Method::GET, path, &[("if-none-match", seen.header("etag"))], String::new()).await;
    assert_eq!((after.status, after.json()["caller_ids"].clone()), (StatusCode::OK, json!([number(2)])));
    assert_eq!(owner.get("/v1/mappings/crm-9/caller-ids").await.status, StatusCode::NOT_FOUND);

    let table = Proxy::start(&stack.endpoints().dynamodb, Faults::default(), None).await;
    let mut function = InProcess::start(&stack, &table.url).await;
    // The numbers are read once: then one request asks for the mapping, and whether they are still the same.
    for requests in [2, 1, 1] {
        let before = table.requests();
        let route = "/v1/mappings/{crm_user}/caller-ids";
        let (status, ..) = function.get(route, &[("crm_user", "crm-1")], "rollcall/mappings.read", None).await;
        assert_eq!((status, table.requests() - before), (StatusCode::OK, requests));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_broken_link_is_explained_to_programs_and_people() {
    let stack = Stack::start(&[]).await;
    let owner = owner(&stack);
    stack.create_users(1).await;
    stack.own(&[&number(1), &number(2)]).await;
    let why = async |crm_user: &str, number: &str| {
        let path = format!("/v1/mappings/{crm_user}/caller-ids/{number}/explanation");
        let told = owner.get(&path).await.json();
        assert_eq!(told["visible"], told["broken"].is_null(), "{told}");
        assert_eq!(told["mend"].is_null(), told["broken"].is_null(), "{told}");
        // The command says the same.
        let typed = number.trim_start_matches("+91");
        let output = rollcall(Some(&stack), &["why", crm_user, typed, "--account", "acme", "--json"], b"");
        assert_eq!(json(&output), told);
        assert_eq!(output.status.code(), Some(i32::from(told["visible"] == false)));
        told["broken"].as_str().map(str::to_owned)
    };
    assert_eq!(why("crm-1", &number(1)).await.as_deref(), Some("mapping"), "who isn't mapped is explained too");
    put(&owner, "crm-1", &[], json!({ "phone_user": "user1" })).await;
    assert_eq!(why("crm-1", &number(1)).await.as_deref(), Some("resync"), "none has run");
    allow(&stack, "crm-1", DialPermission::custom([])).await;
    assert_eq!(why("crm-1", &number(1)).await.as_deref(), Some("policy"));
    let added = json!({ "caller_ids": [number(1)] });
    assert_eq!(send(&owner, Method::POST, "/v1/users/user1/caller-ids", &[], added).await.status, StatusCode::OK);
    assert_eq!(why("crm-1", &number(1)).await.as_deref(), Some("resync"), "allowed since");
    allow(&stack, "crm-1", DialPermission::custom([number(1).parse().unwrap(), number(3).parse().unwrap()])).await;
    assert_eq!(why("crm-1", &number(1)).await, None);
    assert_eq!(why("crm-1", &number(3)).await.as_deref(), Some("inventory"));
    send(&owner, Method::PATCH, &format!("/v1/numbers/{}", number(1)), &[], json!({ "state": "retired" })).await;
    assert_eq!(why("crm-1", &number(1)).await.as_deref(), Some("state"));

    let shown = rollcall(Some(&stack), &["why", "crm-1", &number(1), "--account", "acme"], b"");
    let shown = String::from_utf8(shown.stdout).expect("UTF-8");
    for said in ["does not see", "✓ mapping", "✓ resync", "✓ policy", "✓ inventory", "✗ state", "What mends it:"]
    {
        assert!(shown.contains(said), "{said} is not in:\n{shown}");
    }
    let junk = rollcall(Some(&stack), &["why", "crm-1", "junk", "--account", "acme"], b"");
    assert!(String::from_utf8_lossy(&junk.stderr).contains("not a telephone number"));
}

/// The story that mappings are for, through the API alone: four numbers are seen, more are allowed, still four; a resync, and
/// now all.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_allowed_shows_after_a_resync_and_until_then_is_explained() {
    let stack = Stack::start(&[]).await;
    let owner = owner(&stack);
    let all: Vec<String> = (0..7).map(number).collect();
    let post = async |path: &str, body: Value| {
        let reply = send(&owner, Method::POST, path, &[], body).await;
        assert!(reply.status.is_success(), "{path}: {}", reply.text());
    };
    let numbers: Vec<Value> = all.iter().map(|number| json!({ "number": number })).collect();
    post("/v1/numbers", json!({ "numbers": numbers })).await;
    post("/v1/users", json!({ "login": "asha", "name": "Asha Rao", "email": "asha@example.com" })).await;
    post("/v1/users/asha/caller-ids", json!({ "caller_ids": all[..4] })).await;
    put(&owner, "crm-1", &[], json!({ "email": "Asha@Example.com" })).await;
    let sees = async || owner.get("/v1/mappings/crm-1/caller-ids").await.json()["caller_ids"].clone();
    let resync = async || ask(&stack, &owner, "/v1/mappings/resync", json!({}), JobState::Finished).await;
    assert_eq!(sees().await, json!([]));
    resync().await;
    assert_eq!(sees().await, json!(all[..4]));

    post("/v1/users/asha/caller-ids", json!({ "caller_ids": all[4..] })).await;
    assert_eq!(sees().await, json!(all[..4]), "still four");
    let why = owner.get(&format!("/v1/mappings/crm-1/caller-ids/{}/explanation", all[5])).await.json();
    assert_eq!((why["broken"].as_str(), why["mend"].as_str()), (Some("resync"), Some("Run a resync.")));
    resync().await;
    assert_eq!(sees().await, json!(all));
}

/// Twelve numbers that a CRM user sees, and a phone side that allows one: the job holds.
async fn hold(stack: &Stack, owner: &Caller) -> String {
    let all: Vec<String> = (0..12).map(number).collect();
    stack.own(&all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut user = e2e::user("user1");
    user.policy = Policy::Custom;
    user.caller_ids = vec![number(0).parse().unwrap()];
    stack.create_user(user).await;
    put(owner, "crm-1", &[], json!({ "phone_user": "user1" })).await;
    allow(stack, "crm-1", DialPermission::all()).await;
    ask(stack, owner, "/v1/mappings/resync", json!({}), JobState::OnHold).await
}

/// Asks for a job and waits for its end. Gives its ID.
async fn ask(stack: &Stack, owner: &Caller, path: &str, body: Value, ends: JobState) -> String {
    let asked = send(owner, Method::POST, path, &[], body).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    let job = stack.ended_asked(&asked).await;
    assert_eq!(job.state, ends, "{job:?}");
    job.id.to_string()
}

async fn seen(owner: &Caller) -> usize {
    owner.get("/v1/mappings/crm-1/caller-ids").await.json()["caller_ids"].as_array().expect("numbers").len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_held_is_executed_once_or_discarded() {
    let stack = Stack::start(&[]).await;
    let owner = owner(&stack);
    let decide = async |job: &str, decision: &str| {
        let reply = send(&owner, Method::POST, &format!("/v1/jobs/{job}/{decision}"), &[], Value::Null).await;
        (reply.status.as_u16(), reply.json()["code"].as_str().map(str::to_owned))
    };
    let refused = (409, Some("INVALID_JOB_STATE".to_owned()));
    let state = async |job: &str| owner.get(&format!("/v1/jobs/{job}")).await.json()["state"].clone();

    let first = hold(&stack, &owner).await;
    let standing = owner.get("/v1/mappings/resync").await.json();
    assert_eq!((standing["on_hold"].clone(), standing["ended"]["job"].as_str()), (json!(true), Some(&*first)));
    assert_eq!(decide(&first, "discard").await, (200, None));
    assert_eq!((state(&first).await, seen(&owner).await), (json!("discarded"), 12));
    assert_eq!(owner.get("/v1/mappings/resync").await.json()["on_hold"], false, "the schedule goes on");
    assert_eq!((decide(&first, "execute").await, decide(&first, "discard").await), (refused.clone(), refused.clone()));

    let second = ask(&stack, &owner, "/v1/mappings/resync", json!({}), JobState::OnHold).await;
    let path = format!("/v1/jobs/{second}/execute");
    let done = ask(&stack, &owner, &path, Value::Null, JobState::Finished).await;
    assert_eq!(done, second, "the very job that held");
    assert_eq!((state(&done).await, seen(&owner).await), (json!("finished"), 1));
    assert_eq!((decide(&done, "execute").await, decide(&done, "discard").await), (refused.clone(), refused.clone()));
    assert_eq!(decide("0123456789abcdef0123456789abcdef", "execute").await.0, 404);
    let standing = owner.get("/v1/mappings/resync").await.json();
    assert_eq!((standing["done"]["job"].as_str(), standing["on_hold"].clone()), (Some(&*done), json!(false)));

    // Nor is anything to be decided about a job that did what it should.
    let append = stack.append("one.csv", format!("Login ID,Allowed Caller ID\nuser1,{}\n", number(1))).await;
    assert_eq!(decide(append.id.as_str(), "execute").await, refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_phone_system_is_chosen_and_other_settings_stay() {
    let stack = Stack::start(&[]).await;
    let owner = owner(&stack);
    stack.recipients(&["ops@example.com"]).await;
    assert_eq!(owner.get("/v1/phone-system").await.json(), json!({ "system": "builtin" }));
    let chosen = send(&owner, Method::PUT, "/v1/phone-system", &[], json!({ "system": "snapshot" })).await;
    assert_eq!((chosen.status, chosen.json()), (StatusCode::OK, json!({ "system": "snapshot" })));
    let settings = stack.directory.settings(&stack.account).await.unwrap();
    let recipients = vec!["ops@example.com".parse().unwrap()];
    assert_eq!(
        settings,
        Settings { phone_system: PhoneSystem::Snapshot, recipients, version: 1, ..Settings::default() }
    );
    // Others than our own are not asked who is there.
    assert_eq!(put(&owner, "crm-1", &[], json!({ "phone_user": "SF-7" })).await.json()["phone_user"], "SF-7");

    let zoom = br#"{"account_id": "a", "client_id": "c", "client_secret": "hush-hush"}"#;
    let command = ["phone-system", "zoom-phone", "--secret-from", "-", "--account", "acme", "--json"];
    for (input, code) in [(&zoom[..30], 1), (br#"{"client_secret": "hush-hush"}"#, 1), (zoom, 0)] {
        let output = rollcall(Some(&stack), &command, input);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("hush"), "{output:?}");
        let system = if code == 0 { "zoom-phone" } else { "snapshot" };
        assert_eq!(owner.get("/v1/phone-system").await.json()["system"], system);
    }
    let secrets = Secrets::new(&Aws::local(stack.endpoints()).await);
    let kept: Option<Value> = secrets.read(&stack.account, "zoom-phone").await.unwrap();
    assert_eq!(kept, serde_json::from_slice(zoom).ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_map_resync_and_list() {
    let stack = Stack::start(&[]).await;
    let run = |arguments: &[&str]| {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--account", "acme"]).collect();
        let output = rollcall(Some(&stack), &arguments, b"");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
        )
    };
    stack.own(&[&number(1), &number(2)]).await;
    stack.create_users(1).await;
    stack.append("one.csv", format!("Login ID,Allowed Caller ID\nuser1,{};{}\n", number(1), number(2))).await;
    assert!(run(&["mappings"]).1.contains("has no mappings"));
    let (code, told) = run(&["map", "crm-1", "--to", "nobody"]);
    assert!(code == Some(1) && told.contains("no user with this login ID"), "{told}");
    assert!(run(&["map", "crm-1", "--to", "USER1"]).1.contains("crm-1 is user1"));
    let (code, told) = run(&["resync"]);
    assert!(code == Some(0) && told.contains("Numbers added  2"), "{told}");
    let (_, told) = run(&["mappings"]);
    assert!(told.lines().any(|line| line.split_whitespace().eq(["crm-1", "mapped", "custom", "2", "user1"])), "{told}");
    assert_eq!(run(&["why", "crm-1", "98765 00001"]).0, Some(0));
    assert_eq!((run(&["unmap", "crm-1"]).0, run(&["unmap", "crm-1"]).0), (Some(0), Some(1)));
    assert_eq!(run(&["why", "crm-1", "98765 00001"]).0, Some(1));
}
