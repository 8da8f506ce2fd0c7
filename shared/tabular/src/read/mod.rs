//! Reads rows.

pub(crate) mod row;

pub use self::row::{Row, RowShape};

use self::row::row_shape;
use crate::{
    FileFault,
    cells::{Splitter, decode},
    code::FileCode,
    cut::{Cut, Cutter, DELIMITERS, Delimiter, MAX_RECORD_BYTES, Shape},
    encoding::{Decoding, Encoding, Judge},
    header::{Header, Schema},
    reader_note::ReaderNote,
    text::{self, shown},
};

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
mod tests;
