//! A deployed stack, as CloudFormation knows it.
//!
//! One question is asked of CloudFormation, by a person's command. The SDK's crate for it has the service's every operation and would be compiled
//! with each function; signing a form and reading XML takes the crates that every such crate is made of, which are in the build anyway. What is
//! signed here, somebody else sends.

use std::{collections::BTreeMap, time::SystemTime};

use aws_config::SdkConfig;
use aws_sdk_s3::config::ProvideCredentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_xml::decode::{Document, ScopedDecoder, try_data};
use aws_types::service_config::ServiceConfigKey;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::connect::Aws;

/// A stack of CloudFormation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployedStack {
    /// How its last deployment went, in CloudFormation's words.
    pub status: String,
    /// What its template says of itself. It has none before its first deployment is done.
    pub outputs: BTreeMap<String, String>,
}

/// A question, signed: a form to be posted within five minutes, with just these headers.
pub struct Question {
    /// Where to.
    pub url: String,
    /// The headers that must be sent along.
    pub headers: Vec<(String, String)>,
    /// The form.
    pub form: String,
}

/// Why nothing is known of a stack.
#[derive(Debug, thiserror::Error)]
pub enum NotKnown {
    /// The environment names no region.
    #[error("no AWS region is set; set AWS_REGION")]
    NoRegion,
    /// Neither the environment nor a profile has credentials, or they can't be fetched.
    #[error("there are no AWS credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")]
    NoCredentials(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The question can't be signed: the endpoint that is set is none.
    #[error("CloudFormation can't be asked at {0}")]
    NoEndpoint(String),
    /// The region has no stack of this name, or somebody else's account has.
    #[error("{0}; look at AWS_REGION, AWS_PROFILE and the stack's name")]
    NoStack(String),
    /// The credentials are too old.
    #[error("the AWS credentials have expired; renew them")]
    Expired,
    /// Whatever else CloudFormation says, by its code and message.
    #[error("CloudFormation refuses ({code}): {message}")]
    Refused {
        /// The code.
        code: String,
        /// The message.
        message: String,
    },
    /// The answer is neither.
    #[error("CloudFormation's answer makes no sense (HTTP status {0})")]
    Unreadable(u16),
}

/// The version of CloudFormation's API, the only one that there is:
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html>
const VERSION: &str = "2010-05-15";
const CONTENT_TYPE: &str = "application/x-www-form-urlencoded";

impl Aws {
    /// Asks what CloudFormation knows of a stack, by its name or ARN.
    ///
    /// # Errors
    /// [`NotKnown`] without a region or credentials.
    pub async fn ask_about(&self, stack: &str) -> Result<Question, NotKnown> {
        let config = &self.config;
        let region = config.region().ok_or(NotKnown::NoRegion)?;
        let credentials = match config.credentials_provider() {
            Some(provider) => {
                provider.provide_credentials().await.map_err(|error| NotKnown::NoCredentials(error.into()))
            }
            None => Err(NotKnown::NoCredentials("no provider is set".into())),
        }?;
        let url = endpoint(config, region.as_ref());
        let name = utf8_percent_encode(stack, NON_ALPHANUMERIC);
        let form = format!("Action=DescribeStacks&Version={VERSION}&StackName={name}");

        let identity = credentials.into();
        let unfit = || NotKnown::NoEndpoint(url.clone());
        let signer = v4::SigningParams::builder().identity(&identity).region(region.as_ref()).name("cloudformation");
        let signer = signer.time(SystemTime::now()).settings(SigningSettings::default());
        let signer = signer.build().map_err(|_| unfit())?.into();
        let headers = [("content-type", CONTENT_TYPE)];
        let request = SignableRequest::new("POST", &*url, headers.into_iter(), SignableBody::Bytes(form.as_bytes()));
        let (signature, _) = sign(request.map_err(|_| unfit())?, &signer).map_err(|_| unfit())?.into_parts();
        let headers = headers.into_iter().chain(signature.headers());
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Question { url, headers, form })
    }
}

/// Where CloudFormation is: as the environment or the profile says, in the order of AWS's SDKs, or else AWS's own.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
fn endpoint(config: &SdkConfig, region: &str) -> String {
    let key = ServiceConfigKey::builder().service_id("CloudFormation").env("AWS_ENDPOINT_URL").profile("endpoint_url");
    let own = key.build().ok().and_then(|key| config.service_config()?.load_config(key));
    let set = own.or_else(|| config.endpoint_url().map(str::to_owned));
    let set = set.map(|url| format!("{}/", url.trim_end_matches('/')));
    set.unwrap_or_else(|| {
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("https://cloudformation.{region}.{domain}/")
    })
}

impl DeployedStack {
    /// What CloudFormation has answered.
    ///
    /// # Errors
    /// [`NotKnown`], where it says no or nothing that can be read.
    pub fn read(status: u16, answer: &str) -> Result<Self, NotKnown> {
        let mut document = Document::new(answer);
        let unreadable = || NotKnown::Unreadable(status);
        if status != 200 {
            let error = find(&mut document, "Error").and_then(|mut error| refused(&mut error));
            return Err(error.unwrap_or_else(unreadable));
        }
        let mut stacks = find(&mut document, "Stacks").ok_or_else(unreadable)?;
        let mut stack = stacks.next_tag().ok_or_else(unreadable)?;
        let mut read = Self { status: String::new(), outputs: BTreeMap::new() };
        while let Some(mut field) = stack.next_tag() {
            match field.start_el().local() {
                "StackStatus" => read.status = text(&mut field),
                "Outputs" => {
                    while let Some(mut member) = field.next_tag() {
                        let output = texts(&mut member);
                        if let (Some(key), Some(value)) = (output.get("OutputKey"), output.get("OutputValue")) {
                            read.outputs.insert(key.clone(), value.clone());
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(read)
    }
}

/// An error, as every service of the query protocol has it.
fn refused(error: &mut ScopedDecoder<'_, '_>) -> Option<NotKnown> {
    let mut told = texts(error);
    let (code, message) = (told.remove("Code")?, told.remove("Message").unwrap_or_default());
    Some(match code.as_str() {
        "ValidationError" if message.contains("does not exist") => NotKnown::NoStack(message),
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => NotKnown::Expired,
        _ => NotKnown::Refused { code, message },
    })
}

/// The first element of this name, however deep it stands.
fn find<'text, 'a>(document: &'a mut Document<'text>, name: &str) -> Option<ScopedDecoder<'text, 'a>> {
    loop {
        let start = document.next_start_element()?;
        if start.local() == name {
            return Some(document.scoped_to(start));
        }
    }
}

/// The texts of an element's own elements, by name.
fn texts(parent: &mut ScopedDecoder<'_, '_>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    while let Some(mut tag) = parent.next_tag() {
        let name = tag.start_el().local().to_owned();
        found.insert(name, text(&mut tag));
    }
    found
}

fn text(element: &mut ScopedDecoder<'_, '_>) -> String {
    try_data(element).unwrap_or_default().into_owned()
}

#[cfg(test)]
mod tests;
