//! `rollcall directory connect`: keeps what opens a tenant.

use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use console::Term;
use rollcall_connectors::Http;
use rollcall_connectors::entra::{Credentials, Endpoints, Entra, SECRET, Tenant, Which};
use rollcall_model::account::AccountId;
use rollcall_model::secret::SecretText;
use tokio::time::Instant;

use crate::local::{Connection, output as output_of};
use crate::{args::AccountArg, output, stack_selector::hint};

/// How long the directory has for an answer that somebody waits for.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The outputs of the template that say where Entra ID is.
const LOGIN: &str = "EntraLoginUrl";
const GRAPH: &str = "GraphUrl";

/// Options of `rollcall directory connect`.
#[derive(Debug, Args)]
#[command(after_help = "\
The application's secret is asked for, or read from standard input; it is never an argument, where others could see it. It is \
kept only if the tenant lets the application list a user.

Examples:
  rollcall directory connect --tenant contoso.onmicrosoft.com --client-id 11111111-2222-3333-4444-555555555555
  pass show entra | rollcall directory connect --tenant contoso.onmicrosoft.com --client-id …")]
pub struct Connect {
    /// The tenant: its ID, or one of its domains
    #[arg(long, value_parser = Tenant::parse)]
    tenant: Tenant,
    /// The application's (client) ID
    #[arg(long, value_name = "ID")]
    client_id: String,
    #[command(flatten)]
    whose: AccountArg,
}

impl Connect {
    /// Tries the credentials, and keeps them.
    ///
    /// # Errors
    /// If there is no secret, or the tenant doesn't take it.
    pub async fn run(self, dir: &Path) -> Result<ExitCode> {
        let stack = Connection::open(dir).await?;
        let account = self.whose.here();
        let credentials = Credentials { tenant: self.tenant, client_id: self.client_id, client_secret: read_secret()? };
        let entra = open(&stack, &account, credentials.clone()).await?;
        let bar = output::progress(true);
        bar.set_message("asking the tenant for a user");
        let asked = entra.list(Which::All, 1).map_err(connector_error)?.next(Instant::now() + TIMEOUT).await;
        bar.finish_and_clear();
        asked.map_err(connector_error)?;
        stack.secrets.put(&account, SECRET, &credentials).await?;
        let list = hint(dir, Some(&account), "directory users");
        output::print(&format!(
            "The account {account} is connected to {}. List its users with: {list}\n",
            output::visible(credentials.tenant.as_str())
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn read_secret() -> Result<SecretText> {
    let secret = if io::stdin().is_terminal() {
        let term = Term::stderr();
        term.write_str("Secret of the application: ").context("could not ask for the secret")?;
        term.read_secure_line().context("could not read the secret")?
    } else {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).context("could not read the secret from standard input")?;
        text
    };
    let secret = secret.trim();
    if secret.is_empty() { Err(anyhow!("the secret is empty")) } else { Ok(SecretText::new(secret)) }
}

/// The tenant that these credentials open.
async fn open(stack: &Connection, account: &AccountId, credentials: Credentials) -> Result<Entra> {
    let url = |name| output_of(&stack.manifest, name)?.parse().context(format!("the template's output {name}"));
    let endpoints = Endpoints { login: url(LOGIN)?, graph: url(GRAPH)? };
    let country = stack.country(account).await?;
    Ok(Entra::new(Http::new().map_err(connector_error)?, endpoints, credentials, country))
}

/// An error of the directory, which names its operation itself.
#[expect(clippy::needless_pass_by_value, reason = "what `map_err` takes")]
fn connector_error(error: rollcall_connectors::ConnectorError) -> anyhow::Error {
    anyhow::Error::msg(error.chain())
}
