//! A job ends at once when its file, or what it is to take back, is not there any more; and says so.

use std::time::Duration;

use e2e::{Faults, Stack, TestEngine, delivery, delivery_of, somebody};
use rollcall_bulk::{
    job::{Failure, Job, JobState},
    undo::UndoRequest,
};
use rollcall_engine::{
    DeliveryOutcome, decide,
    kinds::{Append, Undo},
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
    let world = without(&stack, "/inbox/").await;
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
    let world = without(&stack, "/inbox/").await;
    let about = (JobKind::AppendCallerIds, &job.id);
    let ended = world.engine.execute(&Append, &stack.account, about, &delivery(1)).await.unwrap();
    assert_eq!(ended, DeliveryOutcome::Ended);
    says_gone(&stack.job_when(&job.source, |job| job.state == JobState::Failed).await);
    assert_eq!((stack.mails().len(), stack.list("user1").await), (1, Some(Vec::new())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_goes_while_its_job_is_underway_gives_the_job_up_at_once() {
    let stack = start().await;
    let source = drop_quietly(&stack).await;
    let upload = stack.upload("may.csv");
    let world = TestEngine::new(&stack, Faults { throttled: 1_000, ..Faults::default() }, None).await;
    let first = world.engine.run(&Append, &upload, &source, &delivery_of(1, Duration::from_secs(3))).await;
    assert_eq!(first.unwrap(), DeliveryOutcome::Paused);
    let world = without(&stack, "/inbox/").await;
    let second = world.engine.run(&Append, &upload, &source, &delivery(2)).await.unwrap();
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
