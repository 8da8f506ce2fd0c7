//! What is done for lists that phone systems are told.

use std::time::Duration;

use e2e::{Smartflo, SmartfloSpoil, Stack, rollcall, until, user};
use rollcall_bulk::job::{Job, JobState};
use rollcall_engine::world::{NewMark, Pushes};
use rollcall_model::{jobs::JobKind, settings::PhoneSystem};

use super::{all_ended, logged, resync, set_system};

/// Lists are told to a phone system that doesn't answer at first, that refuses somebody, and that has somebody later.
pub(crate) async fn what_changes(stack: &Stack, smartflo: &Smartflo) {
    // Numbers that nobody else has: the others have nothing to be told of.
    smartflo.buy(&["+919876500008", "+919876500009"]);
    stack.own(&["+919876500008", "+919876500009"]).await;
    let id = smartflo.hire("told");
    for login in ["told", "absent"] {
        stack.create_user(user(login)).await;
    }
    let push_that = async |wanted: &dyn Fn(&Job) -> bool| {
        for _ in 0..1_200 {
            let (jobs, _) = stack.directory.jobs(&stack.account, None, 50).await.expect("jobs are listed");
            if jobs.iter().any(|job| job.upload.kind == JobKind::PushLists && wanted(job)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("waited too long for a push");
    };
    smartflo.spoil(Some(SmartfloSpoil::Broken));
    stack.append("told.csv", "Login ID,Allowed Caller ID\ntold,+919876500008\nabsent,+919876500008\n").await;
    push_that(&|job| job.last_error.is_some()).await;
    smartflo.spoil(None);
    until("the list", || smartflo.caller_ids(&id)).await;
    all_ended(stack).await;
    smartflo.refuse(&id);
    stack.append("refused.csv", "Login ID,Allowed Caller ID\ntold,+919876500009\n").await;
    push_that(&|job| job.counts.failed > 0).await;
    let id = smartflo.hire("absent");
    assert_eq!(resync(stack, "found.json", PhoneSystem::Smartflo).await.state, JobState::Finished);
    until("the list", || smartflo.caller_ids(&id)).await;
    set_system(stack, PhoneSystem::ZoomPhone).await;
    ask(stack).await;
    set_system(stack, PhoneSystem::Smartflo).await;
    all_ended(stack).await;
}

/// A push that is asked for, whatever comes of it: the account may have no secret for its phone system.
pub(crate) async fn ask(stack: &Stack) {
    let source = stack.drop_as(JobKind::PushLists, "asked.json", "{}").await;
    assert!(!stack.ended(&source).await.is_underway());
}

/// As it is when whoever has marked a user dies before it wakes anybody: a schedule finds it, unless a push is at it anyway.
pub(crate) async fn wake_nobody(stack: &Stack) {
    for tried in 0.. {
        assert!(tried < 30, "waited too long for a schedule that asks for a push");
        all_ended(stack).await;
        let mark = NewMark { login: "absent".to_owned(), sequence: format!("x{tried}"), removes: false };
        stack.directory.mark(&stack.account, &[mark], jiff::Timestamp::now()).await.expect("it is marked");
        assert!(rollcall(Some(stack), &["schedules", "run", "PushListsFunctionVisit"], &[]).status.success());
        tokio::time::sleep(Duration::from_secs(1)).await;
        let asks = |line: &String| line.starts_with("rollcall-PushLists") && line.contains("/inbox/*/push-lists/*");
        if logged(stack, "used").iter().any(|line| asks(line) && line.contains("PutObject")) {
            return;
        }
    }
}
