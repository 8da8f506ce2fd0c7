//! Parts a record into its cells.

use std::borrow::Cow;

use csv_core::{ReadRecordResult, ReaderBuilder};
use encoding_rs::WINDOWS_1252;
use memchr::memchr_iter;

use super::cut::{Cut, Shape};

/// Parts records, using the same memory for each.
pub struct Splitter {
    delimiter: u8,
    quoted: csv_core::Reader,
    unquoted: Vec<u8>,
    ends: Vec<usize>,
}

/// The cells of one record.
#[derive(Clone, Copy)]
pub struct Cells<'a> {
    bytes: &'a [u8],
    ends: &'a [usize],
    /// Bytes between one cell's end and the next one's start.
    gap: usize,
}

impl Splitter {
    /// A splitter for files with this delimiter.
    pub fn new(delimiter: u8) -> Self {
        let quoted = ReaderBuilder::new().delimiter(delimiter).build();
        Self { delimiter, quoted, unquoted: Vec::new(), ends: Vec::new() }
    }

    /// The record's cells. One that can't be parted is a single cell.
    pub fn split<'a>(&'a mut self, cut: &Cut<'a>) -> Cells<'a> {
        self.ends.clear();
        match cut.shape {
            Shape::Quoted => {
                self.unquote(cut.bytes);
                Cells { bytes: &self.unquoted, ends: &self.ends, gap: 0 }
            }
            Shape::Plain => {
                self.ends.extend(memchr_iter(self.delimiter, cut.bytes));
                self.ends.push(cut.bytes.len());
                Cells { bytes: cut.bytes, ends: &self.ends, gap: 1 }
            }
            Shape::Unbalanced | Shape::TooLong => {
                self.ends.push(cut.bytes.len());
                Cells { bytes: cut.bytes, ends: &self.ends, gap: 1 }
            }
        }
    }

    fn unquote(&mut self, record: &[u8]) {
        // Taking quotes off never lengthens a record, and each cell but the first costs a delimiter.
        self.unquoted.resize(record.len(), 0);
        self.ends.resize(record.len() + 1, 0);
        self.quoted.reset();
        let (mut read, mut written, mut cells) = (0, 0, 0);
        loop {
            let (result, ate, wrote, ended) =
                self.quoted.read_record(&record[read..], &mut self.unquoted[written..], &mut self.ends[cells..]);
            read += ate;
            written += wrote;
            cells += ended;
            match result {
                // An empty input tells the parser that the record is over.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::Record
                | ReadRecordResult::End
                | ReadRecordResult::OutputFull
                | ReadRecordResult::OutputEndsFull => break,
            }
        }
        self.unquoted.truncate(written);
        self.ends.truncate(cells);
    }
}

impl<'a> Cells<'a> {
    /// How many there are; at least one.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cell's bytes as they stand.
    pub fn bytes(&self, index: usize) -> Option<&'a [u8]> {
        let end = *self.ends.get(index)?;
        let start = if index == 0 { 0 } else { self.ends[index - 1] + self.gap };
        Some(&self.bytes[start..end])
    }

    /// The cell as text: UTF-8, or else Windows-1252, which is what spreadsheets in Europe save without asking.
    pub fn text(&self, index: usize) -> Option<Cow<'a, str>> {
        self.bytes(index).map(decode)
    }
}

/// UTF-8 where it is that, Windows-1252 where not. Both are supersets of ASCII, so that cells can be cut before.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(bytes: &[u8], shape: Shape) -> Vec<String> {
        let mut splitter = Splitter::new(b';');
        let cut = Cut { bytes, line: 1, offset: 0, shape };
        let cells = splitter.split(&cut);
        (0..cells.len()).map(|index| cells.text(index).unwrap().into_owned()).collect()
    }

    #[test]
    fn plain_and_quoted_records_part_alike() {
        assert_eq!(cells(b"a;b;;c", Shape::Plain), ["a", "b", "", "c"]);
        assert_eq!(cells(b"\"a\";b;\"\";\"c\"", Shape::Quoted), ["a", "b", "", "c"]);
        assert_eq!(cells(b"\"x;\"\"y\"\"\nz\" ;2;", Shape::Quoted), ["x;\"y\"\nz ", "2", ""]);
        assert_eq!(cells(b"", Shape::Plain), [""]);
    }

    #[test]
    fn a_broken_record_is_one_cell() {
        assert_eq!(cells(b"a;\"b;c", Shape::Unbalanced), ["a;\"b;c"]);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_windows_1252() {
        assert_eq!(cells(b"Jos\xe9;\x93;\x94", Shape::Plain), ["José", "“", "”"]);
        assert_eq!(cells("José;नाम".as_bytes(), Shape::Plain), ["José", "नाम"]);
    }
}
