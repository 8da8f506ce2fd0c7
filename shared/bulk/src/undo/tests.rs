use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::bulk_job::{BulkJob, Plan};
use rollcall_model::{
    caller_id::CallerId,
    inventory::DialableNumbers,
    user::{Claim, LoginId, Policy, Profile, User},
};

fn number(n: u64) -> CallerId {
    format!("+9198765{n:05}").parse().unwrap()
}

fn numbers(all: &[u64]) -> Vec<CallerId> {
    all.iter().map(|&n| number(n)).collect()
}

fn user(list: &[u64]) -> User {
    let user = User::new(LoginId::parse("asha").unwrap(), Profile::named("Asha").unwrap());
    User { caller_ids: numbers(list), ..user }
}

fn effect(added: &[u64], removed: &[(u64, Option<u64>)], user: UserEffect) -> Effect {
    let removed = removed.iter().map(|&(old, new)| (number(old), new.map(number))).collect();
    Effect { login: "asha".into(), created: None, had_none: false, added: numbers(added), removed, user }
}

/// An account without an inventory: every number can be dialled from.
fn target<'a>(
    user: Option<&'a User>,
    owners: &'a HashMap<Claim, String>,
    numbers: &'a NumbersNow,
    limit: usize,
) -> UndoTarget<'a> {
    UndoTarget { user, owners, numbers, limit, allow_empty: false, now: Timestamp::UNIX_EPOCH }
}

fn decide(effect: &Effect, user: Option<&User>) -> UndoPlan {
    UndoPlan::decide(effect, target(user, &HashMap::new(), &NumbersNow::default(), 100), Way::Free)
}

#[test]
fn numbers_that_were_put_on_go_and_others_stay() {
    let plan = decide(&effect(&[1, 2], &[], UserEffect::None), Some(&user(&[1, 5, 7])));
    assert_eq!(plan.take_off, numbers(&[1]));
    assert_eq!(plan.passed_over, [(Act::TakeOff(number(2)), SkipReason::NotThere)]);
    assert_eq!(plan.lists(), Some([numbers(&[1, 5, 7]), numbers(&[5, 7])]));
    let gone = decide(&effect(&[1], &[], UserEffect::None), None);
    assert_eq!((gone.writes(), gone.passed_over), (false, vec![(Act::TakeOff(number(1)), SkipReason::Gone)]));
}

#[test]
fn a_number_comes_back_with_what_took_its_place_going() {
    // 1 by 11, 2 by nothing, 3 by 13, which the user had before.
    let rotated = effect(&[11], &[(1, Some(11)), (2, None), (3, Some(13))], UserEffect::None);
    let plan = decide(&rotated, Some(&user(&[11, 13])));
    assert_eq!(plan.lists(), Some([numbers(&[11, 13]), numbers(&[1, 2, 3, 13])]));

    // Another rotation has replaced 11 by 21 since: 1 doesn't come back beside it.
    let plan = decide(&rotated, Some(&user(&[13, 21])));
    assert_eq!(plan.put_back, numbers(&[2, 3]));
    let since =
        [(Act::TakeOff(number(11)), SkipReason::NotThere), (Act::PutBack(number(1)), SkipReason::ReplacementGone)];
    assert_eq!(plan.passed_over, since);

    let plan = decide(&rotated, Some(&user(&[2, 11, 13])));
    assert_eq!(plan.passed_over, [(Act::PutBack(number(2)), SkipReason::BackAlready)]);
}

#[test]
fn what_an_earlier_attempt_has_done_stays_its_doing() {
    let rotated = effect(&[11], &[(1, Some(11)), (2, None)], UserEffect::None);
    let earlier = decide(&rotated, Some(&user(&[11])));
    // It was carried out, and another job has written the list since.
    let mut plan = decide(&rotated, Some(&user(&[1, 2, 5])));
    assert!(!plan.writes());
    plan.merge_previous_attempt(&earlier);
    assert_eq!((&plan.take_off, &plan.put_back), (&numbers(&[11]), &numbers(&[1, 2])));
    assert_eq!(plan.lists(), Some([numbers(&[1, 2, 5]), numbers(&[1, 2, 5])]));
    assert_eq!(plan.passed_over, []);
    // It was not.
    let mut plan = decide(&rotated, Some(&user(&[1, 11])));
    let before = plan.clone();
    plan.merge_previous_attempt(&earlier);
    assert_eq!(plan, before);
}

