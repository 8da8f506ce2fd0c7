//! Snapshots of every kind, and files that must not count.

use jiff::Timestamp;
use proptest::prelude::*;

use super::{row::DIRECTORY, row::NO_NUMBERS, *};
use rollcall_model::{
    caller_id::CallerId,
    email::EmailAddress,
    inventory::{NumberFacts, NumberState},
    phone_side::{DialPermission, PhoneUser, PhoneUserId},
    user::{LoginId, Name, Policy, Ref},
};
use rollcall_tabular::Writer;

fn read_text(text: &str) -> Result<PhoneSide, Problems> {
    read(text.as_bytes(), "IN".parse().unwrap(), &[])
}

/// Each problem as `line code field`.
fn problems(text: &str) -> Vec<String> {
    let told = |problem: &Problem| {
        let line = problem.line.map_or("-".to_owned(), |line| line.to_string());
        format!("{line} {} {}", problem.code, problem.field.as_deref().unwrap_or("-"))
    };
    read_text(text).unwrap_err().first.iter().map(told).collect()
}

fn digits(permission: Option<&DialPermission>) -> Vec<String> {
    permission.unwrap().caller_ids.iter().map(|number| number.digits()).collect()
}

/// A phone side as somebody would write it down.
fn as_csv(side: &PhoneSide, delimiter: u8) -> Vec<u8> {
    let mut csv = Writer::new(delimiter);
    csv.record(COLUMNS.iter().map(|column| column.name));
    for user in &side.users {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let permission = user.permission.as_ref();
        let policy = match permission.map(|permission| permission.policy) {
            Some(Policy::All) => "All caller IDs",
            Some(Policy::Department) => "All department IDs",
            Some(Policy::Custom) => "Custom caller IDs",
            None => DIRECTORY,
        };
        let numbers: Vec<String> =
            permission.map_or(&[][..], |permission| &permission.caller_ids).iter().map(ToString::to_string).collect();
        let custom = permission.is_some_and(|permission| permission.policy == Policy::Custom);
        let cells = [
            user.id.to_string(),
            text(user.login.as_ref().map(LoginId::as_str)),
            text(user.email.as_ref().map(EmailAddress::as_str)),
            policy.to_owned(),
            text(permission.and_then(|permission| permission.department.as_ref()).map(Ref::as_str)),
            if custom && numbers.is_empty() { NO_NUMBERS.to_owned() } else { numbers.join("; ") },
        ];
        csv.record(cells.iter().map(String::as_str));
    }
    csv.take()
}

#[test]
fn smrtphones_words_are_understood() {
    let side = read_text(
        "User ID,Email,Available User IDs,Department,Allowed Caller IDs\n\
         1,asha@example.com,All Caller IDs,,\n\
         2,,All Department IDs,sales,\n\
         3,,Custom Caller IDs,,98765 00001;+919876500002\n\
         4,,custom,north,none\n\
         5,,Directory,,\n",
    )
    .unwrap();
    let said: Vec<_> = side.users.iter().map(|user| user.permission.as_ref().map(|said| said.policy)).collect();
    let custom = Some(Policy::Custom);
    assert_eq!(said, [Some(Policy::All), Some(Policy::Department), custom, custom, None]);
    assert_eq!(digits(side.users[2].permission.as_ref()), ["919876500001", "919876500002"]);
    assert_eq!(digits(side.users[3].permission.as_ref()), [""; 0]);
    assert_eq!(side.users[3].permission.as_ref().unwrap().department.as_ref().unwrap().as_str(), "north");
    assert_eq!(side.users[0].email.as_ref().unwrap().as_str(), "asha@example.com");
}

#[test]
fn a_user_without_an_id_goes_by_the_login_in_any_case() {
    let side = read_text("Login;Policy\nAsha.Rao;all\nravi;all\n").unwrap();
    let ids: Vec<_> = side.users.iter().map(|user| user.id.as_str()).collect();
    assert_eq!(ids, ["asha.rao", "ravi"]);
    assert_eq!(side.users[0].login.as_ref().unwrap().as_str(), "Asha.Rao");
    assert_eq!(problems("Login;Policy\nAsha;all\nravi;all\nASHA;all\n"), ["4 LOGIN_ID_TAKEN Login"]);
}

