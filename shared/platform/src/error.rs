//! What goes wrong between us and AWS.

use std::fmt;

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

/// An operation on AWS that failed.
#[derive(Debug, thiserror::Error)]
#[error("{operation} failed ({kind})")]
pub struct Error {
    /// What was being done, in the words of the domain.
    pub operation: &'static str,
    /// What that means for whoever asked.
    pub kind: Kind,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// What a failure means for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The service can't answer now, or asks for patience. The same request may pass later.
    Transient,
    /// The condition of a write does not hold: somebody else was first.
    Conflict,
    /// It isn't there.
    NotFound,
    /// The table can't store it, now or later: an item or a key would be larger than it takes, or the request breaks another rule of
    /// the table's.
    NotStorable,
    /// A permission is missing. Whoever runs the stack may give it; then the same request passes.
    Denied,
    /// The service will not do it, now or later: a bad request, something that can't be read.
    Refused,
}

impl Kind {
    /// Whether trying the same again is no use: nothing has failed that passes by itself.
    pub fn is_final(self) -> bool {
        match self {
            Self::Transient | Self::Conflict | Self::Denied => false,
            Self::NotFound | Self::NotStorable | Self::Refused => true,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transient => "the service can't answer now",
            Self::Conflict => "somebody else was first",
            Self::NotFound => "it isn't there",
            Self::NotStorable => "the table can't store it",
            Self::Denied => "a permission is missing",
            Self::Refused => "the service refused",
        })
    }
}

impl Error {
    /// Something that was read makes no sense, or is missing where it must be. Reading it again won't help.
    pub fn unreadable(operation: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { operation, kind: Kind::Refused, source: source.into() }
    }

    /// A connection broke, or a service asked for patience until none was left.
    pub fn transient(operation: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { operation, kind: Kind::Transient, source: source.into() }
    }

    /// The operation, what it means and every cause, on one line: for the log and a job's record.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause: Option<&dyn std::error::Error> = Some(self.source.as_ref());
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

/// Names the operation that an SDK's error belongs to.
pub(crate) fn failed<E>(operation: &'static str) -> impl Fn(SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    move |error| Error { operation, kind: kind_of(&error), source: Box::new(Told(describe(&error))) }
}

fn kind_of<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Kind {
    match error {
        SdkError::ConstructionFailure(_) => Kind::Refused,
        SdkError::ServiceError(service) => match service.err().code() {
            Some(
                "ConditionalCheckFailedException"
                | "TransactionConflictException"
                | "TransactionCanceledException"
                | "PreconditionFailed",
            ) => Kind::Conflict,
            Some("ValidationException" | "ItemCollectionSizeLimitExceededException") => Kind::NotStorable,
            Some("NoSuchKey" | "NoSuchVersion" | "NoSuchBucket" | "NotFound") => Kind::NotFound,
            Some("AccessDeniedException" | "AccessDenied" | "KMSAccessDeniedException" | "NotAuthorizedException") => {
                Kind::Denied
            }
            Some(
                "ThrottlingException"
                | "Throttling"
                | "ThrottlingError"
                | "ProvisionedThroughputExceededException"
                | "RequestLimitExceeded"
                | "InternalServerError"
                | "InternalError"
                | "InternalFailure"
                | "ServiceUnavailable"
                | "SlowDown"
                | "LimitExceededException"
                | "RequestTimeout"
                // Credentials are renewed, clocks are set: the next delivery finds them right.
                | "ExpiredTokenException"
                | "ExpiredToken",
            ) => Kind::Transient,
            // A load balancer in between answers without a code.
            _ if matches!(service.raw().status().as_u16(), 429 | 500..) => Kind::Transient,
            _ => Kind::Refused,
        },
        // No answer, or one that can't be read: timeouts, broken connections, proxies in between.
        _ => Kind::Transient,
    }
}

/// What the service said, without the request's own data.
fn describe<E: ProvideErrorMetadata + std::error::Error>(error: &SdkError<E, HttpResponse>) -> String {
    match error {
        SdkError::ServiceError(service) => {
            let metadata = service.err().meta();
            let status = service.raw().status().as_u16();
            let code = metadata.code().map_or_else(|| format!("HTTP status {status}"), str::to_owned);
            metadata.message().map_or_else(|| code.clone(), |message| format!("{code}: {message}"))
        }
        SdkError::TimeoutError(_) => "timed out".to_owned(),
        SdkError::DispatchFailure(failure) if failure.is_io() => "the connection failed".to_owned(),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => "timed out".to_owned(),
        other => other.to_string(),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Told(String);