#[test]
fn what_lists_do_not_take_stays_away() {
    let rotated = effect(&[], &[(1, None), (2, None)], UserEffect::None);
    let (owners, taken) = (HashMap::new(), HashSet::from([number(1)]));
    let (owner, numbers) = (user(&[5]), NumbersNow { taken: Some(taken), ..NumbersNow::default() });
    let present = target(Some(&owner), &owners, &numbers, 1);
    let plan = UndoPlan::decide(&rotated, present, Way::Free);
    let since = [(Act::PutBack(number(1)), SkipReason::ListFull), (Act::PutBack(number(2)), SkipReason::NotTaken)];
    assert_eq!((plan.writes(), plan.passed_over.as_slice()), (false, &since[..]));
}

#[test]
fn who_was_created_is_deleted_unless_something_has_become_of_it() {
    let created = effect(&[1], &[], UserEffect::Created(Box::new(user(&[]))));
    for list in [&[1][..], &[]] {
        assert!(matches!(decide(&created, Some(&user(list))).change, UndoChange::Delete(_)), "{list:?}");
    }
    let busy = user(&[1, 2]);
    let mut changed = user(&[1]);
    changed.version += 1;
    for user in [busy, changed] {
        let plan = decide(&created, Some(&user));
        assert!(!plan.writes());
        assert_eq!(plan.passed_over.len(), 2);
    }
}

#[test]
fn who_was_changed_is_as_before_unless_somebody_was_faster() {
    let before = user(&[]);
    let mut after = User { version: 2, ..before.clone() };
    after.profile.email = Some("new@example.com".parse().unwrap());
    let mut with_address = before.clone();
    with_address.profile.email = Some("old@example.com".parse().unwrap());
    let changed = effect(&[1], &[], UserEffect::Changed(Box::new([with_address.clone(), after.clone()])));

    let now = User { caller_ids: numbers(&[1, 2]), ..after.clone() };
    let plan = decide(&changed, Some(&now));
    let UndoChange::Restore(users) = &plan.change else { panic!("{plan:?}") };
    assert_eq!((users[1].version, &users[1].profile), (3, &with_address.profile));
    assert_eq!(plan.take_off, numbers(&[1]));

    let owners = HashMap::from([(Claim::Email("old@example.com".into()), "ben".to_owned())]);
    let numbers_now = NumbersNow::default();
    let present = target(Some(&now), &owners, &numbers_now, 9);
    let plan = UndoLedger::new(vec![changed.clone()], &[]).plan(0, present);
    assert_eq!((plan.passed_over.as_slice(), plan.waits), (&[(Act::RestoreUser, SkipReason::Taken)][..], false));
    let plan = decide(&changed, Some(&User { version: 3, ..now }));
    assert_eq!(
        (plan.passed_over.as_slice(), plan.take_off),
        (&[(Act::RestoreUser, SkipReason::Changed)][..], numbers(&[1]))
    );
}

/// A deed that has given a user one address in place of another.
fn moved(login: &str, from: &str, to: &str) -> Effect {
    let with = |address: &str| {
        let mut user = User::new(LoginId::parse(login).unwrap(), Profile::named("Somebody").unwrap());
        user.profile.email = Some(format!("{address}@example.com").parse().unwrap());
        user
    };
    Effect {
        login: login.into(),
        user: UserEffect::Changed(Box::new([with(from), with(to)])),
        ..effect(&[], &[], UserEffect::None)
    }
}

#[test]
fn who_has_given_an_address_on_gets_it_back_after_the_next_whatever_stands_first() {
    let effects = [moved("a", "one", "two"), moved("b", "two", "three"), moved("c", "three", "four")];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut ledger = UndoLedger::new(order.map(|at| effects[at].clone()).to_vec(), &[]);
        let mut now: HashMap<String, User> = HashMap::new();
        for effect in &effects {
            let UserEffect::Changed(users) = &effect.user else { panic!("it was changed") };
            now.insert(effect.login.clone(), users[1].clone());
        }
        // As often as one of them can go on.
        for _ in &effects {
            let owners: HashMap<Claim, String> = now
                .iter()
                .flat_map(|(login, user)| user.claims().into_iter().map(move |claim| (claim, login.clone())))
                .collect();
            let open: Vec<usize> = (0..3).filter(|&user| !ledger.is_decided(user)).collect();
            let plan = |user| {
                let user_now = now.get(&ledger.effect(user).login);
                ledger.plan(user, target(user_now, &owners, &NumbersNow::default(), 9))
            };
            for plan in open.into_iter().map(plan).collect::<Vec<_>>() {
                if let UndoChange::Restore(users) = &plan.change {
                    now.insert(plan.login.clone(), users[1].clone());
                }
                ledger.record(&plan);
            }
        }
        for effect in &effects {
            let UserEffect::Changed(users) = &effect.user else { panic!("it was changed") };
            assert_eq!(now[&effect.login].profile, users[0].profile, "{order:?}");
        }
    }
}

