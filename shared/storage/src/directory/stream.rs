//! What the table's stream tells, as the audit trail looks at it.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use rollcall_model::{
    account::AccountId,
    audit::{Actor, AuditChange, AuditField, AuditImage, AuditSubject, RecordedAction},
    email::EmailAddress,
    jobs::{Decision, JobId},
    mapping::Mapping,
    scim_key::ScimKey,
    settings::{ReportTo, ScimGroupRule, Settings},
    user::{LoginId, Ref},
};
use serde::Deserialize;

use super::{
    Item,
    catalog::read_entry,
    mappings::read_mapping,
    numbers::read_number,
    pushes,
    refusals::{CODE, ROUTE},
    scim::read_keys,
    settings::read_settings,
    string,
    users::{caller_ids, default_caller_id, policy},
};
use crate::{
    StorageError,
    keys::{PK, SK, account_of, is_audited},
};

/// Who wrote an item last, for the audit trail: in the same write, wherever users and numbers are written.
pub(super) const CHANGED_BY: &str = "changed_by";
/// Who is about to delete it. See [`super::Directory::delete_user`].
pub(super) const DELETED_BY: &str = "deleted_by";
/// What was decided about a job, on its item.
pub(super) const DECISION: &str = "decision";

/// A record of the stream, as Lambda hands it on, or as the AWS CLI prints it: so a person brings back what Lambda gave up.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>
#[derive(Debug, Deserialize)]
pub struct StreamRecord {
    #[serde(rename = "eventID")]
    id: String,
    dynamodb: Record,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    approximate_creation_date_time: Moment,
    sequence_number: String,
    keys: TypedItem,
    old_image: Option<TypedItem>,
    new_image: Option<TypedItem>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Moment {
    /// Seconds since 1970, by the service and by Lambda.
    Seconds(f64),
    /// By the AWS CLI.
    Text(Timestamp),
}

/// An item as the stream tells it: each value in an object that names its type.
pub(super) type TypedItem = HashMap<String, TypedValue>;

/// A value, if it is of a type that is looked at.
#[derive(Debug, Deserialize)]
pub(super) struct TypedValue {
    #[serde(rename = "S")]
    string: Option<String>,
    #[serde(rename = "SS")]
    set: Option<Vec<String>>,
    #[serde(rename = "M")]
    map: Option<TypedItem>,
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

    /// The change that it tells, and whose. `None` when it is about nothing that the trail keeps: Lambda keeps such records
    /// back, and they come where a person has read the stream.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn change(self) -> Result<Option<(AccountId, AuditChange)>, StorageError> {
        let Record { approximate_creation_date_time, keys, old_image, new_image, .. } = self.dynamodb;
        let keys = item(keys);
        if !string(&keys, SK).is_some_and(|sk| is_audited(&sk)) {
            return Ok(None);
        }
        let account = string(&keys, PK).and_then(|pk| account_of(&pk));
        let account = account.ok_or_else(|| StorageError::unreadable(READING, "its key names no account"))?;
        let seconds = match approximate_creation_date_time {
            #[expect(clippy::cast_possible_truncation, reason = "whole seconds are what is wanted")]
            Moment::Seconds(seconds) => seconds as i64,
            Moment::Text(moment) => moment.as_second(),
        };
        let changed = Timestamp::from_second(seconds).map_err(|error| StorageError::unreadable(READING, error))?;
        let (old, new) = (old_image.map(item), new_image.map(item));
        let image = |told: Option<&Item>| told.map(|told| image(&account, &keys, told)).transpose();
        let (before, after) = match string(&keys, SK).as_deref() {
            Some("SCIMKEYS") => key(old.as_ref(), new.as_ref())?,
            _ => (image(old.as_ref())?, image(new.as_ref())?),
        };
        Ok(Some((account, AuditChange { id: self.id, changed, before, after, asked_by: None })))
    }
}

