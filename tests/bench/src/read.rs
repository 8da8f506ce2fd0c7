//! Reading a file: the cutter and splitter beside the `csv` crate, and the whole first reading.

use std::hint::black_box;

use jiff::Timestamp;
use rollcall_bulk::append::{AppendRequests, COLUMNS};
use rollcall_model::{
    inventory::{InventoryNumber, NumberFacts},
    numbers::NumberReader,
};
use rollcall_tabular::Reader;

use crate::{count, median, report::Report, timed};

const ROWS: usize = 1_000_000;
/// Users and numbers that the file names.
const NAMED: (usize, u64) = (100_000, 5_000);
/// So few that what is known of them fits into the caches next to the processor.
const FEW: (usize, u64) = (100, 50);
const ROUNDS: usize = 7;
/// What S3 hands over at a time, roughly.
const CHUNK: usize = 64 * 1024;

pub(crate) fn run(report: &mut Report) {
    let (file, few) = (file(ROWS, NAMED), file(ROWS, FEW));
    let bytes = file.len() / ROWS;
    let users = NAMED.0;
    report.section(&format!("Reading {ROWS} rows of {bytes} bytes, {users} users, one core, median of {ROUNDS}"));
    let [mut bare, mut ours, mut owned, mut free, mut cached] = [const { Vec::new() }; 5];
    let inventory = inventory();
    for _ in 0..ROUNDS {
        bare.push(timed(|| assert_eq!(rows_of_csv(&file), ROWS)));
        ours.push(timed(|| assert_eq!(rows_of_reader(&file), ROWS)));
        owned.push(timed(|| assert_eq!(users_of(&file, &inventory), users)));
        free.push(timed(|| assert_eq!(users_of(&file, &[]), users)));
        cached.push(timed(|| assert_eq!(users_of(&few, &inventory), FEW.0)));
    }
    let million = |seconds: f64| count(ROWS) / seconds / 1e6;
    let [bare, ours, owned, free, cached] = [bare, ours, owned, free, cached].map(|runs| million(median(runs)));
    report.figure("the csv crate's ByteRecord", bare, "M rows/s");
    report.figure("our reader", ours, "M rows/s");
    report.target("our reader over the csv crate", ours / bare, 0.5, "times", true);
    let met = [
        report.target("read, normalise, group: account with an inventory", owned, 3.5, "M rows/s", true),
        report.target("read, normalise, group: account without one", free, 2.5, "M rows/s", true),
    ];
    report.figure("the same as the first of few users and numbers", cached, "M rows/s");
    if met.contains(&false) {
        report.missed_because(&format!(
            "a row asks four times what is known already: of its user, and of each of its three numbers. With {} users and {} numbers in place \
             of {} and {}, all that is known fits into the processor's caches, and the same reading is {:.1} times as fast; what else a row \
             takes, *Instructions* tells by its parts.",
            FEW.0,
            FEW.1,
            NAMED.0,
            NAMED.1,
            cached / owned
        ));
    }
}

fn rows_of_csv(file: &[u8]) -> usize {
    let mut csv = csv::ReaderBuilder::new().has_headers(true).from_reader(file);
    let mut record = csv::ByteRecord::new();
    let mut rows = 0;
    while csv.read_byte_record(&mut record).expect("a record") {
        rows += usize::from(black_box(record.get(1)).is_some());
    }
    rows
}

/// Reads a file's rows and cells, and nothing else.
pub(crate) fn rows_of_reader(file: &[u8]) -> usize {
    let mut reader = Reader::new(&COLUMNS);
    let mut rows = 0;
    for chunk in file.chunks(CHUNK).map(Some).chain([None]) {
        match chunk {
            Some(chunk) => reader.push(chunk).expect("text"),
            None => reader.end().expect("text"),
        }
        while let Some(row) = reader.next_row().expect("a row") {
            rows += usize::from(black_box(row.value(1)).is_some());
        }
    }
    rows
}

/// The numbers of the file, as an account has them.
pub(crate) fn inventory() -> Vec<InventoryNumber> {
    let number = |number| format!("+91{}", 9_000_000_000 + number).parse().expect("a number");
    let item = |at| InventoryNumber::new(number(at), NumberFacts::default(), Timestamp::UNIX_EPOCH);
    (0..NAMED.1).map(item).collect()
}

/// Reads a file whole, and gives how many users it is about.
pub(crate) fn users_of(file: &[u8], inventory: &[InventoryNumber]) -> usize {
    let mut numbers = NumberReader::new("IN".parse().expect("a country"), inventory);
    let mut reader = Reader::new(&COLUMNS);
    let mut wanted = AppendRequests::default();
    for chunk in file.chunks(CHUNK).map(Some).chain([None]) {
        match chunk {
            Some(chunk) => reader.push(chunk).expect("text"),
            None => reader.end().expect("text"),
        }
        while let Some(row) = reader.next_row().expect("a row") {
            wanted.take(&row, &mut numbers);
        }
    }
    wanted.finish_reading().users()
}

/// The same file for every count of instructions.
pub(crate) fn counted(rows: usize) -> Vec<u8> {
    file(rows, NAMED)
}

/// Rows over so many users, three of so many numbers in each, in different spellings.
fn file(rows: usize, (users, numbers): (usize, u64)) -> Vec<u8> {
    let mut file = "Login ID,Allowed Caller ID\n".to_owned();
    let mut draw = 0_u64;
    let mut number = || {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        9_000_000_000 + (draw >> 33) % numbers
    };
    for row in 0..rows {
        let user = (row * 7_919) % users;
        file.push_str(&format!("user{user:06},+91{};{};91{}\n", number(), number(), number()));
    }
    file.into_bytes()
}
