//! Bulk jobs.

pub(crate) mod create;
pub(crate) mod decide;
pub(crate) mod list;
pub(crate) mod one;
mod scope;

use jiff::Timestamp;
use rollcall_api_types::JobView;
use rollcall_bulk::job::Job;

fn shown(job: Job) -> JobView {
    JobView::at(Timestamp::now(), job)
}
