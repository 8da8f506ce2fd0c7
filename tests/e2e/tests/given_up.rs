//! A job that is given up says what it has really done, keeps a report on it, and can be undone.

use e2e::{Faults, Fuse, Stack, TestEngine, delivery, user};
use rollcall_bulk::{
    job::{Failure, Job, JobState},
    undo::UndoRequest,
};
use rollcall_engine::kinds::Rotate;
use rollcall_engine::kinds::{Append, UploadUsers};
use rollcall_engine::world::{Jobs, Numbers};
use rollcall_engine::{DeliveryOutcome, Operation};
use rollcall_model::{inventory::NumberState, jobs::JobKind, user::User};

/// Users of a job: more than are written at once.
const USERS: usize = 30;

fn number(n: usize) -> String {
    format!("+9198765{n:05}")
}

/// A kind of job, as it is given up.
trait GivenUp {
    type Operation: Operation;
    const KIND: JobKind;
    const NAME: &str;
    /// The first request that it dies at, and how many there are to the next.
    const DEATHS: (i64, usize);

    fn operation(&self) -> Self::Operation;

    /// Makes what the job is about, and its file.
    async fn prepare(&self, stack: &Stack, prefix: &str) -> String;

    /// Whether the job has done it to this user.
    async fn is_done(&self, stack: &Stack, login: &str) -> bool;
}

struct Appends;

impl GivenUp for Appends {
    type Operation = Append;
    const KIND: JobKind = JobKind::AppendCallerIds;
    const NAME: &str = "append.csv";
    const DEATHS: (i64, usize) = (4, 1);

    fn operation(&self) -> Append {
        Append
    }

    async fn prepare(&self, stack: &Stack, prefix: &str) -> String {
        for n in 1..=USERS {
            stack.create_user(user(&format!("{prefix}{n}"))).await;
        }
        let rows = (1..=USERS).map(|n| format!("{prefix}{n},{}\n", number(1)));
        format!("Login ID,Allowed Caller ID\n{}", rows.collect::<String>())
    }

    async fn is_done(&self, stack: &Stack, login: &str) -> bool {
        !stack.list(login).await.expect("the user").is_empty()
    }
}

struct Uploads;

impl GivenUp for Uploads {
    type Operation = UploadUsers;
    const KIND: JobKind = JobKind::UploadUsers;
    const NAME: &str = "users.csv";
    const DEATHS: (i64, usize) = (5, 9);

    fn operation(&self) -> UploadUsers {
        UploadUsers
    }

    async fn prepare(&self, _: &Stack, prefix: &str) -> String {
        let rows = (1..=USERS).map(|n| format!("{prefix}{n},Somebody,{prefix}{n}@example.com,{}\n", number(1)));
        format!("Login ID,Name,Email,Allowed Caller ID\n{}", rows.collect::<String>())
    }

    async fn is_done(&self, stack: &Stack, login: &str) -> bool {
        stack.user(login).await.is_some()
    }
}

struct Rotations;

impl GivenUp for Rotations {
    type Operation = Rotate;
    const KIND: JobKind = JobKind::RotateCallerIds;
    const NAME: &str = "rotation.csv";
    const DEATHS: (i64, usize) = (7, 2);

    fn operation(&self) -> Rotate {
        Rotate
    }

    async fn prepare(&self, stack: &Stack, prefix: &str) -> String {
        for n in 1..=USERS {
            let caller_ids = vec![number(1).parse().expect("a number")];
            stack.create_user(User { caller_ids, ..user(&format!("{prefix}{n}")) }).await;
        }
        format!("Old Caller ID,New Caller ID\n{},{}\n", number(1), number(2))
    }

    async fn is_done(&self, stack: &Stack, login: &str) -> bool {
        stack.list(login).await.expect("the user") == [number(2)]
    }
}

