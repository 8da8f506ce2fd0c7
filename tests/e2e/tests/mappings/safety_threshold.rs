//! The safety threshold: what a resync would do at most, unless somebody says so.

use e2e::{Stack, somebody};
use futures_util::future::join_all;
use rollcall_bulk::{
    job::{Failure, JobState},
    resync::state::ResyncRequest,
};
use rollcall_engine::{decide, world::Schedules};
use rollcall_model::{
    code::FileWarning,
    jobs::{Decision, JobKind},
    settings::PhoneSystem,
};

use super::{SNAPSHOT, allow, by_email, drop_snapshot, map, number, resync, sees, set_system, to};

#[tokio::test(flavor = "multi_thread")]
async fn an_accounts_first_mappings_may_all_come_at_once() {
    let stack = Stack::start(&[]).await;
    let ids: Vec<String> = (0..64).map(|id| format!("crm-{id}")).collect();
    join_all(ids.iter().map(|id| map(&stack, id, to("user1")))).await;
    let (mappings, _) = stack.directory.mappings_page(&stack.account, None, ids.len()).await.unwrap();
    assert_eq!(mappings.len(), ids.len());
    assert_eq!(stack.directory.resynced_accounts().await.unwrap(), std::slice::from_ref(&stack.account));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_would_revoke_too_much_holds_says_so_once_and_goes_on_when_it_is_meant() {
    let stack = Stack::start(&[]).await;
    let all: Vec<String> = (0..12).map(number).collect();
    stack.own(&all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    set_system(&stack, PhoneSystem::Snapshot).await;
    map(&stack, "1", by_email("one@example.com")).await;
    map(&stack, "2", by_email("two@example.com")).await;
    let nothing = resync(&stack, "early.json", false).await;
    assert!(
        matches!(&nothing.failure, Some(Failure::Refused { reason }) if reason.contains("No snapshot")),
        "{nothing:?}"
    );

    let good = format!("7,one@example.com,Custom caller IDs,,{}\n8,two@example.com,All caller IDs,,\n", all.join("; "));
    assert_eq!(drop_snapshot(&stack, &good).await.state, JobState::Finished);
    let mails = stack.mails().len();
    for bad in [
        // An empty list, a file that is cut off, a row that can't be read: nothing is revoked.
        "",
        "7,one@example.com,Custom caller IDs,,none\n",
        "7,one@example.com,Custom caller IDs,,junk\n8,two@example.com,All caller IDs,,\n",
    ] {
        let job = drop_snapshot(&stack, bad).await;
        assert_ne!(job.state, JobState::Finished, "{bad}: {job:?}");
        assert_eq!((sees(&stack, "1").await.len(), sees(&stack, "2").await.len()), (12, 12), "{bad}");
    }
    assert_eq!(stack.mails().len(), mails + 3, "each says why");

    let less =
        format!("7,one@example.com,Custom caller IDs,,{}\n8,two@example.com,Custom caller IDs,,{}\n", all[0], all[0]);
    let held = drop_snapshot(&stack, &less).await;
    assert_eq!(held.state, JobState::OnHold);
    assert!(matches!(&held.failure, Some(Failure::OnHold { reason }) if reason.contains("22 of the 24")), "{held:?}");
    assert_eq!(sees(&stack, "1").await, all);
    let meant = resync(&stack, "meant.json", true).await;
    assert_eq!((meant.state, meant.progress.numbers_removed), (JobState::Finished, 22), "{meant:?}");
    assert_eq!(sees(&stack, "2").await, all[..1]);
    let standing = stack.directory.resync_state(&stack.account).await.unwrap().unwrap().value;
    assert_eq!((standing.done.unwrap().job, standing.ended), (meant.id, None));
}

/// A CRM user of many numbers, and a snapshot that gives the first so many of them.
async fn one_of_many(stack: &Stack, numbers: usize) -> impl Fn(usize) -> String + use<> {
    let all: Vec<String> = (0..numbers).map(number).collect();
    stack.own(&all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    set_system(stack, PhoneSystem::Snapshot).await;
    map(stack, "1", by_email("one@example.com")).await;
    move |first| format!("7,one@example.com,Custom caller IDs,,{}\n", all[..first].join("; "))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_holds_is_not_in_force_until_somebody_says_so() {
    let stack = Stack::start(&[]).await;
    let snapshot = one_of_many(&stack, 12).await;
    assert_eq!(drop_snapshot(&stack, &snapshot(12)).await.state, JobState::Finished);
    let held = drop_snapshot(&stack, &snapshot(1)).await;
    assert_eq!(held.state, JobState::OnHold);
    let job = resync(&stack, "while-it-holds.json", false).await;
    assert_eq!((job.state, job.counts.unchanged), (JobState::Finished, 1), "the one before counts: {job:?}");

    let held = drop_snapshot(&stack, &snapshot(2)).await;
    assert_eq!(held.state, JobState::OnHold);
    decide(&stack.directory, &held, Decision::Discard, &somebody()).await.unwrap().unwrap();
    for confirmed in [false, true] {
        let job = resync(&stack, &format!("discarded-{confirmed}.json"), confirmed).await;
        assert_eq!((job.state, job.counts.unchanged), (JobState::Finished, 1), "{confirmed}: {job:?}");
    }

    let held = drop_snapshot(&stack, &snapshot(1)).await;
    assert_eq!(stack.execute(&held).await.state, JobState::Finished);
    let job = resync(&stack, "executed.json", false).await;
    assert_eq!((job.state, job.counts.unchanged), (JobState::Finished, 1), "{job:?}");
    assert_eq!(sees(&stack, "1").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_snapshot_that_is_worked_on_later_never_wins_over_a_newer_one() {
    let stack = Stack::start(&[]).await;
    let snapshot = one_of_many(&stack, 12).await;
    assert_eq!(drop_snapshot(&stack, &snapshot(11)).await.state, JobState::Finished);
    let older = drop_snapshot(&stack, &snapshot(1)).await;
    assert_eq!(older.state, JobState::OnHold);
    assert_eq!(drop_snapshot(&stack, &snapshot(12)).await.state, JobState::Finished);
    let job = stack.execute(&older).await;
    assert!(matches!(&job.failure, Some(Failure::Refused { reason }) if reason.contains("newer snapshot")), "{job:?}");
    assert_eq!(resync(&stack, "after.json", true).await.counts.unchanged, 1);
    assert_eq!(sees(&stack, "1").await.len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_small_revocations_of_a_day_hold_as_one_large_one_does() {
    let stack = Stack::start(&[]).await;
    let snapshot = one_of_many(&stack, 30).await;
    for (left, state) in
        [(30, JobState::Finished), (21, JobState::Finished), (12, JobState::OnHold), (3, JobState::OnHold)]
    {
        let job = drop_snapshot(&stack, &snapshot(left)).await;
        assert_eq!(job.state, state, "{left}: {job:?}");
    }
    assert_eq!(sees(&stack, "1").await.len(), 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_shows_what_would_be_revoked_and_says_what_the_threshold_would() {
    let stack = Stack::start(&[]).await;
    let snapshot = one_of_many(&stack, 30).await;
    assert_eq!(drop_snapshot(&stack, &snapshot(30)).await.state, JobState::Finished);
    let standing = async || stack.directory.resync_state(&stack.account).await.unwrap().unwrap().value;
    let before = standing().await;

    let little = stack.preview(JobKind::PhoneSnapshot, "little.csv", format!("{SNAPSHOT}{}", snapshot(28))).await;
    assert_eq!((little.state, little.progress.numbers_removed), (JobState::Previewed, 2), "{little:?}");
    assert!(little.notes.is_empty(), "{:?}", little.notes);
    let rows = stack.report(&little, "results.csv").await;
    let revoked = &rows[0]["Revoked"];
    assert_eq!(rows[0]["Change"], "revoked");
    assert!(revoked.contains(&number(28)) && revoked.contains(&number(29)), "{rows:?}");
    assert_eq!((sees(&stack, "1").await.len(), standing().await), (30, before), "nothing was changed");
    assert_eq!(stack.execute(&little).await.state, JobState::Finished);
    assert_eq!(sees(&stack, "1").await.len(), 28);

    let much = stack.preview(JobKind::PhoneSnapshot, "much.csv", format!("{SNAPSHOT}{}", snapshot(5))).await;
    assert_eq!((much.state, much.progress.numbers_removed), (JobState::Previewed, 23), "{much:?}");
    assert_eq!(much.notes[0].code, FileWarning::SafetyThreshold);
    assert!(much.notes[0].message.contains("23 of the 28"), "{:?}", much.notes);
    assert_eq!(sees(&stack, "1").await.len(), 28);
    let done = stack.execute(&much).await;
    assert_eq!((done.state, done.progress.numbers_removed), (JobState::Finished, 23), "a person has seen it: {done:?}");
    assert_eq!(sees(&stack, "1").await.len(), 5);
}

fn preview_of_nothing() -> Vec<u8> {
    ResyncRequest { preview: true, ..ResyncRequest::default() }.to_json()
}

/// A preview that had shown nothing of it doesn't carry a resync past the threshold.
#[tokio::test(flavor = "multi_thread")]
async fn an_executed_preview_is_held_over_what_it_had_not_shown() {
    let stack = Stack::start(&[]).await;
    let all: Vec<String> = (0..30).map(number).collect();
    stack.own(&all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    stack.create_user(e2e::user("asha")).await;
    allow(&stack, "asha", &all).await;
    map(&stack, "1", to("asha")).await;
    assert_eq!(resync(&stack, "first.json", false).await.state, JobState::Finished);
    let preview = stack.preview(JobKind::MappingResync, "preview.json", preview_of_nothing()).await;
    assert_eq!((preview.state, preview.counts.unchanged), (JobState::Previewed, 1), "{preview:?}");
    let caller = stack.caller(&["--account", "acme"]);
    for number in &all[3..] {
        let path = format!("/v1/users/asha/caller-ids/{}", number.replace('+', "%2B"));
        let reply = caller.ask(axum::http::Method::DELETE, &path, &[], "").await;
        assert!(reply.status.is_success(), "{}", reply.text());
    }
    let held = stack.execute(&preview).await;
    assert_eq!(held.state, JobState::OnHold, "{held:?}");
    assert_eq!(sees(&stack, "1").await.len(), 30);
    assert_eq!(stack.execute(&held).await.state, JobState::Finished, "now somebody has seen it");
    assert_eq!(sees(&stack, "1").await.len(), 3);
}
