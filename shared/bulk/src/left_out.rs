//! Why a job leaves out one user and goes on with the others.

use serde::{Deserialize, Serialize};

use rollcall_model::code::RowCode;

/// Why a user is left as it is, though there was something to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// The table can't store the user like this.
    NotStorable,
    /// Each time that the job was about to write the user, somebody else had changed it.
    Changing,
    /// Something is known of the user that is newer than what the job knows.
    Overtaken,
}

impl LeftOut {
    /// The code that says so in reports.
    pub fn code(self) -> RowCode {
        match self {
            Self::NotStorable => RowCode::NotStorable,
            Self::Changing => RowCode::VersionConflict,
            Self::Overtaken => RowCode::ChangedSince,
        }
    }

    /// A sentence for the person who reads the report.
    pub fn message(self) -> &'static str {
        match self {
            Self::NotStorable => {
                "The table can't store the user like this: with its list, the user may be larger than the 400 KB that an item can have."
            }
            Self::Changing => {
                "Somebody else changed the user each time that the job was about to. Send the row again when that is over."
            }
            Self::Overtaken => {
                "Somebody has changed the user since the job began, so the newer stands. Send the row again if it is meant."
            }
        }
    }
}
