//! An account's settings.

use rollcall_model::{account::AccountId, settings::Settings};

use super::{Directory, document, read_document};
use crate::{Error, error::failed, keys::Key};

const OPERATION: &str = "reading the account's settings";

impl Directory {
    /// The account's settings, or the defaults.
    ///
    /// # Errors
    /// When the table can't be read, or what it holds can't.
    pub async fn settings(&self, account: &AccountId) -> Result<Settings, Error> {
        let read =
            self.client.get_item().table_name(&self.table).set_key(Some(Key::settings(account).attributes().into()));
        match read.consistent_read(true).send().await.map_err(failed(OPERATION))?.item {
            None => Ok(Settings::default()),
            Some(item) => read_document(&item, "settings", OPERATION),
        }
    }

    /// Replaces the account's settings.
    ///
    /// # Errors
    /// When the table can't be written.
    pub async fn put_settings(&self, account: &AccountId, settings: &Settings) -> Result<(), Error> {
        let put =
            self.client.put_item().table_name(&self.table).set_item(Some(Key::settings(account).attributes().into()));
        put.item("settings", document(settings)).send().await.map_err(failed("writing the account's settings"))?;
        Ok(())
    }
}
