//! What comes back of a file: every row with what came of it, and those to mend.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::deed::{self, Deed};
use rollcall_model::code::{RowCode, Warning};
use rollcall_tabular::{
    Header, MAX_RECORD_BYTES, RESULT_COLUMNS, Row, RowShape, Writer,
    text::{self, shown},
};

/// What came of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::IntoStaticStr, strum::EnumCount)]
#[strum(serialize_all = "snake_case")]
pub enum RowStatus {
    /// All that it asks for holds, and some of that was done by this row.
    Applied,
    /// Some of what it asks for was done, and some can't be.
    Partial,
    /// All that it asks for held already.
    Unchanged,
    /// Nothing of it could be done.
    Failed,
    /// The job ended before its turn.
    Unprocessed,
}

impl RowStatus {
    /// Every status.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        [Self::Applied, Self::Partial, Self::Unchanged, Self::Failed, Self::Unprocessed];

    /// As it stands in reports.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether something of the row could not be done: then it is in the failed file.
    pub fn needs_correction(self) -> bool {
        matches!(self, Self::Partial | Self::Failed | Self::Unprocessed)
    }
}

/// Rows by what came of them. Their sum is the number of rows, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// See [`RowStatus::Applied`].
    pub applied: u64,
    /// See [`RowStatus::Partial`].
    pub partial: u64,
    /// See [`RowStatus::Unchanged`].
    pub unchanged: u64,
    /// See [`RowStatus::Failed`].
    pub failed: u64,
    /// See [`RowStatus::Unprocessed`].
    pub unprocessed: u64,
}

impl Counts {
    /// Rows in all.
    pub fn rows(self) -> u64 {
        self.applied + self.partial + self.unchanged + self.failed + self.unprocessed
    }

    /// Rows of which something could not be done: those of the failed file.
    pub fn needs_correction(self) -> u64 {
        self.partial + self.failed + self.unprocessed
    }

    fn add(&mut self, status: RowStatus) {
        *match status {
            RowStatus::Applied => &mut self.applied,
            RowStatus::Partial => &mut self.partial,
            RowStatus::Unchanged => &mut self.unchanged,
            RowStatus::Failed => &mut self.failed,
            RowStatus::Unprocessed => &mut self.unprocessed,
        } += 1;
    }
}

/// The two result files of a job, written as the file is read again.
pub struct Report {
    /// Every row.
    pub results: Writer,
    /// The rows of which something could not be done.
    pub failed: Writer,
    /// Rows so far.
    pub counts: Counts,
}

/// Remarks listed for one row at most: past this they would fill a spreadsheet's cell (32,767 characters).
pub(crate) const MAX_REMARKS: usize = 40;
/// Bytes of remarks for one row, and how many more for each byte of the row: a report on a file is then at most some times as large as the
/// file, whatever stands in it. The first remark is always whole.
const REMARK_BYTES: usize = 512;
const REMARK_BYTES_PER_BYTE: usize = 8;
/// Characters of a remark's sentence.
const MAX_MESSAGE: usize = 400;

impl Report {
    /// A report on a file with this header.
    pub fn new(header: &Header) -> Self {
        let mut report = Self {
            results: Writer::new(header.delimiter),
            failed: Writer::new(header.delimiter),
            counts: Counts::default(),
        };
        for file in [&mut report.results, &mut report.failed] {
            file.record(header.names.iter().map(String::as_str).chain(RESULT_COLUMNS));
        }
        report
    }

    /// Writes one row with what came of it.
    pub fn row(&mut self, row: &Row<'_>, judgement: Judgement) {
        let Judgement { status, remarks, .. } = judgement;
        self.counts.add(status);
        let line = row.line.to_string();
        let original = row.original();
        let room = REMARK_BYTES + REMARK_BYTES_PER_BYTE * original.iter().map(|cell| cell.len() + 1).sum::<usize>();
        let fitting = fitting(&remarks, room);
        let more = remarks.len() - fitting;
        let remarks = &remarks[..fitting];
        let join = |part: fn(&Remark) -> &str, by: &str| remarks.iter().map(part).collect::<Vec<_>>().join(by);
        let mut message = join(|remark| &remark.message, " ");
        if more > 0 {
            message.push_str(&format!(" And {more} more."));
        }
        let ours = [
            line.as_str(),
            status.as_str(),
            &join(|remark| remark.code, "; "),
            &join(|remark| &remark.field, "; "),
            &join(|remark| &remark.value, "; "),
            &message,
        ];
        let cells = || original.iter().map(Cow::as_ref).chain(ours);
        self.results.record(cells());
        if status.needs_correction() {
            self.failed.record(cells());
        }
    }
}

