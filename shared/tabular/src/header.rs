//! Understands a file's first row: which delimiter it uses, and which column is which.

use super::{
    FileFault,
    cells::{Cells, Splitter},
    cut::{Cut, DELIMITERS},
    guard::unguard,
    write::RESULT_COLUMNS,
};
use crate::code::FileCode;
use crate::text;

/// A column that a kind of file can have.
#[derive(Debug)]
pub struct Column {
    /// Its name, as samples and messages show it.
    pub name: &'static str,
    /// The names that it goes by, without what no name depends on: case, spaces and punctuation.
    pub aliases: &'static [&'static str],
    /// A file without it can't be read.
    pub required: bool,
    /// Where the delimiter is the semicolon, which also parts the values of this column, cells past the header's end
    /// belong to it.
    pub takes_surplus: bool,
}

/// The columns of a kind of file.
pub type Schema = &'static [Column];

/// Columns that a file may have, besides those of an earlier report. Exports of CRM systems have some hundreds; a name for each
/// is held in memory, and each is written again to the report.
pub const MAX_COLUMNS: usize = 1_000;

/// A header that has been understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// What parts the cells.
    pub delimiter: u8,
    /// The names of the file's own columns, as they stand, without those of an earlier report.
    pub names: Vec<String>,
    /// Columns in all, those of an earlier report included.
    pub width: usize,
    /// For each column of the schema, where it stands.
    places: Vec<Option<usize>>,
    /// The column that takes cells past the header's end.
    surplus: Option<usize>,
    /// Cells that a row must have to hold every required column.
    pub(super) needed: usize,
    /// Columns up to the last one that has a name: what stands under those after it belongs to nobody, or to the numbers.
    pub(super) named: usize,
}

impl Header {
    /// Where the schema's column number `column` stands in a row.
    pub fn place(&self, column: usize) -> Option<usize> {
        self.places[column]
    }

    /// The name that the file gives to the schema's column number `column`.
    pub fn name(&self, column: usize) -> &str {
        self.places[column].map_or("", |place| &self.names[place])
    }

    /// Whether a column of the schema stands there.
    pub(super) fn is_known(&self, place: usize) -> bool {
        self.places.contains(&Some(place))
    }

    /// The names of the columns that mean nothing here. One without a name says nothing.
    pub fn ignored(&self) -> Vec<String> {
        let names = self.names.iter().enumerate().filter(|(place, _)| !self.is_known(*place));
        names.map(|(_, name)| text::trim(name).to_owned()).filter(|name| !name.is_empty()).collect()
    }

    /// Whether the schema's columns that the file has are these and no others.
    pub fn has_only(&self, columns: &[usize]) -> bool {
        self.places.iter().enumerate().all(|(column, place)| place.is_some() == columns.contains(&column))
    }

    /// The last of the columns that a row must reach.
    pub fn last_needed(&self) -> &str {
        &self.names[self.needed - 1]
    }

    /// Whether cells past the header's end belong to the schema's column number `column`.
    pub fn takes_surplus(&self, column: usize) -> bool {
        self.surplus == Some(column)
    }

    /// Where the column that takes cells past the header's end stands in a row.
    pub(super) fn surplus_place(&self) -> Option<usize> {
        self.surplus.and_then(|column| self.places[column])
    }

    /// Understands the first row of a file.
    ///
    /// # Errors
    /// [`FileCode::HeaderMissing`] when a required column is not named, [`FileCode::HeaderAmbiguous`] when two columns
    /// answer to the same name.
    pub(super) fn sniff(cut: &Cut<'_>, schema: Schema, told: Option<u8>) -> Result<Self, FileFault> {
        // A spreadsheet that doesn't know the line that tells the delimiter saves it with another one.
        let candidates = told.into_iter().chain(DELIMITERS);
        let mut best: Option<Attempt> = None;
        for delimiter in candidates {
            let attempt = Attempt::with(delimiter, cut, schema);
            if best.as_ref().is_none_or(|best| attempt.found() > best.found()) {
                best = Some(attempt);
            }
        }
        best.map_or_else(
            || Err(Attempt::with(b',', cut, schema).fault(schema, cut.line)),
            |best| best.finish(schema, cut.line),
        )
    }
}

