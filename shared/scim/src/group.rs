//! Groups: a resource like any other, but for its members, which may be thousands and are kept apart.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    document::Document,
    error::{ScimError, ScimType},
    filter::{Term, entry},
    patch::{Operation, Verb},
    path::Path,
    values::as_list,
};

/// A group as it is sent: what it is, and what becomes of its members.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// All but the members.
    pub document: Document,
    /// Its members.
    pub members: MemberChanges,
}

/// Members in one request at most: each is a few requests to the table, and the client waits a minute.
const MAX_MEMBERS: usize = 10_000;

/// What becomes of members, whatever the operations were that said so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberChanges {
    /// All who are there go first.
    pub clear: bool,
    /// Who comes, by ID.
    pub add: BTreeSet<String>,
    /// Who goes, by ID.
    pub remove: BTreeSet<String>,
}

const MEMBERS: &str = "members";

impl MemberChanges {
    /// Whether nothing is said of members.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn add(&mut self, ids: Vec<String>) {
        for id in ids {
            self.remove.remove(&id);
            self.add.insert(id);
        }
    }

    fn remove(&mut self, ids: Vec<String>) {
        for id in ids {
            self.add.remove(&id);
            self.remove.insert(id);
        }
    }

    fn clear(&mut self) {
        *self = Self { clear: true, ..Self::default() };
    }

    fn checked(self) -> Result<Self, ScimError> {
        if self.add.len() + self.remove.len() > MAX_MEMBERS {
            let detail = format!("A request names {MAX_MEMBERS} members at most.");
            return Err(ScimError::bad(ScimType::TooMany, detail));
        }
        Ok(self)
    }
}

impl Group {
    /// A group as it is sent whole: its members are those, and no others.
    ///
    /// # Errors
    /// As [`Document::sent`]; [`ScimType::TooMany`].
    pub fn sent(mut body: Value) -> Result<Self, ScimError> {
        let mut members = MemberChanges::default();
        members.clear();
        members.add(take_members(&mut body)?.unwrap_or_default());
        Ok(Self { document: Document::sent(body)?.checked("displayName")?, members: members.checked()? })
    }

    /// The group with the changes.
    ///
    /// **To take away the members of a list is to take away those**, though RFC 7644 would have it be all: that is what Entra ID sends. An
    /// empty list takes away nobody; no list and no filter takes away all.
    ///
    /// # Errors
    /// As [`Document::changed`]; [`ScimType::InvalidFilter`] for members chosen by anything but their ID; [`ScimType::TooMany`].
    pub fn changed(document: &Document, operations: Vec<Operation>) -> Result<Self, ScimError> {
        let mut members = MemberChanges::default();
        let mut others = Vec::new();
        for mut operation in operations {
            let Some(path) = operation.path.clone() else {
                if let Some(ids) = operation.value.as_mut().map(take_members).transpose()?.flatten() {
                    if operation.verb == Verb::Replace {
                        members.clear();
                    }
                    members.add(ids);
                }
                others.push(operation);
                continue;
            };
            if !path.is(MEMBERS) {
                others.push(operation);
                continue;
            }
            let chosen = chosen(&path)?;
            let ids = operation.value.filter(|value| !value.is_null()).map(ids).transpose()?;
            match (operation.verb, chosen, ids) {
                (Verb::Remove, Some(id), _) => members.remove(vec![id]),
                (Verb::Remove, None, Some(ids)) => members.remove(ids),
                (Verb::Remove, None, None) => members.clear(),
                // A member is an ID: to add the one that a filter names is to add that one.
                (Verb::Add | Verb::Replace, Some(id), _) => members.add(vec![id]),
                (Verb::Add, None, ids) => members.add(ids.unwrap_or_default()),
                (Verb::Replace, None, ids) => {
                    members.clear();
                    members.add(ids.unwrap_or_default());
                }
            }
        }
        Ok(Self { document: document.changed(&others)?.checked("displayName")?, members: members.checked()? })
    }
}

/// The one member that a path chooses: `members[value eq "…"]`.
fn chosen(path: &Path) -> Result<Option<String>, ScimError> {
    let Some(filter) = &path.filter else { return Ok(None) };
    match filter.terms.as_slice() {
        [Term { path: Path { attribute: Some(attribute), sub: None, .. }, value: Value::String(id) }]
            if attribute == "value" =>
        {
            Ok(Some(id.clone()))
        }
        _ => Err(ScimError::bad(ScimType::InvalidFilter, "Members are chosen by value eq \"…\" alone.")),
    }
}

