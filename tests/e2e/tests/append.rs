//! A file dropped into the bucket: the table, the result files and the mail afterwards.

use e2e::{Stack, user};
use rollcall_bulk::job::{Failure, JobState, MailState};
use rollcall_model::{code::FileCode, user::Policy};

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_file_reaches_the_users_and_what_failed_comes_back_by_mail() {
    let stack = Stack::start(&[]).await;
    stack.create_users(3).await;
    stack.own(&["+919876543210", "+919876543211"]).await;
    stack.recipients(&["ops@example.com", "lead@example.com"]).await;

    let file = "Login ID,Allowed Caller ID\n\
                user1,9876543210; 9876543211\n\
                USER2,9876543210;9876543299\n\
                nobody,9876543210\n\
                user3,9.87654321E8\n";
    let job = stack.append("march.csv", file).await;

    assert_eq!(job.state, JobState::Finished);
    let counts = job.counts;
    assert_eq!((counts.applied, counts.partial, counts.failed, counts.rows()), (1, 1, 2, 4));
    assert_eq!(stack.list("user1").await.unwrap(), ["+919876543210", "+919876543211"]);
    assert_eq!(stack.list("user2").await.unwrap(), ["+919876543210"]);
    assert_eq!(stack.list("user3").await.unwrap(), [""; 0]);
    assert_eq!(stack.list("nobody").await, None);

    let results = stack.report(&job, "results").await;
    let verdicts: Vec<_> =
        results.iter().map(|row| format!("{} {} {}", row["Line"], row["Status"], row["Error Code"])).collect();
    assert_eq!(
        verdicts,
        ["2 applied ", "3 partial NUMBER_NOT_OWNED", "4 failed USER_NOT_FOUND", "5 failed NUMBER_SCIENTIFIC"]
    );

    let mails = stack.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, ["ops@example.com", "lead@example.com"]);
    assert_eq!(mails[0].subject, "Rollcall: 3 of 4 rows of march.csv need correction");
    let (name, failed) = &mails[0].attachments[0];
    assert_eq!(name, "failed-march.csv");
    let failed = String::from_utf8(failed.clone()).unwrap();
    assert_eq!(failed.lines().count(), 4, "{failed}");

    // Mended and dropped again as it is.
    let mended =
        failed.replace("9876543299", "9876543211").replace("nobody", "user3").replace("9.87654321E8", "9876543211");
    let again = stack.append("mended.csv", mended).await;
    assert_eq!((again.counts.applied, again.counts.rows()), (3, 3));
    assert_eq!(again.mail, Some(MailState::NotDue));
    assert_eq!(stack.list("user3").await.unwrap(), ["+919876543210", "+919876543211"]);
    assert_eq!(stack.mails().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_again_is_unchanged_and_writes_nothing() {
    let stack = Stack::start(&[]).await;
    stack.create_users(60).await;
    let rows: String = (1..=60).map(|user| format!("user{user},98765432{user:02};98765433{user:02}\n")).collect();
    let file = format!("Login ID,Allowed Caller ID\n{rows}");

    let first = stack.append("a.csv", file.clone()).await;
    assert_eq!((first.counts.applied, first.progress.users_changed, first.progress.numbers_added), (60, 60, 120));
    assert_eq!(first.progress.statements, 60);
    assert_eq!(first.mail, Some(MailState::NotDue));

    let second = stack.append("a.csv", file).await;
    assert_ne!(first.id, second.id, "another version is another job");
    assert_eq!((second.counts.unchanged, second.progress.statements), (60, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_changes_no_policy_and_keeps_what_was_there() {
    let stack = Stack::start(&[]).await;
    for (login, policy) in [("all", Policy::All), ("dept", Policy::Department), ("custom", Policy::Custom)] {
        let mut user = user(login);
        user.policy = policy;
        user.caller_ids = vec!["+919876543200".parse().unwrap()];
        stack.create_user(user).await;
    }
    let job = stack.append("p.csv", "login;did\nall;9876543210\ndept;9876543210\ncustom;9876543210\n").await;
    assert_eq!(job.counts.applied, 3);
    let users = stack.directory.users(&stack.account, 10).await.unwrap();
    for user in users {
        assert_eq!(user.caller_ids.len(), 2);
        assert_eq!(format!("{:?}", user.policy).to_lowercase()[..3], user.login.as_str()[..3]);
    }
    let codes: Vec<_> = stack.report(&job, "results").await.iter().map(|row| row["Error Code"].clone()).collect();
    assert_eq!(codes, ["POLICY_NOT_CUSTOM", "POLICY_NOT_CUSTOM", ""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_somebody_elses_address_is_not_guessed() {
    let stack = Stack::start(&[]).await;
    let with_email = |login: &str, email: &str| {
        let mut user = user(login);
        user.profile.email = Some(email.parse().unwrap());
        user
    };
    stack.create_user(with_email("ana", "Ana@example.com")).await;
    stack.create_user(with_email("sam@example.com", "boss@example.com")).await;
    stack.create_user(with_email("sam", "sam@example.com")).await;
    stack.create_user(with_email("eve@example.com", "eve@example.com")).await;
    let file = "login,did\nANA@example.com,9876543210\nsam@example.com,9876543210\neve@example.com,9876543210\nx@example.com,9876543210\n";
    let job = stack.append("mail.csv", file).await;
    let codes: Vec<_> = stack.report(&job, "results").await.iter().map(|row| row["Error Code"].clone()).collect();
    assert_eq!(codes, ["USER_NOT_FOUND", "USER_AMBIGUOUS", "", "USER_NOT_FOUND"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_encoding_and_dialect_comes_through() {
    let stack = Stack::start(&[]).await;
    stack.create_user(user("josé")).await;
    let text = "Login ID\tAllowed Caller ID\r\njosé\t9876543210\r\n";
    let utf16: Vec<u8> = [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let bom = "\u{feff}Login ID;Allowed DID Numbers (Use “;” separator in Excel)\r\njosé;9876543211;9876543212\r\n";
    let latin = b"login,did\rjos\xe9,9876543213\r";
    for (name, bytes) in [("utf16.txt", utf16), ("bom.csv", bom.into()), ("latin.csv", latin.to_vec())] {
        let job = stack.append(name, bytes).await;
        assert_eq!((job.counts.applied, job.counts.rows()), (1, 1), "{name}: {job:?}");
    }
    assert_eq!(stack.list("josé").await.unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_fails_with_one_mail_that_says_so() {
    let stack = Stack::start(&["MaxRows=3", "MaxFileBytes=1000"]).await;
    stack.create_users(1).await;
    stack.recipients(&["ops@example.com"]).await;
    let too_many = format!("login,did\n{}", "user1,9876543210\n".repeat(4));
    let too_large = format!("login,did\n{}", "user1,9876543210\n".repeat(100));
    let files: [(&str, Vec<u8>, FileCode); 7] = [
        ("empty.csv", "login,did\n".into(), FileCode::FileEmpty),
        ("large.csv", too_large.into(), FileCode::FileTooLarge),
        ("many.csv", too_many.into(), FileCode::TooManyRows),
        ("book.xlsx", b"PK\x03\x04rest of a workbook".to_vec(), FileCode::EncodingUnsupported),
        ("headless.csv", "user1,9876543210\n".into(), FileCode::HeaderMissing),
        ("twice.csv", "login,login id,did\na,b,c\n".into(), FileCode::HeaderAmbiguous),
        ("quote.csv", "login,\"did\nuser1,9876543210\n".into(), FileCode::MalformedCsv),
    ];
    for (number, (name, bytes, code)) in files.into_iter().enumerate() {
        let job = stack.append(name, bytes).await;
        assert_eq!(job.state, JobState::Failed, "{name}");
        assert!(matches!(&job.failure, Some(Failure::File(fault)) if fault.code == code), "{name}: {job:?}");
        let mails = stack.mails();
        assert_eq!(mails.len(), number + 1, "{name}");
        assert!(mails[number].subject.contains(code.as_str()), "{}", mails[number].subject);
    }
    assert_eq!(stack.list("user1").await.unwrap(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_survives_a_restart_orderly_or_not() {
    let mut stack = Stack::start(&[]).await;
    stack.create_users(1).await;
    stack.append("one.csv", "login,did\nuser1,9876543210\n").await;
    for (number, signal) in ["-TERM", "-KILL"].into_iter().enumerate() {
        stack.restart(signal).await;
        let job = stack.append("next.csv", format!("login,did\nuser1,987654322{number}\n")).await;
        assert_eq!(job.counts.applied, 1);
    }
    assert_eq!(stack.list("user1").await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_all_of_a_job_and_nothing_of_people() {
    let stack = Stack::start(&[]).await;
    stack.recipients(&["ops@example.com"]).await;
    stack.create_users(2).await;
    let file = "Login ID,Allowed Caller ID\nuser1,+919876500001\nuser2,junk\n";
    let job = stack.append("people.csv", file).await;
    let caller = stack.caller(&["--account", stack.account.as_str()]);
    assert!(caller.get("/v1/users/user1").await.status.is_success());

    let log = |function: &str| {
        let text = std::fs::read_to_string(stack.dir().join(format!("logs/{function}.log"))).expect("a log");
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a JSON line"));
        (lines.collect::<Vec<_>>(), text)
    };
    let (lines, bulk) = e2e::until("the job's measurements", || {
        let (lines, text) = log("bulk-append");
        text.contains("RowsApplied").then_some((lines, text))
    })
    .await;
    let (measured, said): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.get("_aws").is_some());
    let [delivered, measured] = measured.as_slice() else { panic!("a delivery and a job, each once: {measured:?}") };
    assert_eq!((&delivered["job"], &delivered["DeliveryAge"]), (&job.id.as_str().into(), &0.into()), "{delivered}");
    assert_eq!((&measured["job"], &measured["account"]), (&job.id.as_str().into(), &"acme".into()));
    for (metric, value) in [("RowsApplied", 1), ("RowsFailed", 1), ("UsersChanged", 1), ("MailsSent", 1), ("OnHold", 0)]
    {
        assert_eq!(measured[metric], value, "{metric} in {measured}");
    }
    for line in &said {
        assert_eq!(line["span"]["job.id"], job.id.as_str(), "{line}");
        assert!(line["span"]["trace.id"].as_str().is_some_and(|id| id.starts_with("1-")), "{line}");
        assert_eq!(line["span"]["request.id"].as_str().map(str::len), Some(36), "{line}");
    }
    let phases: Vec<_> = said.iter().filter_map(|line| line["phase"].as_str()).collect();
    assert_eq!(phases, ["reading", "applying", "reporting"]);

    let (lines, api) = log("users-api");
    let answered = lines.iter().find(|line| line["message"] == "answered").expect("a line of the request");
    assert_eq!(answered["route"], "GET /v1/users/{login}");
    assert_eq!((&answered["status"], &answered["span"]["account"]), (&200.into(), &"acme".into()));
    for private in ["user1", "user2", "919876500", "junk", "ops@example.com", "people.csv"] {
        assert!(!bulk.contains(private) && !api.contains(private), "{private} is in a log");
    }
}
