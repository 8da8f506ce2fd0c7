//! CSV files as people really make them, read and written.
//!
//! The reader takes bytes as they come and gives rows; it waits for nothing and fetches nothing. What it promises:
//!
//! - A broken row costs that row. The rest of the file is read.
//! - Memory stays within one push of bytes and one record, whatever the file holds.
//! - A file has at most [`MAX_COLUMNS`] columns, and a report on it is at most some times as large as itself.
//! - Every row says on which physical line it starts, so that a person finds it in an editor.

mod cells;
pub mod code;
mod cut;
mod encoding;
mod guard;
mod header;
mod read;
mod reader_note;
pub mod text;
mod write;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use cut::MAX_RECORD_BYTES;
pub use encoding::{Encoding, Judge, Judged, NotAnEncoding};
pub use guard::{guard, unguard};
pub use header::{Column, Header, MAX_COLUMNS, Schema};
pub use read::{ByteRange, Reader, Row, RowShape};
pub use reader_note::ReaderNote;
pub use write::{RESULT_COLUMNS, Writer};

use crate::code::FileCode;

/// The names of a file's columns that mean nothing in this schema, for whoever has read it whole; none of what is no such file.
pub fn ignored_columns(file: &[u8], schema: Schema) -> Vec<String> {
    let mut reader = Reader::new(schema);
    let read = reader.push(file).and_then(|()| reader.end()).and_then(|()| reader.next_row().map(drop));
    let header = read.ok().and_then(|()| reader.header());
    header.map(Header::ignored).unwrap_or_default()
}

/// Why a file can't be read at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFault {
    /// The stable code.
    pub code: FileCode,
    /// The physical line, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// A sentence for the person who made the file.
    pub message: String,
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{} (line {line}): {}", self.code, self.message),
            None => write!(f, "{}: {}", self.code, self.message),
        }
    }
}

impl std::error::Error for FileFault {}
