//! What cursors are sealed with: HMAC-SHA-256 (RFC 2104) under a secret of the stack's.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use rollcall_model::account::AccountId;
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::OnceCell;

use crate::{
    Api,
    cursor::{self, SEAL},
    problem::Problem,
};

/// The secret, once it has been needed: a page that is whole and was asked for without a cursor doesn't read it.
#[derive(Default)]
pub struct Seal(OnceCell<Key>);

impl Api {
    /// Writes a cursor for a list of an account.
    pub(crate) async fn cursor(
        &self,
        account: &AccountId,
        list: &str,
        place: Option<impl Serialize>,
    ) -> Result<Option<String>, Problem> {
        let Some(place) = place else { return Ok(None) };
        let key = self.key().await?;
        Ok(Some(cursor::write(|bytes| seal(key, bytes), account, list, &place)))
    }

    /// Reads a cursor.
    pub(crate) async fn place<T: DeserializeOwned>(
        &self,
        account: &AccountId,
        list: &str,
        cursor: Option<&str>,
    ) -> Result<Option<T>, Problem> {
        let Some(cursor) = cursor else { return Ok(None) };
        let key = self.key().await?;
        Ok(Some(cursor::read(|bytes| seal(key, bytes), account, list, cursor)?))
    }

    async fn key(&self) -> Result<&Key, Problem> {
        let made = async || Ok(Key::new(HMAC_SHA256, &self.directory.cursor_secret().await?));
        self.seal.0.get_or_try_init(made).await.map_err(|error: rollcall_storage::StorageError| error.into())
    }
}

fn seal(key: &Key, bytes: &[u8]) -> [u8; SEAL] {
    let mut seal = [0; SEAL];
    seal.copy_from_slice(&sign(key, bytes).as_ref()[..SEAL]);
    seal
}
