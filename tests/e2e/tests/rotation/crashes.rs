//! A crash before and after every request.

use e2e::{CrashTest, Event, Faults, Meanwhile, Stack, TestEngine, delivery, die_at_every_request, somebody};
use rollcall_bulk::{job::Job, upload::ResultKeys};
use rollcall_engine::{
    Attempt, DeliveryOutcome,
    kinds::{Append, Rotate},
    world::{Bucket, Numbers},
};
use rollcall_model::{
    inventory::{InventoryNumber, NumberState},
    jobs::JobKind,
};
use rollcall_storage::{StorageError, connect::Aws, directory::Directory};

use super::{create, item, number, numbers, own};

/// An append during whose beginning a rotation marks one of its two numbers.
struct Overtaken(Directory);

impl Event for Overtaken {
    async fn happen(&self, attempt: &Attempt<'_>) -> Result<(), StorageError> {
        let marked = number(of_round(&attempt.job.upload.name)[0]).parse().expect("a number");
        let before = self.0.number(attempt.account(), marked).await?.expect("the number is in the inventory");
        if before.reserved_by.is_none() {
            let reserved_by = Some(attempt.job.id.clone());
            let after = InventoryNumber { reserved_by, version: before.version + 1, ..before.clone() };
            assert!(self.0.change_number(attempt.account(), Some(&before), &after, &somebody()).await?);
        }
        Ok(())
    }
}

struct Appending;

impl CrashTest for Appending {
    type Operation = Meanwhile<Append, Overtaken>;
    const KIND: JobKind = JobKind::AppendCallerIds;

    async fn operation(&self, stack: &Stack) -> Self::Operation {
        let table = Directory::new(&Aws::local(stack.endpoints()).await, stack.output("TableName"));
        Meanwhile(Append, Overtaken(table))
    }

    async fn prepare(&self, stack: &Stack, prefix: &str) -> String {
        let [marked, other, _] = of_round(prefix);
        own(stack, [marked, other]).await;
        create(stack, prefix, &[]).await;
        format!("login,did\n{prefix},{};{}\n", number(marked), number(other))
    }

