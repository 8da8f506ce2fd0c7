//! What a company's directory that pushes users in means for a user here: by what it has sent of the user, and by the groups that the user is in.
//!
//! The requests of the directory ask it, and so does a change of the settings that say what a group sets.

mod follow;
mod known;
mod rules;

pub use follow::{follow, follow_groups};
pub use known::{Known, document, is_guid, is_seen};
pub use rules::Rules;

/// Changes by others in between that one change of a user survives.
pub const TRIES: usize = 4;
