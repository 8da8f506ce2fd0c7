//! Cuts a stream of bytes into records, so that one broken record costs no other.

mod measure;

use memchr::memchr2;

use self::measure::{Measure, line_end, measure};

/// Longest record in bytes. A list of 5,000 numbers takes 80 KB; past this a record is not a row but a file whose line
/// ends are gone, or a quote that is never closed.
pub const MAX_RECORD_BYTES: usize = 128 * 1024;

/// One record as it stands in the file, without its line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut<'a> {
    /// The record's bytes. Of one that is [`Shape::TooLong`], the beginning.
    pub bytes: &'a [u8],
    /// The physical line that the record starts on; the file's first is 1.
    pub line: u64,
    /// The offset of its first byte.
    pub offset: u64,
    /// What it looks like.
    pub shape: Shape,
}

/// What a record looks like from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// No quoted cell: the delimiters alone part the cells.
    Plain,
    /// At least one quoted cell, each properly closed.
    Quoted,
    /// A quote is opened and not closed before a delimiter or a line end. The record ends with the physical line on
    /// which that quote stands, so that the lines after it are read as what they are.
    Unbalanced,
    /// Longer than [`MAX_RECORD_BYTES`]. The rest of its line is passed over.
    TooLong,
}

/// Which bytes part cells. Before the header is understood it may be any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delimiter {
    /// Not known yet.
    Unknown,
    /// This one.
    Known(u8),
}

/// The delimiters that spreadsheets write.
pub const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

impl Delimiter {
    fn is(self, byte: u8) -> bool {
        match self {
            Self::Unknown => DELIMITERS.contains(&byte),
            Self::Known(delimiter) => byte == delimiter,
        }
    }
}

/// Cuts what is pushed into it. Memory stays within one push and one record.
pub struct Cutter {
    buffer: Vec<u8>,
    at: usize,
    line: u64,
    offset: u64,
    ended: bool,
    /// The rest of a record that was too long is being passed over.
    skipping: bool,
    delimiter: Delimiter,
}

impl Cutter {
    /// A cutter for bytes that start at `offset`, on line `line`.
    pub fn new(offset: u64, line: u64, delimiter: Delimiter) -> Self {
        Self { buffer: Vec::new(), at: 0, line, offset, ended: false, skipping: false, delimiter }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.at);
        self.at = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// There are no more bytes: what is left is the last record.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// The delimiter is understood now.
    pub fn set_delimiter(&mut self, delimiter: u8) {
        self.delimiter = Delimiter::Known(delimiter);
    }

    /// The offset of the next record.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the next record is blank: nothing but blanks, delimiters and empty quotes. `None` when more bytes are
    /// needed, or none are left.
    pub fn next_is_blank(&mut self) -> Option<bool> {
        if self.skipping && !self.skip_line() {
            return None;
        }
        let rest = &self.buffer[self.at..];
        let first = *rest.first()?;
        if !self.is_blank(first) && !is_rule(first) && !matches!(first, b'"' | b'\n' | b'\r') {
            return Some(false);
        }
        let Measure { body, shape, .. } = measure(rest, self.ended, self.delimiter)?;
        let body = &rest[..body];
        Some(match shape {
            // A quote that opens nothing is a character.
            Shape::Plain => body.iter().all(|&byte| self.is_blank(byte)) || self.is_ruler(body),
            Shape::Quoted => self.is_blank_quoted(body),
            Shape::Unbalanced | Shape::TooLong => false,
        })
    }

    /// The next record, or `None` when more bytes are needed, or none are left.
    pub fn next_cut(&mut self) -> Option<Cut<'_>> {
        if self.skipping && !self.skip_line() {
            return None;
        }
        let (start, line, offset) = (self.at, self.line, self.offset);
        let Measure { body, whole, lines, shape } = measure(&self.buffer[start..], self.ended, self.delimiter)?;
        self.skipping = shape == Shape::TooLong;
        self.advance(whole, lines);
        Some(Cut { bytes: &self.buffer[start..start + body], line, offset, shape })
    }

    /// Control-Z ends files of DOS.
    fn is_blank(&self, byte: u8) -> bool {
        matches!(byte, b' ' | b'\t' | 0x1A) || self.delimiter.is(byte)
    }

    /// Whether a record is a line across a table, such as `-----+-----`.
    fn is_ruler(&self, record: &[u8]) -> bool {
        record.windows(3).any(|three| three == b"---")
            && record.iter().all(|&byte| self.is_blank(byte) || is_rule(byte))
    }

    /// Whether the cells of a record of [`Shape::Quoted`] hold nothing but blanks. Within a quoted cell a delimiter is a character, and so are
    /// two quotes, which stand for one.
    fn is_blank_quoted(&self, record: &[u8]) -> bool {
        let mut inside = false;
        let mut before = None;
        let mut bytes = record.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' if inside && bytes.peek() == Some(&b'"') => return false,
                b'"' if inside => inside = false,
                b'"' if before.is_none_or(|before| self.delimiter.is(before)) => inside = true,
                _ if inside && !matches!(byte, b' ' | b'\t') || !self.is_blank(byte) => return false,
                _ => {}
            }
            // A quote may open behind blanks.
            if byte != b' ' || inside {
                before = Some(byte);
            }
        }
        true
    }

    fn advance(&mut self, bytes: usize, lines: u64) {
        self.at += bytes;
        self.offset += bytes as u64;
        self.line += lines;
    }

    /// Passes over bytes up to the line's end. `false` when the end has not come yet.
    fn skip_line(&mut self) -> bool {
        let rest = &self.buffer[self.at..];
        match memchr2(b'\n', b'\r', rest) {
            None => {
                self.advance(rest.len(), 0);
                false
            }
            Some(at) => match line_end(rest, at, self.ended) {
                None => false,
                Some(length) => {
                    self.advance(at + length, 1);
                    self.skipping = false;
                    true
                }
            },
        }
    }
}

/// What lines across tables are drawn with.
fn is_rule(byte: u8) -> bool {
    matches!(byte, b'-' | b'+' | b'=' | b':' | b'|')
}

#[cfg(test)]
mod tests;