pub(super) fn item(told: TypedItem) -> Item {
    let value = |value: TypedValue| match value {
        TypedValue { string: Some(text), .. } => Some(AttributeValue::S(text)),
        TypedValue { set: Some(texts), .. } => Some(AttributeValue::Ss(texts)),
        TypedValue { map: Some(told), .. } => Some(AttributeValue::M(item(told))),
        TypedValue { string: None, set: None, map: None } => None,
    };
    told.into_iter().filter_map(|(name, told)| Some((name, value(told)?))).collect()
}

/// What the trail looks at of an item with this key.
fn image(account: &AccountId, keys: &Item, item: &Item) -> Result<AuditImage, StorageError> {
    let sk = string(keys, SK).unwrap_or_default();
    let image = match sk.split_once('#').map_or(sk.as_str(), |(kind, _)| kind) {
        "NUM" => {
            let number = read_number(item)?;
            AuditImage { state: Some(number.facts.state), ..AuditImage::of(AuditSubject::Number(number.number)) }
        }
        "CRM" => mapping(&read_mapping(item)?),
        "ROLE" => entry(item, AuditSubject::Role)?,
        "DEPT" => entry(item, AuditSubject::Department)?,
        "TEAM" => entry(item, AuditSubject::Team)?,
        "SETTINGS" => settings(account, &read_settings(item)?),
        "JOB" => job(&string(keys, PK).unwrap_or_default(), item)?,
        "REFUSAL" => refusal(item),
        "TOLD" => pushes::phone_list(item, &sk)?,
        _ => user(item)?,
    };
    Ok(AuditImage { changed_by: actor(item, CHANGED_BY), deleted_by: actor(item, DELETED_BY), ..image })
}

fn actor(item: &Item, name: &str) -> Option<Actor> {
    string(item, name).and_then(|text| Actor::parse(&text))
}

fn user(item: &Item) -> Result<AuditImage, StorageError> {
    let login = string(item, "login").unwrap_or_default();
    let login = LoginId::parse(&login).map_err(|error| StorageError::unreadable(READING, error))?;
    let shown = |name| Some((name, AuditField::Shown(string(item, name)?)));
    let default = default_caller_id(item)?.map(|number| ("default_caller_id", AuditField::Shown(number.to_string())));
    Ok(AuditImage {
        caller_ids: caller_ids(item)?.into_iter().collect(),
        policy: Some(policy(item)?),
        fields: ["agent_status", "web_login"].into_iter().filter_map(shown).chain(default).collect(),
        ..AuditImage::of(AuditSubject::User(login))
    })
}

/// What a mapping says: whom it maps, and what the CRM user may see.
fn mapping(mapping: &Mapping) -> AuditImage {
    let permission = mapping.permission.as_ref();
    let phone_user = mapping.state.last_phone_user();
    let shown = [
        ("state", Some(mapping.state.as_str().to_owned())),
        ("phone_user", phone_user.map(|user| user.as_str().to_owned())),
        ("department", permission.and_then(|permission| permission.department.as_ref()).map(ToString::to_string)),
    ];
    let private = [
        ("email", mapping.given.email.as_ref().map(|email| email.folded().into_owned())),
        ("login", mapping.given.login.as_ref().map(|login| login.folded().into_owned())),
    ];
    let shown = shown.into_iter().filter_map(|(name, value)| Some((name, AuditField::Shown(value?))));
    let private = private.into_iter().filter_map(|(name, value)| Some((name, AuditField::Private(value?))));
    AuditImage {
        caller_ids: permission.map(|known| known.caller_ids.iter().copied().collect()).unwrap_or_default(),
        policy: permission.map(|permission| permission.policy),
        fields: shown.chain(private).collect(),
        ..AuditImage::of(AuditSubject::Mapping(mapping.crm_user.clone()))
    }
}

fn entry(item: &Item, subject: impl Fn(Ref) -> AuditSubject) -> Result<AuditImage, StorageError> {
    let entry = read_entry(item)?;
    let fields = BTreeMap::from([("name", AuditField::Shown(entry.name.to_string()))]);
    Ok(AuditImage { fields, ..AuditImage::of(subject(entry.id)) })
}

