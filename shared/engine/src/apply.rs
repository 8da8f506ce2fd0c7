//! Bringing users up to date, batch by batch.

use std::collections::HashMap;

use rollcall_model::append::{Ledger, Standing, UserPlan};
use rollcall_platform::{
    Error, Kind,
    directory::{BulkWork, Found},
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::{Run, Stop};

/// Users dealt with together: few enough that progress shows and little is repeated after a death, many enough that
/// keeping their plans costs next to nothing beside writing the users.
const BATCH_USERS: usize = 2_000;

/// What a job does to one batch of users. Kept in the bucket before it is done, and again when it is.
#[derive(Default, Serialize, Deserialize)]
struct Batch {
    /// How many of the plans, from the first, have been carried out.
    carried_out: usize,
    plans: Vec<UserPlan>,
}

impl Run<'_> {
    /// Carries out what the ledger asks for, and records in it what came of that.
    pub(crate) async fn apply(&mut self, ledger: &mut Ledger, limit: usize) -> Result<(), Stop> {
        // Users are counted again from the batches that earlier attempts have kept; what was asked of the table adds up.
        let progress = &mut self.job.progress;
        (progress.users_done, progress.users_changed, progress.numbers_added) = (0, 0, 0);
        let batches = ledger.users().div_ceil(BATCH_USERS);
        let mut prepared = self.prepare(ledger, 0, limit).await.map_err(|error| self.late(error))?;
        for number in 0..batches {
            self.check_time()?;
            let (mut batch, read) = prepared;
            // The next batch is read while this one is written.
            let (written, next) =
                tokio::join!(self.carry_out(number, &mut batch), self.prepare(ledger, number + 1, limit));
            let wrote = written.map_err(|error| self.late(error))?;
            prepared = next.map_err(|error| self.late(error))?;
            batch.plans.iter().for_each(|plan| ledger.record(plan));
            self.count(&batch, number, ledger, [read, wrote]);
            self.show().await?;
        }
        Ok(())
    }

    /// The batch's plans: those that an earlier attempt has kept, and those decided now, for everybody else.
    async fn prepare(&self, ledger: &mut Ledger, number: usize, limit: usize) -> Result<(Batch, BulkWork), Error> {
        let mut work = BulkWork::default();
        let users = number * BATCH_USERS..ledger.users().min((number + 1) * BATCH_USERS);
        if users.is_empty() {
            return Ok((Batch::default(), work));
        }
        let mut batch = self.kept(number).await?;
        batch.plans.iter().for_each(|plan| ledger.record(plan));
        let open: Vec<usize> = users.filter(|&user| !ledger.is_settled(user)).collect();
        if !open.is_empty() {
            let logins: Vec<&str> = open.iter().map(|&user| ledger.login(user)).collect();
            let standings = self.look_up(&logins, &mut work).await?;
            for (&user, (standing, found)) in open.iter().zip(&standings) {
                let list = found.as_ref().map_or(&[][..], |found| &found.caller_ids);
                batch.plans.push(ledger.plan(user, *standing, list, limit));
            }
            self.keep(number, &batch).await?;
        }
        Ok((batch, work))
    }

    /// Writes the users of a batch that are to change: one statement each.
    async fn carry_out(&self, number: usize, batch: &mut Batch) -> Result<BulkWork, Error> {
        let mut work = BulkWork::default();
        let first = batch.carried_out;
        let to_change = batch.plans.iter().enumerate().skip(first).filter(|(_, plan)| !plan.add.is_empty());
        let (positions, plans): (Vec<usize>, Vec<&UserPlan>) = to_change.unzip();
        if !plans.is_empty() {
            let account = &self.job.upload.account;
            let appended = self.engine.directory.append(account, &plans, self.until, &mut work).await?;
            for at in appended.vanished {
                batch.plans[positions[at]].vanished();
            }
            for at in appended.too_large {
                let plan = &mut batch.plans[positions[at]];
                plan.over.append(&mut plan.add);
            }
            batch.carried_out = batch.plans.len();
            self.keep(number, batch).await?;
        }
        Ok(work)
    }

    /// Who the login IDs are. One that looks like an e-mail address is also looked up as such, unless it is known to be
    /// its owner's: two candidates are told apart by nobody but a person.
    async fn look_up(&self, logins: &[&str], work: &mut BulkWork) -> Result<Vec<(Standing, Option<Found>)>, Error> {
        let directory = &self.engine.directory;
        let account = &self.job.upload.account;
        let mut users = directory.find_users(account, logins, self.until, work).await?;
        let doubtful: Vec<&str> = logins
            .iter()
            .copied()
            .filter(|login| login.contains('@'))
            .filter(|login| users.get(*login).is_none_or(|user| user.email.as_deref() != Some(*login)))
            .collect();
        let owners = if doubtful.is_empty() {
            HashMap::new()
        } else {
            directory.find_emails(account, &doubtful, self.until, work).await?
        };
        let standing = |login: &str, found: Option<&Found>| match (found, owners.get(login)) {
            (Some(_), Some(owner)) if owner != login => Standing::Ambiguous,
            (Some(found), _) => Standing::User(found.policy),
            (None, Some(_)) => Standing::EmailOnly,
            (None, None) => Standing::Nobody,
        };
        Ok(logins
            .iter()
            .map(|login| {
                let found = users.remove(*login);
                (standing(login, found.as_ref()), found)
            })
            .collect())
    }

    async fn kept(&self, number: usize) -> Result<Batch, Error> {
        // The first attempt finds nothing, and need not look.
        if self.job.attempts == 1 {
            return Ok(Batch::default());
        }
        let bytes = self.engine.files.get(&self.keys.changes(number)).await?;
        // A plan that can't be read is as good as none: its statements can be repeated.
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }

    async fn keep(&self, number: usize, batch: &Batch) -> Result<(), Error> {
        let bytes = serde_json::to_vec(batch).expect("a batch can be written as JSON");
        self.engine.files.put(&self.keys.changes(number), "application/json", bytes).await
    }

    fn count(&mut self, batch: &Batch, number: usize, ledger: &Ledger, works: [BulkWork; 2]) {
        let progress = &mut self.job.progress;
        progress.users_done = (((number + 1) * BATCH_USERS).min(ledger.users())) as u64;
        progress.users_changed += batch.plans.iter().filter(|plan| !plan.add.is_empty()).count() as u64;
        progress.numbers_added += batch.plans.iter().map(|plan| plan.add.len() as u64).sum::<u64>();
        for work in works {
            progress.table_calls += work.calls;
            progress.statements += work.statements;
            progress.throttled += work.put_off;
        }
    }

    /// A table that doesn't answer in time is no error when the time is up anyway.
    fn late(&self, error: Error) -> Stop {
        if error.kind == Kind::Transient && Instant::now() >= self.until { Stop::Time } else { Stop::Error(error) }
    }
}
