//! The cells of a row as values, and what is wrong with them.

use std::{borrow::Cow, fmt};

use crate::{
    code::RowCode,
    csv_file::{Row, Schema},
    report::Remark,
};

/// Reads the cells of one row.
pub(crate) struct Cells<'a> {
    row: &'a Row<'a>,
    schema: Schema,
    /// Whatever is wrong so far.
    pub errors: Vec<Remark>,
}

impl<'a> Cells<'a> {
    pub(crate) fn of(row: &'a Row<'a>, schema: Schema) -> Self {
        Self { row, schema, errors: Vec::new() }
    }

    /// Whether the file has a column.
    pub(crate) fn has(&self, column: usize) -> bool {
        self.row.header().place(column).is_some()
    }

    /// What a cell holds, if it holds something.
    pub(crate) fn value(&self, column: usize) -> Option<Cow<'a, str>> {
        self.row.value(column).filter(|value| !value.is_empty())
    }

    /// The value of a cell that holds something.
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

    /// Something is wrong with a column: under the file's name for it, or ours where the file has none.
    pub(crate) fn error(&mut self, code: RowCode, column: usize, value: &str, message: impl Into<String>) {
        let field = if self.has(column) { self.row.header().name(column) } else { self.schema[column].name };
        self.errors.push(Remark::error(code, field, value, message));
    }
}
