//! SES: keeps every mail that would have been sent, as a file, and reads them back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use mail_parser::{Address, Message, MessageParser, MimeHeaders, PartType};
use serde::Serialize;
use uuid::Uuid;

use super::error::{Context, Result};
use super::iam::{Access, AccessRequest};
use super::index::now_ms;
use super::signature;
use super::template::{ACCOUNT_ID, PARTITION, REGION};

/// SES's largest raw message by its v1 API, in bytes.
const MAX_MESSAGE: usize = 10 * 1024 * 1024;

/// The largest request that is read: such a message as base64, URL-encoded at its worst.
const MAX_REQUEST: usize = 64 * 1024 * 1024;

/// What the service is called where requests are signed.
const SERVICE: &str = "ses";

/// A mail that was sent.
#[derive(Debug, Clone, Serialize)]
pub struct Mail {
    /// The ID that the sender was given.
    pub id: String,
    /// Where it is kept, as it was sent (RFC 5322).
    pub file: PathBuf,
    /// The `Date` header (RFC 3339).
    pub date: Option<String>,
    /// The sender's address.
    pub from: String,
    /// The recipients' addresses.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The first text body.
    pub text: String,
    /// The files that came with it.
    pub attachments: Vec<Attachment>,
}

/// A file that came with a mail.
#[derive(Debug, Clone, Serialize)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// Its content.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// The mails kept in a directory, oldest first.
///
/// # Errors
/// If the directory or one of its files can't be read.
pub fn list_mails(dir: &Path) -> Result<Vec<Mail>> {
    let what = || format!("could not read the mails in {}", dir.display());
    let mut files: Vec<PathBuf> = fs::read_dir(dir)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .context(what())?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "eml"));
    // Their names start with the time.
    files.sort();
    files.into_iter().map(|file| read(file).context(what())).collect()
}

struct Service {
    dir: PathBuf,
    access: Arc<Access>,
}

/// SES's v1 API, which keeps mails in `dir`.
pub(super) fn router(dir: &Path, access: Arc<Access>) -> Router {
    let service = Service { dir: dir.to_owned(), access };
    Router::new().route("/", post(call)).layer(DefaultBodyLimit::max(MAX_REQUEST)).with_state(Arc::new(service))
}

async fn call(State(service): State<Arc<Service>>, headers: HeaderMap, body: Bytes) -> Response {
    let key_id = match signature::verify(&service.access, SERVICE, &headers, &body, Timestamp::now()) {
        Ok(key_id) => key_id,
        Err(why) => return Refusal::sender(why.code_and_message().0, why.code_and_message().1).into_response(),
    };
    let fields: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    match field("Action") {
        Some("SendRawEmail") => match send_raw(&service, &key_id, field).await {
            Ok(id) => xml(
                StatusCode::OK,
                &format!(
                    "<SendRawEmailResponse xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\">\
                     <SendRawEmailResult><MessageId>{id}</MessageId></SendRawEmailResult>\
                     <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></SendRawEmailResponse>",
                    Uuid::new_v4()
                ),
            ),
            Err(refusal) => refusal.into_response(),
        },
        Some(_) => Refusal::sender("InvalidAction", "This action is not run on this machine: only SendRawEmail is.")
            .into_response(),
        None => Refusal::sender("MissingAction", "The request has no Action.").into_response(),
    }
}

/// An error in SES's words. Its texts are ours, so they need no escaping.
struct Refusal {
    status: StatusCode,
    fault: &'static str,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn sender(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, fault: "Sender", code, message: message.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { fault, code, message, .. } = self;
        xml(
            self.status,
            &format!(
                "<ErrorResponse xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\">\
                 <Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                 <RequestId>{}</RequestId></ErrorResponse>",
                Uuid::new_v4()
            ),
        )
    }
}

fn xml(status: StatusCode, body: &str) -> Response {
    (status, [("content-type", "text/xml")], body.to_owned()).into_response()
}

async fn send_raw<'a>(
    service: &Service,
    key_id: &str,
    field: impl Fn(&str) -> Option<&'a str>,
) -> std::result::Result<String, Refusal> {
    let data =
        field("RawMessage.Data").ok_or_else(|| Refusal::sender("ValidationError", "RawMessage.Data is missing."))?;
    let raw = BASE64_STANDARD
        .decode(data)
        .map_err(|_| Refusal::sender("InvalidParameterValue", "RawMessage.Data isn't base64."))?;
    if raw.len() > MAX_MESSAGE {
        let message = format!("Message length is more than {MAX_MESSAGE} bytes long: '{}'.", raw.len());
        return Err(Refusal::sender("InvalidParameterValue", message));
    }
    let message = MessageParser::default().parse_headers(&raw);
    let from = message.as_ref().and_then(|message| addresses(message.from()).into_iter().next());
    let Some(sender) = field("Source").or(from.as_deref()) else {
        return Err(Refusal::sender("InvalidParameterValue", "Missing required header 'From'."));
    };
    let resources = [Some(("identity", sender)), field("ConfigurationSetName").map(|name| ("configuration-set", name))];
    for (kind, name) in resources.into_iter().flatten() {
        let resource = format!("arn:{PARTITION}:{SERVICE}:{REGION}:{ACCOUNT_ID}:{kind}/{name}");
        let keys = [("ses:FromAddress", from.as_deref().unwrap_or(sender))];
        let wish = AccessRequest { action: "ses:SendRawEmail", resource: &resource, keys: &keys };
        let denied = service.access.check(key_id, wish);
        denied.map_err(|denied| Refusal {
            status: StatusCode::FORBIDDEN,
            ..Refusal::sender("AccessDenied", denied.to_string())
        })?;
    }
    let id = format!("{}-{}", now_ms(), Uuid::new_v4().simple());
    keep(&service.dir, &id, &raw).await.map_err(|error| {
        tracing::error!(error = %error, "could not keep a mail");
        Refusal {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            fault: "Receiver",
            code: "InternalFailure",
            message: "The mail could not be kept.".to_owned(),
        }
    })?;
    Ok(id)
}

/// Under its final name a mail is always whole.
async fn keep(dir: &Path, id: &str, raw: &[u8]) -> io::Result<()> {
    let draft = dir.join(format!(".{id}"));
    tokio::fs::write(&draft, raw).await?;
    tokio::fs::rename(draft, dir.join(format!("{id}.eml"))).await
}

fn read(file: PathBuf) -> io::Result<Mail> {
    let raw = fs::read(&file)?;
    // What can't be parsed at all still shows as a mail.
    let message = MessageParser::default().parse(&raw).unwrap_or_default();
    Ok(Mail {
        id: file.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        date: message.date().map(mail_parser::DateTime::to_rfc3339),
        from: addresses(message.from()).into_iter().next().unwrap_or_default(),
        to: addresses(message.to()),
        subject: message.subject().unwrap_or_default().to_owned(),
        text: message.body_text(0).unwrap_or_default().into_owned(),
        attachments: attachments(&message),
        file,
    })
}

fn addresses(header: Option<&Address>) -> Vec<String> {
    header.into_iter().flat_map(Address::iter).filter_map(|one| one.address()).map(str::to_owned).collect()
}

fn attachments(message: &Message) -> Vec<Attachment> {
    message
        .attachments()
        .map(|part| Attachment {
            name: part.attachment_name().unwrap_or("unnamed").to_owned(),
            bytes: match &part.body {
                PartType::Text(text) | PartType::Html(text) => text.as_bytes().to_vec(),
                _ => part.contents().to_vec(),
            },
        })
        .collect()
}
