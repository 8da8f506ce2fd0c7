//! `rollcall generate`: files of any size, of which it is known what must come of each row.

mod rows;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use rollcall_bulk::append::COLUMNS;
use serde::Serialize;

use self::rows::{FLAWS, Flaw, Rows};
use crate::demo_account;
use crate::output::{self, count};

/// Options of `rollcall generate`.
#[derive(Debug, Args)]
#[command(after_help = "\
The logins and numbers are those that `rollcall seed` makes with the same --users and --numbers. The same options give \
the same file. What was made of each kind is told on standard error.

Examples:
  rollcall generate --users 12 --rows 1000 --bad 5 --seed 1 -o made-up.csv
  rollcall generate --users 10000 --rows 100000 --bad 5 --seed 1 | rollcall append - --name made-up.csv")]
pub struct Generate {
    /// Users that rows are for: user1, user2, …
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    users: u64,
    /// Rows, the header not counted
    #[arg(long, value_name = "M")]
    rows: u64,
    /// Bad rows, in percent; exactly that share of the rows, and of every kind as many
    #[arg(long, value_name = "P", value_parser = percent)]
    bad: Percent,
    /// What makes this file differ from others
    #[arg(long, value_name = "S")]
    seed: u64,
    /// Numbers of the pool that rows draw from, one to three each
    #[arg(long, value_name = "K", default_value_t = demo_account::NUMBERS,
        value_parser = clap::value_parser!(u64).range(1..=demo_account::MOST_NUMBERS))]
    numbers: u64,
    /// Where to write it; standard output by default
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Tell what was made as JSON, on standard output
    #[arg(long, requires = "output")]
    json: bool,
}

/// Thousandths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Percent(u64);
const WHOLE: u64 = 100_000;

fn percent(text: &str) -> std::result::Result<Percent, String> {
    let expected = || "write a number from 0 to 100, with at most three decimals".to_owned();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 3 {
        return Err(expected());
    }
    let thousandths: u64 = format!("{whole}{fraction:0<3}").parse().map_err(|_| expected())?;
    if thousandths > WHOLE { Err(expected()) } else { Ok(Percent(thousandths)) }
}

impl Percent {
    /// So many of a whole, rounded to the nearest.
    fn of(self, whole: u64) -> u64 {
        let share = (u128::from(whole) * u128::from(self.0) + u128::from(WHOLE / 2)) / u128::from(WHOLE);
        u64::try_from(share).expect("a share is no larger than its whole")
    }
}

/// What was made.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Made {
    /// Rows, the header not counted.
    rows: u64,
    /// Rows that will be applied, or unchanged where their numbers are on the list already.
    good: u64,
    /// Rows that will be partial.
    partial: u64,
    /// Rows that will fail.
    failed: u64,
    /// Bad rows by what is wrong with them.
    bad: BTreeMap<Flaw, u64>,
}

impl Generate {
    /// Writes the file.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn run(self) -> Result<ExitCode> {
        let made = if let Some(file) = &self.output {
            let what = format!("could not write {}", file.display());
            let mut to = BufWriter::new(File::create(file).context(what.clone())?);
            self.write(&mut to).and_then(|made| to.flush().map(|()| made)).context(what)?
        } else {
            let mut to = BufWriter::new(io::stdout().lock());
            match self.write(&mut to).and_then(|made| to.flush().map(|()| made)) {
                // Whoever reads it has seen enough.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
                result => result.context("could not print")?,
            }
        };
        if self.json {
            output::print_json(&made)?;
        } else {
            eprint!("{}", describe(&made));
        }
        Ok(ExitCode::SUCCESS)
    }

    fn write(&self, to: &mut impl Write) -> io::Result<Made> {
        let bad = self.bad.of(self.rows);
        let mut rows = Rows::new(self.seed, self.users, self.numbers);
        let mut made = Made { rows: self.rows, good: self.rows - bad, ..Made::default() };
        let names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
        writeln!(to, "{}", names.join(","))?;
        let mut line = String::new();
        let mut bad_made = 0;
        for row in 0..self.rows {
            line.clear();
            // Knuth's algorithm S (The Art of Computer Programming, 3.4.2): each row is as likely to be bad as any other,
            // and in the end exactly so many are.
            if rows.random.below(self.rows - row) < bad - bad_made {
                let index = usize::try_from(bad_made % FLAWS.len() as u64).expect("an index below a length");
                let flaw = FLAWS[index];
                rows.bad(flaw, &mut line);
                bad_made += 1;
                *made.bad.entry(flaw).or_default() += 1;
                *if flaw == Flaw::OneBadNumber { &mut made.partial } else { &mut made.failed } += 1;
            } else {
                rows.good(&mut line);
            }
            line.push('\n');
            to.write_all(line.as_bytes())?;
        }
        Ok(made)
    }
}

fn describe(made: &Made) -> String {
    let Made { rows, good, partial, failed, bad } = made;
    let mut text = format!(
        "{} rows: {} good, {} partial, {} failing\n",
        count(*rows),
        count(*good),
        count(*partial),
        count(*failed)
    );
    for (flaw, rows) in bad {
        let name = match flaw {
            Flaw::UnknownLogin => "unknown login",
            Flaw::EmptyLogin => "empty login",
            Flaw::EmptyNumber => "empty number",
            Flaw::Scientific => "scientific notation",
            Flaw::Junk => "not a number",
            Flaw::NotOwned => "number not owned",
            Flaw::Retired => "number retired",
            Flaw::OneBadNumber => "one bad number among good ones",
            Flaw::TooFewCells => "too few cells",
            Flaw::TooManyCells => "too many cells",
            Flaw::UnbalancedQuote => "unbalanced quote",
        };
        let _ = writeln!(text, "{:>10} {name}", count(*rows));
    }
    text
}

#[cfg(test)]
mod tests;
