//! What a job did is taken back, and nothing that has been changed since.

use axum::http::{Method, StatusCode};
use e2e::{CrashTest, Faults, Stack, TestEngine, delivery, die_at_every_request, rollcall, somebody, user};
use rollcall_bulk::{
    job::{Failure, Job, JobState},
    rotation::{Replacements, RotationRequest},
    undo::UndoRequest,
    upload::UploadOptions,
};
use rollcall_engine::DeliveryOutcome;
use rollcall_engine::kinds::Undo;
use rollcall_engine::world::{Bucket, Jobs, Numbers};
use rollcall_model::{
    email::EmailAddress,
    inventory::{InventoryNumber, NumberState},
    jobs::JobKind,
    user::{Policy, User},
};
use serde_json::{Value, json};

fn number(n: usize) -> String {
    format!("+9198765{n:05}")
}

async fn undo(stack: &Stack, job: &Job, name: &str, preview: bool) -> Job {
    let request = UndoRequest { job: job.id.clone(), preview }.to_json();
    let source = stack.drop_as(JobKind::Undo, name, request).await;
    stack.ended(&source).await
}

async fn rotate(stack: &Stack, name: &str, pairs: &[(usize, Option<usize>)], allow_empty: bool) -> Job {
    let request = RotationRequest {
        retire: pairs.iter().map(|(old, _)| number(*old)).collect(),
        replace_with: Some(Replacements::ByOld(
            pairs.iter().filter_map(|(old, new)| Some((number(*old), number((*new)?)))).collect(),
        )),
        only: None,
        quarantine_days: None,
        allow_empty,
        preview: false,
        file: None,
    };
    let source = stack.drop_as(JobKind::RotateCallerIds, name, request.to_json()).await;
    stack.ended(&source).await
}

/// Everybody, and every number, but for how often they have been written.
async fn everything(stack: &Stack) -> (Vec<User>, Vec<InventoryNumber>) {
    let mut users = Vec::new();
    for login in (1..=9).map(|n| format!("user{n}")).chain(["new1".to_owned()]) {
        users.extend(stack.user(&login).await.map(|user| User { version: 0, ..user }));
    }
    let numbers = stack.directory.inventory(&stack.account).await.unwrap();
    (users, numbers.into_iter().map(|number| InventoryNumber { version: 0, ..number }).collect())
}

async fn state(stack: &Stack, job: &Job) -> JobState {
    stack.directory.job(&stack.account, &job.id).await.unwrap().unwrap().state
}

async fn passed_over(stack: &Stack, job: &Job) -> Vec<String> {
    let rows = stack.report(job, "results").await;
    let passed = rows.iter().filter(|row| row["Error Code"] == "CHANGED_SINCE");
    passed
        .map(|row| {
            format!("{} {} {}", row["Login ID"], row["Undo"], row["Caller ID"].trim_start_matches('\''))
                .trim()
                .to_owned()
        })
        .collect()
}

