//! The phone systems that are asked and told over HTTP, with the accounts' credentials: what the engine's kinds of job ask of them.

use std::{num::NonZeroU32, sync::Arc};

use async_trait::async_trait;
use lambda_runtime::Error;
use rollcall_connectors::{
    BaseUrl, ConnectorError, FailureKind, Http,
    smartflo::{self, MyNumbers, Smartflo},
    zoom_phone::{self, AccountNumbers, ZoomPhone},
};
use rollcall_engine::{
    StorageError,
    world::{HeldList, PhoneSystemClient, PhoneSystems, SystemFailure, TellFailure, Telling},
};
use rollcall_model::{
    account::AccountId,
    caller_id::CallerId,
    catalog::CatalogEntry,
    phone_side::{PhoneSide, PhoneUserId},
    settings::PhoneSystem,
};
use rollcall_storage::{connect::Aws, environment::variable, secrets::Secrets};
use serde::de::DeserializeOwned;
use tokio::{sync::OnceCell, time::Instant};

/// The phone systems that accounts may have, and how they are reached.
#[derive(Clone)]
pub struct HttpPhoneSystems {
    /// Asks them.
    pub http: Http,
    /// Accounts' credentials.
    pub secrets: Arc<Secrets>,
    /// Where Smartflo, or one of its family, is.
    pub smartflo: BaseUrl,
    /// Where Zoom is.
    pub zoom: zoom_phone::Endpoints,
    /// How many of an account's calls are taken.
    pub share: Share,
}

/// How many of the calls a second that an account has are taken: its live traffic has the same limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// All: for what is done in a moment.
    All,
    /// Two of three: for what may go on for hours.
    TwoOfThree,
}

impl Share {
    fn of(self, calls: NonZeroU32) -> NonZeroU32 {
        match self {
            Self::All => calls,
            Self::TwoOfThree => NonZeroU32::new(calls.get() * 2 / 3).unwrap_or(NonZeroU32::MIN),
        }
    }
}

impl HttpPhoneSystems {
    /// The phone systems as the function's environment describes them.
    ///
    /// # Errors
    /// Names the variable, or says why nobody can be asked over HTTP.
    pub fn from_env(aws: &Aws, share: Share) -> Result<Self, Error> {
        Ok(Self {
            share,
            http: Http::new()?,
            secrets: Arc::new(Secrets::of_stack(aws, variable::<String>("STACK_NAME")?)),
            smartflo: variable("SMARTFLO_URL")?,
            zoom: zoom_phone::Endpoints { login: variable("ZOOM_LOGIN_URL")?, api: variable("ZOOM_API_URL")? },
        })
    }

    async fn credentials<T: DeserializeOwned + Send + Sync + 'static>(
        &self,
        account: &AccountId,
        secret: &'static str,
    ) -> Result<T, SystemFailure> {
        let credentials = self.secrets.read(account, secret).await?;
        let missing = || SystemFailure::Refused(format!("The account has no secret for its phone system {secret}."));
        credentials.ok_or_else(missing)
    }

    /// What a failure of a phone system means for the job.
    fn failure(&self, account: &AccountId, secret: &'static str, error: &ConnectorError) -> SystemFailure {
        match error.kind {
            FailureKind::Unavailable | FailureKind::Malformed => transient(error),
            FailureKind::Denied | FailureKind::Refused => {
                // A new secret may be there already, for the next job.
                self.secrets.forget(account, secret);
                SystemFailure::Refused(format!("The phone system refuses ({}). Nothing was changed.", error.chain()))
            }
        }
    }
}

impl HttpPhoneSystems {
    /// What it means for one user that a phone system was told in vain.
    fn tell_failure(&self, account: &AccountId, secret: &'static str, error: &ConnectorError) -> TellFailure {
        match error.kind {
            FailureKind::Refused => TellFailure::User(error.chain()),
            FailureKind::Unavailable | FailureKind::Malformed => {
                TellFailure::Failed(StorageError::transient(error.operation, error.chain()))
            }
            FailureKind::Denied => {
                self.secrets.forget(account, secret);
                TellFailure::Account(format!(
                    "The phone system doesn't take our credentials ({}). Who was not told yet waits.",
                    error.chain()
                ))
            }
        }
    }
}

fn transient(error: &ConnectorError) -> SystemFailure {
    SystemFailure::Failed(StorageError::transient(error.operation, error.chain()))
}

#[async_trait]
impl PhoneSystems for HttpPhoneSystems {
    async fn connect(
        &self,
        account: &AccountId,
        system: PhoneSystem,
    ) -> Result<Arc<dyn PhoneSystemClient>, SystemFailure> {
        let (systems, account) = (self.clone(), account.clone());
        match system {
            PhoneSystem::Smartflo => {
                let credentials = self.credentials(&account, smartflo::SECRET).await?;
                let (http, base) = (self.http.clone(), self.smartflo.clone());
                let smartflo = Smartflo::new(http, base, credentials, self.share.of(smartflo::CALLS_PER_SECOND));
                Ok(Arc::new(SmartfloClient { systems, account, smartflo, numbers: OnceCell::new() }))
            }
            PhoneSystem::ZoomPhone => {
                let credentials = self.credentials(&account, zoom_phone::SECRET).await?;
                let (http, endpoints) = (self.http.clone(), self.zoom.clone());
                let zoom = ZoomPhone::new(http, endpoints, credentials, self.share.of(zoom_phone::CALLS_PER_SECOND));
                Ok(Arc::new(ZoomClient { systems, account, zoom, numbers: OnceCell::new() }))
            }
            PhoneSystem::Builtin | PhoneSystem::Snapshot => {
                let reason = format!("The phone system {} is not asked over HTTP.", system.as_str());
                Err(SystemFailure::Refused(reason))
            }
        }
    }
}

