//! What came of each mapping, and of each row.

use std::collections::HashMap;

use super::{COLUMNS, MappingOutcome, ResyncPlan};
use crate::{
    bulk_job::BulkJob,
    left_out::LeftOut,
    report::{Judgement, Remark, RowStatus},
};
use rollcall_model::{code::Warning, mapping::CrmUserId};
use rollcall_tabular::{Row, Schema};

/// What came of each mapping of the rows.
#[derive(Default)]
pub struct ResyncLedger {
    crm_users: Vec<CrmUserId>,
    index: HashMap<CrmUserId, usize>,
    outcomes: Vec<Option<(MappingOutcome, bool)>>,
}

impl ResyncLedger {
    /// The CRM user number `user`.
    pub fn crm_user(&self, user: usize) -> &CrmUserId {
        &self.crm_users[user]
    }

    /// Which number a CRM user has.
    pub fn user(&self, crm_user: &CrmUserId) -> Option<usize> {
        self.index.get(crm_user).copied()
    }
}

impl BulkJob for ResyncLedger {
    type Plan = ResyncPlan;

    fn columns(&self) -> Schema {
        &COLUMNS
    }

    fn read_row(&mut self, row: &Row<'_>) {
        let Some(crm_user) = row.value(0).and_then(|value| CrmUserId::parse(&value).ok()) else { return };
        let next = self.crm_users.len();
        if *self.index.entry(crm_user.clone()).or_insert(next) == next {
            self.crm_users.push(crm_user);
            self.outcomes.push(None);
        }
    }

    fn users(&self) -> usize {
        self.crm_users.len()
    }

    fn is_decided(&self, user: usize) -> bool {
        self.outcomes[user].is_some()
    }

    fn user_of(&self, plan: &ResyncPlan) -> Option<usize> {
        self.user(&plan.crm_user)
    }

    fn record(&mut self, plan: &ResyncPlan) {
        if let Some(user) = self.user(&plan.crm_user) {
            self.outcomes[user] = Some((plan.change.kind, plan.change.after.is_some() || plan.done));
        }
    }

    fn judge(&mut self, row: &Row<'_>) -> Judgement {
        judge(row, self)
    }
}

/// Judges a row.
fn judge(row: &Row<'_>, ledger: &ResyncLedger) -> Judgement {
    let outcome = row.value(0).and_then(|value| CrmUserId::parse(&value).ok()).and_then(|id| ledger.user(&id));
    let Some((kind, changed)) = outcome.and_then(|user| ledger.outcomes[user]) else {
        return Judgement::unprocessed();
    };
    let field = row.header().name(0);
    let value = row.value(0).unwrap_or_default();
    if let MappingOutcome::LeftOut(why) = kind {
        let message = match why {
            LeftOut::NotStorable => {
                "The numbers that the CRM user was to see in addition are too many for one mapping. Use the policy all or department for the \
                 phone user, or a shorter list."
            }
            LeftOut::Changing | LeftOut::Overtaken => {
                "Somebody else changed the mapping each time that the job was about to. The next resync looks at it again."
            }
        };
        let remarks = vec![Remark::error(why.code(), field, &value, message)];
        return Judgement::new(if changed { RowStatus::Partial } else { RowStatus::Failed }, remarks);
    }
    let warning = match kind {
        MappingOutcome::Unmapped => Some((Warning::Unmapped, "No phone user has the CRM user's address or login.")),
        MappingOutcome::Ambiguous => {
            Some((Warning::Ambiguous, "Several phone users could be it. Choose one in the mapping."))
        }
        MappingOutcome::Orphaned => Some((Warning::Orphaned, "The phone user is gone, and the numbers with it.")),
        MappingOutcome::Granted
        | MappingOutcome::Revoked
        | MappingOutcome::Updated
        | MappingOutcome::Unchanged
        | MappingOutcome::LeftOut(_) => None,
        MappingOutcome::Overtaken => {
            Some((Warning::ChangedSince, "A newer resync has taken over, and looks after it."))
        }
    };
    let remarks = warning.into_iter().map(|(code, message)| Remark::warning(code, field, &value, message)).collect();
    Judgement::new(if changed { RowStatus::Applied } else { RowStatus::Unchanged }, remarks)
}
