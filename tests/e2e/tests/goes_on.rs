//! Jobs that are stopped, by their deadline or with the stack, and go on at once.

use e2e::{Stack, json, rollcall};
use rollcall_bulk::job::JobState;
use serde_json::Value;

/// Rows with a number of each for these users.
fn file(users: usize) -> String {
    let rows: String = (1..=users).map(|user| format!("user{user},+919876500001\n")).collect();
    format!("Login ID,Allowed Caller ID\n{rows}")
}

/// A stack that is ended in the middle of a job leaves a message that is hidden for half an hour, and a lease.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_in_which_the_stack_was_ended_goes_on_when_it_is_started_again_which_says_so() {
    /// So many that the job is still at it when the stack has been told to end.
    const USERS: usize = 6_000;
    let mut stack = Stack::start(&[]).await;
    stack.create_users(USERS).await;
    let source = stack.drop_file("long.csv", file(USERS)).await;
    let mut seen = 0;
    for signal in ["-KILL", "-TERM"] {
        let job = stack.job_when(&source, |job| job.attempts > seen && job.lease.is_some()).await;
        assert!(job.is_underway(), "it was too quick: {job:?}");
        seen = job.attempts;
        stack.restart(signal).await;
        let goes_on = || {
            let line = format!("Goes on: long.csv (append), job {}", &job.id.as_str()[..12]);
            stack.said().contains(&line).then_some(())
        };
        e2e::until("the stack to say that the job goes on", goes_on).await;
    }
    let job = stack.ended(&source).await;
    let users = USERS as u64;
    assert_eq!((job.state, job.counts.applied, job.counts.rows()), (JobState::Finished, users, users), "{job:?}");
    stack.dead_letters(0).await;
}

/// The same where the file's event has come into the queue and no function has taken it up.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_to_begin_begins_when_the_stack_is_started_again() {
    let mut stack = Stack::start(&[]).await;
    stack.create_users(1).await;
    let source = stack.drop_file("new.csv", file(1)).await;
    stack.restart("-KILL").await;
    let job = stack.ended(&source).await;
    assert_eq!((job.state, job.counts.applied), (JobState::Finished, 1), "{job:?}");
}

/// The function that ships, through its queue.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_takes_many_invocations_goes_on_at_once_and_no_pause_is_a_failed_delivery() {
    /// More than an invocation deals with, and of an invocation's users more than one group.
    const USERS: usize = 20_000;
    let parameters = ["BulkTimeoutSeconds=8", "BulkVisibilitySeconds=9", "MaxDeliveries=4"];
    let stack = Stack::start(&parameters).await;
    stack.create_users(USERS).await;
    let source = stack.drop_file("long.csv", file(USERS)).await;
    let foreseen = stack.job_when(&source, |job| job.ends_about.is_some() || !job.is_underway()).await;
    assert!(foreseen.ends_about.is_some_and(|end| end > foreseen.started), "{foreseen:?}");
    let job = stack.ended(&source).await;
    let users = USERS as u64;
    assert_eq!((job.state, job.counts.applied, job.counts.rows()), (JobState::Finished, users, users), "{job:?}");
    assert_eq!((job.progress.users_changed, job.ends_about), (users, None), "{job:?}");
    assert!(job.attempts > 1 && job.continues > 0, "{job:?}");
    stack.dead_letters(0).await;
    let shown: Value = json(&rollcall(Some(&stack), &["queues", "--json"], &[]));
    let at_work = shown.as_array().expect("queues").iter().filter(|queue| queue["in_flight"] != 0);
    assert_eq!(at_work.count(), 0, "{shown}");
}
