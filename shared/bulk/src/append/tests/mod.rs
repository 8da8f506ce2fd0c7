//! The append as a whole, over a directory of a few lines that stands for the table.

mod codes;
mod laws;

use super::*;
use crate::{
    bulk_job::Plan,
    report::{Counts, Report, RowStatus},
};
use jiff::Timestamp;
use proptest::prelude::*;
use rollcall_model::{
    caller_id::CallerId,
    code::{RowCode, Warning},
    inventory::{InventoryNumber, NumberFacts, NumberState},
    numbers::NumberReader,
    settings::DEFAULT_LIST_LIMIT,
    user::Policy,
};
use rollcall_tabular::{Reader, Row};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn what_an_earlier_attempt_has_added_stays_its_doing_though_the_number_is_retired_since() {
    let numbers =
        |all: &[u64]| -> Vec<CallerId> { all.iter().map(|n| format!("+91987654321{n}").parse().unwrap()).collect() };
    let plan = |list: &[u64], wanted: &[u64]| {
        let standing = LoginLookup::User(Policy::Custom);
        let plan = AppendPlan::decide("asha", standing, &numbers(list), numbers(wanted).into_iter(), 9);
        AppendPlan { list: Some(numbers(list)), ..plan }
    };
    let earlier = plan(&[5], &[1, 2]);
    // Of 1, no row can be read any more.
    for (list, wanted, came) in [
        (&[1, 2, 5][..], &[2][..], &[1, 2][..]),
        (&[1, 5], &[2], &[1]),
        // Somebody else may have put it there, while the job died before it did.
        (&[1, 5], &[1, 2], &[]),
        (&[5], &[2], &[]),
    ] {
        let now = plan(list, wanted);
        let mut done = earlier.clone();
        assert_eq!((done.keep_done(&now), done.add), (!came.is_empty(), numbers(came)), "{list:?}");
        let mut merged = now.clone();
        merged.merge_previous_attempt(&earlier);
        assert!(numbers(came).iter().all(|number| merged.add.contains(number)), "{list:?}");
        assert_eq!(merged.add.len(), now.add.len() + came.len(), "{list:?}");
    }
    // The user was deleted, and another has the login ID.
    let since = |second| Timestamp::from_second(second).ok();
    let (mut earlier, another) = (AppendPlan { created: since(1), ..earlier }, plan(&[1, 2, 5], &[1, 2]));
    assert!(!earlier.keep_done(&AppendPlan { created: since(2), ..another }));
}

/// The table: each user's standing and list, by folded login ID.
#[derive(Clone, Default)]
struct Directory(BTreeMap<String, (Option<LoginLookup>, BTreeSet<CallerId>)>);

impl Directory {
    fn with(users: &[&str]) -> Self {
        let mut directory = Self::default();
        for user in users {
            directory.user(user, Policy::Custom, &[]);
        }
        directory
    }

    fn user(&mut self, login: &str, policy: Policy, list: &[&str]) {
        let list = list.iter().map(|number| number.parse().unwrap()).collect();
        self.0.insert(login.to_owned(), (Some(LoginLookup::User(policy)), list));
    }

    fn list(&self, login: &str) -> Vec<String> {
        self.0[login].1.iter().map(ToString::to_string).collect()
    }
}

/// What a run gave: for each row `status code,code`, the failed file, and the numbers added.
struct Ran {
    rows: Vec<String>,
    counts: Counts,
    failed: Vec<u8>,
    added: usize,
}

