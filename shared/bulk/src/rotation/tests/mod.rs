//! Rotations as a whole: pairs, users, rows, and what a rotation and an append do to each other.

mod laws;
mod requests;

use super::rows::ROWS;
use super::*;
use crate::bulk_job::{BulkJob, Overtaken, Plan};
use crate::{
    append::{AppendPlan, LoginLookup},
    left_out::LeftOut,
    report::{Report, RowStatus},
    undo::{Effect, NumbersNow, UndoLedger as Undo, UndoTarget},
};
use jiff::Timestamp;
use proptest::prelude::*;
use rollcall_model::{
    caller_id::CallerId,
    inventory::{InventoryNumber, NumberFacts, NumberState},
    jobs::JobId,
    user::{Policy, Profile, User},
};
use rollcall_tabular::{Reader, Row};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

fn number(last: u64) -> CallerId {
    format!("+9198765{last:05}").parse().unwrap()
}

fn numbers(lasts: &[u64]) -> Vec<CallerId> {
    lasts.iter().copied().map(number).collect()
}

fn item(last: u64, state: NumberState) -> InventoryNumber {
    InventoryNumber::new(number(last), NumberFacts { state, ..NumberFacts::default() }, Timestamp::UNIX_EPOCH)
}

fn in_service(lasts: impl IntoIterator<Item = u64>) -> Vec<InventoryNumber> {
    lasts.into_iter().map(|last| item(last, NumberState::Active)).collect()
}

fn job(digit: &str) -> JobId {
    JobId::parse(&digit.repeat(32)).unwrap()
}

fn checked(pairs: &str, inventory: &[InventoryNumber], stale: &[JobId]) -> Vec<Checked> {
    let asked = read_file(format!("Old Caller ID,New Caller ID\n{pairs}").as_bytes()).unwrap();
    check(asked, "IN".parse().unwrap(), inventory, stale)
}

fn terms(allow_empty: bool) -> Terms {
    Terms { retires: true, keep_departments: false, allow_empty }
}

fn rules(pairs: &str, inventory: &[InventoryNumber], allow_empty: bool) -> Rules {
    Rules::new(&checked(pairs, inventory, &[]), inventory, terms(allow_empty))
}

fn holder(policy: Policy, list: &[u64]) -> Holder {
    Holder { login: "asha".to_owned(), created: None, policy, department: None, caller_ids: numbers(list) }
}

#[test]
fn a_list_loses_the_old_numbers_and_gets_each_new_one_once() {
    let inventory = in_service(0..10);
    let rules = rules("9876500000,9876500005\n9876500001,9876500005\n9876500002,\n", &inventory, false);
    let plan = RotationPlan::decide("asha", Some(&holder(Policy::Custom, &[0, 1, 2, 3])), &rules);
    assert_eq!(plan.added, numbers(&[5]));
    assert_eq!(plan.removed.len(), 3);
    let [before, after] = plan.change().unwrap();
    assert_eq!((before, after), (numbers(&[0, 1, 2, 3]), numbers(&[3, 5])));

    // Who has the replacement gets it no second time, and an undo would not take it away.
    let plan = RotationPlan::decide("asha", Some(&holder(Policy::Custom, &[0, 5])), &rules);
    assert_eq!((plan.added.len(), plan.removed), (0, vec![Pair { old: number(0), new: Some(number(5)) }]));
    let plan = RotationPlan::decide("asha", Some(&holder(Policy::Custom, &[3])), &rules);
    assert!(!plan.writes());
    assert!(!RotationPlan::decide("asha", None, &rules).writes());
}

#[test]
fn nobody_is_left_without_a_number_to_dial_from_unless_that_is_asked_for() {
    let mut inventory = in_service(0..5);
    inventory.extend([item(5, NumberState::Resting), item(6, NumberState::Retired)]);
    let (retire, replace) = ("9876500000,\n9876500001,\n", "9876500000,9876500004\n9876500001,\n");
    for (pairs, allow_empty, policy, list, kept) in [
        (retire, false, Policy::Custom, &[0][..], &[0][..]),
        (retire, false, Policy::Custom, &[0, 1], &[0, 1]),
        // Numbers that nobody can dial from are none.
        (retire, false, Policy::Custom, &[0, 5, 6, 9], &[0]),
        (retire, false, Policy::Custom, &[0, 2], &[]),
        (replace, false, Policy::Custom, &[0, 1], &[]),
        (retire, true, Policy::Custom, &[0], &[]),
        // The list isn't in force.
        (retire, false, Policy::All, &[0], &[]),
        (retire, false, Policy::Department, &[0], &[]),
    ] {
        let plan = RotationPlan::decide("asha", Some(&holder(policy, list)), &rules(pairs, &inventory, allow_empty));
        assert_eq!(plan.kept, numbers(kept), "{pairs}{policy:?} {list:?}");
        assert_eq!(plan.writes(), kept.is_empty());
    }
}

