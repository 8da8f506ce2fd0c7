//! Reads rows.

use std::borrow::Cow;

use super::{
    FileFault,
    cells::{Cells, Splitter, decode},
    cut::{Cut, Cutter, DELIMITERS, Delimiter, MAX_RECORD_BYTES, Shape},
    encoding::{Decoding, Encoding, Judge},
    guard::{unguard, unguard_start},
    header::{Header, Schema},
    reader_note::ReaderNote,
};
use crate::code::FileCode;
use crate::text::{self, shown};

/// A part of a source, so that a huge file can be cut and its parts read side by side.
///
/// A range begins at a record's first byte. It ends where the next one begins: the record that the end falls into
/// belongs to the range that it began in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// Offset of the range's first byte in the source.
    pub start: u64,
    /// Offset past its last byte.
    pub end: u64,
    /// The physical line that the first record stands on.
    pub first_line: u64,
}

/// Reads the rows of one file, or of one range of it.
pub struct Reader {
    schema: Schema,
    decoding: Decoding,
    cutter: Cutter,
    end: u64,
    /// The header, and a splitter for its delimiter, once it has been read.
    body: Option<(Header, Splitter)>,
    /// The delimiter that a `sep=` line told.
    told: Option<u8>,
    /// The line of a header with other columns than the first: what stands below can't be read.
    other_header: Option<u64>,
    /// What was passed over above the header.
    notes: Vec<ReaderNote>,
    rows: u64,
    /// Cells that rows have left out at their ends. A report has to write them, so that its own columns stand under their names.
    left_out: u64,
    ended: bool,
}

/// Cells that rows may leave out for each byte of the file, and how many in any file. Rows that hold a login ID and a number have
/// some 24 bytes, so that they may leave out nearly 200. What is past that is a few cells a row under a header of hundreds: a report on
/// it would be many times as large as the file.
const LEFT_OUT_PER_BYTE: u64 = 8;
const LEFT_OUT_AT_LEAST: u64 = 64 * 1024;

/// One row.
pub struct Row<'a> {
    /// The physical line that it starts on.
    pub line: u64,
    /// Whether its columns can be asked for.
    pub shape: RowShape,
    header: &'a Header,
    cells: Cells<'a>,
}

/// Whether a row can be read column by column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowShape {
    /// It can.
    Sound,
    /// A quote is opened and not closed.
    Unbalanced,
    /// Longer than [`MAX_RECORD_BYTES`].
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

impl Reader {
    /// A reader for a whole file, of which nobody has named the encoding.
    pub fn new(schema: Schema) -> Self {
        Self::encoded(schema, None)
    }

    /// A reader for a whole file. `encoding` is that of a file without a mark, where it is known. Where it isn't and the file
    /// turns out [doubtful](Reader::is_doubtful), it must be judged and read anew.
    pub fn encoded(schema: Schema, encoding: Option<Encoding>) -> Self {
        Self {
            schema,
            decoding: Decoding::new(encoding),
            cutter: Cutter::new(0, 1, Delimiter::Unknown),
            end: u64::MAX,
            body: None,
            told: None,
            other_header: None,
            notes: Vec::new(),
            rows: 0,
            left_out: 0,
            ended: false,
        }
    }

    /// A reader for a range of a file whose header is known. Push bytes from `range.start` on, and past `range.end`
    /// until no row comes any more: the last record may reach beyond. Files in UTF-16 can't be cut: their ranges would
    /// be counted in other bytes than the records.
    pub fn of_range(schema: Schema, header: Header, range: ByteRange) -> Self {
        let delimiter = header.delimiter;
        Self {
            decoding: Decoding::utf8(),
            cutter: Cutter::new(range.start, range.first_line, Delimiter::Known(delimiter)),
            end: range.end,
            body: Some((header, Splitter::new(delimiter))),
            ..Self::new(schema)
        }
    }

