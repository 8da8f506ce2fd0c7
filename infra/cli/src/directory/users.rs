//! `rollcall directory users`: who is in the tenant.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use rollcall_api_types::DirectoryUserView;
use rollcall_model::email::EmailAddress;

use super::explained;
use crate::client::StackClient;
use crate::output::{self, Cell, Column, Table};
use crate::stack_selector::StackSelector;
use crate::{args::AccountArg, args::OutputFormat};

/// Options of `rollcall directory users`.
#[derive(Debug, Args)]
pub struct Users {
    /// How a word of the name, the address or the login name begins
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    #[command(flatten)]
    whose: AccountArg,
    /// How many to list at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    form: OutputFormat,
}

impl Users {
    /// Lists them.
    ///
    /// # Errors
    /// If the stack or the directory can't be asked.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let bar = output::progress(!self.form.json);
        bar.set_message("asking the tenant for its users");
        let query: Vec<_> = self.search.iter().map(|search| ("search", search.as_str())).collect();
        let listed = stack.api.list(&["v1", "directory", "users"], &query, self.limit, |_| true).await;
        bar.finish_and_clear();
        let (users, more): (Vec<DirectoryUserView>, _) = listed.map_err(|failure| explained(&stack, failure))?;
        if self.form.json {
            output::print_json(&users)?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut table = Table::new([
            Column::text("Login"),
            Column::text("Name"),
            Column::text("E-mail"),
            Column::text("Phone"),
            Column::text("Enabled"),
            Column::text("Object ID"),
            Column::text("User here"),
        ]);
        for user in &users {
            let phone = user.phone.map(|phone| phone.to_string()).unwrap_or_default();
            table.row([
                Cell::from(user.login.as_str()),
                Cell::from(user.name.as_str()),
                Cell::from(user.email.as_ref().map(EmailAddress::as_str).unwrap_or_default()),
                phone.into(),
                if user.enabled { "yes" } else { "no" }.into(),
                Cell::from(user.id.as_str()),
                Cell::from(user.user.as_deref().unwrap_or_default()),
            ]);
        }
        let text = if table.is_empty() {
            "The directory has nobody to show.\n".to_owned()
        } else {
            table.render(output::columns(), 0)
        };
        output::print_list(text, more, self.limit)?;
        Ok(ExitCode::SUCCESS)
    }
}
