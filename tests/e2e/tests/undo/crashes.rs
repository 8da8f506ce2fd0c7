//! A crash before and after every request.

use e2e::{CrashTest, Stack, die_at_every_request, user};
use rollcall_bulk::{
    job::{Job, JobState},
    undo::UndoRequest,
};
use rollcall_engine::{
    kinds::Undo,
    world::{Bucket, Jobs, Numbers},
};
use rollcall_model::{inventory::NumberState, jobs::JobKind, user::User};

use super::{number, rotate};

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
        String::from_utf8(UndoRequest { job: job.id, preview: false, allow_empty: false }.to_json())
            .expect("JSON is text")
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
        String::from_utf8(UndoRequest { job: job.id, preview: false, allow_empty: false }.to_json())
            .expect("JSON is text")
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
            stack.delete_user(&user).await;
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
