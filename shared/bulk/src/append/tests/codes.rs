//! What is refused, with which code and in which words.

use super::*;

fn codes(code: RowCode) -> String {
    format!("failed {code}")
}

#[test]
fn a_number_that_is_none_is_told_what_it_looks_like() {
    for (cell, word) in [
        ("\"9876543210, 9876543211\"", "semicolon"),
        ("9876543210/9876543211", "semicolon"),
        ("\"9876543210\n9876543211\"", "semicolon"),
        ("9876543210；9876543211", "semicolon"),
        ("9876543210 9876543211", "semicolon"),
        ("\"['9876543210', '9876543211']\"", "semicolon"),
        ("\"9,876,500,003\"", "grouped"),
        ("\"=TEXT(A1;\"\"0\"\")\"", "formula"),
        ("9876543210 ext 12", "extension"),
    ] {
        let ran = run(&format!("user1,{cell}\n"), &mut Directory::with(&["user1"]));
        let failed = String::from_utf8(ran.failed).unwrap();
        assert!(failed.contains("NUMBER_INVALID") && failed.contains(word), "{cell}: {failed}");
    }
}

#[test]
fn a_login_that_nobody_has_is_told_what_it_looks_like() {
    for (login, word) in [
        ("9.18766E+11", "rounded"),
        ("01-Mar", "date"),
        ("(mandatory)", "remark"),
        ("Total", "total"),
        ("NULL", "missing value"),
        ("us\u{200b}er9", "was read as \"\"user9\"\""),
        ("Ann <ann@example.com>", "name and an address"),
    ] {
        let ran = run(&format!("{login},9876543210\n"), &mut Directory::with(&["user1"]));
        let failed = String::from_utf8(ran.failed).unwrap();
        assert!(failed.contains("USER_NOT_FOUND") && failed.contains(word), "{login:?}: {failed}");
    }
}

#[test]
fn a_number_cell_that_holds_no_value_is_empty_and_an_error_of_a_formula_is_one() {
    let mut directory = Directory::with(&["user1"]);
    let file = "user1,NULL\nuser1,#N/A\nuser1,-\nuser1,9876543210; n/a\n#REF!,9876543210\n";
    assert_eq!(
        run(file, &mut directory).rows,
        [
            "failed NUMBER_MISSING; NO_VALUE",
            "failed SPREADSHEET_ERROR",
            "failed NUMBER_MISSING; NO_VALUE",
            "applied NO_VALUE",
            "failed SPREADSHEET_ERROR",
        ]
    );
}

#[test]
fn login_id_missing() {
    assert_eq!(run(",9876543210", &mut Directory::default()).rows, [codes(RowCode::LoginIdMissing)]);
}

#[test]
fn user_not_found_for_strangers_and_for_an_email_address() {
    let mut directory = Directory::default();
    directory.0.insert("ana@example.com".into(), (Some(LoginLookup::EmailOnly), BTreeSet::new()));
    let ran =
        run("nobody,9876543210\nana@example.com,9876543210\n\"a\nb\",9876543210\n1.5E+10,9876543210", &mut directory);
    assert_eq!(ran.rows, vec![codes(RowCode::UserNotFound); 4]);
}

#[test]
fn user_ambiguous() {
    let mut directory = Directory::default();
    directory.0.insert("sam@example.com".into(), (Some(LoginLookup::Ambiguous), BTreeSet::new()));
    assert_eq!(run("sam@example.com,9876543210", &mut directory).rows, [codes(RowCode::UserAmbiguous)]);
}

#[test]
fn number_missing() {
    let ran = run("user1,\nuser1, ; ;\n", &mut Directory::with(&["user1"]));
    assert_eq!(ran.rows, vec![codes(RowCode::NumberMissing); 2]);
}

#[test]
fn number_scientific_invalid_not_owned_and_retired() {
    let mut directory = Directory::with(&["user1"]);
    let inventory = inventory(&[("+919876543210", NumberState::Active), ("+919876543211", NumberState::Retired)]);
    let file = "Login ID,DIDs\nuser1,9.87654321E8\nuser1,12\nuser1,9876543212\nuser1,9876543211\nuser1,9876543210\n";
    let ran = run_with(file.as_bytes(), &mut directory, &inventory, 10);
    let mut expected: Vec<_> =
        [RowCode::NumberScientific, RowCode::NumberInvalid, RowCode::NumberNotOwned, RowCode::NumberRetired]
            .map(codes)
            .into();
    expected.push("applied".to_owned());
    assert_eq!(ran.rows, expected);
    assert_eq!(directory.list("user1"), ["+919876543210"]);
}

#[test]
fn list_limit() {
    let mut directory = Directory::default();
    directory.user("user1", Policy::Custom, &["+919876543210"]);
    let file = "login,dids\nuser1,9876543211;9876543212;9876543210\nuser1,9876543213\n";
    let ran = run_with(file.as_bytes(), &mut directory, &[], 2);
    let partial = format!("partial {}; {}", RowCode::ListLimit, Warning::AlreadyAllowed);
    assert_eq!(ran.rows, [partial, codes(RowCode::ListLimit)]);
    assert_eq!(directory.list("user1").len(), 2);
}

#[test]
fn column_count_and_malformed_csv() {
    let ran = run(
        "user1\nuser1,\"9876543210\nuser1,9876543210,9876543211\nuser1,9876543210",
        &mut Directory::with(&["user1"]),
    );
    let expected = [RowCode::ColumnCount, RowCode::MalformedCsv, RowCode::ColumnCount].map(codes);
    assert_eq!(ran.rows[..3], expected);
    assert_eq!(ran.rows[3], "applied");
}

#[test]
fn warnings_fail_nothing() {
    let mut directory = Directory::default();
    directory.user("all", Policy::All, &["+919876543210"]);
    let ran = run("all,9876543210\nall,'9876543211\nall,9876543211", &mut directory);
    let warned = |status: &str, warnings: &[Warning]| {
        format!("{status} {}", warnings.iter().map(|warning| warning.as_str()).collect::<Vec<_>>().join("; "))
    };
    assert_eq!(
        ran.rows,
        [
            warned("unchanged", &[Warning::AlreadyAllowed]),
            warned("applied", &[Warning::Normalized, Warning::PolicyNotCustom]),
            warned("unchanged", &[Warning::DuplicateInFile]),
        ]
    );
    assert_eq!(directory.0["all"].0, Some(LoginLookup::User(Policy::All)));
    assert_eq!(ran.counts.needs_correction(), 0);
}
