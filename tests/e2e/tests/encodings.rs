//! Files in encodings that they don't name, through the public doors.

use e2e::{Stack, json, rollcall};
use rollcall_bulk::{
    job::{Failure, Job, JobState, MailState},
    upload::UploadOptions,
};
use rollcall_engine::world::Bucket;
use rollcall_model::{code::FileWarning, jobs::JobKind, user::User};
use serde_json::Value;

/// `Login ID,Name` and a name in Windows-1251, of which there is too little to be sure.
const CYRILLIC: &[u8] = b"Login ID,Name\nuser1,\xc8\xe2\xe0\xed \xcf\xe5\xf2\xf0\xee\xe2\n";

async fn upload(stack: &Stack, name: &str, bytes: &[u8], encoding: Option<&str>) -> Job {
    let options = UploadOptions { encoding: encoding.map(str::to_owned), ..UploadOptions::default() };
    let source = stack.drop_on(JobKind::UploadUsers, name, bytes, &options).await;
    stack.ended(&source).await
}

async fn user(stack: &Stack) -> User {
    stack.directory.user(&stack.account, "user1").await.unwrap().unwrap()
}

fn notes(job: &Job) -> Vec<FileWarning> {
    job.notes.iter().map(|note| note.code).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn names_in_a_doubtful_encoding_are_held_until_somebody_has_looked() {
    let stack = Stack::start(&[]).await;
    stack.recipients(&["ops@example.com"]).await;
    stack.create_users(1).await;
    let before = user(&stack).await;

    let job = upload(&stack, "names.csv", CYRILLIC, None).await;
    assert_eq!((job.state, notes(&job)), (JobState::OnHold, vec![FileWarning::EncodingDoubtful]));
    assert!(
        matches!(&job.failure, Some(Failure::OnHold { reason }) if reason.contains("encoding")),
        "{:?}",
        job.failure
    );
    assert!(matches!(job.mail, Some(MailState::Sent { .. })), "somebody is told: {:?}", job.mail);
    assert_eq!((job.counts.applied, user(&stack).await), (1, before), "it shows what it would do, and does nothing");

    let job = stack.execute(&job).await;
    assert_eq!((job.state, job.counts.applied), (JobState::Finished, 1));
    let judged = user(&stack).await.profile.name;

    // The same file with its encoding named is not held.
    let job = upload(&stack, "named.csv", CYRILLIC, Some("windows-1251")).await;
    assert_eq!((job.state, notes(&job)), (JobState::Finished, vec![FileWarning::NothingChanged]));
    assert_eq!(user(&stack).await.profile.name.as_str(), "Иван Петров");
    assert!(!judged.as_str().contains('\u{fffd}'));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_western_europe_need_nobody_to_look() {
    let stack = Stack::start(&[]).await;
    stack.create_users(1).await;
    let job = upload(&stack, "names.csv", b"Login ID,Name\nuser1,Jos\xe9 N\xfa\xf1ez\n", None).await;
    assert_eq!((job.state, notes(&job)), (JobState::Finished, vec![FileWarning::EncodingJudged]));
    assert_eq!(user(&stack).await.profile.name.as_str(), "José Núñez");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_cell_of_a_file_that_says_it_is_utf8_is_an_error_of_its_row() {
    let stack = Stack::start(&[]).await;
    stack.create_users(1).await;
    let before = user(&stack).await;
    let job =
        upload(&stack, "marked.csv", b"\xEF\xBB\xBFLogin ID,Name\nuser1,Meera \xe0\xa4\xa8\xe0\xa4\n", None).await;
    assert_eq!((job.state, job.counts.failed, notes(&job)), (JobState::Finished, 1, vec![]));
    assert_eq!(user(&stack).await, before);
    let failed = stack.files.get(&job.keys().failed()).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&failed).contains("TEXT_UNREADABLE"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_goes_on_in_whatever_encoding_and_says_so() {
    let stack = Stack::start(&[]).await;
    stack.create_users(1).await;
    let file = b"Login ID,Allowed Caller ID,Remark\nuser1,9876543210,\x8d\xb2\x93\xa1\x91\xbe\x98\x59\n";
    let job = stack.append("sjis.csv", file.to_vec()).await;
    assert_eq!((job.state, job.counts.applied), (JobState::Finished, 1));
    assert_eq!(notes(&job), [FileWarning::EncodingDoubtful, FileWarning::ColumnsIgnored]);
    assert_eq!(user(&stack).await.caller_ids.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoding_that_is_none_is_refused() {
    let stack = Stack::start(&[]).await;
    let job = upload(&stack, "klingon.csv", CYRILLIC, Some("klingon")).await;
    assert!(
        matches!(&job.failure, Some(Failure::File(fault)) if fault.message.contains("klingon")),
        "{:?}",
        job.failure
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_names_an_encoding() {
    let stack = Stack::start(&[]).await;
    let file = b"Login ID,Name\nuser1,Jos\x82\n";
    let refused = rollcall(Some(&stack), &["upload", "-", "--encoding", "klingon"], file);
    assert!(!refused.status.success());
    let out = rollcall(Some(&stack), &["upload", "-", "--encoding", "cp850"], file);
    assert!(out.status.success(), "{out:?}");
    let made = stack.directory.user(&"demo".parse().unwrap(), "user1").await.unwrap().unwrap();
    assert_eq!(made.profile.name.as_str(), "José");
}

/// The command asks the API for a preview in this encoding (`POST /v1/jobs`), and discards it.
#[tokio::test(flavor = "multi_thread")]
async fn a_look_at_a_file_reads_it_in_the_encoding_that_is_named() {
    let stack = Stack::start(&[]).await;
    let look = |encoding: &[&str]| {
        let kind = ["check", "-", "--kind", "upload-users", "--account", "acme", "--json"];
        json(&rollcall(Some(&stack), &[&kind, encoding].concat(), CYRILLIC))["job"].clone()
    };
    let judged = look(&[]);
    assert_eq!(judged["notes"][0]["code"], "ENCODING_DOUBTFUL", "{judged}");
    let named = look(&["--encoding", "windows-1251"]);
    assert_eq!((&named["encoding"], &named["notes"]), (&"windows-1251".into(), &Value::Null), "{named}");
    let refused = rollcall(Some(&stack), &["check", "--account", "acme", "--encoding", "windows-1251"], b"");
    assert!(!refused.status.success(), "an encoding is that of a file");
    assert_eq!(stack.user("user1").await, None);
}
