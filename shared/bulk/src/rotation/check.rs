//! Pairs, held against the inventory. A bad one costs itself alone.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{COLUMNS, NEW, OLD, RequestedPair};
use crate::append::one_number_message;
use rollcall_model::{
    caller_id::CallerId,
    code::RowCode,
    country::Country,
    inventory::{InventoryNumber, NumberState},
    jobs::JobId,
    numbers::{NumberReader, Reading},
};
use rollcall_tabular::text::{self, shown};

/// A number that is retired, and what takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The number that goes.
    pub old: CallerId,
    /// The number that comes, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<CallerId>,
}

/// A pair that was asked for, and what is to be thought of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// As it was written.
    #[serde(flatten)]
    pub asked: RequestedPair,
    /// Whether it can be carried out.
    pub verdict: PairVerdict,
    /// Those who dial from the old number by their policy, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_policy: Option<ByPolicy>,
}

/// Those who dial from an old number by their policy: all of the account's numbers, or their department's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByPolicy {
    /// How many they are.
    pub people: u64,
    /// The replacement is theirs by the same policy.
    pub replaced: bool,
}

/// Whether a pair can be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairVerdict {
    /// It can.
    Good(Pair),
    /// The same pair stands further up.
    Repeated(Pair),
    /// It could, and was for some perhaps, until the job was given up. Then somebody else has retired the number, or is about to.
    Lost(Pair),
    /// It can't.
    Bad {
        /// Why.
        code: RowCode,
        /// The column, by its name.
        field: String,
        /// A sentence for whoever asked.
        message: String,
    },
}

impl Checked {
    /// The pair, if it can be carried out.
    pub fn good(&self) -> Option<Pair> {
        match self.verdict {
            PairVerdict::Good(pair) => Some(pair),
            PairVerdict::Repeated(_) | PairVerdict::Lost(_) | PairVerdict::Bad { .. } => None,
        }
    }

    /// The pair, if it can be carried out, or could.
    pub(super) fn was_good(&self) -> Option<Pair> {
        match self.verdict {
            PairVerdict::Good(pair) | PairVerdict::Lost(pair) => Some(pair),
            PairVerdict::Repeated(_) | PairVerdict::Bad { .. } => None,
        }
    }

    /// Somebody else has retired the number, or is about to.
    pub fn lose(&mut self) {
        if let PairVerdict::Good(pair) = self.verdict {
            self.verdict = PairVerdict::Lost(pair);
        }
    }
}

/// Checks the pairs of one rotation, in order. `stale` are the jobs whose reservations of numbers count for nothing: this rotation,
/// and those that have ended without taking theirs away.
pub fn check(
    asked: Vec<RequestedPair>,
    country: Country,
    inventory: &[InventoryNumber],
    stale: &[JobId],
) -> Vec<Checked> {
    let mut checker = Checker {
        reader: NumberReader::of_any(country, inventory),
        inventory: inventory.iter().map(|item| (item.number, item)).collect(),
        stale,
        reserved_by: HashSet::new(),
        seen: HashMap::new(),
    };
    // All of them first: a replacement may leave further down.
    checker.reserved_by = asked.iter().filter_map(|asked| checker.read(&asked.old, OLD).ok()).collect();
    asked
        .into_iter()
        .map(|asked| {
            let verdict = checker.judge(&asked).unwrap_or_else(|bad| PairVerdict::Bad {
                code: bad.code,
                field: COLUMNS[bad.column].name.to_owned(),
                message: bad.message,
            });
            Checked { asked, verdict, by_policy: None }
        })
        .collect()
}

struct Checker<'a> {
    reader: NumberReader,
    inventory: HashMap<CallerId, &'a InventoryNumber>,
    stale: &'a [JobId],
    /// The numbers that this rotation retires, whether or not it can.
    reserved_by: HashSet<CallerId>,
    /// Old numbers so far: where, and with which replacement.
    seen: HashMap<CallerId, (String, Option<CallerId>)>,
}

struct Bad {
    code: RowCode,
    column: usize,
    message: String,
}

impl Checker<'_> {
    fn judge(&mut self, asked: &RequestedPair) -> Result<PairVerdict, Bad> {
        if asked.misshapen {
            let message = "The row can't be read: a quote is not closed, it is too long, or it has too many cells.";
            return Err(Bad { code: RowCode::MalformedCsv, column: OLD, message: message.to_owned() });
        }
        if text::trim(&asked.old).is_empty() {
            let message = "The cell is empty: it must hold a number.".to_owned();
            return Err(Bad { code: RowCode::NumberMissing, column: OLD, message });
        }
        let old = self.read(&asked.old, OLD)?;
        let new = match text::trim(&asked.new) {
            "" => None,
            new => Some(self.read(new, NEW)?),
        };
        if let Some((at, replacement)) = self.seen.get(&old) {
            if *replacement == new {
                return Ok(PairVerdict::Repeated(Pair { old, new }));
            }
            let message = format!("{old} stands further up, with another replacement ({at}).");
            return Err(Bad { code: RowCode::DuplicateNumber, column: OLD, message });
        }
        self.seen.insert(old, (asked.at.clone(), new));
        let item = self.inventory[&old];
        if item.facts.state == NumberState::Retired {
            let message = format!("{old} has been retired before.");
            return Err(Bad { code: RowCode::NumberRetired, column: OLD, message });
        }
        if self.leaves(item) {
            let message = format!("Another rotation is retiring {old}.");
            return Err(Bad { code: RowCode::NumberInRotation, column: OLD, message });
        }
        if let Some(new) = new {
            let item = self.inventory[&new];
            let why = match item.facts.state {
                _ if self.reserved_by.contains(&new) => Some("this rotation retires it too"),
                _ if self.leaves(item) => Some("another rotation is retiring it"),
                state if !state.is_usable() => Some(state.as_str()),
                _ => None,
            };
            if let Some(why) = why {
                let message = format!("{new} can't take a place: {why}.");
                return Err(Bad { code: RowCode::ReplacementUnusable, column: NEW, message });
            }
        }
        Ok(PairVerdict::Good(Pair { old, new }))
    }

    /// Reads a number of the inventory.
    fn read(&mut self, written: &str, column: usize) -> Result<CallerId, Bad> {
        let code = match self.reader.read(written) {
            Reading::Number { number, .. } if self.inventory.contains_key(&number) => return Ok(number),
            Reading::Number { .. } => RowCode::NumberNotOwned,
            Reading::Refused(code) => code,
        };
        Err(Bad { code, column, message: one_number_message(code, &shown(written)) })
    }

    fn leaves(&self, item: &InventoryNumber) -> bool {
        item.reserved_by.as_ref().is_some_and(|job| !self.stale.contains(job))
    }
}
