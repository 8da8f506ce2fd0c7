//! Jobs that follow each other, with people in between, through the public doors. Races are the simulation's (`tests/simulation`).

use axum::http::{Method, StatusCode};
use e2e::{Caller, Stack, rollcall, user};
use rollcall_bulk::{
    job::{Job, JobState},
    resync::state::ResyncRequest,
};
use rollcall_engine::world::Jobs;
use rollcall_model::{
    inventory::{InventoryNumber, NumberFacts, NumberState},
    jobs::JobKind,
    user::{Policy, Ref},
};
use serde_json::{Value, json};

fn number(n: usize) -> String {
    format!("+9198765{n:05}")
}

fn numbers(all: &[usize]) -> Vec<String> {
    all.iter().map(|&n| number(n)).collect()
}

/// A stack whose account owns some numbers.
async fn stack(count: usize) -> Stack {
    stack_with(&[], count).await
}

async fn stack_with(parameters: &[&str], count: usize) -> Stack {
    let stack = Stack::start(parameters).await;
    let all = numbers(&(0..count).collect::<Vec<_>>());
    stack.own(&all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    stack
}

async fn create(stack: &Stack, login: &str, list: &[usize]) {
    let mut user = user(login);
    user.caller_ids = numbers(list).iter().map(|number| number.parse().expect("a number")).collect();
    stack.create_user(user).await;
}

fn owner(stack: &Stack) -> Caller {
    stack.caller(&["--account", stack.account.as_str()])
}

async fn ask(stack: &Stack, path: &str, request: Value) -> Job {
    let asked = owner(stack).ask(Method::POST, path, &[], request.to_string()).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    stack.ended_asked(&asked).await
}

async fn rotate(stack: &Stack, request: Value) -> Job {
    ask(stack, "/v1/numbers/rotations", request).await
}

async fn undo(stack: &Stack, job: &Job) -> Job {
    ask(stack, &format!("/v1/jobs/{}/undo", job.id), json!({})).await
}

async fn get(stack: &Stack, path: &str) -> Value {
    owner(stack).ask(Method::GET, path, &[], String::new()).await.json()
}

async fn patch(stack: &Stack, path: &str, body: Value) {
    let answer = owner(stack).ask(Method::PATCH, path, &[], body.to_string()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

async fn state(stack: &Stack, job: &Job) -> JobState {
    stack.directory.job(&stack.account, &job.id).await.expect("a record").expect("a job").state
}

async fn codes(stack: &Stack, job: &Job) -> Vec<String> {
    stack.report(job, "results").await.iter().map(|row| row["Error Code"].clone()).collect()
}

/// N1.
#[tokio::test(flavor = "multi_thread")]
async fn a_label_on_the_old_number_keeps_no_undo_of_a_rotation_from_its_swaps() {
    let stack = stack(2).await;
    for login in ["u0", "u1", "u2"] {
        create(&stack, login, &[0]).await;
    }
    let rotation = rotate(&stack, json!({ "retire": [number(0)], "replace_with": [number(1)] })).await;
    patch(&stack, &format!("/v1/numbers/{}", number(0)), json!({ "labels": ["burned"] })).await;
    let undone = undo(&stack, &rotation).await;
    assert_eq!((undone.counts.applied, undone.counts.rows()), (7, 7), "{undone:?}");
    for login in ["u0", "u1", "u2"] {
        assert_eq!(stack.list(login).await.expect("a list"), numbers(&[0]));
    }
    let old = get(&stack, &format!("/v1/numbers/{}", number(0))).await;
    assert_eq!((&old["state"], &old["labels"]), (&json!("active"), &json!(["burned"])));
    assert_eq!(state(&stack, &rotation).await, JobState::Undone);
}

/// N1: where the old number can't come back, what has taken its place stays, and somebody is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_swap_whose_old_number_was_retired_again_is_left_and_fails() {
    let stack = stack(3).await;
    create(&stack, "u0", &[0]).await;
    let only = json!({ "logins": ["u0"] });
    let first = rotate(&stack, json!({ "retire": [number(0)], "replace_with": [number(1)], "only": only })).await;
    rotate(&stack, json!({ "retire": [number(0)] })).await;
    let undone = undo(&stack, &first).await;
    assert_eq!(codes(&stack, &undone).await, ["NUMBER_RETIRED", "NUMBER_RETIRED"], "{undone:?}");
    assert_eq!(stack.list("u0").await.expect("a list"), numbers(&[1]));
    assert_eq!((state(&stack, &first).await, stack.mails().len()), (JobState::Finished, 1));
}

/// N2: what a job could do can be undone, though that makes more rows than a file may have.
#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_of_many_lists_is_undone_whatever_a_file_may_have_of_rows() {
    let stack = stack_with(&["MaxRows=3"], 2).await;
    let logins = ["u0", "u1", "u2", "u3"];
    for login in logins {
        create(&stack, login, &[0]).await;
    }
    let rotation = rotate(&stack, json!({ "retire": [number(0)], "replace_with": [number(1)] })).await;
    assert_eq!(rotation.counts.applied, 4, "{rotation:?}");
    let undone = undo(&stack, &rotation).await;
    assert_eq!((undone.counts.applied, undone.counts.rows()), (9, 9), "{undone:?}");
    for login in logins {
        assert_eq!(stack.list(login).await.expect("a list"), numbers(&[0]));
    }
    assert_eq!(state(&stack, &rotation).await, JobState::Undone);
}

/// N3.
#[tokio::test(flavor = "multi_thread")]
async fn people_who_dial_by_department_are_not_left_without_a_number() {
    let stack = stack(2).await;
    let sales: Ref = Ref::parse("sales").expect("a department");
    for login in ["d1", "d2"] {
        let mut user = user(login);
        (user.policy, user.profile.department) = (Policy::Department, Some(sales.clone()));
        stack.create_user(user).await;
    }
    patch(&stack, &format!("/v1/numbers/{}", number(0)), json!({ "department": "sales" })).await;
    let effective =
        async |login: &str| get(&stack, &format!("/v1/users/{login}/caller-ids")).await["effective"].clone();

    let preview = rotate(&stack, json!({ "retire": [number(0)], "preview": true })).await;
    assert_eq!((preview.counts.failed, preview.counts.unchanged), (2, 1), "{preview:?}");
    let kept = rotate(&stack, json!({ "retire": [number(0)] })).await;
    assert_eq!(codes(&stack, &kept).await, ["DIALLED_BY_POLICY", "LIST_WOULD_BE_EMPTY", "LIST_WOULD_BE_EMPTY"]);
    assert_eq!(effective("d1").await, json!([number(0)]));

    // A replacement takes over the department.
    let rotation = rotate(&stack, json!({ "retire": [number(0)], "replace_with": [number(1)] })).await;
    assert_eq!((rotation.counts.applied, rotation.counts.failed), (1, 0), "{rotation:?}");
    assert_eq!(effective("d2").await, json!([number(1)]));
    undo(&stack, &rotation).await;
    assert_eq!(effective("d2").await, json!([number(0)]));
    let new = get(&stack, &format!("/v1/numbers/{}", number(1))).await;
    assert_eq!((&new["department"], state(&stack, &rotation).await), (&Value::Null, JobState::Undone));
}

/// N5.
#[tokio::test(flavor = "multi_thread")]
async fn crm_users_see_a_replacement_as_soon_as_the_rotation_is_done() {
    let stack = stack(2).await;
    create(&stack, "c", &[0]).await;
    let mapped = owner(&stack).ask(Method::PUT, "/v1/mappings/crm-c", &[], json!({ "login": "c" }).to_string()).await;
    assert_eq!(mapped.status, StatusCode::CREATED);
    let source = stack.drop_as(JobKind::MappingResync, "r.json", ResyncRequest::default().to_json()).await;
    stack.ended(&source).await;
    let sees = async || get(&stack, "/v1/mappings/crm-c/caller-ids").await["caller_ids"].clone();
    assert_eq!(sees().await, json!([number(0)]));
    let rotation = rotate(&stack, json!({ "retire": [number(0)], "replace_with": [number(1)] })).await;
    assert_eq!(sees().await, json!([number(1)]));
    undo(&stack, &rotation).await;
    assert_eq!(sees().await, json!([number(0)]));
}

/// N9.
#[tokio::test(flavor = "multi_thread")]
async fn an_undo_touches_nobody_of_the_same_login_who_was_created_since() {
    let stack = stack(2).await;
    create(&stack, "v", &[]).await;
    let append = stack.append("v.csv", format!("Login ID,Allowed Caller ID\nv,{}\n", number(0))).await;
    let upload = stack.upload_users("x.csv", "Login ID,Name\nx,Xaver\n").await;
    for login in ["v", "x"] {
        let gone = owner(&stack).ask(Method::DELETE, &format!("/v1/users/{login}"), &[], String::new()).await;
        assert_eq!(gone.status, StatusCode::NO_CONTENT);
        let body = json!({ "login": login, "name": "Xaver" }).to_string();
        assert_eq!(owner(&stack).ask(Method::POST, "/v1/users", &[], body).await.status, StatusCode::CREATED);
    }
    let body = json!({ "caller_ids": [number(0)] }).to_string();
    owner(&stack).ask(Method::POST, "/v1/users/v/caller-ids", &[], body).await;
    for job in [&append, &upload] {
        assert_eq!(undo(&stack, job).await.counts.applied, 0);
    }
    assert_eq!(stack.list("v").await.expect("a list"), numbers(&[0]));
    assert!(stack.user("x").await.is_some());
}

/// N10.
#[tokio::test(flavor = "multi_thread")]
async fn two_rotations_that_are_undone_in_the_wrong_order_are_undone_at_the_second_try() {
    let stack = stack(3).await;
    create(&stack, "u", &[0]).await;
    let first = rotate(&stack, json!({ "retire": [number(0)], "replace_with": [number(1)] })).await;
    let second = rotate(&stack, json!({ "retire": [number(1)], "replace_with": [number(2)] })).await;
    let early = undo(&stack, &first).await;
    assert!(early.counts.unchanged > 0, "{early:?}");
    assert_eq!((state(&stack, &first).await, stack.list("u").await), (JobState::Finished, Some(numbers(&[2]))));
    undo(&stack, &second).await;
    assert_eq!((state(&stack, &second).await, stack.list("u").await), (JobState::Undone, Some(numbers(&[1]))));
    let last = undo(&stack, &first).await;
    assert_eq!((last.counts.applied, last.counts.rows()), (2, 2), "only what was passed over: {last:?}");
    assert_eq!((state(&stack, &first).await, stack.list("u").await), (JobState::Undone, Some(numbers(&[0]))));
}

/// N14: what a rotation that died has left is released by the schedule, and a rest ends on its day.
#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_a_rotation_left_reserved_are_released_by_the_next_round() {
    let stack = stack(0).await;
    let died = stack.append("died.csv", "Login ID,Allowed Caller ID\nnobody,1\n").await;
    let yesterday = "2026-01-01".parse().expect("a day");
    for (at, state) in [(0, NumberState::Active), (1, NumberState::Resting)] {
        let resting_until = (state == NumberState::Resting).then_some(yesterday);
        let facts = NumberFacts { state, resting_until, ..NumberFacts::default() };
        let item = InventoryNumber::new(number(at).parse().expect("a number"), facts, jiff::Timestamp::UNIX_EPOCH);
        let left = InventoryNumber { reserved_by: Some(died.id.clone()), ..item };
        stack.directory.put_numbers(&stack.account, &[left]).await.expect("they are put");
    }
    let run = rollcall(Some(&stack), &["schedules", "run", "NumberRotationFunctionVisit"], &[]);
    assert!(run.status.success(), "{run:?}");
    for at in 0..2 {
        let item = get(&stack, &format!("/v1/numbers/{}", number(at))).await;
        assert_eq!((&item["state"], &item["reserved_by"]), (&json!("active"), &Value::Null), "{item}");
    }
}
