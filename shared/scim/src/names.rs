//! Names of schemas and attributes. They are compared without regard to case (RFC 7643, section 2.1), and kept in the spelling of the RFC.

/// The schema of users.
pub const CORE_USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The schema of groups.
pub const CORE_GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// What companies add to users.
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The schema of a list.
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// The schema of a change.
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// The schema of a question in a body.
pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// Attributes in the spelling of the RFC.
const SPELLED: [&str; 56] = [
    "schemas",
    "id",
    "externalId",
    "meta",
    "userName",
    "name",
    "formatted",
    "familyName",
    "givenName",
    "middleName",
    "honorificPrefix",
    "honorificSuffix",
    "displayName",
    "nickName",
    "profileUrl",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "active",
    "password",
    "emails",
    "phoneNumbers",
    "ims",
    "photos",
    "addresses",
    "groups",
    "entitlements",
    "roles",
    "x509Certificates",
    "members",
    "value",
    "display",
    "type",
    "primary",
    "streetAddress",
    "locality",
    "region",
    "postalCode",
    "country",
    "employeeNumber",
    "costCenter",
    "organization",
    "division",
    "department",
    "manager",
    "resourceType",
    "created",
    "lastModified",
    "location",
    "version",
    "startIndex",
    "count",
    "attributes",
    "excludedAttributes",
];

/// Attributes that hold several values.
const SEVERAL: [&str; 10] = [
    "emails",
    "phoneNumbers",
    "ims",
    "photos",
    "addresses",
    "groups",
    "entitlements",
    "roles",
    "x509Certificates",
    "members",
];

/// What the server alone says.
const READ_ONLY: [&str; 4] = ["id", "meta", "groups", "schemas"];

/// The spelling of the RFC, where it has the name.
pub(crate) fn spelled(name: &str) -> String {
    SPELLED.iter().find(|known| known.eq_ignore_ascii_case(name)).map_or(name, |known| *known).to_owned()
}

/// The spelling of a schema's name, where it is known.
pub(crate) fn spelled_schema(name: &str) -> String {
    [CORE_USER, CORE_GROUP, ENTERPRISE]
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(name))
        .unwrap_or(name)
        .to_owned()
}

/// Whether the schema's attributes stand at the top of a resource.
pub(crate) fn is_core(schema: &str) -> bool {
    [CORE_USER, CORE_GROUP].iter().any(|core| core.eq_ignore_ascii_case(schema))
}

/// Whether it is the name of a schema.
pub(crate) fn is_urn(name: &str) -> bool {
    name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:"))
}

pub(crate) fn holds_several(name: &str) -> bool {
    SEVERAL.contains(&name)
}

pub(crate) fn is_read_only(name: &str) -> bool {
    READ_ONLY.contains(&name)
}
