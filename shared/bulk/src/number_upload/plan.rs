//! What a file of numbers does to one of them.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{LABELS, NUMBER, NumberRow, PURCHASED, RESTING_UNTIL, STATE};
use crate::{
    bulk_job::{Done, Plan},
    left_out::LeftOut,
    user_upload::{Catalog, NewEntry, Referred},
};
use rollcall_model::{
    caller_id::CallerId,
    code::RowCode,
    inventory::{InventoryNumber, MAX_LABELS, NumberFacts, NumberState, utc_day},
};

/// What a job does to one number, and why. Kept beside the results before it is carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberUploadPlan {
    /// The number.
    pub number: CallerId,
    /// What becomes of it.
    pub change: NumberChange,
    /// Departments that are made for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub creates: Vec<NewEntry>,
}

/// What becomes of a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberChange {
    /// It comes into the inventory.
    Add(Box<InventoryNumber>),
    /// It is changed.
    Change {
        /// From this,
        before: Box<InventoryNumber>,
        /// to this.
        after: Box<InventoryNumber>,
    },
    /// It is as it should be.
    None,
    /// Nothing is done, since something of it can't be.
    Refused(NumberRefusal),
}

/// Why nothing is done for a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberRefusal {
    /// The stable code.
    pub code: RowCode,
    /// The column, by its place in [`super::COLUMNS`].
    pub column: usize,
    /// A sentence for the person who made the file.
    pub message: String,
}

impl NumberUploadPlan {
    /// Decides for one number, by what is there of it.
    pub fn decide(
        number: CallerId,
        row: &NumberRow,
        present: Option<&InventoryNumber>,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Self {
        let mut creates = Vec::new();
        let change = changed(number, row, present, (catalog, &mut creates), now);
        let change = change.unwrap_or_else(|refusal| {
            creates.clear();
            NumberChange::Refused(refusal)
        });
        Self { number, change, creates }
    }

    /// What is to be written: what is there, if anything is, and what is to be.
    pub fn write(&self) -> Option<(Option<&InventoryNumber>, &InventoryNumber)> {
        match &self.change {
            NumberChange::Add(after) => Some((None, after)),
            NumberChange::Change { before, after } => Some((Some(before), after)),
            NumberChange::None | NumberChange::Refused(_) => None,
        }
    }
}

fn changed(
    number: CallerId,
    row: &NumberRow,
    present: Option<&InventoryNumber>,
    (catalog, creates): (&Catalog, &mut Vec<NewEntry>),
    now: Timestamp,
) -> Result<NumberChange, NumberRefusal> {
    let mut facts = present.map(|present| present.facts.clone()).unwrap_or_default();
    if let Some(cell) = &row.department {
        match catalog.department(cell.as_str()) {
            Referred::Known(id) => facts.department = Some(id),
            Referred::New(new) => {
                facts.department = Some(new.entry.id.clone());
                creates.push(new);
            }
            // A slip: the row says so.
            Referred::Several | Referred::Unknown(_) => {}
        }
    }
    if let Some(state) = row.state {
        facts.state = state;
        if state != NumberState::Resting {
            facts.resting_until = None;
        }
    }
    facts.resting_until = row.resting_until.or(facts.resting_until);
    facts.provider = row.provider.clone().or(facts.provider);
    facts.purpose = row.purpose.or(facts.purpose);
    facts.attestation = row.attestation.or(facts.attestation);
    if let Some(labels) = &row.labels {
        facts.labels.clone_from(labels);
    }
    check(&facts)?;
    let bought = row.purchased.and_then(beginning);
    if bought.is_some_and(|bought| bought > now) {
        return Err(refusal(RowCode::ValueInvalid, PURCHASED, "The day has not come yet."));
    }
    let Some(before) = present else {
        return Ok(NumberChange::Add(Box::new(InventoryNumber::new(number, facts, bought.unwrap_or(now)))));
    };
    let mut after =
        before.change(facts, now).map_err(|retired| refusal(RowCode::NumberRetired, STATE, retired.to_string()))?;
    if let Some(bought) = bought
        && after.dates.in_service_since.map(utc_day) != row.purchased
    {
        if after.dates.in_service_since.is_none() {
            let message = "The number is not in service, so there is no day since which it has been.";
            return Err(refusal(RowCode::ValueInvalid, PURCHASED, message));
        }
        after.dates.in_service_since = Some(bought);
        after.version = before.version + 1;
    }
    Ok(if after == *before {
        NumberChange::None
    } else {
        NumberChange::Change { before: Box::new(before.clone()), after: Box::new(after) }
    })
}

fn check(facts: &NumberFacts) -> Result<(), NumberRefusal> {
    if facts.labels.len() > MAX_LABELS {
        return Err(refusal(RowCode::ValueInvalid, LABELS, format!("A number has {MAX_LABELS} labels at most.")));
    }
    if facts.is_consistent() {
        return Ok(());
    }
    let message = "The day that a rest ends goes with the state resting, and with no other.";
    Err(refusal(RowCode::ValueInvalid, RESTING_UNTIL, message))
}

fn refusal(code: RowCode, column: usize, message: impl Into<String>) -> NumberRefusal {
    NumberRefusal { code, column, message: message.into() }
}

fn beginning(day: Date) -> Option<Timestamp> {
    day.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp())
}

impl Plan for NumberUploadPlan {
    fn writes(&self) -> bool {
        self.write().is_some()
    }

    fn keep_done(&mut self, now: &Self) -> bool {
        now.change == NumberChange::None
    }

    fn leave_out(&mut self, why: LeftOut) {
        self.change = NumberChange::Refused(refusal(why.code(), NUMBER, why.message()));
    }

    fn numbers(&self) -> usize {
        1
    }

    fn tally(&self, done: &mut Done) {
        done.users_changed += u64::from(self.writes());
        done.users_created += u64::from(matches!(self.change, NumberChange::Add(_)));
    }
}
