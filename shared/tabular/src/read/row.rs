//! One row, column by column.

use std::borrow::Cow;

use crate::{
    cells::Cells,
    cut::Shape,
    guard::{unguard, unguard_start},
    header::Header,
    text,
};

/// One row.
pub struct Row<'a> {
    /// The physical line that it starts on.
    pub line: u64,
    /// Whether its columns can be asked for.
    pub shape: RowShape,
    pub(super) header: &'a Header,
    pub(super) cells: Cells<'a>,
}

/// Whether a row can be read column by column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowShape {
    /// It can.
    Sound,
    /// A quote is opened and not closed.
    Unbalanced,
    /// Longer than [`MAX_RECORD_BYTES`](crate::MAX_RECORD_BYTES).
    TooLong,
    /// It lacks a required column.
    TooFewCells,
    /// Filled cells stand past the last column.
    TooManyCells,
    /// It is the header again.
    Header,
    /// It is a header with other columns, or stands below one; that one's line.
    OtherHeader(u64),
}

impl<'a> Row<'a> {
    /// The value of the schema's column number `column`, without padding and without the apostrophe that guards a
    /// formula; `None` when the file has no such column or the row ends before it.
    pub fn value(&self, column: usize) -> Option<Cow<'a, str>> {
        self.cells.text(self.header.place(column)?).map(clean)
    }

    /// The cell of the schema's column number `column` as it stands, but for white space around it and the apostrophe that
    /// guards a formula; `None` as [`Row::value`]. It is for values that are repaired, so that it can be said.
    pub fn cell(&self, column: usize) -> Option<Cow<'a, str>> {
        // In the order of `clean`: a guard may stand before white space of the cell's own.
        Some(match unguarded(self.cells.text(self.header.place(column)?)?) {
            Cow::Borrowed(cell) => Cow::Borrowed(without_white(cell)),
            Cow::Owned(cell) => Cow::Owned(without_white(&cell).to_owned()),
        })
    }

    /// The values past the header's end, where they belong to the schema's column number `column`.
    pub fn surplus(&self, column: usize) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        let cells = self.cells;
        let from = if self.header.takes_surplus(column) { self.header.named } else { cells.len() };
        let own = self.header.names.len()..self.header.width;
        (from..cells.len())
            .filter(move |index| !own.contains(index))
            .filter_map(move |index| cells.text(index).map(clean))
    }

    /// The cell right of the schema's column number `column`, with its column's name, if that is no column of the schema and
    /// the cell holds nothing but digits and what numbers are written with.
    pub fn beside(&self, column: usize) -> Option<(&'a str, Cow<'a, str>)> {
        let next = self.header.place(column)? + 1;
        let bytes = self.cells.bytes(next)?;
        let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
        let number =
            digits >= MIN_DIGITS && bytes.iter().all(|byte| byte.is_ascii_digit() || b"+ -()/.;\"'".contains(byte));
        let name = self.header.names.get(next).filter(|_| number && !self.header.is_known(next))?;
        Some((name, self.cells.text(next).map(clean)?))
    }

    /// The name of a delimiter that parts the row, where it is one cell in a file with another.
    pub fn other_delimiter(&self) -> Option<&'static str> {
        let cell = self.cells.text(0).filter(|_| self.cells.len() == 1)?;
        let names = [(';', "semicolons"), (',', "commas"), ('\t', "tabs"), ('|', "pipes")];
        names.into_iter().find(|(delimiter, _)| cell.contains(*delimiter)).map(|(_, name)| name)
    }

    /// The header of the row's file.
    pub fn header(&self) -> &'a Header {
        self.header
    }

    /// The file's own cells, one for each of [`Header::names`], as a report repeats them. Nothing is left out: surplus
    /// cells join the column that they belong to, or else the last one, and a row that can't be cut is its first cell. Cells that the
    /// row leaves out at its end are empty; [`Reader::next_row`](super::Reader::next_row) bounds how many.
    pub fn original(&self) -> Vec<Cow<'a, str>> {
        let own = self.header.names.len();
        let cell = |index| self.cells.text(index).map_or(Cow::Borrowed(""), |text| unguarded(text));
        let mut original: Vec<_> = (0..own).map(cell).collect();
        let surplus: Vec<_> = (self.header.width..self.cells.len()).map(cell).filter(|text| !text.is_empty()).collect();
        let taker = self.header.surplus_place().unwrap_or(own - 1);
        for text in surplus {
            let join = char::from(self.header.delimiter);
            let taking = original[taker].to_mut();
            if !taking.is_empty() {
                taking.push(join);
            }
            taking.push_str(&text);
        }
        original
    }
}

pub(crate) fn clean(cell: Cow<'_, str>) -> Cow<'_, str> {
    match unguarded(cell) {
        Cow::Borrowed(text) => Cow::Borrowed(bare(text)),
        Cow::Owned(text) => Cow::Owned(bare(&text).to_owned()),
    }
}

/// The text without padding, and without an apostrophe that was typed behind some.
fn bare(text: &str) -> &str {
    if text::is_bare(text) {
        return text;
    }
    let bare = text::trim(text);
    if text.starts_with(text::is_padding) { unguard_start(bare) } else { bare }
}

/// The same of white space alone.
fn without_white(text: &str) -> &str {
    if text::is_bare(text) {
        return text;
    }
    let white = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
    let bare = text.trim_matches(white);
    if text.starts_with(white) { unguard_start(bare) } else { bare }
}

fn unguarded(cell: Cow<'_, str>) -> Cow<'_, str> {
    match cell {
        Cow::Borrowed(cell) => unguard(cell),
        Cow::Owned(cell) => Cow::Owned(unguard(&cell).into_owned()),
    }
}

pub(super) fn row_shape(shape: Shape, cells: Cells<'_>, header: &Header) -> RowShape {
    match shape {
        Shape::Unbalanced => RowShape::Unbalanced,
        Shape::TooLong => RowShape::TooLong,
        Shape::Plain | Shape::Quoted if cells.len() < header.needed => RowShape::TooFewCells,
        // Spreadsheets pad rows with empty cells, and leave empty cells out at a row's end.
        Shape::Plain | Shape::Quoted => {
            let blank = |index| cells.text(index).is_none_or(|text| text::trim(&text).is_empty());
            let past = (header.named..header.names.len()).chain(header.width..cells.len());
            let fits = header.surplus_place().is_some() || past.into_iter().all(blank);
            if fits { RowShape::Sound } else { RowShape::TooManyCells }
        }
    }
}

/// Fewest digits of something that looks like a telephone number.
const MIN_DIGITS: usize = 7;
