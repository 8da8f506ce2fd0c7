//! A rotation, and an append or another rotation at the same time.

use axum::http::Method;
use e2e::{Event, Faults, Meanwhile, Stack, TestEngine, delivery, rollcall};
use rollcall_bulk::job::{Job, JobState};
use rollcall_engine::{
    Attempt, DeliveryOutcome, Operation,
    kinds::{Append, Rotate},
    world::Numbers,
};
use rollcall_model::{
    code::FileWarning,
    inventory::{InventoryNumber, NumberState},
    jobs::JobKind,
};
use rollcall_storage::StorageError;
use serde_json::json;

use super::{create, item, number, numbers, own, owner, rotate};

/// Users are found by an index that is ordered by name, so whoever is renamed from behind the walk to before it is on no page of it. A
/// user who comes with the number after the rotation stands for that.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_whom_a_rotation_has_passed_over_is_found_by_the_next_round() {
    let stack = Stack::start(&[]).await;
    own(&stack, 0..5).await;
    create(&stack, "asha", &[0, 2]).await;
    let retired = rotate(&stack, json!({ "retire": [number(0)], "replace_with": [number(3)] })).await;
    rotate(&stack, json!({ "retire": [number(2)], "replace_with": [number(4)], "quarantine_days": 30 })).await;
    create(&stack, "renamed", &[0, 1]).await;
    create(&stack, "both", &[2, 3, 4]).await;
    create(&stack, "alone", &[0]).await;
    let left = item(&stack, 0).await;
    assert_eq!(left.second_look.and_then(|look| look.replacement), number(3).parse().ok());

    let round = || {
        let run = rollcall(Some(&stack), &["schedules", "run", "NumberRotationFunctionVisit"], &[]);
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    };
    round();
    assert_eq!(stack.list("renamed").await.unwrap(), numbers(&[1, 3]));
    assert_eq!(stack.list("both").await.unwrap(), numbers(&[3, 4]));
    assert_eq!(stack.list("alone").await.unwrap(), numbers(&[3]));
    assert_eq!(stack.list("asha").await.unwrap(), numbers(&[3, 4]), "it was changed by the rotation");
    let (first, resting) = (item(&stack, 0).await, item(&stack, 2).await);
    assert_eq!(first, InventoryNumber { second_look: None, ..left });
    assert!(resting.second_look.is_none() && resting.facts.state == NumberState::Resting);
    let today = rollcall_model::inventory::utc_day(jiff::Timestamp::now());
    assert_eq!(stack.directory.due_numbers(today).await.unwrap(), [], "one look is enough");

    // The look is no change that would keep an undo away.
    let path = format!("/v1/jobs/{}/undo", retired.id);
    let asked = owner(&stack).ask(Method::POST, &path, &[("content-type", "application/json")], "{}".to_owned()).await;
    assert_eq!(stack.ended_asked(&asked).await.state, JobState::Finished);
    assert_eq!(item(&stack, 0).await.facts.state, NumberState::Active);
}

/// Another job begins and ends: after this one has read the inventory, before it writes a list.
struct Interrupted<'a> {
    stack: &'a Stack,
    kind: JobKind,
    file: String,
}

impl Event for Interrupted<'_> {
    async fn happen(&self, _: &Attempt<'_>) -> Result<(), StorageError> {
        let source = self.stack.drop_as(self.kind, "meanwhile.csv", self.file.clone()).await;
        assert_eq!(self.stack.ended(&source).await.state, JobState::Finished);
        Ok(())
    }
}

async fn run<O: Operation>(stack: &Stack, operation: O, kind: JobKind, file: String) -> Job {
    let world = TestEngine::new(stack, Faults::default(), None).await;
    let source = stack.put_quietly("outer.csv", file).await;
    let upload = stack.upload_of(kind, "outer.csv");
    let ending = world.engine.run(&operation, &upload, &source, &delivery(1)).await.expect("nothing fails");
    assert_eq!(ending, DeliveryOutcome::Ended);
    stack.job_when(&source, |_| true).await
}

const MANY: usize = 2_000;

/// A file that gives everybody these numbers.
fn give(lasts: &[usize]) -> String {
    let rows = (1..=MANY).map(|user| format!("user{user},{}\n", numbers(lasts).join(";")));
    std::iter::once("login,did\n".to_owned()).chain(rows).collect()
}

