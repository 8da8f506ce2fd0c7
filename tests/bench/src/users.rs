//! Users by the file, beside a bare client that makes the same transactions against the same engine.

use std::time::Instant;

use e2e::Stack;
use futures_util::{StreamExt, TryStreamExt, stream};
use rollcall_bulk::job::Job;
use rollcall_model::{email::EmailAddress, user::User};
use rollcall_storage::directory::CreateOutcome;

use crate::{count, median, process::peak_megabytes, report::Report};

const USERS: usize = 50_000;
const ROUNDS: usize = 3;
/// Requests of the bare client in flight: as many as the job has.
const IN_FLIGHT: usize = 16;

pub(crate) async fn run(report: &mut Report) {
    let (mut bare, mut jobs) = (Vec::new(), Vec::new());
    let mut last = None;
    report.section(&format!("{USERS} new users, each with an address, median of {ROUNDS}"));
    for _ in 0..ROUNDS {
        // Each on a stack of its own: the local engine looks through the tokens of the last ten minutes' transactions at each
        // new one, so that whoever comes second would be slower.
        let stack = Stack::start(&[]).await;
        let start = Instant::now();
        create(&stack).await;
        bare.push(start.elapsed());

        let stack = Stack::start(&[]).await;
        // The first job pays for starting the function.
        upload(&stack, "warm", 1).await;
        let start = Instant::now();
        let job = upload(&stack, "user", USERS).await;
        jobs.push(start.elapsed());
        assert_eq!((job.counts.applied, job.progress.users_created), (USERS as u64, USERS as u64), "{job:?}");
        last = Some((stack, job));
    }
    let (stack, job) = last.expect("a job");
    let progress = job.progress;
    let [bare, rate] = [bare, jobs].map(|times| count(USERS) / median(times));
    report.figure("a bare client", bare, "users/s");
    report.figure("the job, from the drop of the file to its end", rate, "users/s");
    report.target("the job's rate over the bare client's", rate / bare, 0.6, "times", true);
    report.target("transactions per new user", count(progress.statements) / count(USERS), 1.0, "", false);
    let pid = stack.pids_of("bulk-users")[0];
    report.target("peak memory of the function", peak_megabytes(pid), 200.0, "MB", false);

    let again = upload(&stack, "user", USERS).await;
    assert_eq!(again.counts.unchanged, USERS as u64, "{again:?}");
    report.target("writes when the same file is dropped again", count(again.progress.statements), 0.0, "", false);
}

async fn upload(stack: &Stack, prefix: &str, users: usize) -> Job {
    let mut file = "Login ID,Name,Email,Department,Calling Agent\n".to_owned();
    for user in 0..users {
        file.push_str(&format!("{prefix}{user},The {prefix}{user},{prefix}{user}@example.com,sales,Yes\n"));
    }
    stack.upload_users("people.csv", file).await
}

async fn create(stack: &Stack) {
    let users: Vec<User> = (0..USERS)
        .map(|number| {
            let mut user = e2e::user(&format!("user{number}"));
            user.profile.email = EmailAddress::parse(&format!("user{number}@example.com")).ok();
            user
        })
        .collect();
    stream::iter(users)
        .map(async |user| {
            let created = stack.directory.create_user(&stack.account, &user, &e2e::somebody()).await;
            created.map(|created| created == CreateOutcome::Created)
        })
        .buffer_unordered(IN_FLIGHT)
        .try_for_each(async |created| {
            assert!(created, "nobody else has its login or address");
            Ok(())
        })
        .await
        .expect("the table answers");
}
