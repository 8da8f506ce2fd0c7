//! Jobs that show what they would do, and do it when they are told.

use e2e::{Stack, rollcall, somebody, user};
use rollcall_bulk::job::{Job, JobState, MailState, Stage};
use rollcall_engine::decide;
use rollcall_model::{
    jobs::{Decision, JobKind},
    user::{Profile, User},
};

const FIRST: &str = "+919876543210";
const SECOND: &str = "+919876543211";

async fn stack() -> Stack {
    let stack = Stack::start(&[]).await;
    stack.create_users(3).await;
    stack.own(&[FIRST, SECOND]).await;
    stack.recipients(&["ops@example.com"]).await;
    stack
}

fn statuses(report: &[std::collections::HashMap<String, String>]) -> Vec<String> {
    report.iter().map(|row| format!("{} {} {}", row["Line"], row["Status"], row["Error Code"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_of_an_append_writes_nothing_and_its_execution_says_what_differs() {
    let stack = stack().await;
    let file =
        format!("Login ID,Allowed Caller ID\nuser1,{FIRST};{SECOND}\nuser2,{FIRST}\nuser3,{FIRST}\nuser4,{FIRST}\n");
    let job = stack.preview(JobKind::AppendCallerIds, "may.csv", file).await;

    assert_eq!(
        (job.state, job.stage, job.mail.clone()),
        (JobState::Previewed, Stage::Preview, Some(MailState::NotDue))
    );
    assert_eq!((job.counts.applied, job.counts.failed, job.progress.numbers_added), (3, 1, 4));
    assert_eq!(job.progress.statements, 0);
    for login in ["user1", "user2", "user3"] {
        assert_eq!(stack.list(login).await.unwrap(), [""; 0]);
    }
    let said = ["2 applied ", "3 applied ", "4 applied ", "5 failed USER_NOT_FOUND"];
    assert_eq!(statuses(&stack.report(&job, "results").await), said);
    assert_eq!(stack.report(&job, "failed").await.len(), 1);

    // Meanwhile somebody gives one user the number, deletes another and creates the one who was missing.
    stack.append("between.csv", format!("Login ID,Allowed Caller ID\nuser2,{FIRST}\n")).await;
    let third = stack.user("user3").await.unwrap();
    stack.delete_user(&third).await;
    stack.create_user(user("user4")).await;

    let done = stack.execute(&job).await;
    assert_eq!((done.id.clone(), done.state, done.stage), (job.id.clone(), JobState::Finished, Stage::Executed));
    let said = done.previewed.expect("what the preview said");
    assert_eq!((said.counts, said.progress, said.differs), (job.counts, job.progress, 3));
    let came = [
        "2 applied ",
        "3 unchanged ALREADY_ALLOWED; DIFFERS_FROM_PREVIEW",
        "4 failed USER_NOT_FOUND; DIFFERS_FROM_PREVIEW",
        "5 applied DIFFERS_FROM_PREVIEW",
    ];
    assert_eq!(statuses(&stack.report(&done, "results").await), came);
    assert_eq!(stack.list("user1").await.unwrap(), [FIRST, SECOND]);
    assert_eq!(stack.list("user4").await.unwrap(), [FIRST]);
    assert_eq!(stack.mails().len(), 1, "one mail, of the execution");
    // What the preview said stays there to be read.
    assert_eq!(statuses(&stack.report(&job, "results").await)[3], "5 failed USER_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_of_users_creates_nobody_until_it_is_executed() {
    let stack = stack().await;
    let file = "Login ID,Name,Designation\nuser1,Asha,Lead\nnew1,Neha,\nnew2,,\n";
    let job = stack.preview(JobKind::UploadUsers, "users.csv", file).await;
    assert_eq!((job.state, job.progress.users_created, job.counts.failed), (JobState::Previewed, 1, 1));
    assert!(stack.user("new1").await.is_none());
    assert_eq!(stack.user("user1").await.unwrap().profile.designation, None);
    let done = stack.execute(&job).await;
    assert_eq!((done.state, done.counts, done.previewed.unwrap().differs), (JobState::Finished, job.counts, 0));
    assert_eq!(stack.user("new1").await.unwrap().profile.name.as_str(), "Neha");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_is_held_against_its_preview_field_by_field_and_number_by_number() {
    let stack = stack().await;
    let file = format!(
        "Login ID,Name,Email,Block Web Login,Allowed Caller ID\nz1,Z One,,,\nz2,Z Two,z2@e.example,Yes,\n\
         user1,Asha,,,\nuser2,,,,{FIRST};{SECOND}\nuser3,,,,{FIRST}\n"
    );
    let job = stack.preview(JobKind::UploadUsers, "z2.csv", file).await;
    assert_eq!((job.counts.applied, job.progress.users_created), (5, 2), "{job:?}");

    // Meanwhile somebody else comes by the login ID, one is renamed, and one gets one of two numbers.
    stack.create_user(User { profile: Profile::named("Zed Else").unwrap(), ..user("z2") }).await;
    let first = stack.user("user1").await.unwrap();
    let mut renamed = User { version: first.version + 1, ..first.clone() };
    renamed.profile.name = "Renamed".parse().unwrap();
    stack.update_user(&first, &renamed).await;
    stack.append("between.csv", format!("Login ID,Allowed Caller ID\nuser2,{SECOND}\n")).await;

    let done = stack.execute(&job).await;
    assert_eq!((done.counts.applied, done.previewed.unwrap().differs), (5, 3), "{:?}", done.counts);
    let results = stack.report(&done, "results").await;
    let said: Vec<_> = results.iter().map(|row| (row["Line"].as_str(), row["Error Message"].as_str())).collect();
    let said: Vec<_> = said.into_iter().filter(|(_, message)| message.contains("The preview")).collect();
    assert_eq!(
        said,
        [
            (
                "3",
                "The preview said: created (name, e-mail address, web login). \
                 Now: changed (name, e-mail address, web login)."
            ),
            ("4", "The preview said: changed (name). Now the same, but from or to another value."),
            ("5", "The user had +919876543211 before. The preview said: 2 numbers added. Now: 1 number added."),
        ]
    );
}

async fn decided(stack: &Stack, job: &Job, decision: Decision) -> Result<JobState, String> {
    let decided = decide(&stack.directory, job, decision, &somebody()).await.unwrap();
    decided.map(|job| job.state).map_err(|illegal| illegal.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_is_decided_about_once() {
    let stack = stack().await;
    let file = || format!("Login ID,Allowed Caller ID\nuser1,{FIRST}\n");
    let job = stack.preview(JobKind::AppendCallerIds, "one.csv", file()).await;
    assert_eq!(decided(&stack, &job, Decision::Discard).await, Ok(JobState::Discarded));
    let illegal = decided(&stack, &job, Decision::Execute).await.unwrap_err();
    assert_eq!(illegal, "A job that is discarded can't be executed.");
    assert_eq!(stack.list("user1").await.unwrap(), [""; 0]);

    // Executed twice at once, it does it once.
    let job = stack.preview(JobKind::AppendCallerIds, "two.csv", file()).await;
    let by = somebody();
    let execute = || rollcall_engine::execute((&stack.directory, &stack.files), &job, &by);
    let (first, second) = tokio::join!(execute(), execute());
    // Whoever is second may find that somebody is at it already.
    assert!(first.unwrap().is_ok() || second.unwrap().is_ok());
    let done = stack.ended(&job.source).await;
    assert_eq!((done.state, done.counts.applied, done.attempts), (JobState::Finished, 1, 2));
    assert!(decided(&stack, &done, Decision::Execute).await.is_err());
    assert!(decided(&stack, &done, Decision::Discard).await.is_err());

    // A file that can't be read ends the preview, and nobody gets a mail that has asked for no more than a look.
    let unreadable = stack.preview(JobKind::AppendCallerIds, "three.csv", "no header\n").await;
    assert_eq!(unreadable.state, JobState::Failed);
    let mails = stack.mails();
    assert!(mails.iter().all(|mail| !mail.subject.contains("three.csv")), "{mails:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_asks_before_it_acts() {
    let stack = stack().await;
    let file = format!("Login ID,Allowed Caller ID\nuser1,{FIRST}\n");
    let run = |arguments: &[&str]| {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--account", "acme"]).collect();
        let output = rollcall(Some(&stack), &arguments, file.as_bytes());
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), said)
    };
    // Standard input holds the file, so that there is nobody to ask.
    let (code, said) = run(&["append", "-", "--preview"]);
    assert!(code == Some(3) && said.contains("previewed") && said.contains("Would add      1"), "{said}");
    assert!(said.contains("--execute"), "{said}");
    assert_eq!(stack.list("user1").await.unwrap(), [""; 0]);
    let (code, said) = run(&["job", "latest", "--execute"]);
    assert!(code == Some(0) && said.contains("Differs        0 rows"), "{said}");
    assert_eq!(stack.list("user1").await.unwrap(), [FIRST]);
    let (code, said) = run(&["job", "latest", "--execute"]);
    assert!(code == Some(1) && said.contains("A job that is finished can't be executed."), "{said}");

    let (code, _) = run(&["append", "-", "--preview", "--yes", "--name", "again.csv"]);
    assert_eq!(code, Some(0), "nothing is left to do");
    assert_eq!(run(&["job", "latest", "--discard"]).0, Some(0));
}
