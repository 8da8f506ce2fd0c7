//! A user as it is shown: as it was sent. Of users of whom nothing was sent, what the directory here knows.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use jiff::Timestamp;
use rollcall_model::user::LoginId;
use rollcall_provisioning::{Known, document};
use rollcall_scim::CORE_USER;
use serde_json::{Value, json};

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
