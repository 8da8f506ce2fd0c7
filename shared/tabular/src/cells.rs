//! Parts a record into its cells.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter};

use super::cut::{Cut, Shape};

/// Parts records, using the same memory for each.
pub struct Splitter {
    delimiter: u8,
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
        Self { delimiter, unquoted: Vec::new(), ends: Vec::new() }
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
        self.unquoted.clear();
        let mut at = 0;
        loop {
            at = self.take_cell(record, at);
            self.ends.push(self.unquoted.len());
            if at == record.len() {
                return;
            }
            // Past the delimiter.
            at += 1;
        }
    }

    /// Copies the cell that starts here, without its quotes. Gives where it ends.
    fn take_cell(&mut self, record: &[u8], start: usize) -> usize {
        let open = start + blanks(&record[start..]);
        if record.get(open) == Some(&b'"')
            && let Some(end) = self.take_quoted(record, open)
        {
            return end;
        }
        let end = memchr(self.delimiter, &record[start..]).map_or(record.len(), |found| start + found);
        self.unquoted.extend_from_slice(&record[start..end]);
        end
    }

    /// Copies the quoted cell that opens here. `None` where it isn't properly closed: then the quote is a character.
    fn take_quoted(&mut self, record: &[u8], open: usize) -> Option<usize> {
        let before = self.unquoted.len();
        let mut from = open + 1;
        while let Some(found) = memchr(b'"', &record[from..]) {
            let at = from + found;
            self.unquoted.extend_from_slice(&record[from..at]);
            if record.get(at + 1) == Some(&b'"') {
                self.unquoted.push(b'"');
                from = at + 2;
                continue;
            }
            let end = at + 1 + blanks(&record[at + 1..]);
            if record.get(end).is_none_or(|&byte| byte == self.delimiter) {
                return Some(end);
            }
            break;
        }
        self.unquoted.truncate(before);
        None
    }
}

/// How many blanks there are at the beginning.
fn blanks(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|&&byte| byte == b' ').count()
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

    /// The cell as text. What can't be read is U+FFFD, which no value may hold.
    pub fn text(&self, index: usize) -> Option<Cow<'a, str>> {
        self.bytes(index).map(decode)
    }
}

/// Text of a file's bytes, which have been brought to UTF-8 where they were in another encoding.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    // Nearly every cell is UTF-8, and seeing that is faster than looking for what isn't.
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
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
        assert_eq!(cells(b"\"x;\"\"y\"\"\nz\" ;2;", Shape::Quoted), ["x;\"y\"\nz", "2", ""]);
        assert_eq!(cells(b"", Shape::Plain), [""]);
    }

    #[test]
    fn a_broken_record_is_one_cell() {
        assert_eq!(cells(b"a;\"b;c", Shape::Unbalanced), ["a;\"b;c"]);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_never_taken_for_letters() {
        assert_eq!(cells(b"Jos\xe9;b", Shape::Plain), ["Jos\u{fffd}", "b"]);
        assert_eq!(cells("José;नाम".as_bytes(), Shape::Plain), ["José", "नाम"]);
    }

    #[test]
    fn a_blank_before_a_quote_is_none_of_the_cell() {
        assert_eq!(cells(b"a; \"b; c\" ;  \"d\"", Shape::Quoted), ["a", "b; c", "d"]);
        assert_eq!(cells(b"a; \"b\" c;\"d\"", Shape::Quoted), ["a", " \"b\" c", "d"]);
    }
}
