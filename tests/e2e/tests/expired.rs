//! A job ends at once when its file, or what it is to take back, is not there any more; and says so.

use std::time::Duration;

use e2e::{Faults, Stack, TestEngine, delivery, delivery_of, somebody};
use rollcall_bulk::{
    job::{Failure, Job, JobState},
    undo::UndoRequest,
    upload::InboxKey,
};
use rollcall_engine::{
    DeliveryOutcome, decide,
    kinds::{Append, Undo, UploadNumbers, UploadUsers},
};
use rollcall_model::{
    code::FileCode,
    jobs::{Decision, JobKind, ObjectVersion},
};

const FILE: &str = "Login ID,Allowed Caller ID\nuser1,+919876543210\n";

async fn start() -> Stack {
    let stack = Stack::start(&[]).await;
    stack.create_users(1).await;
    stack.recipients(&["ops@example.com"]).await;
    stack
}

async fn drop_quietly(stack: &Stack) -> ObjectVersion {
    stack.put_quietly("may.csv", FILE).await
}

/// An upload of users whose first attempt has decided, and was kept from writing.
async fn begun(stack: &Stack, name: &str) -> (InboxKey, ObjectVersion) {
    // What it reads first is packed already, since the table takes nothing from it.
    stack.directory.packed_inventory(&stack.account).await.unwrap();
    let source = stack.put_quietly(name, "Login ID,Name\nuser1,Begun\n").await;
    let upload = stack.upload_of(JobKind::UploadUsers, name);
    let slow = TestEngine::new(stack, Faults { throttled: 1_000, ..Faults::default() }, None).await;
    let first = slow.engine.run(&UploadUsers, &upload, &source, &delivery_of(1, Duration::from_secs(2))).await;
    assert!(first.is_err() || first.is_ok_and(|ending| ending == DeliveryOutcome::Stuck));
    (upload, source)
}

/// A world in which no object is there in whose path this stands.
async fn without(stack: &Stack, path: &str) -> TestEngine {
    let world = TestEngine::new(stack, Faults::default(), None).await;
    world.bucket.forget(path);
    world
}

