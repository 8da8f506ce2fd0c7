//! The life of a bulk job: from the event that announces a file to the mail about its failed rows.
//!
//! The engine does what the model decides, in an order that survives its own death at any point:
//!
//! 1. The job is claimed, with a lease that ends when the invocation does.
//! 2. The file is read into a ledger of who is to have what.
//! 3. Users are dealt with in batches. A batch's plan is kept in the bucket *before* it is carried out, so that the next
//!    attempt knows what was this job's own doing. Carrying it out twice changes nothing.
//!    Numbers that were retired while they were being put on lists are taken off again.
//! 4. The file is read again, row by row, for the result files.
//! 5. The mail is sent, if one is due, and the job ends.
//!
//! **At most one mail**, but for one moment: when the mail service has taken a mail and the function dies before the
//! record says so, the next attempt sends it again. None is ever lost. (`mail.rs` is where this is kept.)

mod apply;
mod ask;
mod attempt;
mod backoff;
mod claim;
mod decide;
mod deliver;
mod encoding;
mod error;
mod event;
mod forecast;
mod generated_rows;
mod give_up;
pub mod kinds;
mod mail;
mod metrics;
mod number_changes;
mod operation;
mod options;
mod plan_log;
mod portions;
mod read;
mod refuse;
mod report;
mod retract;
mod round;
mod run;
mod states;
pub mod telemetry;
pub mod world;

use rollcall_model::country::Country;

use self::world::World;

pub use ask::drop_request;
pub use attempt::{Attempt, Interrupt};
pub use backoff::Backoff;
pub use decide::{decide, execute};
pub use deliver::{Worker, job_of};
pub use error::{ErrorKind, StorageError};
pub use generated_rows::{GeneratedRows, MAX_REQUEST_BYTES, read_request};
pub use operation::{Operation, PlanOf, Prepared, RowSource};
pub use plan_log::GROUP_USERS;
pub use round::Round;
pub use states::{change_push_state, change_resync_state, change_sync_state};

/// Works on bulk jobs.
pub struct Engine {
    /// What it works on.
    pub world: World,
    /// The country of accounts that name none.
    pub country: Country,
    /// What is too much.
    pub limits: Limits,
}

/// What is too much for one job.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a file.
    pub file_bytes: u64,
    /// Rows of a file: a million take some 100 MB of memory.
    pub rows: u64,
    /// Mails that an account may send on one day, in UTC; a mail counts once for each recipient.
    pub mails_a_day: u32,
}

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// The job has ended, now or before.
    Ended,
    /// Another delivery is at it. Deliver this one again: should the other die, it is needed.
    Busy,
    /// The time was up, and the job has come further than ever before. What was done is kept; an object of this key has it go on at once.
    Paused(String),
    /// The time was up, and the job has come no further. Deliver again later: it counts as a delivery that failed.
    Stuck,
    /// The job was given up and says so. Let the event go to the dead-letter queue.
    GaveUp,
}
