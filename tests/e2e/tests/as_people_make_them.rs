//! The smallest files that once did harm without a word: what comes of each, through the bucket.

use e2e::{Stack, user};
use rollcall_bulk::job::{Job, JobState, MailState};
use rollcall_model::{code::FileWarning, jobs::JobKind, user::User};

/// What comes of the rows of a file: each row's status and codes.
async fn dropped(stack: &Stack, kind: JobKind, name: &str, file: &[u8]) -> (Job, Vec<String>) {
    let source = stack.drop_as(kind, name, file).await;
    let job = stack.ended(&source).await;
    let rows = stack.report(&job, "results").await;
    let rows = rows.iter().map(|row| format!("{} {}", row["Status"], row["Error Code"]).trim().to_owned());
    let rows = rows.collect();
    (job, rows)
}

async fn everybody(stack: &Stack) -> Vec<User> {
    stack.directory.users(&stack.account, 100).await.expect("users are read")
}

/// Uploads that must leave everybody as they were, with what is said of their rows.
const CHANGE_NOBODY: [(&str, &[u8], &[&str]); 11] = [
    ("an error of a formula", b"Login ID,Name\nuser1,#N/A\n", &["failed SPREADSHEET_ERROR"]),
    ("a rounded login", b"Login ID,Name\n9.18766E+11,K\n", &["failed LOGIN_ID_SUSPECT"]),
    ("a login with decimals", b"Login ID,Name\n100234.0,K\n", &["failed LOGIN_ID_SUSPECT; NORMALIZED"]),
    ("the header again", b"Login ID,Name\nLogin ID,Name\n", &["unchanged HEADER_REPEATED"]),
    ("remarks below the header", b"Login ID,Name\n(mandatory),(mandatory)\n", &["failed LOGIN_ID_SUSPECT"]),
    ("a total", b"Login ID,Name\nTotal,1\n", &["failed LOGIN_ID_SUSPECT"]),
    ("a footer", b"Login ID,Name\n(1 row affected),\n", &["failed LOGIN_ID_SUSPECT"]),
    ("text cut amid a letter", b"\xEF\xBB\xBFLogin ID,Name\na,\xE0\xA4\xA8\xE0\xA4\n", &["failed TEXT_UNREADABLE"]),
    ("marks for no value", b"Login ID,Name,Department\nuser1,NULL,NULL\n", &["unchanged NO_VALUE; NO_VALUE"]),
    ("a column that is not understood", b"Login ID,Contact Number\nuser1,9812345678\n", &["unchanged"]),
    ("one line in one cell", b"\"Login ID,Name\"\n\"user1,Somebody\"\n", &[]),
];

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_nobody_can_have_meant_change_nobody_and_somebody_is_told() {
    let stack = Stack::start(&[]).await;
    stack.recipients(&["ops@example.com"]).await;
    stack.create_users(1).await;
    let before = everybody(&stack).await;
    for (at, (about, file, rows)) in CHANGE_NOBODY.into_iter().enumerate() {
        let (job, said) = dropped(&stack, JobKind::UploadUsers, &format!("{at}.csv"), file).await;
        assert_eq!(said, rows, "{about}: {job:?}");
        assert_eq!(everybody(&stack).await, before, "{about}");
        let told = matches!(job.mail, Some(MailState::Sent { .. })) || job.notes.iter().any(|note| note.line.is_some());
        let in_report = said.iter().all(|row| row.contains("HEADER_REPEATED") || row.contains("NO_VALUE"));
        assert!(told || in_report, "{about}: nobody is told: {job:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_in_an_encoding_that_is_not_certain_waits_for_a_person() {
    let stack = Stack::start(&[]).await;
    stack.recipients(&["ops@example.com"]).await;
    let (job, _) = dropped(&stack, JobKind::UploadUsers, "cp1256.csv", b"Login ID,Name\na,\xC7\n").await;
    assert_eq!((job.state, job.notes[0].code), (JobState::OnHold, FileWarning::EncodingDoubtful), "{job:?}");
    assert!(everybody(&stack).await.is_empty() && matches!(job.mail, Some(MailState::Sent { .. })), "{job:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn spellings_of_a_login_find_its_user_and_make_no_twin() {
    let stack = Stack::start(&[]).await;
    for login in ["user1", "josé.m", "00123"] {
        stack.create_user(user(login)).await;
    }
    for (at, login) in
        ["user\u{200b}1", "jose\u{301}.m", "\"=\"\"00123\"\"\"", "us\u{2060}er1", "\u{1f}user1", "user1\u{a0}"]
            .into_iter()
            .enumerate()
    {
        let file = format!("Login ID,Name\n{login},Asha Rao\n");
        let (job, rows) = dropped(&stack, JobKind::UploadUsers, &format!("{at}.csv"), file.as_bytes()).await;
        assert!(matches!(rows[0].as_str(), "applied NORMALIZED" | "unchanged NORMALIZED"), "{login:?}: {job:?}");
        let file = format!("Login ID,DID\n{login},98765000{at:02}\n");
        let (job, rows) = dropped(&stack, JobKind::AppendCallerIds, &format!("{at}.csv"), file.as_bytes()).await;
        assert_eq!(rows, ["applied NORMALIZED"], "{login:?}: {job:?}");
    }
    assert_eq!(everybody(&stack).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn zeros_that_an_export_has_kept_are_kept() {
    let stack = Stack::start(&[]).await;
    let (job, rows) = dropped(&stack, JobKind::UploadUsers, "x.csv", b"Login ID,Name\n\"=\"\"00123\"\"\",K\n").await;
    assert_eq!(rows, ["applied NORMALIZED"], "{job:?}");
    assert_eq!(everybody(&stack).await[0].login.as_str(), "00123");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_number_is_lost_by_the_shape_of_an_append() {
    let stack = Stack::start(&[]).await;
    stack.recipients(&["ops@example.com"]).await;
    stack.own(&["+919876500003", "+919876500004"]).await;
    let files: [(&str, &[u8], [&str; 1], usize); 7] = [
        ("blank before a quote", b"Login ID, DID\nu0, \"9876500003; 9876500004\"\n", ["applied"], 2),
        ("end of a DOS file", b"Login ID,DID\nu1,9876500003\n\x1a", ["applied"], 1),
        ("sep= as it is saved again", b"\"sep=,\"\nLogin ID,DID\nu2,9876500003\n", ["applied"], 1),
        ("sep= with commas", b"sep=,,\nLogin ID,DID,\nu3,9876500003,\n", ["applied"], 1),
        ("#TYPE", b"#TYPE Selected.AzureADUser\n\"Login ID\",\"DID\"\n\"u4\",\"9876500003\"\n", ["applied"], 1),
        (
            "numbers parted into remarks",
            b"Login ID;DID;Note\nu5;9876500003;9876500004\n",
            ["applied NUMBER_ELSEWHERE"],
            1,
        ),
        ("and past them", b"Login ID;DID;Note\nu6;9876500003;9876500004;9876500003\n", ["failed COLUMN_COUNT"], 0),
    ];
    for (at, (about, file, rows, numbers)) in files.into_iter().enumerate() {
        let login = format!("u{at}");
        stack.create_user(user(&login)).await;
        let (job, said) = dropped(&stack, JobKind::AppendCallerIds, &format!("{at}.csv"), file).await;
        assert_eq!(
            (said.as_slice(), stack.list(&login).await.unwrap().len()),
            (rows.map(str::to_owned).as_slice(), numbers),
            "{about}: {job:?}"
        );
        let lost = about.starts_with("numbers parted");
        assert_eq!(job.notes.iter().any(|note| note.code == FileWarning::NumbersElsewhere), lost, "{about}");
        let mailed = matches!(job.mail, Some(MailState::Sent { .. }));
        assert_eq!(mailed, lost || said[0].starts_with("failed"), "{about}: {job:?}");
    }
    let told = stack.mails().into_iter().find(|mail| mail.text.contains("line 2, a number stands beside"));
    assert!(told.is_some_and(|mail| mail.subject.contains("may have numbers that were not read")));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_with_one_number_each_are_one_user_with_both() {
    let stack = Stack::start(&[]).await;
    let file = b"Login ID,Name,DID\nuser1,Asha Rao,9876500003\nuser1,,9876500004\n";
    let (job, rows) = dropped(&stack, JobKind::UploadUsers, "long.csv", file).await;
    assert_eq!(rows, ["applied", "applied"], "{job:?}");
    assert_eq!(stack.list("user1").await.unwrap().len(), 2);
}
