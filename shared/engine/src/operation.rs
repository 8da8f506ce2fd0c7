//! What differs from one kind of bulk job to another.

use std::future::Future;

use rollcall_bulk::{job::Job, left_out::LeftOut, note::Note, report::Judgement};
use rollcall_model::{
    caller_id::CallerId,
    jobs::{JobKind, ObjectVersion},
};
use rollcall_storage::{StorageError, directory::TableUsage};
use rollcall_tabular::{Header, Row, Schema};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Attempt, Interrupt};

/// A kind of bulk job.
pub trait Operation {
    /// One job of this kind, as it is worked on.
    type Work: Work;

    /// The kinds of job that are this operation's own. An event of any other kind is passed over, whoever sent it.
    const KINDS: &'static [JobKind];

    /// Whether the operation's function is told of every file of the inbox, and refuses those that are no kind's. The template sees to it
    /// that it is one function.
    const LOOKS_AFTER_INBOX: bool = false;

    /// Takes up a job: reads what its rows are to be held against, and brings the rows, where the dropped file is not
    /// the rows itself. Called anew in every attempt, and where a job that is given up says what came of its rows. **Unless the
    /// [attempt writes](Attempt::writes), nothing may be written** but what is kept under the attempt's own keys.
    ///
    /// # Errors
    /// [`Interrupt`] says why the job, or this attempt at it, ends here.
    fn begin(&self, attempt: &mut Attempt<'_>) -> impl Future<Output = Result<Prepared<Self::Work>, Interrupt>> + Send;

    /// Called when every row has its outcome, before the job ends; not called for a job that fails, nor in a preview. May be
    /// called again after a death.
    ///
    /// # Errors
    /// When what is to be kept can't be.
    fn conclude(
        &self,
        _run: &mut Attempt<'_>,
        _work: &Self::Work,
    ) -> impl Future<Output = Result<(), StorageError>> + Send {
        async { Ok(()) }
    }
}

/// A job that has been taken up.
pub struct Prepared<W> {
    /// The job.
    pub work: W,
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

/// One bulk job: what its rows want of users, and what comes of that.
///
/// Users are counted from zero, in the order of the file. Deciding is the model's; what is asynchronous here reads and
/// writes the table.
pub trait Work: Send + Sync {
    /// What is done to one user. Kept in the bucket before it is done.
    type Plan: Serialize + DeserializeOwned + Send + Sync;

    /// The columns of the rows.
    fn columns(&self) -> Schema;

    /// Takes a row at the first reading.
    fn take(&mut self, row: &Row<'_>);

    /// What else is worth knowing of the dropped file, given its header.
    fn note(&self, _header: &Header, _job: &Job) -> Option<Note> {
        None
    }

    /// Every row has been taken.
    fn finish_reading(&mut self);

    /// Distinct users of the rows.
    fn users(&self) -> usize;

    /// Whether everything about a user is known.
    fn is_decided(&self, user: usize) -> bool;

    /// Decides for some users, by what the table says of them now.
    ///
    /// # Errors
    /// When the table can't be read in time.
    fn plan(
        &self,
        attempt: &Attempt<'_>,
        users: &[usize],
        usage: &mut TableUsage,
    ) -> impl Future<Output = Result<Vec<Self::Plan>, StorageError>> + Send;

    /// Whether the plan is to be made again when other users of the rows have been written.
    fn waits(_plan: &Self::Plan) -> bool {
        false
    }

    /// Whether the plan writes the user at all.
    fn writes(plan: &Self::Plan) -> bool;

    /// Carries plans out, and says in them what came of it. Gives the positions of those that must be decided again,
    /// because the table doesn't hold any more what they were decided on. Carrying a plan out twice is like once.
    ///
    /// # Errors
    /// When the table can't be written in time.
    fn write(
        &self,
        attempt: &Attempt<'_>,
        plans: &mut [&mut Self::Plan],
        usage: &mut TableUsage,
    ) -> impl Future<Output = Result<Vec<usize>, StorageError>> + Send;

    /// Whether a plan that was kept has been carried out, by what would be decided `now`.
    fn is_done(plan: &Self::Plan, now: &Self::Plan) -> bool;

    /// Takes over what the plan of an earlier attempt has done, as far as the list shows it. Others have written the user since then, so
    /// the table doesn't say any more who did it, and the plan was decided again.
    fn merge_previous_attempt(_plan: &mut Self::Plan, _earlier: &Self::Plan) {}

    /// Gives a plan up: the user is left as it is, and its rows fail by this. `false` where a job of this kind can't leave out one user.
    fn leave_out(_plan: &mut Self::Plan, _why: LeftOut) -> bool {
        false
    }

    /// The user of a plan; `None` for a plan of an earlier attempt whose user the rows don't name any more.
    fn user_of(&self, plan: &Self::Plan) -> Option<usize>;

    /// Keeps what came of a plan.
    fn record(&mut self, plan: &Self::Plan);

    /// Adds to the job's progress what a plan has done.
    fn count(plan: &Self::Plan, done: &mut Done);

    /// The numbers that a plan has put on a list, for kinds that do so.
    fn additions(_plan: &mut Self::Plan) -> Option<ListAdditions<'_>> {
        None
    }

    /// Judges a row at the second reading.
    fn judge(&mut self, row: &Row<'_>) -> Judgement;

    /// What a row is known by from a preview to its execution: its line, unless the rows are brought anew.
    fn row_key(&self, row: &Row<'_>) -> u64 {
        row.line
    }
}

/// What a plan has put on a user's list.
pub struct ListAdditions<'a> {
    /// The login ID, folded.
    pub login: &'a str,
    /// The numbers.
    pub added: &'a mut Vec<CallerId>,
    /// Those that have been taken off again, since they were retired meanwhile.
    pub retracted: &'a mut Vec<CallerId>,
}

/// What plans have done to users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Users written, new ones among them.
    pub users_changed: u64,
    /// Users created.
    pub users_created: u64,
    /// Numbers that came onto lists, or that CRM users see newly.
    pub numbers_added: u64,
    /// Numbers taken off lists, or that CRM users don't see any more.
    pub numbers_removed: u64,
}
