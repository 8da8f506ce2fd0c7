//! The rows of a job's result files, as people are told of them.

use anyhow::{Context, Result};
use rollcall_tabular::{RESULT_COLUMNS, unguard};

/// What a result file says of one row.
#[derive(Debug, PartialEq, Eq)]
pub struct ResultRow {
    /// The line of the dropped file that it starts on.
    pub line: u64,
    pub status: String,
    /// Parted by semicolons where there are several; empty where there is nothing to say.
    pub code: String,
    pub value: String,
    pub message: String,
}

/// The rows of a result file. Its cells are text for a spreadsheet, with an apostrophe before what would be a formula; here they are what they say.
///
/// # Errors
/// Each row that isn't one: where the file is only the beginning of one, its last may have been cut.
pub fn result_rows(file: &[u8]) -> impl Iterator<Item = Result<ResultRow>> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter(file)).flexible(true).from_reader(file);
    // Ours are the last columns.
    let first = reader.headers().map_or(0, csv::StringRecord::len).saturating_sub(RESULT_COLUMNS.len());
    reader.into_records().map(move |record| {
        let what = "could not read the result file";
        let record = record.context(what)?;
        let cell = |column: usize| record.get(first + column).map(|cell| unguard(cell).into_owned()).context(what);
        let [line, status, code, value, message] = [0, 1, 2, 4, 5].map(cell);
        Ok(ResultRow {
            line: line?.parse().context(what)?,
            status: status?,
            code: code?,
            value: value?,
            message: message?,
        })
    })
}

/// What parts the cells of a result file: what stands before the last of our columns.
fn delimiter(results: &[u8]) -> u8 {
    let header = results.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    let last = RESULT_COLUMNS.last().expect("there are result columns").len();
    header.len().checked_sub(last + 1).map_or(b',', |at| header[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_by_any_delimiter_and_say_what_they_mean() {
        for part in [',', ';', '\t', '|'] {
            let by = |cells: &[&str]| cells.join(&part.to_string());
            let ours = RESULT_COLUMNS.join(&part.to_string());
            let file = format!(
                "\u{feff}{}{part}{ours}\r\n{}\r\n{}\r\n{}",
                by(&["login", "did"]),
                by(&["a", "1", "2", "applied", "", "", "", ""]),
                by(&["b", "\"x\ny\"", "3", "failed", "NUMBER_INVALID", "did", "'+1", "'\"\"+1\"\" is no number."]),
                by(&["c", "4", "5", "failed"]),
            );
            let row = |line, status: &str, code: &str, value: &str, message: &str| ResultRow {
                line,
                status: status.into(),
                code: code.into(),
                value: value.into(),
                message: message.into(),
            };
            let read: Vec<_> = result_rows(file.as_bytes()).map_while(Result::ok).collect();
            let failed = row(3, "failed", "NUMBER_INVALID", "+1", "\"\"+1\"\" is no number.");
            assert_eq!(read, [row(2, "applied", "", "", ""), failed], "{part}");
            assert!(result_rows(file.as_bytes()).last().is_some_and(|row| row.is_err()), "the last one is cut");
        }
    }
}
