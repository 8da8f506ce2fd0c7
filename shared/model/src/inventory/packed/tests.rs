//! What is packed is the same when it is unpacked, and gives what its items would give.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::{
    inventory::{Attestation, NumberFacts, NumberState, Purpose, SecondLook},
    jobs::JobId,
    user::{Name, Ref},
};

fn number(digits: u64) -> CallerId {
    CallerId::from_digits(&digits.to_string()).unwrap()
}

fn job(letter: char) -> JobId {
    JobId::parse(&letter.to_string().repeat(32)).unwrap()
}

fn item() -> impl Strategy<Value = InventoryNumber> {
    let digits = prop_oneof![
        1_000_u64..1_040,
        919_876_500_000_u64..919_876_500_020,
        999_999_999_999_900_u64..999_999_999_999_999
    ];
    let text = |words: &'static [&'static str]| prop::sample::select(words);
    let facts = (
        prop::sample::select(&NumberState::ALL[..]),
        prop::option::of(text(&["sales", "support"])),
        prop::option::of(text(&["98765 43210", "०१२"])),
        prop::collection::vec(text(&["hot", "north"]), 0..3),
        prop::option::of(prop::sample::select(&[Attestation::A, Attestation::C][..])),
        prop::option::of(prop::sample::select(&[Purpose::Promotional, Purpose::Other][..])),
    );
    let rest = (
        prop::option::of(prop::sample::select(&['a', 'b'][..])),
        prop::option::of(1_000_u64..1_040),
        any::<bool>(),
        1_u64..u64::MAX,
        prop::option::of((-100_000_i64..2_000_000_000, 0_i32..1_000_000_000)),
    );
    (digits, facts, rest).prop_map(|(digits, facts, (by, replaced, look, version, since))| {
        let (state, department, provider, labels, attestation, purpose) = facts;
        let since = since.map(|(seconds, nanoseconds)| Timestamp::new(seconds, nanoseconds).unwrap());
        let resting_until = (state == NumberState::Resting).then(|| "2026-12-24".parse().unwrap());
        let facts = NumberFacts {
            provider: provider.map(|text| Name::parse(text).unwrap()),
            state,
            resting_until,
            department: department.map(|id| Ref::parse(id).unwrap()),
            attestation,
            purpose,
            labels: labels.iter().map(|label| Ref::parse(label).unwrap()).collect(),
        };
        let replaced_by = replaced.map(number);
        let second_look = look.then(|| SecondLook { from: "2027-01-01".parse().unwrap(), replacement: replaced_by });
        InventoryNumber {
            dates: Dates { state_since: since, in_service_since: None, flagged_since: since },
            reserved_by: by.map(job),
            state_by: by.filter(|_| look).map(job),
            department_by: by.filter(|_| !look).map(job),
            replaced_by,
            second_look,
            version,
            ..InventoryNumber::new(number(digits), facts, Timestamp::UNIX_EPOCH)
        }
    })
}

/// Numbers of an inventory, each once.
fn items() -> impl Strategy<Value = Vec<InventoryNumber>> {
    prop::collection::vec(item(), 0..40).prop_map(|mut items| {
        items.sort_by_key(|item| item.number);
        items.dedup_by_key(|item| item.number);
        items
    })
}

proptest! {
    #[test]
    fn nothing_of_a_number_is_lost(items in items(), halved in any::<bool>()) {
        let part = Part::of(items.clone());
        let parts = if halved { part.halves().into() } else { vec![part] };
        let read = parts.iter().map(|part| Arc::new(Part::unpack(&part.pack()).unwrap())).collect();
        let inventory = Inventory::of_parts(read);
        prop_assert_eq!(inventory.whole().collect::<Vec<_>>(), items.clone());
        prop_assert_eq!(inventory.len(), items.len());
        for digits in 1_000..1_040 {
            let expected = items.iter().find(|item| item.number == number(digits)).cloned();
            prop_assert_eq!(inventory.get(number(digits)), expected);
        }
    }

    #[test]
    fn a_permission_allows_what_is_usable_and_covered(
        items in items(),
        policy in prop::sample::select(&[Policy::All, Policy::Department, Policy::Custom][..]),
        department in prop::option::of(prop::sample::select(&["sales", "support"][..])),
        list in prop::collection::btree_set(1_000_u64..1_040, 0..20),
    ) {
        let permission = DialPermission {
            policy,
            department: department.map(|id| Ref::parse(id).unwrap()),
            caller_ids: list.into_iter().map(number).collect(),
        };
        let expected: Vec<CallerId> = match (items.is_empty(), policy) {
            (true, Policy::Custom) => permission.caller_ids.clone(),
            _ => items.iter().filter(|item| permission.allows(item)).map(|item| item.number).collect(),
        };
        let inventory = Inventory::of(items);
        prop_assert_eq!(&inventory.allowed(&permission), &expected);
        for digits in 1_000..1_040 {
            prop_assert_eq!(inventory.allows(&permission, number(digits)), expected.contains(&number(digits)));
        }
    }

    #[test]
    fn a_change_is_a_part_of_the_changed_numbers(items in items(), changes in items(), gone in prop::collection::vec(any::<bool>(), 40)) {
        let mut expected = items.clone();
        let changes: Vec<_> = changes.into_iter().zip(gone).collect();
        for (item, gone) in &changes {
            expected.retain(|other| other.number != item.number);
            expected.extend((!gone).then(|| item.clone()));
        }
        let changes = changes.into_iter().map(|(item, gone)| (item.number, (!gone).then_some(item))).collect();
        prop_assert_eq!(Part::of(items).changed(changes), Part::of(expected));
    }

    #[test]
    fn what_is_no_part_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..64), cut in any::<prop::sample::Index>()) {
        // What is read may be anything; it must end, and never be taken for numbers that it doesn't hold.
        let _ = Part::unpack(&bytes);
        let packed = Part::of(vec![InventoryNumber::new(number(1_000), NumberFacts::default(), Timestamp::UNIX_EPOCH)]).pack();
        prop_assert!(Part::unpack(&packed[..cut.index(packed.len())]).is_err());
        let other_form = [&[packed[0] + 1], &packed[1..]].concat();
        prop_assert!(Part::unpack(&other_form).is_err());
    }
}

#[test]
fn a_number_takes_a_few_bytes() {
    // Bought at random from a country's ten digits, in five departments: the hardest to pack.
    let at = Timestamp::UNIX_EPOCH;
    let departments = ["sales", "support", "north", "south", "east"].into_iter().cycle();
    let items = (0..1_000_u64).zip(departments).map(|(n, department)| {
        let department = Ref::parse(department).ok();
        let digits = 910_000_000_000 + n.wrapping_mul(6_364_136_223_846_793_005) % 9_999_999_999;
        InventoryNumber::new(number(digits), NumberFacts { department, ..NumberFacts::default() }, at)
    });
    let packed = Part::of(items.collect()).pack();
    assert!(packed.len() < 8 * 1_024, "{} bytes", packed.len());
}
