//! Bringing users up to date, batch by batch.

use std::collections::HashSet;

use rollcall_bulk::{job::Job, left_out::LeftOut};
use rollcall_storage::{
    ErrorKind, StorageError,
    directory::{Backoff, TableUsage},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::Instant;

use crate::{Attempt, Done, Interrupt, Work, retract::AddedNumbers};

/// Users dealt with together: few enough that progress shows and little is repeated after a death, many enough that
/// keeping their plans costs next to nothing beside writing the users.
const BATCH_USERS: usize = 2_000;

/// How often users are decided on anew because somebody else was faster. With the waits in between, somebody who changes a user every
/// few seconds doesn't keep the job from it.
const ROUNDS: u32 = 12;
const OPERATION: &str = "writing users";

/// What a job does to one batch of users. Kept in the bucket before it is done, and again when it is.
#[derive(Serialize, Deserialize)]
pub(crate) struct Batch<P> {
    /// How many of the plans, from the first, have been carried out.
    pub written: usize,
    /// How many of them, from the first, an earlier attempt has decided.
    #[serde(skip)]
    recalled: usize,
    pub plans: Vec<P>,
}

impl<P> Default for Batch<P> {
    fn default() -> Self {
        Self { written: 0, recalled: 0, plans: Vec::new() }
    }
}

impl Attempt<'_> {
    /// Carries out what the rows ask for, and records what came of that. Gives the numbers that came onto lists by it.
    pub(crate) async fn apply<W: Work>(&mut self, work: &mut W) -> Result<AddedNumbers, Interrupt> {
        // Users are counted again from the batches that earlier attempts have kept; what was asked of the table adds up.
        self.job.progress.users_done = 0;
        let mut done = Done::default();
        let mut joined = AddedNumbers::default();
        let mut waiting = Vec::new();
        let batches = Self::batches(work);
        let mut batch = self.recall(work, 0).await?;
        let mut read = self.decide(work, 0, &mut batch).await.map_err(|error| self.late(error))?;
        for number in 0..batches {
            self.check_time()?;
            // The next batch is read while this one is written.
            let mut next = self.recall(work, number + 1).await?;
            let (wrote, next_read) =
                tokio::join!(self.write_batch(work, number, &mut batch), self.decide(work, number + 1, &mut next));
            let wrote = wrote.map_err(|error| self.late(error))?;
            let next_read = next_read.map_err(|error| self.late(error))?;
            for plan in &mut batch.plans {
                work.record(plan);
                W::count(plan, &mut done);
                joined.count::<W>(plan);
                waiting.extend(work.user_of(plan).filter(|_| W::waits(plan)));
            }
            self.count(done, ((number + 1) * BATCH_USERS).min(work.users()), [read, wrote]);
            self.show().await?;
            (batch, read) = (next, next_read);
        }
        self.apply_waiting(work, waiting, done, &mut joined).await?;
        Ok(joined)
    }

    /// Deals with those who wait for what another user of the file gives up, as often as that lets one of them go on. They are a
    /// batch of their own, behind the others.
    async fn apply_waiting<W: Work>(
        &mut self,
        work: &mut W,
        mut waiting: Vec<usize>,
        mut done: Done,
        joined: &mut AddedNumbers,
    ) -> Result<(), Interrupt> {
        if waiting.is_empty() {
            return Ok(());
        }
        let number = Self::batches(work);
        let mut batch: Batch<W::Plan> = self.kept_before(number).await?;
        batch.recalled = batch.plans.len();
        let (mut asked, mut recorded) = (TableUsage::default(), 0);
        loop {
            self.check_time()?;
            let wrote = self.write_batch(work, number, &mut batch).await.map_err(|error| self.late(error))?;
            for plan in &mut batch.plans[recorded..] {
                work.record(plan);
                W::count(plan, &mut done);
                joined.count::<W>(plan);
                joined.waited = true;
            }
            recorded = batch.plans.len();
            self.count(done, work.users(), [wrote, std::mem::take(&mut asked)]);
            let before = waiting.len();
            waiting.retain(|&user| !work.is_decided(user));
            if waiting.is_empty() || (waiting.len() == before && recorded > 0) {
                return Ok(());
            }
            let mut plans = work.plan(self, &waiting, &mut asked).await.map_err(|error| self.late(error))?;
            plans.retain(|plan| !W::waits(plan));
            if plans.is_empty() {
                self.count(done, work.users(), [asked, TableUsage::default()]);
                return Ok(());
            }
            batch.plans.extend(plans);
            self.keep(number, &batch).await?;
        }
    }

    pub(crate) fn batches<W: Work>(work: &W) -> usize {
        work.users().div_ceil(BATCH_USERS)
    }

    /// A batch that an earlier attempt may have kept.
    async fn kept_before<P: DeserializeOwned>(&self, number: usize) -> Result<Batch<P>, StorageError> {
        // The first attempt finds nothing, and need not look.
        if self.job.attempts == 1 {
            return Ok(Batch::default());
        }
        Ok(self.find(number).await?.unwrap_or_default())
    }

    /// What an earlier attempt has kept of a batch.
    async fn recall<W: Work>(&self, work: &mut W, number: usize) -> Result<Batch<W::Plan>, StorageError> {
        if number * BATCH_USERS >= work.users() {
            return Ok(Batch::default());
        }
        let mut batch: Batch<W::Plan> = self.kept_before(number).await?;
        batch.plans.iter().for_each(|plan| work.record(plan));
        batch.recalled = batch.plans.len();
        Ok(batch)
    }

    /// A batch that some attempt has kept. One that can't be read is as good as none: carrying a plan out twice is like once.
    pub(crate) async fn find<P: DeserializeOwned>(&self, number: usize) -> Result<Option<Batch<P>>, StorageError> {
        let bytes = self.engine.files.get(&self.keys.changes(number)).await?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Adds to a batch the plans for everybody whom no earlier attempt has decided on.
    async fn decide<W: Work>(
        &self,
        work: &W,
        number: usize,
        batch: &mut Batch<W::Plan>,
    ) -> Result<TableUsage, StorageError> {
        let mut asked = TableUsage::default();
        let users = number * BATCH_USERS..work.users().min((number + 1) * BATCH_USERS);
        // Who waits for another's address has a plan, though nothing is settled yet: a second one would count twice.
        let waiting: HashSet<usize> =
            batch.plans.iter().filter(|plan| W::waits(plan)).filter_map(|plan| work.user_of(plan)).collect();
        let open: Vec<usize> = users.filter(|user| !work.is_decided(*user) && !waiting.contains(user)).collect();
        if !open.is_empty() {
            batch.plans.extend(work.plan(self, &open, &mut asked).await?);
            self.keep(number, batch).await?;
        }
        Ok(asked)
    }

    /// Writes the users of a batch that are to change.
    async fn write_batch<W: Work>(
        &self,
        work: &W,
        number: usize,
        batch: &mut Batch<W::Plan>,
    ) -> Result<TableUsage, StorageError> {
        let mut asked = TableUsage::default();
        if self.job.previews() {
            return Ok(asked);
        }
        let first = batch.written;
        let mut open: Vec<usize> = (first..batch.plans.len()).filter(|&at| W::writes(&batch.plans[at])).collect();
        if open.is_empty() {
            return Ok(asked);
        }
        let mut patience = Backoff::new(self.until);
        for round in 1.. {
            if open.is_empty() {
                break;
            }
            let mut chosen = open.iter().copied().peekable();
            let mut plans: Vec<&mut W::Plan> = Vec::with_capacity(open.len());
            for (at, plan) in batch.plans.iter_mut().enumerate() {
                if chosen.next_if_eq(&at).is_some() {
                    plans.push(plan);
                }
            }
            let mut outdated = work.write(self, &mut plans, &mut asked).await?;
            // In the order of the batch, which is that of `open`.
            outdated.sort_unstable();
            open = outdated.into_iter().map(|at| open[at]).collect();
            if round == ROUNDS {
                // Whoever comes next decides on what is there then: somebody writes these users all the time, or something of them
                // will never be as the decision needs it.
                let left = open.drain(..).all(|at| W::leave_out(&mut batch.plans[at], LeftOut::Changing));
                if !left {
                    return Err(StorageError::transient(
                        OPERATION,
                        "users are changed again and again by somebody else",
                    ));
                }
            }
            self.decide_again(work, &open, batch, &mut asked).await?;
            batch.recalled = 0;
            open.retain(|&at| W::writes(&batch.plans[at]));
            if !open.is_empty() {
                self.keep(number, batch).await?;
                patience.wait(StorageError::transient(OPERATION, "users are being changed by somebody else")).await?;
            }
        }
        batch.written = batch.plans.len();
        self.keep(number, batch).await?;
        Ok(asked)
    }

    /// Replaces plans that the table has overtaken.
    async fn decide_again<W: Work>(
        &self,
        work: &W,
        positions: &[usize],
        batch: &mut Batch<W::Plan>,
        asked: &mut TableUsage,
    ) -> Result<(), StorageError> {
        let known = positions.iter().filter_map(|&at| Some((at, work.user_of(&batch.plans[at])?)));
        let (positions, users): (Vec<usize>, Vec<usize>) = known.unzip();
        if !users.is_empty() {
            let plans = work.plan(self, &users, asked).await?;
            for (at, plan) in positions.into_iter().zip(plans) {
                let before = std::mem::replace(&mut batch.plans[at], plan);
                if at < batch.recalled {
                    W::merge_previous_attempt(&mut batch.plans[at], &before);
                }
            }
        }
        Ok(())
    }

    /// A batch that this attempt has kept.
    pub(crate) async fn kept<P: DeserializeOwned>(&self, number: usize) -> Result<Batch<P>, StorageError> {
        const OPERATION: &str = "reading a plan again";
        let bytes = self.engine.files.get(&self.keys.changes(number)).await?;
        let bytes = bytes.ok_or_else(|| StorageError::unreadable(OPERATION, "it is missing"))?;
        serde_json::from_slice(&bytes).map_err(|error| StorageError::unreadable(OPERATION, error))
    }

    /// What a job did, as it has kept it, in the order of its rows.
    ///
    /// # Errors
    /// When the bucket can't be read, or what it holds can't.
    pub async fn plans_of<P: DeserializeOwned>(&self, job: &Job) -> Result<Vec<P>, StorageError> {
        let (keys, mut plans) = (job.keys(), Vec::new());
        for number in 0.. {
            let Some(bytes) = self.engine.files.get(&keys.changes(number)).await? else { break };
            let batch: Batch<P> = serde_json::from_slice(&bytes)
                .map_err(|error| StorageError::unreadable("reading what a job did", error))?;
            plans.extend(batch.plans);
        }
        Ok(plans)
    }

    pub(crate) async fn keep<P: Serialize>(&self, number: usize, batch: &Batch<P>) -> Result<(), StorageError> {
        let bytes = serde_json::to_vec(batch).expect("a batch can be written as JSON");
        self.engine.files.put(&self.keys.changes(number), "application/json", bytes).await
    }

    fn count(&mut self, done: Done, users_done: usize, asked: [TableUsage; 2]) {
        let progress = &mut self.job.progress;
        progress.users_done = users_done as u64;
        progress.users_changed = done.users_changed;
        progress.users_created = done.users_created;
        progress.numbers_added = done.numbers_added;
        progress.numbers_removed = done.numbers_removed;
        for work in asked {
            progress.table_calls += work.calls;
            progress.statements += work.statements;
            progress.throttled += work.throttled;
        }
    }

    /// A table that doesn't answer in time is no error when the time is up anyway.
    pub(crate) fn late(&self, error: StorageError) -> Interrupt {
        if error.kind == ErrorKind::Transient && Instant::now() >= self.until {
            Interrupt::Time
        } else {
            Interrupt::Error(error)
        }
    }
}
