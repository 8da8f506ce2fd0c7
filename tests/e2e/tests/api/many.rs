//! One change of many users, and how many there are.

use axum::http::{Method, StatusCode};
use e2e::{Caller, Stack, rollcall, user};
use rollcall_bulk::job::JobState;
use rollcall_model::user::{Ref, User};
use serde_json::{Value, json};

use super::{code, post, start};

const PATH: &str = "/v1/users/jobs";
/// Users, of whom every third is in the department: more than one page of the table's reads would be if they were small.
const USERS: usize = 30;

async fn people(stack: &Stack) {
    let users: Vec<User> = (1..=USERS)
        .map(|number| {
            let mut user = user(&format!("user{number}"));
            user.profile.calling_agent = true;
            user.profile.department = (number % 3 == 0).then(|| Ref::parse("sales").unwrap());
            user
        })
        .collect();
    assert_eq!(stack.directory.create_users(&stack.account, &users).await.expect("users are created"), USERS);
}

async fn disabled(caller: &Caller) -> Vec<String> {
    let page = caller.get("/v1/users?agent_status=disabled&limit=100").await.json();
    let items = page["items"].as_array().expect("users");
    items.iter().map(|user| user["login"].as_str().expect("a login ID").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_who_match_are_changed_by_one_job_that_is_previewed_and_undone() {
    let (stack, caller) = start().await;
    people(&stack).await;
    let body = json!({ "filter": { "department": "sales" }, "set": { "agent_status": "disabled" }, "preview": true });
    let asked = post(&caller, PATH, &body).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    let job = stack.ended_asked(&asked).await;
    assert_eq!((job.state, job.counts.applied), (JobState::Previewed, 10));
    assert_eq!(disabled(&caller).await, Vec::<String>::new(), "a preview changes nothing");
    // Who comes into the department after that is not meant.
    let json = [("content-type", "application/merge-patch+json")];
    let moved = caller.ask(Method::PATCH, "/v1/users/user1", &json, r#"{"department":"sales"}"#).await;
    assert!(moved.status.is_success(), "{}", moved.text());
    assert!(post(&caller, &format!("/v1/jobs/{}/execute", job.id), &json!({})).await.status.is_success());
    let mut state = String::new();
    for _ in 0..300 {
        state =
            caller.get(&format!("/v1/jobs/{}", job.id)).await.json()["state"].as_str().unwrap_or_default().to_owned();
        if state == "finished" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(state, "finished");
    let gone = disabled(&caller).await;
    assert!(gone.len() == 10 && !gone.contains(&"user1".to_owned()), "{gone:?}");
    let undo = stack.ended_asked(&post(&caller, &format!("/v1/jobs/{}/undo", job.id), &json!({})).await).await;
    assert_eq!((undo.state, disabled(&caller).await.len()), (JobState::Finished, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_come_onto_the_lists_of_those_who_are_named() {
    let (stack, caller) = start().await;
    people(&stack).await;
    stack.own(&["+919876500001", "+919876500002"]).await;
    let body = json!({ "logins": ["user1", "USER2", "nobody"], "append": ["98765 00001", "+919876500002", "junk"] });
    let job = stack.ended_asked(&post(&caller, PATH, &body).await).await;
    assert_eq!((job.state, job.counts.partial, job.counts.failed), (JobState::Finished, 2, 1), "{:?}", job.counts);
    for login in ["user1", "user2"] {
        let list = caller.get(&format!("/v1/users/{login}/caller-ids")).await.json();
        assert_eq!(list["caller_ids"], json!(["+919876500001", "+919876500002"]), "{login}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_nobody_or_nothing_is_refused_and_no_job_begins() {
    let (stack, caller) = start().await;
    people(&stack).await;
    let set = json!({ "agent_status": "disabled" });
    for (body, pointer) in [
        (json!({ "set": set }), ""),
        (json!({ "filter": {}, "logins": ["user1"], "set": set }), ""),
        (json!({ "filter": {} }), ""),
        (json!({ "filter": {}, "set": set, "append": ["+919876500001"] }), ""),
        (json!({ "filter": { "department": "nowhere" }, "set": set }), "/filter"),
        (json!({ "filter": { "search": " " }, "set": set }), "/filter/search"),
        (json!({ "filter": { "search": "x".repeat(300) }, "set": set }), "/filter/search"),
        (json!({ "filter": { "departmnet": "sales" }, "set": set }), "/filter/departmnet"),
        (json!({ "logins": [], "set": set }), "/logins"),
        (json!({ "logins": ["user1"], "set": {} }), "/set"),
        (json!({ "logins": ["user1"], "set": { "agent_status": "asleep" } }), "/set/agent_status"),
        (json!({ "logins": ["user1"], "append": [] }), "/append"),
        (json!({ "logins": ["user1"], "append": ["+919876500001", "1;2"] }), "/append/1"),
    ] {
        let refused = post(&caller, PATH, &body).await;
        assert_eq!(
            (code(&refused).0, &refused.json()["pointer"]),
            (422, &json!(pointer)),
            "{body}: {}",
            refused.text()
        );
    }
    assert_eq!(caller.get("/v1/jobs").await.json()["items"], json!([]));
    let reader = stack.caller(&["--account", "acme", "--scope", "rollcall/users.read"]);
    let body = json!({ "filter": {}, "set": set });
    assert_eq!(post(&reader, PATH, &body).await.status, StatusCode::FORBIDDEN);
    // Another account's users are nobody here.
    let other = stack.caller(&["--account", "other"]);
    assert_eq!(post(&other, PATH, &body).await.json()["pointer"], "/filter");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_changes_those_who_are_meant_and_asks_who_where_that_is_not_said() {
    let (stack, caller) = start().await;
    people(&stack).await;
    let run = |more: &[&str]| {
        let ran = rollcall(Some(&stack), &[&["users", "many", "--account", "acme"], more].concat(), b"");
        (ran.status.code(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    let status = ["--set", "agent-status=disabled"];
    for (who, said) in [
        (&[][..], "say who is meant"),
        (&["--all", "--department", "sales"], "say who is meant"),
        (&["user1", "--set", "name=x"], "agent-status"),
    ] {
        let (code, error) = run(&[who, &status].concat());
        assert!(code != Some(0) && error.contains(said), "{who:?}: {code:?} {error}");
    }
    let (code, error) = run(&["--department", "sales"]);
    assert!(code == Some(1) && error.contains("say what is to be done"), "{code:?} {error}");
    // Nobody at a terminal says yes.
    assert_eq!(run(&[&["--department", "sales"][..], &status].concat()).0, Some(3));
    assert_eq!(disabled(&caller).await.len(), 0);
    let (code, error) = run(&[&["--department", "sales", "--yes"][..], &status].concat());
    assert_eq!((code, disabled(&caller).await.len()), (Some(0), 10), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_counted_once_a_day_and_when_somebody_asks() {
    let (stack, caller) = start().await;
    people(&stack).await;
    stack.own(&["+919876500001"]).await;
    let list = json!({ "caller_ids": ["+919876500001"] });
    assert!(post(&caller, "/v1/users/user1/caller-ids", &list).await.status.is_success());
    assert!(post(&caller, "/v1/users/user2/actions/block-agent", &json!({})).await.status.is_success());
    let counts = async |query: &str| -> Value { caller.get(&format!("/v1/user-counts{query}")).await.json() };
    let first = counts("").await;
    assert_eq!(first["users"], USERS);
    assert_eq!(first["agent_status"], json!({ "enabled": USERS - 1, "disabled": 0, "blocked": 1 }));
    assert_eq!(first["policies"], json!({ "all": 0, "department": 0, "custom": USERS }));
    assert_eq!((&first["calling_agents"], &first["without_numbers"]), (&json!(USERS), &json!(USERS - 1)));
    assert!(post(&caller, "/v1/users/user3/actions/block-agent", &json!({})).await.status.is_success());
    assert_eq!(counts("").await, first, "they are a day old at most, and not counted with every visit");
    assert_eq!(counts("?max_age_seconds=0").await["agent_status"]["blocked"], 2);
    assert_eq!(counts("").await["agent_status"]["blocked"], 2);
}
