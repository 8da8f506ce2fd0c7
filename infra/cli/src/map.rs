//! `rollcall map` and `unmap`: who a CRM user is.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use rollcall_api_types::MappingView;
use rollcall_model::email::EmailAddress;
use rollcall_model::mapping::{CrmUserId, GivenMapping};
use rollcall_model::phone_side::PhoneUserId;
use rollcall_model::user::LoginId;

use crate::client::{StackClient, found};
use crate::mappings::phone_users;
use crate::output::{self, visible};
use crate::stack_selector::StackSelector;
use crate::{args::AccountArg, args::OutputFormat};

/// Options of `rollcall map`.
#[derive(Debug, Args)]
#[command(after_help = "\
What was said of the CRM user before is replaced. Numbers show after the next resync.

Examples:
  rollcall map 0057F000001 --email asha@example.com
  rollcall map 0057F000001 --to user1
  rollcall map 0057F000001 --login asha --json")]
pub struct Map {
    /// What the CRM calls the user
    #[arg(value_parser = CrmUserId::parse)]
    crm_user: CrmUserId,
    #[command(flatten)]
    said: Said,
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    form: OutputFormat,
}

/// What is said of the CRM user.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct Said {
    /// The phone user, by the phone system's ID: in the built-in directory, the login ID
    #[arg(long, value_name = "PHONE_USER", value_parser = PhoneUserId::parse)]
    to: Option<PhoneUserId>,
    /// The CRM user's e-mail address, by which resyncs find the phone user
    #[arg(long, value_name = "ADDRESS")]
    email: Option<EmailAddress>,
    /// The CRM user's login, by which they find the phone user where no address does
    #[arg(long, value_name = "LOGIN", value_parser = LoginId::parse)]
    login: Option<LoginId>,
}

/// Options of `rollcall unmap`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  rollcall unmap 0057F000001")]
pub struct Unmap {
    /// What the CRM calls the user
    #[arg(value_parser = CrmUserId::parse)]
    crm_user: CrmUserId,
    #[command(flatten)]
    whose: AccountArg,
}

impl Map {
    /// Writes the mapping.
    ///
    /// # Errors
    /// If the stack can't be asked, or the built-in directory has no such user.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let given = GivenMapping { email: self.said.email, login: self.said.login, phone_user: self.said.to };
        let path = ["v1", "mappings", self.crm_user.as_str()];
        let mapping: MappingView = stack.api.put(&path, &given).await?;
        if self.form.json {
            output::print_json(&mapping)?;
            return Ok(ExitCode::SUCCESS);
        }
        let crm_user = visible(mapping.crm_user.as_str());
        let phone_user = visible(&phone_users(&mapping.state));
        let resync = stack.hint("resync");
        output::print(&match mapping.state.phone_user() {
            Some(_) if mapping.permission.is_some() => format!("{crm_user} is {phone_user}, as before.\n"),
            Some(_) => format!("{crm_user} is {phone_user}, and sees that one's numbers after: {resync}\n"),
            None => format!("Who {crm_user} is, is found out by: {resync}\n"),
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Unmap {
    /// Takes the mapping away.
    ///
    /// # Errors
    /// If the stack can't be asked, or there is no such mapping.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let crm_user = visible(self.crm_user.as_str());
        let taken = stack.api.delete(&["v1", "mappings", self.crm_user.as_str()]).await;
        if found(taken)?.is_none() {
            bail!("the account {} has no mapping of {crm_user}", stack.account);
        }
        output::print(&format!("{crm_user} sees no numbers any more.\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}
