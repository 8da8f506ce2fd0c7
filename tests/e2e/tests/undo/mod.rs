//! What a job did is taken back, and nothing that has been changed since.

mod crashes;
mod doors;
mod kinds;

use e2e::Stack;
use rollcall_bulk::{
    job::{Job, JobState},
    rotation::{Replacements, RotationRequest},
    undo::UndoRequest,
};
use rollcall_engine::world::{Jobs, Numbers};
use rollcall_model::{
    inventory::InventoryNumber,
    jobs::JobKind,
    user::{AsOf, User},
};

fn number(n: usize) -> String {
    format!("+9198765{n:05}")
}

async fn undo(stack: &Stack, job: &Job, name: &str, preview: bool) -> Job {
    let request = UndoRequest { job: job.id.clone(), preview, allow_empty: false }.to_json();
    let source = stack.drop_as(JobKind::Undo, name, request).await;
    stack.ended(&source).await
}

async fn rotate(stack: &Stack, name: &str, pairs: &[(usize, Option<usize>)], allow_empty: bool) -> Job {
    let request = RotationRequest {
        retire: pairs.iter().map(|(old, _)| number(*old)).collect(),
        replace_with: Some(Replacements::ByOld(
            pairs.iter().filter_map(|(old, new)| Some((number(*old), number((*new)?)))).collect(),
        )),
        only: None,
        quarantine_days: None,
        allow_empty,
        keep_departments: false,
        preview: false,
        file: None,
    };
    let source = stack.drop_as(JobKind::RotateCallerIds, name, request.to_json()).await;
    stack.ended(&source).await
}

/// Everybody, and every number, but for how often they have been written.
async fn everything(stack: &Stack) -> (Vec<User>, Vec<InventoryNumber>) {
    let mut users = Vec::new();
    for login in (1..=9).map(|n| format!("user{n}")).chain(["new1".to_owned()]) {
        users.extend(stack.user(&login).await.map(|user| User { version: 0, as_of: AsOf::default(), ..user }));
    }
    let numbers = stack.directory.inventory(&stack.account).await.unwrap();
    (users, numbers.into_iter().map(|number| InventoryNumber { version: 0, ..number }).collect())
}

async fn state(stack: &Stack, job: &Job) -> JobState {
    stack.directory.job(&stack.account, &job.id).await.unwrap().unwrap().state
}

async fn passed_over(stack: &Stack, job: &Job) -> Vec<String> {
    let rows = stack.report(job, "results").await;
    let passed = rows.iter().filter(|row| row["Error Code"] == "CHANGED_SINCE");
    passed
        .map(|row| {
            format!("{} {} {}", row["Login ID"], row["Undo"], row["Caller ID"].trim_start_matches('\''))
                .trim()
                .to_owned()
        })
        .collect()
}

async fn stack(users: usize) -> Stack {
    let stack = Stack::start(&[]).await;
    stack.create_users(users).await;
    let numbers: Vec<String> = (1..=9).map(number).collect();
    stack.own(&numbers.iter().map(String::as_str).collect::<Vec<_>>()).await;
    stack
}
