//! The account to try things on: who is in it and which numbers it owns. `seed` makes it, `demo` and `generate` reckon
//! with it.

use jiff::{SignedDuration, Timestamp};
use rollcall_model::caller_id::CallerId;
use rollcall_model::catalog::{CatalogEntry, CatalogKind};
use rollcall_model::email::EmailAddress;
use rollcall_model::inventory::{InventoryNumber, NumberFacts, NumberState, utc_day};
use rollcall_model::mapping::{CrmUserId, GivenMapping, Mapping};
use rollcall_model::settings::{ReportTo, Settings};
use rollcall_model::user::{LoginId, Name, Policy, Profile, Ref, User};

/// Users with a login of their own, unless more are wanted: `user1` to `user12`.
pub const USERS: u64 = PEOPLE.len() as u64;
/// Numbers of the pool, unless more are wanted.
pub const NUMBERS: u64 = 24;
/// Fewer would leave the people below without theirs.
pub const LEAST_NUMBERS: u64 = 6;
/// More would run into the numbers that the account doesn't own.
pub const MOST_NUMBERS: u64 = 1_000_000;

/// Users whom a CRM knows.
const MAPPED: u64 = 10;

/// Who gets the reports.
pub const RECIPIENT: &str = "ops@example.com";
/// The login of a shared desk, which is also the e-mail address of `user12`. Whoever writes it could mean either.
pub const SHARED_DESK: &str = "desk@example.com";

/// Smartflo's own sample numbers, as the provider writes them: valid nowhere, and yet to be taken by who owns them.
const SAMPLE_NUMBERS: [&str; 2] = ["987654321", "987654320"];
/// National digits of the number that the account has retired.
pub const RETIRED: u64 = 9_811_122_233;
/// National digits of the first number of the pool, less one.
const POOL: u64 = 9_876_500_000;
/// National digits from which on valid numbers stand that are somebody else's.
pub const NOT_OWNED: u64 = 9_000_000_000;

struct Person {
    name: &'static str,
    policy: Policy,
    /// Places in the pool, from 1.
    list: &'static [u64],
}

const PEOPLE: [Person; 12] = [
    Person { name: "Asha Rao", policy: Policy::Custom, list: &[] },
    Person { name: "Vikram Mehta", policy: Policy::Custom, list: &[1] },
    Person { name: "Fatima Sheikh", policy: Policy::Custom, list: &[1, 2] },
    Person { name: "Joseph Kurian", policy: Policy::Custom, list: &[] },
    Person { name: "Neha Kulkarni", policy: Policy::Department, list: &[3] },
    Person { name: "Imran Qureshi", policy: Policy::Custom, list: &[1, 2, 3, 4, 5, 6] },
    Person { name: "Lakshmi Iyer", policy: Policy::Custom, list: &[] },
    Person { name: "Arjun Nair", policy: Policy::Custom, list: &[] },
    Person { name: "Gurpreet Kaur", policy: Policy::Custom, list: &[6] },
    Person { name: "Rohan Das", policy: Policy::All, list: &[] },
    Person { name: "Meera Joshi", policy: Policy::Custom, list: &[4] },
    Person { name: "Sanjay Patil", policy: Policy::Custom, list: &[2, 5] },
];

/// National digits of the pool's number `place`, from 1: a valid Indian mobile number.
pub fn pool_digits(place: u64) -> u64 {
    POOL + place
}

/// Every number that the account owns: the pool, Smartflo's samples, and a retired one.
pub fn inventory(numbers: u64) -> Vec<InventoryNumber> {
    let now = Timestamp::now();
    let pool = (1..=numbers).map(|place| pooled(place, now));
    let samples = SAMPLE_NUMBERS.map(|digits| {
        let number = CallerId::from_digits(&format!("91{digits}")).expect("a sample number is in E.164 form");
        let provider = Some(Name::parse(digits).expect("a provider's spelling is a name"));
        InventoryNumber::new(number, NumberFacts { provider, ..NumberFacts::default() }, now)
    });
    let retired = NumberFacts { state: NumberState::Retired, ..NumberFacts::default() };
    let retired = [InventoryNumber::new(indian(RETIRED), retired, now)];
    samples.into_iter().chain(retired).chain(pool).collect()
}

/// A number of the pool, of an age and in a state of its own, so that there is something to see: some are due, the second is taken for spam,
/// one rests and one is new. They belong to departments by turns.
fn pooled(place: u64, now: Timestamp) -> InventoryNumber {
    /// Ages go round: from new to older than a number lasts.
    const AGES: u64 = 25;
    const FLAGGED_FOR: i64 = 2;
    const RESTS_FOR: i64 = 12;
    let ago = |days: i64| now - SignedDuration::from_hours(24 * days);
    let days = i64::try_from(place * 9 % AGES).unwrap_or_default();
    let department = match place % 3 {
        1 => Some("sales"),
        2 => Some("support"),
        _ => None,
    };
    let facts =
        NumberFacts { department: department.map(|id| Ref::parse(id).expect("an ID")), ..NumberFacts::default() };
    let number = InventoryNumber::new(indian(pool_digits(place)), facts.clone(), ago(days));
    let moved = |number: InventoryNumber, state, resting_until, at| {
        let facts = NumberFacts { state, resting_until, ..facts.clone() };
        number.change(facts, at).expect("no number of the pool is retired")
    };
    match place {
        2 => moved(number, NumberState::Flagged, None, ago(FLAGGED_FOR)),
        23 => moved(number, NumberState::Resting, Some(utc_day(ago(-RESTS_FOR))), ago(1)),
        24 => moved(number, NumberState::New, None, now),
        _ => number,
    }
}