fn each_row(file: &[u8], mut take: impl FnMut(&Row<'_>)) {
    let mut reader = Reader::new(&COLUMNS);
    reader.push(file).unwrap();
    reader.end().unwrap();
    while let Some(row) = reader.next_row().unwrap() {
        take(&row);
    }
}

fn run_with(file: &[u8], directory: &mut Directory, inventory: &[InventoryNumber], limit: usize) -> Ran {
    let mut numbers = NumberReader::new("IN".parse().unwrap(), inventory);
    let mut wanted = AppendRequests::default();
    each_row(file, |row| _ = wanted.take(row, &mut numbers));
    let mut ledger = wanted.finish_reading();
    let mut added = 0;
    for user in 0..ledger.users() {
        let (standing, list) = directory.0.get(ledger.login(user)).cloned().unwrap_or_default();
        let list: Vec<_> = list.into_iter().collect();
        let plan = ledger.plan(user, standing.unwrap_or(LoginLookup::Nobody), &list, limit);
        if let Some((_, list)) = directory.0.get_mut(&plan.login) {
            list.extend(&plan.add);
        }
        added += plan.add.len();
        ledger.record(&plan);
        assert!(ledger.is_decided(user));
    }
    let mut report = None;
    let mut rows = Vec::new();
    each_row(file, |row| {
        let report = report.get_or_insert_with(|| Report::new(row.header()));
        report.row(row, judge(row, &mut numbers, &mut ledger));
        rows.push(());
    });
    let mut report: Report = report.unwrap();
    let results = report.results.take();
    let rows = lines_of(&results);
    Ran { rows, counts: report.counts, failed: report.failed.take(), added }
}

/// `status code; code` of each row of a report.
fn lines_of(report: &[u8]) -> Vec<String> {
    let semicolon = String::from_utf8_lossy(report).contains(";Line;Status;");
    let mut csv = csv::ReaderBuilder::new().delimiter(if semicolon { b';' } else { b',' }).from_reader(report);
    csv.records()
        .map(|record| {
            let record = record.unwrap();
            let cell = |from_end: usize| record.get(record.len() - from_end).unwrap();
            format!("{} {}", cell(5), cell(4)).trim().to_owned()
        })
        .collect()
}

fn run(rows: &str, directory: &mut Directory) -> Ran {
    run_with(format!("Login ID,Allowed Caller ID\n{rows}").as_bytes(), directory, &[], DEFAULT_LIST_LIMIT)
}

fn inventory(numbers: &[(&str, NumberState)]) -> Vec<InventoryNumber> {
    numbers
        .iter()
        .map(|&(number, state)| {
            InventoryNumber::new(
                number.parse().unwrap(),
                NumberFacts { state, ..NumberFacts::default() },
                Timestamp::UNIX_EPOCH,
            )
        })
        .collect()
}

#[test]
fn a_number_beside_the_numbers_is_not_lost_without_a_word() {
    let mut directory = Directory::with(&["user1"]);
    let file = "Login ID;DID;Remarks\nuser1;9876543210;9876543211\nuser1;9876543210;call 12\n";
    let ran = run_with(file.as_bytes(), &mut directory, &[], DEFAULT_LIST_LIMIT);
    assert_eq!(ran.rows, ["applied NUMBER_ELSEWHERE", "unchanged DUPLICATE_IN_FILE"]);
    let phones = "Login ID,DID,Mobile no.\nuser1,9876543210,9876543211\n";
    let ran = run_with(phones.as_bytes(), &mut directory, &[], DEFAULT_LIST_LIMIT);
    assert_eq!(ran.rows, ["unchanged ALREADY_ALLOWED"], "a column of phones is one of phones");
    let file = "Login ID;DID;Remarks\nuser1;9876543210;9876543211;9876543212\n";
    let ran = run_with(file.as_bytes(), &mut directory, &[], DEFAULT_LIST_LIMIT);
    assert_eq!(ran.rows, ["failed COLUMN_COUNT"]);
}

#[test]
fn a_user_is_found_in_every_spelling_that_can_only_mean_that_user() {
    for login in [
        "us\u{200b}er1",
        "\u{1f}user1",
        "user1\u{a0}",
        "“user1”",
        "'user1",
        "\"=\"\"user1\"\"\"",
        "ｕｓｅｒ１",
        "\"\"\"user1\"\"\"",
    ] {
        let mut directory = Directory::with(&["user1"]);
        let ran = run(&format!("{login},9876543210\n"), &mut directory);
        assert_eq!(ran.rows, ["applied NORMALIZED"], "{login:?}");
    }
    let mut directory = Directory::with(&["00123", "100234", "front desk", "jos\u{e9}"]);
    let file =
        "\"=\"\"00123\"\"\",9876543210\n100234.0,9876543210\nFront\u{a0}desk,9876543210\njose\u{301},9876543210\n";
    assert_eq!(run(file, &mut directory).rows, ["applied NORMALIZED"; 4]);
}

#[test]
fn the_sample_passes_for_an_account_that_holds_its_numbers() {
    let mut directory = Directory::with(&["user1", "user2"]);
    let inventory = inventory(&[("+91987654321", NumberState::Active), ("+91987654320", NumberState::Active)]);
    let ran = run_with(&sample(), &mut directory, &inventory, 10);
    assert_eq!(ran.rows, ["applied", "applied"]);
    assert_eq!(directory.list("user2"), ["+91987654320", "+91987654321"]);
}

#[test]
fn logins_match_in_any_case_and_users_are_written_once() {
    let mut directory = Directory::with(&["user1"]);
    let ran = run("User1,9876543210\nUSER1,9876543211\n user1 ,9876543210;9876543212;", &mut directory);
    assert_eq!(ran.rows, ["applied", "applied", &format!("applied {}", Warning::DuplicateInFile)]);
    assert_eq!(ran.added, 3);
}

#[test]
fn one_bad_number_among_five_is_partial_and_the_good_ones_are_appended() {
    let mut directory = Directory::with(&["user1"]);
    let ran = run("user1,9876543210;9876543211;junk;9876543212;9876543213", &mut directory);
    assert_eq!(ran.rows, [format!("partial {}", RowCode::NumberInvalid)]);
    assert_eq!(directory.list("user1").len(), 4);
}

#[test]
fn links_to_numbers_keep_their_parameters_and_part_as_others_do() {
    const LINKS: &str = "tel:+91-98765-43210;ext=12; tel:98765-43211;phone-context=+91;9876543212";
    for file in [format!("Login ID,DID\nuser1,{LINKS}\n"), format!("Login ID;DID\nuser1;{LINKS}\n")] {
        let mut directory = Directory::with(&["user1"]);
        let ran = run_with(file.as_bytes(), &mut directory, &[], DEFAULT_LIST_LIMIT);
        assert_eq!(ran.rows, ["applied NORMALIZED; NORMALIZED"], "{file}");
        assert_eq!(directory.list("user1"), ["+919876543210", "+919876543211", "+919876543212"], "{file}");
    }
    let private = run("user1,tel:863-1234;phone-context=example.com\n", &mut Directory::with(&["user1"]));
    let failed = String::from_utf8(private.failed).unwrap();
    assert!(failed.contains("NUMBER_INVALID") && failed.contains("its country code"), "{failed}");
}

#[test]
fn the_failed_file_mended_is_accepted_as_it_is() {
    let mut directory = Directory::with(&["user1", "user2"]);
    let ran = run("user1,9876543210\nuser2,987654321O\n\"user9, Ann\",+919876543211\n", &mut directory);
    assert_eq!(ran.counts.needs_correction(), 2);
    let failed = String::from_utf8(ran.failed).unwrap();
    assert!(
        failed.contains("\"user9, Ann\",'+919876543211,4,failed,USER_NOT_FOUND,Login ID,\"user9, Ann\","),
        "{failed}"
    );
    let mended = failed.replacen("987654321O", "9876543212", 1).replacen("\"user9, Ann\"", "user2", 1);
    let again = run_with(mended.as_bytes(), &mut directory, &[], 10);
    assert_eq!(again.rows, ["applied", "applied"]);
    assert_eq!(directory.list("user2"), ["+919876543211", "+919876543212"]);
}

#[test]
fn a_semicolon_file_is_reported_on_in_its_own_dialect() {
    let mut directory = Directory::with(&["user1"]);
    let ran = run_with("Login;DIDs\nuser1;9876543210;junk;9876543211\n".as_bytes(), &mut directory, &[], 10);
    let failed = String::from_utf8(ran.failed).unwrap();
    assert!(failed.contains("user1;\"9876543210;junk;9876543211\";2;partial;NUMBER_INVALID;DIDs;junk;"), "{failed}");
}

#[test]
fn a_job_that_was_interrupted_still_knows_what_it_did_itself() {
    let file = "Login,DIDs\nuser1,9876543210\n";
    let mut numbers = NumberReader::new("IN".parse().unwrap(), &[]);
    let ledger_of = |numbers: &mut NumberReader| {
        let mut wanted = AppendRequests::default();
        each_row(file.as_bytes(), |row| _ = wanted.take(row, numbers));
        wanted.finish_reading()
    };
    let first = ledger_of(&mut numbers);
    let plan = first.plan(0, LoginLookup::User(Policy::Custom), &[], 10);
    // It wrote, and died. The next delivery finds the number on the list, and the plan beside the results.
    let mut second = ledger_of(&mut numbers);
    assert!(!second.is_decided(0));
    second.record(&plan);
    assert!(second.is_decided(0));
    let mut status = None;
    each_row(file.as_bytes(), |row| status = Some(judge(row, &mut numbers, &mut second).status));
    assert_eq!(status, Some(RowStatus::Applied));
}

#[test]
fn what_a_job_did_not_come_to_is_unprocessed() {
    let file = "Login,DIDs\nuser1,9876543210\nuser1,junk\n";
    let mut numbers = NumberReader::new("IN".parse().unwrap(), &[]);
    let mut wanted = AppendRequests::default();
    each_row(file.as_bytes(), |row| _ = wanted.take(row, &mut numbers));
    let mut ledger = wanted.finish_reading();
    each_row(file.as_bytes(), |row| {
        assert_eq!(judge(row, &mut numbers, &mut ledger).status, RowStatus::Unprocessed);
    });
}

#[test]
fn what_an_earlier_attempt_meant_to_add_and_could_not_is_not_told_as_added() {
    let file = "Login,DIDs\nuser1,9876543210\n";
    let mut numbers = NumberReader::new("IN".parse().unwrap(), &[]);
    let mut wanted = AppendRequests::default();
    each_row(file.as_bytes(), |row| _ = wanted.take(row, &mut numbers));
    let mut ledger = wanted.finish_reading();
    let standing = LoginLookup::User(Policy::Custom);
    let meant = ledger.plan(0, standing, &[], 1);
    ledger.record(&meant);
    // Others have filled the list before it was written.
    let full: Vec<CallerId> = vec!["+919876543219".parse().unwrap()];
    let mut again = AppendPlan { list: Some(full.clone()), ..ledger.plan(0, standing, &full, 1) };
    again.merge_previous_attempt(&meant);
    assert_eq!((again.add.len(), again.over_limit.len()), (0, 1));
    ledger.record(&again);
    each_row(file.as_bytes(), |row| {
        assert_eq!(judge(row, &mut numbers, &mut ledger).status, RowStatus::Failed);
    });
}
