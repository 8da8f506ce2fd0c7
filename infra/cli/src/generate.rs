//! `rollcall generate`: files of any size, of which it is known what must come of each row.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rollcall_bulk::append::COLUMNS;
use serde::Serialize;

use crate::demo_account;
use crate::output::{self, count};
use crate::split_mix::SplitMix64;
use local_stack::{Context, Result};

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
    let told = || "write a number from 0 to 100, with at most three decimals".to_owned();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 3 {
        return Err(told());
    }
    let thousandths: u64 = format!("{whole}{fraction:0<3}").parse().map_err(|_| told())?;
    if thousandths > WHOLE { Err(told()) } else { Ok(Percent(thousandths)) }
}

impl Percent {
    /// So many of a whole, rounded to the nearest.
    fn of(self, whole: u64) -> u64 {
        let share = (u128::from(whole) * u128::from(self.0) + u128::from(WHOLE / 2)) / u128::from(WHOLE);
        u64::try_from(share).expect("a share is no larger than its whole")
    }
}

/// What can be wrong with a row. Each kind fails the row, but for [`Flaw::OneBadNumber`], which makes it partial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Flaw {
    UnknownLogin,
    EmptyLogin,
    EmptyNumber,
    Scientific,
    Junk,
    NotOwned,
    Retired,
    OneBadNumber,
    TooFewCells,
    TooManyCells,
    UnbalancedQuote,
}

/// Bad rows take turns in this order.
const FLAWS: [Flaw; 11] = [
    Flaw::UnknownLogin,
    Flaw::EmptyLogin,
    Flaw::EmptyNumber,
    Flaw::Scientific,
    Flaw::Junk,
    Flaw::NotOwned,
    Flaw::Retired,
    Flaw::OneBadNumber,
    Flaw::TooFewCells,
    Flaw::TooManyCells,
    Flaw::UnbalancedQuote,
];

/// Not numbers.
const JUNK: [&str; 4] = ["none yet", "call me", "98765", "9876500001x5"];

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
            let mut to = BufWriter::new(File::create(file).context(&what)?);
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
        let mut rows = Rows { random: SplitMix64::new(self.seed), users: self.users, numbers: self.numbers };
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

/// Makes rows. Writing to a string can't fail.
struct Rows {
    random: SplitMix64,
    users: u64,
    numbers: u64,
}

impl Rows {
    fn good(&mut self, row: &mut String) {
        self.login(row);
        row.push(',');
        self.cell(row);
    }

    fn bad(&mut self, flaw: Flaw, row: &mut String) {
        match flaw {
            Flaw::UnknownLogin => {
                let _ = write!(row, "nobody{},", self.random.below(1_000_000));
                self.cell(row);
            }
            Flaw::EmptyLogin => {
                row.push(',');
                self.cell(row);
            }
            Flaw::TooFewCells => self.login(row),
            Flaw::TooManyCells => {
                self.good(row);
                row.push(',');
                self.number(row);
            }
            Flaw::EmptyNumber => {
                self.login(row);
                row.push_str(self.random.choose(&[",", ", ", ",;"]));
            }
            Flaw::UnbalancedQuote => {
                self.login(row);
                row.push_str(",\"");
                self.number(row);
            }
            Flaw::OneBadNumber => {
                self.good(row);
                row.push(';');
                let bad = self.random.choose(&[Flaw::Scientific, Flaw::Junk, Flaw::NotOwned]);
                self.bad_number(bad, row);
            }
            Flaw::Scientific | Flaw::Junk | Flaw::NotOwned | Flaw::Retired => {
                self.login(row);
                row.push(',');
                self.bad_number(flaw, row);
            }
        }
    }

    fn bad_number(&mut self, flaw: Flaw, row: &mut String) {
        match flaw {
            Flaw::Scientific => {
                let _ = write!(row, "9.8765{:04}E+09", self.random.below(10_000));
            }
            Flaw::NotOwned => {
                let _ = write!(row, "{}", demo_account::NOT_OWNED + self.random.below(1_000_000));
            }
            Flaw::Retired => {
                let _ = write!(row, "{}", demo_account::RETIRED);
            }
            _ => row.push_str(self.random.choose(&JUNK)),
        }
    }

    fn login(&mut self, row: &mut String) {
        let _ = write!(row, "user{}", self.random.below(self.users) + 1);
    }

    /// One to three numbers.
    fn cell(&mut self, row: &mut String) {
        self.number(row);
        for _ in 0..self.random.below(3) {
            row.push_str(self.random.choose(&[";", "; "]));
            self.number(row);
        }
    }