/// What a header looks like when parted at one delimiter.
struct Attempt {
    delimiter: u8,
    names: Vec<String>,
    /// For each column of the schema, every place that answers to it.
    matches: Vec<Vec<usize>>,
    width: usize,
    /// More columns than a file may have.
    too_wide: bool,
}

impl Attempt {
    fn with(delimiter: u8, cut: &Cut<'_>, schema: Schema) -> Self {
        let mut splitter = Splitter::new(delimiter);
        let cells = splitter.split(cut);
        let too_many = cells.len() > MAX_COLUMNS + RESULT_COLUMNS.len();
        let mut names = cell_texts(cells, delimiter);
        let width = names.len();
        let own = own_columns(&names);
        names.truncate(own);
        let plain: Vec<String> = names.iter().map(|name| plain_name(name)).collect();
        let matches = schema
            .iter()
            .map(|column| {
                let answers = |name: &String| column.aliases.contains(&name.as_str());
                plain.iter().enumerate().filter(|(_, name)| answers(name)).map(|(place, _)| place).collect()
            })
            .collect();
        Self { delimiter, names, matches, width, too_wide: too_many || own > MAX_COLUMNS }
    }

    fn found(&self) -> usize {
        self.matches.iter().filter(|places| !places.is_empty()).count()
    }

    fn finish(self, schema: Schema, line: u64) -> Result<Header, FileFault> {
        if self.too_wide {
            let message = format!("The file has more than {MAX_COLUMNS} columns. Keep those that are needed.");
            return Err(FileFault { code: FileCode::TooManyColumns, line: Some(line), message });
        }
        let ambiguous = self.matches.iter().any(|places| places.len() > 1);
        let missing = schema.iter().zip(&self.matches).any(|(column, places)| column.required && places.is_empty());
        if ambiguous || missing {
            return Err(self.fault(schema, line));
        }
        let places: Vec<_> = self.matches.iter().map(|places| places.first().copied()).collect();
        let named = self.names.iter().rposition(|name| !text::trim(name).is_empty()).map_or(1, |last| last + 1);
        // Past any other column, nobody knows whose they are.
        let surplus = schema.iter().position(|column| column.takes_surplus);
        let surplus = surplus.filter(|&column| self.delimiter == b';' && places[column] == Some(named - 1));
        let required = schema.iter().zip(&places).filter(|(column, _)| column.required);
        let needed = required.filter_map(|(_, place)| place.map(|place| place + 1)).max().unwrap_or(1);
        Ok(Header { delimiter: self.delimiter, names: self.names, width: self.width, places, surplus, needed, named })
    }

    fn fault(&self, schema: Schema, line: u64) -> FileFault {
        let line = Some(line);
        let twice = schema.iter().zip(&self.matches).find(|(_, places)| places.len() > 1);
        if let Some((column, places)) = twice {
            let names: Vec<_> = places.iter().map(|&place| format!("\"{}\"", shown(&self.names[place]))).collect();
            let message =
                format!("The columns {} both stand for {}. Keep one of them.", names.join(" and "), column.name);
            return FileFault { code: FileCode::HeaderAmbiguous, line, message };
        }
        let lacking = schema.iter().zip(&self.matches).filter(|(column, places)| column.required && places.is_empty());
        let lacking: Vec<_> = lacking.map(|(column, _)| format!("\"{}\"", column.name)).collect();
        let has: Vec<_> = self.names.iter().take(8).map(|name| format!("\"{}\"", shown(name))).collect();
        let mut message = format!(
            "The first row must name the columns. Missing: {}. It has: {}.",
            lacking.join(", "),
            has.join(", ")
        );
        if let Some(why) = self.why_not(schema) {
            message.push(' ');
            message.push_str(why);
        }
        FileFault { code: FileCode::HeaderMissing, line, message }
    }

