//! What an undo takes back, by the kind of job.

use e2e::{somebody, user};
use rollcall_bulk::{
    job::{Failure, JobState},
    upload::UploadOptions,
};
use rollcall_engine::world::Numbers;
use rollcall_model::{
    email::EmailAddress,
    inventory::{NumberFacts, NumberState},
    jobs::JobKind,
    user::{Policy, User},
};
use rollcall_storage::directory::CreateOutcome;

use super::{everything, number, passed_over, rotate, stack, state, undo};

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
    stack.delete_user(&gone).await;

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
    assert_eq!(state(&stack, &job).await, JobState::Finished, "something was passed over");
    let passed = [format!("user3 take off {}", number(2)), format!("user4 take off {}", number(2))];
    assert_eq!(passed_over(&stack, &undone).await, passed);

    // Again, for what was passed over; and no more once nothing was.
    let again = undo(&stack, &job, "again.json", false).await;
    assert_eq!((again.counts.applied, again.counts.unchanged), (0, 2), "{again:?}");
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
    assert!(matches!(taken, CreateOutcome::Taken(_)));

    // Somebody changes one, gives another a number, and has the old address of a third by then.
    stack.delete_user(&stack.user("other1").await.unwrap()).await;
    let job = stack.upload_users("again.csv", file).await;
    assert_eq!(job.counts.applied, 4, "{job:?}");
    let second = stack.user("user2").await.unwrap();
    let mut changed = User { version: second.version + 1, ..second.clone() };
    changed.policy = Policy::All;
    stack.update_user(&second, &changed).await;
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
    let facts = NumberFacts { state: NumberState::New, ..retired.facts.clone() };
    let touched = retired.change(facts, jiff::Timestamp::now()).unwrap();
    assert!(stack.directory.change_number(&stack.account, Some(&retired), &touched, &somebody()).await.unwrap());
    let undone = undo(&stack, &third, "undo-third.json", false).await;
    assert_eq!(passed_over(&stack, &undone).await, [format!(" restore number {}", number(2)).trim_start().to_owned()]);
    assert_eq!(stack.list("user1").await.unwrap(), [number(2), number(5)], "lists take it again");
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
async fn a_mapping_resync_has_no_undo() {
    let stack = stack(1).await;
    let source = stack.drop_on(JobKind::MappingResync, "resync.json", "{}", &UploadOptions::default()).await;
    let job = stack.ended(&source).await;
    let refused = undo(&stack, &job, "undo.json", false).await;
    let Some(Failure::Refused { reason }) = refused.failure else { panic!("{:?}", refused.state) };
    assert!(reason.contains("mapping-resync"), "{reason}");
}