/// Takes the members out of a resource, if it names any.
fn take_members(body: &mut Value) -> Result<Option<Vec<String>>, ScimError> {
    let Some(fields) = body.as_object_mut() else { return Ok(None) };
    let key = fields.keys().find(|key| Path::parse(key).is_ok_and(|path| path.is(MEMBERS))).cloned();
    key.and_then(|key| fields.remove(&key)).map(ids).transpose()
}

/// The IDs of members, which are objects with a `value`, or plain.
fn ids(value: Value) -> Result<Vec<String>, ScimError> {
    let id = |value: Value| match value {
        Value::String(id) => Some(id),
        Value::Object(parts) => entry(&parts, "value").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    };
    let invalid = || ScimError::bad(ScimType::InvalidValue, "A member needs a value, which is the ID of a user.");
    as_list(value).into_iter().map(|value| id(value).ok_or_else(invalid)).collect()
}

impl MemberChanges {
    /// A member as it is shown, at this address.
    pub fn shown(id: &str, location: &str) -> Value {
        json!({ "value": id, "$ref": location, "type": "User" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::operations;

    fn changed(sent: &Value) -> Result<Group, ScimError> {
        let document = Document::sent(json!({ "displayName": "Sales" })).unwrap();
        Group::changed(&document, operations(&json!({ "Operations": sent }))?)
    }

    fn members(clear: bool, add: &[&str], remove: &[&str]) -> MemberChanges {
        let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        MemberChanges { clear, add: set(add), remove: set(remove) }
    }

    #[test]
    fn members_come_and_go_in_every_form() {
        for (sent, expected) in [
            (
                json!([{ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": "a" }] }]),
                members(false, &["a"], &[]),
            ),
            (json!([{ "op": "add", "path": "members", "value": { "value": "a" } }]), members(false, &["a"], &[])),
            (
                json!([{ "op": "add", "value": { "members": [{ "value": "a" }, "b"] } }]),
                members(false, &["a", "b"], &[]),
            ),
            (
                json!([{ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": "a" }] }]),
                members(false, &[], &["a"]),
            ),
            (json!([{ "op": "remove", "path": "members", "value": [] }]), members(false, &[], &[])),
            (json!([{ "op": "remove", "path": "members" }]), members(true, &[], &[])),
            (json!([{ "op": "remove", "path": "members", "value": null }]), members(true, &[], &[])),
            (json!([{ "op": "remove", "path": "members[value eq \"a\"]" }]), members(false, &[], &["a"])),
            (
                json!([{ "op": "remove", "path": "members[value eq \"a\"]" }, { "op": "add", "path": "members", "value": [{ "value": "b" }] }]),
                members(false, &["b"], &["a"]),
            ),
            (json!([{ "op": "replace", "path": "members", "value": [{ "value": "a" }] }]), members(true, &["a"], &[])),
            (json!([{ "op": "replace", "path": "members", "value": [] }]), members(true, &[], &[])),
            (json!([{ "op": "replace", "value": { "id": "x", "displayName": "Other" } }]), members(false, &[], &[])),
            (
                json!([{ "op": "add", "path": "members", "value": ["a"] }, { "op": "remove", "path": "members", "value": ["a"] }]),
                members(false, &[], &["a"]),
            ),
        ] {
            assert_eq!(changed(&sent).unwrap().members, expected, "{sent}");
        }
    }

    #[test]
    fn what_can_not_be_understood_is_refused_and_not_passed_over() {
        for (path, kind) in [
            ("members[display eq \"a\"]", ScimType::InvalidFilter),
            ("members[value co \"a\"]", ScimType::InvalidFilter),
        ] {
            assert_eq!(changed(&json!([{ "op": "remove", "path": path }])).unwrap_err().kind, Some(kind));
        }
        let nameless = json!([{ "op": "add", "path": "members", "value": [{ "display": "a" }] }]);
        assert_eq!(changed(&nameless).unwrap_err().kind, Some(ScimType::InvalidValue));
        let many: Vec<String> = (0..=MAX_MEMBERS).map(|n| n.to_string()).collect();
        let many = json!([{ "op": "add", "path": "members", "value": many }]);
        assert_eq!(changed(&many).unwrap_err().kind, Some(ScimType::TooMany));
        assert!(changed(&json!([{ "op": "remove", "path": "displayName" }])).is_err());
        assert!(Group::sent(json!({ "members": [] })).is_err());
    }

    #[test]
    fn a_rename_that_carries_the_id_renames() {
        let renamed = changed(&json!([{ "op": "replace", "value": { "id": "x", "displayName": "Other" } }])).unwrap();
        assert_eq!(renamed.document.text("displayName"), Some("Other"));
        assert_eq!(renamed.document.fields().len(), 1);
    }
}
