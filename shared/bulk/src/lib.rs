//! What jobs decide, pure: the life of a job, and for each kind its request, its ledger, its plan and its verdict on each row.
//!
//! Nothing here reads a clock, the environment, a file or the network. The engine does what is decided here.

pub mod append;
pub mod bulk_job;
mod cells;
pub mod deed;
pub mod directory_import;
pub mod job;
pub mod job_email;
pub mod left_out;
mod logged_user;
pub mod misplaced;
pub mod note;
pub mod number_upload;
pub mod outcomes;
pub mod phone_snapshot;
pub mod push;
pub mod report;
pub mod resync;
pub mod rotation;
pub mod safety_threshold;
pub mod turn;
pub mod undo;
pub mod upload;
pub mod user_upload;