    /// A reader for a file that is here as a whole. Its encoding is judged, if need be; also gives whether that is safe.
    ///
    /// # Errors
    /// [`FileCode::EncodingUnsupported`].
    pub fn of_file(schema: Schema, bytes: &[u8]) -> Result<(Self, bool), FileFault> {
        let read = |encoding| {
            let mut reader = Self::encoded(schema, encoding);
            reader.push(bytes)?;
            reader.end()?;
            Ok::<_, FileFault>(reader)
        };
        let reader = read(None)?;
        if !reader.is_doubtful() {
            return Ok((reader, true));
        }
        let judged = Judge::of(bytes);
        Ok((read(Some(judged.encoding))?, judged.safe))
    }

    /// Whether the file's encoding must be [judged](Judge): it has no mark, nobody has named it, and it is not UTF-8.
    pub fn is_doubtful(&self) -> bool {
        self.decoding.is_doubtful()
    }

    /// What there is to say of the file as a whole.
    pub fn notes(&self) -> Vec<ReaderNote> {
        let mut notes = self.notes.clone();
        if self.decoding.had_nuls() {
            notes.push(ReaderNote::NulBytes);
        }
        notes
    }

    /// Takes the next bytes of the source.
    ///
    /// # Errors
    /// [`FileCode::EncodingUnsupported`].
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), FileFault> {
        let cutter = &mut self.cutter;
        self.decoding.decode(bytes, false, |bytes| cutter.push(bytes))
    }

    /// Says that the source has ended.
    ///
    /// # Errors
    /// [`FileCode::EncodingUnsupported`] for a file that is so short that its encoding was undecided.
    pub fn end(&mut self) -> Result<(), FileFault> {
        let cutter = &mut self.cutter;
        self.decoding.decode(&[], true, |bytes| cutter.push(bytes))?;
        self.cutter.end();
        self.ended = true;
        Ok(())
    }

    /// The header, once it has been read.
    pub fn header(&self) -> Option<&Header> {
        self.body.as_ref().map(|(header, _)| header)
    }

    /// Rows given so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The next row. `None` says that more bytes are needed, or that the range is at its end. Blank rows are passed over.
    ///
    /// # Errors
    /// What is wrong with the header; [`FileCode::FileEmpty`] at the end of a file without rows; [`FileCode::TooManyColumns`] where rows
    /// leave out too many.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, FileFault> {
        if self.body.is_none() && !self.read_header()? {
            return Ok(None);
        }
        let Self { schema, cutter, body: Some((header, splitter)), end, rows, left_out, ended, other_header, .. } =
            self
        else {
            return Ok(None);
        };
        loop {
            if cutter.offset() >= *end {
                return Ok(None);
            }
            match cutter.next_is_blank() {
                None if *ended && *rows == 0 && *end == u64::MAX => return Err(empty("no row under its header")),
                None => return Ok(None),
                Some(true) => _ = cutter.next_cut(),
                Some(false) => break,
            }
        }
        let read = cutter.offset();
        let Some(cut) = cutter.next_cut() else { return Ok(None) };
        *rows += 1;
        let cells = splitter.split(&cut);
        *left_out += header.names.len().saturating_sub(cells.len()) as u64;
        if *left_out > LEFT_OUT_AT_LEAST.max(LEFT_OUT_PER_BYTE * (read + cut.bytes.len() as u64)) {
            return Err(few_cells(header, cut.line));
        }
        let mut shape = row_shape(cut.shape, cells, header);
        match header.again(&cells, schema) {
            Some(true) => (shape, *other_header) = (RowShape::Header, None),
            Some(false) => *other_header = Some(cut.line),
            None => {}
        }
        if let Some(line) = *other_header {
            shape = RowShape::OtherHeader(line);
        }
        Ok(Some(Row { line: cut.line, shape, header, cells }))
    }

    /// Reads up to the header. `false` when more bytes are needed.
    fn read_header(&mut self) -> Result<bool, FileFault> {
        loop {
            match self.cutter.next_is_blank() {
                None if self.ended => return Err(empty("nothing in it")),
                None => return Ok(false),
                Some(true) => _ = self.cutter.next_cut(),
                Some(false) => {
                    let Some(cut) = self.cutter.next_cut() else { return Ok(false) };
                    if let Some(delimiter) = told_delimiter(&cut) {
                        self.told = Some(delimiter);
                        continue;
                    }
                    let header = check_header_shape(&cut).and_then(|()| Header::sniff(&cut, self.schema, self.told));
                    let header = match header {
                        // PowerShell writes a line of its own above the header, and other programs a remark.
                        Err(_) if self.notes.len() < MAX_REMARK_LINES && is_remark(&cut) => {
                            self.notes.push(passed_over(&cut));
                            continue;
                        }
                        header => header?,
                    };
                    let delimiter = header.delimiter;
                    self.cutter.set_delimiter(delimiter);
                    self.body = Some((header, Splitter::new(delimiter)));
                    return Ok(true);
                }
            }
        }
    }
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
    /// row leaves out at its end are empty; [`Reader::next_row`] bounds how many.
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

