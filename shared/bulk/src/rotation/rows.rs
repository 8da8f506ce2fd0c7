//! What a rotation is about, as rows: one for each number and each user who has it.

use std::collections::{BTreeMap, HashMap};

use super::{Checked, Holder};
use crate::outcomes::row_key;
use rollcall_model::caller_id::CallerId;
use rollcall_tabular::{Column, Row, Writer, text::shown};

pub(super) const LOGIN: usize = 0;
pub(super) const AT: usize = 1;

/// The columns that rows are carried out by: who, and where the pair was asked for. The others are for people, and for
/// dropping what failed once more.
pub static ROWS: [Column; 2] = [
    Column { name: "Login ID", aliases: &["loginid"], required: true, takes_surplus: false },
    Column { name: "Asked At", aliases: &["askedat"], required: true, takes_surplus: false },
];

/// Writes the rows of a rotation: for each pair one for each holder, in order; one without a user for a pair that nobody has
/// or that can't be carried out. `unknown` are those of the request's login IDs, by their places, whom the account doesn't
/// have. Gives the file, and how many rows it has.
pub fn rows(pairs: &[Checked], holders: &[Holder], unknown: &BTreeMap<usize, String>) -> (Vec<u8>, u64) {
    let mut held: HashMap<CallerId, Vec<&str>> =
        pairs.iter().filter_map(|pair| Some((pair.good()?.old, Vec::new()))).collect();
    for holder in holders {
        for number in &holder.caller_ids {
            if let Some(logins) = held.get_mut(number) {
                logins.push(&holder.login);
            }
        }
    }
    let mut csv = Writer::new(b',');
    csv.record(["Old Caller ID", "New Caller ID", "Login ID", "Asked At"]);
    let mut count = 0;
    let mut write = |cells: [&str; 4]| {
        count += 1;
        csv.record(cells);
    };
    for pair in pairs {
        let at = pair.asked.at.as_str();
        let Some(good) = pair.good() else {
            // What was asked for may be any text; the row must stay one that can be read.
            write([&shown(&pair.asked.old), &shown(&pair.asked.new), "", at]);
            continue;
        };
        let (old, new) = (good.old.to_string(), good.new.map(|new| new.to_string()).unwrap_or_default());
        let logins = &held[&good.old];
        for &login in if logins.is_empty() { &[""][..] } else { logins } {
            write([&old, &new, login, at]);
        }
    }
    for (at, login) in unknown {
        write(["", "", login, &format!("/only/logins/{at}")]);
    }
    (csv.take(), count)
}

/// What a row is known by, from a preview to its execution.
pub fn key(row: &Row<'_>) -> u64 {
    let cell = |column| row.value(column).unwrap_or_default();
    row_key(&[&cell(LOGIN), &cell(AT)])
}
