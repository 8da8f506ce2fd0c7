//! Bulk jobs.

pub(crate) mod create;
pub(crate) mod decide;
pub(crate) mod list;
pub(crate) mod one;
mod scope;

use jiff::Timestamp;
use rollcall_bulk::job::{Job, JobView};

fn shown(job: Job) -> JobView {
    JobView::at(Timestamp::now(), job)
}
