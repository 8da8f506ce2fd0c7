//! The directories of accounts' companies, Entra ID, with the accounts' credentials.

use std::sync::Arc;

use async_trait::async_trait;
use rollcall_bulk::directory_import::DirectoryUser;
use rollcall_connectors::{
    ConnectorError, FailureKind,
    entra::{self, Changes, Credentials, DeltaLink, Endpoints, Entra, MAX_PAGE, SECRET, Step, Tenants, UserPages},
};
use rollcall_engine::{
    StorageError,
    world::{ChangeStep, CompanyDirectories, CompanyDirectory, PeopleChanges, PeoplePages, SystemFailure, Which},
};
use rollcall_model::{account::AccountId, country::Country, user::DirectoryId};
use rollcall_storage::{
    connect::Aws,
    directory::Directory,
    environment::{BadEnvironment, variable},
    secrets::Secrets,
};
use tokio::time::Instant;

/// The Entra tenants of accounts.
pub struct EntraDirectories {
    /// Accounts' credentials.
    pub secrets: Arc<Secrets>,
    /// Their tenants.
    pub tenants: Tenants,
    /// The table, which knows whose directory pushes its users in.
    pub table: Directory,
}

impl EntraDirectories {
    /// The tenants as the function's environment describes where they are.
    ///
    /// # Errors
    /// [`BadEnvironment`] names the variable.
    pub fn from_env(aws: &Aws) -> Result<Self, BadEnvironment> {
        let endpoints = Endpoints { login: variable("ENTRA_LOGIN_URL")?, graph: variable("GRAPH_URL")? };
        let secrets = Arc::new(Secrets::of_stack(aws, variable::<String>("STACK_NAME")?));
        let table = Directory::new(aws, variable::<String>("TABLE_NAME")?);
        Ok(Self { secrets, tenants: Tenants::new(endpoints), table })
    }
}

#[async_trait]
impl CompanyDirectories for EntraDirectories {
    async fn open(&self, account: &AccountId, country: Country) -> Result<Arc<dyn CompanyDirectory>, SystemFailure> {
        if !self.table.scim_keys(account).await?.value.is_empty() {
            return Err(SystemFailure::Refused(
                "The directory pushes the account's users in by SCIM, so they are neither imported nor synced. Delete its keys first."
                    .to_owned(),
            ));
        }
        let credentials: Option<Credentials> = self.secrets.read(account, SECRET).await?;
        let missing = || SystemFailure::Refused("The account has no directory connected.".to_owned());
        let credentials = credentials.ok_or_else(missing)?;
        let failures = Failures { secrets: self.secrets.clone(), account: account.clone() };
        let entra = self.tenants.open(account, credentials, country).map_err(|error| failures.of(&error))?;
        Ok(Arc::new(Opened { entra, failures }))
    }
}

/// What failures of an account's directory mean for the job.
#[derive(Clone)]
struct Failures {
    secrets: Arc<Secrets>,
    account: AccountId,
}

impl Failures {
    fn of(&self, error: &ConnectorError) -> SystemFailure {
        match error.kind {
            FailureKind::Unavailable | FailureKind::Malformed => {
                SystemFailure::Failed(StorageError::transient(error.operation, error.chain()))
            }
            FailureKind::Denied => {
                // A new secret may be there already, for the next job.
                self.secrets.forget(&self.account, SECRET);
                SystemFailure::Refused(format!(
                    "The directory denied the account's credentials, or they lack a permission ({}). Change that in the \
                     directory, connect it again if the secret is a new one, and repeat the request.",
                    error.chain()
                ))
            }
            FailureKind::Refused => SystemFailure::Refused(format!(
                "The directory can't do what is asked for ({}). Perhaps the filter can't be understood.",
                error.chain()
            )),
        }
    }
}

struct Opened {
    entra: Arc<Entra>,
    failures: Failures,
}

#[async_trait]
impl CompanyDirectory for Opened {
    fn tenant(&self) -> &str {
        self.entra.tenant().as_str()
    }

    async fn find(&self, id: &DirectoryId, until: Instant) -> Result<Option<DirectoryUser>, SystemFailure> {
        self.entra.find(id, until).await.map_err(|error| self.failures.of(&error))
    }

    fn list(&self, which: Which<'_>) -> Result<Box<dyn PeoplePages + '_>, SystemFailure> {
        let which = match which {
            Which::Search(text) => entra::Which::Search(text),
            Which::Filter(text) => entra::Which::Filter(text),
        };
        let pages = self.entra.list(which, MAX_PAGE).map_err(|error| self.failures.of(&error))?;
        Ok(Box::new(Pages { pages, failures: &self.failures }))
    }

    fn changes(&self, since: Option<&str>) -> Result<Box<dyn PeopleChanges + '_>, SystemFailure> {
        let since = since.map(DeltaLink::new);
        let changes = self.entra.changes(since.as_ref()).map_err(|error| self.failures.of(&error))?;
        Ok(Box::new(Delta { changes, failures: &self.failures }))
    }
}

struct Pages<'a> {
    pages: UserPages<'a>,
    failures: &'a Failures,
}

#[async_trait]
impl PeoplePages for Pages<'_> {
    async fn next(&mut self, until: Instant) -> Result<Option<Vec<DirectoryUser>>, SystemFailure> {
        self.pages.next(until).await.map_err(|error| self.failures.of(&error))
    }
}

struct Delta<'a> {
    changes: Changes<'a>,
    failures: &'a Failures,
}

#[async_trait]
impl PeopleChanges for Delta<'_> {
    async fn next(&mut self, until: Instant) -> Result<ChangeStep, SystemFailure> {
        Ok(match self.changes.next(until).await.map_err(|error| self.failures.of(&error))? {
            Step::Changes(changes) => ChangeStep::Changes(changes),
            Step::Anew => ChangeStep::Anew,
            Step::End { link, whole } => ChangeStep::End { link: link.into_string(), whole },
        })
    }
}
