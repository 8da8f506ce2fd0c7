//! The stack on this machine, and the doors to its data that no API has: for making accounts and keeping secrets.

use anyhow::{Context, Result, anyhow};
use rollcall_engine::world::Accounts;
use std::path::Path;

use rollcall_model::account::AccountId;
use rollcall_model::country::Country;
use rollcall_storage::connect::{Aws, LocalStack};
use rollcall_storage::directory::Directory;
use rollcall_storage::secrets::Secrets;

use crate::stack_selector::hint;
use local_stack::Manifest;

/// The template's output that names the table.
const TABLE: &str = "TableName";
/// The one that names the country of accounts that name none.
const COUNTRY: &str = "DefaultCountry";

/// A stack that serves here, and the doors to its data.
pub struct Connection {
    pub manifest: Manifest,
    pub directory: Directory,
    pub secrets: Secrets,
}

impl Connection {
    /// To the stack that serves `dir`.
    ///
    /// # Errors
    /// If none does.
    pub async fn open(dir: &Path) -> Result<Self> {
        Self::to(&running(dir)?).await
    }

    /// To the stack of this manifest.
    ///
    /// # Errors
    /// If its template declares no table.
    pub async fn to(manifest: &Manifest) -> Result<Self> {
        let table = output(manifest, TABLE)?;
        let aws = Aws::local(LocalStack {
            dynamodb: manifest.endpoints.dynamodb.clone(),
            s3: manifest.endpoints.s3.clone(),
            ses: manifest.endpoints.ses.clone(),
            secrets_manager: manifest.endpoints.secrets_manager.clone(),
            region: manifest.region.clone(),
            access_key_id: manifest.access_key_id.clone(),
            secret_access_key: manifest.secret_access_key.clone(),
        })
        .await;
        let (directory, secrets) = (Directory::new(&aws, table), Secrets::new(&aws));
        Ok(Self { manifest: manifest.clone(), directory, secrets })
    }

    /// Whose dialling rules read the account's numbers.
    ///
    /// # Errors
    /// If the stack can't be asked, or its template names no country.
    pub async fn country(&self, account: &AccountId) -> Result<Country> {
        match self.directory.settings(account).await?.country {
            Some(country) => Ok(country),
            None => output(&self.manifest, COUNTRY)?.parse().context(format!("the template's output {COUNTRY}")),
        }
    }
}

/// An output of the stack's template.
///
/// # Errors
/// If there is none of this name.
pub fn output(manifest: &Manifest, name: &str) -> Result<String> {
    let lacking = || anyhow!("the stack's template has no output {name}");
    manifest.outputs.get(name).cloned().ok_or_else(lacking)
}

/// The manifest of the stack that serves `dir`.
///
/// # Errors
/// If none does.
pub fn running(dir: &Path) -> Result<Manifest> {
    let none = || {
        let start = hint(dir, None, "up");
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        anyhow!(
            "no stack is running in {}; start one with: {start}\nOne that runs elsewhere is named by --dir, or by ROLLCALL_DIR",
            dir.display()
        )
    };
    Manifest::read(dir)?.ok_or_else(none)
}
