//! One upload of users: its rows read, its users decided, its rows judged.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use rollcall_model::{
    caller_id::CallerId,
    inventory::DialableNumbers,
    user::{Claim, DirectoryId, User},
};
use rollcall_tabular::{Header, Row, Schema};

use super::{
    COLUMNS, Catalog, UploadLedger, UserChange, UserNow, UserPlan, UserRequests, UserRowReader, directory_id, judge,
    says_only_numbers,
};
use crate::{
    bulk_job::{BulkJob, Done, Overtaken, Plan, Retraction},
    job::Job,
    note::Note,
    report::{Judgement, RowStatus},
};

/// Users who are created and changed.
pub struct UploadJob {
    reader: UserRowReader,
    catalog: Catalog,
    requests: UserRequests,
    ledger: UploadLedger,
    list_limit: usize,
    unmet: BTreeMap<DirectoryId, RowStatus>,
}

impl UploadJob {
    /// An upload whose rows are read so, against the account's catalogue, and whose lists take so many numbers.
    pub fn new(reader: UserRowReader, catalog: Catalog, list_limit: usize) -> Self {
        let (requests, ledger) = (UserRequests::default(), UserRequests::default().finish_reading());
        Self { reader, catalog, requests, ledger, list_limit, unmet: BTreeMap::new() }
    }

    /// The folded login ID of a user.
    pub fn login(&self, user: usize) -> &str {
        self.ledger.login(user)
    }

    /// What a user's rows ask for that only one user can have.
    pub fn claims(&self, user: usize) -> Vec<Claim> {
        self.ledger.claims(user)
    }

    /// Decides about a user, by what is there of it and who has what it asks for.
    pub fn plan(
        &self,
        user: usize,
        present: Option<&User>,
        owners: &HashMap<Claim, String>,
        dialable: &DialableNumbers,
        [now, as_of]: [Timestamp; 2],
    ) -> UserPlan {
        self.ledger.plan(user, UserNow { user: present, owners, dialable, now, as_of }, &self.catalog, self.list_limit)
    }

    /// People of the company's directory whose rows are to be mended, and what came of those. Known once every row has been judged.
    pub fn unmet(&self) -> &BTreeMap<DirectoryId, RowStatus> {
        &self.unmet
    }
}

impl BulkJob for UploadJob {
    type Plan = UserPlan;

    fn columns(&self) -> Schema {
        &COLUMNS
    }

    fn read_row(&mut self, row: &Row<'_>) {
        self.requests.take(row, &mut self.reader);
    }

    fn note(&self, header: &Header, job: &Job) -> Option<Note> {
        (job.role.is_some() && says_only_numbers(header)).then(Note::meant_append)
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

    fn user_of(&self, plan: &UserPlan) -> Option<usize> {
        self.ledger.user(&plan.numbers.login)
    }

    fn record(&mut self, plan: &UserPlan) {
        self.ledger.record(plan);
    }

    fn judge(&mut self, row: &Row<'_>) -> Judgement {
        let judgement = judge(row, &mut self.reader, &mut self.ledger, &self.catalog);
        if judgement.status.needs_correction()
            && let Some(person) = directory_id(row)
        {
            self.unmet.insert(person, judgement.status);
        }
        judgement
    }
}

impl UserPlan {
    /// Whether what there is to be done now begins with the user as this plan left it: then it was carried out, and what was in the way of the
    /// rest of its rows is no more.
    fn has_left(&self, now: &UserChange) -> bool {
        let bare = |user: &User| User { caller_ids: Vec::new(), ..user.clone() };
        match (&self.change, now) {
            (UserChange::Create(left) | UserChange::Update { after: left, .. }, UserChange::Update { before, .. }) => {
                bare(left) == bare(before)
            }
            _ => false,
        }
    }
}

impl Plan for UserPlan {
    fn waits(&self) -> bool {
        matches!(&self.change, UserChange::Refused(refusal) if refusal.waits)
    }

    fn writes(&self) -> bool {
        matches!(self.change, UserChange::Create(_) | UserChange::Update { .. }) || !self.numbers.add.is_empty()
    }

    fn keep_done(&mut self, now: &Self) -> bool {
        if now.change != UserChange::None && !self.has_left(&now.change) {
            return false;
        }
        let had_numbers = !self.numbers.add.is_empty();
        self.numbers.keep_done(&now.numbers) || !had_numbers
    }

    fn merge_previous_attempt(&mut self, earlier: &Self) {
        // Of a row that is refused, or that does no more than keep the user out, no number is said to have been added.
        if !matches!(self.change, UserChange::Refused(_)) && self.left_out.is_none() {
            self.numbers.merge_previous_attempt(&earlier.numbers);
        }
    }

    fn leave_out(&mut self, why: crate::left_out::LeftOut) {
        self.refuse(why);
    }

    fn numbers(&self) -> usize {
        self.numbers.numbers()
    }

    fn tally(&self, done: &mut Done) {
        done.users_changed += u64::from(self.writes());
        done.users_created += u64::from(matches!(self.change, UserChange::Create(_)));
        done.numbers_added += self.numbers.add.len() as u64;
    }

    fn added(&self) -> &[CallerId] {
        self.numbers.added()
    }

    fn retract(&mut self, now: &Overtaken) -> Option<Retraction<'_>> {
        self.numbers.retract(now)
    }
}
