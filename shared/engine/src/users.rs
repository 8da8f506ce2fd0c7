//! Users created and changed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rollcall_model::{
    catalog::Kind,
    csv_file::{Header, Note, Row, Schema},
    job::Job,
    left_out::LeftOut,
    report::{Judgement, RowStatus},
    roster::{self, Catalog, Change, Ledger, Plan, Present, RosterReader, Wanted},
    upload::Kind as JobKind,
    user::DirectoryId,
};
use rollcall_platform::{
    Error,
    directory::{BulkWork, UserWrite},
};

use crate::{
    Begun, Done, Operation, PutOn, RowsIn, Run, Stop, Work,
    append::{append_numbers, put_on},
    near::Near,
};

/// Creates and changes the users of a file.
pub struct UploadUsers;

/// One upload of users.
pub struct UsersWork {
    reader: RosterReader,
    catalog: Catalog,
    wanted: Wanted,
    ledger: Ledger,
    list_limit: usize,
    near: Near,
    /// People of the company's directory whose rows are to be mended, and what came of those.
    unmet: BTreeMap<DirectoryId, RowStatus>,
}

impl Operation for UploadUsers {
    type Work = UsersWork;
    const KINDS: &'static [JobKind] = &[JobKind::UploadUsers];

    async fn begin(&self, run: &mut Run<'_>) -> Result<Begun<UsersWork>, Stop> {
        Ok(Begun { work: UsersWork::begin(run).await?, rows: RowsIn::Dropped })
    }
}

impl UsersWork {
    /// An upload for the account of a run.
    ///
    /// # Errors
    /// When the table can't be read.
    pub async fn begin(run: &Run<'_>) -> Result<Self, Error> {
        let settings = run.settings().await?;
        let inventory = run.inventory().await?;
        let entries = |kind| run.engine.directory.catalog(run.account(), kind);
        let catalog = Catalog {
            roles: entries(Kind::Role).await?,
            departments: entries(Kind::Department).await?,
            teams: entries(Kind::Team).await?,
            role: run.job.role.clone(),
        };
        Ok(Self {
            reader: RosterReader::new(run.country(&settings), &inventory),
            catalog,
            wanted: Wanted::default(),
            ledger: Wanted::default().settle(),
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
    type Plan = Plan;

    fn columns(&self) -> Schema {
        &roster::COLUMNS
    }

    fn take(&mut self, row: &Row<'_>) {
        self.wanted.take(row, &mut self.reader);
    }

    fn note(&self, header: &Header, job: &Job) -> Option<Note> {
        (job.role.is_some() && roster::says_only_numbers(header)).then(Note::meant_append)
    }

    fn settle(&mut self) {
        self.ledger = std::mem::take(&mut self.wanted).settle();
    }

    fn users(&self) -> usize {
        self.ledger.users()
    }

    fn is_settled(&self, user: usize) -> bool {
        self.ledger.is_settled(user)
    }

    async fn plan(&self, run: &Run<'_>, users: &[usize], work: &mut BulkWork) -> Result<Vec<Plan>, Error> {
        let directory = &run.engine.directory;
        let logins: Vec<&str> = users.iter().map(|&user| self.ledger.login(user)).collect();
        let present = directory.whole_users(run.account(), &logins, run.until, work).await?;
        // What a user has already needs no looking up: most files change little.
        let wanted = users.iter().flat_map(|&user| {
            let has = present.get(self.ledger.login(user)).map(rollcall_model::user::User::claims).unwrap_or_default();
            self.ledger.claims(user).into_iter().filter(move |claim| !has.contains(claim))
        });
        let owners = directory.owners(run.account(), wanted, run.until, work).await?;
        let now = Timestamp::now();
        let plans = users.iter().map(|&user| {
            let present = Present { user: present.get(self.ledger.login(user)), owners: &owners, now };
            self.ledger.plan(user, present, &self.catalog, self.list_limit)
        });
        let mut plans: Vec<Plan> = plans.collect();
        let strangers = plans.iter().filter(|plan| plan.is_of_nobody()).map(|plan| plan.numbers.login.clone());
        let strangers: Vec<String> = strangers.collect();
        let near = self.near.of(run, &strangers.iter().map(String::as_str).collect::<Vec<_>>(), work).await?;
        for plan in &mut plans {
            if let Some(near) = near.get(&plan.numbers.login) {
                plan.was_meant(near);
            }
        }
        Ok(plans)
    }

    fn waits(plan: &Plan) -> bool {
        plan.waits()
    }

    fn writes(plan: &Plan) -> bool {
        plan.writes()
    }

    async fn carry_out(
        &self,
        run: &Run<'_>,
        plans: &mut [&mut Plan],
        work: &mut BulkWork,
    ) -> Result<Vec<usize>, Error> {
        let mut writes = Vec::new();
        for (at, plan) in plans.iter().enumerate() {
            let add = plan.numbers.add.as_slice();
            match &plan.change {
                Change::Create(user) => writes.push((at, UserWrite::Create(user, add))),
                Change::Update { before, after } => writes.push((at, UserWrite::Update([before, after], add))),
                Change::None | Change::Refused(_) => {}
            }
        }
        let (positions, writes): (Vec<usize>, Vec<UserWrite<'_>>) = writes.into_iter().unzip();
        let directory = &run.engine.directory;
        let not_written = directory.write_users(run.account(), &writes, &run.job.id, run.until, work).await?;
        let mut again: Vec<usize> = not_written.outdated.into_iter().map(|at| positions[at]).collect();
        for at in not_written.not_storable {
            plans[positions[at]].leave_out(LeftOut::NotStorable);
        }

        // Where only caller IDs are new, they are appended as any others, without a version.
        let appends = plans.iter_mut().enumerate().filter(|(_, plan)| plan.change == Change::None);
        let (positions, mut appends): (Vec<usize>, Vec<_>) =
            appends.filter(|(_, plan)| !plan.numbers.add.is_empty()).map(|(at, plan)| (at, &mut plan.numbers)).unzip();
        if !appends.is_empty() {
            // Somebody who has been deleted meanwhile is new.
            again.extend(append_numbers(run, &mut appends, work).await?.into_iter().map(|at| positions[at]));
        }
        Ok(again)
    }

    fn is_done(plan: &Plan, now: &Plan) -> bool {
        now.change == Change::None && plan.numbers.is_done(&now.numbers)
    }

    fn inherit(plan: &mut Plan, earlier: &Plan) {
        plan.numbers.inherit(&earlier.numbers);
    }

    fn leave_out(plan: &mut Plan, why: LeftOut) -> bool {
        plan.leave_out(why);
        true
    }

    fn user_of(&self, plan: &Plan) -> Option<usize> {
        self.ledger.user(&plan.numbers.login)
    }

    fn record(&mut self, plan: &Plan) {
        self.ledger.record(plan);
    }

    fn count(plan: &Plan, done: &mut Done) {
        done.users_changed += u64::from(plan.writes());
        done.users_created += u64::from(matches!(plan.change, Change::Create(_)));
        done.numbers_added += plan.numbers.add.len() as u64;
    }

    fn put_on(plan: &mut Plan) -> Option<PutOn<'_>> {
        Some(put_on(&mut plan.numbers))
    }

    fn judge(&mut self, row: &Row<'_>) -> Judgement {
        let judgement = roster::judge(row, &mut self.reader, &mut self.ledger);
        if judgement.status.is_to_mend()
            && let Some(person) = roster::directory_id(row)
        {
            self.unmet.insert(person, judgement.status);
        }
        judgement
    }
}
