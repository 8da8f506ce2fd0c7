//! Mappings over random histories, held against a reference of a few lines.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;

use super::{decide, *};
use crate::left_out::LeftOut;
use rollcall_model::{
    email::EmailAddress,
    inventory::{NumberFacts, NumberState},
    mapping::{Explanation, ExplanationInput, GivenMapping, Link},
    phone_side::{PhoneSide, PhoneUser},
    user::Ref,
    user::User,
};

const NUMBERS: usize = 6;
const STATES: [NumberState; 5] =
    [NumberState::New, NumberState::Active, NumberState::Flagged, NumberState::Resting, NumberState::Retired];

fn number(at: usize) -> CallerId {
    format!("+9198765432{at:02}").parse().unwrap()
}

fn phone_user(at: usize) -> PhoneUserId {
    PhoneUserId::parse(&format!("p{at}")).unwrap()
}

fn email(at: usize) -> EmailAddress {
    format!("person{at}@example.com").parse().unwrap()
}

fn facts(inventory: &[InventoryNumber]) -> Facts {
    Facts::new(inventory.to_vec(), Timestamp::UNIX_EPOCH)
}

fn item(at: usize, state: NumberState) -> InventoryNumber {
    let department = Ref::parse(if at.is_multiple_of(2) { "even" } else { "odd" }).ok();
    InventoryNumber::new(number(at), NumberFacts { state, department, ..NumberFacts::default() }, Timestamp::UNIX_EPOCH)
}

/// What happens.
#[derive(Clone, Debug)]
enum Event {
    /// A phone user gets this permission; it comes back, if it was gone.
    Allow(usize, Allowed),
    /// A phone user is gone.
    Leave(usize),
    /// A number's state changes.
    Number(usize, usize),
    /// A person maps a CRM user to a phone user, or to whoever has this address.
    Map(usize, Option<usize>, usize),
    /// A mapping is taken away.
    Unmap(usize),
    /// A resync runs, and dies after so many writes.
    Resync(usize),
}

#[derive(Clone, Debug)]
enum Allowed {
    All,
    Department(bool),
    Custom(BTreeSet<usize>),
}

impl Allowed {
    fn permission(&self) -> DialPermission {
        match self {
            Self::All => DialPermission::all(),
            Self::Department(even) => {
                DialPermission::department(Ref::parse(if *even { "even" } else { "odd" }).unwrap())
            }
            Self::Custom(list) => DialPermission::custom(list.iter().map(|&at| number(at))),
        }
    }

    /// The reference: the numbers that it covers, in service or not.
    fn covers(&self, at: usize) -> bool {
        match self {
            Self::All => true,
            Self::Department(even) => at.is_multiple_of(2) == *even,
            Self::Custom(list) => list.contains(&at),
        }
    }
}

fn event() -> impl Strategy<Value = Event> {
    let allowed = prop_oneof![
        Just(Allowed::All),
        any::<bool>().prop_map(Allowed::Department),
        prop::collection::btree_set(0..NUMBERS, 0..NUMBERS).prop_map(Allowed::Custom),
    ];
    prop_oneof![
        3 => (0..4_usize, allowed).prop_map(|(user, allowed)| Event::Allow(user, allowed)),
        1 => (0..4_usize).prop_map(Event::Leave),
        2 => (0..NUMBERS, 0..STATES.len()).prop_map(|(number, state)| Event::Number(number, state)),
        3 => (0..4_usize, prop::option::of(0..4_usize), 0..4_usize).prop_map(|(crm, to, email)| Event::Map(crm, to, email)),
        1 => (0..4_usize).prop_map(Event::Unmap),
        3 => (0..6_usize).prop_map(Event::Resync),
    ]
}

#[derive(Default)]
struct World {
    phones: BTreeMap<usize, Allowed>,
    states: [usize; NUMBERS],
    mappings: BTreeMap<usize, Mapping>,
    /// The reference: what each CRM user was allowed at the last resync that reached its mapping.
    last: BTreeMap<usize, Allowed>,
}

impl World {
    fn inventory(&self) -> Vec<InventoryNumber> {
        (0..NUMBERS).map(|at| item(at, STATES[self.states[at]])).collect()
    }

    fn side(&self) -> PhoneSide {
        let users = self.phones.iter().map(|(&at, allowed)| PhoneUser {
            id: phone_user(at),
            login: None,
            email: Some(email(at)),
            permission: Some(allowed.permission()),
        });
        PhoneSide::new(users.collect()).unwrap()
    }

