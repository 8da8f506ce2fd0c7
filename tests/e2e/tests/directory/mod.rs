//! Users from Entra ID, from the tenant to the table.

mod failures;
mod import;
mod listing;
mod sync;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use axum::http::{Method, StatusCode};
use e2e::{Caller, Graph, Quirks, Stack};
use rollcall_bulk::job::{Job, JobState};
use rollcall_model::user::User;
use serde_json::{Value, json};

/// A stack that finds a tenant, and somebody of an account that has connected it.
async fn connected(traps: Quirks) -> (Graph, Stack, Caller) {
    let graph = Graph::start(traps).await;
    let stack = Stack::start(&graph.parameters().each_ref().map(String::as_str)).await;
    Graph::connect(&stack, &stack.account).await;
    let caller = stack.caller(&["--account", stack.account.as_str()]);
    (graph, stack, caller)
}

/// Every item of a list, page by page.
async fn items(caller: &Caller, list: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut path = list.to_owned();
    loop {
        let page = caller.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.json());
        let page = page.json();
        items.extend(page["items"].as_array().expect("items").clone());
        let Some(next) = page["next"].as_str() else { return items };
        path = format!("{list}{}cursor={next}", if list.contains('?') { '&' } else { '?' });
    }
}

/// Asks for an import or a sync through the API, and waits for the end of its job.
async fn ask(stack: &Stack, caller: &Caller, what: &str, body: Value) -> Job {
    let reply = caller.ask(Method::POST, &format!("/v1/{what}"), &[], body.to_string()).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.json());
    let upload = reply.json()["upload"].as_str().expect("an upload").to_owned();
    ended(stack, |job| job.upload.key() == upload).await
}

/// The account's job that is wanted, once it has ended.
async fn ended(stack: &Stack, wanted: impl Fn(&Job) -> bool) -> Job {
    let start = Instant::now();
    loop {
        let (jobs, _) = stack.directory.jobs(&stack.account, None, 50).await.expect("jobs are listed");
        if let Some(job) = jobs.into_iter().find(|job| wanted(job) && !job.is_underway()) {
            return job;
        }
        assert!(start.elapsed() < Duration::from_mins(2), "waited too long for the job");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Imports everybody.
async fn import_all(stack: &Stack, caller: &Caller) -> Job {
    let job = ask(stack, caller, "directory/import", json!({ "search": "person" })).await;
    assert_eq!((job.state, job.counts.needs_correction()), (JobState::Finished, 0), "{job:?}");
    job
}

async fn sync(stack: &Stack, caller: &Caller) -> Job {
    ask(stack, caller, "directory/sync", json!({})).await
}

async fn standing(caller: &Caller) -> Value {
    caller.get("/v1/directory").await.json()
}

fn login(number: usize) -> String {
    format!("person{number}@contoso.onmicrosoft.com")
}

/// Users of the table who came from the directory, by login ID.
async fn users(stack: &Stack) -> BTreeMap<String, User> {
    let users = stack.directory.users(&stack.account, 10_000).await.expect("users are listed");
    users.into_iter().map(|user| (user.login.to_string(), user)).collect()
}