#[test]
fn who_keeps_an_address_is_waited_for_by_nobody() {
    let mut ledger = UndoLedger::new(vec![moved("a", "one", "two"), moved("b", "two", "three")], &[]);
    let owners = HashMap::from([(Claim::Email("two@example.com".into()), "a".to_owned())]);
    let UserEffect::Changed(b) = moved("b", "two", "three").user else { panic!("it was changed") };
    let numbers_now = NumbersNow::default();
    let present = target(Some(&b[1]), &owners, &numbers_now, 9);
    let plan = ledger.plan(1, present);
    assert!(plan.waits && !plan.writes());
    // Somebody has changed the one who has it.
    let UserEffect::Changed(a) = moved("a", "one", "two").user else { panic!("it was changed") };
    let touched = User { version: 9, ..a[1].clone() };
    let passed_over = ledger.plan(0, UndoTarget { user: Some(&touched), ..present });
    ledger.record(&passed_over);
    let plan = ledger.plan(1, present);
    assert_eq!((plan.passed_over.as_slice(), plan.waits), (&[(Act::RestoreUser, SkipReason::Taken)][..], false));
}

#[test]
fn what_another_undo_has_taken_back_since_the_rows_were_written_is_said() {
    let brought = [effect(&[1, 2], &[], UserEffect::None)];
    let mut csv = rollcall_tabular::Writer::new(b',');
    rows(&brought, &[]).for_each(|row| csv.record(row.iter().map(|cell| &**cell)));
    let file = csv.take();
    let told = |left: Vec<Effect>| {
        let mut ledger = UndoLedger::new(left, &[]);
        let each = |take: &mut dyn FnMut(&rollcall_tabular::Row<'_>)| {
            let (mut reader, _) = rollcall_tabular::Reader::of_file(&COLUMNS, &file).unwrap();
            while let Some(row) = reader.next_row().unwrap() {
                take(&row);
            }
        };
        each(&mut |row| ledger.read_row(row));
        ledger.seal();
        if ledger.users() > 0 {
            let (owners, numbers) = (HashMap::new(), NumbersNow::default());
            let plan = ledger.plan(0, target(Some(&user(&[1, 2, 3])), &owners, &numbers, 9));
            ledger.record(&plan);
        }
        let mut told = Vec::new();
        each(&mut |row| told.push(ledger.judge(row).status));
        told
    };
    let (done, passed) = (crate::report::RowStatus::Applied, crate::report::RowStatus::Unchanged);
    assert_eq!(told(brought.to_vec()), [done, done]);
    assert_eq!(told(vec![effect(&[2], &[], UserEffect::None)]), [passed, done]);
    assert_eq!(told(Vec::new()), [passed, passed]);
}

#[test]
fn a_swap_is_undone_whole_or_not_at_all() {
    // 1 and 3 were replaced by 11, 2 by 12.
    let rotated = effect(&[11, 12], &[(1, Some(11)), (2, Some(12)), (3, Some(11))], UserEffect::None);
    let all = [1, 2, 3, 11, 12].map(number);
    let owners = HashMap::new();
    for (taken, list, after, failed) in [
        (&[1, 2, 3][..], &[11, 12][..], &[1, 2, 3][..], 0),
        (&[2], &[11, 12], &[2, 11], 3),
        (&[1, 2], &[11, 12], &[1, 2, 11], 2),
        (&[], &[11, 12], &[11, 12], 5),
        // Somebody has put it back.
        (&[1, 2, 3], &[1, 11, 12], &[1, 2, 3], 0),
        // Somebody has taken the replacement off.
        (&[1, 2, 3], &[12], &[2], 0),
    ] {
        let now = user(list);
        let taken: HashSet<CallerId> = taken.iter().copied().map(number).chain([11, 12].map(number)).collect();
        let dialable = DialableNumbers::these(all.iter().map(|&number| (number, None)));
        let numbers_now = NumbersNow { taken: Some(taken), before: dialable.clone(), dialable };
        let plan = UndoPlan::decide(&rotated, target(Some(&now), &owners, &numbers_now, 100), Way::Free);
        assert_eq!(plan.lists().unwrap()[1], numbers(after), "{list:?}");
        let fails = |since: &SkipReason| matches!(since, SkipReason::Retired | SkipReason::OldNotBack);
        assert_eq!(plan.passed_over.iter().filter(|(_, since)| fails(since)).count(), failed, "{list:?}");
    }
}

