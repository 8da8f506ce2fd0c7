//! Changes of one user.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use rollcall_api_types::{AppendRequest, AppendView, CallerIdsView, UserView};
use rollcall_model::catalog::CatalogKind;
use rollcall_model::user::Action;
use serde_json::{Map, Value, json};

use super::{lists, with_lists};
use crate::catalog;
use crate::client::{StackClient, request_id};
use crate::confirm::{Answer, ConfirmArgs, refused};
use crate::output::{self, counted};
use crate::stack_selector::StackSelector;
use crate::{args::AccountArg, args::OutputFormat};

/// What is said of a user.
#[derive(Debug, Args)]
struct ProfileArgs {
    /// E-mail address, unique in the account
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Where calls are forwarded to
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// What the user's calls show where nothing else is said: one that the user may dial from
    #[arg(long, value_name = "NUMBER")]
    default_caller_id: Option<String>,
    /// Role, by its ID or name
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Department, by its ID or name
    #[arg(long, value_name = "DEPARTMENT")]
    department: Option<String>,
    /// Team, by its ID or name
    #[arg(long, value_name = "TEAM")]
    team: Option<String>,
    /// Designation
    #[arg(long, value_name = "TEXT")]
    designation: Option<String>,
    /// Login of the extension, which is also what colleagues dial
    #[arg(long, value_name = "LOGIN")]
    extension: Option<String>,
    /// The user makes and takes calls; `=false`: doesn't
    #[arg(long, value_name = "YES", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    calling_agent: Option<bool>,
}

impl ProfileArgs {
    /// As fields of a profile. Roles, departments and teams are looked up.
    async fn fields(&self, stack: &StackClient) -> Result<Map<String, Value>> {
        let mut fields = Map::new();
        let texts = [
            ("email", &self.email),
            ("call_forward_number", &self.phone),
            ("default_caller_id", &self.default_caller_id),
            ("designation", &self.designation),
        ];
        for (name, value) in texts {
            fields.extend(value.as_ref().map(|value| (name.to_owned(), json!(value))));
        }
        let named = [
            (CatalogKind::Role, "role", &self.role),
            (CatalogKind::Department, "department", &self.department),
            (CatalogKind::Team, "team", &self.team),
        ];
        for (kind, name, value) in named {
            if let Some(value) = value {
                fields.insert(name.to_owned(), json!(catalog::resolve(stack, kind, value).await?));
            }
        }
        if let Some(login) = &self.extension {
            fields.insert("extension".to_owned(), json!({ "login": login, "intercom": login, "active": true }));
        }
        fields.extend(self.calling_agent.map(|calling| ("calling_agent".to_owned(), json!(calling))));
        Ok(fields)
    }
}

/// Options of `rollcall users add`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  rollcall users add maya --name \"Maya Pillai\" --role agent --department sales --calling-agent")]
pub struct Add {
    /// The login ID; it never changes
    login: String,
    /// The user's name
    #[arg(long, value_name = "NAME")]
    name: String,
    #[command(flatten)]
    profile: ProfileArgs,
    /// The login ID is meant, though it looks like something else
    #[arg(long)]
    login_confirmed: bool,
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    form: OutputFormat,
}

impl Add {
    /// Creates the user.
    ///
    /// # Errors
    /// If the stack can't be asked, or takes no such user.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let mut fields = self.profile.fields(&stack).await?;
        fields.insert("login".to_owned(), json!(self.login));
        fields.insert("name".to_owned(), json!(self.name));
        if self.login_confirmed {
            fields.insert("login_confirmed".to_owned(), json!(true));
        }
        let user: UserView = stack.api.post(&["v1", "users"], &fields, &request_id()).await?;
        show(&stack, user, self.form).await
    }
}

/// A field that can be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Field {
    Email,
    Phone,
    DefaultCallerId,
    Role,
    Department,
    Team,
    Designation,
    Extension,
}

impl Field {
    fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "call_forward_number",
            Self::DefaultCallerId => "default_caller_id",
            Self::Role => "role",
            Self::Department => "department",
            Self::Team => "team",
            Self::Designation => "designation",
            Self::Extension => "extension",
        }
    }
}

/// Options of `rollcall users edit`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rollcall users edit maya --team north --clear designation
  rollcall users edit maya --policy department
  rollcall users edit maya --give 9876500001 --give 9876500002 --take 9876500009")]
pub struct Edit {
    /// The login ID
    login: String,
    /// The user's name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    profile: ProfileArgs,
    /// Take a field away
    #[arg(long, value_name = "FIELD")]
    clear: Vec<Field>,
    /// Which numbers the user may dial from: all, department or custom
    #[arg(long, value_name = "POLICY")]
    policy: Option<String>,
    /// Put a number on the user's list
    #[arg(long, value_name = "NUMBER")]
    give: Vec<String>,
    /// Take a number off the user's list
    #[arg(long, value_name = "NUMBER")]
    take: Vec<String>,
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    form: OutputFormat,
}