    async fn check(&self, stack: &Stack, prefix: &str, job: &Job, context: &str) {
        let progress = job.progress;
        assert_eq!((job.counts.partial, job.counts.rows()), (1, 1), "{context}");
        assert_eq!((progress.users_changed, progress.numbers_added), (1, 1), "{context}");
        assert_eq!(stack.list(prefix).await.expect(context), numbers(&[of_round(prefix)[1]]), "{context}");
        assert_eq!(stack.report(job, "failed").await[0]["Error Code"], "NUMBER_RETIRED", "{context}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_takes_a_number_back_dies_before_and_after_every_request_and_ends_the_same() {
    die_at_every_request(&Appending, 15).await;
}

/// One whose number is replaced, one who has the replacement already, one who has no other number, and a bad pair.
struct Rotating;

/// Three numbers of a round's own.
fn of_round(prefix: &str) -> [usize; 3] {
    let parts: Vec<usize> = prefix.split(['u', 'x', '.']).filter_map(|part| part.parse().ok()).collect();
    let first = 10_000 * (parts[0] + 1) + parts[1] * 10;
    [first, first + 1, first + 2]
}

impl CrashTest for Rotating {
    type Operation = Rotate;
    const KIND: JobKind = JobKind::RotateCallerIds;

    async fn operation(&self, _: &Stack) -> Rotate {
        Rotate
    }

    async fn prepare(&self, stack: &Stack, prefix: &str) -> String {
        let [old, new, only] = of_round(prefix);
        own(stack, [old, new, only]).await;
        create(stack, &format!("{prefix}gets"), &[old]).await;
        create(stack, &format!("{prefix}has"), &[old, new]).await;
        create(stack, &format!("{prefix}keeps"), &[only]).await;
        format!("Old Caller ID,New Caller ID\n{},{}\n{},\njunk,\n", number(old), number(new), number(only))
    }

    async fn check(&self, stack: &Stack, prefix: &str, job: &Job, context: &str) {
        let [old, new, only] = of_round(prefix);
        assert_eq!((job.counts.applied, job.counts.failed, job.counts.rows()), (2, 2, 4), "{context}");
        let progress = job.progress;
        assert_eq!((progress.users_changed, progress.numbers_added, progress.numbers_removed), (2, 1, 2), "{context}");
        for (login, list) in [("gets", new), ("has", new), ("keeps", only)] {
            assert_eq!(stack.list(&format!("{prefix}{login}")).await.expect(context), numbers(&[list]), "{context}");
        }
        let (old, only) = (item(stack, old).await, item(stack, only).await);
        assert_eq!((old.facts.state, old.replaced_by), (NumberState::Retired, number(new).parse().ok()), "{context}");
        assert_eq!(
            (only.facts.state, only.reserved_by, old.reserved_by),
            (NumberState::Active, None, None),
            "{context}"
        );
        let key = ResultKeys::of(&stack.account, &job.id, job.stage).numbers();
        let before = stack.files.get(&key).await.unwrap().expect(context);
        let before: serde_json::Value = serde_json::from_slice(&before).expect(context);
        let before: Vec<InventoryNumber> = serde_json::from_value(before["retired"].clone()).expect(context);
        assert!(
            before.iter().all(|item| item.facts.state == NumberState::Active && item.reserved_by.is_none()),
            "{context}"
        );
        assert!(before.iter().any(|item| item.number == old.number), "{context}");
        assert_eq!(old.state_by.as_ref(), Some(&job.id), "the number says whose end it was: {context}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_dies_before_and_after_every_request_and_ends_the_same() {
    die_at_every_request(&Rotating, 20).await;
}

/// One whose number is replaced. While the rotation is dead, another one retires the replacement, and writes the same list.
struct Overtaking;

impl CrashTest for Overtaking {
    type Operation = Rotate;
    const KIND: JobKind = JobKind::RotateCallerIds;

    async fn operation(&self, _: &Stack) -> Rotate {
        Rotate
    }

    async fn prepare(&self, stack: &Stack, prefix: &str) -> String {
        let [old, new, other] = of_round(prefix);
        own(stack, [old, new, other, other + 1]).await;
        create(stack, prefix, &[old, other]).await;
        format!("Old Caller ID,New Caller ID\n{},{}\njunk,\n", number(old), number(new))
    }

    async fn meanwhile(&self, stack: &Stack, prefix: &str) {
        let [_, new, other] = of_round(prefix);
        let file = format!("Old Caller ID,New Caller ID\n{},{}\n{},\n", number(other), number(other + 1), number(new));
        let name = format!("{prefix}meanwhile.csv");
        let source = stack.put_quietly(&name, file).await;
        let world = TestEngine::new(stack, Faults::default(), None).await;
        let upload = stack.upload_of(JobKind::RotateCallerIds, &name);
        let ending = world.engine.run(&Rotate, &upload, &source, &delivery(1)).await.expect("nothing fails");
        assert_eq!(ending, DeliveryOutcome::Ended);
    }

    async fn check(&self, stack: &Stack, prefix: &str, job: &Job, context: &str) {
        assert_eq!((job.counts.rows(), job.counts.unprocessed), (2, 0), "{context}");
        let list = stack.list(prefix).await.expect(context);
        assert!(!list.is_empty(), "{context}");
        let inventory = stack.directory.inventory(&stack.account).await.unwrap();
        for item in inventory.iter().filter(|item| list.contains(&item.number.to_string())) {
            assert_ne!(item.facts.state, NumberState::Retired, "{}: {context}", item.number);
            assert_eq!(item.reserved_by, None, "{}: {context}", item.number);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_another_overtakes_while_it_is_dead_leaves_nobody_a_retired_number() {
    die_at_every_request(&Overtaking, 15).await;
}