/// Looks at everybody's list: `user1` to `user{MANY}`.
async fn lists(stack: &Stack) -> Vec<Vec<String>> {
    let users = stack.directory.users(&stack.account, MANY).await.unwrap();
    assert_eq!(users.len(), MANY);
    users.iter().map(|user| user.caller_ids.iter().map(ToString::to_string).collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_a_rotation_overtakes_takes_back_what_was_retired_meanwhile() {
    let stack = Stack::start(&[]).await;
    own(&stack, 0..4).await;
    stack.create_users(MANY).await;
    let file = format!("Old Caller ID,New Caller ID\n{},{}\n", number(0), number(3));
    let meanwhile = Interrupted { stack: &stack, kind: JobKind::RotateCallerIds, file };
    let job = run(&stack, Meanwhile(Append, meanwhile), JobKind::AppendCallerIds, give(&[0, 1])).await;
    assert_eq!((job.counts.partial, job.counts.rows()), (MANY as u64, MANY as u64), "{job:?}");
    assert_eq!(job.progress.numbers_added, MANY as u64, "what was taken back is not counted");
    let results = stack.report(&job, "results").await;
    assert!(results.iter().all(|row| row["Error Code"] == "NUMBER_RETIRED"), "{:?}", results[0]);
    assert!(lists(&stack).await.iter().all(|list| *list == numbers(&[1])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_an_append_overtakes_keeps_what_was_added() {
    let stack = Stack::start(&[]).await;
    own(&stack, 0..4).await;
    stack.create_users(MANY).await;
    assert_eq!(stack.append("before.csv", give(&[0])).await.counts.applied, MANY as u64);
    let meanwhile = Interrupted { stack: &stack, kind: JobKind::AppendCallerIds, file: give(&[0, 1]) };
    let file = format!("Old Caller ID,New Caller ID\n{},{}\n", number(0), number(3));
    let job = run(&stack, Meanwhile(Rotate, meanwhile), JobKind::RotateCallerIds, file).await;
    assert_eq!((job.counts.applied, job.counts.rows()), (MANY as u64, MANY as u64), "{job:?}");
    assert!(lists(&stack).await.iter().all(|list| *list == numbers(&[1, 3])));
    assert_eq!(item(&stack, 0).await.facts.state, NumberState::Retired);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_and_an_append_at_once_leave_nobody_a_retired_number() {
    let stack = Stack::start(&[]).await;
    own(&stack, 0..4).await;
    stack.create_users(MANY).await;
    assert_eq!(stack.append("before.csv", give(&[1])).await.counts.applied, MANY as u64);
    let rotation = format!("Old Caller ID,New Caller ID\n{},{}\n{},\n", number(1), number(3), number(0));
    let append = stack.drop_file("append.csv", give(&[0, 1, 2])).await;
    let rotation = stack.drop_as(JobKind::RotateCallerIds, "rotation.csv", rotation).await;
    for source in [&append, &rotation] {
        assert_eq!(stack.ended(source).await.state, JobState::Finished);
    }
    assert!(lists(&stack).await.iter().all(|list| *list == numbers(&[2, 3])), "whatever came first");
}

/// A person gives a number another state, after a rotation has reserved it.
struct Flagged<'a> {
    stack: &'a Stack,
    last: usize,
}

impl Event for Flagged<'_> {
    async fn happen(&self, _: &Attempt<'_>) -> Result<(), StorageError> {
        let caller = owner(self.stack);
        let path = format!("/v1/numbers/{}", number(self.last));
        let reply = caller.ask(Method::PATCH, &path, &[], json!({ "state": "flagged" }).to_string()).await;
        assert!(reply.status.is_success(), "{reply:?}");
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_about_which_a_person_has_decided_is_left_so_and_the_mail_says_which() {
    let stack = Stack::start(&[]).await;
    stack.recipients(&["ops@example.com"]).await;
    own(&stack, 0..4).await;
    create(&stack, "sam", &[0, 1]).await;
    let file = format!("Old Caller ID,New Caller ID\n{},{}\n{},{}\n", number(0), number(2), number(1), number(3));
    let event = Flagged { stack: &stack, last: 0 };
    let job = run(&stack, Meanwhile(Rotate, event), JobKind::RotateCallerIds, file).await;
    assert_eq!((job.state, job.counts.applied), (JobState::Finished, 2), "{job:?}");
    let states = [item(&stack, 0).await.facts.state, item(&stack, 1).await.facts.state];
    assert_eq!(states, [NumberState::Flagged, NumberState::Retired]);
    let codes: Vec<FileWarning> = job.notes.iter().map(|note| note.code).collect();
    assert_eq!(codes, [FileWarning::NumbersNotRetired]);
    let mails = stack.mails();
    assert!(mails.len() == 1 && mails[0].text.contains(&number(0)), "{mails:?} {job:?}");
    assert!(!mails[0].text.contains(&number(1)), "{mails:?}");
}
