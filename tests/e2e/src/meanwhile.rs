//! A kind of job with something that happens while it is worked on.

use rollcall_engine::{Attempt, Interrupt, Operation, PlanOf, Prepared, StorageError, world::TableUsage};
use rollcall_model::jobs::JobKind;

/// What happens when a job has been prepared: it has read what its rows are held against, and has written nothing.
pub trait Event: Send + Sync {
    /// It happens.
    fn happen(&self, attempt: &Attempt<'_>) -> impl Future<Output = Result<(), StorageError>> + Send;
}

/// An operation, and what happens when each of its jobs has been prepared.
pub struct Meanwhile<O, E>(pub O, pub E);

impl<O: Operation, E: Event> Operation for Meanwhile<O, E> {
    type Job = O::Job;
    type Context = O::Context;
    const KINDS: &'static [JobKind] = O::KINDS;

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
    ) -> Result<Vec<usize>, StorageError> {
        self.0.write(attempt, context, plans, usage).await
    }

    async fn finish(&self, attempt: &mut Attempt<'_>, job: &O::Job, context: &O::Context) -> Result<(), StorageError> {
        self.0.finish(attempt, job, context).await
    }
}
