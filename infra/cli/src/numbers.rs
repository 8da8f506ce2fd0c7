//! `rollcall numbers`: the account's numbers, and how long each has been in service.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use rollcall_api_types::NumberView;
use rollcall_model::inventory::{DUE, NumberState};
use rollcall_model::user::Ref;

use crate::client::StackClient;
use crate::output::{self, Cell, Column, Table, Tone, count};
use crate::stack_selector::StackSelector;
use crate::{args::AccountArg, args::OutputFormat};

/// Options of `rollcall numbers`.
#[derive(Debug, Args)]
#[command(after_help = "\
Days have 24 hours. A number is in service while it is active or flagged; a rest begins its days anew.

Examples:
  rollcall numbers
  rollcall numbers --due 15
  rollcall numbers --state flagged --json")]
pub struct Numbers {
    #[command(flatten)]
    whose: AccountArg,
    /// Only those in service for N days or longer
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(i64::from(*DUE.start())..=i64::from(*DUE.end())))]
    due: Option<u32>,
    /// Only those in this state: new, active, flagged, resting or retired
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<NumberState>,
    /// How many to list at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    form: OutputFormat,
}

impl Numbers {
    /// Lists them in order.
    ///
    /// # Errors
    /// If the stack can't be asked.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let due = self.due.map(|days| days.to_string());
        let query: Vec<_> = due.iter().map(|days| ("due", days.as_str())).collect();
        let wanted = |shown: &NumberView| self.state.is_none_or(|state| shown.facts.state == state);
        let (numbers, more) = stack.api.list(&["v1", "numbers"], &query, self.limit, wanted).await?;
        if self.form.json {
            output::print_json(&numbers)?;
            return Ok(ExitCode::SUCCESS);
        }
        if numbers.is_empty() {
            // Where none fit what was asked for, there may be many others.
            let (such, make) = match (self.due, self.state) {
                (None, None) => ("numbers", stack.hint_here("seed")),
                _ => ("such number", None),
            };
            let make = make.map(|seed| format!(" Make some with: {seed}")).unwrap_or_default();
            output::print(&format!("The account {} has no {such}.{make}\n", stack.account))?;
            return Ok(ExitCode::SUCCESS);
        }
        output::print_list(table(&numbers).render(output::columns(), 0), more, self.limit)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn table(numbers: &[NumberView]) -> Table {
    let mut table = Table::new([
        Column::text("Number"),
        Column::text("State"),
        Column::number("Days in service"),
        Column::number("Since flagged"),
        Column::text("Labels"),
    ]);
    let days = |days: Option<u32>| days.map(|days| count(u64::from(days))).unwrap_or_default();
    for shown in numbers {
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
        table.row([
            Cell::from(shown.number.to_string()),
            Cell::toned(state, tone),
            days(shown.days_in_service).into(),
            days(shown.days_since_flagged).into(),
            facts.labels.iter().map(Ref::as_str).collect::<Vec<_>>().join(" ").into(),
        ]);
        if let Some(warned) = shown.warnings.first() {
            table.note(&warned.message);
        }
    }
    table
}

fn state(text: &str) -> std::result::Result<NumberState, String> {
    let states = || NumberState::ALL.into_iter();
    let names = || states().map(NumberState::as_str).collect::<Vec<_>>().join(", ");
    states().find(|state| state.as_str() == text).ok_or_else(|| format!("it is one of {}", names()))
}
