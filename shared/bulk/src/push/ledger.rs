//! What came of each user, and of each row.

use std::collections::HashMap;

use rollcall_model::code::{RowCode, Warning};
use rollcall_tabular::{Row, Schema};

use super::{COLUMNS, FoundUser, PushOutcome, PushPlan, read_row};
use crate::{
    bulk_job::BulkJob,
    report::{Judgement, Remark, RowStatus},
};

/// What came of each user of the rows.
#[derive(Default)]
pub struct PushLedger {
    users: Vec<(String, FoundUser)>,
    index: HashMap<String, usize>,
    outcomes: Vec<Option<PushPlan>>,
}

impl PushLedger {
    /// The user with this number, by folded login ID, and whom of the phone system it is.
    pub fn user(&self, user: usize) -> (&str, &FoundUser) {
        let (login, found) = &self.users[user];
        (login, found)
    }
}

impl BulkJob for PushLedger {
    type Plan = PushPlan;

    fn columns(&self) -> Schema {
        &COLUMNS
    }

    fn read_row(&mut self, row: &Row<'_>) {
        let Some((login, found)) = read_row(row) else { return };
        let next = self.users.len();
        if *self.index.entry(login.clone()).or_insert(next) == next {
            self.users.push((login, found));
            self.outcomes.push(None);
        }
    }

    fn users(&self) -> usize {
        self.users.len()
    }

    fn is_decided(&self, user: usize) -> bool {
        self.outcomes[user].is_some()
    }

    fn user_of(&self, plan: &PushPlan) -> Option<usize> {
        self.index.get(&plan.login).copied()
    }

    fn record(&mut self, plan: &PushPlan) {
        if let Some(user) = self.user_of(plan) {
            self.outcomes[user] = Some(plan.clone());
        }
    }

    fn judge(&mut self, row: &Row<'_>) -> Judgement {
        let user = row.value(0).and_then(|login| self.index.get(&*login).copied());
        match user.and_then(|user| self.outcomes[user].as_ref()) {
            Some(plan) => judge(row, plan),
            None => Judgement::unprocessed(),
        }
    }
}

fn judge(row: &Row<'_>, plan: &PushPlan) -> Judgement {
    let field = row.header().name(0);
    let value = row.value(0).unwrap_or_default();
    let warning = |code, message: &str| vec![Remark::warning(code, field, &value, message)];
    let (status, mut remarks) = match plan.outcome {
        PushOutcome::Told | PushOutcome::Open => (RowStatus::Applied, Vec::new()),
        PushOutcome::InStep => (RowStatus::Unchanged, Vec::new()),
        PushOutcome::NotThere => {
            let message = "Nobody of the phone system has the user's login ID or address.";
            (RowStatus::Unchanged, warning(Warning::PhoneUserMissing, message))
        }
        PushOutcome::Overtaken => {
            let message = "Another push has taken over, and tells the phone system.";
            (RowStatus::Unchanged, warning(Warning::ChangedSince, message))
        }
        PushOutcome::Failed(code) => (RowStatus::Failed, vec![Remark::error(code, field, &value, message(code))]),
        PushOutcome::LeftOut(why) => (RowStatus::Failed, vec![Remark::error(why.code(), field, &value, why.message())]),
    };
    if plan.missing > 0 && matches!(status, RowStatus::Applied | RowStatus::Unchanged) {
        let message = format!(
            "The phone system doesn't have {} of the numbers that the user may dial from. They were left out.",
            plan.missing
        );
        remarks.push(Remark::error(RowCode::PhoneNumberMissing, field, &value, &message));
        return Judgement::new(RowStatus::Partial, remarks);
    }
    if plan.foreign > 0 {
        let message = format!(
            "In the phone system, the user has {} numbers that the inventory doesn't know. They were left alone.",
            plan.foreign
        );
        remarks.push(Remark::warning(Warning::ForeignNumbers, field, &value, &message));
    }
    Judgement::new(status, remarks)
}

/// A sentence for the person who reads the report.
fn message(code: RowCode) -> &'static str {
    match code {
        RowCode::PhoneUserAmbiguous => {
            "Several of the phone system have the user's login ID or address, so it can't be told whose list it is. Leave it to one of them."
        }
        _ => {
            "The phone system refuses to set this user's numbers. Look at the user there, then ask for another try: rollcall push --retry."
        }
    }
}