impl Edit {
    /// Changes the user.
    ///
    /// # Errors
    /// If the stack can't be asked, nobody has the login ID, or a change can't be: what stands before it is done.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let path = ["v1", "users", self.login.as_str()];
        let mut fields = self.profile.fields(&stack).await?;
        fields.extend(self.name.map(|name| ("name".to_owned(), json!(name))));
        fields.extend(self.clear.iter().map(|field| (field.name().to_owned(), Value::Null)));
        if fields.is_empty() && self.policy.is_none() && self.give.is_empty() && self.take.is_empty() {
            bail!("nothing is to be changed: see --help for what can be");
        }
        let mut user: UserView =
            if fields.is_empty() { stack.api.get(&path, &[]).await } else { stack.api.patch(&path, &fields).await }?;
        if let Some(policy) = &self.policy {
            let path = [path[0], path[1], path[2], "caller-id-policy"];
            user = stack.api.put(&path, &json!({ "policy": policy })).await?;
        }
        let lists = [path[0], path[1], path[2], "caller-ids"];
        for number in &self.take {
            let number = on_list(&stack, &lists, number).await?;
            stack.api.delete(&[lists[0], lists[1], lists[2], lists[3], &number]).await?;
        }
        if !self.give.is_empty() {
            let request = AppendRequest { caller_ids: self.give };
            let appended: AppendView = stack.api.post(&lists, &request, &request_id()).await?;
            if let Some(refused) = appended.refused.first() {
                bail!("{} can't come onto the list: {}", output::visible(&refused.value), refused.code.as_str());
            }
        }
        show(&stack, user, self.form).await
    }
}

/// The number of a user's list that somebody has typed.
async fn on_list(stack: &StackClient, path: &[&str], typed: &str) -> Result<String> {
    /// Digits that are enough to mean one number of a list.
    const ENOUGH: usize = 7;
    let list: CallerIdsView = stack.api.get(path, &[]).await?;
    let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    let found: Vec<String> = list
        .caller_ids
        .iter()
        .map(ToString::to_string)
        .filter(|has| digits.len() >= ENOUGH && has.ends_with(digits))
        .collect();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => bail!("{} is not on the list of {}", output::visible(typed), path[2]),
        several => bail!("{} may be {}: write more of it", output::visible(typed), several.join(" or ")),
    }
}

/// Options of `rollcall users delete`.
#[derive(Debug, Args)]
#[command(after_help = "\
It asks before, unless --yes is given. What a user had can't be brought back by an undo.

Exit code 0 says that it was done, 3 that nothing was changed since nobody said yes, 130 that Ctrl-C ended the question.

Example:
  rollcall users delete maya")]
pub struct Delete {
    /// The login ID
    login: String,
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    consent: ConfirmArgs,
}

impl Delete {
    /// Deletes the user.
    ///
    /// # Errors
    /// If the stack can't be asked, or nobody has the login ID.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let path = ["v1", "users", self.login.as_str()];
        let user: UserView = stack.api.get(&path, &[]).await?;
        let list: CallerIdsView = stack.api.get(&[path[0], path[1], path[2], "caller-ids"], &[]).await?;
        let question = format!(
            "Delete the user {} ({}, with {}) for good?",
            user.login,
            output::visible(user.profile.name.as_str()),
            counted(list.caller_ids.len() as u64, "number", "numbers")
        );
        match self.consent.ask(&question).await? {
            Answer::Yes => {}
            answer => return Ok(refused(answer)),
        }
        stack.api.delete(&path).await?;
        eprintln!("The user {} is deleted.", user.login);
        Ok(ExitCode::SUCCESS)
    }
}

/// Options of `rollcall users block` and the like.
#[derive(Debug, Args)]
pub struct Act {
    /// The login ID
    login: String,
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    form: OutputFormat,
}

impl Act {
    /// Does it.
    ///
    /// # Errors
    /// If the stack can't be asked, nobody has the login ID, or the action isn't legal from where the user is.
    pub async fn run(self, place: &StackSelector, action: Action) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let path = ["v1", "users", self.login.as_str(), "actions", action.as_str()];
        let user: UserView = stack.api.post(&path, &json!({}), &request_id()).await?;
        if self.form.json {
            output::print_json(&user)?;
        } else {
            let (agent, web) = (user.agent_status.as_str(), user.web_login.as_str());
            output::print(&format!("The agent {} is {agent}, its web login {web}.\n", user.login))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn show(stack: &StackClient, user: UserView, form: OutputFormat) -> Result<ExitCode> {
    if form.json {
        output::print_json(&user)?;
    } else {
        let users = with_lists(stack, vec![user]).await.context("the change is done, but can't be shown")?;
        output::print(&lists(&users))?;
    }
    Ok(ExitCode::SUCCESS)
}
