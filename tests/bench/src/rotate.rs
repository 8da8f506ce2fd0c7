//! Numbers replaced on many lists, beside the bare walk of those users.

use std::time::Instant;

use e2e::Stack;
use rollcall_bulk::job::Job;
use rollcall_engine::world::{Lists, Sought, TableUsage};
use rollcall_model::{caller_id::CallerId, jobs::JobKind, user::User};
use tokio::time::Duration;

use crate::{count, median, process::peak_megabytes, report::Report};

const USERS: usize = 20_000;
/// Numbers that one rotation retires.
const NUMBERS: usize = 50;
/// Numbers on each list.
const LIST: usize = 20;
/// Users who have one of the numbers: one in ten.
const HOLDERS: usize = USERS / 10;
const ROUNDS: usize = 9;

pub(crate) async fn run(report: &mut Report) {
    let stack = Stack::start(&[]).await;
    // Each round replaces the numbers of the round before.
    let generations: Vec<Vec<CallerId>> = (0..=ROUNDS + 1).map(|round| numbers(round, NUMBERS)).collect();
    let others = numbers(99, LIST);
    let all: Vec<String> = generations.iter().flatten().chain(&others).map(ToString::to_string).collect();
    stack.own(&all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let users: Vec<User> = (0..USERS)
        .map(|at| {
            let mut user = e2e::user(&format!("user{at}"));
            user.caller_ids.clone_from(&others);
            if at % (USERS / HOLDERS) == 0 {
                user.caller_ids.push(generations[0][at / (USERS / HOLDERS) % NUMBERS]);
            }
            user
        })
        .collect();
    assert_eq!(stack.directory.create_users(&stack.account, &users).await.expect("users"), USERS);

    // The first job pays for starting the function.
    rotate(&stack, &generations[0], &generations[1]).await;
    let (mut bare, mut rotations) = (Vec::new(), Vec::new());
    let mut written = 0;
    report.section(&format!("{NUMBERS} numbers replaced, which {HOLDERS} of {USERS} users have, median of {ROUNDS}"));
    for round in 1..=ROUNDS {
        let start = Instant::now();
        let nobodys = numbers(98, 1);
        let until = tokio::time::Instant::now() + Duration::from_mins(1);
        let walk = stack
            .directory
            .holders(
                &stack.account,
                Sought { numbers: &nobodys, ..Sought::default() },
                until,
                &mut TableUsage::default(),
            )
            .await;
        assert_eq!(walk.expect("users").holders, []);
        bare.push(start.elapsed());

        let start = Instant::now();
        let job = rotate(&stack, &generations[round], &generations[round + 1]).await;
        rotations.push(start.elapsed());
        assert_eq!((job.counts.applied, job.counts.rows()), (HOLDERS as u64, HOLDERS as u64), "{job:?}");
        written = job.progress.statements;
    }
    let [bare, rotation] = [bare, rotations].map(median);
    report.figure("the bare walk of the users", bare, "s");
    report.figure("the rotation, from its request to its end", rotation, "s");
    report.target("the rotation's time over the bare walk's", rotation / bare, 2.0, "times", false);
    report.target("writes per changed list", count(written) / count(HOLDERS), 1.0, "", false);
    report.target(
        "peak memory of the function",
        peak_megabytes(stack.pids_of("number-rotation")[0]),
        200.0,
        "MB",
        false,
    );
}

fn numbers(generation: usize, count: usize) -> Vec<CallerId> {
    (0..count).map(|at| format!("+9198765{generation:02}{at:03}").parse().expect("a number")).collect()
}

async fn rotate(stack: &Stack, old: &[CallerId], new: &[CallerId]) -> Job {
    let rows: String = old.iter().zip(new).map(|(old, new)| format!("{old},{new}\n")).collect();
    let file = format!("Old Caller ID,New Caller ID\n{rows}");
    let source = stack.drop_as(JobKind::RotateCallerIds, "numbers.csv", file).await;
    stack.ended(&source).await
}
