//! The way into a stack, wherever it is: its API, with a token for one account.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, bail};
use rollcall_api_types::{JobRequest, JobView, PresignedUpload, RequestedJob, SettingsView, UserView};
use rollcall_bulk::job::MailState;
use rollcall_connectors::Http;
use rollcall_model::account::AccountId;
use rollcall_model::jobs::{JobId, ObjectVersion};
use serde::Serialize;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::api::{Api, Failure};
use crate::args::AccountArg;
use crate::cloudformation;
use crate::local::{output, running};
use crate::names::Names;
use crate::stack_selector::{StackSelector, hint};
use crate::token;
use local_stack::{Mail, Manifest, list_mails};

/// The template's output that says where the API is.
const API: &str = "ApiUrl";
/// The one that names the bucket.
const BUCKET: &str = "FilesBucketName";

/// A stack that serves one account.
pub struct StackClient {
    /// Its API.
    pub api: Api,
    /// Whose data is looked at.
    pub account: AccountId,
    place: StackSelector,
    bucket: String,
    here: Option<Manifest>,
    names: OnceCell<Names>,
}

impl StackClient {
    /// To the stack that is meant.
    ///
    /// # Errors
    /// If none runs here or none is deployed under the name, if nothing gives a token for it, or if the token is another account's.
    pub async fn open(place: &StackSelector, whose: &AccountArg) -> Result<Self> {
        let Some(stack) = place.stack() else {
            return Self::to(&running(place.dir())?, place.clone(), whose.here());
        };
        // Before anybody is asked: without a token nothing comes of it.
        let token = token::given(stack).await?;
        let lacking = || anyhow!("the token names no account; its claim custom:account must");
        let account = token.account().ok_or_else(lacking)?.clone();
        if let Some(other) = whose.account.as_ref().filter(|other| **other != account) {
            bail!("the token is for the account {account}, and --account names {other}");
        }
        let http = http()?;
        let deployed = cloudformation::describe(stack).await.context(format!("could not look up the stack {stack}"))?;
        let value = |name| value(&deployed.outputs, name);
        let (Some(url), Some(bucket)) = (value(API), value(BUCKET)) else {
            bail!(
                "the stack {stack} ({}) has no outputs {API} and {BUCKET}: it is not Rollcall's, or not deployed yet",
                deployed.status
            );
        };
        let base = url.parse().context(format!("the output {API} of the stack {stack}"))?;
        Ok(Self {
            api: Api::new(http, base, token),
            account,
            place: place.clone(),
            bucket,
            here: None,
            names: OnceCell::new(),
        })
    }

    /// To the stack of this manifest, with a token that this machine makes.
    ///
    /// # Errors
    /// If its template declares no API, no tokens or no bucket.
    pub fn to(manifest: &Manifest, place: StackSelector, account: AccountId) -> Result<Self> {
        let token = token::made(manifest, &account)?;
        let base = output(manifest, API)?.parse().context(format!("the template's output {API}"))?;
        let bucket = output(manifest, BUCKET)?;
        Ok(Self {
            api: Api::new(http()?, base, token),
            account,
            place,
            bucket,
            here: Some(manifest.clone()),
            names: OnceCell::new(),
        })
    }

    /// A command line to copy, for the same stack and account.
    pub fn hint(&self, rest: &str) -> String {
        self.place.hint(&self.account, rest)
    }

    /// The same for a command that shows what all accounts of the stack have.
    pub fn hint_of_stack(&self, rest: &str) -> String {
        hint(self.place.dir(), None, rest)
    }

    /// The same for a command that is for the stack on this machine alone; `None` where that isn't meant.
    pub fn hint_here(&self, rest: &str) -> Option<String> {
        self.here.is_some().then(|| self.hint(rest))
    }

    /// Where somebody finds out why nothing goes on.
    pub fn finding_out(&self) -> String {
        match &self.here {
            Some(here) => format!("The functions' logs are in {}", here.log_dir.display()),
            None => "Where its queues, alarms and logs are, infra/docs/runbook.md says".to_owned(),
        }
    }

    /// Where an object of the stack's bucket is; `None` on this machine, where nobody looks into it by hand.
    pub fn s3_on_aws(&self, key: &str) -> Option<String> {
        self.here.is_none().then(|| format!("s3://{}/{key}", self.bucket))
    }

    /// What people are called. A token that may not read the settings sees IDs.
    pub async fn names(&self) -> &Names {
        let read = async || {
            let settings: Result<SettingsView, Failure> = self.api.get(&["v1", "settings"], &[]).await;
            settings.map(|settings| Names::new(settings.fields.names)).unwrap_or_default()
        };
        self.names.get_or_init(read).await
    }

    /// Says on standard error that the account has no users, to who may have misspelt its name.
    ///
    /// # Errors
    /// If the stack can't be asked.
    pub async fn say_if_empty(&self) -> Result<()> {
        let (users, _): (Vec<UserView>, _) = self.api.list(&["v1", "users"], &[], 1, |_| true).await?;
        if users.is_empty() {
            eprintln!("The account {} has no users: is its name written right?", self.account);
        }
        Ok(())
    }

    /// Drops a file for a job, which is named by the version that the bucket makes of it.
    ///
    /// # Errors
    /// If the API takes no such file, or the bucket can't be written.
    pub async fn drop_file(&self, request: &JobRequest, bytes: Vec<u8>) -> Result<JobId> {
        let permission: PresignedUpload = self.api.post(&["v1", "jobs"], request, &request_id()).await?;
        let version = self.api.drop_file(&permission, bytes.into()).await?;
        let bucket = self.bucket.clone();
        Ok(JobId::of(&ObjectVersion { bucket, key: permission.upload, version, size: request.size }))
    }

    /// Asks for a job that needs no file.
    ///
    /// # Errors
    /// If the API doesn't take what is asked.
    pub async fn ask_for(&self, path: &[&str], request: &impl Serialize) -> Result<JobId> {
        let asked: RequestedJob = self.api.post(path, request, &request_id()).await?;
        Ok(asked.job)
    }

    /// The mail that a job has sent, where this machine has caught it.
    ///
    /// # Errors
    /// If the captured mails can't be read.
    pub fn mail_of(&self, job: &JobView) -> Result<Option<Mail>> {
        let (Some(here), Some(MailState::Sent { message_id })) = (&self.here, &job.mail) else { return Ok(None) };
        Ok(list_mails(&here.mail_dir)?.into_iter().find(|mail| mail.id == *message_id))
    }
}

/// What was asked for; `None` where the API says that there is no such thing.
///
/// # Errors
/// If the API says anything else.
pub fn found<T>(answer: std::result::Result<T, Failure>) -> Result<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(Failure::Refused(problem)) if problem.is_not_found() => Ok(None),
        Err(failure) => Err(failure.into()),
    }
}

/// A name for a request of its own, so that it is carried out once however often it is sent.
pub fn request_id() -> String {
    Uuid::new_v4().to_string()
}

fn http() -> Result<Http> {
    Ok(Http::new().map_err(Failure::Broken)?)
}

fn value(outputs: &BTreeMap<String, String>, name: &str) -> Option<String> {
    outputs.get(name).filter(|value| !value.is_empty()).cloned()
}