pub(super) fn clean(cell: Cow<'_, str>) -> Cow<'_, str> {
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

fn row_shape(shape: Shape, cells: Cells<'_>, header: &Header) -> RowShape {
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

/// Excel's own way to tell the delimiter: a first line `sep=;`.
fn told_delimiter(cut: &Cut<'_>) -> Option<u8> {
    let text = decode(cut.bytes).replace('"', "").to_ascii_lowercase();
    // Saved again by a program that doesn't know it, it has quotes around it or delimiters behind it.
    match text.trim_start_matches(text::is_padding).strip_prefix("sep=")?.as_bytes() {
        [] => Some(b'\t'),
        [delimiter, rest @ ..] if DELIMITERS.contains(delimiter) => {
            rest.iter().all(|byte| DELIMITERS.contains(byte) || *byte == b' ').then_some(*delimiter)
        }
        _ => None,
    }
}

/// Fewest digits of something that looks like a telephone number.
const MIN_DIGITS: usize = 7;
/// Lines above the header that are passed over at most.
const MAX_REMARK_LINES: usize = 10;

/// Whether a line above the header is a remark: those of diallers' exports and PowerShell's `#TYPE`.
fn is_remark(cut: &Cut<'_>) -> bool {
    cut.bytes.iter().find(|byte| !matches!(byte, b' ' | b'"' | b'\t')) == Some(&b'#')
}

fn passed_over(cut: &Cut<'_>) -> ReaderNote {
    ReaderNote::LinePassedOver { line: cut.line, text: shown(&decode(cut.bytes)).into_owned() }
}

fn check_header_shape(cut: &Cut<'_>) -> Result<(), FileFault> {
    let message = match cut.shape {
        Shape::Plain | Shape::Quoted => return Ok(()),
        Shape::Unbalanced => "The header has a quote that is opened and not closed.".to_owned(),
        Shape::TooLong => format!("The header is longer than {MAX_RECORD_BYTES} bytes, so the file has no lines."),
    };
    Err(FileFault { code: FileCode::MalformedCsv, line: Some(cut.line), message })
}

fn few_cells(header: &Header, line: u64) -> FileFault {
    let message = format!(
        "The header names {} columns, and the rows end after a few of them. Take away the columns that are not needed.",
        header.names.len()
    );
    FileFault { code: FileCode::TooManyColumns, line: Some(line), message }
}

fn empty(what: &str) -> FileFault {
    FileFault { code: FileCode::FileEmpty, line: None, message: format!("The file has {what}.") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, MAX_COLUMNS, RESULT_COLUMNS, Writer, header::plain_name};

    const LOGIN: usize = 0;
    const NUMBERS: usize = 1;
    static SCHEMA: [Column; 2] = [
        Column { name: "Login ID", aliases: &["loginid", "login"], required: true, takes_surplus: false },
        Column { name: "Numbers", aliases: &["numbers", "dids"], required: true, takes_surplus: true },
    ];

    /// Every row as `line login|numbers|surplus…`, or as its shape.
    fn read_in(bytes: &[u8], piece: usize) -> Result<Vec<String>, FileFault> {
        fn drain(reader: &mut Reader, rows: &mut Vec<String>) -> Result<(), FileFault> {
            while let Some(row) = reader.next_row()? {
                if row.shape != RowShape::Sound {
                    rows.push(format!("{} {:?}", row.line, row.shape));
                    continue;
                }
                let mut values = vec![row.value(LOGIN).unwrap(), row.value(NUMBERS).unwrap()];
                values.extend(row.surplus(NUMBERS));
                rows.push(format!("{} {}", row.line, values.join("|")));
            }
            Ok(())
        }
        let mut reader = Reader::new(&SCHEMA);
        let mut rows = Vec::new();
        for bytes in bytes.chunks(piece) {
            reader.push(bytes)?;
            drain(&mut reader, &mut rows)?;
        }
        reader.end()?;
        drain(&mut reader, &mut rows)?;
        assert_eq!(reader.rows(), rows.len() as u64);
        Ok(rows)
    }

    fn read(text: &str) -> Vec<String> {
        let rows = read_in(text.as_bytes(), usize::MAX).unwrap();
        for piece in 1..8 {
            assert_eq!(read_in(text.as_bytes(), piece).unwrap(), rows, "in pieces of {piece}");
        }
        rows
    }

    fn fault(text: &str) -> (FileCode, Option<u64>, String) {
        let fault = read_in(text.as_bytes(), usize::MAX).unwrap_err();
        (fault.code, fault.line, fault.message)
    }

    #[test]
    fn every_delimiter_is_told_from_the_header() {
        for delimiter in [",", ";", "\t", "|"] {
            let text = "Login ID,Numbers\r\na,1\r\nb,2\r\n".replace(',', delimiter);
            assert_eq!(read(&text), ["2 a|1", "3 b|2"], "{delimiter}");
        }
    }

    #[test]
    fn smartflos_header_with_curly_quotes_and_a_semicolon_in_it() {
        for name in ["Numbers (Use “;” separator in Excel)", "Numbers (Use ; separator)"] {
            assert_eq!(read(&format!("Login ID,{name}\na,1;2\n")), ["2 a|1;2"]);
            assert_eq!(read(&format!("Login ID;{name}\na;1;2\nb;3\n")), ["2 a|1|2", "3 b|3"]);
            assert_eq!(read(&format!("{name};Login ID\n1;a;2\n")), ["2 TooManyCells"]);
        }
        assert_eq!(read("Login ID,\"Numbers (Use \"\";\"\" separator)\"\na,1;2\n"), ["2 a|1;2"]);
    }

    #[test]
    fn a_header_in_windows_1252() {
        let bytes = b"Login ID;Numbers (Use \x93;\x94 separator)\njos\xe9;1;2\n";
        let (mut reader, safe) = Reader::of_file(&SCHEMA, bytes).unwrap();
        let row = reader.next_row().unwrap().unwrap();
        assert_eq!((row.value(LOGIN).as_deref(), row.surplus(NUMBERS).count(), safe), (Some("josé"), 1, true));
    }

    #[test]
    fn excels_own_line_for_the_delimiter() {
        assert_eq!(read("sep=;\r\nLogin;Numbers\r\na;1\r\n"), ["3 a|1"]);
    }

    #[test]
    fn the_line_for_the_delimiter_as_other_programs_save_it_again() {
        for line in ["sep=,", "sep=,,", "\"sep=,\"", "sep=;", "SEP=;,,", "sep=,;", "\u{feff}sep=,"] {
            assert_eq!(read(&format!("{line}\nLogin,Numbers\na,1\n")), ["3 a|1"], "{line}");
        }
    }

    #[test]
    fn remarks_above_the_header_are_passed_over_and_said() {
        let text = "#TYPE Selected.Microsoft.ActiveDirectory.Management.ADUser\n# exported 2026\nLogin,Numbers\na,1\n";
        assert_eq!(read(text), ["4 a|1"]);
        let (mut reader, _) = Reader::of_file(&SCHEMA, text.as_bytes()).unwrap();
        assert!(reader.next_row().unwrap().is_some());
        let lines = |note: ReaderNote| match note {
            ReaderNote::LinePassedOver { line, .. } => Some(line),
            ReaderNote::NulBytes => None,
        };
        let notes: Vec<_> = reader.notes().into_iter().map(lines).collect();
        assert_eq!(notes, [Some(1), Some(2)]);
        assert_eq!(read("#,Login,Numbers\n1,a,5\n"), ["2 a|5"]);
    }

    #[test]
    fn surplus_cells_are_more_numbers_only_past_the_numbers() {
        assert_eq!(read("Login;Numbers\na;1;2;3\n"), ["2 a|1|2|3"]);
        assert_eq!(read("Login;Numbers;;\na;1;2;3;4\n"), ["2 a|1|2|3|4"], "a spreadsheet has widened the header");
        assert_eq!(read("Login;Numbers;Note\na;1;x;2\nb;1;x;\n"), ["2 TooManyCells", "3 b|1"]);
        assert_eq!(read("Login,Numbers,,\na,1,2\nb,1,,\n"), ["2 TooManyCells", "3 b|1"]);
    }

    #[test]
    fn the_end_of_a_dos_file_is_no_row() {
        assert_eq!(read("Login,Numbers\na,1\n\u{1a}"), ["2 a|1"]);
        assert_eq!(read("Login,Numbers\na,1\n\u{1a}\r\n"), ["2 a|1"]);
        assert_eq!(read("Login,Numbers\na,1\u{1a}"), ["2 a|1"]);
    }

    #[test]
    fn rulers_of_tables_are_no_rows() {
        assert_eq!(read("Login|Numbers\n-----+-----\na|1\n"), ["3 a|1"]);
        assert_eq!(read("|Login|Numbers|\n|---|:---:|\n|a|1|\n"), ["3 a|1"]);
    }

    #[test]
    fn a_header_that_is_repeated_is_no_row_and_one_with_other_columns_ends_what_can_be_read() {
        let repeated = "Login ID,Numbers\na,1\n\u{feff}\"login id\",NUMBERS\nb,2\nlogin,3\n";
        assert_eq!(read(repeated), ["2 a|1", "3 Header", "4 b|2", "5 login|3"]);
        let other = "Login ID,Numbers\na,1\nNumbers,Login ID\n2,b\nLogin ID,Numbers\nc,3\n";
        assert_eq!(read(other), ["2 a|1", "3 OtherHeader(3)", "4 OtherHeader(3)", "5 Header", "6 c|3"]);
    }

    #[test]
    fn a_blank_before_a_quote_is_passed_over() {
        assert_eq!(read("Login ID, Numbers\na, \"1; 2\"\nb,  \"3\" \n"), ["2 a|1; 2", "3 b|3"]);
        assert_eq!(read("\"Login ID\", \"Numbers\"\n\"a\", \"1\n2\"\n"), ["2 a|1\n2"]);
        // It is a character where it closes nothing.
        assert_eq!(read("Login,Numbers\na, \"b\" c\nd,2\n"), ["2 a|\"b\" c", "3 d|2"]);
    }

    #[test]
    fn the_header_says_why_it_is_none() {
        for (text, why) in [
            ("\"Login ID,Numbers\"\n\"a,1\"\n", "one quoted cell"),
            ("<html>\n", "web page"),
            ("{\\rtf1\\ansi\n", "word processor"),
        ] {
            let (code, _, message) = fault(text);
            assert!(code == FileCode::HeaderMissing && message.contains(why), "{message}");
        }
    }

    #[test]
    fn names_compare_by_letters_and_digits() {
        for name in [
            "LOGIN ID",
            " login_id ",
            "Login-Id",
            "loginID (required)",
            "(Required) Login ID",
            "[required] Login ID",
            "Login ID [x]",
            "*Login ID",
            "\u{200b}Login\u{a0}ID",
        ] {
            assert_eq!(plain_name(name), "loginid", "{name}");
        }
    }

    #[test]
    fn blank_rows_and_columns_are_passed_over() {
        assert_eq!(read("\n\nLogin,Numbers,\n\na,1,\n,,\n\"\",\"\"\n \nb,2\n,,,,\n\n"), ["5 a|1", "9 b|2"]);
    }

    #[test]
    fn a_row_whose_cells_hold_a_quote_or_a_quoted_delimiter_is_not_blank() {
        assert_eq!(read("Login;Numbers\n\";;\";\n\" \";\n"), ["2 ;;|"]);
        assert_eq!(
            read("Login,Numbers\n\"\"\"\",\n \",1\n,\"\"\"\"\n\" \"\"\",1\n\"\",\" \"\n"),
            ["2 \"|", "3 \"|1", "4 |\"", "5 \"|1"]
        );
    }

    #[test]
    fn column_count() {
        assert_eq!(
            read("Login,Numbers,Note\na\nb,1\nc,2,x\nd,3,x,\ne,4,x,5\n"),
            ["2 TooFewCells", "3 b|1", "4 c|2", "5 d|3", "6 TooManyCells"]
        );
    }

    #[test]
    fn broken_rows_cost_themselves_alone() {
        assert_eq!(
            read("Login,Numbers\na,\"1\nb,2\n\"c\",\"3\n4\"\nd,5"),
            ["2 Unbalanced", "3 b|2", "4 c|3\n4", "6 d|5"]
        );
    }

    #[test]
    fn header_missing() {
        let (code, line, message) = fault("\nuser1,98765\nuser2,98766\n");
        assert_eq!((code, line), (FileCode::HeaderMissing, Some(2)));
        assert_eq!(
            message,
            r#"The first row must name the columns. Missing: "Login ID", "Numbers". It has: "user1", "98765"."#
        );
    }

    #[test]
    fn header_ambiguous() {
        let (code, line, message) = fault("Login ID,Numbers,Login\na,1,b\n");
        assert_eq!((code, line), (FileCode::HeaderAmbiguous, Some(1)));
        assert_eq!(message, r#"The columns "Login ID" and "Login" both stand for Login ID. Keep one of them."#);
    }

    #[test]
    fn file_empty() {
        for text in ["", "\n\n", "\u{feff}", "Login,Numbers", "Login,Numbers\n\n,,\n"] {
            assert_eq!(fault(text).0, FileCode::FileEmpty, "{text:?}");
        }
    }

    #[test]
    fn malformed_csv() {
        assert_eq!(fault("Login,\"Numbers\na,1\n").0, FileCode::MalformedCsv);
        assert_eq!(fault(&"x".repeat(MAX_RECORD_BYTES * 2)).0, FileCode::MalformedCsv);
    }

    /// A header of so many columns, those of the schema first.
    fn header_of(columns: usize) -> String {
        let names = (2..columns).map(|column| format!(",c{column}"));
        format!("Login,Numbers{}\n", names.collect::<String>())
    }

    #[test]
    fn columns_are_bounded_and_so_are_those_of_a_report() {
        let ours = format!(",{}\n", RESULT_COLUMNS.join(","));
        let report = |columns| header_of(columns).replace('\n', &ours);
        for good in [header_of(MAX_COLUMNS), report(MAX_COLUMNS)] {
            assert_eq!(read(&format!("{good}a,1\n")), ["2 a|1"]);
        }
        for bad in [header_of(MAX_COLUMNS + 1), report(MAX_COLUMNS + 1), ",".repeat(100_000), header_of(15_000)] {
            for delimiter in [",", ";", "\t"] {
                let (code, line, _) = fault(&format!("{bad}a,1\n").replace(',', delimiter).replace("\n\n", "\n"));
                let blank = bad.starts_with(',');
                assert!(blank || (code, line) == (FileCode::TooManyColumns, Some(1)), "{delimiter} {code}");
            }
        }
    }

    #[test]
    fn rows_may_end_early_as_long_as_that_is_little_beside_the_file() {
        let usual = "user12345,+919876543210\n".repeat(10_000);
        for columns in [2, 20, 190] {
            assert_eq!(read_in(format!("{}{usual}", header_of(columns)).as_bytes(), 1 << 16).unwrap().len(), 10_000);
        }
        let few = "a,1\n".repeat(50);
        assert_eq!(read_in(format!("{}{few}", header_of(MAX_COLUMNS)).as_bytes(), 1 << 16).unwrap().len(), 50);
        let full = format!("a,1{}\n", ",".repeat(MAX_COLUMNS - 2)).repeat(1_000);
        assert_eq!(read_in(format!("{}{full}", header_of(MAX_COLUMNS)).as_bytes(), 1 << 16).unwrap().len(), 1_000);
        for columns in [60, 200, MAX_COLUMNS] {
            let many = "a,1\n".repeat(10_000);
            let fault = read_in(format!("{}{many}", header_of(columns)).as_bytes(), 1 << 16).unwrap_err();
            assert_eq!(fault.code, FileCode::TooManyColumns, "{columns}");
            assert!(fault.line.is_some_and(|line| line > 50), "{fault}");
        }
    }

    #[test]
    fn an_earlier_report_is_read_as_the_file_it_reports_on() {
        let report = "Login ID,Numbers,Line,Status,Error Code,Error Field,Error Value,Error Message\n\
                      a,1,2,failed,X,Y,Z,\"A, B\"\nb,2\n";
        assert_eq!(read(report), ["2 a|1", "3 b|2"]);
        let mut reader = Reader::new(&SCHEMA);
        reader.push(report.as_bytes()).unwrap();
        reader.end().unwrap();
        let row = reader.next_row().unwrap().unwrap();
        assert_eq!(row.header().names, ["Login ID", "Numbers"]);
        assert_eq!(row.original(), ["a", "1"]);
    }

    #[test]
    fn a_report_repeats_every_value_whatever_the_shape() {
        let text = "Login;Numbers;Note\na;1;x;2;3\n\"b;1\nc\n'+5;\"'=6\";\n";
        let mut reader = Reader::new(&SCHEMA);
        reader.push(text.as_bytes()).unwrap();
        reader.end().unwrap();
        let mut originals = Vec::new();
        while let Some(row) = reader.next_row().unwrap() {
            originals.push(row.original().join("/"));
        }
        assert_eq!(originals, ["a/1/x;2;3", "\"b;1//", "c//", "+5/=6/"]);
    }

    #[test]
    fn what_is_written_reads_back() {
        let rows = [["=1+1", "+91"], ["'=1", "a;b"], ["x\ny", "\"q\""], ["José 😀", "عربي"]];
        for delimiter in *b",;\t|" {
            let mut writer = Writer::new(delimiter);
            writer.record(["Login ID", "Numbers"]);
            for row in &rows {
                writer.record(row.iter().copied());
            }
            let written = writer.take();
            let expected: Vec<_> = rows.iter().map(|row| row.join("|")).collect();
            let read = read_in(&written, 7).unwrap();
            let read: Vec<_> = read.iter().map(|row| row.split_once(' ').unwrap().1.to_owned()).collect();
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn ranges_read_side_by_side_give_the_rows_of_the_whole() {
        let text = "Login,Numbers\na,1\n\"b\",\"2\n2\"\nc,3\nd,4\n";
        let starts = [(14, 2), (18, 3), (28, 5), (32, 6)];
        let mut whole = Reader::new(&SCHEMA);
        whole.push(text.as_bytes()).unwrap();
        whole.end().unwrap();
        whole.next_row().unwrap();
        let header = whole.header().unwrap().clone();
        let mut rows = Vec::new();
        for (index, &(start, first_line)) in starts.iter().enumerate() {
            let end = starts.get(index + 1).map_or(text.len() as u64, |next| next.0);
            let mut reader = Reader::of_range(&SCHEMA, header.clone(), ByteRange { start, end, first_line });
            reader.push(&text.as_bytes()[usize::try_from(start).unwrap()..]).unwrap();
            reader.end().unwrap();
            while let Some(row) = reader.next_row().unwrap() {
                rows.push(format!("{} {}", row.line, row.value(LOGIN).unwrap()));
            }
        }
        assert_eq!(rows, ["2 a", "3 b", "5 c", "6 d"]);
    }
}
