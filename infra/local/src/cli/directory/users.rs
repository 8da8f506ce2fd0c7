//! `rollcall directory users`: who is in the tenant.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use rollcall_model::caller_id::CallerId;
use rollcall_model::directory_import::{DirectoryUser, Phone};
use rollcall_model::email::EmailAddress;
use rollcall_model::user::{Claim, DirectoryId, LoginId, Name};
use rollcall_platform::directory::BulkWork;
use rollcall_remote::entra::{MAX_PAGE, Which};
use serde::Serialize;
use tokio::time::Instant;

use super::super::connect::{Connection, told};
use super::super::output::{self, Cell, Column, Table};
use super::super::{Form, Whose};
use super::{PATIENCE, credentials, failed, open};
use crate::stack::Result;

/// Options of `rollcall directory users`.
#[derive(Debug, Args)]
pub struct Users {
    /// How a word of the name, the address or the login name begins
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    #[command(flatten)]
    whose: Whose,
    /// How many to list at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    form: Form,
}

/// A user of the tenant, as machines read it.
#[derive(Serialize)]
struct Shown {
    id: DirectoryId,
    login: LoginId,
    name: Name,
    email: Option<EmailAddress>,
    phone: Option<CallerId>,
    enabled: bool,
    /// The login ID of the user here, once imported.
    user: Option<String>,
}

impl Users {
    /// Lists them.
    ///
    /// # Errors
    /// If the stack or the directory can't be asked.
    pub async fn run(self, dir: &Path) -> Result<ExitCode> {
        let stack = Connection::open(dir).await?;
        let account = &self.whose.account;
        let entra = open(&stack, account, credentials(&stack, account, dir).await?).await?;
        let until = Instant::now() + PATIENCE;
        let which = self.search.as_deref().map_or(Which::All, Which::Search);
        // One more tells whether there are more.
        let wanted = self.limit.saturating_add(1);
        let mut pages = entra.list(which, wanted.min(MAX_PAGE)).map_err(failed)?;
        let mut users = Vec::new();
        let bar = output::progress(!self.form.json);
        while users.len() < wanted
            && let Some(page) = pages.next(until).await.map_err(failed)?
        {
            users.extend(page);
            bar.set_message(format!("{} users", output::count(users.len() as u64)));
        }
        bar.finish_and_clear();
        let more = users.len() > self.limit;
        users.truncate(self.limit);

        let claims = users.iter().map(|user| Claim::DirectoryId(user.id.clone()));
        let mut linked =
            stack.directory.owners(account, claims, until, &mut BulkWork::default()).await.map_err(told)?;
        let mut user_of = |user: &DirectoryUser| linked.remove(&Claim::DirectoryId(user.id.clone()));
        if self.form.json {
            let shown: Vec<_> = users.into_iter().map(|user| Shown::of(user_of(&user), user)).collect();
            output::print_json(&shown)?;
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
            let phone = match user.phone {
                Phone::Number(number) => number.to_string(),
                Phone::None => String::new(),
                Phone::Unreadable => "(unreadable)".to_owned(),
            };
            table.row([
                Cell::from(user.login.as_str()),
                Cell::from(user.name.as_str()),
                Cell::from(user.email.as_ref().map(EmailAddress::as_str).unwrap_or_default()),
                phone.into(),
                if user.enabled { "yes" } else { "no" }.into(),
                Cell::from(user.id.as_str()),
                Cell::from(user_of(user).unwrap_or_default()),
            ]);
        }
        let mut text = if table.is_empty() {
            "The directory has nobody to show.\n".to_owned()
        } else {
            table.render(output::columns(), 0)
        };
        if more {
            let _ = writeln!(text, "There are more: list them with --limit. These are the first {}.", self.limit);
        }
        output::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Shown {
    fn of(linked: Option<String>, user: DirectoryUser) -> Self {
        let phone = user.phone.number();
        Self {
            id: user.id,
            login: user.login,
            name: user.name,
            email: user.email,
            phone,
            enabled: user.enabled,
            user: linked,
        }
    }
}
