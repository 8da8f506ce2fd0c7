//! The kind of a job is the third part of its key, and nothing else: whoever may write one folder may do that kind alone. A file that lies in
//! no kind's folder is refused by one function, and somebody is told.

use rollcall_engine::world::Bucket;
use std::collections::BTreeSet;

use e2e::Stack;
use rollcall_bulk::{
    job::{Failure, Job, JobState, MailState},
    upload::UploadOptions,
};
use rollcall_model::{
    code::FileCode,
    jobs::{JobId, JobKind, ObjectVersion},
};

/// The function that works on a kind.
fn function_of(kind: JobKind) -> &'static str {
    match kind {
        JobKind::AppendCallerIds => "bulk-append",
        JobKind::UploadUsers | JobKind::UploadNumbers => "bulk-users",
        JobKind::DirectoryImport => "directory-import",
        JobKind::MappingResync | JobKind::PhoneSnapshot => "mapping-resync",
        JobKind::PushLists => "push-lists",
        JobKind::RotateCallerIds => "number-rotation",
        JobKind::Undo => "bulk-undo",
    }
}

/// The functions that have claimed a job, by their logs.
fn claimed_by(stack: &Stack, job: &JobId) -> BTreeSet<String> {
    let logs = std::fs::read_dir(stack.dir().join("logs")).expect("logs").map(|log| log.expect("a log").path());
    let claims = |text: &str| text.lines().any(|line| line.contains("\"claimed\"") && line.contains(job.as_str()));
    logs.filter(|log| claims(&std::fs::read_to_string(log).expect("a text")))
        .map(|log| log.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect()
}

/// How many events of other kinds a function has passed over.
fn passed_over(stack: &Stack, function: &str) -> usize {
    let text = std::fs::read_to_string(stack.dir().join(format!("logs/{function}.log"))).unwrap_or_default();
    text.matches("an event of another kind of job is passed over").count()
}

/// What would do something if a function of this kind worked on it.
fn content(kind: JobKind, job: &Job) -> String {
    match kind {
        JobKind::AppendCallerIds => "Login ID,Allowed Caller ID\nuser1,+919876500009\n".to_owned(),
        JobKind::UploadUsers => "Login ID,Name,Allowed Caller ID\nuser1,Taken over,+919876500009\n".to_owned(),
        JobKind::DirectoryImport => r#"{"sync":{"confirmed":true}}"#.to_owned(),
        JobKind::MappingResync => r#"{"confirmed":true}"#.to_owned(),
        JobKind::PhoneSnapshot => "Phone User ID,Policy\nuser1,all\n".to_owned(),
        JobKind::PushLists => r#"{"retry":true}"#.to_owned(),
        JobKind::RotateCallerIds => r#"{"retire":["+919876500001"],"allow_empty":true}"#.to_owned(),
        JobKind::UploadNumbers => "Number,State\n+919876543210,flagged\n".to_owned(),
        JobKind::Undo => format!(r#"{{"job":"{}","preview":false}}"#, job.id),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_every_pair_of_kinds_the_first_folder_says_what_is_done() {
    let stack = Stack::start(&[]).await;
    stack.create_users(1).await;
    stack.own(&["+919876500001"]).await;
    let before = stack.append("before.csv", "Login ID,Allowed Caller ID\nuser1,+919876500001\n").await;
    assert_eq!((before.state, before.counts.applied), (JobState::Finished, 1), "{before:?}");
    let mut pairs = Vec::new();
    for kind in JobKind::ALL {
        for other in JobKind::ALL.into_iter().filter(|&other| other != kind) {
            let name = format!(
                "{}/x.{}",
                other.as_str(),
                if content(other, &before).starts_with('{') { "json" } else { "csv" }
            );
            pairs.push((kind, other, stack.drop_as(kind, &name, content(other, &before)).await));
        }
    }
    for (kind, other, source) in &pairs {
        let job = stack.ended(source).await;
        let pair = format!("{} of {}: {job:?}", other.as_str(), kind.as_str());
        assert_eq!(job.upload.kind, *kind, "{pair}");
        assert_eq!(claimed_by(&stack, &job.id), BTreeSet::from([function_of(*kind).to_owned()]), "{pair}");
    }
    // Each function was told of the files in folders of its name, and passed each over at once.
    for function in JobKind::ALL.map(function_of) {
        // The append's is told of every file of the inbox.
        let told_of = |kind: JobKind| function == "bulk-append" || function_of(kind) == function;
        let foreign = |kind: JobKind, other: JobKind| told_of(other) && function_of(kind) != function;
        let told = pairs.iter().filter(|(kind, other, _)| foreign(*kind, *other)).count();
        e2e::until(&format!("{told} events that {function} passes over"), || {
            (passed_over(&stack, function) == told).then_some(())
        })
        .await;
    }
    stack.dead_letters(0).await;
    let user = stack.user("user1").await.expect("the user");
    assert_eq!(user.profile.name.as_str(), "The user1", "nobody's profile was changed by a file in another folder");
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_of_peoples_own_stay_legal_whatever_they_are_called() {
    let stack = Stack::start(&[]).await;
    let names =
        ["2026/märz numbers.csv", "a/b/c/d.csv", "undo/2026/numbers.csv", "rotate-caller-ids/upload-users/x.csv"];
    stack.create_users(names.len()).await;
    for (at, name) in names.into_iter().enumerate() {
        let row = format!("Login ID,Allowed Caller ID\nuser{},+919876500001\n", at + 1);
        let job = stack.append(name, row).await;
        assert_eq!((job.state, job.counts.applied), (JobState::Finished, 1), "{name}: {job:?}");
        assert_eq!((job.upload.kind, job.upload.name.as_str()), (JobKind::AppendCallerIds, name));
        assert_eq!(claimed_by(&stack, &job.id), BTreeSet::from(["bulk-append".to_owned()]), "{name}");
    }
    // A folder that is called like an account's or a decision's parts is somebody's folder too.
    let job = stack.append("decisions/acme/undo/execute", "Login ID,Allowed Caller ID\nuser1,+919876500002\n").await;
    assert_eq!((job.state, job.counts.applied), (JobState::Finished, 1), "{job:?}");
    stack.dead_letters(0).await;
}

/// Puts a file where nothing of the product would put it.
async fn put(stack: &Stack, key: &str) -> ObjectVersion {
    let file = b"Login ID,Allowed Caller ID\nuser1,+919876500001\n".to_vec();
    stack.files.put_version(key, file, &UploadOptions::default()).await.expect("the file is written")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_a_folder_that_no_job_takes_is_one_failed_job_and_one_mail() {
    let stack = Stack::start(&[]).await;
    stack.recipients(&["ops@example.com"]).await;
    stack.create_users(1).await;
    let misplaced = [
        ("inbox/acme/append-caller-id/x.csv", JobKind::AppendCallerIds, "inbox/acme/append-caller-ids/"),
        ("inbox/acme/users/2026/x.csv", JobKind::UploadUsers, "inbox/acme/upload-users/"),
        // Other functions are told of these, by the folders below.
        ("inbox/acme/rotate/undo/upload-users/x.csv", JobKind::RotateCallerIds, "inbox/acme/rotate-caller-ids/"),
        ("inbox/ACME/upload-users/x.csv", JobKind::UploadUsers, "inbox/acme/upload-users/"),
        ("inbox/Acme/append-caller-ids/x.csv", JobKind::AppendCallerIds, "inbox/acme/append-caller-ids/"),
        ("inbox/acme/x.csv", JobKind::AppendCallerIds, "append-caller-ids, upload-users"),
    ];
    let mut sources = Vec::new();
    for (key, ..) in misplaced {
        sources.push(put(&stack, key).await);
    }
    for ((key, kind, told), source) in misplaced.into_iter().zip(&sources) {
        let job = stack.ended(source).await;
        let Some(Failure::File(fault)) = &job.failure else { panic!("{key}: {job:?}") };
        assert_eq!(
            (job.state, fault.code, job.upload.kind),
            (JobState::Failed, FileCode::FolderUnknown, kind),
            "{key}"
        );
        assert!(fault.message.contains(told), "{key}: {}", fault.message);
        assert!(matches!(job.mail, Some(MailState::Sent { .. })), "{key}: {:?}", job.mail);
        assert_eq!(job.attempts, 1, "{key}");
        assert_eq!(claimed_by(&stack, &job.id), BTreeSet::from(["bulk-append".to_owned()]), "{key}");
    }
    let mails = stack.mails();
    assert_eq!(mails.len(), misplaced.len());
    for mail in &mails {
        assert!(mail.subject.contains("lies in the wrong folder (FOLDER_UNKNOWN)"), "{}", mail.subject);
        assert!(mail.to == ["ops@example.com"] && mail.text.contains("no job takes files from there"), "{mail:?}");
    }
    assert_eq!(stack.list("user1").await.unwrap(), [""; 0]);
    stack.dead_letters(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_names_no_account_is_told_to_whoever_watches_and_goes_round_nowhere() {
    let stack = Stack::start(&[]).await;
    for key in ["inbox/x.csv", "inbox/Acme Corp/append-caller-ids/x.csv", "inbox//upload-users/x.csv"] {
        put(&stack, key).await;
    }
    let log = || std::fs::read_to_string(stack.dir().join("logs/bulk-append.log")).unwrap_or_default();
    e2e::until("three strays", || (log().matches("\"FilesStrayed\":1").count() == 3).then_some(())).await;
    let folders: BTreeSet<bool> = log()
        .lines()
        .filter(|line| line.contains("no account can be told"))
        .map(|line| line.contains("x.csv"))
        .collect();
    assert_eq!(folders, BTreeSet::from([false]), "the names of files are in no log");
    stack.dead_letters(0).await;
    assert!(stack.mails().is_empty());
}
