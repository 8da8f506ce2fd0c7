//! What differs from one kind of bulk job to another, beside what is decided: what is read for it, and how its plans are written.

use std::future::Future;

use rollcall_bulk::bulk_job::{BulkJob, Overtaken};
use rollcall_model::{
    inventory::InventoryNumber,
    jobs::{JobKind, ObjectVersion},
};

use crate::{Attempt, GROUP_USERS, Interrupt, StorageError, world::TableUsage};

/// A kind of bulk job.
pub trait Operation: Send + Sync {
    /// What is decided.
    type Job: BulkJob;

    /// What the world said when the job was prepared, and that plans and writes need.
    type Context: Send + Sync;

    /// The kinds of job that are this operation's own. An event of any other kind is passed over, whoever sent it.
    const KINDS: &'static [JobKind];

    /// Users dealt with together. See [`GROUP_USERS`](crate::GROUP_USERS).
    const GROUP: usize = GROUP_USERS;

    /// Whether the operation's function is told of every file of the inbox, and refuses those that are no kind's. The template sees to it
    /// that it is one function.
    const LOOKS_AFTER_INBOX: bool = false;

    /// Takes up a job: reads what its rows are to be held against, and generates the rows, where the dropped file is not
    /// the rows itself. Called anew in every attempt, and where a job that is given up says what came of its rows. **Unless the
    /// [attempt writes](Attempt::writes), nothing may be written** but what is kept under the attempt's own keys.
    ///
    /// # Errors
    /// [`Interrupt`] says why the job, or this attempt at it, ends here.
    fn prepare(&self, attempt: &mut Attempt<'_>) -> impl Future<Output = Result<Prepared<Self>, Interrupt>> + Send;

    /// Decides for some users, by what the table says of them now.
    ///
    /// # Errors
    /// When the table can't be read in time.
    fn plan(
        &self,
        attempt: &Attempt<'_>,
        job: &Self::Job,
        context: &Self::Context,
        users: &[usize],
        usage: &mut TableUsage,
    ) -> impl Future<Output = Result<Vec<PlanOf<Self>>, StorageError>> + Send;

    /// Carries plans out, and says in them what came of it. Gives the positions of those that must be decided again,
    /// because the table doesn't hold any more what they were decided on. Carrying a plan out twice is like once.
    ///
    /// # Errors
    /// When the table can't be written in time; or [`Interrupt`] says why the job ends here, with what was done.
    fn write(
        &self,
        attempt: &Attempt<'_>,
        context: &Self::Context,
        plans: &mut [&mut PlanOf<Self>],
        usage: &mut TableUsage,
    ) -> impl Future<Output = Result<Vec<usize>, Interrupt>> + Send;

    /// Whether the plans rely on numbers that they don't put on lists, so that the inventory is looked at again in any case when they have been carried
    /// out.
    const LOOKS_AGAIN: bool = false;

    /// Called with the inventory as it is when plans have been carried out, before rows are judged. Whether plans are to be [looked at
    /// again](Self::look_again). An earlier attempt may have done so, and have begun to end what follows from the outcomes.
    fn has_fallen(
        &self,
        _attempt: &Attempt<'_>,
        _job: &mut Self::Job,
        _context: &Self::Context,
        _inventory: &[InventoryNumber],
    ) -> bool {
        false
    }

    /// Looks at users again whose plans relied on what has fallen away since, and corrects the plans.
    ///
    /// # Errors
    /// When the table can't be read in time.
    fn look_again(
        &self,
        _attempt: &Attempt<'_>,
        _context: &Self::Context,
        _plans: &mut [PlanOf<Self>],
        _inventory: &[InventoryNumber],
        _now: &Overtaken,
        _usage: &mut TableUsage,
    ) -> impl Future<Output = Result<(), StorageError>> + Send {
        async { Ok(()) }
    }

    /// Called for a job that is given up, when it has been said what came of its rows: what others would wait for is released.
    ///
    /// # Errors
    /// When it can't be.
    fn give_up(&self, _attempt: &mut Attempt<'_>) -> impl Future<Output = Result<(), StorageError>> + Send {
        async { Ok(()) }
    }

    /// Called when every row has its outcome, before the record says so; not called for a job that fails, nor in a preview. May be
    /// called again after a crash, with outcomes that have changed since.
    ///
    /// # Errors
    /// When what is to be kept can't be.
    fn finish(
        &self,
        _attempt: &mut Attempt<'_>,
        _job: &Self::Job,
        _context: &Self::Context,
    ) -> impl Future<Output = Result<(), StorageError>> + Send {
        async { Ok(()) }
    }

    /// Called when the record says what came of the rows and the mail is sent, before the job ends; not called for a job that fails,
    /// nor in a preview. May be called again after a crash.
    ///
    /// # Errors
    /// When what follows from the outcomes can't be written.
    fn conclude(&self, _attempt: &Attempt<'_>) -> impl Future<Output = Result<(), StorageError>> + Send {
        async { Ok(()) }
    }
}

/// The plan of an operation.
pub type PlanOf<O> = <<O as Operation>::Job as BulkJob>::Plan;

/// A job that has been taken up.
pub struct Prepared<O: Operation + ?Sized> {
    /// The job.
    pub job: O::Job,
    /// What it was prepared with.
    pub context: O::Context,
    /// Where its rows are.
    pub rows: RowSource,
}

/// Where the rows of a job are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowSource {
    /// In the dropped file.
    Uploaded,
    /// In another, that the job has made for itself.
    Generated(ObjectVersion),
    /// There are none, and the job has nothing to do.
    None,
}
