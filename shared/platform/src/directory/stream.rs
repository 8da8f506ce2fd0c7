//! What the table's stream tells, as the audit trail looks at it.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use rollcall_model::{
    account::AccountId,
    audit::{Actor, Change, Image, Subject},
    user::LoginId,
};
use serde::Deserialize;

use super::{
    Item,
    numbers::{self, read_number},
    string,
    users::{caller_ids, policy},
};
use crate::{
    Error,
    keys::{PK, account_of},
};

/// Who wrote an item last, for the audit trail: in the same write, wherever users and numbers are written.
pub(super) const CHANGED_BY: &str = "changed_by";
/// Who is about to delete it. See [`super::Directory::delete_user`].
pub(super) const DELETED_BY: &str = "deleted_by";

/// A record of the stream, as Lambda hands it on.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>
#[derive(Debug, Deserialize)]
pub struct StreamRecord {
    #[serde(rename = "eventID")]
    id: String,
    dynamodb: Told,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    /// Seconds since 1970.
    approximate_creation_date_time: f64,
    sequence_number: String,
    keys: TypedItem,
    old_image: Option<TypedItem>,
    new_image: Option<TypedItem>,
}

/// An item as the stream tells it: each value in an object that names its type.
type TypedItem = HashMap<String, TypedValue>;

/// A value, if it is of a type that is looked at.
#[derive(Debug, Deserialize)]
struct TypedValue {
    #[serde(rename = "S")]
    string: Option<String>,
    #[serde(rename = "SS")]
    set: Option<Vec<String>>,
}

const READING: &str = "reading the table's stream";

impl StreamRecord {
    /// The stream's name for the record.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its place in the stream.
    pub fn sequence_number(&self) -> &str {
        &self.dynamodb.sequence_number
    }

    /// The change that it tells, and whose.
    ///
    /// # Errors
    /// When it is about neither a user nor a number, or can't be read.
    pub fn change(self) -> Result<(AccountId, Change), Error> {
        let Told { approximate_creation_date_time, keys, old_image, new_image, .. } = self.dynamodb;
        let account = string(&item(keys), PK).and_then(|pk| account_of(&pk));
        let account = account.ok_or_else(|| Error::unreadable(READING, "its key names no account"))?;
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds are what is wanted")]
        let changed = Timestamp::from_second(approximate_creation_date_time as i64)
            .map_err(|error| Error::unreadable(READING, error))?;
        let image = |told: Option<TypedItem>| told.map(|told| image(&item(told))).transpose();
        Ok((account, Change { id: self.id, changed, before: image(old_image)?, after: image(new_image)? }))
    }
}

fn item(told: TypedItem) -> Item {
    let value = |value: TypedValue| match value {
        TypedValue { string: Some(text), .. } => Some(AttributeValue::S(text)),
        TypedValue { set: Some(texts), .. } => Some(AttributeValue::Ss(texts)),
        TypedValue { string: None, set: None } => None,
    };
    told.into_iter().filter_map(|(name, told)| Some((name, value(told)?))).collect()
}

fn image(item: &Item) -> Result<Image, Error> {
    let actor = |name| string(item, name).and_then(|text| Actor::parse(&text));
    let (changed_by, deleted_by) = (actor(CHANGED_BY), actor(DELETED_BY));
    if item.contains_key(numbers::RECORD) {
        let number = read_number(item)?;
        let (subject, state) = (Subject::Number(number.number), Some(number.facts.state));
        return Ok(Image { subject, changed_by, deleted_by, caller_ids: BTreeSet::new(), policy: None, state });
    }
    let login = string(item, "login").unwrap_or_default();
    Ok(Image {
        subject: Subject::User(LoginId::parse(&login).map_err(|error| Error::unreadable(READING, error))?),
        changed_by,
        deleted_by,
        caller_ids: caller_ids(item)?.into_iter().collect(),
        policy: Some(policy(item)?),
        state: None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn record(keys: &Value, old: &Value, new: &Value) -> StreamRecord {
        serde_json::from_value(json!({
            "eventID": "c9fbe7d0261a5163fcb6940593e41797",
            "eventName": "MODIFY",
            "eventSource": "aws:dynamodb",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_772_323_200,
                "Keys": keys,
                "OldImage": old,
                "NewImage": new,
                "SequenceNumber": "4421584500000000017450439092",
                "SizeBytes": 59,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        }))
        .unwrap()
    }

    #[test]
    fn a_users_record_tells_whose_it_is_and_what_changed() {
        let keys = json!({ "PK": { "S": "ACCT#acme#USER#a#b" }, "SK": { "S": "USER" } });
        let old = json!({ "login": { "S": "A#b" }, "version": { "N": "1" }, "calling_agent": { "BOOL": true } });
        let new = json!({
            "login": { "S": "A#b" }, "policy": { "S": "all" }, "caller_ids": { "SS": ["+919876543211"] },
            "changed_by": { "S": "call:ann" },
        });
        let record = record(&keys, &old, &new);
        assert_eq!(record.sequence_number(), "4421584500000000017450439092");
        let (account, change) = record.change().unwrap();
        assert_eq!((account.as_str(), change.changed.to_string().as_str()), ("acme", "2026-03-01T00:00:00Z"));
        let (before, after) = (change.before.unwrap(), change.after.unwrap());
        assert_eq!(after.subject, Subject::User(LoginId::parse("A#b").unwrap()));
        assert_eq!((before.changed_by, after.changed_by), (None, Actor::parse("call:ann")));
        assert_eq!((before.caller_ids.len(), after.caller_ids.len()), (0, 1));
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let user = json!({ "login": { "S": "a" } });
        let keys = |pk: &str| json!({ "PK": { "S": pk }, "SK": { "S": "USER" } });
        for (keys, new) in [
            (keys("VISITED"), user.clone()),
            (keys("ACCT#"), user.clone()),
            (keys("ACCT#acme#USER#a"), json!({})),
            (keys("ACCT#acme#USER#a"), json!({ "login": { "S": "a" }, "policy": { "S": "none" } })),
            (keys("ACCT#acme#NUMBERS"), json!({ "number": { "S": "{" } })),
        ] {
            assert!(record(&keys, &Value::Null, &new).change().is_err(), "{keys} {new}");
        }
    }
}