/// How many of the remarks, from the first, are listed.
fn fitting(remarks: &[Remark], room: usize) -> usize {
    let mut used = 0;
    let fits = |remark: &&Remark| {
        let fits = used == 0 || used < room;
        used += remark.code.len() + remark.field.len() + remark.value.len() + remark.message.len();
        fits
    };
    remarks.iter().take(MAX_REMARKS).take_while(fits).count()
}

/// What is to be said of one row.
#[derive(Debug)]
pub struct Judgement {
    /// What came of it.
    pub status: RowStatus,
    /// Why, and what is worth knowing.
    pub remarks: Vec<Remark>,
    /// What was done by it.
    pub deed: Deed,
}

/// One thing to say of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    pub(crate) code: &'static str,
    pub(crate) field: String,
    value: String,
    pub(crate) message: String,
}

impl Judgement {
    /// The row failed, for one reason.
    pub(crate) fn failed(remark: Remark) -> Self {
        Self::new(RowStatus::Failed, vec![remark])
    }

    /// A row that has done nothing but what its status says.
    pub(crate) fn new(status: RowStatus, remarks: Vec<Remark>) -> Self {
        Self { status, remarks, deed: Deed::default() }
    }

    /// The job ended before the row's turn.
    pub(crate) fn unprocessed() -> Self {
        Self::new(RowStatus::Unprocessed, Vec::new())
    }

    /// Whether this is worth saying of the row.
    pub fn warns(&self, warning: Warning) -> bool {
        self.remarks.iter().any(|remark| remark.code == warning.as_str())
    }

    /// Says so where the preview had said something else of the row, or didn't have it (`None`). Whether that is so.
    pub fn compare_with_preview(&mut self, said: Option<(RowStatus, Deed)>) -> bool {
        let message = match said {
            Some(said) => deed::difference(said, (self.status, self.deed)),
            None => Some("The preview didn't have this row.".to_owned()),
        };
        let differs = message.is_some();
        self.remarks.extend(message.map(|message| Remark::warning(Warning::DiffersFromPreview, "", "", message)));
        differs
    }

    /// The failure of a row that can't be read column by column; `None` for one that can.
    pub(crate) fn of_shape(row: &Row<'_>) -> Option<Self> {
        if row.shape == RowShape::Header {
            let message = "The row is the header again. It was passed over.";
            let remark = Remark::warning(Warning::HeaderRepeated, "", "", message);
            return Some(Self::new(RowStatus::Unchanged, vec![remark]));
        }
        (row.shape != RowShape::Sound).then(|| Self::failed(misshapen(row)))
    }
}

impl Remark {
    /// A value can't be used, for this reason.
    pub(crate) fn error(code: RowCode, field: &str, value: &str, message: impl Into<String>) -> Self {
        Self::new(code.as_str(), field, value, message.into())
    }

    /// Nothing failed, but this is worth knowing.
    pub(crate) fn warning(warning: Warning, field: &str, value: &str, message: impl Into<String>) -> Self {
        Self::new(warning.as_str(), field, value, message.into())
    }

    fn new(code: &'static str, field: &str, value: &str, message: String) -> Self {
        // Cut first: a name may be as long as a record.
        let field = text::trim(&shown(field)).to_owned();
        Self { code, field, value: shown(value).into_owned(), message: cut(message, MAX_MESSAGE) }
    }
}

