//! One append: its rows read, its users decided, its rows judged.

use rollcall_model::numbers::NumberReader;
use rollcall_tabular::{Row, Schema};

use super::{AppendLedger, AppendPlan, AppendRequests, COLUMNS, LoginLookup, judge};
use crate::{
    bulk_job::{BulkJob, Done, Overtaken, Plan, Retraction},
    left_out::LeftOut,
    report::Judgement,
};
use rollcall_model::caller_id::CallerId;

/// Caller IDs that are appended to users' lists.
pub struct AppendJob {
    numbers: NumberReader,
    requests: AppendRequests,
    ledger: AppendLedger,
    list_limit: usize,
}

impl AppendJob {
    /// An append whose numbers are read so, and whose lists take so many numbers.
    pub fn new(numbers: NumberReader, list_limit: usize) -> Self {
        let ledger = AppendRequests::default().finish_reading();
        Self { numbers, requests: AppendRequests::default(), ledger, list_limit }
    }

    /// The folded login ID of a user.
    pub fn login(&self, user: usize) -> &str {
        self.ledger.login(user)
    }

    /// Decides about a user, by who the login ID is and what is on the list.
    pub fn plan(&self, user: usize, lookup: LoginLookup, list: &[CallerId]) -> AppendPlan {
        self.ledger.plan(user, lookup, list, self.list_limit)
    }
}

impl BulkJob for AppendJob {
    type Plan = AppendPlan;

    fn columns(&self) -> Schema {
        &COLUMNS
    }

    fn read_row(&mut self, row: &Row<'_>) {
        self.requests.take(row, &mut self.numbers);
    }

    fn seal(&mut self) {
        self.ledger = std::mem::take(&mut self.requests).finish_reading();
    }

    fn users(&self) -> usize {
        self.ledger.users()
    }

    fn is_decided(&self, user: usize) -> bool {
        self.ledger.is_decided(user)
    }

    fn user_of(&self, plan: &AppendPlan) -> Option<usize> {
        self.ledger.user(&plan.login)
    }

    fn record(&mut self, plan: &AppendPlan) {
        self.ledger.record(plan);
    }

    fn judge(&mut self, row: &Row<'_>) -> Judgement {
        judge(row, &mut self.numbers, &mut self.ledger)
    }
}

impl Plan for AppendPlan {
    fn writes(&self) -> bool {
        !self.add.is_empty()
    }

    fn keep_done(&mut self, now: &Self) -> bool {
        self.add = self.came(now);
        self.writes()
    }

    fn merge_previous_attempt(&mut self, earlier: &Self) {
        let came = earlier.came(self);
        self.already_present.retain(|number| !came.contains(number));
        self.add.extend(came);
    }

    fn leave_out(&mut self, why: LeftOut) {
        *self = Self::nothing(std::mem::take(&mut self.login), LoginLookup::LeftOut(why));
    }

    fn numbers(&self) -> usize {
        let list = self.list.as_ref().map_or(0, Vec::len);
        list + self.add.len() + self.already_present.len() + self.over_limit.len() + self.retracted.len()
    }

    fn tally(&self, done: &mut Done) {
        done.users_changed += u64::from(self.writes());
        done.numbers_added += self.add.len() as u64;
    }

    fn added(&self) -> &[CallerId] {
        &self.add
    }

    fn retract(&mut self, now: &Overtaken) -> Option<Retraction<'_>> {
        self.retracted.extend(self.add.extract_if(.., |number| now.refused.contains(number)));
        let off = self.retracted.clone();
        (!off.is_empty()).then_some(Retraction { login: &self.login, created: self.created, off, back: &[] })
    }
}
