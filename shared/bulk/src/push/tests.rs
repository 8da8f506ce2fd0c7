use jiff::Timestamp;
use rollcall_model::{
    email::EmailAddress,
    inventory::{InventoryNumber, NumberFacts, NumberState},
    jobs::JobId,
    phone_side::PhoneUser,
    user::{LoginId, Policy, Profile},
};

use super::*;

fn number(last: u8) -> CallerId {
    format!("+91987650000{last}").parse().unwrap()
}

fn numbers(last: &[u8]) -> Vec<CallerId> {
    last.iter().copied().map(number).collect()
}

fn inventory(states: &[(u8, NumberState)]) -> Inventory {
    let item = |(last, state): &(u8, NumberState)| {
        let facts = NumberFacts { state: *state, ..NumberFacts::default() };
        InventoryNumber::new(number(*last), facts, Timestamp::UNIX_EPOCH)
    };
    Inventory::of(states.iter().map(item).collect())
}

fn user(policy: Policy, list: &[u8]) -> User {
    let mut user = User::new(LoginId::parse("asha").unwrap(), Profile::named("Asha").unwrap());
    (user.policy, user.caller_ids) = (policy, numbers(list));
    user
}

fn told(list: &[u8]) -> Told {
    let list = numbers(list);
    Told {
        system: PhoneSystem::Smartflo,
        user: PhoneUserId::parse("7").ok(),
        hash: list_hash(&list),
        count: list.len(),
        first: list.first().copied(),
        list: Some(list),
        missing: 0,
        foreign: 0,
        took_unseen: false,
        at: Timestamp::UNIX_EPOCH,
        job: JobId::parse(&"0".repeat(32)).unwrap(),
        added: 0,
        removed: 0,
    }
}

#[test]
fn every_policy_is_told_as_far_as_numbers_are_in_service_and_owned() {
    use NumberState::{Active, Resting, Retired};
    let inventory = inventory(&[(1, Active), (2, Resting), (3, Retired), (4, Active), (5, Active)]);
    let owned = numbers(&[1, 2, 3, 4]).into_iter().collect();
    let of = |user: Option<&User>, told: Option<&Told>| Wanted::of(user, told, &inventory, &owned);
    assert_eq!(
        of(Some(&user(Policy::Custom, &[1, 2, 3, 5])), None),
        Wanted { list: numbers(&[1]), missing: numbers(&[5]) }
    );
    assert_eq!(of(Some(&user(Policy::All, &[])), None), Wanted { list: numbers(&[1, 4]), missing: numbers(&[5]) });
    assert_eq!(of(Some(&user(Policy::All, &[])), Some(&told(&[4]))).list, numbers(&[4, 1]), "the first stays first");
    assert_eq!(of(None, Some(&told(&[4]))).list, numbers(&[]), "who is gone has none");
}

#[test]
fn the_same_is_not_told_twice_and_another_phone_system_was_told_nothing() {
    let wanted = |last: &[u8]| Wanted { list: numbers(last), missing: Vec::new() };
    let system = PhoneSystem::Smartflo;
    assert!(wanted(&[1, 2]).is_told(Some(&told(&[1, 2])), system));
    assert!(!wanted(&[2, 1]).is_told(Some(&told(&[1, 2])), system), "another order is another list");
    assert!(!wanted(&[1, 2]).is_told(Some(&told(&[1, 2])), PhoneSystem::ZoomPhone));
    assert!(wanted(&[]).is_told(None, system), "of whom nothing was told, nothing is taken");
    assert!(!wanted(&[]).is_told(Some(&told(&[1])), system), "an emptied list is told");
    let nobody = Told { user: None, ..told(&[1]) };
    assert!(!wanted(&[1]).is_told(Some(&nobody), system), "who was not there may be there now");
}

#[test]
fn only_numbers_that_the_inventory_knows_go_off() {
    let diff = Wanted { list: numbers(&[1, 2]), missing: Vec::new() }.diff(&numbers(&[2, 3, 9]), |n| n != number(9));
    assert_eq!(diff, ListDiff { add: numbers(&[1]), remove: numbers(&[3]), foreign: 1 });
    let wanted = Wanted { list: numbers(&[1, 2]), missing: Vec::new() };
    assert_eq!(wanted.diff_from_told(None, PhoneSystem::Smartflo).add, numbers(&[1, 2]));
    assert!(wanted.diff_from_told(Some(&told(&[2, 1])), PhoneSystem::Smartflo).is_empty());
}

#[test]
fn a_user_is_found_by_login_then_by_address_and_two_are_not_guessed_at() {
    let phone = |id: &str, login: &str| PhoneUser {
        id: PhoneUserId::parse(id).unwrap(),
        login: LoginId::parse(login).ok(),
        email: EmailAddress::parse(login).ok(),
        permission: None,
    };
    let side = PhoneSide::new(vec![
        phone("1", "Asha"),
        phone("2", "ravi@example.com"),
        phone("3", "twice"),
        phone("4", "Twice"),
    ]);
    let roster = Roster::of(side.unwrap());
    let one = |id: &str| FoundUser::One(PhoneUserId::parse(id).unwrap());
    let mut ravi = user(Policy::Custom, &[]);
    ravi.profile.email = EmailAddress::parse("RAVI@example.com").ok();
    assert_eq!(roster.find("asha", None), one("1"));
    assert_eq!(roster.find("r.k", Some(&ravi)), one("2"));
    assert_eq!(roster.find("twice", None), FoundUser::Several);
    assert_eq!(roster.find("nobody", None), FoundUser::None);
}
