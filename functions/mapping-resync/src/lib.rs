//! The phone systems that are asked over HTTP, with the accounts' credentials.

use std::sync::Arc;

use async_trait::async_trait;
use lambda_runtime::Error;
use rollcall_connectors::{
    BaseUrl, ConnectorError, FailureKind, Http,
    smartflo::{self, MyNumbers, Smartflo},
    zoom_phone::{self, ZoomPhone},
};
use rollcall_engine::{
    StorageError,
    world::{PhoneSystemClient, PhoneSystems, SystemFailure},
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
}

impl HttpPhoneSystems {
    /// The phone systems as the function's environment describes them.
    ///
    /// # Errors
    /// Names the variable, or says why nobody can be asked over HTTP.
    pub fn from_env(aws: &Aws) -> Result<Self, Error> {
        Ok(Self {
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
                let smartflo = Smartflo::new(http, base, credentials, smartflo::CALLS_PER_SECOND);
                Ok(Arc::new(SmartfloClient { systems, account, smartflo, numbers: OnceCell::new() }))
            }
            PhoneSystem::ZoomPhone => {
                let credentials = self.credentials(&account, zoom_phone::SECRET).await?;
                let (http, endpoints) = (self.http.clone(), self.zoom.clone());
                let zoom = ZoomPhone::new(http, endpoints, credentials, zoom_phone::CALLS_PER_SECOND);
                Ok(Arc::new(ZoomClient { systems, account, zoom }))
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

    async fn set_caller_ids(
        &self,
        user: &PhoneUserId,
        list: &[CallerId],
        until: Instant,
    ) -> Result<usize, SystemFailure> {
        let numbers = self.my_numbers(until).await?;
        let missing = self.smartflo.set_caller_ids(user, list, numbers, until).await;
        missing.map(|missing| missing.len()).map_err(|error| match error.kind {
            FailureKind::Refused => SystemFailure::Refused(error.chain()),
            // Of lists that were set before, something was changed: a later delivery goes on.
            FailureKind::Unavailable | FailureKind::Denied | FailureKind::Malformed => transient(&error),
        })
    }
}

struct ZoomClient {
    systems: HttpPhoneSystems,
    account: AccountId,
    zoom: ZoomPhone,
}

/// What is never asked of a phone system that is only read.
fn only_read() -> SystemFailure {
    SystemFailure::Refused("Rollcall only reads this phone system.".to_owned())
}

#[async_trait]
impl PhoneSystemClient for ZoomClient {
    async fn users(&self, until: Instant) -> Result<PhoneSide, SystemFailure> {
        let read = self.zoom.read(until).await;
        read.map_err(|error| self.systems.failure(&self.account, zoom_phone::SECRET, &error))
    }

    async fn departments(&self, _: Instant) -> Result<Vec<CatalogEntry>, SystemFailure> {
        Err(only_read())
    }

    async fn numbers(&self, _: Instant) -> Result<Vec<CallerId>, SystemFailure> {
        Err(only_read())
    }

    async fn set_caller_ids(&self, _: &PhoneUserId, _: &[CallerId], _: Instant) -> Result<usize, SystemFailure> {
        Err(only_read())
    }
}
