//! Conditional requests (RFC 9110, section 13): what must be so for a read or a write to be done.

use s3s::dto::{ETag, ETagCondition, Timestamp};
use s3s::{S3Result, s3_error};

use super::objects::Version;

/// The conditions of a read, by the names of their headers.
#[expect(clippy::struct_field_names, reason = "the names of the headers")]
pub(super) struct ReadConditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
    pub(super) if_modified_since: Option<Timestamp>,
    pub(super) if_unmodified_since: Option<Timestamp>,
}

/// The conditions of a write.
pub(super) struct WriteConditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
}

impl ReadConditions {
    /// An ETag is decisive where both an ETag and a time are given.
    pub(super) fn check(&self, version: &Version) -> S3Result<()> {
        // Dates in headers have whole seconds.
        let modified = timestamp(version.modified / 1000 * 1000);
        let held = match (&self.if_match, &self.if_unmodified_since) {
            (Some(wanted), _) => same(wanted, &version.etag),
            (None, Some(since)) => modified <= *since,
            (None, None) => true,
        };
        if !held {
            return Err(s3_error!(PreconditionFailed));
        }
        let unchanged = match (&self.if_none_match, &self.if_modified_since) {
            (Some(known), _) => same(known, &version.etag),
            (None, Some(since)) => modified <= *since,
            (None, None) => false,
        };
        if unchanged { Err(s3_error!(NotModified)) } else { Ok(()) }
    }
}

impl WriteConditions {
    pub(super) const NONE: Self = Self { if_match: None, if_none_match: None };

    /// `current` is what the key holds now.
    pub(super) fn check(&self, current: Option<&Version>) -> S3Result<()> {
        match (&self.if_match, current) {
            (Some(_), None) => return Err(s3_error!(NoSuchKey)),
            (Some(wanted), Some(version)) if !same(wanted, &version.etag) => {
                return Err(s3_error!(PreconditionFailed));
            }
            _ => {}
        }
        match (&self.if_none_match, current) {
            (Some(known), Some(version)) if same(known, &version.etag) => Err(s3_error!(PreconditionFailed)),
            _ => Ok(()),
        }
    }
}

/// Milliseconds since 1970 as S3's timestamp.
pub(super) fn timestamp(millis: i64) -> Timestamp {
    let since = std::time::Duration::from_millis(u64::try_from(millis).unwrap_or_default());
    Timestamp::from(std::time::SystemTime::UNIX_EPOCH + since)
}

fn same(condition: &ETagCondition, etag: &str) -> bool {
    condition.is_any() || condition.as_etag().map(ETag::value) == Some(etag)
}