struct SmartfloClient {
    systems: HttpPhoneSystems,
    account: AccountId,
    smartflo: Smartflo,
    /// Read once: a user's list is set by the numbers' IDs there.
    numbers: OnceCell<MyNumbers>,
}

impl SmartfloClient {
    async fn my_numbers(&self, until: Instant) -> Result<&MyNumbers, SystemFailure> {
        let read = self.numbers.get_or_try_init(|| self.smartflo.my_numbers(until)).await;
        read.map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &ConnectorError) -> SystemFailure {
        self.systems.failure(&self.account, smartflo::SECRET, error)
    }
}

#[async_trait]
impl PhoneSystemClient for SmartfloClient {
    async fn users(&self, until: Instant) -> Result<PhoneSide, SystemFailure> {
        self.smartflo.read(until).await.map_err(|error| self.failure(&error))
    }

    async fn departments(&self, until: Instant) -> Result<Vec<CatalogEntry>, SystemFailure> {
        self.smartflo.departments(until).await.map_err(|error| self.failure(&error))
    }

    async fn numbers(&self, until: Instant) -> Result<Vec<CallerId>, SystemFailure> {
        Ok(self.my_numbers(until).await?.iter().collect())
    }

    async fn roster(&self, until: Instant) -> Result<PhoneSide, SystemFailure> {
        self.users(until).await
    }

    async fn held(&self, _: &PhoneUserId, _: Instant) -> Result<Option<HeldList>, TellFailure> {
        Ok(None)
    }

    async fn tell(&self, user: &PhoneUserId, telling: &Telling<'_>, until: Instant) -> Result<(), TellFailure> {
        let failed = |error| self.systems.tell_failure(&self.account, smartflo::SECRET, &error);
        let numbers = self.numbers.get_or_try_init(|| self.smartflo.my_numbers(until)).await.map_err(failed)?;
        self.smartflo.set_caller_ids(user, telling.list, numbers, until).await.map_err(failed)
    }
}

struct ZoomClient {
    systems: HttpPhoneSystems,
    account: AccountId,
    zoom: ZoomPhone,
    /// Read once: numbers are put on a list by their IDs there.
    numbers: OnceCell<AccountNumbers>,
}

impl ZoomClient {
    fn failure(&self, error: &ConnectorError) -> SystemFailure {
        self.systems.failure(&self.account, zoom_phone::SECRET, error)
    }

    fn tell_failure(&self, error: &ConnectorError) -> TellFailure {
        self.systems.tell_failure(&self.account, zoom_phone::SECRET, error)
    }
}

#[async_trait]
impl PhoneSystemClient for ZoomClient {
    async fn users(&self, until: Instant) -> Result<PhoneSide, SystemFailure> {
        self.zoom.read(until).await.map_err(|error| self.failure(&error))
    }

    async fn departments(&self, _: Instant) -> Result<Vec<CatalogEntry>, SystemFailure> {
        Err(SystemFailure::Refused("Rollcall doesn't read this phone system's departments.".to_owned()))
    }

    async fn numbers(&self, until: Instant) -> Result<Vec<CallerId>, SystemFailure> {
        let numbers = self.numbers.get_or_try_init(|| self.zoom.account_numbers(until)).await;
        numbers.map(|numbers| numbers.iter().collect()).map_err(|error| self.failure(&error))
    }

    async fn roster(&self, until: Instant) -> Result<PhoneSide, SystemFailure> {
        self.zoom.roster(until).await.map_err(|error| self.failure(&error))
    }

    async fn held(&self, user: &PhoneUserId, until: Instant) -> Result<Option<HeldList>, TellFailure> {
        self.zoom.customised_list(user, until).await.map(Some).map_err(|error| self.tell_failure(&error))
    }

    /// What comes on first: a user whose number is exchanged is never without one.
    async fn tell(&self, user: &PhoneUserId, telling: &Telling<'_>, until: Instant) -> Result<(), TellFailure> {
        let failed = |error| self.tell_failure(&error);
        let numbers = self.numbers.get_or_try_init(|| self.zoom.account_numbers(until)).await.map_err(failed)?;
        self.zoom.add_to_list(user, telling.add, numbers, until).await.map_err(failed)?;
        self.zoom.remove_from_list(user, telling.remove, until).await.map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_three_calls_are_taken_and_one_at_least() {
        let of = |calls| Share::TwoOfThree.of(NonZeroU32::new(calls).unwrap()).get();
        assert_eq!([3, 20, 1].map(of), [2, 13, 1]);
    }
}
