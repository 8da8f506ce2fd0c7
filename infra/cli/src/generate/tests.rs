use rollcall_bulk::append::{AppendRequests, LoginLookup, judge};
use rollcall_bulk::report::Report;
use rollcall_model::numbers::NumberReader;
use rollcall_model::user::Policy;
use rollcall_tabular::Reader;

use super::*;

const USERS: u64 = 40;

fn generate(rows: u64, bad: &str, seed: u64) -> (String, Made) {
    let generate = Generate {
        users: USERS,
        rows,
        bad: percent(bad).unwrap(),
        seed,
        numbers: demo_account::NUMBERS,
        output: None,
        json: false,
    };
    let mut file = Vec::new();
    let made = generate.write(&mut file).unwrap();
    (String::from_utf8(file).unwrap(), made)
}

#[test]
fn the_model_finds_in_each_row_what_was_put_there() {
    let (file, made) = generate(11_000, "10", 7);
    let inventory = demo_account::inventory(demo_account::NUMBERS);
    let mut numbers = NumberReader::new("IN".parse().unwrap(), &inventory);
    let mut wanted = AppendRequests::default();
    let read = |take: &mut dyn FnMut(&rollcall_tabular::Row<'_>)| {
        let mut reader = Reader::new(&COLUMNS);
        reader.push(file.as_bytes()).unwrap();
        reader.end().unwrap();
        while let Some(row) = reader.next_row().unwrap() {
            take(&row);
        }
    };
    read(&mut |row| _ = wanted.take(row, &mut numbers));
    let mut ledger = wanted.finish_reading();
    for user in 0..ledger.users() {
        let known = ledger.login(user).strip_prefix("user").is_some();
        let standing = if known { LoginLookup::User(Policy::Custom) } else { LoginLookup::Nobody };
        let plan = ledger.plan(user, standing, &[], 5_000);
        ledger.record(&plan);
    }
    let mut report = None;
    read(&mut |row| {
        let report = report.get_or_insert_with(|| Report::new(row.header()));
        report.row(row, judge(row, &mut numbers, &mut ledger));
    });
    let mut report = report.unwrap();
    let counts = report.counts;
    assert_eq!(counts.rows(), made.rows);
    assert_eq!(counts.applied + counts.unchanged, made.good);
    assert_eq!((counts.partial, counts.failed), (made.partial, made.failed));
    assert_eq!((made.good, made.partial, made.failed), (9_900, 100, 1_000));

    let failed = String::from_utf8(report.failed.take()).unwrap();
    let rows_with = |code: &str| failed.lines().filter(|line| line.contains(code)).count();
    for (code, flaws) in [
        ("failed,USER_NOT_FOUND", 1),
        ("failed,LOGIN_ID_MISSING", 1),
        ("failed,NUMBER_MISSING", 1),
        ("failed,NUMBER_SCIENTIFIC", 1),
        ("failed,NUMBER_INVALID", 1),
        ("failed,NUMBER_NOT_OWNED", 1),
        ("failed,NUMBER_RETIRED", 1),
        ("failed,COLUMN_COUNT", 2),
        ("failed,MALFORMED_CSV", 1),
    ] {
        assert_eq!(rows_with(code), flaws * 100, "{code}");
    }
}

#[test]
fn the_same_options_give_the_same_file_and_another_seed_another() {
    assert_eq!(generate(500, "5", 1), generate(500, "5", 1));
    assert_ne!(generate(500, "5", 1).0, generate(500, "5", 2).0);
}

#[test]
fn exactly_the_share_asked_for_is_bad() {
    for (rows, bad, expected) in [(1_000, "0", 0), (1_000, "0.25", 3), (7, "100", 7), (0, "50", 0), (200, "33.3", 67)] {
        let made = generate(rows, bad, 3).1;
        assert_eq!(made.partial + made.failed, expected, "{bad} % of {rows}");
    }
}

#[test]
fn a_percentage_is_a_number_up_to_a_hundred() {
    assert_eq!(percent("12.5"), Ok(Percent(12_500)));
    for text in ["", "-1", "100.1", "1e2", "5%", ".5", "1.2345"] {
        assert!(percent(text).is_err(), "{text}");
    }
}