#[test]
fn a_number_is_read_whosever_it_is_and_in_the_providers_spelling() {
    let number = |digits: &str, provider: Option<&str>, state| {
        let provider = provider.map(|text| Name::parse(text).unwrap());
        InventoryNumber::new(
            CallerId::from_digits(digits).unwrap(),
            NumberFacts { provider, state, ..NumberFacts::default() },
            Timestamp::UNIX_EPOCH,
        )
    };
    let inventory = [
        number("91987654321", Some("987654321"), NumberState::Active),
        number("919876500009", None, NumberState::Retired),
    ];
    let file = "User ID,Policy,DIDs\n1,custom,987654321;9876500009;+12025550123\n";
    let side = read(file.as_bytes(), "IN".parse().unwrap(), &inventory).unwrap();
    assert_eq!(digits(side.users[0].permission.as_ref()), ["12025550123", "91987654321", "919876500009"]);
}

#[test]
fn one_bad_row_and_nothing_of_the_file_counts() {
    let header = "User ID,Login ID,Email,Policy,Department,Allowed Caller ID\n1,,,all,,\n";
    for (row, expected) in [
        (",,,all,,", "3 LOGIN_ID_MISSING User ID"),
        ("2,,asha,all,,", "3 VALUE_INVALID Email"),
        ("2,,,,,", "3 VALUE_INVALID Policy"),
        ("2,,,everything,,", "3 VALUE_INVALID Policy"),
        ("2,,,department,,", "3 VALUE_INVALID Department"),
        ("2,,,department,north east,", "3 VALUE_INVALID Department"),
        ("2,,,custom,,", "3 NUMBER_MISSING Allowed Caller ID"),
        ("2,,,custom,,;", "3 NUMBER_MISSING Allowed Caller ID"),
        ("2,,,custom", "3 NUMBER_MISSING Allowed Caller ID"),
        ("2,,,custom,,9876500001;abc", "3 NUMBER_INVALID Allowed Caller ID"),
        ("2,,,custom,,9.8765E9", "3 NUMBER_SCIENTIFIC Allowed Caller ID"),
        ("2,,", "3 COLUMN_COUNT -"),
        ("2,,,custom,,9876500001,9876500002", "3 COLUMN_COUNT -"),
        ("2,\",,custom,,9876500001", "3 MALFORMED_CSV -"),
        ("1,,,all,,", "3 LOGIN_ID_TAKEN User ID"),
    ] {
        assert_eq!(problems(&format!("{header}{row}\n")), [expected], "{row}");
    }
    assert_eq!(problems("User ID,Policy\n1,custom\n"), ["2 NUMBER_MISSING Allowed Caller ID"]);
}

#[test]
fn a_file_that_is_none_is_said_to_be_so() {
    for (text, expected) in [
        ("", "- FILE_EMPTY -"),
        ("User ID,Policy\n", "- FILE_EMPTY -"),
        ("User ID,Numbers\n1,2\n", "1 HEADER_MISSING -"),
        ("Policy,Department\nall,\n", "- HEADER_MISSING -"),
        ("{\"users\": [", "1 MALFORMED_JSON users"),
        ("{\"users\": []} x", "1 MALFORMED_JSON -"),
        ("{\n\"users\": [{\"id\": 7, \"permission\": null}]}", "2 MALFORMED_JSON users[0].id"),
    ] {
        assert_eq!(problems(text), [expected], "{text}");
    }
}

#[test]
fn what_is_wrong_is_listed_up_to_a_bound() {
    let mut text = "User ID,Policy\n".to_owned();
    (0..100).for_each(|user| text.push_str(&format!("{user},?\n")));
    let problems = read_text(&text).unwrap_err();
    assert_eq!((problems.first.len(), problems.more), (MAX_REMARKS, 100 - MAX_REMARKS));
    let kept: Problems = serde_json::from_str(&serde_json::to_string(&problems).unwrap()).unwrap();
    assert_eq!(kept, problems);
}