    /// Why a row that looks like a header, or like a file of another kind, is none.
    fn why_not(&self, schema: Schema) -> Option<&'static str> {
        let [only] = &self.names[..] else { return None };
        let text = text::trim(only);
        if text.starts_with('<') {
            return Some("It looks like a web page. Save the table as CSV.");
        }
        if text.starts_with("{\\rtf") {
            return Some("It looks like a document of a word processor. Save the table as CSV.");
        }
        if text.starts_with('{') || text.starts_with('[') {
            return Some("It looks like JSON.");
        }
        let inside = |delimiter: u8| {
            let parts = text.split(char::from(delimiter));
            parts.filter(|part| schema.iter().any(|column| column.aliases.contains(&plain_name(part).as_str()))).count()
        };
        DELIMITERS.into_iter().any(|delimiter| text.contains(char::from(delimiter)) && inside(delimiter) > 0).then_some(
            "The names stand in one quoted cell. Take the quotes around each line away, or part the column in the spreadsheet.",
        )
    }
}

/// The cells of a header. Where the semicolon is the delimiter, a name such as `Allowed DID Numbers (Use “;” separator)`
/// has been cut inside its parentheses: those pieces are one name.
fn cell_texts(cells: Cells<'_>, delimiter: u8) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    // One more than a report can have says that they are too many.
    for index in 0..cells.len().min(MAX_COLUMNS + RESULT_COLUMNS.len() + 1) {
        let cell = cells.text(index).unwrap_or_default();
        // A report repeats the names as it repeats values.
        let cell = unguard(&cell);
        match names.last_mut() {
            Some(last) if delimiter == b';' && last.contains('(') && !last.contains(')') && cell.contains(')') => {
                last.push(';');
                last.push_str(&cell);
            }
            _ => names.push(cell.into_owned()),
        }
    }
    names
}

/// How many columns are the file's own: a report's columns, at the end, are ours.
fn own_columns(names: &[String]) -> usize {
    let Some(own) = names.len().checked_sub(RESULT_COLUMNS.len()) else { return names.len() };
    let ours = names[own..].iter().zip(RESULT_COLUMNS).all(|(name, ours)| plain_name(name) == plain_name(ours));
    if ours && own > 0 { own } else { names.len() }
}

impl Header {
    /// Whether a row is a header again, as files that were put one behind the other have it: every cell that is filled
    /// names a column. Gives whether the columns are those of this header.
    pub(super) fn again(&self, cells: &Cells<'_>, schema: Schema) -> Option<bool> {
        let first = self.places.iter().flatten().next()?;
        if !could_be_name(cells.bytes(*first)?) {
            return None;
        }
        let mut same = true;
        let mut named = 0;
        for index in 0..cells.len() {
            let cell = cells.text(index)?;
            let plain = plain_name(&cell);
            let own = self.names.get(index).map(|name| plain_name(name));
            match schema.iter().position(|column| column.aliases.contains(&plain.as_str())) {
                Some(column) => {
                    named += 1;
                    same &= self.places[column] == Some(index);
                }
                None if plain.is_empty() || own.is_some_and(|own| own == plain) => {}
                None => return None,
            }
        }
        // A user may be called by one of the names.
        let enough = named > 1 || (named == 1 && self.names.len() == 1);
        enough.then_some(same)
    }
}

/// Whether a cell could hold the name of a column: none has a digit. Nearly every login ID is passed over by its first few
/// bytes.
fn could_be_name(cell: &[u8]) -> bool {
    const LONGEST: usize = 80;
    (2..=LONGEST).contains(&cell.len()) && !cell.iter().any(|byte| byte.is_ascii_digit() || matches!(byte, b'@' | b'.'))
}

/// A column's name in the form that is compared: in lower case, letters and digits alone, without a remark in brackets
/// at its beginning or end.
pub fn plain_name(name: &str) -> String {
    let name = text::trim(name);
    let remark = name.starts_with(['(', '[', '（']).then(|| name.find([')', ']', '）'])).flatten();
    let name = remark.map_or(name, |end| name[end..].trim_start_matches([')', ']', '）']));
    let name = name.find(['(', '[', '（']).filter(|&at| at > 0).map_or(name, |at| &name[..at]);
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A name as a message shows it: never so long that it hides the message.
fn shown(name: &str) -> String {
    let name = text::trim(name);
    if name.chars().count() <= 40 { name.to_owned() } else { name.chars().take(39).chain(['…']).collect() }
}
