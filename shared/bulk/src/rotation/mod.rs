//! Rotation: numbers are retired, and replaced on every list that has them.
//!
//! A rotation names pairs, an old number and what takes its place, if anything does. Each pair is checked against the
//! inventory by itself ([`check`]), so that a bad one costs itself alone. Then the account's users are walked once, and what
//! is to be done becomes rows: one for each number and each user who has it ([`rows`]). A user's list changes in one write
//! ([`RotationPlan::decide`]); a plan can only take off what is being retired, and never makes a list longer.
//!
//! **Nobody is left without a number to dial from** unless that is asked for, by list or by policy: who would be keeps the numbers, and the
//! rows say so. What a replacement takes over of the old number is its place on lists and its department.

mod check;
mod ledger;
mod plan;
mod request;
mod rows;
mod rules;
#[cfg(test)]
mod tests;

pub use check::{ByPolicy, Checked, Pair, PairVerdict, check};
pub use ledger::RotationLedger;
pub use plan::{Holder, RotationPlan};
pub use request::{
    Fault, MAX_LOGINS, MAX_NUMBERS, MAX_QUARANTINE_DAYS, OfFile, Only, Replacements, RequestedPair, RotationRequest,
    read_file,
};
pub use rows::rows;
pub use rules::{LeftByPolicy, PolicyCounts, Rules, Terms};

use rollcall_tabular::{Column, Writer};

const OLD: usize = 0;
const NEW: usize = 1;

/// The columns of a file. An empty replacement, or no column for it, retires alone.
pub static COLUMNS: [Column; 2] = [
    Column {
        name: "Old Caller ID",
        aliases: &["oldcallerid", "oldnumber", "olddid", "old", "retire"],
        required: true,
        takes_surplus: false,
    },
    Column {
        name: "New Caller ID",
        aliases: &["newcallerid", "newnumber", "newdid", "new", "replacewith", "replacement"],
        required: false,
        takes_surplus: false,
    },
];

/// A file to start from. It is written by the columns that the reader knows.
pub fn sample() -> Vec<u8> {
    let mut writer = Writer::new(b',');
    writer.record(COLUMNS.iter().map(|column| column.name));
    writer.record(["987654321", "987654322"]);
    writer.record(["987654320", ""]);
    writer.take()
}
