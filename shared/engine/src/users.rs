//! Users created and changed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rollcall_bulk::{
    job::Job,
    left_out::LeftOut,
    note::Note,
    report::{Judgement, RowStatus},
    user_upload::{self, Catalog, UploadLedger, UserChange, UserNow, UserPlan, UserRequests, UserRowReader},
};
use rollcall_model::{catalog::CatalogKind, jobs::JobKind, user::DirectoryId};
use rollcall_storage::{
    StorageError,
    directory::{TableUsage, UserWrite},
};
use rollcall_tabular::{Header, Row, Schema};

use crate::{
    Attempt, Done, Interrupt, ListAdditions, Operation, Prepared, RowSource, Work,
    append::{append_numbers, list_additions},
    near::Near,
};

/// Creates and changes the users of a file.
pub struct UploadUsers;

/// One upload of users.
pub struct UsersWork {
    reader: UserRowReader,
    catalog: Catalog,
    wanted: UserRequests,
    ledger: UploadLedger,
    list_limit: usize,
    near: Near,
    /// People of the company's directory whose rows are to be mended, and what came of those.
    unmet: BTreeMap<DirectoryId, RowStatus>,
}

impl Operation for UploadUsers {
    type Work = UsersWork;
    const KINDS: &'static [JobKind] = &[JobKind::UploadUsers];

    async fn begin(&self, attempt: &mut Attempt<'_>) -> Result<Prepared<UsersWork>, Interrupt> {
        Ok(Prepared { work: UsersWork::begin(attempt).await?, rows: RowSource::Uploaded })
    }
}

impl UsersWork {
    /// An upload for the account of a run.
    ///
    /// # Errors
    /// When the table can't be read.
    pub async fn begin(attempt: &Attempt<'_>) -> Result<Self, StorageError> {
        let settings = attempt.settings().await?;
        let inventory = attempt.inventory().await?;
        let entries = |kind| attempt.engine.directory.catalog(attempt.account(), kind);
        let catalog = Catalog {
            roles: entries(CatalogKind::Role).await?,
            departments: entries(CatalogKind::Department).await?,
            teams: entries(CatalogKind::Team).await?,
            role: attempt.job.role.clone(),
        };
        Ok(Self {
            reader: UserRowReader::new(attempt.country(&settings), &inventory),
            catalog,
            wanted: UserRequests::default(),
            ledger: UserRequests::default().finish_reading(),
            list_limit: settings.list_limit,
            near: Near::default(),
            unmet: BTreeMap::new(),
        })
    }

    /// People of the company's directory whose rows are to be mended, and what came of those. Known once every row has been judged.
    pub fn unmet(&self) -> &BTreeMap<DirectoryId, RowStatus> {
        &self.unmet
    }
}

impl Work for UsersWork {
    type Plan = UserPlan;

    fn columns(&self) -> Schema {
        &user_upload::COLUMNS
    }

    fn take(&mut self, row: &Row<'_>) {
        self.wanted.take(row, &mut self.reader);
    }

    fn note(&self, header: &Header, job: &Job) -> Option<Note> {
        (job.role.is_some() && user_upload::says_only_numbers(header)).then(Note::meant_append)
    }

    fn finish_reading(&mut self) {
        self.ledger = std::mem::take(&mut self.wanted).finish_reading();
    }

    fn users(&self) -> usize {
        self.ledger.users()
    }

    fn is_decided(&self, user: usize) -> bool {
        self.ledger.is_decided(user)
    }

