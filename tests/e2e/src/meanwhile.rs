//! A kind of job with something that happens while it is worked on.

use rollcall_bulk::bulk_job::Overtaken;
use rollcall_engine::{Attempt, Interrupt, Operation, PlanOf, Prepared, StorageError, world::TableUsage};
use rollcall_model::{inventory::InventoryNumber, jobs::JobKind};

/// What happens while a job is worked on.
pub trait Event: Send + Sync {
    /// It happens when the job has been prepared: it has read what its rows are held against, and has written nothing.
    fn happen(&self, _: &Attempt<'_>) -> impl Future<Output = Result<(), StorageError>> + Send {
        async { Ok(()) }
    }

    /// It happens before each write of users, when it has been decided what to write.
    fn before_write(&self, _: &Attempt<'_>) -> impl Future<Output = Result<(), StorageError>> + Send {
        async { Ok(()) }
    }
}

/// An operation, and what happens while each of its jobs is worked on.
pub struct Meanwhile<O, E>(pub O, pub E);

impl<O: Operation, E: Event> Operation for Meanwhile<O, E> {
    type Job = O::Job;
    type Context = O::Context;
    const KINDS: &'static [JobKind] = O::KINDS;
    const LOOKS_AGAIN: bool = O::LOOKS_AGAIN;

    async fn prepare(&self, attempt: &mut Attempt<'_>) -> Result<Prepared<Self>, Interrupt> {
        let Prepared { job, context, rows } = self.0.prepare(attempt).await?;
        self.1.happen(attempt).await?;
        Ok(Prepared { job, context, rows })
    }

    async fn plan(
        &self,
        attempt: &Attempt<'_>,
        job: &O::Job,
        context: &O::Context,
        users: &[usize],
        usage: &mut TableUsage,
    ) -> Result<Vec<PlanOf<O>>, StorageError> {
        self.0.plan(attempt, job, context, users, usage).await
    }

    async fn write(
        &self,
        attempt: &Attempt<'_>,
        context: &O::Context,
        plans: &mut [&mut PlanOf<O>],
        usage: &mut TableUsage,
    ) -> Result<Vec<usize>, Interrupt> {
        self.1.before_write(attempt).await?;
        self.0.write(attempt, context, plans, usage).await
    }

    fn has_fallen(
        &self,
        attempt: &Attempt<'_>,
        job: &mut O::Job,
        context: &O::Context,
        inventory: &[InventoryNumber],
    ) -> bool {
        self.0.has_fallen(attempt, job, context, inventory)
    }

    async fn look_again(
        &self,
        attempt: &Attempt<'_>,
        context: &O::Context,
        plans: &mut [PlanOf<O>],
        inventory: &[InventoryNumber],
        now: &Overtaken,
        usage: &mut TableUsage,
    ) -> Result<(), StorageError> {
        self.0.look_again(attempt, context, plans, inventory, now, usage).await
    }

    async fn finish(&self, attempt: &mut Attempt<'_>, job: &O::Job, context: &O::Context) -> Result<(), StorageError> {
        self.0.finish(attempt, job, context).await
    }

    async fn conclude(&self, attempt: &Attempt<'_>) -> Result<(), StorageError> {
        self.0.conclude(attempt).await
    }
}
