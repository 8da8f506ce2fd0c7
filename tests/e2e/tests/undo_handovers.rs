//! An upload in which users hand addresses and extensions on is taken back whole, in whatever order its rows stand.

use e2e::{CrashTest, Stack, die_at_every_request, rollcall, user};
use rollcall_bulk::{
    job::{Job, JobState},
    undo::UndoRequest,
};
use rollcall_engine::kinds::Undo;
use rollcall_model::{
    email::EmailAddress,
    jobs::JobKind,
    user::{Profile, Ref, User},
};

/// Three users of these names, each of whom takes the next one's address, and somebody new who takes what the first gives up.
fn chain(prefix: &str) -> ([User; 3], Vec<String>) {
    let address = |place: usize| format!("{prefix}{place}@example.com");
    let holder = |place: usize| {
        let mut user = user(&format!("{prefix}u{place}"));
        user.profile.email = EmailAddress::parse(&address(place)).ok();
        user
    };
    let rows = (1..=3).map(|place| format!("{prefix}u{place},,{}\n", address(place + 1)));
    let new = format!("{prefix}new,Neha,{}\n", address(1));
    ([1, 2, 3].map(holder), rows.chain([new]).collect())
}

async fn undo(stack: &Stack, job: &Job, name: &str) -> Job {
    let request = UndoRequest { job: job.id.clone(), preview: false, allow_empty: false }.to_json();
    let source = stack.drop_as(JobKind::Undo, name, request).await;
    stack.ended(&source).await
}

async fn profiles(stack: &Stack, users: &[User]) -> Vec<Profile> {
    let mut profiles = Vec::new();
    for user in users {
        profiles.push(stack.user(user.login.as_str()).await.expect("the user").profile);
    }
    profiles
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_of_handovers_is_taken_back_in_any_order() {
    let stack = Stack::start(&[]).await;
    for (at, order) in [[0, 1, 2, 3], [2, 1, 0, 3], [3, 1, 2, 0], [1, 3, 0, 2]].into_iter().enumerate() {
        let prefix = format!("o{at}");
        let (users, rows) = chain(&prefix);
        for user in &users {
            stack.create_user(user.clone()).await;
        }
        let before = profiles(&stack, &users).await;
        let rows: String = order.map(|row| rows[row].clone()).concat();
        let file = format!("Login ID,Name,Email\n{rows}");
        let job = stack.upload_users(&format!("{prefix}.csv"), file).await;
        assert_eq!((job.counts.applied, job.counts.rows()), (4, 4), "{order:?}: {job:?}");
        assert_ne!(profiles(&stack, &users).await, before, "{order:?}");

        let undone = undo(&stack, &job, &format!("{prefix}.json")).await;
        assert_eq!(
            (undone.state, undone.counts.applied, undone.counts.rows()),
            (JobState::Finished, 4, 4),
            "{order:?}"
        );
        assert_eq!(profiles(&stack, &users).await, before, "{order:?}");
        assert_eq!(stack.user(&format!("{prefix}new")).await, None, "{order:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn extensions_that_were_handed_on_come_back_by_the_command() {
    let stack = Stack::start(&[]).await;
    let file = |first: &str, second: &str| format!("Login ID,Name,Assign Extension\na,Asha,{first}\nb,Bela,{second}\n");
    let extension = async |login: &str| {
        let user = stack.user(login).await.expect("the user");
        user.profile.extension.map(|extension| Ref::as_str(&extension.login).to_owned())
    };
    let run = |arguments: &[&str], input: &str| {
        let output = rollcall(Some(&stack), &[arguments, &["--account", "acme"]].concat(), input.as_bytes());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    run(&["upload", "-"], &file("2001", "2002"));
    run(&["upload", "-"], &file("2002", "2003"));
    assert_eq!((extension("a").await.as_deref(), extension("b").await.as_deref()), (Some("2002"), Some("2003")));
    let told = run(&["undo", "latest", "--yes"], "");
    assert!(told.contains("2 applied"), "{told}");
    assert_eq!((extension("a").await.as_deref(), extension("b").await.as_deref()), (Some("2001"), Some("2002")));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_been_changed_since_keeps_the_address_and_the_other_is_passed_over() {
    let stack = Stack::start(&[]).await;
    let (users, rows) = chain("x");
    for user in &users {
        stack.create_user(user.clone()).await;
    }
    let job = stack.upload_users("x.csv", format!("Login ID,Name,Email\n{}", rows[..3].concat())).await;
    assert_eq!(job.counts.applied, 3, "{job:?}");
    // The first is changed by somebody, so that it keeps the address of the second.
    let renamed = stack.upload_users("renamed.csv", "Login ID,Designation\nxu1,Lead\n").await;
    assert_eq!(renamed.counts.applied, 1, "{renamed:?}");
    let undone = undo(&stack, &job, "x.json").await;
    assert_eq!(
        (undone.state, undone.counts.applied, undone.counts.unchanged),
        (JobState::Finished, 0, 3),
        "{undone:?}"
    );
    let addresses =
        profiles(&stack, &users).await.into_iter().map(|profile| profile.email.expect("an address").to_string());
    // The second can't have its own again, and so keeps the third's.
    assert_eq!(addresses.collect::<Vec<_>>(), ["x2@example.com", "x3@example.com", "x4@example.com"]);
}

struct Undoing;

impl CrashTest for Undoing {
    type Operation = Undo;
    const KIND: JobKind = JobKind::Undo;

    async fn operation(&self, _: &Stack) -> Undo {
        Undo
    }

    async fn prepare(&self, stack: &Stack, prefix: &str) -> String {
        let (users, rows) = chain(prefix);
        for user in users {
            stack.create_user(user).await;
        }
        let job = stack.upload_users(&format!("{prefix}.csv"), format!("Login ID,Name,Email\n{}", rows.concat())).await;
        assert_eq!(job.counts.applied, 4, "{job:?}");
        String::from_utf8(UndoRequest { job: job.id, preview: false, allow_empty: false }.to_json())
            .expect("JSON is text")
    }

    async fn check(&self, stack: &Stack, prefix: &str, job: &Job, context: &str) {
        assert_eq!((job.counts.applied, job.counts.rows(), job.progress.users_changed), (4, 4, 4), "{context}");
        let (users, _) = chain(prefix);
        let expected: Vec<Profile> = users.iter().map(|user| user.profile.clone()).collect();
        assert_eq!(profiles(stack, &users).await, expected, "{context}");
        assert_eq!(stack.user(&format!("{prefix}new")).await, None, "{context}");
    }

    fn mails(&self) -> bool {
        false
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_of_handovers_survives_its_death_at_every_request() {
    die_at_every_request(&Undoing, 15).await;
}
