//! What goes wrong between us and AWS.

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
};
use rollcall_engine::{ErrorKind, StorageError};

/// Names the operation that an SDK's error belongs to.
pub(crate) fn failed<E>(operation: &'static str) -> impl Fn(SdkError<E, HttpResponse>) -> StorageError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    move |error| StorageError::new(operation, kind_of(&error), SdkMessage(describe(&error)))
}

/// The same for a transaction, whose items say one by one why they were not written
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
pub(crate) fn transaction_failed(
    operation: &'static str,
) -> impl Fn(SdkError<TransactWriteItemsError, HttpResponse>) -> StorageError {
    move |error| {
        let kind = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                let reasons = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
                kind_of_reasons(&reasons.collect::<Vec<_>>())
            }
            _ => kind_of(&error),
        };
        StorageError::new(operation, kind, SdkMessage(describe(&error)))
    }
}

/// What the reasons of a cancelled transaction mean together. One condition that fails says that the write was decided on what is
/// not so any more: whatever else is wrong with it, it is decided again first.
fn kind_of_reasons(codes: &[&str]) -> ErrorKind {
    let any = |wanted: &[&str]| codes.iter().any(|code| wanted.contains(code));
    match () {
        () if any(&["ConditionalCheckFailed", "DuplicateItem"]) => ErrorKind::Conflict,
        () if any(&["ValidationError", "ItemCollectionSizeLimitExceeded"]) => ErrorKind::NotStorable,
        () if any(&["AccessDenied"]) => ErrorKind::Denied,
        () if any(&["ResourceNotFound"]) => ErrorKind::Refused,
        // Another transaction was at the same items, or the table asks for patience.
        () => ErrorKind::Transient,
    }
}

fn kind_of<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> ErrorKind {
    match error {
        SdkError::ConstructionFailure(_) => ErrorKind::Refused,
        SdkError::ServiceError(service) => match service.err().code() {
            Some("ConditionalCheckFailedException" | "DuplicateItemException" | "PreconditionFailed") => ErrorKind::Conflict,
            Some("ValidationException" | "ItemCollectionSizeLimitExceededException") => ErrorKind::NotStorable,
            Some("NoSuchKey" | "NoSuchVersion" | "NoSuchBucket" | "NotFound") => ErrorKind::NotFound,
            Some("AccessDeniedException" | "AccessDenied" | "KMSAccessDeniedException" | "NotAuthorizedException") => {
                ErrorKind::Denied
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
                | "RequestTimeoutException"
                | "ServiceUnavailableException"
                | "ThrottledException"
                | "TooManyRequestsException"
                | "RequestThrottled"
                | "RequestThrottledException"
                | "BandwidthLimitExceeded"
                | "PriorRequestNotComplete"
                // A transaction is at the item, or is being carried out for the request that came before.
                | "TransactionConflictException"
                | "TransactionInProgressException"
                | "ReplicatedWriteConflictException"
                // Another write of the object has not ended yet.
                | "ConditionalRequestConflict"
                | "OperationAborted"
                // Credentials are renewed, clocks are set: the next delivery finds them right.
                | "ExpiredTokenException"
                | "ExpiredToken"
                | "RequestExpired"
                | "RequestTimeTooSkewed",
            ) => ErrorKind::Transient,
            // A load balancer in between answers without a code.
            _ if matches!(service.raw().status().as_u16(), 429 | 500..) => ErrorKind::Transient,
            _ => ErrorKind::Refused,
        },
        // No answer, or one that can't be read: timeouts, broken connections, proxies in between.
        _ => ErrorKind::Transient,
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
struct SdkMessage(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reasons_of_a_cancelled_transaction_are_read_one_by_one() {
        for (reasons, kind) in [
            (&["None", "ConditionalCheckFailed"][..], ErrorKind::Conflict),
            (&["ConditionalCheckFailed", "ValidationError"], ErrorKind::Conflict),
            (&["TransactionConflict", "ConditionalCheckFailed"], ErrorKind::Conflict),
            (&["None", "ValidationError"], ErrorKind::NotStorable),
            (&["ItemCollectionSizeLimitExceeded", "ThrottlingError"], ErrorKind::NotStorable),
            (&["None", "AccessDenied"], ErrorKind::Denied),
            (&["None", "TransactionConflict"], ErrorKind::Transient),
            (&["ThrottlingError", "None"], ErrorKind::Transient),
            (&["ProvisionedThroughputExceeded"], ErrorKind::Transient),
            (&["RequestLimitExceeded"], ErrorKind::Transient),
            (&["None"], ErrorKind::Transient),
            (&[], ErrorKind::Transient),
        ] {
            assert_eq!(kind_of_reasons(reasons), kind, "{reasons:?}");
        }
    }

    #[test]
    fn an_answer_that_another_try_may_change_is_transient() {
        for (code, kind) in [
            ("TransactionInProgressException", ErrorKind::Transient),
            ("TransactionConflictException", ErrorKind::Transient),
            ("ConditionalRequestConflict", ErrorKind::Transient),
            ("OperationAborted", ErrorKind::Transient),
            ("SlowDown", ErrorKind::Transient),
            ("ThrottlingException", ErrorKind::Transient),
            ("ConditionalCheckFailedException", ErrorKind::Conflict),
            ("PreconditionFailed", ErrorKind::Conflict),
            ("ValidationException", ErrorKind::NotStorable),
            ("AccessDeniedException", ErrorKind::Denied),
        ] {
            let response =
                HttpResponse::new(409.try_into().expect("a status"), aws_sdk_s3::primitives::SdkBody::empty());
            let meta = aws_sdk_dynamodb::error::ErrorMetadata::builder().code(code).build();
            let error = SdkError::service_error(TransactWriteItemsError::generic(meta), response);
            assert_eq!(failed("doing")(error).kind, kind, "{code}");
        }
    }
}
