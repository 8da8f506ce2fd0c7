//! `rollcall users`: who there is, who may dial from what, and changes of one.

mod change;
mod many;
mod show;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use rollcall_api_types::UserView;
use rollcall_model::caller_id::CallerId;
use rollcall_model::user::{Action, Policy, Ref};
use serde_json::{Map, Value, json};

use crate::args::AccountArg;
use crate::client::StackClient;
use crate::list::{ListArgs, Listed};
use crate::output::{Cell, Column, Tone};
use crate::stack_selector::StackSelector;

pub use show::{lists, with_lists};

/// Options of `rollcall users`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Without a login ID all users are listed by name, or those that the filters name.

Examples:
  rollcall users --department sales --agent-status blocked
  rollcall users --switch failed
  rollcall users --csv > users.csv
  rollcall users user1 user2 --json
  rollcall users add maya --name \"Maya Pillai\" --role agent --calling-agent
  rollcall users edit maya --team north --give 9876500001
  rollcall users block maya
  rollcall users many --department sales --set agent-status=disabled"
)]
pub struct Users {
    #[command(subcommand)]
    change: Option<Change>,
    /// Login IDs whose caller IDs to show
    logins: Vec<String>,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    list: ListArgs,
}

/// Which users to list.
#[derive(Debug, Args)]
struct Filters {
    /// Part of the name, the e-mail address or the login ID
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Those with this role, by its ID
    #[arg(long, value_name = "ID", value_parser = Ref::parse)]
    role: Option<Ref>,
    /// Those in this department, by its ID
    #[arg(long, value_name = "ID", value_parser = Ref::parse)]
    department: Option<Ref>,
    /// Those in this team, by its ID
    #[arg(long, value_name = "ID", value_parser = Ref::parse)]
    team: Option<Ref>,
    /// enabled, disabled or blocked
    #[arg(long, value_name = "STATUS")]
    agent_status: Option<String>,
    /// active or blocked
    #[arg(long, value_name = "STATUS")]
    web_login: Option<String>,
    /// Those who make and take calls, or don't: true or false
    #[arg(long, value_name = "YES")]
    calling_agent: Option<bool>,
    /// Those with an extension, or without: true or false
    #[arg(long, value_name = "YES")]
    has_extension: Option<bool>,
    /// Those whose list stands so in the phone system: `in_step`, `pending`, `failed`, `not_there` or `unverified`
    #[arg(long, value_name = "STATE")]
    switch: Option<String>,
}

impl Filters {
    /// As a request has them.
    fn fields(&self) -> Map<String, Value> {
        let id = |id: &Option<Ref>| id.as_ref().map(|id| json!(id));
        let fields = [
            ("search", self.search.as_ref().map(|text| json!(text))),
            ("role", id(&self.role)),
            ("department", id(&self.department)),
            ("team", id(&self.team)),
            ("agent_status", self.agent_status.as_ref().map(|status| json!(status))),
            ("web_login", self.web_login.as_ref().map(|status| json!(status))),
            ("calling_agent", self.calling_agent.map(Value::from)),
            ("has_extension", self.has_extension.map(Value::from)),
            ("switch", self.switch.as_ref().map(|state| json!(state))),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

#[derive(Debug, Subcommand)]
enum Change {
    /// Create a user
    Add(change::Add),
    /// Change a user's profile, policy or list
    Edit(change::Edit),
    /// Delete a user
    Delete(change::Delete),
    /// Block an agent: no calls until it is enabled again
    Block(change::Act),
    /// Enable an agent that is disabled or blocked
    Enable(change::Act),
    /// Disable an agent: no calls for the time being
    Disable(change::Act),
    /// Let a user log in to the web application again
    Unblock(change::Act),
    /// Change many users at once, as one job that can be undone
    Many(many::Many),
}

impl Users {
    /// Does what it says.
    ///
    /// # Errors
    /// If the stack can't be asked, or nobody has one of the login IDs.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        match self.change {
            Some(Change::Add(add)) => add.run(place).await,
            Some(Change::Edit(edit)) => edit.run(place).await,
            Some(Change::Delete(delete)) => delete.run(place).await,
            Some(Change::Block(act)) => act.run(place, Action::BlockAgent).await,
            Some(Change::Enable(act)) => act.run(place, Action::EnableAgent).await,
            Some(Change::Disable(act)) => act.run(place, Action::DisableAgent).await,
            Some(Change::Unblock(act)) => act.run(place, Action::UnblockWebLogin).await,
            Some(Change::Many(many)) => many.run(place).await,
            None => {
                let stack = StackClient::open(place, &self.whose).await?;
                if self.logins.is_empty() {
                    list(&stack, &self.filters, self.list).await
                } else {
                    show::show(&stack, &self.logins, self.list.json).await
                }
            }
        }
    }
}

async fn list(stack: &StackClient, filters: &Filters, form: ListArgs) -> Result<ExitCode> {
    let fields = filters.fields();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let asked: Vec<(&str, String)> = fields.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
    let query: Vec<(&str, &str)> = asked.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let make = stack.hint_here("seed").unwrap_or_else(|| stack.hint("upload FILE"));
    let none = if query.is_empty() {
        format!("The account {} has no users: is its name written right? Make some with: {make}\n", stack.account)
    } else {
        format!("The account {} has no such user.\n", stack.account)
    };
    let columns = ["Login ID", "Name", "Role", "Department", "Team", "Agent", "Web login", "Policy"];
    let columns = columns.map(Column::text).to_vec();
    let listed = Listed { columns, row: &|user| (row(user), None), wanted: &|_| true, none };
    form.print(stack, &["v1", "users"], &query, listed).await
}

fn row(user: &UserView) -> Vec<Cell> {
    let profile = &user.profile;
    let id = |id: &Option<Ref>| Cell::from(id.as_ref().map(Ref::as_str).unwrap_or_default());
    let agent = if profile.calling_agent { user.agent_status.as_str() } else { "" };
    let tone = |is_usual| if is_usual { Tone::Plain } else { Tone::Doubtful };
    vec![
        user.login.as_str().into(),
        profile.name.as_str().into(),
        id(&profile.role),
        id(&profile.department),
        id(&profile.team),
        Cell::toned(agent, tone(agent.is_empty() || agent == "enabled")),
        Cell::toned(user.web_login.as_str(), tone(user.web_login.as_str() == "active")),
        policy(user.policy).into(),
    ]
}

/// Numbers in a row.
pub fn numbers(numbers: &[CallerId]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// A policy as people name it.
pub fn policy(policy: Policy) -> &'static str {
    policy.as_str()
}
