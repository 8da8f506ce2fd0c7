//! Bulk jobs.

pub(crate) mod create;
pub(crate) mod decide;
pub(crate) mod list;
pub(crate) mod one;
mod scope;

use jiff::Timestamp;
use rollcall_model::job::{Job, Shown};

fn shown(job: Job) -> Shown {
    Shown::at(Timestamp::now(), job)
}
