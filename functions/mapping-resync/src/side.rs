//! What the phone side says, from whatever phone system the account has.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_engine::{Run, Stop};
use rollcall_model::{
    mapping::Mapping,
    phone_side::{Permission, PhoneSide, PhoneUser},
    phone_snapshot::InForce,
    settings::PhoneSystem,
    user::{Claim, User},
};
use rollcall_platform::{Error, directory::BulkWork, secrets::Secrets};
use rollcall_remote::{
    BaseUrl, Http, Kind,
    smartflo::{self, Smartflo},
    zoom_phone::{self, ZoomPhone},
};
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
        run: &Run<'_>,
        system: PhoneSystem,
        new: Option<&InForce>,
        mappings: &[Mapping],
    ) -> Result<PhoneSide, Stop> {
        let side = match system {
            // Our own users are looked up by name: who isn't there is gone, and nothing else can be meant.
            PhoneSystem::Builtin => return Ok(builtin(run, mappings).await?),
            PhoneSystem::Snapshot => match new {
                Some(new) => new.side.clone(),
                None => snapshot::in_force(run).await?.side,
            },
            PhoneSystem::Smartflo => {
                let smartflo = self.smartflo(run).await?;
                smartflo.read(run.until).await.map_err(|error| self.stop(run, smartflo::SECRET, &error))?
            }
            PhoneSystem::ZoomPhone => {
                let credentials = self.credentials(run, zoom_phone::SECRET).await?;
                let (http, endpoints) = (self.http.clone(), self.zoom.clone());
                let zoom = ZoomPhone::new(http, endpoints, credentials, zoom_phone::CALLS_PER_SECOND);
                zoom.read(run.until).await.map_err(|error| self.stop(run, zoom_phone::SECRET, &error))?
            }
        };
        if side.users.is_empty() && mappings.iter().any(|mapping| mapping.permission.is_some()) {
            return Err(Stop::refused(
                "The phone system says that it has no users at all. Nothing was revoked over that.".to_owned(),
            ));
        }
        complete(run, side).await.map_err(Stop::from)
    }

    /// The account's Smartflo.
    pub(crate) async fn smartflo(&self, run: &Run<'_>) -> Result<Smartflo, Stop> {
        let credentials = self.credentials(run, smartflo::SECRET).await?;
        Ok(Smartflo::new(self.http.clone(), self.smartflo.clone(), credentials, smartflo::CALLS_PER_SECOND))
    }

    async fn credentials<T: DeserializeOwned + Send + Sync + 'static>(
        &self,
        run: &Run<'_>,
        secret: &'static str,
    ) -> Result<T, Stop> {
        let credentials = self.secrets.read(run.account(), secret).await?;
        credentials.ok_or_else(|| Stop::refused(format!("The account has no secret for its phone system {secret}.")))
    }

    /// What a failure of a phone system means for the job.
    pub(crate) fn stop(&self, run: &Run<'_>, secret: &'static str, error: &rollcall_remote::Error) -> Stop {
        match error.kind {
            Kind::Unavailable if Instant::now() >= run.until => Stop::Time,
            // The next delivery may find it well again; the last one tells.
            Kind::Unavailable | Kind::Malformed => Stop::Error(Error::transient(error.operation, error.chain())),
            Kind::Denied | Kind::Refused => {
                // A new secret may be there already, for the next job.
                self.secrets.forget(run.account(), secret);
                Stop::refused(format!("The phone system refuses ({}). Nothing was changed.", error.chain()))
            }
        }
    }
}

/// Those of our own users whom mappings are about, or could be.
async fn builtin(run: &Run<'_>, mappings: &[Mapping]) -> Result<PhoneSide, Error> {
    let directory = &run.engine.directory;
    let asked = || BulkWork::default();
    let emails = mappings.iter().filter_map(|mapping| mapping.given.email.as_ref());
    let claims: BTreeSet<Claim> = emails.map(|email| Claim::Email(email.folded().into_owned())).collect();
    let owners = directory.owners(run.account(), claims, run.until, &mut asked()).await?;
    let mut logins: BTreeSet<String> = owners.into_values().collect();
    logins.extend(mappings.iter().flat_map(Mapping::logins));
    let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
    let users = directory.whole_users(run.account(), &logins, run.until, &mut asked()).await?;
    let users: BTreeMap<String, User> = users.into_iter().collect();
    PhoneSide::new(users.into_values().map(PhoneUser::from).collect())
        .map_err(|error| Error::unreadable(PHONE_SIDE, error))
}

/// The permissions of our own directory, for users of whom the phone system tells none.
async fn complete(run: &Run<'_>, mut side: PhoneSide) -> Result<PhoneSide, Error> {
    let open = side.users.iter().filter(|user| user.permission.is_none());
    let logins: BTreeSet<String> =
        open.filter_map(|user| user.login.as_ref()).map(|login| login.folded().into_owned()).collect();
    let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
    let directory = &run.engine.directory;
    let users = directory.whole_users(run.account(), &logins, run.until, &mut BulkWork::default()).await?;
    for user in side.users.iter_mut().filter(|user| user.permission.is_none()) {
        let ours = user.login.as_ref().and_then(|login| users.get(&*login.folded()));
        user.permission = ours.map(Permission::of);
    }
    Ok(side)
}
