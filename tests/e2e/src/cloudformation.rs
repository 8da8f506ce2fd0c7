//! CloudFormation, played: what it knows of stacks, told to who signs as it wants.

use std::{collections::BTreeMap, fmt::Write, sync::Arc};

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac::{HMAC_SHA256, Key, sign},
};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};

use crate::served::Place;

/// A stack as it stands in CloudFormation: its status and its outputs.
pub type Deployed = (&'static str, BTreeMap<String, String>);

/// Stacks by name.
pub struct CloudFormation {
    /// Where it is.
    pub url: String,
}

impl CloudFormation {
    /// The credentials that it takes.
    pub const ACCESS_KEY_ID: &str = "AKIDEXAMPLE";
    /// The secret that signs.
    pub const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    /// Where the stacks are.
    pub const REGION: &str = "eu-west-1";

    /// Serves for as long as the test runs.
    pub async fn start(stacks: impl IntoIterator<Item = (&'static str, Deployed)>) -> Self {
        let stacks: Arc<BTreeMap<_, _>> = Arc::new(stacks.into_iter().collect());
        let router = Router::new().route("/", post(describe)).with_state(stacks);
        Self { url: Place::free().await.serve(router) }
    }
}

async fn describe(
    State(stacks): State<Arc<BTreeMap<&'static str, Deployed>>>,
    headers: HeaderMap,
    form: String,
) -> (StatusCode, String) {
    if let Err((code, message)) = verify(&headers, &form) {
        return (StatusCode::FORBIDDEN, error(code, message));
    }
    let asked: BTreeMap<_, _> = form_urlencoded::parse(form.as_bytes()).collect();
    assert_eq!((&*asked["Action"], &*asked["Version"]), ("DescribeStacks", "2010-05-15"));
    let name = &*asked["StackName"];
    let Some((status, outputs)) = stacks.get(name) else {
        return (StatusCode::BAD_REQUEST, error("ValidationError", &format!("Stack with id {name} does not exist")));
    };
    let outputs = outputs.iter().fold(String::new(), |mut text, (key, value)| {
        let value = value.replace('&', "&amp;").replace('<', "&lt;");
        let _ = write!(text, "<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>");
        text
    });
    let answer = format!(
        "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><DescribeStacksResult>\
         <Stacks><member><StackName>{name}</StackName><Outputs>{outputs}</Outputs><StackStatus>{status}</StackStatus>\
         </member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
    );
    (StatusCode::OK, answer)
}

fn error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    )
}

/// Signature Version 4 of a form that is posted to `/`:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
fn verify(headers: &HeaderMap, body: &str) -> Result<(), (&'static str, &'static str)> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (_, parts) = header("authorization").split_once(' ').ok_or(("MissingAuthenticationToken", "No signature."))?;
    let part = |name: &str| {
        let mut parts = parts.split(", ").filter_map(|part| part.split_once('='));
        parts.find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    };
    let (key_id, scope) = part("Credential").split_once('/').unwrap_or_default();
    if key_id != CloudFormation::ACCESS_KEY_ID {
        return Err(("InvalidClientTokenId", "The security token included in the request is invalid."));
    }
    let date = header("x-amz-date");
    assert_eq!(scope, format!("{}/{}/cloudformation/aws4_request", &date[..8], CloudFormation::REGION));
    let signed = part("SignedHeaders");
    let canonical =
        signed.split(';').fold("POST\n/\n\n".to_owned(), |text, name| text + name + ":" + header(name) + "\n");
    let canonical = format!("{canonical}\n{signed}\n{}", hex::encode(digest(&SHA256, body.as_bytes()).as_ref()));
    let canonical = hex::encode(digest(&SHA256, canonical.as_bytes()).as_ref());
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{canonical}");
    let mac = |key: &[u8], text: &str| sign(&Key::new(HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec();
    let secret = format!("AWS4{}", CloudFormation::SECRET_ACCESS_KEY).into_bytes();
    let key = scope.split('/').fold(secret, |key, step| mac(&key, step));
    let right = signed.contains("host") && hex::encode(mac(&key, &text)) == part("Signature");
    if right { Ok(()) } else { Err(("SignatureDoesNotMatch", "The signature does not match.")) }
}
