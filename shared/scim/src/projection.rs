//! What of a resource means something for a user of the directory.

use serde_json::{Map, Value};

use crate::{document::Document, filter::entry, names::ENTERPRISE, tombstone::without_tombstone};

/// The texts that a user's fields are made of. Whether each can be what it is meant for, whoever knows users decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Projection {
    /// What the user is called.
    pub name: Option<String>,
    /// The address.
    pub email: Option<String>,
    /// Telephones, the first one first: work, mobile, then all others.
    pub phones: Vec<String>,
    /// The job title.
    pub title: Option<String>,
    /// The department, as text.
    pub department: Option<String>,
    /// Roles by name, the first one first: the primary one, the others, then the type of the user.
    pub roles: Vec<String>,
}

impl Projection {
    /// What a document says.
    pub fn of(document: &Document) -> Self {
        let fields = document.fields();
        let text = |name: &str| fields.get(name).and_then(Value::as_str).and_then(filled);
        let part = |name: &str| fields.get("name")?.get(name)?.as_str().and_then(filled);
        let both = [part("givenName"), part("familyName")].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let name = text("displayName").or_else(|| part("formatted")).or_else(|| filled(&both));
        let user_name = document.text("userName").map(without_tombstone);
        let emails = elements(fields, "emails");
        let primary = |elements: &[&Map<String, Value>]| {
            elements.iter().find(|one| one.get("primary") == Some(&true.into())).and_then(|one| value(one))
        };
        let of_type = |elements: &[&Map<String, Value>], kind: &str| {
            let is = |one: &&&Map<String, Value>| {
                entry(one, "type").and_then(Value::as_str).is_some_and(|is| is.eq_ignore_ascii_case(kind))
            };
            elements.iter().find(is).and_then(|one| value(one))
        };
        let email =
            primary(&emails).or_else(|| of_type(&emails, "work")).or_else(|| emails.iter().find_map(|one| value(one)));
        let phones = elements(fields, "phoneNumbers");
        let first = ["work", "mobile"].iter().filter_map(|kind| of_type(&phones, kind));
        let mut numbers: Vec<String> = first.collect();
        for number in phones.iter().filter_map(|one| value(one)) {
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        let roles = elements(fields, "roles");
        let mut all: Vec<String> = primary(&roles).into_iter().collect();
        all.extend(
            roles.iter().filter_map(|one| value(one).or_else(|| entry(one, "display")?.as_str().and_then(filled))),
        );
        all.extend(plain_elements(fields, "roles"));
        all.extend(text("userType"));
        Self {
            name: name.or_else(|| user_name.and_then(filled)),
            email: email.map(|email| without_tombstone(&email).to_owned()),
            phones: numbers,
            title: text("title"),
            department: fields.get(ENTERPRISE).and_then(|more| more.get("department")?.as_str()).and_then(filled),
            roles: all,
        }
    }
}

fn filled(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn value(element: &Map<String, Value>) -> Option<String> {
    entry(element, "value")?.as_str().and_then(filled)
}

fn elements<'a>(fields: &'a Map<String, Value>, name: &str) -> Vec<&'a Map<String, Value>> {
    fields.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object).collect()
}

fn plain_elements(fields: &Map<String, Value>, name: &str) -> Vec<String> {
    fields
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter_map(filled)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(body: Value) -> Projection {
        Projection::of(&Document::sent(body).unwrap())
    }

    #[test]
    fn the_best_that_is_told_counts() {
        let name = |body: Value| of(body).name.unwrap_or_default();
        let names = json!({ "formatted": "Formatted", "givenName": "Maya", "familyName": "Pillai" });
        assert_eq!(name(json!({ "userName": "u", "displayName": "Shown", "name": names })), "Shown");
        assert_eq!(name(json!({ "userName": "u", "displayName": " ", "name": names })), "Formatted");
        assert_eq!(
            name(json!({ "userName": "u", "name": { "familyName": "Pillai", "givenName": "Maya" } })),
            "Maya Pillai"
        );
        assert_eq!(name(json!({ "userName": "u" })), "u");
        let email = |emails: Value| of(json!({ "emails": emails })).email.unwrap_or_default();
        let (home, work) =
            (json!({ "type": "home", "value": "h@x.example" }), json!({ "type": "Work", "value": "w@x.example" }));
        assert_eq!(email(json!([home, work])), "w@x.example");
        assert_eq!(email(json!([home, { "value": "p@x.example", "primary": "True" }])), "p@x.example");
        assert_eq!(email(json!([{ "type": "work" }, home])), "h@x.example");
        let phones = json!([{ "type": "fax", "value": "3" }, { "type": "mobile", "value": "2" }, { "type": "work", "value": "1" }]);
        assert_eq!(of(json!({ "phoneNumbers": phones })).phones, ["1", "2", "3"]);
        let roles = json!([{ "value": "a" }, { "value": "b", "primary": true }]);
        assert_eq!(of(json!({ "roles": roles, "userType": "c" })).roles, ["b", "a", "b", "c"]);
        let odd = of(json!({ "title": 7, "emails": "plain", "phoneNumbers": 3, "name": "x", "roles": [] }));
        assert_eq!(odd, Projection::default());
    }

    #[test]
    fn the_address_of_somebody_deleted_stays_what_it_was() {
        let tombstone = "87d349ed44d743e19a835f2406dee5bdmaya@contoso.example";
        let told = of(json!({ "userName": tombstone, "emails": [{ "type": "work", "value": tombstone }] }));
        assert_eq!(told.email.as_deref(), Some("maya@contoso.example"));
        assert_eq!(told.name.as_deref(), Some("maya@contoso.example"));
    }
}
