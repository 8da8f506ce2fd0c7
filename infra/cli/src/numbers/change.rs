//! Changes of numbers.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rollcall_api_types::{AddedNumbers, NumberView};
use rollcall_model::catalog::CatalogKind;
use rollcall_model::inventory::{NumberState, utc_day};
use rollcall_model::user::Ref;
use serde_json::{Map, Value, json};

use super::state;
use crate::catalog;
use crate::client::{StackClient, request_id};
use crate::output::{self, Column, Table, counted};
use crate::stack_selector::StackSelector;
use crate::{args::AccountArg, args::OutputFormat};

/// Which numbers, and how they are shown.
#[derive(Debug, Args)]
struct Which {
    /// The numbers
    #[arg(required = true, value_name = "NUMBER")]
    numbers: Vec<String>,
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    form: OutputFormat,
}

/// What is said of them.
#[derive(Debug, Args)]
struct FactArgs {
    /// The department that they belong to, by its ID or name
    #[arg(long, value_name = "DEPARTMENT")]
    department: Option<String>,
    /// How the provider writes the number, where a file may use that
    #[arg(long, value_name = "TEXT")]
    provider: Option<String>,
    /// How far the provider vouches for calls: A, B or C
    #[arg(long, value_name = "LEVEL")]
    attestation: Option<String>,
    /// What calls are about: promotional, service or other
    #[arg(long, value_name = "PURPOSE")]
    purpose: Option<String>,
    /// new, active, flagged or retired
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<NumberState>,
}

impl FactArgs {
    async fn fields(&self, stack: &StackClient) -> Result<Map<String, Value>> {
        let mut fields = Map::new();
        let texts = [("provider", &self.provider), ("attestation", &self.attestation), ("purpose", &self.purpose)];
        for (name, value) in texts {
            fields.extend(value.as_ref().map(|value| (name.to_owned(), json!(value))));
        }
        if let Some(department) = &self.department {
            let id = catalog::resolve(stack, CatalogKind::Department, department).await?;
            fields.insert("department".to_owned(), json!(id));
        }
        if let Some(state) = self.state {
            fields.insert("state".to_owned(), json!(state));
            if state != NumberState::Resting {
                fields.insert("resting_until".to_owned(), Value::Null);
            }
        }
        Ok(fields)
    }
}

/// Options of `rollcall numbers add`.
#[derive(Debug, Args)]
#[command(after_help = "\
What the inventory has already stays as it is. Many numbers are a file: `rollcall numbers upload`.

Example:
  rollcall numbers add +919876500031 +919876500032 --department sales --label october")]
pub struct Add {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    facts: FactArgs,
    /// A word to find them by; may be given several times
    #[arg(long, value_name = "LABEL", value_parser = Ref::parse)]
    label: Vec<Ref>,
}

