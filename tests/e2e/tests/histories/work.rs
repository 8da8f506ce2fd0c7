//! The kinds of job, as one.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rollcall_bulk::{
    append,
    job::Job,
    resync,
    rotation::{self, Checked, Rules},
    undo::{self, Effect, NumberPlan},
};
use rollcall_model::{
    caller_id::CallerId,
    inventory::InventoryNumber,
    mapping::{CrmUserId, Mapping, MatchIndex},
    numbers::NumberReader,
    phone_side::PhoneSide,
};
use rollcall_tabular::{Row, Schema};
use serde::{Deserialize, Serialize};

/// One job, as it is worked on.
#[expect(clippy::large_enum_variant, reason = "there are three of them at once")]
pub enum Work {
    Append(NumberReader, append::AppendRequests, append::AppendLedger),
    Rotate(rotation::RotationLedger, Rules),
    Undo { ledger: undo::UndoLedger, taken: HashSet<CallerId>, undone: Box<Job> },
    Resync(Resync),
}

/// A resync, as it is worked on.
pub struct Resync {
    pub side: PhoneSide,
    pub inventory: Vec<InventoryNumber>,
    pub mappings: HashMap<CrmUserId, Mapping>,
    pub ledger: resync::ResyncLedger,
    pub at: Timestamp,
}

impl Resync {
    pub fn decide(&self, mapping: Option<&Mapping>) -> resync::MappingChange {
        let index = MatchIndex::of(&self.side);
        mapping.map_or_else(resync::MappingChange::none, |mapping| {
            resync::decide(mapping, &index, &self.inventory, self.at)
        })
    }
}

/// What is done to one user.
#[derive(Clone, Serialize, Deserialize)]
pub enum Plan {
    Append(append::AppendPlan),
    Rotate(rotation::RotationPlan),
    Undo(undo::UndoPlan),
    Resync(resync::ResyncPlan),
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
            Self::Resync(_) => &resync::COLUMNS,
        }
    }

    pub fn take(&mut self, row: &Row<'_>) {
        match self {
            Self::Append(reader, wanted, _) => _ = wanted.take(row, reader),
            Self::Rotate(ledger, _) => ledger.take(row),
            Self::Undo { .. } => {}
            Self::Resync(resync) => resync.ledger.take(row),
        }
    }

    pub fn finish_reading(&mut self) {
        if let Self::Append(_, wanted, ledger) = self {
            *ledger = std::mem::take(wanted).finish_reading();
        }
    }

    pub fn users(&self) -> usize {
        match self {
            Self::Append(.., ledger) => ledger.users(),
            Self::Rotate(ledger, _) => ledger.users(),
            Self::Undo { ledger, .. } => ledger.users(),
            Self::Resync(resync) => resync.ledger.users(),
        }
    }

    pub fn login(&self, user: usize) -> &str {
        match self {
            Self::Append(.., ledger) => ledger.login(user),
            Self::Rotate(ledger, _) => ledger.login(user),
            Self::Undo { ledger, .. } => &ledger.effect(user).login,
            Self::Resync(resync) => resync.ledger.crm_user(user).as_str(),
        }
    }

    pub fn user(&self, login: &str) -> Option<usize> {
        match self {
            Self::Append(.., ledger) => ledger.user(login),
            Self::Rotate(ledger, _) => ledger.user(login),
            Self::Undo { ledger, .. } => ledger.user(login),
            Self::Resync(resync) => resync.ledger.user(&CrmUserId::parse(login).ok()?),
        }
    }

    pub fn is_decided(&self, user: usize) -> bool {
        match self {
            Self::Append(.., ledger) => ledger.is_decided(user),
            Self::Rotate(ledger, _) => ledger.is_decided(user),
            Self::Undo { ledger, .. } => ledger.is_decided(user),
            Self::Resync(resync) => resync.ledger.is_decided(user),
        }
    }

    pub fn record(&mut self, plan: &Plan) {
        match (self, plan) {
            (Self::Append(.., ledger), Plan::Append(plan)) => ledger.record(plan),
            (Self::Rotate(ledger, _), Plan::Rotate(plan)) => ledger.record(plan),
            (Self::Undo { ledger, .. }, Plan::Undo(plan)) => ledger.record(plan),
            (Self::Resync(resync), Plan::Resync(plan)) => resync.ledger.record(plan),
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
            Self::Resync(plan) => plan.crm_user.as_str(),
        }
    }

    pub fn writes(&self) -> bool {
        match self {
            Self::Append(plan) => !plan.add.is_empty(),
            Self::Rotate(plan) => plan.writes(),
            Self::Undo(plan) => plan.writes(),
            Self::Resync(plan) => plan.change.after.is_some(),
        }
    }

    /// Numbers put on the list, and those taken off again since they were retired meanwhile; `None` of what is about no list.
    pub fn added(&mut self) -> Option<[&mut Vec<CallerId>; 2]> {
        match self {
            Self::Append(plan) => Some([&mut plan.add, &mut plan.retracted]),
            Self::Rotate(plan) => Some([&mut plan.added, &mut plan.retracted]),
            Self::Undo(plan) => Some([&mut plan.put_back, &mut plan.retracted]),
            Self::Resync(_) => None,
        }
    }

    pub fn retract(&mut self, refused: &HashSet<CallerId>) {
        let Some([added, retracted]) = self.added() else { return };
        retracted.extend(added.extract_if(.., |number| refused.contains(number)));
    }

    pub fn merge_previous_attempt(&mut self, earlier: &Self) {
        match (self, earlier) {
            (Self::Rotate(plan), Self::Rotate(earlier)) => plan.merge_previous_attempt(earlier),
            (Self::Undo(plan), Self::Undo(earlier)) => plan.merge_previous_attempt(earlier),
            _ => {}
        }
    }

    pub fn into_deed(self) -> Option<Effect> {
        match self {
            Self::Append(plan) => Some(plan.into()),
            Self::Rotate(plan) => Some(plan.into()),
            Self::Undo(_) | Self::Resync(_) => None,
        }
    }
}