    /// The reference: which phone user a mapping leads to.
    fn meant(&self, mapping: &Mapping) -> Option<usize> {
        let there = |id: &PhoneUserId| self.phones.keys().copied().find(|&at| phone_user(at) == *id);
        if let Some(chosen) = &mapping.given.phone_user {
            return there(chosen);
        }
        let before = match &mapping.state {
            MappingState::Mapped { phone_user } | MappingState::Orphaned { phone_user } => there(phone_user),
            MappingState::Unmapped | MappingState::Ambiguous { .. } => None,
        };
        let by_email = || self.phones.keys().copied().find(|&at| mapping.given.email == Some(email(at)));
        before.or_else(by_email)
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Allow(user, allowed) => _ = self.phones.insert(*user, allowed.clone()),
            Event::Leave(user) => _ = self.phones.remove(user),
            Event::Number(number, state) => self.states[*number] = *state,
            Event::Map(crm, to, address) => {
                let given = GivenMapping { email: Some(email(*address)), login: None, phone_user: to.map(phone_user) };
                let mapping = match self.mappings.get(crm) {
                    Some(mapping) => mapping.with(given),
                    None => Mapping::new(CrmUserId::parse(&format!("crm{crm}")).unwrap(), given, Timestamp::UNIX_EPOCH),
                };
                if mapping.permission.is_none() {
                    self.last.remove(crm);
                }
                self.mappings.insert(*crm, mapping);
            }
            Event::Unmap(crm) => {
                self.mappings.remove(crm);
                self.last.remove(crm);
            }
            Event::Resync(writes) => self.resync(*writes),
        }
    }

    fn resync(&mut self, writes: usize) {
        let (side, inventory) = (self.side(), self.inventory());
        let index = MatchIndex::of(&side);
        let mut left = writes;
        for crm in self.mappings.keys().copied().collect::<Vec<_>>() {
            let meant = self.meant(&self.mappings[&crm]);
            let Some(after) = decide(&self.mappings[&crm], &index, &facts(&inventory)).after else {
                continue;
            };
            if left == 0 {
                break;
            }
            left -= 1;
            self.mappings.insert(crm, after);
            match meant.map(|at| self.phones[&at].clone()) {
                Some(allowed) => _ = self.last.insert(crm, allowed),
                None => _ = self.last.remove(&crm),
            }
        }
    }
}

proptest! {
    #[test]
    fn what_is_visible_is_the_policy_of_the_last_resync_without_resting_and_retired_numbers(
        events in prop::collection::vec(event(), 1..40)
    ) {
        let mut world = World::default();
        for event in &events {
            world.happen(event);
            let numbers = world.inventory();
            let inventory = Inventory::of(numbers.clone());
            for (crm, mapping) in &world.mappings {
                let seen: Vec<usize> = (0..NUMBERS).filter(|&at| mapping.visible(&inventory).contains(&number(at))).collect();
                let usable = |at: &usize| world.states[*at] < 3;
                let last = world.last.get(crm);
                let expected: Vec<usize> = (0..NUMBERS).filter(usable).filter(|&at| last.is_some_and(|last| last.covers(at))).collect();
                prop_assert_eq!(&seen, &expected, "{:?} after {:?}", mapping, event);
                for at in 0..NUMBERS {
                    let facts = ExplanationInput {
                        number: number(at),
                        mapping: Some(mapping),
                        now: None,
                        item: numbers.iter().find(|item| item.number == number(at)),
                        no_inventory: false,
                        last_resync: None,
                    };
                    let explanation = Explanation::of(&facts);
                    prop_assert_eq!(explanation.visible, seen.contains(&at), "the explanation agrees");
                    prop_assert_eq!(explanation.broken.is_none(), explanation.visible);
                    prop_assert_eq!(explanation.mend.is_none(), explanation.visible);
                }
            }
        }
        // However it died, the next resync brings all to the same, and one after it has nothing to do.
        world.resync(usize::MAX);
        let (side, inventory) = (world.side(), world.inventory());
        let index = MatchIndex::of(&side);
        for mapping in world.mappings.values() {
            let change = decide(mapping, &index, &facts(&inventory));
            prop_assert_eq!(change.after, None);
            prop_assert!(change.granted.is_empty() && change.revoked.is_empty());
        }
    }
}

