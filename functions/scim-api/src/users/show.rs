//! A user as it is shown: as it was sent. Of users of whom nothing was sent, what the directory here knows.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use jiff::Timestamp;
use rollcall_model::user::{LoginId, User, WebLogin};
use rollcall_scim::{CORE_USER, Document, ENTERPRISE};
use rollcall_storage::directory::ScimDocument;
use serde_json::{Map, Value, json};

use super::Known;

/// The ID of a user: the login ID, which never changes, as URLs and clients take it.
pub(crate) fn id_of(folded_login: &str) -> String {
    BASE64.encode(folded_login)
}

/// The folded login ID of an ID.
pub(crate) fn login_of(id: &str) -> Option<String> {
    let login = String::from_utf8(BASE64.decode(id).ok()?).ok()?;
    LoginId::parse(&login).ok().filter(|read| read.folded() == login)?;
    Some(login)
}

/// The version of what is shown, as an entity tag.
pub(crate) fn version((user, sent): &Known) -> String {
    match sent {
        Some(sent) => format!("W/\"{}\"", sent.version),
        None => format!("W/\"u{}\"", user.version),
    }
}

/// What was sent of a user; of one of whom nothing was, what is known.
pub(crate) fn document((user, sent): &Known) -> Document {
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

/// Where things are shown.
pub(super) struct Shown<'a> {
    /// The address that the client knows us by.
    pub base: &'a str,
}

impl Shown<'_> {
    /// A user.
    pub(super) fn user(&self, known: &Known) -> Value {
        let (user, sent) = known;
        let document = document(known);
        let id = id_of(&user.login.folded());
        let schemas = document.schemas(CORE_USER);
        let mut meta = json!({
            "resourceType": "User",
            "location": format!("{}/Users/{id}", self.base),
            "version": version(known),
        });
        let created = sent.as_ref().map(|sent| sent.created).or(user.created);
        let modified = sent.as_ref().map(|sent| sent.modified).or(created);
        for (name, time) in [("created", created), ("lastModified", modified)] {
            if let Some(time) = time {
                meta[name] = seconds(time).into();
            }
        }
        let mut fields = document.into_fields();
        fields.extend([
            ("schemas".to_owned(), schemas.into()),
            ("id".to_owned(), id.into()),
            ("meta".to_owned(), meta),
        ]);
        fields.into()
    }
}

/// A time as clients read it: to the millisecond, which all do.
pub(crate) fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_login_id_and_nothing_else_is_one() {
        assert_eq!(id_of("user2"), "dXNlcjI");
        for login in ["user2", "maya@contoso.example", "a#b/c", "josé"] {
            assert_eq!(login_of(&id_of(login)).as_deref(), Some(login));
        }
        for id in ["", "user2", "VXNlcjI", "dXNlcjI=", "%", "_w"] {
            assert_eq!(login_of(id), None, "{id}");
        }
    }
}
