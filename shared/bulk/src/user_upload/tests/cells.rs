//! What cells hold: logins, values that stand for none, text of a wrong encoding.

use super::*;

fn message(file: &str, directory: &mut Directory) -> String {
    let failed = String::from_utf8(run(file, directory).failed).unwrap();
    csv::Reader::from_reader(failed.trim_start_matches('\u{feff}').as_bytes())
        .records()
        .next()
        .and_then(|record| record.unwrap().iter().next_back().map(str::to_owned))
        .unwrap_or_default()
}

#[test]
fn a_login_that_looks_spoilt_creates_nobody() {
    for login in [
        "9.18766E+11",
        "100234.0",
        "01-Mar",
        "2026-03-01 00:00:00",
        "(mandatory)",
        "Total",
        "Login ID",
        "NULL",
        "#N/A",
        "=A1",
        "Ann <ann@example.com>",
        "u\u{441}er1",
    ] {
        let mut directory = Directory::default();
        let ran = run(&format!("Login ID,Name\n{login},Kiran\n"), &mut directory);
        let code = if login == "#N/A" { "SPREADSHEET_ERROR" } else { "LOGIN_ID_SUSPECT" };
        assert!(ran.rows[0].starts_with("failed") && ran.rows[0].contains(code), "{login}: {:?}", ran.rows);
        assert!(directory.users.is_empty(), "{login}");
    }
    let said = message("Login ID,Name\n9.18766E+11,Kiran\n", &mut Directory::default());
    assert!(said.contains("rounded") && said.contains("Format the column as text"), "{said}");
}

#[test]
fn a_user_who_is_there_is_found_by_a_login_that_looks_spoilt() {
    let mut directory = Directory::with(["9.18766E+11", "Total", "100234", "none"].map(user));
    let file = "Login ID,Name\n9.18766E+11,A\ntotal,B\n100234.0,C\nNONE,D\n";
    assert_eq!(run(file, &mut directory).rows, ["applied", "applied", "applied NORMALIZED", "applied"]);
    assert_eq!(directory.users.len(), 4);
}

#[test]
fn no_spelling_of_a_login_makes_a_twin() {
    let spelled = [
        "us\u{200b}er1",
        "u\u{2060}ser1",
        "\u{1f}user1",
        "user1\u{a0}",
        "\u{201c}user1\u{201d}",
        "'user1",
        "\"=\"\"user1\"\"\"",
        "ｕｓｅｒ１",
        "\u{feff}USER1",
        "mailto:user1",
    ];
    for login in spelled {
        let mut directory = Directory::with([user("user1")]);
        let ran = run(&format!("Login ID,Name\n{login},Asha Rao\n"), &mut directory);
        assert_eq!(ran.rows, ["applied NORMALIZED"], "{login:?}");
        assert_eq!(directory.users.len(), 1, "{login:?}");
    }
    for (there, written) in
        [("josé.m", "jose\u{301}.m"), ("ΑΣ", "ας"), ("front desk", "front\u{a0}desk"), ("o'neil", "O’Neil")]
    {
        let mut directory = Directory::with([user(there)]);
        assert!(run(&format!("Login ID,Name\n{written},Asha Rao\n"), &mut directory).rows[0].starts_with("applied"));
        assert_eq!(directory.users.len(), 1, "{there}");
    }
}

#[test]
fn the_zeros_that_an_export_has_kept_are_kept() {
    let mut directory = Directory::default();
    assert_eq!(run("Login ID,Name\n\"=\"\"00123\"\"\",Kiran\n", &mut directory).rows, ["applied NORMALIZED"]);
    assert_eq!(directory.users.keys().collect::<Vec<_>>(), ["00123"]);
}

#[test]
fn what_stands_for_no_value_is_never_stored_in_whatever_column() {
    let columns = [
        "Name",
        "Phone Number",
        "Email",
        "Designation",
        "Department",
        "Team",
        "Role",
        "Calling Agent",
        "Agent Status",
        "Assign Extension",
        "Block Web Login",
        "Directory ID",
        "Allowed Caller ID",
    ];
    for column in columns {
        for placeholder in ["NULL", "(null)", "nan", "N/A", "-", "<NA>", "k.A.", "\\N"] {
            let mut directory = Directory::with([user("user1")]);
            let before = directory.users.clone();
            let ran = run(&format!("Login ID,{column}\nuser1,{placeholder}\n"), &mut directory);
            assert_eq!(
                (ran.rows, &directory.users),
                (vec!["unchanged NO_VALUE".to_owned()], &before),
                "{column} {placeholder}"
            );
        }
        for error in ["#N/A", "#NAME?", "#REF!", "#BEZUG!", "#ЗНАЧ!", "Err:508", "####"] {
            let mut directory = Directory::with([user("user1")]);
            let before = directory.users.clone();
            let ran = run(&format!("Login ID,{column}\nuser1,{error}\n"), &mut directory);
            assert_eq!(
                (ran.rows, &directory.users),
                (vec!["failed SPREADSHEET_ERROR".to_owned()], &before),
                "{column} {error}"
            );
        }
    }
    let mut directory = Directory::default();
    assert_eq!(run("Login ID,Name\nuser1,NULL\n", &mut directory).rows, ["failed NAME_MISSING; NO_VALUE"]);
}

#[test]
fn text_of_a_wrong_encoding_is_never_stored() {
    for name in ["JosÃ©", "Meera à¤¨", "\u{8d}x", "caf\u{fffd}"] {
        let mut directory = Directory::default();
        assert_eq!(
            run(&format!("Login ID,Name\nuser1,{name}\n"), &mut directory).rows,
            ["failed TEXT_UNREADABLE"],
            "{name}"
        );
    }
}

#[test]
fn everything_that_is_wrong_with_a_row_is_told_at_once() {
    let file = "Login ID,Name,Email,DID\nuser1,#N/A,nobody,junk\nuser2,,a@example.com,junk\n";
    let expected = ["failed SPREADSHEET_ERROR; VALUE_INVALID; NUMBER_INVALID", "failed NAME_MISSING; NUMBER_INVALID"];
    assert_eq!(run(file, &mut Directory::default()).rows, expected);
}

#[test]
fn a_cell_that_takes_one_number_or_id_says_so() {
    for (column, cell, words) in [
        ("Phone Number", "9876543210 9876543211", "several numbers: this column takes one"),
        ("Phone Number", "9876543210;9876543211", "several numbers: this column takes one"),
        ("Email", "nobody", "an e-mail address has one @"),
    ] {
        let said = message(&format!("Login ID,{column}\nuser1,{cell}\n"), &mut Directory::with([user("user1")]));
        assert!(said.contains(words), "{column}: {said}");
    }
}
