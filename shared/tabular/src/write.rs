//! Writes reports: every original column as it was, then ours.

use super::guard::guard;

/// The columns that a report appends. A file that has them at its end is an earlier report, and they are ignored.
pub const RESULT_COLUMNS: [&str; 6] = ["Line", "Status", "Error Code", "Error Field", "Error Value", "Error Message"];

/// Writes one CSV file into memory, from where it is taken piece by piece.
///
/// It begins with a byte order mark, without which Excel reads UTF-8 as Windows-1252, and uses the delimiter of the file
/// that it reports on, so that both open alike.
pub struct Writer {
    delimiter: u8,
    csv: csv::Writer<Vec<u8>>,
    pending: usize,
}

#[expect(clippy::missing_panics_doc, reason = "writing into memory does not fail")]
impl Writer {
    /// A writer that has written nothing but the mark.
    pub fn new(delimiter: u8) -> Self {
        let mark = "\u{feff}".as_bytes();
        Self { delimiter, csv: onto(delimiter, mark.to_vec()), pending: mark.len() }
    }

    /// Writes one record, each cell guarded against being taken for a formula.
    pub fn record<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) {
        for cell in cells {
            let cell = guard(cell);
            self.pending += cell.len() + 1;
            self.csv.write_field(cell.as_bytes()).expect("memory takes every write");
        }
        self.csv.write_record(None::<&[u8]>).expect("memory takes every write");
    }

    /// Bytes to be taken, roughly.
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// Takes what has been written since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        self.pending = 0;
        let written = std::mem::replace(&mut self.csv, onto(self.delimiter, Vec::new()));
        written.into_inner().expect("memory takes every write")
    }
}

fn onto(delimiter: u8, start: Vec<u8>) -> csv::Writer<Vec<u8>> {
    let mut builder = csv::WriterBuilder::new();
    builder.delimiter(delimiter).terminator(csv::Terminator::CRLF).flexible(true);
    builder.from_writer(start)
}