    /// A number of the pool, mostly as providers write it, now and then as people do.
    fn number(&mut self, row: &mut String) {
        let digits = demo_account::pool_digits(self.random.below(self.numbers) + 1);
        let (start, end) = (digits / 100_000, digits % 100_000);
        let _ = match self.random.below(20) {
            0..10 => write!(row, "{digits}"),
            10..16 => write!(row, "+91{digits}"),
            16 => write!(row, "91{digits}"),
            17 => write!(row, "{start} {end:05}"),
            18 => write!(row, "0{start}-{end:05}"),
            _ => write!(row, "{digits}.0"),
        };
    }
}

#[cfg(test)]
mod tests {
    use rollcall_bulk::append::{AppendRequests, LoginLookup, judge};
    use rollcall_bulk::report::Report;
    use rollcall_model::numbers::NumberReader;
    use rollcall_model::user::Policy;
    use rollcall_tabular::Reader;

    use super::*;

    const USERS: u64 = 40;

    fn generate(rows: u64, bad: &str, seed: u64) -> (String, Made) {
        let generate = Generate {
            users: USERS,
            rows,
            bad: percent(bad).unwrap(),
            seed,
            numbers: demo_account::NUMBERS,
            output: None,
            json: false,
        };
        let mut file = Vec::new();
        let made = generate.write(&mut file).unwrap();
        (String::from_utf8(file).unwrap(), made)
    }

    #[test]
    fn the_model_finds_in_each_row_what_was_put_there() {
        let (file, made) = generate(11_000, "10", 7);
        let inventory = demo_account::inventory(demo_account::NUMBERS);
        let mut numbers = NumberReader::new("IN".parse().unwrap(), &inventory);
        let mut wanted = AppendRequests::default();
        let read = |take: &mut dyn FnMut(&rollcall_tabular::Row<'_>)| {
            let mut reader = Reader::new(&COLUMNS);
            reader.push(file.as_bytes()).unwrap();
            reader.end().unwrap();
            while let Some(row) = reader.next_row().unwrap() {
                take(&row);
            }
        };
        read(&mut |row| _ = wanted.take(row, &mut numbers));
        let mut ledger = wanted.finish_reading();
        for user in 0..ledger.users() {
            let known = ledger.login(user).strip_prefix("user").is_some();
            let standing = if known { LoginLookup::User(Policy::Custom) } else { LoginLookup::Nobody };
            let plan = ledger.plan(user, standing, &[], 5_000);
            ledger.record(&plan);
        }
        let mut report = None;
        read(&mut |row| {
            let report = report.get_or_insert_with(|| Report::new(row.header()));
            report.row(row, judge(row, &mut numbers, &mut ledger));
        });
        let mut report = report.unwrap();
        let counts = report.counts;
        assert_eq!(counts.rows(), made.rows);
        assert_eq!(counts.applied + counts.unchanged, made.good);
        assert_eq!((counts.partial, counts.failed), (made.partial, made.failed));
        assert_eq!((made.good, made.partial, made.failed), (9_900, 100, 1_000));

        let failed = String::from_utf8(report.failed.take()).unwrap();
        let rows_with = |code: &str| failed.lines().filter(|line| line.contains(code)).count();
        for (code, flaws) in [
            ("failed,USER_NOT_FOUND", 1),
            ("failed,LOGIN_ID_MISSING", 1),
            ("failed,NUMBER_MISSING", 1),
            ("failed,NUMBER_SCIENTIFIC", 1),
            ("failed,NUMBER_INVALID", 1),
            ("failed,NUMBER_NOT_OWNED", 1),
            ("failed,NUMBER_RETIRED", 1),
            ("failed,COLUMN_COUNT", 2),
            ("failed,MALFORMED_CSV", 1),
        ] {
            assert_eq!(rows_with(code), flaws * 100, "{code}");
        }
    }

    #[test]
    fn the_same_options_give_the_same_file_and_another_seed_another() {
        assert_eq!(generate(500, "5", 1), generate(500, "5", 1));
        assert_ne!(generate(500, "5", 1).0, generate(500, "5", 2).0);
    }

    #[test]
    fn exactly_the_share_asked_for_is_bad() {
        for (rows, bad, expected) in
            [(1_000, "0", 0), (1_000, "0.25", 3), (7, "100", 7), (0, "50", 0), (200, "33.3", 67)]
        {
            let made = generate(rows, bad, 3).1;
            assert_eq!(made.partial + made.failed, expected, "{bad} % of {rows}");
        }
    }

    #[test]
    fn a_percentage_is_a_number_up_to_a_hundred() {
        assert_eq!(percent("12.5"), Ok(Percent(12_500)));
        for text in ["", "-1", "100.1", "1e2", "5%", ".5", "1.2345"] {
            assert!(percent(text).is_err(), "{text}");
        }
    }
}
