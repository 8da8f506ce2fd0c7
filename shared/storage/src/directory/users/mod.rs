//! Users: one by one, in lists, and by the thousand.

mod bulk;
mod change;
mod claims;
mod create;
mod delete;
mod item;
mod list;
mod ranges;
mod read;
mod rotate;
mod search;
mod transaction;

use std::time::Duration;

pub use change::WriteOutcome;
pub use claims::Taken;
pub use create::CreateOutcome;
pub use list::{FilterValue, Place, UserFilter};
pub use search::{Reach, SearchPlace};

pub(super) use change::Numbers;
pub(super) use item::{
    ATTRIBUTES, CALLER_IDS, CREATED, HIDDEN, LISTED, POLICY, caller_ids, created, default_caller_id, department,
    number_set, policy, read_user,
};
pub(super) use transaction::{marks, marks_of};

/// How long a person waits for users to be shown.
const TIMEOUT: Duration = Duration::from_secs(30);
const READING: &str = "reading users";