    async fn plan(
        &self,
        attempt: &Attempt<'_>,
        users: &[usize],
        usage: &mut TableUsage,
    ) -> Result<Vec<UserPlan>, StorageError> {
        let directory = &attempt.engine.directory;
        let logins: Vec<&str> = users.iter().map(|&user| self.ledger.login(user)).collect();
        let present = directory.whole_users(attempt.account(), &logins, attempt.until, usage).await?;
        // What a user has already needs no looking up: most files change little.
        let wanted = users.iter().flat_map(|&user| {
            let has = present.get(self.ledger.login(user)).map(rollcall_model::user::User::claims).unwrap_or_default();
            self.ledger.claims(user).into_iter().filter(move |claim| !has.contains(claim))
        });
        let owners = directory.owners(attempt.account(), wanted, attempt.until, usage).await?;
        let now = Timestamp::now();
        let plans = users.iter().map(|&user| {
            let present = UserNow { user: present.get(self.ledger.login(user)), owners: &owners, now };
            self.ledger.plan(user, present, &self.catalog, self.list_limit)
        });
        let mut plans: Vec<UserPlan> = plans.collect();
        let strangers = plans.iter().filter(|plan| plan.is_of_nobody()).map(|plan| plan.numbers.login.clone());
        let strangers: Vec<String> = strangers.collect();
        let near = self.near.of(attempt, &strangers.iter().map(String::as_str).collect::<Vec<_>>(), usage).await?;
        for plan in &mut plans {
            if let Some(near) = near.get(&plan.numbers.login) {
                plan.was_meant(near);
            }
        }
        Ok(plans)
    }

    fn waits(plan: &UserPlan) -> bool {
        plan.waits()
    }

    fn writes(plan: &UserPlan) -> bool {
        plan.writes()
    }

    async fn write(
        &self,
        attempt: &Attempt<'_>,
        plans: &mut [&mut UserPlan],
        usage: &mut TableUsage,
    ) -> Result<Vec<usize>, StorageError> {
        let mut writes = Vec::new();
        for (at, plan) in plans.iter().enumerate() {
            let add = plan.numbers.add.as_slice();
            match &plan.change {
                UserChange::Create(user) => writes.push((at, UserWrite::Create(user, add))),
                UserChange::Update { before, after } => writes.push((at, UserWrite::Update([before, after], add))),
                UserChange::None | UserChange::Refused(_) => {}
            }
        }
        let (positions, writes): (Vec<usize>, Vec<UserWrite<'_>>) = writes.into_iter().unzip();
        let directory = &attempt.engine.directory;
        let not_written =
            directory.write_users(attempt.account(), &writes, &attempt.job.id, attempt.until, usage).await?;
        let mut again: Vec<usize> = not_written.outdated.into_iter().map(|at| positions[at]).collect();
        for at in not_written.not_storable {
            plans[positions[at]].leave_out(LeftOut::NotStorable);
        }

        // Where only caller IDs are new, they are appended as any others, without a version.
        let appends = plans.iter_mut().enumerate().filter(|(_, plan)| plan.change == UserChange::None);
        let (positions, mut appends): (Vec<usize>, Vec<_>) =
            appends.filter(|(_, plan)| !plan.numbers.add.is_empty()).map(|(at, plan)| (at, &mut plan.numbers)).unzip();
        if !appends.is_empty() {
            // Somebody who has been deleted meanwhile is new.
            again.extend(append_numbers(attempt, &mut appends, usage).await?.into_iter().map(|at| positions[at]));
        }
        Ok(again)
    }

    fn is_done(plan: &UserPlan, now: &UserPlan) -> bool {
        now.change == UserChange::None && plan.numbers.is_done(&now.numbers)
    }

    fn merge_previous_attempt(plan: &mut UserPlan, earlier: &UserPlan) {
        plan.numbers.merge_previous_attempt(&earlier.numbers);
    }

    fn leave_out(plan: &mut UserPlan, why: LeftOut) -> bool {
        plan.leave_out(why);
        true
    }

    fn user_of(&self, plan: &UserPlan) -> Option<usize> {
        self.ledger.user(&plan.numbers.login)
    }

    fn record(&mut self, plan: &UserPlan) {
        self.ledger.record(plan);
    }

    fn count(plan: &UserPlan, done: &mut Done) {
        done.users_changed += u64::from(plan.writes());
        done.users_created += u64::from(matches!(plan.change, UserChange::Create(_)));
        done.numbers_added += plan.numbers.add.len() as u64;
    }

    fn additions(plan: &mut UserPlan) -> Option<ListAdditions<'_>> {
        Some(list_additions(&mut plan.numbers))
    }

    fn judge(&mut self, row: &Row<'_>) -> Judgement {
        let judgement = user_upload::judge(row, &mut self.reader, &mut self.ledger);
        if judgement.status.needs_correction()
            && let Some(person) = user_upload::directory_id(row)
        {
            self.unmet.insert(person, judgement.status);
        }
        judgement
    }
}
