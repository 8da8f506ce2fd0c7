use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::names::ENTERPRISE;

fn user() -> Document {
    Document::sent(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "maya@contoso.example",
        "active": true,
        "name": { "givenName": "Maya", "familyName": "Pillai" },
        "emails": [{ "type": "work", "primary": true, "value": "maya@contoso.example" }],
    }))
    .unwrap()
}

fn patched(operations_sent: &Value) -> Result<Document, ScimError> {
    user().changed(&operations(&json!({ "schemas": [PATCH_OP], "Operations": operations_sent }))?)
}

fn field(operations_sent: &Value, pointer: &str) -> Value {
    let document: Value = patched(operations_sent).unwrap().into_fields().into();
    document.pointer(pointer).cloned().unwrap_or_default()
}

#[test]
fn a_leaver_is_told_in_every_form() {
    for change in [
        json!({ "op": "Replace", "path": "active", "value": "False" }),
        json!({ "op": "replace", "path": "active", "value": false }),
        json!({ "op": "replace", "value": { "active": false } }),
        json!({ "op": "Replace", "value": { "ACTIVE": "false" } }),
        json!({ "op": "Add", "path": "active", "value": "FALSE" }),
        json!({ "op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": "False" }),
        json!({ "op": "replace", "path": "active", "value": [{ "value": "False" }] }),
        json!({ "op": "replace", "path": null, "value": { "urn:ietf:params:scim:schemas:core:2.0:User": { "active": false } } }),
    ] {
        assert_eq!(field(&json!([change]), "/active"), json!(false), "{change}");
    }
    for change in [
        json!({ "op": "replace", "path": "active", "value": "maybe" }),
        json!({ "op": "replace", "value": { "active": 3 } }),
    ] {
        assert_eq!(patched(&json!([change])).unwrap_err().kind, Some(ScimType::InvalidValue), "{change}");
    }
    // Who doesn't say changes nothing.
    let unsaid = json!([{ "op": "replace", "path": "active", "value": null }]);
    assert_eq!(field(&unsaid, "/active"), json!(true));
    assert_eq!(field(&json!([{ "op": "remove", "path": "active" }]), "/active"), Value::Null);
}

#[test]
fn names_with_dots_and_schemas_stand_where_they_belong() {
    let change = json!([{ "op": "replace", "value": {
        "displayName": "M P",
        "name.givenName": "M",
        format!("{ENTERPRISE}:employeeNumber"): "7",
        format!("{ENTERPRISE}:manager.value"): "boss",
        "emails[type eq \"work\"].value": "m@c.example",
        ENTERPRISE: { "department": "Sales" },
    } }]);
    let document: Value = patched(&change).unwrap().into_fields().into();
    assert_eq!(document["name"], json!({ "givenName": "M", "familyName": "Pillai" }));
    assert_eq!(
        document[ENTERPRISE],
        json!({ "employeeNumber": "7", "manager": { "value": "boss" }, "department": "Sales" })
    );
    assert_eq!(document["emails"], json!([{ "type": "work", "primary": true, "value": "m@c.example" }]));
    let at_the_top = document.as_object().unwrap().keys().filter(|key| key.contains('.') && *key != ENTERPRISE).count();
    assert_eq!(at_the_top, 0, "{document}");
}

#[test]
fn a_value_that_a_filter_does_not_find_is_made() {
    let change = json!([
        { "op": "Replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+919876500001" },
        { "op": "Add", "path": "addresses[type eq \"work\"].locality", "value": "Pune" },
        { "op": "Add", "path": "emails[type eq \"home\"]", "value": { "value": "m@home.example", "primary": "True" } },
        { "op": "Add", "path": "roles[primary eq \"True\"].value", "value": "agent" },
    ]);
    let document: Value = patched(&change).unwrap().into_fields().into();
    assert_eq!(document["phoneNumbers"], json!([{ "type": "mobile", "value": "+919876500001" }]));
    assert_eq!(document["addresses"], json!([{ "type": "work", "locality": "Pune" }]));
    assert_eq!(document["emails"][0]["primary"], json!(false), "one is primary");
    assert_eq!(document["emails"][1], json!({ "type": "home", "primary": true, "value": "m@home.example" }));
    assert_eq!(document["roles"], json!([{ "primary": true, "value": "agent" }]));
    for (path, at) in [("emails[type eq \"home\"]", "/emails"), ("emails[type eq \"home\"].value", "/emails")] {
        let kept: Value = user().into_fields().into();
        assert_eq!(field(&json!([{ "op": "remove", "path": path }]), at), kept["emails"], "{path} finds nothing");
    }
}

