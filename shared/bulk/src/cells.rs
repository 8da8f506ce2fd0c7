//! The cells of a row as values, and what is wrong with them.

use std::{borrow::Cow, fmt};

use crate::{append::one_number_message, report::Remark};
use rollcall_model::{
    blank::{self, Blank},
    caller_id::CallerId,
    code::{RowCode, Warning},
    numbers::{NumberReader, Reading},
};
use rollcall_tabular::{
    Row, Schema,
    text::{self, shown},
};

/// Reads the cells of one row.
pub(crate) struct Cells<'a> {
    row: &'a Row<'a>,
    schema: Schema,
    /// Whatever is wrong so far.
    pub errors: Vec<Remark>,
    /// Whatever is worth saying so far.
    pub warnings: Vec<Remark>,
}

impl<'a> Cells<'a> {
    pub(crate) fn of(row: &'a Row<'a>, schema: Schema) -> Self {
        Self { row, schema, errors: Vec::new(), warnings: Vec::new() }
    }

    /// Whether the file has a column.
    pub(crate) fn has(&self, column: usize) -> bool {
        self.row.header().place(column).is_some()
    }

    /// What a cell holds, be it a value or not, if it holds something.
    pub(crate) fn written(&self, column: usize) -> Option<Cow<'a, str>> {
        self.row.value(column).filter(|value| !value.is_empty())
    }

    /// The value of a cell that holds one. **One rule for all columns**: the error of a formula is an error of the row, a
    /// mark for a missing value is an empty cell and said to be one, and text in a wrong encoding is no value.
    pub(crate) fn value(&mut self, column: usize) -> Option<Cow<'a, str>> {
        let value = self.written(column)?;
        let Some((code, message)) = refused(&value) else {
            return match blank::of(&value) {
                Some(_) => {
                    self.warning(Warning::NoValue, column, &value, no_value(&value));
                    None
                }
                None => Some(self.unwrapped(column, value)),
            };
        };
        self.error(code, column, &value, message);
        None
    }

    /// `="…"`, by which an export keeps a spreadsheet from reckoning, as what it means.
    fn unwrapped(&mut self, column: usize, value: Cow<'a, str>) -> Cow<'a, str> {
        let Some(bare) = value.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')) else { return value };
        let bare = bare.to_owned();
        self.normalized(column, &value, &bare);
        Cow::Owned(bare)
    }

    /// The value of a cell that holds one, read.
    pub(crate) fn parsed<T, E: fmt::Display>(
        &mut self,
        column: usize,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.value(column)?;
        match parse(&value) {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.error(RowCode::ValueInvalid, column, &value, format!("The cell can't be read: {error}."));
                None
            }
        }
    }

    /// The same of an identifier, which is repaired as it is read: that is said.
    pub(crate) fn identifier<T, E: fmt::Display>(
        &mut self,
        column: usize,
        parse: impl FnOnce(&str) -> Result<T, E>,
        text: impl FnOnce(&T) -> &str,
    ) -> Option<T> {
        let parsed = self.parsed(column, parse)?;
        if let Some(written) = self.row.cell(column) {
            let read = text(&parsed).to_owned();
            if read != *written {
                self.normalized(column, &written, &read);
            }
        }
        Some(parsed)
    }

    /// The one number of a cell, as `written`; none where it is refused, which is said.
    pub(crate) fn number(&mut self, column: usize, written: &str, numbers: &mut NumberReader) -> Option<CallerId> {
        match numbers.read(written) {
            Reading::Number { number, unusual } => {
                if unusual {
                    self.normalized(column, written, &number.to_string());
                }
                Some(number)
            }
            Reading::Refused(code) => {
                self.error(code, column, written, one_number_message(code, written));
                None
            }
        }
    }

    /// A value was written in an unusual way, and read as this.
    pub(crate) fn normalized(&mut self, column: usize, written: &str, read: &str) {
        let message = format!("\"{}\" was read as \"{}\".", shown(written), shown(read));
        self.warning(Warning::Normalized, column, written, message);
    }

    /// Something is wrong with a column: under the file's name for it, or ours where the file has none.
    pub(crate) fn error(&mut self, code: RowCode, column: usize, value: &str, message: impl Into<String>) {
        let remark = Remark::error(code, self.field(column), value, message);
        if !self.errors.contains(&remark) {
            self.errors.push(remark);
        }
    }

    /// Something is worth saying of a column. It is said once.
    pub(crate) fn warning(&mut self, warning: Warning, column: usize, value: &str, message: impl Into<String>) {
        let remark = Remark::warning(warning, self.field(column), value, message);
        if !self.warnings.iter().any(|said| said.code == remark.code && said.field == remark.field) {
            self.warnings.push(remark);
        }
    }

    fn field(&self, column: usize) -> &'a str {
        if self.has(column) { self.row.header().name(column) } else { self.schema[column].name }
    }
}

/// Why a cell is refused in whatever column it stands.
pub(crate) fn refused(value: &str) -> Option<(RowCode, String)> {
    if text::is_garbled(value) {
        let message = format!(
            "\"{}\" is not text in the file's encoding. Save the file as CSV UTF-8, or name its encoding when you upload it.",
            shown(value)
        );
        return Some((RowCode::TextUnreadable, message));
    }
    (blank::of(value) == Some(Blank::Error)).then(|| {
        let message = format!(
            "\"{}\" is the error of a formula, so the value is lost. Correct it in the spreadsheet and save the file again.",
            shown(value)
        );
        (RowCode::SpreadsheetError, message)
    })
}

/// What is said of a mark for a missing value.
pub(crate) fn no_value(value: &str) -> String {
    format!("\"{}\" stands for no value, so the cell was read as empty.", shown(value))
}
