//! Secrets Manager: keeps secrets in a file of the stack's directory that its owner alone can read, and tells them to whom
//! signs as somebody who may know them.
//!
//! Not played: versions but the current one, binary secrets, rotation, and the days in which a deleted secret can be had
//! back. What asks for one of these is refused.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::data_dir::write_private;
use super::error::{Context, Result};
use super::iam::{Access, AccessRequest};
use super::signature;
use super::template::{ACCOUNT_ID, PARTITION, REGION};

/// The file of the stack's directory.
const FILE: &str = "secrets.json";
/// What the service is called where requests are signed.
const SERVICE: &str = "secretsmanager";
/// What every operation's name begins with.
const TARGET: &str = "secretsmanager.";

/// Secrets Manager's quotas: characters of a name, bytes of a secret.
const MAX_NAME: usize = 512;
const MAX_SECRET: usize = 65_536;

/// The one version that is kept of a secret.
const CURRENT: &str = "AWSCURRENT";

/// A secret, but for its name.
#[derive(Clone, Serialize, Deserialize)]
struct Secret {
    arn: String,
    /// The ID of the current version, which is the token of the request that made it.
    version: String,
    value: String,
    created: Timestamp,
    changed: Timestamp,
}

/// All secrets, by name.
type Secrets = BTreeMap<String, Secret>;

struct Service {
    file: PathBuf,
    access: Arc<Access>,
    secrets: Mutex<Secrets>,
}

/// Secrets Manager's API, for secrets in `dir`.
///
/// # Errors
/// If the file of secrets is there and can't be read.
pub(super) fn router(dir: &Path, access: Arc<Access>) -> Result<Router> {
    let file = dir.join(FILE);
    let what = || format!("could not read {}", file.display());
    let secrets = match fs::read(&file) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| quiet(&error)).context(what())?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Secrets::new(),
        Err(error) => return Err(error).context(what()),
    };
    let service = Service { file, access, secrets: Mutex::new(secrets) };
    Ok(Router::new().route("/", post(call)).with_state(Arc::new(service)))
}

/// Where a file can't be understood. The reader's own message may quote the file.
fn quiet(error: &serde_json::Error) -> String {
    format!("line {}, column {} can't be understood", error.line(), error.column())
}

async fn call(State(service): State<Arc<Service>>, headers: HeaderMap, body: Bytes) -> Response {
    match service.answer(&headers, &body, Timestamp::now()) {
        Ok(answer) => reply(StatusCode::OK, &answer),
        Err(refusal) => refusal.into_response(),
    }
}

fn reply(status: StatusCode, body: &Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE.as_str(), "application/x-amz-json-1.1".to_owned()),
        ("x-amzn-requestid", Uuid::new_v4().to_string()),
    ];
    (status, headers, body.to_string()).into_response()
}

/// What the service says.
type Answer<T = Value> = std::result::Result<T, Refusal>;

/// An error in the service's words.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, message: message.into() }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterException", message)
    }

    fn not_found() -> Self {
        Self::new("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    }

    fn exists(name: &str) -> Self {
        Self::new("ResourceExistsException", format!("The operation failed because the secret {name} already exists."))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        reply(self.status, &json!({ "__type": self.code, "Message": self.message }))
    }
}

/// What the operations ask for, together. Anything else changes nothing that could be seen here.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Request {
    name: Option<String>,
    /// A name or an ARN.
    secret_id: Option<String>,
    secret_string: Option<String>,
    client_request_token: Option<String>,
    force_delete_without_recovery: bool,
    // What is refused.
    secret_binary: Option<Value>,
    version_id: Option<String>,
    version_stage: Option<String>,
    version_stages: Option<Vec<String>>,
    filters: Option<Value>,
}

impl Service {
    fn answer(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Answer {
        let key_id = signature::verify(&self.access, SERVICE, headers, body, now).map_err(|why| {
            let (code, message) = why.code_and_message();
            Refusal::new(code, message)
        })?;
        let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
        let operation = target.strip_prefix(TARGET).unwrap_or(target);
        let request: Request =
            serde_json::from_slice(body).map_err(|error| Refusal::new("SerializationException", quiet(&error)))?;
        request.check()?;

        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let resource = request.resource(&secrets);
        let wish = AccessRequest { action: &format!("{SERVICE}:{operation}"), resource: &resource, keys: &[] };
        self.access.check(&key_id, wish).map_err(|denied| Refusal::new("AccessDeniedException", denied.to_string()))?;
        match operation {
            "GetSecretValue" => {
                let (name, secret) = request.find(&secrets)?;
                let mut answer = described(name, secret);
                answer["SecretString"] = secret.value.clone().into();
                answer["VersionId"] = secret.version.as_str().into();
                answer["VersionStages"] = json!([CURRENT]);
                Ok(answer)
            }
            "DescribeSecret" => request.find(&secrets).map(|(name, secret)| described(name, secret)),
            "ListSecrets" => {
                let list: Vec<_> = secrets.iter().map(|(name, secret)| described(name, secret)).collect();
                Ok(json!({ "SecretList": list }))
            }
            "CreateSecret" => self.change(&mut secrets, |secrets| request.create(secrets, now)),
            "PutSecretValue" => self.change(&mut secrets, |secrets| request.put(secrets, now)),
            "DeleteSecret" => self.change(&mut secrets, |secrets| request.delete(secrets, now)),
            _ => Err(Refusal::new("UnknownOperationException", "This operation is not run on this machine.")),
        }
    }

    /// Changes the secrets in the file, and then those in memory: neither without the other.
    fn change(&self, secrets: &mut Secrets, change: impl FnOnce(&mut Secrets) -> Answer) -> Answer {
        let mut changed = secrets.clone();
        let answer = change(&mut changed)?;
        let written = serde_json::to_vec_pretty(&changed)
            .context("could not write the secrets")
            .and_then(|text| write_private(&self.file, &text));
        written.map_err(|error| {
            tracing::error!(error = error.chain(), "a secret is not kept");
            let (status, message) = (StatusCode::INTERNAL_SERVER_ERROR, "An error occurred on the server side.");
            Refusal { status, code: "InternalServiceError", message: message.to_owned() }
        })?;
        *secrets = changed;
        Ok(answer)
    }
}

impl Request {
    /// Refuses what isn't played.
    fn check(&self) -> Answer<()> {
        let stages = self.version_stage.iter().chain(self.version_stages.iter().flatten());
        if stages.into_iter().any(|stage| stage != CURRENT) {
            return Err(Refusal::invalid("Only the version AWSCURRENT is kept on this machine."));
        }
        if self.secret_binary.is_some() {
            return Err(Refusal::invalid("Binary secrets are not kept on this machine."));
        }
        if self.filters.as_ref().is_some_and(|filters| filters.as_array().is_none_or(|list| !list.is_empty())) {
            return Err(Refusal::invalid("Filters are not run on this machine."));
        }
        Ok(())
    }