#[test]
fn a_plan_is_kept_without_the_list_it_was_made_for() {
    let inventory = in_service(0..5);
    let rules = rules("9876500000,9876500004\n", &inventory, false);
    let plan = RotationPlan::decide("asha", Some(&holder(Policy::Custom, &[0, 1])), &rules);
    let json = serde_json::to_value(&plan).unwrap();
    let expected = serde_json::json!({
        "login": "asha",
        "removed": [{ "old": "+919876500000", "new": "+919876500004" }],
        "added": ["+919876500004"],
    });
    assert_eq!(json, expected);
    assert_eq!(serde_json::from_value::<RotationPlan>(json).unwrap().change(), None);
}

fn each_row(file: &[u8], mut take: impl FnMut(&Row<'_>)) {
    let mut reader = Reader::new(&ROWS);
    reader.push(file).unwrap();
    reader.end().unwrap();
    while let Some(row) = reader.next_row().unwrap() {
        take(&row);
    }
}

#[test]
fn rows_tell_of_each_number_and_each_who_has_it() {
    let inventory = in_service(0..5);
    let pairs =
        checked("9876500000,9876500004\n9876500001,\njunk,\n9876500002,\n9876500000,9876500004\n", &inventory, &[]);
    let holders = [
        Holder { login: "asha".to_owned(), ..holder(Policy::Custom, &[0, 1]) },
        Holder { login: "=ravi".to_owned(), ..holder(Policy::Custom, &[1]) },
        Holder { login: "gone".to_owned(), ..holder(Policy::Custom, &[0]) },
    ];
    let mut csv = Writer::new(b',');
    rows(&pairs, &holders, &Rules::new(&pairs, &inventory, terms(false)), &BTreeMap::from([(7, "nobody".to_owned())]))
        .for_each(|row| csv.record(row.iter().map(|cell| &**cell)));
    let file = csv.take();
    let rules = Rules::new(&pairs, &inventory, terms(false));
    let mut ledger = RotationLedger::new(pairs);
    each_row(&file, |row| ledger.read_row(row));
    assert_eq!(ledger.users(), 3);
    for user in 0..ledger.users() {
        let holder = holders[..2].iter().find(|holder| holder.login == ledger.login(user));
        let plan = RotationPlan::decide(ledger.login(user), holder, &rules);
        ledger.record(&plan);
    }
    let mut report = None;
    each_row(&file, |row| {
        report.get_or_insert_with(|| Report::new(row.header())).row(row, ledger.judge(row));
    });
    let results = report.unwrap().results.take();
    let mut csv = csv::Reader::from_reader(&results[..]);
    let told: Vec<String> = csv
        .records()
        .map(|row| row.unwrap())
        .map(|row| [2, 3, 5, 6].map(|at| row.get(at).unwrap().to_owned()).join(" ").trim().to_owned())
        .collect();
    let expected = [
        "asha line 2 applied",
        "gone line 2 unchanged NUMBER_NOT_ASSIGNED",
        "asha line 3 applied",
        "'=ravi line 3 failed LIST_WOULD_BE_EMPTY",
        "line 4 failed NUMBER_INVALID",
        "line 5 unchanged NUMBER_NOT_ASSIGNED",
        "line 6 unchanged DUPLICATE_IN_FILE",
        "nobody /only/logins/7 failed USER_NOT_FOUND",
    ];
    assert_eq!(told, expected);
    assert_eq!(ledger.kept(), HashSet::from([number(1)]));
}

/// A rotation that was given up, and whose number another has taken when it is sent back.
#[test]
fn what_was_done_before_others_took_the_number_is_told_as_done() {
    let inventory = in_service(0..5);
    let mut pairs = checked("9876500000,9876500004\n", &inventory, &[]);
    let before = Rules::new(&pairs, &inventory, terms(false));
    let named = |login: &str, list: &[u64]| Holder { login: login.to_owned(), ..holder(Policy::Custom, list) };
    let holders = [named("asha", &[0, 1]), named("ravi", &[0, 2])];
    let mut csv = Writer::new(b',');
    rows(&pairs, &holders, &before, &BTreeMap::new()).for_each(|row| csv.record(row.iter().map(|cell| &**cell)));
    let file = csv.take();
    let done = RotationPlan::decide("asha", Some(&holders[0]), &before);

    pairs[0].lose();
    let now = Rules::new(&pairs, &inventory, terms(false));
    let mut ledger = RotationLedger::new(pairs);
    each_row(&file, |row| ledger.read_row(row));
    ledger.record(&done);
    let left = RotationPlan::decide("ravi", Some(&holders[1]), &now);
    assert!(!left.writes(), "the number is another's to retire");
    ledger.record(&left);
    let mut told = Vec::new();
    each_row(&file, |row| told.push(ledger.judge(row).status));
    assert_eq!(told, [RowStatus::Applied, RowStatus::Failed]);
    assert_eq!(ledger.changed().collect::<Vec<_>>(), ["asha"]);
}

#[test]
fn what_an_earlier_attempt_has_done_stays_its_doing() {
    let inventory = in_service(0..9);
    let pairs = checked(&format!("{},{}\n{},\n", number(0), number(5), number(1)), &inventory, &[]);
    let rules = Rules::new(&pairs, &inventory, terms(false));
    let decide = |list: &[u64]| {
        let holder = holder(Policy::Custom, list);
        RotationPlan::decide("asha", Some(&holder), &rules)
    };
    let earlier = RotationPlan { list: None, ..decide(&[0, 1, 7]) };
    // It was carried out, and another job has written the list since.
    let mut plan = decide(&[5, 8]);
    assert!(!plan.writes());
    plan.merge_previous_attempt(&earlier);
    assert_eq!((&plan.removed, &plan.added), (&earlier.removed, &numbers(&[5])));
    assert_eq!(plan.change(), Some([numbers(&[5, 8]), numbers(&[5, 8])]));
    // It was not.
    let mut plan = decide(&[0, 1, 5]);
    let before = plan.clone();
    plan.merge_previous_attempt(&earlier);
    assert_eq!(plan, before);
    // The user was deleted, and another has the login ID.
    let since = |second| Timestamp::from_second(second).ok();
    let earlier = RotationPlan { created: since(1), ..earlier };
    let holder = Holder { created: since(2), ..holder(Policy::Custom, &[5, 8]) };
    let mut plan = RotationPlan::decide("asha", Some(&holder), &rules);
    plan.merge_previous_attempt(&earlier);
    assert!(!plan.writes());
    assert!(!earlier.clone().keep_done(&plan));
}

/// N7: a swap is carried out whole or not at all, also when the replacement is retired while it is being put on lists.
#[test]
fn what_a_fallen_replacement_had_replaced_comes_back_and_stays_in_service() {
    let inventory = in_service(0..6);
    let pairs = checked("9876500000,9876500005\n9876500001,\n", &inventory, &[]);
    let rules = Rules::new(&pairs, &inventory, terms(false));
    let mut plan = RotationPlan::decide("asha", Some(&holder(Policy::Custom, &[0, 1, 2])), &rules);
    assert_eq!(plan.added, numbers(&[5]));
    let fallen = Overtaken { refused: HashSet::from([number(5)]), gone: HashSet::from([number(5)]) };
    for _ in 0..2 {
        // Once more in a later attempt, it says the same.
        let correction = plan.retract(&fallen).expect("something has fallen");
        assert_eq!((correction.off, correction.back), (numbers(&[5]), &*numbers(&[0])));
    }
    let removed: Vec<CallerId> = plan.removed.iter().map(|pair| pair.old).collect();
    assert_eq!((removed, plan.kept.clone()), (numbers(&[1]), numbers(&[0])));

    // Where what the user was to keep has fallen, all of it comes back that can.
    let mut plan = RotationPlan::decide("asha", Some(&holder(Policy::Custom, &[0, 1, 2])), &rules);
    let partly = Overtaken { gone: HashSet::from([number(1)]), ..Overtaken::default() };
    // Also where somebody has taken the replacement off: then it doesn't come for that.
    let mut bereft = plan.clone();
    bereft.give_back(&partly, &[]);
    let correction = bereft.retract(&Overtaken::default()).expect("it came back");
    assert_eq!((correction.off, correction.back), (numbers(&[]), &*numbers(&[0])));
    plan.give_back(&partly, &numbers(&[2, 5]));
    let correction = plan.retract(&Overtaken::default()).expect("it came back");
    assert_eq!((correction.off, correction.back), (numbers(&[5]), &*numbers(&[0])));

    // Others may have seen the list in between, also where it is whole again.
    let mut plan = RotationPlan::decide("asha", Some(&holder(Policy::Custom, &[1, 2])), &rules);
    let mut ledger = RotationLedger::new(pairs.clone());
    let rows: Vec<String> = rows(&pairs, &[holder(Policy::Custom, &[1, 2])], &rules, &BTreeMap::new())
        .map(|row| row.map(std::borrow::Cow::into_owned).join(","))
        .collect();
    each_row(rows.join("\n").as_bytes(), |row| ledger.read_row(row));
    plan.give_back(&Overtaken::default(), &numbers(&[2]));
    assert!(!plan.writes());
    ledger.record(&plan);
    assert_eq!(ledger.changed().collect::<Vec<_>>(), ["asha"]);

    // A later attempt that finds the replacement fallen keeps the number from the beginning.
    let mut fewer = inventory.clone();
    fewer[5].facts.state = NumberState::Retired;
    let plan =
        RotationPlan::decide("asha", Some(&holder(Policy::Custom, &[0])), &Rules::new(&pairs, &fewer, terms(false)));
    assert_eq!((plan.writes(), plan.kept), (false, numbers(&[0])));
}
