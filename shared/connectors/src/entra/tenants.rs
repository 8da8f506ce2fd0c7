//! The tenants of accounts.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use rollcall_model::{account::AccountId, country::Country};

use super::{Credentials, Endpoints, Entra};
use crate::{ConnectorError, Http};

/// Opens the directories of accounts, and keeps each with its token for the next time.
pub struct Tenants {
    endpoints: Endpoints,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    /// Made when it is needed first: reading the machine's certificates takes some milliseconds of a function's start.
    http: Option<Http>,
    tenants: HashMap<AccountId, Arc<Entra>>,
}

impl Tenants {
    /// Opens nothing yet.
    pub fn new(endpoints: Endpoints) -> Self {
        Self { endpoints, open: Mutex::default() }
    }

    /// The account's directory. Opened anew when its credentials or its country are others than before.
    ///
    /// # Errors
    /// [`crate::FailureKind::Unavailable`] where the machine has no certificates to trust.
    pub fn open(
        &self,
        account: &AccountId,
        credentials: Credentials,
        country: Country,
    ) -> Result<Arc<Entra>, ConnectorError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |entra: &&Arc<Entra>| entra.credentials == credentials && entra.country == country;
        if let Some(entra) = open.tenants.get(account).filter(same) {
            return Ok(Arc::clone(entra));
        }
        let http = match &open.http {
            Some(http) => http.clone(),
            None => open.http.insert(Http::new()?).clone(),
        };
        let entra = Arc::new(Entra::new(http, self.endpoints.clone(), credentials, country));
        open.tenants.insert(account.clone(), Arc::clone(&entra));
        Ok(entra)
    }
}
