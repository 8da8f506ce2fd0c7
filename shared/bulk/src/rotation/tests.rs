//! Rotations as a whole: pairs, users, rows, and what a rotation and an append do to each other.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use proptest::prelude::*;

use super::rows::ROWS;
use super::*;
use crate::bulk_job::{BulkJob, Plan};
use crate::{
    append::{AppendPlan, LoginLookup},
    left_out::LeftOut,
    report::Report,
    undo::{Effect, UndoLedger as Undo, UndoTarget},
};
use rollcall_model::{
    caller_id::CallerId,
    inventory::{InventoryNumber, NumberFacts, NumberState},
    jobs::JobId,
    user::{Policy, Profile, User},
};
use rollcall_tabular::{Reader, Row};

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

/// What is thought of each pair: nothing for a good one.
fn verdicts(pairs: &[Checked]) -> Vec<String> {
    let verdict = |pair: &Checked| match &pair.verdict {
        PairVerdict::Good(_) => String::new(),
        PairVerdict::Repeated(_) => "repeated".to_owned(),
        PairVerdict::Bad { code, field, .. } => format!("{code} {}", field.split(' ').next().unwrap()),
    };
    pairs.iter().map(verdict).collect()
}

#[test]
fn a_bad_pair_costs_itself_alone() {
    let mut inventory = in_service(0..10);
    inventory.push(item(10, NumberState::Retired));
    inventory.push(item(11, NumberState::Resting));
    inventory.push(InventoryNumber { reserved_by: Some(job("a")), ..item(12, NumberState::Active) });
    let cases = [
        ("9876500000,9876500001", ""),
        ("9876500002,", ""),
        ("junk,9876500001", "NUMBER_INVALID Old"),
        ("9.8765E9,", "NUMBER_SCIENTIFIC Old"),
        (",9876500001", "NUMBER_MISSING Old"),
        ("9876509999,", "NUMBER_NOT_OWNED Old"),
        ("9876500010,", "NUMBER_RETIRED Old"),
        ("9876500011,9876500001", ""),
        ("9876500012,", "NUMBER_IN_ROTATION Old"),
        ("9876500003,9876509999", "NUMBER_NOT_OWNED New"),
        ("9876500004,junk", "NUMBER_INVALID New"),
        ("9876500005,9876500010", "REPLACEMENT_UNUSABLE New"),
        ("9876500006,9876500011", "REPLACEMENT_UNUSABLE New"),
        ("9876500007,9876500012", "REPLACEMENT_UNUSABLE New"),
        ("9876500000,9876500001", "repeated"),
        ("+919876500000,9876500008", "DUPLICATE_NUMBER Old"),
        ("\"9876500009", "MALFORMED_CSV Old"),
    ];
    let file: String = cases.iter().map(|(row, _)| format!("{row}\n")).collect();
    assert_eq!(verdicts(&checked(&file, &inventory, &[])), cases.map(|(_, verdict)| verdict));
    assert_eq!(verdicts(&checked("9876500012,\n", &inventory, &[job("a")])), [""], "a mark that nobody will take away");
}

#[test]
fn what_leaves_takes_nobodys_place() {
    let inventory = in_service(0..5);
    let bad = "REPLACEMENT_UNUSABLE New";
    for (pairs, verdict) in [
        ("9876500000,9876500000\n", vec![bad]),
        ("9876500000,9876500001\n9876500001,9876500000\n", vec![bad, bad]),
        ("9876500000,9876500001\n9876500001,9876500002\n", vec![bad, ""]),
        ("9876500000,9876500001\n9876500001,\n9876500002,9876500003\n", vec![bad, "", ""]),
        // Also where it is itself not to be had.
        ("9876500000,9876500001\n9876500001,junk\n", vec![bad, "NUMBER_INVALID New"]),
    ] {
        assert_eq!(verdicts(&checked(pairs, &inventory, &[])), verdict, "{pairs}");
    }
}

fn rules(pairs: &str, inventory: &[InventoryNumber], allow_empty: bool) -> Rules {
    Rules::new(&checked(pairs, inventory, &[]), inventory, allow_empty)
}

