//! `rollcall phone-system`: which phone system the account has.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use rollcall_model::account::AccountId;
use rollcall_model::settings::{PhoneSystem, Settings};
use rollcall_remote::{smartflo, zoom_phone};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::connect::{Connection, told};
use super::drop_file::read;
use super::{Form, Whose, hint, output};
use crate::stack::{Error, Result};

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
    #[arg(value_name = "NAME", value_parser = parse)]
    system: Option<PhoneSystem>,
    /// The file of its secret; "-" reads standard input
    #[arg(long, value_name = "FILE", requires = "system")]
    secret_from: Option<PathBuf>,
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    form: Form,
}

/// What is shown.
#[derive(Serialize)]
struct Shown {
    system: PhoneSystem,
}

impl ChoosePhoneSystem {
    /// Shows or chooses it.
    ///
    /// # Errors
    /// If the stack can't be asked, or the secret is not one of this phone system.
    pub async fn run(self, dir: &Path) -> Result<ExitCode> {
        let stack = Connection::open(dir).await?;
        let account = &self.whose.account;
        let before = stack.directory.settings(account).await.map_err(told)?;
        let system = self.system.unwrap_or(before.phone_system);
        // Before the choice, so that no resync meets a phone system that nothing opens.
        if let Some(file) = &self.secret_from {
            keep_secret(&stack, account, system, &read(file)?).await?;
        }
        if system != before.phone_system {
            let settings = Settings { phone_system: system, ..before };
            stack.directory.put_settings(account, &settings).await.map_err(told)?;
        }
        if self.form.json {
            output::print_json(&Shown { system })?;
        } else {
            let resync = hint(dir, Some(account), "resync");
            let name = system.as_str();
            output::print(&format!(
                "The phone system of {account} is {name}. Bring mappings in step with it: {resync}\n"
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn parse(name: &str) -> Result<PhoneSystem> {
    let names: Vec<_> = PhoneSystem::ALL.iter().map(|known| known.as_str()).collect();
    PhoneSystem::parse(name).ok_or_else(|| Error::new(format!("there are {}", names.join(", "))))
}

async fn keep_secret(stack: &Connection, account: &AccountId, system: PhoneSystem, json: &[u8]) -> Result<()> {
    match system {
        PhoneSystem::Smartflo => keep::<smartflo::Credentials>(stack, account, smartflo::SECRET, json).await,
        PhoneSystem::ZoomPhone => keep::<zoom_phone::Credentials>(stack, account, zoom_phone::SECRET, json).await,
        PhoneSystem::Builtin | PhoneSystem::Snapshot => {
            Err(Error::new(format!("the phone system {} has no secret", system.as_str())))
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
        .map_err(|_| Error::new(format!("the secret is not the JSON that {name} needs; --help shows it")))?;
    stack.secrets.put(account, name, &credentials).await.map_err(told)
}