#[test]
fn each_broken_link_is_named_first_and_mended_by_what_is_said() {
    let inventory = [item(0, NumberState::Active), item(1, NumberState::Retired), item(3, NumberState::Resting)];
    let given = GivenMapping { phone_user: Some(phone_user(0)), ..GivenMapping::default() };
    let unsynced = Mapping::new(CrmUserId::parse("crm").unwrap(), given, Timestamp::UNIX_EPOCH);
    let with = |permission: DialPermission| Mapping { permission: Some(permission), ..unsynced.clone() };
    let listed = with(DialPermission::custom([0, 1, 3, 5].map(number)));
    let empty = with(DialPermission::custom([]));
    let all = DialPermission::all();
    let asked = |mapping: Option<&Mapping>, at: usize, now: Option<&DialPermission>| {
        let item = inventory.iter().find(|item| item.number == number(at));
        let facts = ExplanationInput { number: number(at), mapping, now, item, no_inventory: false, last_resync: None };
        Explanation::of(&facts).broken
    };
    let unmapped = Mapping { state: MappingState::Unmapped, ..unsynced.clone() };
    let ambiguous = Mapping { state: MappingState::Ambiguous { candidates: vec![phone_user(0)] }, ..unsynced.clone() };
    let orphaned = Mapping { state: MappingState::Orphaned { phone_user: phone_user(0) }, ..unsynced.clone() };
    for mapping in [None, Some(&unmapped), Some(&ambiguous), Some(&orphaned)] {
        assert_eq!(asked(mapping, 0, None), Some(Link::Mapping));
    }
    assert_eq!(asked(Some(&unsynced), 0, None), Some(Link::Resync));
    assert_eq!(asked(Some(&empty), 0, Some(&all)), Some(Link::Resync), "the phone side has changed since");
    assert_eq!(asked(Some(&empty), 0, None), Some(Link::Policy));
    assert_eq!(asked(Some(&with(DialPermission::department(Ref::parse("odd").unwrap()))), 0, None), Some(Link::Policy));
    assert_eq!(asked(Some(&with(all.clone())), 5, None), Some(Link::Inventory));
    assert_eq!(asked(Some(&listed), 5, None), Some(Link::Inventory));
    assert_eq!(asked(Some(&listed), 1, None), Some(Link::State));
    assert_eq!(asked(Some(&listed), 3, None), Some(Link::State));
    assert_eq!(asked(Some(&listed), 0, None), None);
}

#[test]
fn a_user_of_our_own_may_dial_from_what_the_policy_gives() {
    let inventory = [
        item(0, NumberState::Active),
        item(1, NumberState::Flagged),
        item(2, NumberState::Resting),
        item(4, NumberState::Retired),
    ];
    let mut user = User::new("ana".parse().unwrap(), rollcall_model::user::Profile::named("Ana").unwrap());
    user.profile.department = Ref::parse("even").ok();
    user.caller_ids = [1, 2, 4].map(number).to_vec();
    let mut gives = |policy| {
        user.policy = policy;
        Inventory::of(inventory.to_vec()).allowed(&DialPermission::of(&user))
    };
    assert_eq!(gives(Policy::All), [number(0), number(1)]);
    assert_eq!(gives(Policy::Department), [number(0)]);
    assert_eq!(gives(Policy::Custom), [number(1)]);
    user.profile.department = None;
    user.policy = Policy::Department;
    assert_eq!(Inventory::of(inventory.to_vec()).allowed(&DialPermission::of(&user)), []);
}

#[test]
fn what_is_revoked_goes_where_the_table_can_not_store_what_is_granted() {
    let inventory: Vec<InventoryNumber> = (0..4).map(|at| item(at, NumberState::Active)).collect();
    let given = GivenMapping { phone_user: Some(phone_user(0)), ..GivenMapping::default() };
    let of = |numbers: &[CallerId]| {
        let permission = Some(DialPermission::custom(numbers.iter().copied()));
        let user = PhoneUser { id: phone_user(0), login: None, email: None, permission };
        PhoneSide { users: vec![user] }
    };
    let mapping = Mapping::new(CrmUserId::parse("crm").unwrap(), given, Timestamp::UNIX_EPOCH);
    let (before, after) = (of(&[number(0), number(1)]), of(&[number(1), number(2), number(3)]));
    let mapping = decide(&mapping, &MatchIndex::of(&before), &facts(&inventory)).after.unwrap();
    let mut change = decide(&mapping, &MatchIndex::of(&after), &facts(&inventory));
    change.leave_out_grants(Some(&mapping));
    assert_eq!(change.revoked.first, [number(0)]);
    assert_eq!(change.after.as_ref().unwrap().permission.as_ref().unwrap().caller_ids, [number(1)]);
    change.leave_out(LeftOut::NotStorable);
    assert_eq!((change.after, change.revoked), (None, Numbers::default()));
}
