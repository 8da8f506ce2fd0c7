//! What the server announces (RFC 7643, sections 5 to 7): small, and true. Clients and testers try each attribute that stands here.

use serde_json::{Value, json};

use crate::{
    list::MAX_COUNT,
    names::{CORE_GROUP, CORE_USER, ENTERPRISE},
};

const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const PROVIDER: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";

/// What the server can do.
pub fn service_provider_config(base: &str) -> Value {
    json!({
        "schemas": [PROVIDER],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": MAX_COUNT },
        "changePassword": { "supported": false },
        "sort": { "supported": false },
        "etag": { "supported": true },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Key of the account",
            "description": "A key that an administrator of the account has made, as a bearer token.",
            "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
            "primary": true,
        }],
        "meta": { "resourceType": "ServiceProviderConfig", "location": format!("{base}/ServiceProviderConfig") },
    })
}

/// What kinds of resources there are.
pub fn resource_types(base: &str) -> Vec<Value> {
    let of = |name: &str, endpoint: &str, schema: &str, extensions: &Value| {
        json!({
            "schemas": [RESOURCE_TYPE],
            "id": name,
            "name": name,
            "endpoint": endpoint,
            "schema": schema,
            "schemaExtensions": extensions,
            "meta": { "resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{name}") },
        })
    };
    vec![
        of("User", "/Users", CORE_USER, &json!([{ "schema": ENTERPRISE, "required": false }])),
        of("Group", "/Groups", CORE_GROUP, &json!([])),
    ]
}

/// The attributes that mean something here or are what clients send by default.
pub fn schemas(base: &str) -> Vec<Value> {
    let of = |id: &str, name: &str, attributes: &[Value]| {
        json!({
            "schemas": [SCHEMA],
            "id": id,
            "name": name,
            "description": name,
            "attributes": attributes,
            "meta": { "resourceType": "Schema", "location": format!("{base}/Schemas/{id}") },
        })
    };
    vec![
        of(CORE_USER, "User", &user()),
        of(CORE_GROUP, "Group", &group()),
        of(
            ENTERPRISE,
            "EnterpriseUser",
            &["employeeNumber", "costCenter", "organization", "division", "department"].map(text),
        ),
    ]
}

fn attribute(name: &str, kind: &str) -> Value {
    json!({
        "name": name,
        "type": kind,
        "multiValued": false,
        "description": name,
        "required": false,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "none",
    })
}

fn with(mut attribute: Value, more: &Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut attribute, more) {
        fields.extend(more.clone());
    }
    attribute
}

fn text(name: &str) -> Value {
    with(attribute(name, "string"), &json!({ "caseExact": false }))
}

fn parts(name: &str, several: bool, parts: &[Value]) -> Value {
    with(attribute(name, "complex"), &json!({ "multiValued": several, "subAttributes": parts }))
}

fn values(name: &str) -> Value {
    parts(name, true, &[text("value"), text("display"), text("type"), attribute("primary", "boolean")])
}

fn user() -> Vec<Value> {
    let name = ["formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix"];
    let mut attributes = vec![
        with(text("userName"), &json!({ "required": true, "uniqueness": "server" })),
        with(text("externalId"), &json!({ "caseExact": true })),
        parts("name", false, &name.map(text)),
        attribute("active", "boolean"),
    ];
    attributes
        .extend(["displayName", "nickName", "title", "userType", "preferredLanguage", "locale", "timezone"].map(text));
    attributes.extend(["emails", "phoneNumbers", "roles"].map(values));
    let address = ["formatted", "streetAddress", "locality", "region", "postalCode", "country", "type"].map(text);
    let address: Vec<Value> = address.into_iter().chain([attribute("primary", "boolean")]).collect();
    attributes.push(parts("addresses", true, &address));
    attributes
}

fn group() -> Vec<Value> {
    let fixed = |attribute: Value| with(attribute, &json!({ "mutability": "immutable" }));
    let reference = |name: &str| {
        let kinds = json!({ "referenceTypes": ["User"], "caseExact": true });
        with(attribute(name, "reference"), &kinds)
    };
    let kind = with(text("type"), &json!({ "canonicalValues": ["User"] }));
    vec![
        with(text("displayName"), &json!({ "required": true, "uniqueness": "server" })),
        with(text("externalId"), &json!({ "caseExact": true })),
        parts("members", true, &[fixed(text("value")), fixed(reference("$ref")), fixed(kind)]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has_null(value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Array(values) => values.iter().any(has_null),
            Value::Object(fields) => fields.values().any(has_null),
            _ => false,
        }
    }

    /// Entra ID stops where a null stands.
    #[test]
    fn nothing_that_is_announced_is_null() {
        let base = "https://api.example/scim/v2";
        let all = [vec![service_provider_config(base)], resource_types(base), schemas(base)].concat();
        assert!(!all.iter().any(has_null));
        assert_eq!(all.len(), 6);
    }
}