async fn stack(users: usize) -> Stack {
    let stack = Stack::start(&[]).await;
    stack.create_users(users).await;
    let numbers: Vec<String> = (1..=9).map(number).collect();
    stack.own(&numbers.iter().map(String::as_str).collect::<Vec<_>>()).await;
    stack
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_is_taken_back_but_for_what_has_changed_since() {
    let stack = stack(4).await;
    stack.append("before.csv", format!("Login ID,Allowed Caller ID\nuser1,{}\n", number(1))).await;
    let file = format!(
        "Login ID,Allowed Caller ID\nuser1,{0};{1}\nuser2,{1}\nuser3,{1}\nuser4,{1}\nnobody,{1}\n",
        number(1),
        number(2)
    );
    let job = stack.append("may.csv", file).await;
    assert_eq!((job.counts.applied, job.counts.failed), (4, 1));

    // Since then: more numbers, one taken off, one user deleted.
    stack.append("since.csv", format!("Login ID,Allowed Caller ID\nuser2,{}\n", number(3))).await;
    stack.directory.remove_caller_id(&stack.account, "user3", number(2).parse().unwrap(), &somebody()).await.unwrap();
    let gone = stack.user("user4").await.unwrap();
    stack.directory.delete_user(&stack.account, &gone, &somebody()).await.unwrap().unwrap();

    let preview = undo(&stack, &job, "look.json", true).await;
    assert_eq!((preview.state, preview.counts.applied, preview.counts.unchanged), (JobState::Previewed, 2, 2));
    assert_eq!(stack.list("user1").await.unwrap(), [number(1), number(2)]);
    assert_eq!(state(&stack, &job).await, JobState::Finished);

    let undone = stack.execute(&preview).await;
    assert_eq!(
        (undone.state, undone.counts.applied, undone.counts.unchanged),
        (JobState::Finished, 2, 2),
        "{undone:?}"
    );
    assert_eq!((undone.progress.numbers_removed, undone.previewed.unwrap().differs), (2, 0));
    assert_eq!(stack.list("user1").await.unwrap(), [number(1)], "what was there before stays");
    assert_eq!(stack.list("user2").await.unwrap(), [number(3)], "what came since stays");
    assert_eq!(state(&stack, &job).await, JobState::Undone);
    let passed = [format!("user3 take off {}", number(2)), format!("user4 take off {}", number(2))];
    assert_eq!(passed_over(&stack, &undone).await, passed);

    // Once.
    let again = undo(&stack, &job, "again.json", false).await;
    let Some(Failure::Refused { reason }) = &again.failure else { panic!("{again:?}") };
    assert_eq!(reason, "A job that is undone can't be undone.");
    let undo_of_undo = undo(&stack, &undone, "redo.json", false).await;
    assert!(matches!(undo_of_undo.failure, Some(Failure::Refused { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_of_users_is_taken_back() {
    let stack = stack(3).await;
    let addressed = |login: &str, address: &str| {
        let mut user = user(login);
        user.profile.email = Some(EmailAddress::parse(address).unwrap());
        user
    };
    stack.create_user(addressed("user4", "four@example.com")).await;
    let before = everything(&stack).await;
    let file = format!(
        "Login ID,Name,Email,Designation,Allowed Caller ID\nuser1,Asha,,Lead,{0}\nuser2,,,Lead,\n\
         user4,,new-four@example.com,,\nnew1,Neha,neha@example.com,,{0}\n",
        number(1)
    );
    let job = stack.upload_users("users.csv", file.clone()).await;
    assert_eq!((job.counts.applied, job.progress.users_created), (4, 1), "{job:?}");
    let undone = undo(&stack, &job, "undo.json", false).await;
    assert_eq!((undone.state, undone.counts.unchanged), (JobState::Finished, 0), "{undone:?}");
    assert_eq!(everything(&stack).await, before);
    // The addresses are free again, and those from before are not.
    stack.create_user(addressed("other1", "neha@example.com")).await;
    let taken = stack
        .directory
        .create_user(&stack.account, &addressed("other2", "four@example.com"), &somebody())
        .await
        .unwrap();
    assert!(taken.is_err());

    // Somebody changes one, gives another a number, and has the old address of a third by then.
    stack
        .directory
        .delete_user(&stack.account, &stack.user("other1").await.unwrap(), &somebody())
        .await
        .unwrap()
        .unwrap();
    let job = stack.upload_users("again.csv", file).await;
    assert_eq!(job.counts.applied, 4, "{job:?}");
    let second = stack.user("user2").await.unwrap();
    let mut changed = User { version: second.version + 1, ..second.clone() };
    changed.policy = Policy::All;
    stack.directory.update_user(&stack.account, &second, &changed, &somebody()).await.unwrap().unwrap();
    stack.append("more.csv", format!("Login ID,Allowed Caller ID\nnew1,{}\n", number(2))).await;
    stack.create_user(addressed("other3", "four@example.com")).await;
    let undone = undo(&stack, &job, "undo-again.json", false).await;
    let passed = ["user2 restore user", "user4 restore user", "new1 delete user"].map(str::to_owned);
    let passed = passed.into_iter().chain([format!("new1 take off {}", number(1))]).collect::<Vec<_>>();
    assert_eq!(passed_over(&stack, &undone).await, passed);
    assert_eq!(stack.list("new1").await.unwrap(), [number(1), number(2)]);
    assert_eq!(stack.user("user1").await.unwrap().profile.designation, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_is_taken_back_with_the_numbers_themselves() {
    let stack = stack(5).await;
    let file = format!(
        "Login ID,Allowed Caller ID\nuser1,{0};{1}\nuser2,{0};{3}\nuser3,{1};{2}\nuser4,{2}\n",
        number(1),
        number(2),
        number(3),
        number(5)
    );
    stack.append("before.csv", file).await;
    let before = everything(&stack).await;

    // 1 by 5, 2 by 6, and 3 for nothing, which would leave the fourth user with none.
    let job = rotate(&stack, "rotate.json", &[(1, Some(5)), (2, Some(6)), (3, None)], false).await;
    assert_eq!((job.state, job.counts.applied, job.counts.failed), (JobState::Finished, 5, 1), "{job:?}");
    assert_eq!(stack.list("user1").await.unwrap(), [number(5), number(6)]);
    assert_eq!(stack.list("user2").await.unwrap(), [number(5)]);
    let undone = undo(&stack, &job, "undo.json", false).await;
    assert_eq!((undone.state, undone.counts.unchanged), (JobState::Finished, 0), "{undone:?}");
    assert_eq!(everything(&stack).await, before);
    assert_eq!(state(&stack, &job).await, JobState::Undone);

    // Undone in the other order, what the second rotation has taken away the first doesn't bring back.
    let first = rotate(&stack, "first.json", &[(1, Some(5))], false).await;
    let second = rotate(&stack, "second.json", &[(5, Some(7))], false).await;
    let undone = undo(&stack, &first, "undo-first.json", false).await;
    assert_eq!(stack.list("user1").await.unwrap(), [number(2), number(7)]);
    let passed = passed_over(&stack, &undone).await;
    assert!(passed.contains(&format!("user1 put back {}", number(1))), "{passed:?}");
    undo(&stack, &second, "undo-second.json", false).await;
    assert_eq!(stack.list("user1").await.unwrap(), [number(2), number(5)]);

    // Somebody has put the number into service again by hand since: that is left alone.
    let third = rotate(&stack, "third.json", &[(2, Some(8))], false).await;
    let retired = stack.directory.number(&stack.account, number(2).parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(retired.facts.state, NumberState::Retired);
    let touched = InventoryNumber { version: retired.version + 1, ..retired.clone() };
    assert!(stack.directory.change_number(&stack.account, Some(&retired), &touched, &somebody()).await.unwrap());
    let undone = undo(&stack, &third, "undo-third.json", false).await;
    let passed = passed_over(&stack, &undone).await;
    assert!(passed.contains(&format!("restore number {}", number(2))), "{passed:?}");
    assert!(
        passed.contains(&format!("user1 put back {}", number(2))),
        "a retired number comes back to nobody: {passed:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_a_rotation_has_left_empty_come_back_and_so_do_those_beside_them() {
    // More than one request of statements takes, of every policy.
    const USERS: usize = 30;
    let stack = stack(0).await;
    for n in 1..=USERS {
        let policy = [Policy::Custom, Policy::All, Policy::Department][n % 3];
        let caller_ids =
            [&[1][..], &[1, 2], &[1, 3], &[2]][n % 4].iter().map(|&n| number(n).parse().unwrap()).collect();
        stack.create_user(User { policy, caller_ids, ..user(&format!("user{n}")) }).await;
    }
    let lists = async || {
        let mut lists = Vec::new();
        for n in 1..=USERS {
            lists.push(stack.list(&format!("user{n}")).await.unwrap());
        }
        lists
    };
    let before = lists().await;
    for (round, pairs) in
        [&[(1, None)][..], &[(1, None), (2, None)], &[(1, Some(9)), (2, None), (3, None)]].iter().enumerate()
    {
        let job = rotate(&stack, &format!("{round}.json"), pairs, true).await;
        assert_eq!((job.state, job.counts.failed), (JobState::Finished, 0), "{job:?}");
        let empty = lists().await.iter().filter(|list| list.is_empty()).count();
        assert!(empty > 0, "somebody has none left");
        let undone = undo(&stack, &job, &format!("undo-{round}.json"), false).await;
        assert_eq!(
            (undone.state, undone.attempts, undone.counts.needs_correction()),
            (JobState::Finished, 1, 0),
            "{undone:?}"
        );
        assert_eq!((undone.counts.applied, undone.counts.unchanged), (undone.counts.rows(), 0));
        assert_eq!(lists().await, before);
    }
    // Empty again, and nothing is to be taken from it: it is looked at and left alone.
    let job = rotate(&stack, "last.json", &[(1, None), (2, None), (3, None)], true).await;
    stack.append("since.csv", format!("Login ID,Allowed Caller ID\nuser4,{}\n", number(5))).await;
    let undone = undo(&stack, &job, "undo-last.json", false).await;
    assert_eq!((undone.state, undone.counts.needs_correction()), (JobState::Finished, 0), "{undone:?}");
    assert_eq!(stack.list("user4").await.unwrap(), [before[3].clone(), vec![number(5)]].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_can_not_go_on_says_so_at_its_first_delivery() {
    let stack = stack(2).await;
    stack.recipients(&["ops@example.com"]).await;
    let job = stack.append("may.csv", format!("Login ID,Allowed Caller ID\nuser1,{}\n", number(1))).await;
    stack.files.put(&job.keys().changes(0), "application/json", "{".into()).await.unwrap();
    let request = UndoRequest { job: job.id.clone(), preview: false }.to_json();
    let source = stack.put_quietly("undo.json", request).await;
    let world = TestEngine::new(&stack, Faults::default(), None).await;
    let upload = stack.upload_of(JobKind::Undo, "undo.json");
    let ending = world.engine.run(&Undo, &upload, &source, &delivery(1)).await.unwrap();
    assert_eq!(ending, DeliveryOutcome::Ended, "no later delivery would help");
    let undo = stack.job_when(&source, |_| true).await;
    let Some(Failure::GaveUp { attempts: 1, reason }) = &undo.failure else { panic!("{undo:?}") };
    assert!(reason.starts_with("reading what a job did failed"), "{reason}");
    assert_eq!((undo.state, state(&stack, &job).await), (JobState::Failed, JobState::Finished));
    let mails = stack.mails();
    assert_eq!(mails.len(), 1);
    assert!(!mails[0].text.to_lowercase().contains("drop"), "nobody has dropped a file: {}", mails[0].text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_shows_first_what_would_be_taken_back() {
    let stack = stack(1).await;
    stack.append("may.csv", format!("Login ID,Allowed Caller ID\nuser1,{}\n", number(1))).await;
    let run = |arguments: &[&str]| {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--account", "acme"]).collect();
        let output = rollcall(Some(&stack), &arguments, b"");
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), said)
    };
    let (code, said) = run(&["undo", "latest"]);
    assert!(code == Some(0) && said.contains("Would remove   1"), "{said}");
    assert_eq!(stack.list("user1").await.unwrap(), [number(1)]);
    let (code, said) = run(&["job", "latest", "--execute"]);
    assert!(code == Some(0) && said.contains("Numbers gone   1"), "{said}");
    assert_eq!(stack.list("user1").await.unwrap(), [""; 0]);
    assert!(run(&["undo", "latest"]).1.contains("can't be taken back"));
}

/// An upload that created one, changed one and gave a number to a third.
struct Undoing;

impl CrashTest for Undoing {
    type Operation = Undo;
    const KIND: JobKind = JobKind::Undo;

    async fn operation(&self, stack: &Stack) -> Undo {
        stack.own(&[&number(1), &number(2), &number(3)]).await;
        Undo
    }

    async fn prepare(&self, stack: &Stack, prefix: &str) -> String {
        for n in 1..=2 {
            stack.create_user(user(&format!("{prefix}{n}"))).await;
        }
        let file = format!(
            "Login ID,Name,Designation,Allowed Caller ID\n{prefix}1,,Lead,{0}\n{prefix}2,,,{0}\n{prefix}3,New,,{0}\n",
            number(3)
        );
        let job = stack.upload_users(&format!("{prefix}-users.csv"), file).await;
        assert_eq!(job.counts.applied, 3, "{job:?}");
        String::from_utf8(UndoRequest { job: job.id, preview: false }.to_json()).expect("JSON is text")
    }

    async fn check(&self, stack: &Stack, prefix: &str, job: &Job, context: &str) {
        let counts = job.counts;
        assert_eq!((counts.applied, counts.rows()), (5, 5), "{context}");
        assert_eq!((job.progress.users_changed, job.progress.numbers_removed), (3, 3), "{context}");
        assert!(stack.user(&format!("{prefix}3")).await.is_none(), "{context}");
        assert_eq!(stack.user(&format!("{prefix}1")).await.unwrap().profile.designation, None, "{context}");
        assert_eq!(stack.list(&format!("{prefix}2")).await.unwrap(), [""; 0], "{context}");
        let request = stack.files.read(&job.source).await.expect("the request");
        let request: UndoRequest = serde_json::from_slice(&request).expect("a request");
        let undone = stack.directory.job(&stack.account, &request.job).await.unwrap().unwrap();
        assert_eq!(undone.state, JobState::Undone, "{context}");
    }

    fn mails(&self) -> bool {
        false
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_of_users_survives_its_death_at_every_request() {
    die_at_every_request(&Undoing, 15).await;
}

/// A rotation of one number.
struct UndoingRotation;

impl CrashTest for UndoingRotation {
    type Operation = Undo;
    const KIND: JobKind = JobKind::Undo;

    async fn operation(&self, stack: &Stack) -> Undo {
        stack.own(&[&number(1), &number(2), &number(3)]).await;
        Undo
    }

    async fn prepare(&self, stack: &Stack, prefix: &str) -> String {
        for (n, list) in [(1, [1, 3]), (2, [1, 2])] {
            let caller_ids = list.map(|n| number(n).parse().expect("a number")).to_vec();
            stack.create_user(User { caller_ids, ..user(&format!("{prefix}{n}")) }).await;
        }
        let job = rotate(stack, &format!("{prefix}-rotation.json"), &[(1, Some(2))], false).await;
        assert_eq!(job.counts.failed, 0, "{job:?}");
        assert_eq!(stack.list(&format!("{prefix}1")).await.unwrap(), [number(2), number(3)]);
        String::from_utf8(UndoRequest { job: job.id, preview: false }.to_json()).expect("JSON is text")
    }

    async fn check(&self, stack: &Stack, prefix: &str, job: &Job, context: &str) {
        assert_eq!(job.counts.applied, job.counts.rows(), "{context}");
        assert_eq!(stack.list(&format!("{prefix}1")).await.unwrap(), [number(1), number(3)], "{context}");
        assert_eq!(stack.list(&format!("{prefix}2")).await.unwrap(), [number(1), number(2)], "{context}");
        let restored = stack.directory.number(&stack.account, number(1).parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(restored.facts.state, NumberState::Active, "{context}");
        // The next rotation is about its own users alone.
        for n in 1..=2 {
            let user = stack.user(&format!("{prefix}{n}")).await.unwrap();
            stack.directory.delete_user(&stack.account, &user, &somebody()).await.unwrap().unwrap();
        }
    }

    fn mails(&self) -> bool {
        false
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_of_a_rotation_survives_its_death_at_every_request() {
    die_at_every_request(&UndoingRotation, 15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_resync_has_no_undo() {
    let stack = stack(1).await;
    let source = stack.drop_on(JobKind::MappingResync, "resync.json", "{}", &UploadOptions::default()).await;
    let job = stack.ended(&source).await;
    let refused = undo(&stack, &job, "undo.json", false).await;
    let Some(Failure::Refused { reason }) = refused.failure else { panic!("{:?}", refused.state) };
    assert!(reason.contains("mapping-resync"), "{reason}");
}

/// The story, through public doors alone.
#[tokio::test(flavor = "multi_thread")]
async fn flagged_numbers_are_replaced_for_everybody_and_all_of_it_is_taken_back() {
    let stack = stack(6).await;
    let owner = stack.caller(&["--account", stack.account.as_str()]);
    let post = async |path: &str, body: Value| {
        let reply = owner.ask(Method::POST, path, &[("content-type", "application/json")], body.to_string()).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{path}: {}", reply.text());
        stack.ended_asked(&reply).await
    };
    let list = |numbers: &[usize]| numbers.iter().map(|&n| number(n)).collect::<Vec<_>>();
    let rows = [[1, 2].as_slice(), &[2, 3], &[3], &[4], &[1, 4], &[2]].into_iter().enumerate();
    let rows: String = rows.map(|(at, numbers)| format!("user{},{}\n", at + 1, list(numbers).join(";"))).collect();
    assert_eq!(stack.append("all.csv", format!("Login ID,Allowed Caller ID\n{rows}")).await.counts.applied, 6);
    for n in 1..=3 {
        let headers = [("content-type", "application/merge-patch+json")];
        let path = format!("/v1/numbers/{}", number(n));
        let patched = owner.ask(Method::PATCH, &path, &headers, json!({ "state": "flagged" }).to_string()).await;
        assert_eq!(patched.status, StatusCode::OK, "{}", patched.text());
    }
    let before = everything(&stack).await;

    let body = json!({ "retire": list(&[1, 2, 3]), "replace_with": list(&[7, 8, 9]), "preview": true });
    let preview = post("/v1/numbers/rotations", body).await;
    assert_eq!((preview.state, preview.counts.applied, preview.counts.rows()), (JobState::Previewed, 7, 7));
    assert_eq!(everything(&stack).await, before, "a preview writes nothing");
    let rotated = post(&format!("/v1/jobs/{}/execute", preview.id), Value::Null).await;
    assert_eq!(
        (rotated.state, rotated.counts, rotated.previewed.unwrap().differs),
        (JobState::Finished, preview.counts, 0)
    );
    for (login, numbers) in [(1, &[7, 8][..]), (2, &[8, 9]), (3, &[9]), (4, &[4]), (5, &[4, 7]), (6, &[8])] {
        assert_eq!(stack.list(&format!("user{login}")).await.unwrap(), list(numbers));
    }

    let undone = post(&format!("/v1/jobs/{}/undo", rotated.id), json!({})).await;
    assert_eq!((undone.state, undone.counts.unchanged), (JobState::Finished, 0), "{undone:?}");
    assert_eq!(everything(&stack).await, before);
    let again = owner
        .ask(Method::POST, &format!("/v1/jobs/{}/undo", rotated.id), &[("content-type", "application/json")], "{}")
        .await;
    assert_eq!((again.status, again.json()["code"].clone()), (StatusCode::CONFLICT, json!("INVALID_JOB_STATE")));
}
