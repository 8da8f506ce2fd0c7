//! The real function, killed whenever it is at work. `ROLLCALL_KILLS` says how often.

use rollcall_engine::world::Jobs;
use std::{collections::BTreeMap, time::Duration};

use e2e::{SeededRng, Stack, how_much, user};
use rollcall_bulk::job::{Job, JobState, MailState};
use rollcall_model::jobs::{JobId, ObjectVersion};

/// Deaths in the usual run.
const KILLS: u64 = 20;
/// Files that are worked on at once.
const FILES: usize = 6;
/// Users of each file, with two rows each.
const USERS: usize = 150;

/// A file's users have a number already; it gives them two more, and names somebody who isn't there.
async fn drop_one(stack: &Stack, file: usize) -> ObjectVersion {
    let login = |user: usize| format!("file{file}user{user}");
    let users: Vec<_> = (0..USERS)
        .map(|n| {
            let mut user = user(&login(n));
            user.caller_ids = vec!["+919876500000".parse().expect("a number")];
            user
        })
        .collect();
    stack.directory.create_users(&stack.account, &users).await.expect("users are created");
    let rows = (1..=2).flat_map(|row| (0..USERS).map(move |user| format!("{},987650000{row}\n", login(user))));
    let rows: String = rows.collect();
    stack.drop_file(&format!("file{file}.csv"), format!("login,did\nnobody,9876500001\n{rows}")).await
}

async fn ended_well(stack: &Stack, file: usize, job: &Job) {
    assert_eq!(job.state, JobState::Finished, "{job:?}");
    let rows = 2 * USERS as u64;
    assert_eq!((job.counts.applied, job.counts.failed, job.counts.rows()), (rows, 1, rows + 1), "{job:?}");
    assert!(matches!(job.mail, Some(MailState::Sent { .. })), "{job:?}");
    let lines: Vec<_> = stack.report(job, "results").await.iter().map(|row| row["Line"].clone()).collect();
    let expected: Vec<String> = (2..=2 * USERS + 2).map(|line| line.to_string()).collect();
    assert_eq!(lines, expected, "every row has one outcome");
    for n in 0..USERS {
        let list = stack.list(&format!("file{file}user{n}")).await.expect("the user is there");
        assert_eq!(list, ["+919876500000", "+919876500001", "+919876500002"], "file{file}user{n}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_point_nothing_is_lost_or_removed_and_each_file_is_one_finished_job() {
    // A delivery that finds another's lease counts too.
    // At length it has more files, with a mail about each, than an account usually gets mails in a day.
    let parameters = ["BulkTimeoutSeconds=5", "BulkVisibilitySeconds=6", "MaxDeliveries=1000", "MaxMailsPerDay=10000"];
    let stack = Stack::start(&parameters).await;
    stack.recipients(&["ops@example.com"]).await;
    let (wanted, draws) = (how_much("ROLLCALL_KILLS", KILLS), SeededRng::of(1));
    let mut files: Vec<ObjectVersion> = Vec::new();
    let mut deaths = 0;
    while deaths < wanted {
        // An attempt more is a death at work: no other end of one comes again, but a deadline's, and there is time enough.
        deaths = 0;
        let mut underway = 0;
        for source in &files {
            let job = stack.directory.job(&stack.account, &JobId::of(source)).await.expect("the job is read");
            deaths += job.as_ref().map_or(0, |job| u64::from(job.attempts) - 1);
            underway += usize::from(job.is_none_or(|job| job.is_underway()));
        }
        for _ in underway..FILES {
            files.push(drop_one(&stack, files.len()).await);
        }
        tokio::time::sleep(Duration::from_millis(draws.below(700))).await;
        stack.kill_functions();
    }
    for (file, source) in files.iter().enumerate() {
        let job = stack.ended(source).await;
        ended_well(&stack, file, &job).await;
    }
    let (jobs, _) = stack.directory.jobs(&stack.account, None, 1_000).await.unwrap();
    assert_eq!(jobs.len(), files.len(), "one job for each file");
    let mut mails = BTreeMap::<String, usize>::new();
    for mail in stack.mails() {
        *mails.entry(mail.subject).or_default() += 1;
    }
    assert_eq!(mails.len(), files.len(), "a mail about each file");
    // One death in the stated window makes one more.
    let again = mails.values().filter(|&&sent| sent > 1).count();
    println!("{deaths} deaths over {} files, {again} with a second mail", files.len());
    assert!(mails.values().all(|&sent| sent <= 2), "{mails:?}");
    assert!(again <= 1 + files.len() / 10, "second mails are the exception: {again} of {}", files.len());
}
