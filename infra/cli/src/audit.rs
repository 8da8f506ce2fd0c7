//! `rollcall audit`: who changed whose numbers.

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Args;
use jiff::Timestamp;
use rollcall_api_types::AuditPage;
use rollcall_model::audit::{AuditAction, AuditEntry, AuditRange, AuditSubject, FromTo};
use rollcall_model::inventory::NumberState;
use rollcall_model::user::LoginId;

use crate::args::AccountArg;
use crate::client::StackClient;
use crate::job::{SHOWN_ID, find};
use crate::list::{ListArgs, Listed};
use crate::names::Names;
use crate::output::{self, Cell, Column, Tone};
use crate::stack_selector::StackSelector;
use crate::users::{numbers, policy};

/// Options of `rollcall audit`.
#[derive(Debug, Args)]
#[command(after_help = "\
The oldest come first. Times are UTC, and those at which a change came into the trail: it is shown there once nothing can \
come before it any more.

Examples:
  rollcall audit --user user2
  rollcall audit --number 9876500002 --from yesterday
  rollcall audit --job latest --json
  rollcall audit --latest --limit 20")]
pub struct Audit {
    #[command(flatten)]
    whose: AccountArg,
    /// Changes of this user
    #[arg(long, value_name = "LOGIN")]
    user: Option<LoginId>,
    /// Changes that are about this number
    #[arg(long, value_name = "NUMBER")]
    number: Option<String>,
    /// Changes by this job: its ID, the beginning of it, or "latest"
    #[arg(long, value_name = "ID")]
    job: Option<String>,
    /// The first moment: a time, a day, today, yesterday, or how long ago (2h, 3d); a week before the last one by default
    #[arg(long, value_name = "TIME", value_parser = when)]
    from: Option<Timestamp>,
    /// The moment after the last one, 31 days after the first at most
    #[arg(long, value_name = "TIME", value_parser = when)]
    to: Option<Timestamp>,
    /// The latest first
    #[arg(long)]
    latest: bool,
    #[command(flatten)]
    list: ListArgs,
}

impl Audit {
    /// Lists them, the oldest first unless it is said otherwise.
    ///
    /// # Errors
    /// If the stack can't be asked, or the range is none.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let job = match &self.job {
            Some(job) => Some(find(&stack, job).await?.id.to_string()),
            None => None,
        };
        let asked = [
            ("user", self.user.as_ref().map(ToString::to_string)),
            ("number", self.number.clone()),
            ("job", job),
            ("from", self.from.map(|from| from.to_string())),
            ("to", self.to.map(|to| to.to_string())),
            ("order", self.latest.then(|| "desc".to_owned())),
        ];
        let query: Vec<_> = asked.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
        let path = ["v1", "audit"];
        let AuditPage { settled_until, .. } = stack.api.get(&path, &[&query[..], &[("limit", "1")]].concat()).await?;
        let range = AuditRange::ask(self.from, self.to, settled_until).map_err(|bad| anyhow!("--from: {bad}"))?;
        let names = stack.names().await;
        let listed = Listed {
            columns: ["When", "What it is about", "By", "What", "Added", "Removed"].map(Column::text).to_vec(),
            row: &|entry| (row(entry, names), None),
            wanted: &|_: &AuditEntry| true,
            none: format!(
                "Nothing of the kind from {:.0} to {:.0}. What was changed since is shown once it has settled, half a minute later by default.\n",
                range.from, range.to
            ),
        };
        self.list.print(&stack, &path, &query, listed).await
    }
}

fn when(text: &str) -> std::result::Result<Timestamp, &'static str> {
    crate::when::parse(text, Timestamp::now())
}

fn row(entry: &AuditEntry, names: &Names) -> Vec<Cell> {
    vec![
        format!("{:.0}", entry.at).into(),
        subject(&entry.subject).into(),
        by(entry, names).into(),
        what(entry),
        numbers(&entry.added).into(),
        numbers(&entry.removed).into(),
    ]
}

fn subject(subject: &AuditSubject) -> String {
    match subject {
        AuditSubject::User(login) => login.to_string(),
        AuditSubject::PhoneList(login) => format!("phone list {login}"),
        AuditSubject::Number(number) => number.to_string(),
        AuditSubject::Mapping(crm_user) => format!("mapping {}", output::visible(crm_user.as_str())),
        AuditSubject::Role(id) => format!("role {id}"),
        AuditSubject::Department(id) => format!("department {id}"),
        AuditSubject::Team(id) => format!("team {id}"),
        AuditSubject::Settings(_) => "settings".to_owned(),
        AuditSubject::ScimKey(id) => format!("SCIM key {}", output::visible(id)),
        AuditSubject::Job(id) => format!("job {}", &id.as_str()[..SHOWN_ID]),
        AuditSubject::Route(route) => output::visible(route),
    }
}

fn by(entry: &AuditEntry, names: &Names) -> String {
    let by = entry.by.as_ref().map_or_else(|| "the table, by hand".to_owned(), |by| names.actor(by));
    match &entry.asked_by {
        Some(asked_by) => format!("{by} ({})", names.actor(asked_by)),
        None => by,
    }
}

fn what(entry: &AuditEntry) -> Cell {
    let (word, tone) = match entry.change {
        AuditAction::Created => ("created", Some(Tone::Good)),
        AuditAction::Deleted => ("deleted", Some(Tone::Doubtful)),
        AuditAction::Changed => ("", None),
        AuditAction::Executed => ("executed", Some(Tone::Good)),
        AuditAction::Discarded => ("discarded", Some(Tone::Doubtful)),
        AuditAction::Undone => ("undone", Some(Tone::Doubtful)),
        AuditAction::Refused => ("refused", Some(Tone::Bad)),
    };
    let policy = change(entry.policy, policy);
    let state = change(entry.state, NumberState::as_str);
    let fields = entry.fields.iter().map(|(name, change)| field(name, change));
    let words = [word.to_owned(), entry.code.clone().unwrap_or_default(), policy, state];
    let words: Vec<_> = words.into_iter().chain(fields).filter(|word| !word.is_empty()).collect();
    match tone {
        Some(tone) => Cell::toned(words.join(", "), tone),
        None => words.join(", ").into(),
    }
}

/// What else changed; of personal data the name alone.
fn field(name: &str, change: &FromTo<String>) -> String {
    let shown = |value: &Option<String>| value.as_deref().map(output::visible);
    match (shown(&change.from), shown(&change.to)) {
        (Some(from), Some(to)) => format!("{name} {from} to {to}"),
        (None, Some(one)) => format!("{name} {one}"),
        (Some(_), None) => format!("no {name}"),
        (None, None) => name.to_owned(),
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
