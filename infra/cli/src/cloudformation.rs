//! A deployed stack, as CloudFormation knows it.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use aws_config::{BehaviorVersion, timeout::TimeoutConfig};
use aws_sdk_cloudformation::{
    Client,
    config::{Builder, Credentials, ProvideCredentials},
    error::{DisplayErrorContext, ProvideErrorMetadata},
};

/// A stack of CloudFormation.
pub struct DeployedStack {
    /// How its last deployment went, in CloudFormation's words.
    pub status: String,
    /// What its template says of itself. It has none before its first deployment is done.
    pub outputs: BTreeMap<String, String>,
}

/// Why nothing is known of a stack.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The environment names no region.
    #[error("no AWS region is set; set AWS_REGION")]
    NoRegion,
    /// Neither the environment nor a profile has credentials, or they can't be fetched.
    #[error(
        "there are no AWS credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. For IAM Identity Center, log in with `aws sso login`"
    )]
    NoCredentials(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The region has no stack of this name, or somebody else's account has.
    #[error("{0}; look at AWS_REGION, AWS_PROFILE and the stack's name")]
    NoStack(String),
    /// The credentials are too old.
    #[error("the AWS credentials have expired; renew them")]
    Expired,
    /// Whatever else CloudFormation says, by its code and message.
    #[error("CloudFormation refuses ({code}): {message}")]
    Refused { code: String, message: String },
    /// There is no answer, or none that can be read.
    #[error("asking CloudFormation: {0}")]
    NoAnswer(String),
}

/// How long CloudFormation has for an answer, with every try.
const TIMEOUT: Duration = Duration::from_secs(30);
/// A service that takes longer to say yes to a connection is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Asks CloudFormation about a stack, by its name or ARN.
///
/// # Errors
/// [`LookupError`]
pub async fn describe(stack: &str) -> Result<DeployedStack, LookupError> {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_timeout(TIMEOUT).build();
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12()).timeout_config(timeouts).load().await;
    if config.region().is_none() {
        return Err(LookupError::NoRegion);
    }
    // Found first, and once: an SDK's error says by its text alone that it found none.
    let provider =
        config.credentials_provider().ok_or_else(|| LookupError::NoCredentials("no provider is set".into()))?;
    let credentials = match provider.provide_credentials().await {
        Ok(credentials) => credentials,
        Err(error) => exported().await.ok_or_else(|| LookupError::NoCredentials(error.into()))?,
    };
    let client = Client::from_conf(Builder::from(&config).credentials_provider(credentials).build());
    let answer = client.describe_stacks().stack_name(stack).send().await;
    let answer = answer.map_err(|error| match (error.code(), error.message()) {
        (Some(code), message) => refusal(code, message.unwrap_or_default()),
        _ => LookupError::NoAnswer(DisplayErrorContext(&error).to_string()),
    })?;
    let found = answer.stacks.unwrap_or_default().into_iter().next();
    let found = found.ok_or_else(|| LookupError::NoAnswer("the answer names no stack".to_owned()))?;
    let status = found.stack_status.map(|status| status.as_str().to_owned()).unwrap_or_default();
    let outputs = found.outputs.unwrap_or_default().into_iter();
    let outputs = outputs.filter_map(|output| Some((output.output_key?, output.output_value?))).collect();
    Ok(DeployedStack { status, outputs })
}

/// What `aws configure export-credentials` prints.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Exported {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

/// The credentials that the AWS CLI finds: it reads profiles of IAM Identity Center and those with a `credential_process`, and a person who has
/// such a profile has it. `None` where it isn't there, or finds none; what it says of that goes to standard error.
async fn exported() -> Option<Credentials> {
    let mut aws = tokio::process::Command::new("aws");
    aws.args(["configure", "export-credentials", "--format", "process"]).stdin(Stdio::null()).stdout(Stdio::piped());
    let output = aws.spawn().ok()?.wait_with_output().await.ok().filter(|output| output.status.success())?;
    let Exported { access_key_id, secret_access_key, session_token } = serde_json::from_slice(&output.stdout).ok()?;
    Some(Credentials::new(access_key_id, secret_access_key, session_token, None, "aws-cli"))
}

fn refusal(code: &str, message: &str) -> LookupError {
    match code {
        "ValidationError" if message.contains("does not exist") => LookupError::NoStack(message.to_owned()),
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => LookupError::Expired,
        _ => LookupError::Refused { code: code.to_owned(), message: message.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cloudformation_refuses_is_said_in_its_words() {
        let said = |code, message| refusal(code, message).to_string();
        let nobody = said("ValidationError", "Stack with id rolcall does not exist");
        assert!(nobody.starts_with("Stack with id rolcall does not exist; look at AWS_REGION"), "{nobody}");
        assert!(said("ExpiredToken", "x").contains("expired"));
        let denied = "User: arn:aws:iam::1:user/ann is not authorized to perform: cloudformation:DescribeStacks";
        assert_eq!(said("AccessDenied", denied), format!("CloudFormation refuses (AccessDenied): {denied}"));
    }
}
