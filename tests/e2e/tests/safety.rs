//! What must hold whatever happens: crashes, repeated events, throttling, outages, deadlines.

use std::{collections::BTreeSet, time::Duration};

use e2e::{CrashTest, Faults, Fuse, Stack, TestEngine, delivery, delivery_of, die_at_every_request};
use futures_util::future::join_all;
use rollcall_bulk::job::{Failure, Job, JobState};
use rollcall_engine::DeliveryOutcome;
use rollcall_engine::kinds::Append;
use rollcall_engine::world::Bucket;
use rollcall_model::jobs::{JobKind, ObjectVersion};

/// `users` users with `rows` rows each, and numbers that tell which row they came from.
fn file(prefix: &str, users: usize, rows: usize) -> String {
    let mut file = "Login ID,Allowed Caller ID\n".to_owned();
    for row in 0..rows {
        for user in 1..=users {
            file.push_str(&format!("{prefix}{user},98765{:05}\n", (row * 7 + user) % 100_000));
        }
    }
    file
}

async fn job(stack: &Stack, source: &ObjectVersion) -> Job {
    stack.job_when(source, |_| true).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_event_ten_times_four_at_once_is_one_job_and_one_mail() {
    let stack = Stack::start(&[]).await;
    stack.create_users(300).await;
    stack.recipients(&["ops@example.com"]).await;
    let world = TestEngine::new(&stack, Faults::default(), None).await;
    let source = stack.put_quietly("ten.csv", file("user", 301, 2)).await;
    let upload = stack.upload("ten.csv");

    // All at the same moment: none may take another's lease for over.
    let deliver = |number: u32| {
        let mut delivery = delivery(1);
        delivery.invocation = format!("delivery-{number}");
        let (world, upload, source) = (&world, &upload, &source);
        async move { world.engine.run(&Append, upload, source, &delivery).await.unwrap() }
    };
    let mut endings = join_all((1..=4).map(deliver)).await;
    for number in 5..=10 {
        endings.push(deliver(number).await);
    }
    assert!(
        endings.iter().all(|ending| matches!(ending, DeliveryOutcome::Ended | DeliveryOutcome::Busy)),
        "{endings:?}"
    );
    let job = job(&stack, &source).await;
    assert_eq!((job.state, job.attempts), (JobState::Finished, 1));
    assert_eq!((job.counts.applied, job.counts.failed), (600, 2));
    assert_eq!(job.progress.statements, 300);
    assert_eq!(stack.mails().len(), 1);
}

/// Three users with two rows each, one that isn't there, and a row to mend.
struct Appending;

impl CrashTest for Appending {
    type Operation = Append;
    const KIND: JobKind = JobKind::AppendCallerIds;

    async fn operation(&self, _: &Stack) -> Append {
        Append
    }

    async fn prepare(&self, stack: &Stack, prefix: &str) -> String {
        for user in 1..=3 {
            stack.create_user(e2e::user(&format!("{prefix}{user}"))).await;
        }
        format!("{}{prefix}1,junk\n", file(prefix, 4, 2))
    }

    async fn check(&self, stack: &Stack, prefix: &str, job: &Job, context: &str) {
        let counts = job.counts;
        assert_eq!((counts.applied, counts.failed, counts.unchanged, counts.rows()), (6, 3, 0, 9), "{context}");
        assert_eq!((job.progress.users_changed, job.progress.numbers_added), (3, 6), "{context}");
        for user in 1..=3 {
            assert_eq!(stack.list(&format!("{prefix}{user}")).await.unwrap().len(), 2, "{context}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_request_ends_with_the_same_table_and_one_finished_job() {
    die_at_every_request(&Appending, 8).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_keeps_what_was_done_and_the_next_delivery_goes_on() {
    let stack = Stack::start(&[]).await;
    stack.create_users(4_500).await;
    // Some 180 writes of 100 ms, 16 at once, take more than the first delivery's second.
    let faults = Faults { delay: Duration::from_millis(100), ..Faults::default() };
    let world = TestEngine::new(&stack, faults, None).await;
    let source = stack.put_quietly("long.csv", file("user", 4_500, 1)).await;
    let upload = stack.upload("long.csv");
    let mut endings = Vec::new();
    for number in 1..60 {
        // It is never the last one, and each has more time, so that a slow machine comes to the end too.
        let mut delivery = delivery_of(number, Duration::from_secs(number.into()));
        delivery.of = 100;
        let ending = world.engine.run(&Append, &upload, &source, &delivery).await.unwrap();
        endings.push(ending);
        if endings.last() == Some(&DeliveryOutcome::Ended) {
            break;
        }
    }
    assert!(matches!(endings[0], DeliveryOutcome::Paused(_) | DeliveryOutcome::Stuck), "{endings:?}");
    assert_eq!(endings.last(), Some(&DeliveryOutcome::Ended));
    let job = job(&stack, &source).await;
    assert_eq!((job.counts.applied, job.counts.rows()), (4_500, 4_500));
    assert_eq!((job.progress.users_done, job.progress.users_changed), (4_500, 4_500));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_table_and_lost_answers_lose_nothing() {
    let stack = Stack::start(&[]).await;
    stack.create_users(1_000).await;
    let faults = Faults { throttled: 300, dropped: 20, ..Faults::default() };
    let world = TestEngine::new(&stack, faults, None).await;
    let source = stack.put_quietly("throttled.csv", file("user", 1_000, 3)).await;
    let ending = world.engine.run(&Append, &stack.upload("throttled.csv"), &source, &delivery(1)).await.unwrap();
    assert_eq!(ending, DeliveryOutcome::Ended);
    let job = job(&stack, &source).await;
    assert_eq!((job.counts.applied, job.counts.rows()), (3_000, 3_000));
    assert!(job.progress.throttled > 0);
    for user in stack.directory.users(&stack.account, 1_000).await.unwrap() {
        assert_eq!(user.caller_ids.len(), 3, "{}", user.login);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_the_mail_service_delays_the_mail_and_loses_none() {
    let stack = Stack::start(&[]).await;
    stack.recipients(&["ops@example.com"]).await;
    let world = TestEngine::new(&stack, Faults::default(), None).await;
    let source = stack.put_quietly("mail.csv", "login,did\nnobody,9876543210\n").await;
    let upload = stack.upload("mail.csv");
    world.mail.set_down(true);
    for number in 1..=2 {
        let error = world.engine.run(&Append, &upload, &source, &delivery(number)).await.unwrap_err();
        assert_eq!(error.operation, "sending the mail");
        let job = job(&stack, &source).await;
        assert_eq!(job.state, JobState::Running);
        assert!(job.last_error.unwrap().starts_with("sending the mail failed"));
    }
    world.mail.set_down(false);
    assert_eq!(world.engine.run(&Append, &upload, &source, &delivery(3)).await.unwrap(), DeliveryOutcome::Ended);
    assert_eq!(stack.mails().len(), 1);
    assert_eq!(job(&stack, &source).await.counts.failed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_given_up_over_its_mail_says_so_counts_each_row_once_and_can_be_sent_back() {
    let stack = Stack::start(&[]).await;
    stack.recipients(&["ops@example.com"]).await;
    let world = TestEngine::new(&stack, Faults::default(), None).await;
    let source = stack.put_quietly("mail.csv", "login,did\nnobody,9876543210\n").await;
    let upload = stack.upload("mail.csv");
    world.mail.set_down(true);
    world.engine.run(&Append, &upload, &source, &delivery(1)).await.unwrap_err();
    assert_eq!(world.engine.run(&Append, &upload, &source, &delivery(5)).await.unwrap(), DeliveryOutcome::GaveUp);
    let given_up = job(&stack, &source).await;
    assert_eq!((given_up.state, given_up.mail), (JobState::Failed, None));
    assert_eq!((given_up.counts.failed, given_up.counts.rows()), (1, 1));
    assert!(given_up.last_error.unwrap().starts_with("sending the mail failed"));

    world.mail.set_down(false);
    assert_eq!(world.engine.run(&Append, &upload, &source, &delivery(1)).await.unwrap(), DeliveryOutcome::Ended);
    let job = job(&stack, &source).await;
    assert_eq!((job.state, job.counts.failed, job.counts.rows()), (JobState::Finished, 1, 1));
    assert_eq!(stack.mails().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_the_table_delays_the_job() {
    let stack = Stack::start(&[]).await;
    stack.create_users(1).await;
    let world = TestEngine::new(&stack, Faults::default(), None).await;
    let source = stack.put_quietly("x.csv", "login,did\nuser1,9876543210\n").await;
    let upload = stack.upload("x.csv");
    world.table.set_down(true);
    let error = world.engine.run(&Append, &upload, &source, &delivery(1)).await.unwrap_err();
    assert_eq!(error.operation, "reading the job");
    world.table.set_down(false);
    assert_eq!(world.engine.run(&Append, &upload, &source, &delivery(2)).await.unwrap(), DeliveryOutcome::Ended);
    assert_eq!(job(&stack, &source).await.counts.applied, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_kills_whoever_works_on_it_is_given_up_and_can_be_sent_back() {
    let stack = Stack::start(&[]).await;
    stack.create_users(1).await;
    stack.recipients(&["ops@example.com"]).await;
    let source = stack.put_quietly("x.csv", "login,did\nuser1,9876543210\n").await;
    let upload = stack.upload("x.csv");
    for number in 1..=4 {
        let fuse = Fuse::after(6, false);
        let doomed = TestEngine::new(&stack, Faults::default(), Some(fuse.clone())).await;
        let delivery = delivery(number);
        tokio::select! {
            ending = doomed.engine.run(&Append, &upload, &source, &delivery) => panic!("{ending:?}"),
            () = fuse.blown() => {}
        }
    }
    let world = TestEngine::new(&stack, Faults::default(), None).await;
    assert_eq!(world.engine.run(&Append, &upload, &source, &delivery(5)).await.unwrap(), DeliveryOutcome::GaveUp);
    let given_up = job(&stack, &source).await;
    assert_eq!(given_up.state, JobState::Failed);
    assert!(matches!(given_up.failure, Some(Failure::GaveUp { attempts: 4, .. })), "{given_up:?}");
    assert_eq!(stack.mails()[0].subject, "Rollcall: x.csv was given up");

    // Sent back from the dead-letter queue, it is delivered for the first time again.
    assert_eq!(world.engine.run(&Append, &upload, &source, &delivery(1)).await.unwrap(), DeliveryOutcome::Ended);
    let job = job(&stack, &source).await;
    assert_eq!((job.state, job.counts.applied), (JobState::Finished, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_overwritten_after_its_event_is_read_as_it_was() {
    let stack = Stack::start(&[]).await;
    stack.create_users(2).await;
    let first = stack.drop_file("same.csv", "login,did\nuser1,9876543210\n").await;
    let second = stack.drop_file("same.csv", "login,did\nuser2,9876543211\n").await;
    for source in [&first, &second] {
        assert_eq!(stack.ended(source).await.counts.applied, 1);
    }
    assert_eq!(stack.list("user1").await.unwrap(), ["+919876543210"]);
    assert_eq!(stack.list("user2").await.unwrap(), ["+919876543211"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_piece_by_piece_is_read_by_the_version_that_was_made() {
    let stack = Stack::start(&[]).await;
    // In one request, and in three parts.
    for size in [100, 20_000_000] {
        let mut versions = Vec::new();
        for fill in [1, 2] {
            let mut upload = stack.files.create("quiet/rows", "text/csv");
            for piece in vec![fill; size].chunks(700_000) {
                upload.write(piece).await.expect("a piece is taken");
            }
            versions.push((upload.finish().await.expect("the object appears"), vec![fill; size]));
        }
        for (version, bytes) in versions {
            assert_eq!(version.size, bytes.len() as u64);
            assert!(stack.files.read(&version).await.expect("the version is there") == bytes);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_files_for_the_same_users_at_once_both_arrive() {
    let stack = Stack::start(&[]).await;
    stack.create_users(200).await;
    let rows = |last: u8| (1..=200).map(|user| format!("user{user},987654321{last}\n")).collect::<String>();
    let mut sources = Vec::new();
    for last in 0..4 {
        sources.push(stack.drop_file(&format!("{last}.csv"), format!("login,did\n{}", rows(last))).await);
    }
    for source in &sources {
        assert_eq!(stack.ended(source).await.counts.applied, 200);
    }
    for user in stack.directory.users(&stack.account, 200).await.unwrap() {
        assert_eq!(user.caller_ids.len(), 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_accounts_file_touches_no_other_account() {
    let stack = Stack::start(&[]).await;
    stack.create_users(1).await;
    let other = "other".parse().unwrap();
    stack.directory.create_users(&other, &[e2e::user("user1")]).await.unwrap();
    stack.append("a.csv", "login,did\nuser1,9876543210\n").await;
    let users = stack.directory.users(&other, 10).await.unwrap();
    assert_eq!(users.iter().map(|user| user.caller_ids.len()).collect::<Vec<_>>(), [0]);
}

/// Kills the real function whenever it is seen at work.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_function_is_started_again_and_every_row_is_accounted_for() {
    let stack = Stack::start(&["BulkTimeoutSeconds=5", "BulkVisibilitySeconds=8", "MaxDeliveries=20"]).await;
    stack.create_users(3_000).await;
    stack.recipients(&["ops@example.com"]).await;
    let source = stack.drop_file("killed.csv", format!("{}nobody,9876543210\n", file("user", 3_000, 2))).await;
    let mut killed = 0;
    let mut seen = BTreeSet::new();
    while killed < 3 {
        let job = stack.job_when(&source, |_| true).await;
        if job.state != JobState::Running {
            break;
        }
        // Each attempt dies once, somewhere else in its work.
        if !job.is_waiting(jiff::Timestamp::now()) && seen.insert(job.attempts) {
            tokio::time::sleep(Duration::from_millis(150 * u64::from(job.attempts))).await;
            killed += usize::from(stack.kill_functions() > 0);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(killed > 0, "the job was too quick to be killed");
    let job = stack.ended(&source).await;
    assert_eq!(job.state, JobState::Finished);
    assert_eq!((job.counts.applied, job.counts.failed, job.counts.rows()), (6_000, 1, 6_001), "{job:?}");
    assert_eq!(stack.mails().len(), 1);
    for user in stack.directory.users(&stack.account, 3_000).await.unwrap() {
        assert_eq!(user.caller_ids.len(), 2);
    }
}

/// The same, at every delivery: the file is poison.
#[tokio::test(flavor = "multi_thread")]
async fn a_poison_file_ends_in_the_dead_letter_queue_and_its_job_says_why() {
    let stack = Stack::start(&["BulkTimeoutSeconds=5", "BulkVisibilitySeconds=8", "MaxDeliveries=2"]).await;
    stack.create_users(1_500).await;
    stack.recipients(&["ops@example.com"]).await;
    let source = stack.drop_file("poison.csv", file("user", 1_500, 2)).await;
    stack.job_when(&source, |job| job.lease.is_some()).await;
    assert_eq!(stack.kill_functions(), 1);
    let job = stack.ended(&source).await;
    assert_eq!(job.state, JobState::Failed);
    assert!(
        matches!(&job.failure, Some(Failure::GaveUp { attempts: 1, reason }) if reason.contains("died")),
        "{job:?}"
    );
    stack.dead_letters(1).await;
    let mails = stack.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].subject, "Rollcall: poison.csv was given up");

    // Dropped again, it adds what is missing.
    let again = stack.append("poison.csv", file("user", 1_500, 2)).await;
    assert_eq!((again.state, again.counts.applied + again.counts.unchanged), (JobState::Finished, 3_000));
}
