//! What a reader has passed over: nothing failed for that, and it is to be said.

/// One thing that was passed over above the header, or in the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReaderNote {
    /// NUL bytes were left out: a part of the file may be in UTF-16.
    NulBytes,
    /// A remark above the header.
    LinePassedOver {
        /// Its physical line.
        line: u64,
        /// Its beginning.
        text: String,
    },
}
