//! `rollcall users many`: one change of many users, as one job.

use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use clap::Args;
use rollcall_model::user::LoginId;
use serde_json::{Map, Value, json};

use super::Filters;
use crate::args::AccountArg;
use crate::client::StackClient;
use crate::confirm::ConfirmArgs;
use crate::output::{count, counted};
use crate::stack_selector::StackSelector;
use crate::upload_file::FollowArgs;

/// What can be set of many users at once, by its name in the API.
const FIELDS: [&str; 5] = ["agent_status", "web_login", "role", "department", "team"];

/// Options of `rollcall users many`.
#[derive(Debug, Args)]
#[command(after_help = "\
What would be done is shown first, and then asked for, unless --yes is given. It is about those who match at the moment of the command, and can be undone: \
rollcall undo latest.

Exit code 0 says that every row was applied, or there was nothing to do for it, 1 that some were not, 3 that nothing was changed since nobody said yes, \
130 that Ctrl-C ended the question, or the watching (the job goes on).

Examples:
  rollcall users many --department sales --append 9876500001
  rollcall users many user1 user2 --set agent-status=disabled
  rollcall users many --all --set team=north --yes")]
pub struct Many {
    /// Login IDs of those who are meant; without them, all that the filters let through
    #[arg(value_parser = LoginId::parse)]
    logins: Vec<LoginId>,
    #[command(flatten)]
    filters: Filters,
    /// Everybody, where no filter says who is meant
    #[arg(long)]
    all: bool,
    /// A number that comes onto their lists; may be given several times
    #[arg(long, value_name = "NUMBER")]
    append: Vec<String>,
    /// What they are from now on: agent-status, web-login, role, department or team; may be given several times
    #[arg(long, value_name = "FIELD=VALUE", value_parser = field)]
    set: Vec<(&'static str, String)>,
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    consent: ConfirmArgs,
    #[command(flatten)]
    watch: FollowArgs,
}

impl Many {
    /// Asks for the job, and follows it.
    ///
    /// # Errors
    /// If it isn't said who or what is meant, or the stack can't be asked.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        self.watch.check()?;
        let (mut body, who) = self.who()?;
        match (self.append.is_empty(), self.set.is_empty()) {
            (false, true) => drop(body.insert("append".to_owned(), json!(self.append))),
            (true, false) => {
                let fields: Map<_, _> =
                    self.set.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
                body.insert("set".to_owned(), fields.into());
            }
            _ => bail!("say what is to be done: either --append NUMBER or --set FIELD=VALUE"),
        }
        body.insert("preview".to_owned(), self.consent.asks().into());
        let what = if self.set.is_empty() {
            format!("Append {} to the lists of {who}", counted(self.append.len() as u64, "number", "numbers"))
        } else {
            let set: Vec<_> =
                self.set.iter().map(|(name, value)| format!("{} {value}", name.replace('_', " "))).collect();
            format!("Set {} of {who}", set.join(", "))
        };
        let stack = StackClient::open(place, &self.whose).await?;
        let id = stack.ask_for(&["v1", "users", "jobs"], &Value::from(body)).await?;
        self.watch.run(&stack, &id, self.consent, &what).await
    }

    /// Who is meant, as the API takes it and in words.
    fn who(&self) -> Result<(Map<String, Value>, String)> {
        let filter = self.filters.fields();
        let ways = [!self.logins.is_empty(), !filter.is_empty(), self.all];
        if ways.into_iter().filter(|way| *way).count() != 1 {
            bail!("say who is meant: by login IDs, by filters such as --department, or everybody by --all");
        }
        if self.logins.is_empty() {
            let who = if self.all { "everybody" } else { "all that match" };
            return Ok((Map::from_iter([("filter".to_owned(), filter.into())]), who.to_owned()));
        }
        let who =
            format!("{} {}", count(self.logins.len() as u64), if self.logins.len() == 1 { "user" } else { "users" });
        Ok((Map::from_iter([("logins".to_owned(), json!(self.logins))]), who))
    }
}

fn field(text: &str) -> Result<(&'static str, String)> {
    let wanted =
        || anyhow!("write it so: agent-status=disabled; the fields are {}", FIELDS.join(", ").replace('_', "-"));
    let (name, value) = text.split_once('=').ok_or_else(wanted)?;
    let name = name.trim().replace('-', "_");
    let name = FIELDS.into_iter().find(|field| *field == name).ok_or_else(wanted)?;
    Ok((name, value.trim().to_owned()))
}