#[test]
fn nobody_is_left_without_a_number_by_an_undo_unless_that_was_so_before() {
    let owners = HashMap::new();
    let dialable = DialableNumbers::these([1, 2].map(|n| (number(n), None)));
    let numbers_now = NumbersNow { taken: None, before: dialable.clone(), dialable };
    for (had_none, allow_empty, list, after, left) in [
        (false, false, &[1][..], &[1][..], false),
        (true, false, &[1], &[], true),
        (false, true, &[1], &[], false),
        (false, false, &[1, 2], &[2], false),
        (false, false, &[1, 9], &[1, 9], false),
    ] {
        let appended = Effect { had_none, ..effect(&[1], &[], UserEffect::None) };
        let now = user(list);
        let present = UndoTarget { allow_empty, ..target(Some(&now), &owners, &numbers_now, 100) };
        let plan = UndoPlan::decide(&appended, present, Way::Free);
        assert_eq!((plan.lists().unwrap()[1].clone(), plan.leaves_none), (numbers(after), left), "{list:?}");
    }
}

#[test]
fn a_second_undo_takes_up_what_the_first_has_passed_over() {
    let rotated = effect(&[11], &[(1, Some(11)), (2, None)], UserEffect::None);
    let owners = HashMap::new();
    let taken = Some(HashSet::from([number(1)]));
    let (now, numbers_now) = (user(&[11]), NumbersNow { taken, ..NumbersNow::default() });
    let first = UndoPlan::decide(&rotated, target(Some(&now), &owners, &numbers_now, 100), Way::Free);
    let left = rotated.without(&first);
    assert_eq!((left.acts(), left.is_any()), (vec![Act::PutBack(number(2))], true));
    let second = decide(&left, Some(&user(&[1])));
    assert!(!left.without(&second).is_any());
}

proptest! {
    /// Whatever a job puts on and takes off, an undo right after it gives the list from before; and whatever others add in
    /// between stays.
    #[test]
    fn an_undo_gives_the_list_from_before(
        before in proptest::collection::btree_set(0_u64..20, 0..10),
        added in proptest::collection::btree_set(0_u64..40, 0..10),
        pairs in proptest::collection::btree_map(0_u64..20, proptest::option::of(20_u64..40), 0..10),
        others in proptest::collection::btree_set(50_u64..60, 0..5),
        policy in proptest::sample::select(vec![Policy::All, Policy::Department, Policy::Custom]),
    ) {
        let removed: Vec<(u64, Option<u64>)> = pairs.into_iter().filter(|(old, _)| before.contains(old)).collect();
        let new: BTreeSet<u64> = removed.iter().filter_map(|&(_, new)| new).chain(added).collect();
        let left: BTreeSet<u64> = before.iter().copied().filter(|n| removed.iter().all(|(old, _)| old != n)).collect();
        let added: Vec<u64> = new.difference(&before).copied().collect();
        let now: Vec<u64> = left.iter().chain(&added).chain(&others).copied().collect::<BTreeSet<_>>().into_iter().collect();
        let present = User { policy, ..user(&now) };
        let plan = decide(&effect(&added, &removed, UserEffect::None), Some(&present));
        let expected: Vec<u64> = before.union(&others).copied().collect();
        // A list that stays as it was, be it an empty one, is not written.
        prop_assert_eq!(plan.writes(), !removed.is_empty() || !added.is_empty());
        prop_assert_eq!(plan.lists().map(|[_, after]| after), Some(numbers(&expected)));
        prop_assert!(plan.passed_over.is_empty());
    }

    /// A second undo finds nothing to do that would change the list.
    #[test]
    fn a_second_undo_takes_nothing_more_off(
        before in proptest::collection::btree_set(0_u64..20, 0..10),
        added in proptest::collection::btree_set(20_u64..40, 1..10),
    ) {
        let added: Vec<u64> = added.into_iter().collect();
        let list: Vec<u64> = before.into_iter().collect();
        let again = decide(&effect(&added, &[], UserEffect::None), Some(&user(&list)));
        prop_assert!(!again.writes());
        prop_assert_eq!(again.passed_over.len(), added.len());
    }
}
