//! What a job is called, of what kind it is, and what a person may decide about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fingerprint::fingerprint;

/// The kinds of bulk job, each with a folder of its own in every account's inbox.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::EnumString, strum::EnumCount,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum JobKind {
    /// Caller IDs are appended to users' lists.
    AppendCallerIds,
    /// Users are created and changed.
    UploadUsers,
    /// Users come from the account's own directory.
    DirectoryImport,
    /// Mappings are brought in step with the phone system.
    MappingResync,
    /// The same, by a file that says what the phone system has.
    PhoneSnapshot,
    /// Numbers are retired, and replaced on every list that has them.
    RotateCallerIds,
    /// Numbers come into the inventory, and are changed.
    UploadNumbers,
    /// What users may dial from is told to the phone system.
    PushLists,
    /// What another job did is taken back.
    Undo,
}

impl JobKind {
    /// Every kind.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] = [
        Self::AppendCallerIds,
        Self::UploadUsers,
        Self::DirectoryImport,
        Self::MappingResync,
        Self::PhoneSnapshot,
        Self::RotateCallerIds,
        Self::UploadNumbers,
        Self::PushLists,
        Self::Undo,
    ];

    /// As it stands in keys.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The kind of this name.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    /// Whether what a job of this kind did can be taken back. What follows somebody else's system would be done again by the
    /// next.
    pub fn has_undo(self) -> bool {
        match self {
            Self::AppendCallerIds | Self::UploadUsers | Self::RotateCallerIds | Self::UploadNumbers => true,
            Self::DirectoryImport | Self::MappingResync | Self::PhoneSnapshot | Self::PushLists | Self::Undo => false,
        }
    }
}

/// The very bytes that a job works on: one version of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectVersion {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The version.
    pub version: String,
    /// Its size in bytes.
    pub size: u64,
}

/// A job's name: a hash of the version that it works on, so that an event that comes twice finds the same job.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(String);

/// Bytes of the hash that make the name: at 128 bits two jobs don't meet.
const ID_BYTES: usize = 16;

impl JobId {
    /// The job of this source.
    pub fn of(source: &ObjectVersion) -> Self {
        let parts = [&source.bucket, &source.key, &source.version].map(String::as_bytes);
        Self(hex::encode(&fingerprint(parts)[..ID_BYTES]))
    }

    /// A job's name as somebody typed it; `None` when it can't be one.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == 2 * ID_BYTES && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        fits.then(|| Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a person may decide about a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum Decision {
    /// It is to do what it has said that it would.
    Execute,
    /// It is not.
    Discard,
    /// What it did is to be taken back.
    Undo,
}

impl Decision {
    /// As it stands in records.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// A decision as records say it.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_version_is_the_same_job() {
        let source = |key: &str, version: &str| ObjectVersion {
            bucket: "b".into(),
            key: key.into(),
            version: version.into(),
            size: 1,
        };
        let id = JobId::of(&source("k", "v"));
        assert_eq!(id, JobId::of(&ObjectVersion { size: 2, ..source("k", "v") }));
        assert_ne!(id, JobId::of(&source("k", "v2")));
        assert_ne!(JobId::of(&source("ab", "c")), JobId::of(&source("a", "bc")));
        assert_eq!(JobId::parse(id.as_str()), Some(id));
        assert_eq!(JobId::parse("../../etc"), None);
    }
}