impl Add {
    /// Adds them.
    ///
    /// # Errors
    /// If the stack can't be asked, or takes one of them not.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.which.whose).await?;
        let mut facts = self.facts.fields(&stack).await?;
        facts.remove("resting_until");
        if !self.label.is_empty() {
            facts.insert("labels".to_owned(), json!(self.label));
        }
        let new = |number: &String| {
            let mut fields = facts.clone();
            fields.insert("number".to_owned(), json!(number));
            fields
        };
        let request = json!({ "numbers": self.which.numbers.iter().map(new).collect::<Vec<_>>() });
        let added: AddedNumbers = stack.api.post(&["v1", "numbers"], &request, &request_id()).await?;
        if self.which.form.json {
            output::print_json(&added)?;
        } else {
            let were = counted(added.taken.len() as u64, "was", "were");
            output::print(&format!(
                "{} added, {were} in the inventory already.\n",
                counted(added.added.len() as u64, "number is", "numbers are")
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Options of `rollcall numbers edit`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rollcall numbers edit +919876500031 --department support --purpose service
  rollcall numbers edit +919876500031 --state active")]
pub struct Edit {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    facts: FactArgs,
}

impl Edit {
    /// Changes them.
    ///
    /// # Errors
    /// If the stack can't be asked, or a change can't be.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.which.whose).await?;
        let fields = self.facts.fields(&stack).await?;
        if fields.is_empty() {
            bail!("nothing is to be changed: see --help for what can be");
        }
        change(&stack, &self.which, |_| fields.clone()).await
    }
}

/// Options of `rollcall numbers flag`.
#[derive(Debug, Args)]
#[command(after_help = "\
A flagged number stays in service; `rollcall rotate` replaces it. `rollcall numbers edit NUMBER --state active` takes the flag off.

Example:
  rollcall numbers flag +919876500031")]
pub struct Flag {
    #[command(flatten)]
    which: Which,
}

impl Flag {
    /// Flags them.
    ///
    /// # Errors
    /// If the stack can't be asked, or a number can't be flagged.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.which.whose).await?;
        let fields = fields(&[("state", json!(NumberState::Flagged)), ("resting_until", Value::Null)]);
        change(&stack, &self.which, |_| fields.clone()).await
    }
}

/// Options of `rollcall numbers rest`.
#[derive(Debug, Args)]
#[command(after_help = "\
Nobody may dial from a number that rests. On the day that its rest ends (UTC) it is active again, by a schedule.

Examples:
  rollcall numbers rest +919876500031 --days 30
  rollcall numbers rest +919876500031 --until 2027-01-31")]
pub struct Rest {
    #[command(flatten)]
    which: Which,
    /// For so many days
    #[arg(long, value_name = "N", required_unless_present = "until", conflicts_with = "until", value_parser = clap::value_parser!(u16).range(1..=3_650))]
    days: Option<u16>,
    /// Until this day, in UTC, on which they are active again
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
}

impl Rest {
    /// Lets them rest.
    ///
    /// # Errors
    /// If the stack can't be asked, or a number can't rest.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.which.whose).await?;
        let in_days = |days: u16| utc_day(Timestamp::now() + SignedDuration::from_hours(24 * i64::from(days)));
        let until = self.days.map(in_days).or(self.until);
        let fields = fields(&[("state", json!(NumberState::Resting)), ("resting_until", json!(until))]);
        change(&stack, &self.which, |_| fields.clone()).await
    }
}

/// Options of `rollcall numbers label`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  rollcall numbers label +919876500031 +919876500032 --add october --remove september")]
pub struct Label {
    #[command(flatten)]
    which: Which,
    /// A label to put on them; may be given several times
    #[arg(long, value_name = "LABEL", value_parser = Ref::parse, required_unless_present = "remove")]
    add: Vec<Ref>,
    /// A label to take off; may be given several times
    #[arg(long, value_name = "LABEL", value_parser = Ref::parse)]
    remove: Vec<Ref>,
}

impl Label {
    /// Labels them.
    ///
    /// # Errors
    /// If the stack can't be asked, or a label can't be put on.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.which.whose).await?;
        let labels = |number: &NumberView| {
            let mut labels = number.facts.labels.clone();
            labels.retain(|label| !self.remove.contains(label));
            labels.extend(self.add.iter().filter(|label| !number.facts.labels.contains(label)).cloned());
            fields(&[("labels", json!(labels))])
        };
        change(&stack, &self.which, labels).await
    }
}

fn fields(fields: &[(&str, Value)]) -> Map<String, Value> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// Changes numbers one by one. What fails is told, and the others are changed all the same.
async fn change(
    stack: &StackClient,
    which: &Which,
    edit: impl Fn(&NumberView) -> Map<String, Value>,
) -> Result<ExitCode> {
    let (mut changed, mut failed) = (Vec::new(), 0);
    for number in &which.numbers {
        let path = ["v1", "numbers", number.as_str()];
        let done = async {
            let before: NumberView = stack.api.get(&path, &[]).await?;
            stack.api.patch_version::<NumberView>(&path, &edit(&before), before.version).await
        };
        match done.await {
            Ok(number) => changed.push(number),
            Err(failure) => {
                eprintln!("error: {}: {failure}", output::visible(number));
                failed += 1;
            }
        }
    }
    if which.form.json {
        output::print_json(&changed)?;
    } else if !changed.is_empty() {
        let names = ["Number", "State", "Department", "Labels"];
        let mut table = Table::new(names.map(Column::text));
        for number in &changed {
            let facts = &number.facts;
            let rest = facts.resting_until.map(|day| format!(" until {day}")).unwrap_or_default();
            table.row([
                number.number.to_string().into(),
                format!("{}{rest}", facts.state.as_str()).into(),
                facts.department.as_ref().map(Ref::as_str).unwrap_or_default().into(),
                facts.labels.iter().map(Ref::as_str).collect::<Vec<_>>().join(" ").into(),
            ]);
        }
        output::print(&table.render(output::columns(), 0))?;
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
