//! One upload of numbers: its rows read, its numbers decided, its rows judged.

use hashbrown::HashMap;
use jiff::Timestamp;
use rollcall_model::{
    caller_id::CallerId,
    code::{RowCode, Warning},
    inventory::InventoryNumber,
};
use rollcall_tabular::{Row, RowShape, Schema};

use super::{COLUMNS, DEPARTMENT, NUMBER, NumberChange, NumberRefusal, NumberRow, NumberRowReader, NumberUploadPlan};
use crate::{
    bulk_job::{BulkJob, Plan},
    report::{Judgement, Remark, RowStatus},
    user_upload::Catalog,
};

/// Numbers that are added and changed.
pub struct NumberUploadJob {
    reader: NumberRowReader,
    catalog: Catalog,
    asked: Vec<Asked>,
    places: HashMap<CallerId, usize>,
}

/// What is to be so of a number, by the first row that names it.
struct Asked {
    number: CallerId,
    line: u64,
    row: NumberRow,
    outcome: Option<Outcome>,
}

enum Outcome {
    Written,
    Same,
    Refused(NumberRefusal),
}

impl NumberUploadJob {
    /// An upload whose rows are read so, against the account's catalogue.
    pub fn new(reader: NumberRowReader, catalog: Catalog) -> Self {
        Self { reader, catalog, asked: Vec::new(), places: HashMap::new() }
    }

    /// A number of the file.
    pub fn number(&self, place: usize) -> CallerId {
        self.asked[place].number
    }

    /// Decides for a number, by what is there of it.
    pub fn plan(&self, place: usize, present: Option<&InventoryNumber>, now: Timestamp) -> NumberUploadPlan {
        let Asked { number, row, .. } = &self.asked[place];
        NumberUploadPlan::decide(*number, row, present, &self.catalog, now)
    }
}

impl BulkJob for NumberUploadJob {
    type Plan = NumberUploadPlan;

    fn columns(&self) -> Schema {
        &COLUMNS
    }

    fn read_row(&mut self, row: &Row<'_>) {
        if row.shape != RowShape::Sound {
            return;
        }
        let Ok(said) = self.reader.read(row) else { return };
        let next = self.asked.len();
        // What a second row says is judged by the first.
        if *self.places.entry(said.number).or_insert(next) == next {
            self.asked.push(Asked { number: said.number, line: row.line, row: said.row, outcome: None });
        }
    }

    fn users(&self) -> usize {
        self.asked.len()
    }

    fn is_decided(&self, user: usize) -> bool {
        self.asked[user].outcome.is_some()
    }

    fn user_of(&self, plan: &NumberUploadPlan) -> Option<usize> {
        self.places.get(&plan.number).copied()
    }

    fn record(&mut self, plan: &NumberUploadPlan) {
        let Some(place) = self.user_of(plan) else { return };
        self.asked[place].outcome = Some(match &plan.change {
            NumberChange::Refused(refusal) => Outcome::Refused(refusal.clone()),
            NumberChange::None => Outcome::Same,
            NumberChange::Add(_) | NumberChange::Change { .. } => Outcome::Written,
        });
        debug_assert!(plan.writes() == matches!(self.asked[place].outcome, Some(Outcome::Written)));
    }

    fn judge(&mut self, row: &Row<'_>) -> Judgement {
        if let Some(failed) = Judgement::of_shape(row) {
            return failed;
        }
        let said = match self.reader.read(row) {
            Ok(said) => said,
            Err(errors) => return Judgement::new(RowStatus::Failed, errors),
        };
        let name = |column: usize| row.header().name(column);
        let Some(asked) = self.places.get(&said.number).map(|&place| &self.asked[place]) else {
            return Judgement::unprocessed();
        };
        let mut remarks = said.warnings;
        let number = said.number.to_string();
        if asked.line != row.line {
            if asked.row != said.row {
                let message = format!("The row on line {} says something else of this number.", asked.line);
                return Judgement::failed(Remark::error(RowCode::DuplicateNumber, name(NUMBER), &number, message));
            }
            let message = "What the row says stands further up in the file.";
            remarks.push(Remark::warning(Warning::DuplicateInFile, name(NUMBER), &number, message));
        }
        remarks.extend(self.catalog.remark_department(name(DEPARTMENT), said.row.department.as_ref()));
        let status = match &asked.outcome {
            None => return Judgement::unprocessed(),
            Some(Outcome::Refused(refusal)) => {
                let value = row.value(refusal.column).unwrap_or_default();
                remarks.insert(0, Remark::error(refusal.code, name(refusal.column), &value, &*refusal.message));
                RowStatus::Failed
            }
            Some(Outcome::Written) if asked.line == row.line => RowStatus::Applied,
            Some(Outcome::Written | Outcome::Same) => RowStatus::Unchanged,
        };
        Judgement::new(status, remarks)
    }
}
