//! What there is to say of a file as a whole.

use serde::{Deserialize, Serialize};

use crate::code::FileWarning;

/// One thing to say of a file, of which nothing failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The stable code.
    pub code: FileWarning,
    /// The physical line, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// A sentence for the person who made the file.
    pub message: String,
}
