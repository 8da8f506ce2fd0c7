//! Appending caller IDs to many users' lists from a file.
//!
//! The file is read twice. First it becomes a [`AppendRequests`]: who is to have which numbers, each user once, however many
//! rows name it. That, settled into a [`AppendLedger`], is held against the table user by user: [`AppendLedger::plan`] decides,
//! [`AppendLedger::record`] keeps what came of it. Then the file is read again, and each row is judged by the ledger
//! ([`judge`]). So memory holds a few bytes a row, and no text.
//!
//! **An append never removes.** A plan can only add, and a replay finds nothing left to add.

mod job;
mod judge;
mod ledger;
mod plan;

pub use job::AppendJob;
pub use judge::judge;
pub use ledger::{AppendLedger, AppendRequests};
pub use plan::{AppendPlan, LoginLookup};

pub(crate) use judge::{NumbersJudged, not_in_force, number_message, one_number_message};

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use rollcall_model::tel_uri;
use rollcall_tabular::{Column, Row, Writer};

pub(crate) const LOGIN: usize = 0;
pub(crate) const NUMBERS: usize = 1;

/// The columns of a file. Smartflo's page itself calls the second one by two names.
pub static COLUMNS: [Column; 2] = [
    Column {
        name: "Login ID",
        aliases: &["loginid", "login", "userid", "username"],
        required: true,
        takes_surplus: false,
    },
    Column {
        name: "Allowed Caller ID",
        aliases: &[
            "allowedcallerid",
            "allowedcallerids",
            "allowedcalleridlist",
            "alloweddidnumber",
            "alloweddidnumbers",
            "alloweddid",
            "alloweddids",
            "callerid",
            "callerids",
            "did",
            "dids",
        ],
        required: true,
        takes_surplus: true,
    },
];

/// What parts the numbers of a cell.
pub const NUMBER_SEPARATOR: char = ';';
const SEPARATOR_BYTE: u8 = b';';

/// A file to start from: Smartflo's own example. It is written by the columns that the reader knows.
pub fn sample() -> Vec<u8> {
    let mut writer = Writer::new(b',');
    writer.record(COLUMNS.iter().map(|column| column.name));
    writer.record(["user1", "987654321"]);
    writer.record(["user2", "987654321; 987654320"]);
    writer.take()
}

/// The numbers written in one cell. The parameters of a telephone link (RFC 3966) stay with their number.
pub(crate) fn written_numbers(cell: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(cell);
    let next = std::iter::from_fn(move || {
        let text = rest?;
        let mut end = memchr::memchr(SEPARATOR_BYTE, text.as_bytes()).unwrap_or(text.len());
        if tel_uri::is_one(&text[..end]) {
            while let Some(parameter) = tel_uri::parameter(&text[end..]) {
                end += parameter;
            }
        }
        rest = text.get(end + NUMBER_SEPARATOR.len_utf8()..);
        Some(&text[..end])
    });
    next.map(rollcall_tabular::text::trim).filter(|number| !number.is_empty())
}

/// The cell of a row's numbers, with those past the header's end that belong to it.
pub(crate) fn numbers_cell<'a>(row: &Row<'a>) -> Option<Cow<'a, str>> {
    let cell = row.value(NUMBERS)?;
    let mut surplus = row.surplus(NUMBERS).peekable();
    if surplus.peek().is_none() {
        return Some(cell);
    }
    Some(Cow::Owned(surplus.fold(cell.into_owned(), |mut joined, more| {
        joined.push(NUMBER_SEPARATOR);
        joined.push_str(&more);
        joined
    })))
}
