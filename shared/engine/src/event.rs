//! EventBridge's notices of new objects, as the queue brings them.

use rollcall_bulk::{misplaced::Misplaced, upload::InboxEvent};
use rollcall_model::jobs::{JobKind, ObjectVersion};
use serde::Deserialize;

/// What came from the queue.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A file was dropped, or a person has decided.
    Notice(InboxEvent, ObjectVersion),
    /// What a console makes when somebody creates a folder.
    Folder,
    /// A file or a decision for jobs of another kind: nothing for this function to do.
    OfAnotherKind(String),
    /// A file that lies where no job takes it, of an account.
    Misplaced(Misplaced, ObjectVersion),
    /// A file that lies where no job takes it, and no account can be told.
    Stray(String),
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

/// Where every dropped file lies.
const INBOX: &str = "inbox/";

/// Reads the body of a message, for a function that works on these kinds of job and on no others. One function is told of every file of
/// the inbox, and so also `looks_after` those that are no kind's; to the others they are nothing.
pub(crate) fn read(body: &str, kinds: &[JobKind], looks_after: bool) -> Event {
    let created: ObjectCreated = match serde_json::from_str(body) {
        Ok(created) => created,
        Err(error) => return Event::Unreadable(error.to_string()),
    };
    let Detail { bucket, object } = created.detail;
    if object.key.ends_with('/') {
        return Event::Folder;
    }
    let notice = InboxEvent::from_key(&object.key);
    let is_own = InboxEvent::kind_of(&object.key).is_some_and(|kind| kinds.contains(&kind));
    let is_misplaced = notice.is_err() && object.key.starts_with(INBOX);
    if if is_misplaced { !looks_after } else { !is_own } {
        return Event::OfAnotherKind(object.key);
    }
    let Some(version) = object.version_id else {
        return Event::Unreadable("the object has no version: the bucket must keep versions".to_owned());
    };
    let source = ObjectVersion { bucket: bucket.name, key: object.key, version, size: object.size };
    match notice {
        Ok(notice) => Event::Notice(notice, source),
        Err(_) if is_misplaced => match Misplaced::from_key(&source.key) {
            Some(misplaced) => Event::Misplaced(misplaced, source),
            None => Event::Stray(source.key),
        },
        Err(error) => Event::Unreadable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn created(key: &str) -> String {
        let object = serde_json::json!({ "key": key, "size": 1, "version-id": "v1" });
        serde_json::json!({ "detail": { "bucket": { "name": "files" }, "object": object } }).to_string()
    }

    /// The kind that a function of `own` works on for this key.
    fn taken(key: &str, own: JobKind) -> Option<JobKind> {
        match read(&created(key), &[own], true) {
            Event::Notice(InboxEvent::Dropped(upload), _) => Some(upload.kind),
            Event::Notice(InboxEvent::Execute { kind, .. } | InboxEvent::Continue { kind, .. }, _) => Some(kind),
            Event::OfAnotherKind(_) | Event::Misplaced(..) => None,
            other => panic!("{key}: {other:?}"),
        }
    }

    #[test]
    fn a_function_takes_its_own_kind_alone_whatever_else_stands_in_the_key() {
        let job = "0123456789abcdef0123456789abcdef";
        for kind in JobKind::ALL {
            for other in JobKind::ALL {
                for function in JobKind::ALL {
                    let own = (function == kind).then_some(kind);
                    let (kind, other) = (kind.as_str(), other.as_str());
                    assert_eq!(taken(&format!("inbox/acme/{kind}/{other}/x"), function), own, "{kind}/{other}");
                    assert_eq!(taken(&format!("inbox/acme/{kind}/2026/{other}/märz.csv"), function), own);
                    assert_eq!(taken(&format!("decisions/acme/{kind}/{job}/execute"), function), own);
                    assert_eq!(taken(&format!("decisions/acme/{kind}/{job}/continue/7"), function), own);
                    assert_eq!(taken(&format!("inbox/acme/own/{other}/x"), function), None);
                    assert_eq!(taken(&format!("inbox/{other}/own/x"), function), None);
                }
            }
        }
    }

    #[test]
    fn one_function_looks_after_files_that_are_no_kinds_and_to_the_others_they_are_nothing() {
        for (key, account) in [
            ("inbox/acme/append-caller-id/x.csv", Some("acme")),
            ("inbox/acme/append-caller-id/undo/x.csv", Some("acme")),
            ("inbox/ACME/undo/x.json", Some("acme")),
            ("inbox/acme/x.csv", Some("acme")),
            ("inbox/AC#ME/undo/x.json", None),
            ("inbox/x.csv", None),
        ] {
            for kind in JobKind::ALL {
                assert!(matches!(read(&created(key), &[kind], false), Event::OfAnotherKind(_)), "{key}");
                match (read(&created(key), &[kind], true), account) {
                    (Event::Misplaced(found, source), Some(account)) => {
                        assert_eq!((found.upload.account.as_str(), source.key.as_str()), (account, key));
                    }
                    (Event::Stray(stray), None) => assert_eq!(stray, key),
                    (other, _) => panic!("{key}: {other:?}"),
                }
            }
        }
        for key in ["decisions/ACME/undo/x/execute", "decisions/acme/undo/x", "elsewhere/acme/undo/x"] {
            assert!(matches!(read(&created(key), &[JobKind::Undo], true), Event::Unreadable(_)), "{key}");
        }
    }
}
