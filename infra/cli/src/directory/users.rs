//! `rollcall directory users`: who is in the tenant.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use rollcall_api_types::DirectoryUserView;
use rollcall_model::email::EmailAddress;

use super::explained;
use crate::api::Failure;
use crate::args::AccountArg;
use crate::client::StackClient;
use crate::list::{ListArgs, Listed};
use crate::output::{Cell, Column};
use crate::stack_selector::StackSelector;

/// Options of `rollcall directory users`.
#[derive(Debug, Args)]
pub struct Users {
    /// How a word of the name, the address or the login name begins
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    list: ListArgs,
}

impl Users {
    /// Lists them.
    ///
    /// # Errors
    /// If the stack or the directory can't be asked.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let query: Vec<_> = self.search.iter().map(|search| ("search", search.as_str())).collect();
        let listed = Listed {
            columns: ["Login", "Name", "E-mail", "Phone", "Enabled", "Object ID", "User here"]
                .map(Column::text)
                .to_vec(),
            row: &|user| (row(user), None),
            wanted: &|_: &DirectoryUserView| true,
            none: "The directory has nobody to show.\n".to_owned(),
        };
        let printed = self.list.print(&stack, &["v1", "directory", "users"], &query, listed).await;
        printed.map_err(|error| match error.downcast::<Failure>() {
            Ok(failure) => explained(&stack, failure),
            Err(other) => other,
        })
    }
}

fn row(user: &DirectoryUserView) -> Vec<Cell> {
    vec![
        Cell::from(user.login.as_str()),
        Cell::from(user.name.as_str()),
        Cell::from(user.email.as_ref().map(EmailAddress::as_str).unwrap_or_default()),
        user.phone.map(|phone| phone.to_string()).unwrap_or_default().into(),
        if user.enabled { "yes" } else { "no" }.into(),
        Cell::from(user.id.as_str()),
        Cell::from(user.user.as_deref().unwrap_or_default()),
    ]
}
