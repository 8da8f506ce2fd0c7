//! `rollcall audit`: who changed whose numbers.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use rollcall_model::audit::{Actor, Entry, Filter, FromTo, Kind, Range, Subject};
use rollcall_model::caller_id::CallerId;
use rollcall_model::inventory::NumberState;
use rollcall_model::user::LoginId;

use super::connect::{Connection, output as output_of, told};
use super::job::{SHOWN_ID, find};
use super::output::{self, Cell, Column, Table, Tone};
use super::users::{numbers, policy};
use super::{Form, Whose};
use crate::stack::{Context, Error, Result};

/// The template's output that says how long the trail takes to settle.
const SETTLE: &str = "AuditSettleSeconds";

/// Options of `rollcall audit`.
#[derive(Debug, Args)]
#[command(after_help = "\
The oldest come first. Times are UTC, and those at which a change came into the trail: it is shown there once nothing can \
come before it any more.

Examples:
  rollcall audit --user user2
  rollcall audit --number +919876500002 --from 2026-03-01T00:00:00Z
  rollcall audit --job latest --json")]
pub struct Audit {
    #[command(flatten)]
    whose: Whose,
    /// Changes of this user
    #[arg(long, value_name = "LOGIN")]
    user: Option<LoginId>,
    /// Changes that are about this number
    #[arg(long, value_name = "NUMBER")]
    number: Option<CallerId>,
    /// Changes by this job: its ID, the beginning of it, or "latest"
    #[arg(long, value_name = "ID")]
    job: Option<String>,
    /// The first moment (RFC 3339); a week before the last one by default
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// The moment after the last one, 31 days after the first at most
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,
    /// How many to list at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    form: Form,
}

impl Audit {
    /// Lists them, the oldest first.
    ///
    /// # Errors
    /// If the stack can't be asked, or the range is none.
    pub async fn run(self, dir: &Path) -> Result<ExitCode> {
        let stack = Connection::open(dir).await?;
        let account = &self.whose.account;
        let job = match &self.job {
            Some(job) => Some(find(&stack, account, job).await?.id),
            None => None,
        };
        let filter = Filter { user: self.user, number: self.number, job };
        let settle = output_of(&stack.manifest, SETTLE)?.parse().context(format!("the template's output {SETTLE}"))?;
        let settled = Timestamp::now() - Duration::from_secs(settle);
        let range = Range::ask(self.from, self.to, settled).map_err(|bad| Error::new(format!("--from: {bad}")))?;
        let mut entries: Vec<Entry> = Vec::new();
        let mut after = None;
        let more = loop {
            let left = self.limit - entries.len();
            let page = stack.files.trail(account, range, &filter, after.as_ref(), left).await.map_err(told)?;
            entries.extend(page.0);
            after = page.1;
            if after.is_none() || entries.len() == self.limit {
                break after.is_some();
            }
        };
        if self.form.json {
            output::print_json(&entries)?;
            return Ok(ExitCode::SUCCESS);
        }
        if entries.is_empty() {
            output::print(&format!("Nothing of the kind from {:.0} to {:.0}.\n", range.from, range.to))?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut table = Table::new([
            Column::text("When"),
            Column::text("User or number"),
            Column::text("By"),
            Column::text("What"),
            Column::text("Added"),
            Column::text("Removed"),
        ]);
        for entry in &entries {
            table.row([
                format!("{:.0}", entry.at).into(),
                subject(&entry.subject).into(),
                by(entry.by.as_ref()).into(),
                what(entry),
                numbers(&entry.added).into(),
                numbers(&entry.removed).into(),
            ]);
        }
        let mut text = table.render(output::columns(), 0);
        if more {
            let _ = writeln!(text, "There may be more: list them with --limit. These are the first {}.", self.limit);
        }
        output::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn subject(subject: &Subject) -> String {
    match subject {
        Subject::User(login) => login.to_string(),
        Subject::Number(number) => number.to_string(),
    }
}

fn by(actor: Option<&Actor>) -> String {
    match actor {
        Some(Actor::Job(id)) => format!("job {}", &id.as_str()[..SHOWN_ID]),
        Some(Actor::Call(subject)) => subject.clone(),
        Some(Actor::Schedule) => "a schedule".to_owned(),
        None => "unknown".to_owned(),
    }
}

fn what(entry: &Entry) -> Cell {
    let (word, tone) = match entry.change {
        Kind::Created => ("created", Some(Tone::Good)),
        Kind::Deleted => ("deleted", Some(Tone::Doubtful)),
        Kind::Changed => ("", None),
    };
    let policy = change(entry.policy, policy);
    let state = change(entry.state, NumberState::as_str);
    let words: Vec<_> = [word.to_owned(), policy, state].into_iter().filter(|word| !word.is_empty()).collect();
    match tone {
        Some(tone) => Cell::toned(words.join(", "), tone),
        None => words.join(", ").into(),
    }
}

/// "from to to" where both are there; what is new or gone is told by its word.
fn change<T>(change: Option<FromTo<T>>, word: impl Fn(T) -> &'static str) -> String {
    match change {
        Some(FromTo { from: Some(from), to: Some(to) }) => format!("{} to {}", word(from), word(to)),
        Some(FromTo { from: None, to: Some(one) } | FromTo { from: Some(one), to: None }) => word(one).to_owned(),
        _ => String::new(),
    }
}