fn says_gone(job: &Job) {
    let Some(Failure::File(fault)) = &job.failure else { panic!("{job:?}") };
    assert_eq!((job.state, fault.code), (JobState::Failed, FileCode::FileGone));
    assert!(fault.message.contains("deleted, or has expired"), "{}", fault.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_gone_before_it_is_read_ends_its_job_at_the_first_delivery() {
    let stack = start().await;
    let source = drop_quietly(&stack).await;
    let world = without(&stack, "/may.csv").await;
    let ended = world.engine.run(&Append, &stack.upload("may.csv"), &source, &delivery(1)).await.unwrap();
    assert_eq!(ended, DeliveryOutcome::Ended);
    says_gone(&stack.job_when(&source, |_| true).await);
    let mails = stack.mails();
    assert!(mails.len() == 1 && mails[0].subject.contains("FILE_GONE"), "{mails:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_whose_file_has_expired_ends_when_it_is_executed() {
    let stack = start().await;
    let job = stack.preview(JobKind::AppendCallerIds, "may.csv", FILE).await;
    decide(&stack.directory, &job, Decision::Execute, &somebody()).await.unwrap().unwrap();
    let world = without(&stack, "/may.csv").await;
    let about = (JobKind::AppendCallerIds, &job.id);
    let ended = world.engine.execute(&Append, &stack.account, about, &delivery(1)).await.unwrap();
    assert_eq!(ended, DeliveryOutcome::Ended);
    says_gone(&stack.job_when(&job.source, |job| job.state == JobState::Failed).await);
    assert_eq!((stack.mails().len(), stack.list("user1").await), (1, Some(Vec::new())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_goes_while_its_job_is_underway_gives_the_job_up_at_once() {
    let stack = start().await;
    let (upload, source) = begun(&stack, "may.csv").await;
    let world = without(&stack, "/may.csv").await;
    let second = world.engine.run(&UploadUsers, &upload, &source, &delivery(2)).await.unwrap();
    assert_eq!(second, DeliveryOutcome::Ended, "no later delivery would help");
    let job = stack.job_when(&source, |job| job.state == JobState::Failed).await;
    let Some(Failure::GaveUp { attempts: 2, reason }) = &job.failure else { panic!("{job:?}") };
    assert!(reason.contains("The file is gone"), "{reason}");
    assert_eq!(stack.mails().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_of_a_job_whose_plans_have_expired_is_refused_and_one_of_a_job_that_did_nothing_is_not() {
    let stack = start().await;
    for (did, reason) in [(true, Some("its results have expired")), (false, None)] {
        let job = stack.append("may.csv", FILE).await;
        assert_eq!(job.counts.applied > 0, did);
        let world = without(&stack, "/changes/").await;
        let request = UndoRequest { job: job.id.clone(), preview: false, allow_empty: false }.to_json();
        let source = stack.put_quietly("undo.json", request).await;
        let upload = stack.upload_of(JobKind::Undo, "undo.json");
        assert_eq!(world.engine.run(&Undo, &upload, &source, &delivery(1)).await.unwrap(), DeliveryOutcome::Ended);
        let undo = stack.job_when(&source, |_| true).await;
        match (&undo.failure, reason) {
            (Some(Failure::Refused { reason }), Some(wanted)) => assert!(reason.contains(wanted), "{reason}"),
            (None, None) => assert_eq!(undo.state, JobState::Finished),
            _ => panic!("{undo:?}"),
        }
        assert_eq!(stack.list("user1").await.unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_version_of_a_file_of_users_or_numbers_is_refused_before_anything_is_written() {
    let stack = start().await;
    let row = |name: &str| format!("Login ID,Name\nuser1,{name}\n");
    let old = stack.put_quietly("users.csv", row("Old")).await;
    let new = stack.put_quietly("users.csv", row("New")).await;
    let upload = stack.upload_of(JobKind::UploadUsers, "users.csv");
    let world = TestEngine::new(&stack, Faults::default(), None).await;
    for source in [&new, &old] {
        let ended = world.engine.run(&UploadUsers, &upload, source, &delivery(1)).await.unwrap();
        assert_eq!(ended, DeliveryOutcome::Ended);
    }
    assert_eq!(stack.job_when(&new, |_| true).await.state, JobState::Finished);
    let refused = stack.job_when(&old, |_| true).await;
    let Some(Failure::Refused { reason }) = &refused.failure else { panic!("{refused:?}") };
    assert!(reason.starts_with("A newer version of this file has been dropped"), "{reason}");
    assert_eq!(stack.user("user1").await.unwrap().profile.name.as_str(), "New");

    let row = |state: &str| format!("Number,State\n+919876543219,{state}\n");
    let old = stack.put_quietly("numbers.csv", row("new")).await;
    stack.put_quietly("numbers.csv", row("active")).await;
    let upload = stack.upload_of(JobKind::UploadNumbers, "numbers.csv");
    world.engine.run(&UploadNumbers, &upload, &old, &delivery(1)).await.unwrap();
    assert_eq!(stack.job_when(&old, |_| true).await.state, JobState::Failed);

    // Appends add in any order, and what has begun goes on.
    let lists = [FILE, "Login ID,Allowed Caller ID\nuser1,+919876543211\n"];
    let [first, second] = [drop_quietly(&stack).await, stack.put_quietly("may.csv", lists[1]).await];
    for source in [second, first] {
        world.engine.run(&Append, &stack.upload("may.csv"), &source, &delivery(1)).await.unwrap();
    }
    assert_eq!(stack.list("user1").await.unwrap().len(), 2);
    let (upload, begun) = begun(&stack, "begun.csv").await;
    stack.put_quietly("begun.csv", row("Newest")).await;
    assert_eq!(world.engine.run(&UploadUsers, &upload, &begun, &delivery(2)).await.unwrap(), DeliveryOutcome::Ended);
    assert_eq!(stack.job_when(&begun, |_| true).await.counts.applied, 1);
}
