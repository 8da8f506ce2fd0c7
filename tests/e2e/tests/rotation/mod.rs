//! Numbers that are retired and replaced: the lists, the inventory and the rows afterwards, whatever comes between.

mod crashes;
mod decisions;
mod lists;
mod races;

use axum::http::{Method, StatusCode};
use e2e::{Caller, Stack, somebody};
use rollcall_bulk::job::Job;
use rollcall_engine::world::Numbers;
use rollcall_model::{inventory::InventoryNumber, jobs::JobKind};
use serde_json::Value;

fn number(last: usize) -> String {
    format!("+9198765{last:05}")
}

fn numbers(lasts: &[usize]) -> Vec<String> {
    lasts.iter().copied().map(number).collect()
}

async fn own(stack: &Stack, lasts: impl IntoIterator<Item = usize>) {
    let numbers: Vec<String> = lasts.into_iter().map(number).collect();
    stack.own(&numbers.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

async fn create(stack: &Stack, login: &str, list: &[usize]) {
    let mut user = e2e::user(login);
    user.caller_ids = numbers(list).iter().map(|number| number.parse().expect("a number")).collect();
    stack.create_user(user).await;
}

async fn item(stack: &Stack, last: usize) -> InventoryNumber {
    let number = number(last).parse().expect("a number");
    stack.directory.number(&stack.account, number).await.unwrap().expect("the number is in the inventory")
}

async fn change(stack: &Stack, last: usize, change: impl FnOnce(&mut InventoryNumber)) {
    let before = item(stack, last).await;
    let mut after = InventoryNumber { version: before.version + 1, ..before.clone() };
    change(&mut after);
    assert!(stack.directory.change_number(&stack.account, Some(&before), &after, &somebody()).await.unwrap());
}

fn owner(stack: &Stack) -> Caller {
    stack.caller(&["--account", stack.account.as_str()])
}

/// Asks for a rotation, and waits for its end.
async fn rotate(stack: &Stack, request: Value) -> Job {
    let asked = owner(stack).ask(Method::POST, "/v1/numbers/rotations", &[], request.to_string()).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    stack.ended_asked(&asked).await
}

async fn rotate_file(stack: &Stack, name: &str, rows: &str) -> Job {
    let file = format!("Old Caller ID,New Caller ID\n{rows}");
    let source = stack.drop_as(JobKind::RotateCallerIds, name, file).await;
    stack.ended(&source).await
}

/// `old user: status code` of each row.
async fn told(stack: &Stack, job: &Job) -> Vec<String> {
    let rows = stack.report(job, "results").await;
    let row = |row: &std::collections::HashMap<String, String>| {
        let line = format!("{} {}: {} {}", row["Old Caller ID"], row["Login ID"], row["Status"], row["Error Code"]);
        line.trim().trim_start_matches('\'').to_owned()
    };
    rows.iter().map(row).collect()
}