/// Dies at some requests, is given up at the last delivery, and is undone.
async fn is_given_up<G: GivenUp>(kind: &G) {
    let mut partly = 0;
    let (first, step) = G::DEATHS;
    for (round, carried_out) in (first..).step_by(step).zip([false, true].into_iter().cycle()) {
        let stack = Stack::start(&[]).await;
        stack.own(&[&number(1), &number(2)]).await;
        stack.recipients(&["ops@example.com"]).await;
        let file = kind.prepare(&stack, "u").await;
        let source = stack.put_quietly(G::NAME, file).await;
        let upload = stack.upload_of(G::KIND, G::NAME);
        let fuse = Fuse::after(round, carried_out);
        let dying = TestEngine::new(&stack, Faults::default(), Some(fuse.clone())).await;
        let (operation, first) = (kind.operation(), delivery(1));
        let survived = tokio::select! {
            ending = dying.engine.run(&operation, &upload, &source, &first) => Some(ending.expect("nothing fails")),
            () = fuse.blown() => None,
        };
        if survived.is_some() {
            break;
        }
        let world = TestEngine::new(&stack, Faults::default(), None).await;
        let ending = world.engine.run(&operation, &upload, &source, &delivery(5)).await.expect("nothing fails");
        if ending == DeliveryOutcome::Ended {
            // It had written its end, and only the answer was lost.
            break;
        }
        assert_eq!(ending, DeliveryOutcome::GaveUp);

        let job = stack.job_when(&source, |_| true).await;
        assert!(matches!(job.failure, Some(Failure::GaveUp { .. })) && job.lease.is_none(), "{job:?}");
        assert_eq!(job.state, JobState::Failed);
        let mut done = 0;
        for n in 1..=USERS {
            done += u64::from(kind.is_done(&stack, &format!("u{n}")).await);
        }
        partly += u64::from(done > 0);
        println!("{}: dies at request {round}, {done} are done", G::NAME);
        let context = format!("after {round} requests, {done} are done: {job:?}");
        assert_eq!((job.counts.applied, job.progress.users_changed), (done, done), "{context}");
        // A rotation that dies before it has rows has none to tell of.
        if job.counts.rows() > 0 || done > 0 {
            assert_eq!((job.counts.rows(), job.counts.unprocessed), (USERS as u64, USERS as u64 - done), "{context}");
            let rows = stack.report(&job, "results").await;
            let applied = rows.iter().filter(|row| row["Status"] == "applied").count() as u64;
            assert_eq!((rows.len(), applied), (USERS, done), "{context}");
            assert_eq!(stack.report(&job, "failed").await.len() as u64, USERS as u64 - done, "{context}");
        }
        // One that has done everything, and dies before it says so, has no mail due.
        assert!(stack.mails().len() == 1 || done == USERS as u64, "{context}");
        undone(kind, &stack, &job).await;
    }
    assert!(partly > 0, "a job of which something was done is given up");
}

async fn undone<G: GivenUp>(kind: &G, stack: &Stack, job: &Job) {
    let request = UndoRequest { job: job.id.clone(), preview: false, allow_empty: false }.to_json();
    let source = stack.drop_as(JobKind::Undo, "undo.json", request).await;
    let undo = stack.ended(&source).await;
    assert_eq!(
        (undo.state, undo.counts.needs_correction(), undo.counts.unchanged),
        (JobState::Finished, 0, 0),
        "{undo:?} of {job:?}"
    );
    for n in 1..=USERS {
        assert!(!kind.is_done(stack, &format!("u{n}")).await, "user {n} after {undo:?}");
    }
    let now = stack.directory.job(&stack.account, &job.id).await.unwrap().expect("the job");
    assert_eq!(now.state, JobState::Undone);
    for item in stack.directory.inventory(&stack.account).await.unwrap() {
        assert_eq!((item.facts.state, &item.reserved_by), (NumberState::Active, &None), "{undo:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_is_given_up_tells_what_it_has_done_and_is_undone() {
    is_given_up(&Appends).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_of_users_that_is_given_up_tells_what_it_has_done_and_is_undone() {
    is_given_up(&Uploads).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_is_given_up_tells_what_it_has_done_and_is_undone() {
    is_given_up(&Rotations).await;
}
