//! Users: one by one, in lists, and by the thousand.

mod bulk;
mod change;
mod item;
mod list;
mod read;
mod rotate;

use std::time::Duration;

pub use change::{Stale, Taken};
pub use list::{FilterValue, Place, UserFilter};

pub(super) use change::marks;
pub(super) use item::{ATTRIBUTES, CALLER_IDS, caller_ids, number_set, policy, read_user};

/// How long a person waits for users to be shown.
const TIMEOUT: Duration = Duration::from_secs(30);
const READING: &str = "reading users";
