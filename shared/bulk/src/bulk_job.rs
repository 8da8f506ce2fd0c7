//! What every bulk job decides, whatever its kind: the pure half of a job. The engine reads and writes around it.

use std::collections::HashSet;

use jiff::Timestamp;
use rollcall_model::caller_id::CallerId;
use rollcall_tabular::{Header, Row, Schema};
use serde::{Serialize, de::DeserializeOwned};

use crate::{job::Job, left_out::LeftOut, note::Note, report::Judgement};

/// One bulk job: what its rows want of users, and what came of that.
///
/// Users are counted from zero, in the order of the file. A resync's users are CRM users.
pub trait BulkJob: Send + Sync {
    /// What is done to one user.
    type Plan: Plan;

    /// The columns of the rows.
    fn columns(&self) -> Schema;

    /// Takes a row at the first reading.
    fn read_row(&mut self, row: &Row<'_>);

    /// What else is worth knowing of the dropped file, given its header.
    fn note(&self, _header: &Header, _job: &Job) -> Option<Note> {
        None
    }

    /// Every row has been read.
    fn seal(&mut self) {}

    /// Distinct users of the rows.
    fn users(&self) -> usize;

    /// Whether everything about a user is known.
    fn is_decided(&self, user: usize) -> bool;

    /// The user of a plan; `None` for a plan of an earlier attempt whose user the rows don't name any more.
    fn user_of(&self, plan: &Self::Plan) -> Option<usize>;

    /// Keeps what came of a plan.
    fn record(&mut self, plan: &Self::Plan);

    /// Says what came of a row, at the second reading.
    fn judge(&mut self, row: &Row<'_>) -> Judgement;

    /// What a row is known by from a preview to its execution: its line, unless the rows are generated anew.
    fn row_key(&self, row: &Row<'_>) -> u64 {
        row.line
    }
}

/// What is done to one user. Logged before it is done.
pub trait Plan: Clone + Serialize + DeserializeOwned + Send + Sync {
    /// Whether the plan is to be made again when other users of the rows have been written.
    fn waits(&self) -> bool {
        false
    }

    /// Whether the plan writes the user at all.
    fn writes(&self) -> bool;

    /// Keeps as much of the plan, which an earlier attempt has logged, as has been carried out, by what would be decided `now`. Whether any of
    /// it was.
    fn keep_done(&mut self, now: &Self) -> bool;

    /// Takes over what the plan of an earlier attempt has done, as far as the list shows it. Others have written the user since then, so
    /// the table doesn't say any more who did it, and the plan was decided again.
    fn merge_previous_attempt(&mut self, _earlier: &Self) {}

    /// Gives the plan up: the user is left as it is, and its rows fail by this.
    fn leave_out(&mut self, why: LeftOut);

    /// How many numbers the plan holds, for what it takes of memory. A list that it was decided on counts.
    fn numbers(&self) -> usize;

    /// Adds to the job's progress what the plan does.
    fn tally(&self, done: &mut Done);

    /// The numbers that the plan puts on a list.
    fn added(&self) -> &[CallerId] {
        &[]
    }

    /// Whether the plan takes numbers off a list.
    fn takes_off(&self) -> bool {
        false
    }

    /// Takes back what others have overtaken, and says what that makes of the list; `None` where nothing was. Called again in a later attempt,
    /// it says the same again.
    fn retract(&mut self, _now: &Overtaken) -> Option<Retraction<'_>> {
        None
    }
}

/// What has become of numbers since plans were decided.
#[derive(Clone, Debug, Default)]
pub struct Overtaken {
    /// Numbers that plans have put on lists, and that lists don't take any more.
    pub refused: HashSet<CallerId>,
    /// Numbers that can't come back onto a list: retired, or reserved by a rotation that isn't this job.
    pub gone: HashSet<CallerId>,
}

/// What a plan that was overtaken makes of a list.
pub struct Retraction<'a> {
    /// The login ID, folded.
    pub login: &'a str,
    /// When the user was created, where that is known.
    pub created: Option<Timestamp>,
    /// Numbers that come off the list again.
    pub off: Vec<CallerId>,
    /// Numbers that come back onto it.
    pub back: &'a [CallerId],
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