#[test]
fn values_are_added_once_and_taken_away_by_name_filter_or_list() {
    let more = json!({ "op": "add", "path": "emails", "value": [{ "type": "home", "value": "m@home.example" }] });
    assert_eq!(field(&json!([more, more]), "/emails/2"), Value::Null);
    assert_eq!(field(&json!([more]), "/emails/1/value"), json!("m@home.example"));
    for gone in [
        json!({ "op": "remove", "path": "emails[type eq \"work\"]" }),
        json!({ "op": "Remove", "path": "emails[type eq \"work\"].value" }),
        json!({ "op": "remove", "path": "emails", "value": [{ "value": "maya@contoso.example" }] }),
        json!({ "op": "remove", "path": "emails" }),
        json!({ "op": "replace", "path": "emails", "value": [] }),
        json!({ "op": "replace", "path": "emails", "value": null }),
    ] {
        assert_eq!(field(&json!([gone]), "/emails"), Value::Null, "{gone}");
    }
    assert_ne!(field(&json!([{ "op": "remove", "path": "emails", "value": [] }]), "/emails"), Value::Null);
    assert_eq!(
        field(&json!([{ "op": "remove", "path": "name.givenName" }]), "/name"),
        json!({ "familyName": "Pillai" })
    );
    let replaced = json!([{ "op": "replace", "path": "name", "value": { "givenName": "M" } }]);
    assert_eq!(field(&replaced, "/name/familyName"), json!("Pillai"));
}

#[test]
fn a_manager_is_kept_as_it_was_sent() {
    let path = format!("{ENTERPRISE}:manager");
    let at = format!("/{ENTERPRISE}/manager");
    for value in [json!("boss"), json!({ "value": "boss", "displayName": "The Boss" })] {
        assert_eq!(field(&json!([{ "op": "Add", "path": path, "value": value }]), &at), value);
    }
    let both = json!([{ "op": "add", "path": path, "value": "a" }, { "op": "replace", "path": format!("{path}.value"), "value": "b" }]);
    assert_eq!(field(&both, &at), json!({ "value": "b" }));
}

#[test]
fn what_the_server_says_can_not_be_changed_and_a_password_is_never_kept() {
    for path in ["id", "meta", "meta.version", "groups", "urn:ietf:params:scim:schemas:core:2.0:User:id"] {
        let error = patched(&json!([{ "op": "replace", "path": path, "value": "x" }])).unwrap_err();
        assert_eq!(error.kind, Some(ScimType::Mutability), "{path}");
    }
    for change in [
        json!({ "op": "replace", "path": "password", "value": "hunter2" }),
        json!({ "op": "replace", "value": { "password": "hunter2", "id": "x", "schemas": [] } }),
        json!({ "op": "add", "path": "urn:ietf:params:scim:schemas:core:2.0:User:password", "value": "hunter2" }),
    ] {
        assert_eq!(patched(&json!([change])).unwrap(), user(), "{change}");
    }
}

#[test]
fn an_unknown_schema_or_attribute_refuses_nobody() {
    let change = json!([
        { "op": "Add", "path": "urn:acme:scim:2.0:User:badge", "value": "12" },
        { "op": "add", "path": "shoeSize", "value": 42 },
        { "op": "add", "value": { "no name at all": 1, "urn:acme:scim:2.0:User": { "floor": 3 } } },
    ]);
    let document: Value = patched(&change).unwrap().into_fields().into();
    assert_eq!(document["urn:acme:scim:2.0:User"], json!({ "badge": "12", "floor": 3 }));
    assert_eq!(document["shoeSize"], json!(42));
    let named_again = json!([{ "op": "add", "path": ENTERPRISE, "value": { "schemas": [ENTERPRISE], "division": "x", "floors": ["3"] } }]);
    assert_eq!(field(&named_again, &format!("/{ENTERPRISE}")), json!({ "division": "x", "floors": ["3"] }));
}

