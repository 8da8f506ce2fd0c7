//! A user with what the directory has sent of it.

use rollcall_model::user::{User, WebLogin};
use rollcall_scim::{Document, ENTERPRISE};
use rollcall_storage::directory::ScimDocument;
use serde_json::{Map, Value, json};

/// A user with what was sent of it, if anything was.
pub type Known = (User, Option<ScimDocument>);

/// Whether the directory that pushes users in sees the user.
pub fn is_seen(user: &User) -> bool {
    user.provisioning.as_ref().is_none_or(|known| !known.deleted)
}

/// Whether it is an ID as Entra ID gives its objects.
pub fn is_guid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// What was sent of a user; of one of whom nothing was, what is known.
pub fn document((user, sent): &Known) -> Document {
    match sent {
        Some(ScimDocument { fields, .. }) => Document::kept(fields.clone()),
        None => Document::kept(told_of(user)),
    }
}

fn told_of(user: &User) -> Map<String, Value> {
    let profile = &user.profile;
    let active = user.provisioning.as_ref().map_or(user.web_login == WebLogin::Active, |known| known.active);
    let mut fields = Map::from_iter([
        ("userName".to_owned(), user.login.as_str().into()),
        ("displayName".to_owned(), profile.name.as_str().into()),
        ("active".to_owned(), active.into()),
    ]);
    let mut put = |name: &str, value: Option<Value>| {
        fields.extend(value.map(|value| (name.to_owned(), value)));
    };
    put("externalId", user.directory_id.as_ref().map(|id| id.as_str().into()));
    let email = profile.email.as_ref();
    put("emails", email.map(|email| json!([{ "value": email.as_str(), "type": "work", "primary": true }])));
    let phone = profile.call_forward_number;
    put("phoneNumbers", phone.map(|phone| json!([{ "value": phone.to_string(), "type": "work" }])));
    put("title", profile.designation.as_ref().map(|title| title.as_str().into()));
    // What a group has set is no attribute of the user: it would outlast the group.
    let given = user.provisioning.as_ref().and_then(|known| known.given.department.as_ref());
    let department = profile.department.as_ref().filter(|id| Some(*id) != given);
    put(ENTERPRISE, department.map(|id| json!({ "department": id.as_str() })));
    fields
}
