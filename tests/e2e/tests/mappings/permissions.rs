//! What a resync grants and revokes.

use e2e::{Stack, somebody};
use rollcall_bulk::job::{Job, JobState};
use rollcall_engine::world::Numbers;
use rollcall_model::{
    inventory::{InventoryNumber, NumberState},
    mapping::{ExplanationInput, GivenMapping, Link, MappingState},
    phone_side::{DialPermission, PhoneUserId},
    settings::PhoneSystem,
    user::{Policy, Ref, User},
};

use super::{allow, by_email, drop_snapshot, map, mapping, number, resync, sees, set_system, to, why};

/// The story of the page: four numbers are seen, more are allowed on the phone side, still four; resync; now all.
#[tokio::test(flavor = "multi_thread")]
async fn lists_of_any_length_are_granted_and_revoked_by_rows_that_read_back() {
    const NUMBERS: usize = 10_000;
    let stack = Stack::start(&[]).await;
    let numbers: Vec<String> = (0..NUMBERS).map(number).collect();
    stack.own(&numbers.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for login in ["gone", "emptied"] {
        stack.create_user(User { policy: Policy::All, ..e2e::user(login) }).await;
        map(&stack, &format!("crm-{login}"), to(login)).await;
    }
    let done = |job: &Job| {
        assert_eq!((job.state, job.counts.applied, job.counts.unprocessed), (JobState::Finished, 2, 0), "{job:?}");
    };
    let granted = resync(&stack, "grant.json", true).await;
    done(&granted);
    assert_eq!(granted.progress.numbers_added, 2 * NUMBERS as u64);
    assert_eq!(sees(&stack, "crm-gone").await.len(), NUMBERS);
    assert!(stack.report(&granted, "results").await[0]["Granted"].ends_with(" more"));

    let gone = stack.user("gone").await.expect("the user");
    stack.delete_user(&gone).await;
    let before = stack.user("emptied").await.expect("the user");
    let after = User { policy: Policy::Custom, version: before.version + 1, ..before.clone() };
    stack.update_user(&before, &after).await;
    let revoked = resync(&stack, "revoke.json", true).await;
    done(&revoked);
    assert_eq!(revoked.progress.numbers_removed, 2 * NUMBERS as u64);
    for crm_user in ["crm-gone", "crm-emptied"] {
        assert_eq!(sees(&stack, crm_user).await, [""; 0], "{crm_user}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_numbers_and_after_a_resync_all() {
    let stack = Stack::start(&[]).await;
    let all: Vec<String> = (0..7).map(number).collect();
    stack.own(&all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut asha: User = e2e::user("asha");
    asha.profile.email = "asha@example.com".parse().ok();
    stack.create_user(asha).await;
    allow(&stack, "asha", &all[..4]).await;
    map(&stack, "crm-1", by_email("ASHA@example.com")).await;
    assert_eq!(sees(&stack, "crm-1").await, [""; 0]);

    let job = resync(&stack, "first.json", false).await;
    assert_eq!((job.state, job.counts.applied, job.progress.numbers_added), (JobState::Finished, 1, 4), "{job:?}");
    assert_eq!(sees(&stack, "crm-1").await, all[..4]);
    assert!(stack.mails().is_empty(), "nothing needs correction");

    allow(&stack, "asha", &all[4..]).await;
    assert_eq!(sees(&stack, "crm-1").await, all[..4], "still four");
    let inventory = stack.directory.inventory(&stack.account).await.unwrap();
    let (before, user) = (mapping(&stack, "crm-1").await, stack.user("asha").await.unwrap());
    let now = DialPermission::of(&user);
    let item = inventory.iter().find(|item| item.number.to_string() == all[5]);
    let facts = ExplanationInput {
        number: all[5].parse().unwrap(),
        mapping: Some(&before),
        now: Some(&now),
        item,
        no_inventory: false,
        last_resync: None,
    };
    assert_eq!(why(&facts), Some(Link::Resync));

    resync(&stack, "second.json", false).await;
    assert_eq!(sees(&stack, "crm-1").await, all);
    let again = resync(&stack, "third.json", false).await;
    assert_eq!((again.counts.unchanged, again.progress.statements), (1, 0), "only what changed is written");

    // A number that is retired is not seen, whatever the policy, and without a resync.
    let retired = inventory.into_iter().next().unwrap();
    let mut facts = retired.facts.clone();
    facts.state = NumberState::Retired;
    let after = InventoryNumber { facts, version: retired.version + 1, ..retired.clone() };
    assert!(stack.directory.change_number(&stack.account, Some(&retired), &after, &somebody()).await.unwrap());
    assert_eq!(sees(&stack, "crm-1").await, all[1..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_states_and_who_is_nobody() {
    let stack = Stack::start(&[]).await;
    let all: Vec<String> = (0..3).map(number).collect();
    stack.own(&all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let inventory = stack.directory.inventory(&stack.account).await.unwrap();
    let mut facts = inventory[1].facts.clone();
    facts.department = Ref::parse("sales").ok();
    let sales = InventoryNumber { facts, version: 2, ..inventory[1].clone() };
    assert!(stack.directory.change_number(&stack.account, Some(&inventory[1]), &sales, &somebody()).await.unwrap());
    for (login, policy) in [("everything", Policy::All), ("seller", Policy::Department), ("gone", Policy::All)] {
        let mut user = e2e::user(login);
        user.policy = policy;
        user.profile.department = Ref::parse("sales").ok();
        stack.create_user(user).await;
    }
    map(&stack, "a", to("everything")).await;
    map(&stack, "b", GivenMapping { login: "SELLER".parse().ok(), ..GivenMapping::default() }).await;
    map(&stack, "c", to("gone")).await;
    map(&stack, "d", by_email("nobody@example.com")).await;
    map(&stack, "e", to("everything")).await;
    resync(&stack, "all.json", false).await;
    assert_eq!(sees(&stack, "a").await, all);
    assert_eq!(sees(&stack, "e").await, all, "two CRM users may share one phone user");
    assert_eq!(sees(&stack, "b").await, [all[1].clone()]);
    assert_eq!(mapping(&stack, "d").await.state, MappingState::Unmapped);

    let gone = stack.user("gone").await.unwrap();
    stack.delete_user(&gone).await;
    let job = resync(&stack, "gone.json", false).await;
    assert_eq!((job.counts.applied, job.counts.unchanged, job.progress.numbers_removed), (1, 4, 3), "{job:?}");
    assert!(matches!(mapping(&stack, "c").await.state, MappingState::Orphaned { .. }));
    assert_eq!(sees(&stack, "c").await, [""; 0]);
    let results = stack.report(&job, "results").await;
    let row = |id: &str| results.iter().find(|row| row["CRM User"] == id).unwrap();
    assert_eq!((row("c")["Change"].as_str(), row("c")["Error Code"].as_str()), ("orphaned", "ORPHANED"));
    assert_eq!((row("d")["Change"].as_str(), row("d")["Error Code"].as_str()), ("unmapped", "UNMAPPED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn candidates_are_shown_and_never_guessed_between() {
    let stack = Stack::start(&[]).await;
    stack.own(&[&number(0)]).await;
    set_system(&stack, PhoneSystem::Snapshot).await;
    map(&stack, "1", by_email("shared@example.com")).await;
    let twins = "8,shared@example.com,All caller IDs,,\n7,shared@example.com,All caller IDs,,\n";
    drop_snapshot(&stack, twins).await;
    let MappingState::Ambiguous { candidates } = mapping(&stack, "1").await.state else { panic!("they are twins") };
    assert_eq!(candidates.iter().map(PhoneUserId::as_str).collect::<Vec<_>>(), ["7", "8"]);
    assert_eq!(sees(&stack, "1").await, [""; 0]);

    let before = mapping(&stack, "1").await;
    let chosen = before.with(GivenMapping { phone_user: PhoneUserId::parse("8").ok(), ..before.given.clone() });
    assert!(stack.directory.change_mapping(&stack.account, Some(&before), &chosen, None).await.unwrap());
    resync(&stack, "chosen.json", false).await;
    assert_eq!(sees(&stack, "1").await, [number(0)]);
}
