//! The kinds of job: what is read for each, and how its plans are written. What is decided is in `rollcall_bulk`.

mod append;
mod import;
mod near;
mod numbers;
mod push;
mod resync;
mod rotation;
mod turns;
mod undo;
mod users;

pub use append::Append;
pub use import::{BringUsers, scheduled as scheduled_syncs};
pub use numbers::UploadNumbers;
pub use push::{Push, mark_pages, scheduled as scheduled_pushes, wake, wake_by};
pub use resync::{Resync, scheduled as scheduled_resyncs};
pub use rotation::{Rotate, scheduled as scheduled_rests};
pub use undo::Undo;
pub use users::UploadUsers;