fn holder(policy: Policy, list: &[u64]) -> Holder {
    Holder { login: "asha".to_owned(), policy, caller_ids: numbers(list) }
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
    let (file, count) = rows(&pairs, &holders, &BTreeMap::from([(7, "nobody".to_owned())]));
    let rules = Rules::new(&pairs, &inventory, false);
    let mut ledger = RotationLedger::new(pairs);
    each_row(&file, |row| ledger.read_row(row));
    assert_eq!((ledger.users(), count), (3, 8));
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

#[test]
fn the_sample_reads_back() {
    let pairs = read_file(&sample()).unwrap();
    let pairs: Vec<_> = pairs.iter().map(|pair| (pair.at.as_str(), pair.old.as_str(), pair.new.as_str())).collect();
    assert_eq!(pairs, [("line 2", "987654321", "987654322"), ("line 3", "987654320", "")]);
}

fn request(json: &str) -> Result<RotationRequest, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

#[test]
fn replacements_go_by_order_or_by_the_old_number() {
    for (json, new) in [
        (r#"{"retire": ["1", "2"]}"#, ["", ""]),
        (r#"{"retire": ["1", "2"], "replace_with": ["3", "4"]}"#, ["3", "4"]),
        (r#"{"retire": ["1", "2"], "replace_with": {"2": "4"}}"#, ["", "4"]),
    ] {
        let request = request(json).unwrap();
        assert_eq!(request.pairs().unwrap().into_iter().map(|pair| pair.new).collect::<Vec<_>>(), new);
        assert_eq!(serde_json::from_slice::<RotationRequest>(&request.to_json()).unwrap(), request);
    }
    assert_eq!(
        request(r#"{"retire": ["1"], "only": {"team": "north"}}"#).unwrap().only.unwrap(),
        Only::Team("north".parse().unwrap())
    );
}

#[test]
fn what_cannot_be_asked_for_is_refused_with_the_field() {
    let many = serde_json::to_string(&vec!["1"; MAX_NUMBERS + 1]).unwrap();
    let logins = serde_json::to_string(&vec!["u"; MAX_LOGINS + 1]).unwrap();
    for (json, pointer) in [
        (r#"{"retire": []}"#, "/retire"),
        (&*format!("{{\"retire\": {many}}}"), "/retire"),
        (r#"{"retire": ["1", " "]}"#, "/retire/1"),
        (r#"{"retire": ["1", "2"], "replace_with": ["3"]}"#, "/replace_with"),
        (r#"{"retire": ["1"], "replace_with": [""]}"#, "/replace_with/0"),
        (r#"{"retire": ["1"], "replace_with": {"a/b": "2"}}"#, "/replace_with/a~1b"),
        (r#"{"retire": ["1"], "only": {"logins": []}}"#, "/only/logins"),
        (&*format!("{{\"retire\": [\"1\"], \"only\": {{\"logins\": {logins}}}}}"), "/only/logins"),
        (r#"{"retire": ["1"], "quarantine_days": 0}"#, "/quarantine_days"),
        (r#"{"retire": ["1"], "quarantine_days": 3651}"#, "/quarantine_days"),
    ] {
        let fault = request(json).unwrap().pairs().expect_err(json);
        assert_eq!(fault.pointer, pointer, "{json:.100}");
    }
    for json in [
        "{}",
        r#"{"retire": ["1"], "replacewith": ["2"]}"#,
        r#"{"retire": ["1"], "replace_with": "2"}"#,
        r#"{"retire": ["1"], "only": {"department": "a", "team": "b"}}"#,
        r#"{"retire": ["1"], "only": {}}"#,
    ] {
        assert!(request(json).is_err(), "{json}");
    }
}

#[test]
fn what_an_earlier_attempt_has_done_stays_its_doing() {
    let inventory = in_service(0..9);
    let pairs = checked(&format!("{},{}\n{},\n", number(0), number(5), number(1)), &inventory, &[]);
    let rules = Rules::new(&pairs, &inventory, false);
    let decide = |list: &[u64]| {
        let holder = Holder { login: "asha".into(), policy: Policy::Custom, caller_ids: numbers(list) };
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
}

/// The table, as a rotation and an append see it: one read or write at a time.
struct Table {
    lists: Vec<BTreeSet<CallerId>>,
    policies: Vec<Policy>,
    inventory: Vec<InventoryNumber>,
}

impl Table {
    fn refused(&self) -> HashSet<CallerId> {
        self.inventory.iter().filter(|item| !item.is_assignable()).map(|item| item.number).collect()
    }

    fn holder(&self, user: usize) -> Holder {
        let caller_ids = self.lists[user].iter().copied().collect();
        Holder { login: user.to_string(), policy: self.policies[user], caller_ids }
    }
}

/// A user's policy and list.
fn policy_and_list() -> impl Strategy<Value = (Policy, BTreeSet<u64>)> {
    let policy = prop::sample::select(vec![Policy::Custom, Policy::All, Policy::Department]);
    (policy, prop::collection::btree_set(0_u64..6, 0..4))
}

/// Pairs of a rotation: the first numbers, each with what replaces it.
fn rows_of(new: &[Option<u64>]) -> String {
    let row = |(old, new): (usize, &Option<u64>)| {
        format!("{},{}\n", number(old as u64), new.map(|new| number(new).to_string()).unwrap_or_default())
    };
    new.iter().enumerate().map(row).collect()
}

/// An append of the same numbers to everybody, in the engine's order.
struct Appending {
    numbers: Vec<CallerId>,
    plans: Vec<AppendPlan>,
    written: usize,
    refused: Option<HashSet<CallerId>>,
    looked_at: usize,
}

impl Appending {
    /// Does the next read or write. `false` when there is none.
    fn step(&mut self, table: &mut Table) -> bool {
        let users = table.lists.len();
        if self.plans.len() < users {
            // The inventory has been read at the very beginning; each user is read for itself.
            if self.plans.is_empty() {
                let refused = table.refused();
                self.numbers.retain(|number| !refused.contains(number));
            }
            let user = self.plans.len();
            let list = table.holder(user).caller_ids;
            let wanted = self.numbers.iter().copied();
            let standing = LoginLookup::User(Policy::Custom);
            self.plans.push(AppendPlan::decide(&user.to_string(), standing, &list, wanted, 100));
        } else if self.written < users {
            table.lists[self.written].extend(&self.plans[self.written].add);
            self.written += 1;
        } else if self.refused.is_none() {
            self.refused = Some(table.refused());
        } else if let (Some(refused), true) = (&self.refused, self.looked_at < users) {
            let added = &self.plans[self.looked_at].add;
            table.lists[self.looked_at].retain(|number| !added.contains(number) || !refused.contains(number));
            self.looked_at += 1;
        } else {
            return false;
        }
        true
    }
}

/// A rotation, in the engine's order.
struct Rotating {
    pairs: Vec<Checked>,
    rules: Rules,
    marked: bool,
    walked: usize,
    plans: Vec<RotationPlan>,
    written: usize,
    concluded: bool,
}

impl Rotating {
    fn step(&mut self, table: &mut Table) -> bool {
        let retires = |item: &InventoryNumber| self.rules.retires(item.number);
        if !self.marked {
            for item in table.inventory.iter_mut().filter(|item| retires(item)) {
                item.reserved_by = Some(job("a"));
            }
            self.marked = true;
        } else if self.walked < table.lists.len() {
            let holder = table.holder(self.walked);
            if holder.caller_ids.iter().any(|&number| self.rules.retires(number)) {
                self.plans.push(RotationPlan::decide(&holder.login, Some(&holder), &self.rules));
            }
            self.walked += 1;
        } else if let Some(plan) = self.plans.get_mut(self.written) {
            let user: usize = plan.login.parse().unwrap();
            match plan.change().filter(|_| plan.writes()) {
                None => self.written += 1,
                Some([before, after]) if table.holder(user).caller_ids == before => {
                    table.lists[user] = after.into_iter().collect();
                    self.written += 1;
                }
                Some(_) => *plan = RotationPlan::decide(&plan.login.clone(), Some(&table.holder(user)), &self.rules),
            }
        } else if !self.concluded {
            let kept: HashSet<CallerId> = self.plans.iter().flat_map(|plan| plan.kept.iter().copied()).collect();
            for item in table.inventory.iter_mut().filter(|item| retires(item)) {
                item.reserved_by = None;
                if !kept.contains(&item.number) {
                    item.facts.state = NumberState::Retired;
                }
            }
            self.concluded = true;
        } else {
            return false;
        }
        true
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever comes between what: a number that is retired in the end is on nobody's list, and whoever lost one has what
    /// replaces it.
    #[test]
    fn nobody_keeps_or_gets_a_number_that_was_retired(
        users in prop::collection::vec(policy_and_list(), 1..5),
        new in prop::collection::vec(prop::option::of(6_u64..8), 1..4),
        appended in prop::collection::vec(0_u64..8, 1..4),
        allow_empty: bool,
        turns in prop::collection::vec(any::<bool>(), 0..60),
    ) {
        let mut table = Table {
            lists: users.iter().map(|(_, list)| list.iter().copied().map(number).collect()).collect(),
            policies: users.iter().map(|(policy, _)| *policy).collect(),
            inventory: in_service(0..8),
        };
        let before = table.lists.clone();
        let pairs = checked(&rows_of(&new), &table.inventory, &[]);
        let rules = Rules::new(&pairs, &table.inventory, allow_empty);
        let mut rotating =
            Rotating { pairs, rules, marked: false, walked: 0, plans: Vec::new(), written: 0, concluded: false };
        let mut appending =
            Appending { numbers: numbers(&appended), plans: Vec::new(), written: 0, refused: None, looked_at: 0 };
        for append in turns {
            if append { appending.step(&mut table) } else { rotating.step(&mut table) };
        }
        while appending.step(&mut table) {}
        while rotating.step(&mut table) {}

        let retired: BTreeSet<CallerId> = table.refused().into_iter().collect();
        for pair in rotating.pairs.iter().filter_map(Checked::good) {
            let kept = rotating.plans.iter().any(|plan| plan.kept.contains(&pair.old));
            prop_assert_eq!(retired.contains(&pair.old), !kept);
        }
        for list in &table.lists {
            prop_assert!(list.is_disjoint(&retired), "a retired number is on a list");
        }
        for plan in &rotating.plans {
            let user: usize = plan.login.parse().unwrap();
            for new in plan.removed.iter().filter_map(|pair| pair.new) {
                prop_assert!(table.lists[user].contains(&new), "the replacement is missing");
            }
            let had: BTreeSet<_> = before[user].difference(&retired).copied().collect();
            let may_be_empty = allow_empty || table.policies[user] != Policy::Custom;
            prop_assert!(may_be_empty || before[user].is_empty() || !table.lists[user].is_empty());
            let replaced: HashSet<CallerId> = plan.removed.iter().map(|pair| pair.old).collect();
            prop_assert!(had.iter().all(|number| table.lists[user].contains(number) || replaced.contains(number)));
        }
    }

    /// An undo right after a rotation gives every list from before, whatever the policy, and also where nothing was left on it.
    #[test]
    fn an_undo_gives_back_every_list_that_a_rotation_has_changed(
        (policy, list) in policy_and_list(),
        new in prop::collection::vec(prop::option::of(6_u64..8), 1..6),
        allow_empty: bool,
    ) {
        let inventory = in_service(0..8);
        let rules = Rules::new(&checked(&rows_of(&new), &inventory, &[]), &inventory, allow_empty);
        let list: Vec<u64> = list.into_iter().collect();
        let plan = RotationPlan::decide("asha", Some(&holder(policy, &list)), &rules);
        let [before, after] = plan.change().expect("it was decided on a list");
        prop_assert_eq!(&before, &numbers(&list));
        prop_assert!(after.iter().all(|number| !rules.retires(*number) || plan.kept.contains(number)));

        let deed: Effect = plan.into();
        let profile = Profile::named("Asha").expect("a name");
        let user = User { policy, caller_ids: after, ..User::new("asha".parse().expect("a login ID"), profile) };
        let owners = HashMap::new();
        let present = UndoTarget { user: Some(&user), owners: &owners, taken: None, limit: 100 };
        let undo = Undo::new(vec![deed], &[]).plan(0, present);
        let [_, restored] = undo.lists().expect("it was decided on a list");
        prop_assert_eq!(restored, before);
        prop_assert!(undo.passed_over.is_empty());
    }

    /// Who is left out keeps everything, and the numbers stay in service.
    #[test]
    fn who_is_left_out_of_a_rotation_keeps_the_list((policy, list) in policy_and_list(), allow_empty: bool) {
        let inventory = in_service(0..8);
        let rules = Rules::new(&checked(&rows_of(&[None, Some(6), Some(7)]), &inventory, &[]), &inventory, allow_empty);
        let list: Vec<u64> = list.into_iter().collect();
        let mut plan = RotationPlan::decide("asha", Some(&holder(policy, &list)), &rules);
        plan.leave_out(LeftOut::NotStorable);
        prop_assert!(!plan.writes() && plan.added.is_empty());
        prop_assert_eq!(plan.kept, numbers(&list).into_iter().filter(|number| rules.retires(*number)).collect::<Vec<_>>());
    }
}
