//! EventBridge's notices of new objects, as the queue brings them.

use rollcall_model::upload::{Notice, Source};
use serde::Deserialize;

/// What came from the queue.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A file was dropped, or a person has decided.
    Notice(Notice, Source),
    /// What a console makes when somebody creates a folder.
    Folder,
    /// Nothing that a bucket says, and why.
    Unreadable(String),
}

/// EventBridge's notice of a new object. Its key is not encoded, unlike that of S3's own notices.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>
#[derive(Deserialize)]
struct ObjectCreated {
    detail: Detail,
}

#[derive(Deserialize)]
struct Detail {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Object {
    key: String,
    #[serde(default)]
    size: u64,
    version_id: Option<String>,
}

/// Reads the body of a message.
pub(crate) fn read(body: &str) -> Event {
    let created: ObjectCreated = match serde_json::from_str(body) {
        Ok(created) => created,
        Err(error) => return Event::Unreadable(error.to_string()),
    };
    let Detail { bucket, object } = created.detail;
    if object.key.ends_with('/') {
        return Event::Folder;
    }
    let Some(version) = object.version_id else {
        return Event::Unreadable("the object has no version: the bucket must keep versions".to_owned());
    };
    match Notice::from_key(&object.key) {
        Ok(notice) => {
            Event::Notice(notice, Source { bucket: bucket.name, key: object.key, version, size: object.size })
        }
        Err(error) => Event::Unreadable(error.to_string()),
    }
}
