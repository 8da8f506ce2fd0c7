//! The rows of the file, good and bad.

use std::fmt::Write;

use serde::Serialize;

use crate::{demo_account, split_mix::SplitMix64};

/// What can be wrong with a row. Each kind fails the row, but for [`Flaw::OneBadNumber`], which makes it partial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Flaw {
    UnknownLogin,
    EmptyLogin,
    EmptyNumber,
    Scientific,
    Junk,
    NotOwned,
    Retired,
    OneBadNumber,
    TooFewCells,
    TooManyCells,
    UnbalancedQuote,
}

/// Bad rows take turns in this order.
pub(super) const FLAWS: [Flaw; 11] = [
    Flaw::UnknownLogin,
    Flaw::EmptyLogin,
    Flaw::EmptyNumber,
    Flaw::Scientific,
    Flaw::Junk,
    Flaw::NotOwned,
    Flaw::Retired,
    Flaw::OneBadNumber,
    Flaw::TooFewCells,
    Flaw::TooManyCells,
    Flaw::UnbalancedQuote,
];

/// Not numbers.
pub(super) const JUNK: [&str; 4] = ["none yet", "call me", "98765", "9876500001x5"];

/// Makes rows. Writing to a string can't fail.
pub(super) struct Rows {
    pub(super) random: SplitMix64,
    users: u64,
    numbers: u64,
}

impl Rows {
    pub(super) fn new(seed: u64, users: u64, numbers: u64) -> Self {
        Self { random: SplitMix64::new(seed), users, numbers }
    }

    pub(super) fn good(&mut self, row: &mut String) {
        self.login(row);
        row.push(',');
        self.cell(row);
    }

    pub(super) fn bad(&mut self, flaw: Flaw, row: &mut String) {
        match flaw {
            Flaw::UnknownLogin => {
                let _ = write!(row, "nobody{},", self.random.below(1_000_000));
                self.cell(row);
            }
            Flaw::EmptyLogin => {
                row.push(',');
                self.cell(row);
            }
            Flaw::TooFewCells => self.login(row),
            Flaw::TooManyCells => {
                self.good(row);
                row.push(',');
                self.number(row);
            }
            Flaw::EmptyNumber => {
                self.login(row);
                row.push_str(self.random.choose(&[",", ", ", ",;"]));
            }
            Flaw::UnbalancedQuote => {
                self.login(row);
                row.push_str(",\"");
                self.number(row);
            }
            Flaw::OneBadNumber => {
                self.good(row);
                row.push(';');
                let bad = self.random.choose(&[Flaw::Scientific, Flaw::Junk, Flaw::NotOwned]);
                self.bad_number(bad, row);
            }
            Flaw::Scientific | Flaw::Junk | Flaw::NotOwned | Flaw::Retired => {
                self.login(row);
                row.push(',');
                self.bad_number(flaw, row);
            }
        }
    }

    fn bad_number(&mut self, flaw: Flaw, row: &mut String) {
        match flaw {
            Flaw::Scientific => {
                let _ = write!(row, "9.8765{:04}E+09", self.random.below(10_000));
            }
            Flaw::NotOwned => {
                let _ = write!(row, "{}", demo_account::NOT_OWNED + self.random.below(1_000_000));
            }
            Flaw::Retired => {
                let _ = write!(row, "{}", demo_account::RETIRED);
            }
            _ => row.push_str(self.random.choose(&JUNK)),
        }
    }

    fn login(&mut self, row: &mut String) {
        let _ = write!(row, "user{}", self.random.below(self.users) + 1);
    }

    /// One to three numbers.
    fn cell(&mut self, row: &mut String) {
        self.number(row);
        for _ in 0..self.random.below(3) {
            row.push_str(self.random.choose(&[";", "; "]));
            self.number(row);
        }
    }

    /// A number of the pool, mostly as providers write it, now and then as people do.
    fn number(&mut self, row: &mut String) {
        let digits = demo_account::pool_digits(self.random.below(self.numbers) + 1);
        let (start, end) = (digits / 100_000, digits % 100_000);
        let _ = match self.random.below(20) {
            0..10 => write!(row, "{digits}"),
            10..16 => write!(row, "+91{digits}"),
            16 => write!(row, "91{digits}"),
            17 => write!(row, "{start} {end:05}"),
            18 => write!(row, "0{start}-{end:05}"),
            _ => write!(row, "{digits}.0"),
        };
    }
}