prop_compose! {
    fn permission()(
        policy in prop_oneof![Just(Policy::All), Just(Policy::Department), Just(Policy::Custom)],
        // With a letter that no mark for a missing value begins with.
        department in "z[a-zA-Z0-9é=+'-]{1,12}",
        any_department in any::<bool>(),
        numbers in proptest::collection::vec(1_000_u64..1_000_000_000_000_000, 0..6),
    ) -> DialPermission {
        let department = Ref::parse(&department).unwrap();
        let number = |number: u64| CallerId::from_digits(&number.to_string()).unwrap();
        match policy {
            Policy::Department => DialPermission::department(department),
            Policy::All => DialPermission { department: any_department.then_some(department), ..DialPermission::all() },
            Policy::Custom => DialPermission {
                department: any_department.then_some(department),
                ..DialPermission::custom(numbers.into_iter().map(number))
            },
        }
    }
}

prop_compose! {
    fn user()(
        id in "u[^\\p{C}\\p{Z}]{1,20}",
        login in proptest::option::of("u[^\\p{C}\\p{Z}]{1,20}"),
        email in proptest::option::of("[a-zA-Z0-9.+'=-]{1,12}@[a-z0-9.-]{1,12}"),
        permission in proptest::option::of(permission()),
    ) -> Option<PhoneUser> {
        // What is made of marks that can't be seen alone is no ID.
        Some(PhoneUser {
            id: PhoneUserId::parse(&id).ok()?,
            login: login.and_then(|login| LoginId::parse(&login).ok()),
            email: email.and_then(|email| EmailAddress::parse(&email).ok()),
            permission,
        })
    }
}

proptest! {
    #[test]
    fn any_phone_side_reads_back(
        users in proptest::collection::vec(user(), 1..12),
        delimiter in prop_oneof![Just(b','), Just(b';'), Just(b'\t')],
    ) {
        let mut users: Vec<_> = users.into_iter().flatten().collect();
        users.sort_by(|one, other| one.id.cmp(&other.id));
        users.dedup_by(|one, other| one.id == other.id);
        prop_assume!(!users.is_empty());
        let side = PhoneSide::new(users).unwrap();
        let country = "IN".parse().unwrap();
        prop_assert_eq!(&read(&as_csv(&side, delimiter), country, &[]).unwrap(), &side);
        prop_assert_eq!(&read(&serde_json::to_vec(&side).unwrap(), country, &[]).unwrap(), &side);
    }

    #[test]
    fn whatever_the_bytes_there_is_a_side_or_a_reason(mut file in proptest::collection::vec(any::<u8>(), 0..400), json in any::<bool>()) {
        if json {
            file.insert(0, b'{');
        }
        if let Err(problems) = read(&file, "IN".parse().unwrap(), &[]) {
            prop_assert!(!problems.first.is_empty());
        }
    }

    #[test]
    fn what_is_cut_off_changes_nothing_of_the_rows_before(
        users in proptest::collection::vec(user(), 2..8),
        at in 0.0..1.0_f64,
        json in any::<bool>(),
    ) {
        let mut users: Vec<_> = users.into_iter().flatten().collect();
        users.sort_by(|one, other| one.id.cmp(&other.id));
        users.dedup_by(|one, other| one.id == other.id);
        prop_assume!(!users.is_empty());
        let side = PhoneSide::new(users).unwrap();
        let whole = if json { serde_json::to_vec(&side).unwrap() } else { as_csv(&side, b',') };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a small file")]
        let cut = &whole[..(whole.len() as f64 * at) as usize];
        let Ok(read) = read(cut, "IN".parse().unwrap(), &[]) else { return Ok(()) };
        prop_assert!(!json, "JSON that was cut is none");
        // Rows that are there are as they were, but for the last one, whose last number may have lost digits.
        let there = read.users.len();
        prop_assert_eq!(&read.users[..there - 1], &side.users[..there - 1]);
    }
}