fn settings(account: &AccountId, settings: &Settings) -> AuditImage {
    let Settings {
        country,
        recipients,
        report_to,
        list_limit,
        phone_system,
        safety_threshold,
        default_role,
        catalog_from_files,
        names,
        scim_groups,
        scim_roles,
        scim_groups_behind: _,
        version: _,
    } = settings;
    let id = |id: &Option<Ref>| id.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    let rule = |rule: &ScimGroupRule| {
        format!("{}: {} {} {}", rule.group, id(&rule.role), id(&rule.team), id(&rule.department))
    };
    let rules: Vec<String> = scim_groups.iter().map(rule).collect();
    let report_to: Vec<_> = report_to.iter().map(ReportTo::as_str).collect();
    let names: BTreeMap<_, _> = names.iter().map(|(subject, name)| (subject, name.as_str())).collect();
    let mut fields = BTreeMap::from([
        (
            "recipients",
            AuditField::Private(format!("{:?}", recipients.iter().map(EmailAddress::as_str).collect::<Vec<_>>())),
        ),
        ("report_to", AuditField::Private(format!("{report_to:?}"))),
        ("list_limit", AuditField::Shown(list_limit.to_string())),
        ("phone_system", AuditField::Shown(phone_system.as_str().to_owned())),
        ("catalog_from_files", AuditField::Shown(catalog_from_files.to_string())),
        ("scim_groups", AuditField::Shown(rules.join("; "))),
        ("scim_roles", AuditField::Shown(scim_roles.to_string())),
        ("safety_threshold", AuditField::Shown(safety_threshold.to_string())),
    ]);
    fields.extend((!names.is_empty()).then(|| ("names", AuditField::Private(format!("{names:?}")))));
    fields.extend(default_role.as_ref().map(|role| ("default_role", AuditField::Shown(role.to_string()))));
    fields.extend(country.map(|country| ("country", AuditField::Shown(country.to_string()))));
    AuditImage { fields, ..AuditImage::of(AuditSubject::Settings(account.clone())) }
}

/// The key that has gone or come: all keys of an account are one item. That one was used says nothing.
fn key(old: Option<&Item>, new: Option<&Item>) -> Result<(Option<AuditImage>, Option<AuditImage>), StorageError> {
    let keys = |item: Option<&Item>| Ok::<_, StorageError>(item.map(read_keys).transpose()?.unwrap_or_default());
    let (had, has) = (keys(old)?, keys(new)?);
    let by = new.and_then(|item| actor(item, CHANGED_BY));
    let only = |keys: Vec<ScimKey>, others: &[ScimKey]| {
        let key = keys.into_iter().find(|key| !others.iter().any(|other| other.id == key.id))?;
        let name = key.name.map(|name| ("name", AuditField::Shown(name)));
        Some(AuditImage {
            changed_by: by.clone(),
            deleted_by: by.clone(),
            fields: name.into_iter().collect(),
            ..AuditImage::of(AuditSubject::ScimKey(key.id))
        })
    };
    let (gone, come) = (only(had.clone(), &has), only(has, &had));
    // The API makes or deletes one at a time.
    Ok(if come.is_some() { (None, come) } else { (gone, None) })
}

/// A job, of which what was decided is looked at alone.
fn job(pk: &str, item: &Item) -> Result<AuditImage, StorageError> {
    let id = pk.rsplit('#').next().and_then(JobId::parse);
    let id = id.ok_or_else(|| StorageError::unreadable(READING, "its key names no job"))?;
    let decision = string(item, DECISION).and_then(|decision| Decision::parse(&decision));
    Ok(AuditImage { told: decision.map(RecordedAction::Decided), ..AuditImage::of(AuditSubject::Job(id)) })
}

