//! `rollcall numbers`: the account's numbers, how long each has been in service, and changes of some.

mod change;
mod file;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use rollcall_api_types::NumberView;
use rollcall_model::inventory::{DUE, NumberState};
use rollcall_model::user::Ref;

use crate::args::AccountArg;
use crate::client::StackClient;
use crate::list::{ListArgs, Listed};
use crate::output::{Cell, Column, Tone, count};
use crate::stack_selector::StackSelector;

/// Options of `rollcall numbers`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Days have 24 hours. A number is in service while it is active or flagged; a rest begins its days anew.

Examples:
  rollcall numbers --due 15
  rollcall numbers --state flagged --json
  rollcall numbers --department sales --sort=-days
  rollcall numbers add +919876500031 +919876500032 --department sales
  rollcall numbers upload october.csv
  rollcall numbers flag +919876500031
  rollcall numbers rest +919876500031 --days 30"
)]
pub struct Numbers {
    #[command(subcommand)]
    change: Option<Change>,
    #[command(flatten)]
    whose: AccountArg,
    /// Only those in service for N days or longer
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(i64::from(*DUE.start())..=i64::from(*DUE.end())))]
    due: Option<u32>,
    /// Only those in this state: new, active, flagged, resting or retired
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<NumberState>,
    /// Only those of this department, by ID
    #[arg(long, value_name = "DEPARTMENT")]
    department: Option<String>,
    /// Only those for calls of this purpose: promotional, service or other
    #[arg(long, value_name = "PURPOSE")]
    purpose: Option<String>,
    /// Only those with this label
    #[arg(long, value_name = "LABEL")]
    label: Option<String>,
    /// Only those with these digits in a row
    #[arg(long, value_name = "DIGITS")]
    search: Option<String>,
    /// The order: number, days or -days in service
    #[arg(long, value_name = "ORDER", allow_hyphen_values = true, value_parser = ["number", "days", "-days"])]
    sort: Option<String>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Subcommand)]
enum Change {
    /// Add numbers to the inventory
    Add(change::Add),
    /// Change what is kept of numbers
    Edit(change::Edit),
    /// Say that numbers are taken for spam
    Flag(change::Flag),
    /// Let numbers rest until a day
    Rest(change::Rest),
    /// Put labels on numbers, or take them off
    Label(change::Label),
    /// Add and change the numbers of a CSV file, and follow the job to its end
    Upload(file::Upload),
    /// Save all numbers as a CSV file, which changes nothing when it is uploaded as it is
    Download(file::Download),
}

impl Numbers {
    /// Does what it says.
    ///
    /// # Errors
    /// If the stack can't be asked.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        match self.change {
            Some(Change::Add(add)) => return add.run(place).await,
            Some(Change::Edit(edit)) => return edit.run(place).await,
            Some(Change::Flag(flag)) => return flag.run(place).await,
            Some(Change::Rest(rest)) => return rest.run(place).await,
            Some(Change::Label(label)) => return label.run(place).await,
            Some(Change::Upload(upload)) => return upload.run(place).await,
            Some(Change::Download(download)) => return download.run(place).await,
            None => {}
        }
        let stack = StackClient::open(place, &self.whose).await?;
        let due = self.due.map(|days| days.to_string());
        let filters = [
            ("due", due.as_deref()),
            ("state", self.state.map(NumberState::as_str)),
            ("department", self.department.as_deref()),
            ("purpose", self.purpose.as_deref()),
            ("label", self.label.as_deref()),
            ("search", self.search.as_deref()),
        ];
        let filters: Vec<_> = filters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let query: Vec<_> = filters.iter().copied().chain(self.sort.as_deref().map(|sort| ("sort", sort))).collect();
        // Where none fit what was asked for, there may be many others.
        let none = if filters.is_empty() {
            let make = stack.hint_here("seed").unwrap_or_else(|| stack.hint("numbers add NUMBER"));
            format!("The account {} has no numbers. Make some with: {make}\n", stack.account)
        } else {
            format!("The account {} has no such number.\n", stack.account)
        };
        let listed = Listed {
            columns: vec![
                Column::text("Number"),
                Column::text("State"),
                Column::number("Days"),
                Column::number("Flagged"),
                Column::text("Department"),
                Column::text("Purpose"),
                Column::text("Replaced by"),
                Column::text("Labels"),
            ],
            row: &|number| (row(number), number.warnings.first().map(|warned| warned.message.to_string())),
            wanted: &|_: &NumberView| true,
            none,
        };
        self.list.print(&stack, &["v1", "numbers"], &query, listed).await
    }
}

/// What a list shows of a number.
fn row(shown: &NumberView) -> Vec<Cell> {
    let days = |days: Option<u32>| Cell::from(days.map(|days| count(u64::from(days))).unwrap_or_default());
    let facts = &shown.facts;
    let state = match facts.resting_until {
        Some(day) => format!("resting until {day}"),
        None => facts.state.as_str().to_owned(),
    };
    let tone = match facts.state {
        NumberState::New | NumberState::Active => Tone::Good,
        NumberState::Flagged => Tone::Doubtful,
        NumberState::Resting | NumberState::Retired => Tone::Faint,
    };
    vec![
        Cell::from(shown.number.to_string()),
        Cell::toned(state, tone),
        days(shown.days_in_service),
        days(shown.days_since_flagged),
        facts.department.as_ref().map(Ref::as_str).unwrap_or_default().into(),
        facts.purpose.map_or("", |purpose| purpose.as_str()).into(),
        shown.replaced_by.map(|number| number.to_string()).unwrap_or_default().into(),
        facts.labels.iter().map(Ref::as_str).collect::<Vec<_>>().join(" ").into(),
    ]
}

fn state(text: &str) -> std::result::Result<NumberState, String> {
    let states = || NumberState::ALL.into_iter();
    let names = || states().map(NumberState::as_str).collect::<Vec<_>>().join(", ");
    states().find(|state| state.as_str() == text).ok_or_else(|| format!("it is one of {}", names()))
}
