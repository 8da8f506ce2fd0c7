//! `rollcall phone-system`: which phone system the account has.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Args;
use rollcall_api_types::PhoneSystemChoice;
use rollcall_connectors::{smartflo, zoom_phone};
use rollcall_model::account::AccountId;
use rollcall_model::settings::PhoneSystem;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::StackClient;
use crate::local::Connection;
use crate::settings::phone_system;
use crate::stack_selector::StackSelector;
use crate::upload_file::read;
use crate::{args::AccountArg, args::OutputFormat, output};

/// Options of `rollcall phone-system`.
#[derive(Debug, Args)]
#[command(after_help = "\
builtin is this directory itself, snapshot the files that are dropped under inbox/{account}/phone-snapshot/. The others are asked over \
HTTP and need a secret, which is JSON and never an argument, where others could see it:
  smartflo    {\"email\": …, \"password\": …}; of Acefone {\"login_id\": …, \"password\": …}
  zoom-phone  {\"account_id\": …, \"client_id\": …, \"client_secret\": …}
Mappings stay as they are until the next resync.

Examples:
  rollcall phone-system
  rollcall phone-system snapshot
  pass show zoom | rollcall phone-system zoom-phone --secret-from -")]
pub struct ChoosePhoneSystem {
    /// builtin, snapshot, smartflo or zoom-phone; without one, the account's is shown
    #[arg(value_name = "NAME", value_parser = phone_system)]
    system: Option<PhoneSystem>,
    /// The file of its secret; "-" reads standard input. For the stack on this machine
    #[arg(long, value_name = "FILE", requires = "system")]
    secret_from: Option<PathBuf>,
    #[command(flatten)]
    whose: AccountArg,
    #[command(flatten)]
    form: OutputFormat,
}

impl ChoosePhoneSystem {
    /// Shows or chooses it.
    ///
    /// # Errors
    /// If the stack can't be asked, or the secret is not one of this phone system.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        const PATH: [&str; 2] = ["v1", "phone-system"];
        let stack = StackClient::open(place, &self.whose).await?;
        let account = &stack.account;
        // Before the choice, so that no resync meets a phone system that nothing opens.
        if let (Some(file), Some(system)) = (&self.secret_from, self.system) {
            let dir = place.here("phone-system --secret-from")?;
            keep_secret(&Connection::open(dir).await?, account, system, &read(file)?).await?;
        }
        let chosen: PhoneSystemChoice = match self.system {
            Some(system) => stack.api.put(&PATH, &PhoneSystemChoice { system }).await,
            None => stack.api.get(&PATH, &[]).await,
        }?;
        if self.form.json {
            output::print_json(&chosen)?;
        } else {
            let resync = match chosen.system {
                PhoneSystem::Snapshot => stack.hint("resync --snapshot FILE"),
                _ => stack.hint("resync"),
            };
            let name = chosen.system.as_str();
            output::print(&format!(
                "The phone system of {account} is {name}. Bring mappings in step with it: {resync}\n"
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn keep_secret(stack: &Connection, account: &AccountId, system: PhoneSystem, json: &[u8]) -> Result<()> {
    match system {
        PhoneSystem::Smartflo => keep::<smartflo::Credentials>(stack, account, smartflo::SECRET, json).await,
        PhoneSystem::ZoomPhone => keep::<zoom_phone::Credentials>(stack, account, zoom_phone::SECRET, json).await,
        PhoneSystem::Builtin | PhoneSystem::Snapshot => {
            Err(anyhow!("the phone system {} has no secret", system.as_str()))
        }
    }
}

async fn keep<T: DeserializeOwned + Serialize>(
    stack: &Connection,
    account: &AccountId,
    name: &'static str,
    json: &[u8],
) -> Result<()> {
    // The reader's own message may quote the secret.
    let credentials: T = serde_json::from_slice(json)
        .map_err(|_| anyhow!("the secret is not the JSON that {name} needs; --help shows it"))?;
    Ok(stack.secrets.put(account, name, &credentials).await?)
}