fn refusal(item: &Item) -> AuditImage {
    let text = |name| string(item, name).unwrap_or_default();
    AuditImage { told: Some(RecordedAction::Refused(text(CODE))), ..AuditImage::of(AuditSubject::Route(text(ROUTE))) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn record(keys: &Value, old: &Value, new: &Value) -> StreamRecord {
        record_of(&json!(1_772_323_200), keys, old, new)
    }

    fn record_of(created: &Value, keys: &Value, old: &Value, new: &Value) -> StreamRecord {
        serde_json::from_value(json!({
            "eventID": "c9fbe7d0261a5163fcb6940593e41797",
            "eventName": "MODIFY",
            "eventSource": "aws:dynamodb",
            "dynamodb": {
                "ApproximateCreationDateTime": created,
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
        let (account, change) = record.change().unwrap().unwrap();
        assert_eq!((account.as_str(), change.changed.to_string().as_str()), ("acme", "2026-03-01T00:00:00Z"));
        let (before, after) = (change.before.unwrap(), change.after.unwrap());
        assert_eq!(after.subject, AuditSubject::User(LoginId::parse("A#b").unwrap()));
        assert_eq!((before.changed_by, after.changed_by), (None, Actor::parse("call:ann")));
        assert_eq!((before.caller_ids.len(), after.caller_ids.len()), (0, 1));
    }

    #[test]
    fn a_key_is_told_when_it_comes_and_when_it_goes_and_not_when_it_is_used() {
        let keys = json!({ "PK": { "S": "ACCT#acme" }, "SK": { "S": "SCIMKEYS" } });
        let item = |ids: &[&str], more: (&str, &str)| {
            let key = |id: &&str| json!({ "id": id, "hash": "unshown", "name": "Entra ID", "created_by": { "call": "x" }, "created": "2026-03-01T00:00:00Z" });
            let all = json!({ "keys": ids.iter().map(key).collect::<Vec<_>>() }).to_string();
            json!({ "keys": { "S": all }, "changed_by": { "S": "call:ann" }, (more.0): { "S": more.1 } })
        };
        let (one, two) = (item(&["a"], ("used_a", "2026-03-01")), item(&["a", "b"], ("used_a", "2026-03-01")));
        let told = |old: &Value, new: &Value| {
            let (_, change) = record(&keys, old, new).change().unwrap().unwrap();
            change.entry(Timestamp::UNIX_EPOCH).map(|entry| serde_json::to_value(entry).unwrap())
        };
        for (old, new, id, change) in [
            (&Value::Null, &one, "a", "created"),
            (&one, &two, "b", "created"),
            (&two, &one, "b", "deleted"),
            (&one, &item(&[], ("used_a", "2026-03-01")), "a", "deleted"),
        ] {
            let entry = told(old, new).unwrap();
            assert_eq!((&entry["scim_key"], &entry["change"]), (&json!(id), &json!(change)));
            assert_eq!((&entry["by"], entry["fields"].get("name").is_some()), (&json!({ "call": "ann" }), true));
            assert!(!entry.to_string().contains("unshown"));
        }
        assert_eq!(told(&one, &item(&["a"], ("used_a", "2026-03-02"))), None);
    }

    #[test]
    fn what_the_aws_cli_prints_is_read_too() {
        let keys = json!({ "PK": { "S": "ACCT#acme#USER#a" }, "SK": { "S": "USER" } });
        for printed in [json!("2026-03-01T00:00:00+00:00"), json!(1_772_323_200.0)] {
            let record = record_of(&printed, &keys, &Value::Null, &json!({ "login": { "S": "a" } }));
            assert_eq!(record.change().unwrap().unwrap().1.changed.to_string(), "2026-03-01T00:00:00Z");
        }
    }

    #[test]
    fn what_the_trail_does_not_keep_tells_no_change() {
        for (pk, sk) in [("ACCT#acme#ANSWER#1", "ANSWER"), ("ACCT#acme#EMAIL#a@b", "EMAIL"), ("ACCT#acme", "RESYNC")] {
            let keys = json!({ "PK": { "S": pk }, "SK": { "S": sk } });
            assert!(record(&keys, &Value::Null, &json!({})).change().unwrap().is_none(), "{pk}");
        }
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
            (json!({ "PK": { "S": "ACCT#acme#NUMBERS" }, "SK": { "S": "NUM#+1" } }), json!({ "number": { "S": "{" } })),
        ] {
            assert!(record(&keys, &Value::Null, &new).change().is_err(), "{keys} {new}");
        }
    }
}
