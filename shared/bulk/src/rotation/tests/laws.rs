//! What holds for every list, and for every order in which appends and rotations take turns.

use super::*;

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
        Holder { login: user.to_string(), created: None, policy: self.policies[user], department: None, caller_ids }
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
        let rules = Rules::new(&pairs, &table.inventory, terms(allow_empty));
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
        let rules = Rules::new(&checked(&rows_of(&new), &inventory, &[]), &inventory, terms(allow_empty));
        let list: Vec<u64> = list.into_iter().collect();
        let plan = RotationPlan::decide("asha", Some(&holder(policy, &list)), &rules);
        let [before, after] = plan.change().expect("it was decided on a list");
        prop_assert_eq!(&before, &numbers(&list));
        prop_assert!(after.iter().all(|number| !rules.retires(*number) || plan.kept.contains(number)));

        let deed: Effect = plan.into();
        let profile = Profile::named("Asha").expect("a name");
        let user = User { policy, caller_ids: after, ..User::new("asha".parse().expect("a login ID"), profile) };
        let (owners, now) = (HashMap::new(), NumbersNow::default());
        let present = UndoTarget { user: Some(&user), owners: &owners, numbers: &now, limit: 100, allow_empty: true, now: Timestamp::UNIX_EPOCH };
        let undo = Undo::new(vec![deed], &[]).plan(0, present);
        let [_, restored] = undo.lists().expect("it was decided on a list");
        prop_assert_eq!(restored, before);
        prop_assert!(undo.passed_over.is_empty());
    }

    /// Who is left out keeps everything, and the numbers stay in service.
    #[test]
    fn who_is_left_out_of_a_rotation_keeps_the_list((policy, list) in policy_and_list(), allow_empty: bool) {
        let inventory = in_service(0..8);
        let rules = Rules::new(&checked(&rows_of(&[None, Some(6), Some(7)]), &inventory, &[]), &inventory, terms(allow_empty));
        let list: Vec<u64> = list.into_iter().collect();
        let mut plan = RotationPlan::decide("asha", Some(&holder(policy, &list)), &rules);
        plan.leave_out(LeftOut::NotStorable);
        prop_assert!(!plan.writes() && plan.added.is_empty());
        prop_assert_eq!(plan.kept, numbers(&list).into_iter().filter(|number| rules.retires(*number)).collect::<Vec<_>>());
    }
}