    /// The ARN of what it is about. A name that no secret has is judged without the six characters that would end its ARN.
    fn resource(&self, secrets: &Secrets) -> String {
        let name = self.secret_id.as_deref().or(self.name.as_deref()).unwrap_or("*");
        match secrets.get(name) {
            Some(secret) => secret.arn.clone(),
            None if name.starts_with("arn:") => name.to_owned(),
            None => format!("arn:{PARTITION}:{SERVICE}:{REGION}:{ACCOUNT_ID}:secret:{name}"),
        }
    }

    fn find<'a>(&self, secrets: &'a Secrets) -> Answer<(&'a String, &'a Secret)> {
        let id = self.secret_id.as_deref().ok_or_else(|| Refusal::invalid("You must provide a SecretId."))?;
        let mut found = secrets.iter().filter(|(name, secret)| *name == id || secret.arn == id);
        let (name, secret) = found.next().ok_or_else(Refusal::not_found)?;
        if self.version_id.as_ref().is_some_and(|version| *version != secret.version) {
            return Err(Refusal::not_found());
        }
        Ok((name, secret))
    }

    fn create(&self, secrets: &mut Secrets, now: Timestamp) -> Answer {
        let name = self.name.as_deref().filter(|name| is_name(name)).ok_or_else(|| {
            Refusal::invalid(format!("A name has 1 to {MAX_NAME} letters, digits and characters of /_+=.@-"))
        })?;
        let (value, version) = (self.value()?, self.version());
        // The same request comes again when its answer was lost.
        match secrets.get(name) {
            Some(secret) if secret.version == version && secret.value == value => {}
            Some(_) => return Err(Refusal::exists(name)),
            None => {
                let random = &Uuid::new_v4().simple().to_string()[..6];
                let arn = format!("arn:{PARTITION}:{SERVICE}:{REGION}:{ACCOUNT_ID}:secret:{name}-{random}");
                secrets.insert(name.to_owned(), Secret { arn, version, value, created: now, changed: now });
            }
        }
        Ok(versioned(name, &secrets[name]))
    }

    fn put(&self, secrets: &mut Secrets, now: Timestamp) -> Answer {
        let name = self.find(secrets)?.0.clone();
        let (value, version) = (self.value()?, self.version());
        let secret = secrets.get_mut(&name).ok_or_else(Refusal::not_found)?;
        if secret.version != version {
            (secret.value, secret.version, secret.changed) = (value, version, now);
        } else if secret.value != value {
            return Err(Refusal::new("ResourceExistsException", "A version with this ID holds something else."));
        }
        let mut answer = versioned(&name, secret);
        answer["VersionStages"] = json!([CURRENT]);
        Ok(answer)
    }

    fn delete(&self, secrets: &mut Secrets, now: Timestamp) -> Answer {
        if !self.force_delete_without_recovery {
            let forced = "A deleted secret can't be had back on this machine: say ForceDeleteWithoutRecovery.";
            return Err(Refusal::invalid(forced));
        }
        let name = self.find(secrets)?.0.clone();
        let secret = secrets.remove(&name).ok_or_else(Refusal::not_found)?;
        Ok(json!({ "ARN": secret.arn, "Name": name, "DeletionDate": now.as_second() }))
    }

    fn value(&self) -> Answer<String> {
        let value = self.secret_string.clone().filter(|value| (1..=MAX_SECRET).contains(&value.len()));
        value.ok_or_else(|| Refusal::invalid(format!("A SecretString has 1 to {MAX_SECRET} bytes.")))
    }

    fn version(&self) -> String {
        self.client_request_token.clone().unwrap_or_else(|| Uuid::new_v4().to_string())
    }
}

fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte);
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(fits)
}

/// What isn't secret. Times are seconds since 1970.
fn described(name: &str, secret: &Secret) -> Value {
    json!({
        "ARN": secret.arn,
        "Name": name,
        "CreatedDate": secret.created.as_second(),
        "LastChangedDate": secret.changed.as_second(),
    })
}

fn versioned(name: &str, secret: &Secret) -> Value {
    json!({ "ARN": secret.arn, "Name": name, "VersionId": secret.version })
}