/// What users may refer to.
pub fn catalog() -> Vec<(CatalogKind, CatalogEntry)> {
    let entries = [
        (CatalogKind::Role, "agent", "Agent"),
        (CatalogKind::Role, "supervisor", "Supervisor"),
        (CatalogKind::Department, "sales", "Sales"),
        (CatalogKind::Department, "support", "Support"),
        (CatalogKind::Team, "north", "North"),
        (CatalogKind::Team, "south", "South"),
    ];
    let entry =
        |id, name| CatalogEntry { id: Ref::parse(id).expect("an ID"), name: Name::parse(name).expect("a name") };
    entries.into_iter().map(|(kind, id, name)| (kind, entry(id, name))).collect()
}

/// The user with the login `user{number}`, from 1. The first ones are as they stand above, the others are made up.
pub fn user(number: u64, numbers: u64) -> User {
    let index = usize::try_from(number - 1).unwrap_or(usize::MAX);
    let login = LoginId::parse(&format!("user{number}")).expect("a made-up login ID is one");
    if let Some(person) = PEOPLE.get(index) {
        let address = format!("{}@example.com", person.name.to_lowercase().replace(' ', "."));
        let email = if number == USERS { SHARED_DESK.to_owned() } else { address };
        let caller_ids = person.list.iter().map(|&place| indian(pool_digits(place))).collect();
        return User { policy: person.policy, caller_ids, ..made_up(login, person.name, Some(&email)) };
    }
    let given = PEOPLE[index % PEOPLE.len()].name.split(' ').next().unwrap_or_default();
    let family = PEOPLE[index / PEOPLE.len() % PEOPLE.len()].name.split(' ').next_back().unwrap_or_default();
    let policy = match number % 20 {
        0 => Policy::All,
        10 => Policy::Department,
        _ => Policy::Custom,
    };
    let places = (0..number % 3).map(|nth| (number * 7 + nth) % numbers + 1);
    User {
        policy,
        caller_ids: places.map(|place| indian(pool_digits(place))).collect(),
        ..made_up(login, &format!("{given} {family}"), Some(&format!("user{number}@example.com")))
    }
}

/// The shared desk.
pub fn desk() -> User {
    made_up(LoginId::parse(SHARED_DESK).expect("the desk's login ID is one"), "Shared Desk", None)
}

fn made_up(login: LoginId, name: &str, email: Option<&str>) -> User {
    let named = Profile::named(name).expect("a made-up name is one");
    let email = email.map(|email| EmailAddress::parse(email).expect("a made-up address is one"));
    User::new(login, Profile { email, calling_agent: true, ..named })
}

/// What the account has set, given what it had set before.
pub fn settings(before: Settings, recipients: Vec<EmailAddress>, report_to: Vec<ReportTo>) -> Settings {
    let usual = || vec![EmailAddress::parse(RECIPIENT).expect("the usual recipient is an address")];
    let recipients = match (recipients.is_empty(), before.recipients.is_empty()) {
        (false, _) => recipients,
        (true, false) => before.recipients,
        (true, true) => usual(),
    };
    let country = before.country.or_else(|| "IN".parse().ok());
    let report_to = if report_to.is_empty() { before.report_to } else { report_to };
    Settings { country, recipients, report_to, ..before }
}

/// CRM users, the first ten users by their addresses: `crm-1` is `user1`, after a resync.
pub fn mappings(users: u64, numbers: u64) -> Vec<Mapping> {
    let mapping = |number| {
        let crm_user = CrmUserId::parse(&format!("crm-{number}")).expect("a short name");
        let given = GivenMapping { email: user(number, numbers).profile.email, ..GivenMapping::default() };
        Mapping::new(crm_user, given, Timestamp::now())
    };
    (1..=users.min(MAPPED)).map(mapping).collect()
}

fn indian(national: u64) -> CallerId {
    CallerId::from_digits(&format!("91{national}")).expect("ten digits after 91 are in E.164 form")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_model::code::RowCode;
    use rollcall_model::numbers::{NumberReader, Reading};

    #[test]
    fn its_numbers_are_what_they_are_said_to_be() {
        let india = "IN".parse().unwrap();
        let mut anybody = NumberReader::new(india, &[]);
        for place in [1, NUMBERS, MOST_NUMBERS] {
            let number = indian(pool_digits(place));
            assert_eq!(anybody.read(&number.to_string()), Reading::Number { number, unusual: false });
        }
        let mut account = NumberReader::new(india, &inventory(NUMBERS));
        for digits in SAMPLE_NUMBERS {
            assert!(matches!(account.read(digits), Reading::Number { unusual: false, .. }), "{digits}");
        }
        assert_eq!(account.read(&RETIRED.to_string()), Reading::Refused(RowCode::NumberRetired));
        for others in [NOT_OWNED, NOT_OWNED + 999_999] {
            assert_eq!(account.read(&others.to_string()), Reading::Refused(RowCode::NumberNotOwned));
        }
    }

    #[test]
    fn logins_and_addresses_are_unique_but_for_the_desk() {
        let users: Vec<_> = (1..=500).map(|number| user(number, NUMBERS)).collect();
        let addresses: std::collections::HashSet<_> = users.iter().map(|user| user.profile.email.clone()).collect();
        assert_eq!(addresses.len(), users.len());
        assert!(addresses.contains(&EmailAddress::parse(desk().login.as_str()).ok()));
    }
}
