//! The kinds of job, as one.

use std::collections::HashSet;

use rollcall_model::{
    append,
    caller_id::CallerId,
    csv_file::{Row, Schema},
    job::Job,
    numbers::NumberReader,
    rotation::{self, Checked, Rules},
    undo::{self, Deed, NumberPlan},
};
use serde::{Deserialize, Serialize};

/// One job, as it is worked on.
#[expect(clippy::large_enum_variant, reason = "there are three of them at once")]
pub enum Work {
    Append(NumberReader, append::Wanted, append::Ledger),
    Rotate(rotation::Ledger, Rules),
    Undo { ledger: undo::Ledger, taken: HashSet<CallerId>, undone: Box<Job> },
}

/// What is done to one user.
#[derive(Clone, Serialize, Deserialize)]
pub enum Plan {
    Append(append::UserPlan),
    Rotate(rotation::UserPlan),
    Undo(undo::Plan),
}

#[derive(Default, Serialize, Deserialize)]
pub struct Batch {
    pub carried_out: usize,
    #[serde(skip)]
    pub recalled: usize,
    pub plans: Vec<Plan>,
}

/// What a job keeps of the rows that it has brought.
#[derive(Serialize, Deserialize)]
pub struct Note {
    pub rows: Vec<u8>,
    pub pairs: Vec<Checked>,
    pub numbers: Vec<NumberPlan>,
}

impl Work {
    pub fn columns(&self) -> Schema {
        match self {
            Self::Append(..) => &append::COLUMNS,
            Self::Rotate(..) => &rotation::ROWS,
            Self::Undo { .. } => &undo::COLUMNS,
        }
    }

    pub fn take(&mut self, row: &Row<'_>) {
        match self {
            Self::Append(reader, wanted, _) => _ = wanted.take(row, reader),
            Self::Rotate(ledger, _) => ledger.take(row),
            Self::Undo { .. } => {}
        }
    }

    pub fn settle(&mut self) {
        if let Self::Append(_, wanted, ledger) = self {
            *ledger = std::mem::take(wanted).settle();
        }
    }

    pub fn users(&self) -> usize {
        match self {
            Self::Append(.., ledger) => ledger.users(),
            Self::Rotate(ledger, _) => ledger.users(),
            Self::Undo { ledger, .. } => ledger.users(),
        }
    }

    pub fn login(&self, user: usize) -> &str {
        match self {
            Self::Append(.., ledger) => ledger.login(user),
            Self::Rotate(ledger, _) => ledger.login(user),
            Self::Undo { ledger, .. } => &ledger.deed(user).login,
        }
    }

    pub fn user(&self, login: &str) -> Option<usize> {
        match self {
            Self::Append(.., ledger) => ledger.user(login),
            Self::Rotate(ledger, _) => ledger.user(login),
            Self::Undo { ledger, .. } => ledger.user(login),
        }
    }

    pub fn is_settled(&self, user: usize) -> bool {
        match self {
            Self::Append(.., ledger) => ledger.is_settled(user),
            Self::Rotate(ledger, _) => ledger.is_settled(user),
            Self::Undo { ledger, .. } => ledger.is_settled(user),
        }
    }

    pub fn record(&mut self, plan: &Plan) {
        match (self, plan) {
            (Self::Append(.., ledger), Plan::Append(plan)) => ledger.record(plan),
            (Self::Rotate(ledger, _), Plan::Rotate(plan)) => ledger.record(plan),
            (Self::Undo { ledger, .. }, Plan::Undo(plan)) => ledger.record(plan),
            _ => panic!("a plan of another kind"),
        }
    }
}

impl Plan {
    pub fn login(&self) -> &str {
        match self {
            Self::Append(plan) => &plan.login,
            Self::Rotate(plan) => &plan.login,
            Self::Undo(plan) => &plan.login,
        }
    }

    pub fn writes(&self) -> bool {
        match self {
            Self::Append(plan) => !plan.add.is_empty(),
            Self::Rotate(plan) => plan.writes(),
            Self::Undo(plan) => plan.writes(),
        }
    }

    /// Numbers put on the list, and those taken off again since they were retired meanwhile.
    pub fn put_on(&mut self) -> [&mut Vec<CallerId>; 2] {
        match self {
            Self::Append(plan) => [&mut plan.add, &mut plan.taken_back],
            Self::Rotate(plan) => [&mut plan.added, &mut plan.taken_back],
            Self::Undo(plan) => [&mut plan.put_back, &mut plan.taken_back],
        }
    }

    pub fn take_back(&mut self, refused: &HashSet<CallerId>) {
        let [added, taken_back] = self.put_on();
        taken_back.extend(added.extract_if(.., |number| refused.contains(number)));
    }

    pub fn inherit(&mut self, earlier: &Self) {
        match (self, earlier) {
            (Self::Rotate(plan), Self::Rotate(earlier)) => plan.inherit(earlier),
            (Self::Undo(plan), Self::Undo(earlier)) => plan.inherit(earlier),
            _ => {}
        }
    }

    pub fn into_deed(self) -> Option<Deed> {
        match self {
            Self::Append(plan) => Some(plan.into()),
            Self::Rotate(plan) => Some(plan.into()),
            Self::Undo(_) => None,
        }
    }
}