/// What is wrong with a row that can't be read column by column.
fn misshapen(row: &Row<'_>) -> Remark {
    let (code, message) = match row.shape {
        RowShape::Unbalanced => {
            (RowCode::MalformedCsv, "A quote is opened and not closed. Close it, or take it away.".to_owned())
        }
        RowShape::TooLong => (RowCode::MalformedCsv, format!("The row is longer than {MAX_RECORD_BYTES} bytes.")),
        RowShape::TooFewCells => {
            let mut message = format!("The row ends before the column {}.", shown(row.header().last_needed()));
            if let Some(other) = row.other_delimiter() {
                message.push_str(&format!(" It seems to be parted by {other}, and the header is not."));
            }
            (RowCode::ColumnCount, message)
        }
        RowShape::OtherHeader(line) => (
            RowCode::ColumnCount,
            format!("The columns change on line {line}, so the row can't be read. Cut the file in two before that line."),
        ),
        RowShape::TooManyCells | RowShape::Header | RowShape::Sound => (
            RowCode::ColumnCount,
            "The row has more filled cells than the header has names of columns. Several numbers in a cell are separated by a semicolon, with \
             quotes around the cell where the semicolon also separates cells."
                .to_owned(),
        ),
    };
    Remark::new(code.as_str(), "", "", message)
}

fn cut(mut message: String, characters: usize) -> String {
    if let Some((end, _)) = message.char_indices().nth(characters) {
        message.truncate(end);
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_tabular::{Column, Reader};

    static SCHEMA: [Column; 1] = [Column { name: "Login", aliases: &["login"], required: true, takes_surplus: false }];

    /// The two files of a report on this file, of which every row has as many remarks as its first cell has characters, up to 60.
    fn report_on(file: &str) -> [Vec<u8>; 2] {
        let mut reader = Reader::new(&SCHEMA);
        reader.push(file.as_bytes()).unwrap();
        reader.end().unwrap();
        let mut report = None;
        while let Some(row) = reader.next_row().unwrap() {
            let value = row.value(0).unwrap_or_default();
            let remark =
                || Remark::error(RowCode::NumberInvalid, row.header().name(0), &value, format!("{value} is bad."));
            let remarks = value.chars().take(60).map(|_| remark()).collect();
            report
                .get_or_insert_with(|| Report::new(row.header()))
                .row(&row, Judgement::new(RowStatus::Failed, remarks));
        }
        let mut report = report.expect("the file has rows");
        [report.results.take(), report.failed.take()]
    }

    #[test]
    fn a_report_is_at_most_some_times_as_large_as_its_file() {
        let long_name = format!("Login ({})", "😀".repeat(20_000));
        let wide = format!("Login{}", ",c".repeat(900));
        let full = format!("x{}\n", ",".repeat(900));
        let cases = [
            ("a column's long name", format!("{long_name}\n{}", "x\n".repeat(2_000))),
            ("many remarks", format!("Login\n{}", format!("{}\n", "y".repeat(60)).repeat(1_000))),
            ("a long cell", format!("Login\n{}\n", "z".repeat(100_000))),
            ("empty cells", format!("{wide}\n{}", full.repeat(100))),
            ("formulas", format!("Login\n{}", "=\n".repeat(1_000))),
            ("quotes", format!("Login\n{}", "x\"\"\"\"\"\"\n".repeat(1_000))),
        ];
        for (name, file) in cases {
            let rows = file.matches('\n').count() - 1;
            for report in report_on(&file) {
                let most = 16 * file.len() + 1_024 * rows;
                assert!(report.len() <= most, "{name}: {} bytes of {}, {rows} rows", report.len(), file.len());
            }
        }
    }

    #[test]
    fn the_first_remark_is_whole_and_the_others_are_counted() {
        let remarks = |count: usize, message: usize| {
            vec![Remark::error(RowCode::NumberInvalid, "f", "v", "m".repeat(message)); count]
        };
        assert_eq!(fitting(&remarks(1, 400), 0), 1);
        assert_eq!(fitting(&remarks(3, 400), 512), 2);
        assert_eq!(fitting(&remarks(100, 1), 100_000), MAX_REMARKS);
        assert_eq!(fitting(&[], 512), 0);
    }
}
