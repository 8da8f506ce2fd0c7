//! What the phone side says, from whatever phone system the account has.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_bulk::phone_snapshot::InForce;
use rollcall_connectors::{
    BaseUrl, FailureKind, Http,
    smartflo::{self, Smartflo},
    zoom_phone::{self, ZoomPhone},
};
use rollcall_engine::{Attempt, Interrupt};
use rollcall_model::{
    mapping::Mapping,
    phone_side::{DialPermission, PhoneSide, PhoneUser},
    settings::PhoneSystem,
    user::{Claim, User},
};
use rollcall_storage::{StorageError, directory::TableUsage, secrets::Secrets};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::snapshot;

/// The phone systems that accounts may have, and how they are reached.
pub struct PhoneSystems {
    /// Asks those that are asked over HTTP.
    pub http: Http,
    /// Accounts' credentials.
    pub secrets: Secrets,
    /// Where Smartflo, or one of its family, is.
    pub smartflo: BaseUrl,
    /// Where Zoom is.
    pub zoom: zoom_phone::Endpoints,
}

const PHONE_SIDE: &str = "reading the phone side";

impl PhoneSystems {
    /// Everything that the account's phone system says of its users, with what our own directory has where it says nothing.
    /// **Whole, or not at all.**
    pub(crate) async fn read(
        &self,
        attempt: &Attempt<'_>,
        system: PhoneSystem,
        new: Option<&InForce>,
        mappings: &[Mapping],
    ) -> Result<PhoneSide, Interrupt> {
        let side = match system {
            // Our own users are looked up by name: who isn't there is gone, and nothing else can be meant.
            PhoneSystem::Builtin => return Ok(builtin(attempt, mappings).await?),
            PhoneSystem::Snapshot => match new {
                Some(new) => new.side.clone(),
                None => snapshot::in_force(attempt).await?.side,
            },
            PhoneSystem::Smartflo => {
                let smartflo = self.smartflo(attempt).await?;
                smartflo.read(attempt.until).await.map_err(|error| self.stop(attempt, smartflo::SECRET, &error))?
            }
            PhoneSystem::ZoomPhone => {
                let credentials = self.credentials(attempt, zoom_phone::SECRET).await?;
                let (http, endpoints) = (self.http.clone(), self.zoom.clone());
                let zoom = ZoomPhone::new(http, endpoints, credentials, zoom_phone::CALLS_PER_SECOND);
                zoom.read(attempt.until).await.map_err(|error| self.stop(attempt, zoom_phone::SECRET, &error))?
            }
        };
        if side.users.is_empty() && mappings.iter().any(|mapping| mapping.permission.is_some()) {
            return Err(Interrupt::refused(
                "The phone system says that it has no users at all. Nothing was revoked over that.".to_owned(),
            ));
        }
        complete(attempt, side).await.map_err(Interrupt::from)
    }

    /// The account's Smartflo.
    pub(crate) async fn smartflo(&self, attempt: &Attempt<'_>) -> Result<Smartflo, Interrupt> {
        let credentials = self.credentials(attempt, smartflo::SECRET).await?;
        Ok(Smartflo::new(self.http.clone(), self.smartflo.clone(), credentials, smartflo::CALLS_PER_SECOND))
    }

    async fn credentials<T: DeserializeOwned + Send + Sync + 'static>(
        &self,
        attempt: &Attempt<'_>,
        secret: &'static str,
    ) -> Result<T, Interrupt> {
        let credentials = self.secrets.read(attempt.account(), secret).await?;
        credentials
            .ok_or_else(|| Interrupt::refused(format!("The account has no secret for its phone system {secret}.")))
    }

    /// What a failure of a phone system means for the job.
    pub(crate) fn stop(
        &self,
        attempt: &Attempt<'_>,
        secret: &'static str,
        error: &rollcall_connectors::ConnectorError,
    ) -> Interrupt {
        match error.kind {
            FailureKind::Unavailable if Instant::now() >= attempt.until => Interrupt::Time,
            // The next delivery may find it well again; the last one tells.
            FailureKind::Unavailable | FailureKind::Malformed => {
                Interrupt::Error(StorageError::transient(error.operation, error.chain()))
            }
            FailureKind::Denied | FailureKind::Refused => {
                // A new secret may be there already, for the next job.
                self.secrets.forget(attempt.account(), secret);
                Interrupt::refused(format!("The phone system refuses ({}). Nothing was changed.", error.chain()))
            }
        }
    }
}

/// Those of our own users whom mappings are about, or could be.
async fn builtin(attempt: &Attempt<'_>, mappings: &[Mapping]) -> Result<PhoneSide, StorageError> {
    let directory = &attempt.engine.directory;
    let asked = || TableUsage::default();
    let emails = mappings.iter().filter_map(|mapping| mapping.given.email.as_ref());
    let claims: BTreeSet<Claim> = emails.map(|email| Claim::Email(email.folded().into_owned())).collect();
    let owners = directory.owners(attempt.account(), claims, attempt.until, &mut asked()).await?;
    let mut logins: BTreeSet<String> = owners.into_values().collect();
    logins.extend(mappings.iter().flat_map(Mapping::logins));
    let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
    let users = directory.whole_users(attempt.account(), &logins, attempt.until, &mut asked()).await?;
    let users: BTreeMap<String, User> = users.into_iter().collect();
    PhoneSide::new(users.into_values().map(PhoneUser::from).collect())
        .map_err(|error| StorageError::unreadable(PHONE_SIDE, error))
}

/// The permissions of our own directory, for users of whom the phone system tells none.
async fn complete(attempt: &Attempt<'_>, mut side: PhoneSide) -> Result<PhoneSide, StorageError> {
    let open = side.users.iter().filter(|user| user.permission.is_none());
    let logins: BTreeSet<String> =
        open.filter_map(|user| user.login.as_ref()).map(|login| login.folded().into_owned()).collect();
    let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
    let directory = &attempt.engine.directory;
    let users = directory.whole_users(attempt.account(), &logins, attempt.until, &mut TableUsage::default()).await?;
    for user in side.users.iter_mut().filter(|user| user.permission.is_none()) {
        let ours = user.login.as_ref().and_then(|login| users.get(&*login.folded()));
        user.permission = ours.map(DialPermission::of);
    }
    Ok(side)
}
