//! What one row says of its number.

use jiff::civil::Date;

use super::{
    ATTESTATION, COLUMNS, DEPARTMENT, LABELS, NUMBER, PROVIDER, PURCHASED, PURPOSE, RESTING_UNTIL, SEPARATOR, STATE,
};
use crate::{
    cells::{Cells, refused},
    report::Remark,
};
use rollcall_model::{
    caller_id::CallerId,
    code::RowCode,
    country::Country,
    inventory::{Attestation, InventoryNumber, NumberState, Purpose},
    numbers::NumberReader,
    user::{Name, Ref},
};
use rollcall_tabular::Row;

/// What a row says of its number. `None` where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberRow {
    /// The department's ID or name.
    pub department: Option<Name>,
    /// Where it stands in its life.
    pub state: Option<NumberState>,
    /// Until which day it rests.
    pub resting_until: Option<Date>,
    /// Since which day, in UTC, it has been in service.
    pub purchased: Option<Date>,
    /// How the provider writes it.
    pub provider: Option<Name>,
    /// What calls from it are about.
    pub purpose: Option<Purpose>,
    /// How far the provider vouches for calls from it.
    pub attestation: Option<Attestation>,
    /// Words to find it by.
    pub labels: Option<Vec<Ref>>,
}

/// What a row says, and of which number.
pub(super) struct Said {
    pub number: CallerId,
    pub row: NumberRow,
    /// What was passed over or read in another way than it was written.
    pub warnings: Vec<Remark>,
}

/// Reads rows for one account.
pub struct NumberRowReader {
    numbers: NumberReader,
}

impl NumberRowReader {
    /// A reader for the account that owns `inventory`: its numbers are known by their own spellings, and new ones by the rules of the country.
    pub fn new(country: Country, inventory: &[InventoryNumber]) -> Self {
        Self { numbers: NumberReader::of_any(country, inventory) }
    }

    /// What a sound row says, and of which number; or everything that is wrong with it.
    pub(super) fn read(&mut self, row: &Row<'_>) -> Result<Said, Vec<Remark>> {
        let mut cells = Cells::of(row, &COLUMNS);
        let number = self.number(row, &mut cells);
        let said = NumberRow {
            department: cells.parsed(DEPARTMENT, Name::parse),
            state: cells.parsed(STATE, state),
            resting_until: cells.parsed(RESTING_UNTIL, day),
            purchased: cells.parsed(PURCHASED, day),
            provider: cells.parsed(PROVIDER, Name::parse),
            purpose: cells.parsed(PURPOSE, purpose),
            attestation: cells.parsed(ATTESTATION, attestation),
            labels: cells.parsed(LABELS, labels),
        };
        match number {
            Some(number) if cells.errors.is_empty() => Ok(Said { number, row: said, warnings: cells.warnings }),
            _ => {
                cells.errors.append(&mut cells.warnings);
                Err(cells.errors)
            }
        }
    }

    fn number(&mut self, row: &Row<'_>, cells: &mut Cells<'_>) -> Option<CallerId> {
        let written = row.cell(NUMBER).unwrap_or_default();
        if rollcall_tabular::text::trim(&written).is_empty() {
            cells.error(RowCode::NumberMissing, NUMBER, "", "The cell is empty: it must hold a number.");
            return None;
        }
        if let Some((code, message)) = refused(&written) {
            cells.error(code, NUMBER, &written, message);
            return None;
        }
        cells.number(NUMBER, &written, &mut self.numbers)
    }
}

fn state(text: &str) -> Result<NumberState, &'static str> {
    let text = text.to_lowercase();
    let found = NumberState::ALL.into_iter().find(|state| state.as_str() == text);
    found.ok_or("write new, active, flagged, resting or retired")
}

fn day(text: &str) -> Result<Date, &'static str> {
    text.parse().map_err(|_| "write a day as 2026-03-01")
}

fn purpose(text: &str) -> Result<Purpose, &'static str> {
    text.to_lowercase().parse().map_err(|_| "write promotional, service or other")
}

fn attestation(text: &str) -> Result<Attestation, &'static str> {
    text.to_uppercase().parse().map_err(|_| "write A, B or C")
}

fn labels(text: &str) -> Result<Vec<Ref>, String> {
    let labels = text.split(SEPARATOR.trim_end()).map(str::trim).filter(|label| !label.is_empty());
    labels.map(|label| Ref::parse(label).map_err(|error| error.to_string())).collect()
}
