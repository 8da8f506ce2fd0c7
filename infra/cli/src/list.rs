//! Lists: page by page, as a table, as JSON or as CSV. **Nothing is left out without a word.**

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use rollcall_tabular::Writer;
use serde::{Serialize, de::DeserializeOwned};

use crate::client::StackClient;
use crate::output::{self, Cell, Column, Table};

/// How a list is printed, and how much of it.
#[derive(Debug, Clone, Copy, Args)]
pub struct ListArgs {
    /// How many to list at most; all without it
    #[arg(long, short = 'n', value_name = "N", value_parser = at_least_one)]
    limit: Option<usize>,
    /// Print a JSON array, and nothing else, on standard output
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// Print CSV, and nothing else, on standard output
    #[arg(long)]
    pub csv: bool,
}

/// A cell for each column, and what is to be said under the row.
type RowOf<'a, T> = dyn Fn(&T) -> (Vec<Cell>, Option<String>) + 'a;

/// What a list shows of each thing.
pub struct Listed<'a, T> {
    /// The columns.
    pub columns: Vec<Column>,
    /// A row of them.
    pub row: &'a RowOf<'a, T>,
    /// Which of those that the API gives are wanted.
    pub wanted: &'a dyn Fn(&T) -> bool,
    /// What is printed in place of a table without rows.
    pub none: String,
}

impl ListArgs {
    /// Prints a list of the API, each page as soon as it is there.
    ///
    /// # Errors
    /// If the stack can't be asked.
    pub async fn print<T: Serialize + DeserializeOwned>(
        self,
        stack: &StackClient,
        path: &[&str],
        query: &[(&str, &str)],
        listed: Listed<'_, T>,
    ) -> Result<ExitCode> {
        let mut pages = stack.api.pages::<T>(path, query, self.limit);
        let mut printer = Printer::new(self, listed.columns);
        while let Some(page) = pages.next(listed.wanted).await? {
            // Whoever reads has seen enough: the rest isn't asked for.
            if !printer.page(&page, listed.row)? {
                return Ok(ExitCode::SUCCESS);
            }
        }
        printer.end(&listed.none)?;
        if pages.has_more() {
            let limit = self.limit.unwrap_or_default();
            eprintln!(
                "There are more. These are the first {limit}: --limit N shows others, and all are shown without it."
            );
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Prints pages, in one of three forms.
struct Printer {
    form: ListArgs,
    table: Table,
    csv: Writer,
    columns: Vec<Column>,
    shown: usize,
}

impl Printer {
    fn new(form: ListArgs, columns: Vec<Column>) -> Self {
        Self { form, table: Table::new(columns.clone()), csv: Writer::new(b','), columns, shown: 0 }
    }

    /// Prints a page. `false` when nobody reads any more.
    fn page<T: Serialize>(&mut self, page: &[T], row: &RowOf<'_, T>) -> Result<bool> {
        if self.form.json {
            let mut text = String::new();
            for item in page {
                text.push_str(if self.shown == 0 { "[\n" } else { ",\n" });
                text.push_str(&output::json(item)?);
                self.shown += 1;
            }
            return output::print_more(text.as_bytes());
        }
        if self.form.csv {
            if self.shown == 0 {
                self.csv.record(self.columns.iter().map(Column::name));
            }
            for item in page {
                let (cells, _) = row(item);
                self.csv.record(cells.iter().map(Cell::text));
                self.shown += 1;
            }
            return output::print_more(&self.csv.take());
        }
        for item in page {
            let (cells, note) = row(item);
            self.table.row(cells);
            if let Some(note) = note {
                self.table.note(note);
            }
            self.shown += 1;
        }
        if page.is_empty() { Ok(true) } else { output::print_more(self.table.page(output::columns()).as_bytes()) }
    }

    fn end(mut self, none: &str) -> Result<()> {
        match (self.form.json, self.form.csv, self.shown) {
            (true, _, 0) => output::print("[]\n"),
            (true, ..) => output::print("\n]\n"),
            (_, true, 0) => self.page::<()>(&[], &|()| (Vec::new(), None)).map(drop),
            (_, _, 0) => output::print(none),
            _ => Ok(()),
        }
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|limit| *limit > 0).ok_or_else(|| "it is a whole number from 1 on".to_owned())
}