#[test]
fn what_is_no_change_is_refused_by_name() {
    let error = |body: &Value| operations(body).unwrap_err().kind;
    let of = |operation: &Value| error(&json!({ "Operations": [operation] }));
    assert_eq!(error(&json!([])), Some(ScimType::InvalidSyntax));
    assert_eq!(error(&json!({ "Operations": [] })), Some(ScimType::InvalidSyntax));
    assert_eq!(
        error(&json!({ "schemas": ["urn:x"], "Operations": [{ "op": "add", "value": {} }] })),
        Some(ScimType::InvalidSyntax)
    );
    assert_eq!(of(&json!({ "op": "move", "path": "title" })), Some(ScimType::InvalidSyntax));
    assert_eq!(of(&json!({ "op": "remove" })), Some(ScimType::NoTarget));
    assert_eq!(of(&json!({ "op": "replace", "path": "title" })), Some(ScimType::InvalidValue));
    assert_eq!(of(&json!({ "op": "replace", "value": 7 })), Some(ScimType::InvalidValue));
    assert_eq!(of(&json!({ "op": "replace", "path": "a b", "value": 7 })), Some(ScimType::InvalidPath));
    let many = vec![json!({ "op": "add", "path": "title", "value": "x" }); MAX_OPERATIONS + 1];
    assert_eq!(error(&json!({ "Operations": many })), Some(ScimType::TooMany));
    // A client that sends no schema, or writes the key otherwise, is understood.
    assert!(operations(&json!({ "operations": [{ "OP": "Replace", "PATH": "title", "VALUE": "x" }] })).is_ok());
}

#[test]
fn a_document_has_a_name_and_a_size() {
    let checked = |body: Value| Document::sent(body).unwrap().checked("userName");
    assert!(checked(json!({ "displayName": "x" })).is_err() && checked(json!({ "userName": " " })).is_err());
    assert!(checked(json!({ "userName": 7 })).is_err());
    let large = "x".repeat(crate::MAX_BYTES);
    let document = checked(json!({ "userName": "a", "photos": [{ "value": large }], "nickName": "b" })).unwrap();
    assert_eq!(Value::from(document.into_fields()), json!({ "userName": "a", "nickName": "b" }));
    assert!(checked(json!({ "userName": large })).is_err());
    assert_eq!(checked(json!({ "userName": "a", "externalId": 7 })).unwrap().text("externalId"), Some("7"));
    // Who sends the same again changes nothing, however it is spelled.
    let one = Document::sent(
        json!({ "USERNAME": "a", "roles": [], "title": null, "emails": [{ "Value": "x", "primary": "True" }] }),
    );
    let other = Document::sent(json!({ "userName": "a", "emails": { "value": "x", "primary": true } }));
    assert_eq!(one, other);
}

proptest! {
    /// The same change again changes nothing more.
    #[test]
    fn a_change_that_comes_twice_is_done_once(
        verb in "[Aa]dd|[Rr]eplace|[Rr]emove",
        path in "active|title|emails|name|emails\\[type eq \"work\"\\]|emails\\[type eq \"x\"\\]\\.value|name\\.givenName|nickName",
        value in prop_oneof![Just(json!("True")), Just(json!(false)), Just(json!("x")), Just(json!({ "value": "v", "type": "work" })), Just(json!([]))],
    ) {
        let change = operations(&json!({ "Operations": [{ "op": verb, "path": path, "value": value }] })).unwrap();
        if let Ok(once) = user().changed(&change) {
            prop_assert_eq!(once.changed(&change).unwrap(), once);
        }
    }
}
