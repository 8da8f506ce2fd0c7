//! A company's directory that pushes its users in: what Entra ID and Okta send, through the gateway.

use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{Caller, Reply, Stack};

/// A directory with a key of an account.
#[derive(Debug, Clone)]
pub struct ScimClient {
    caller: Caller,
    base: String,
    /// The key's ID.
    pub key: String,
    /// The key's token.
    pub token: String,
}

/// The schema of a change.
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// The schema of what companies add to users.
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The type of bodies.
pub const SCIM_JSON: &str = "application/scim+json";

impl ScimClient {
    /// A directory with a new key of the stack's own account.
    pub async fn of(stack: &Stack) -> Self {
        Self::of_account(stack, stack.account.as_str()).await
    }

    /// A directory with a new key of an account.
    pub async fn of_account(stack: &Stack, account: &str) -> Self {
        let owner = stack.caller(&["--account", account]);
        let made = owner.ask(Method::POST, "/v1/directory/scim-keys", &[], "{}").await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let made = made.json();
        let text = |name: &str| made[name].as_str().expect("a text").to_owned();
        Self::with_token(stack, text("id"), text("token"))
    }

    /// A directory with this token.
    pub fn with_token(stack: &Stack, key: String, token: String) -> Self {
        let base = format!("{}/scim/v2", stack.output("ApiUrl"));
        Self { caller: stack.bearer(&token), base, key, token }
    }

    /// Asks.
    pub async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Reply {
        let kind = (header::CONTENT_TYPE.as_str(), SCIM_JSON);
        let headers: Vec<_> = headers.iter().copied().chain(body.is_some().then_some(kind)).collect();
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.caller.fetch(method, &format!("{}{path}", self.base), &headers, body).await
    }

    /// Asks for what is at a path.
    pub async fn get(&self, path: &str) -> Reply {
        self.ask(Method::GET, path, &[], None).await
    }

    /// What is found by a filter.
    pub async fn find(&self, resources: &str, filter: &str) -> Value {
        let query: String = axum_query(filter);
        let reply = self.get(&format!("/{resources}?filter={query}")).await;
        assert_eq!(reply.status, StatusCode::OK, "{filter}: {}", reply.text());
        reply.json()
    }

    /// Sends a new resource.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.ask(Method::POST, path, &[], Some(body)).await
    }

    /// Sends a new user or group, which is taken; its ID.
    pub async fn made(&self, path: &str, body: Value) -> String {
        let reply = self.post(path, body).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
        reply.json()["id"].as_str().expect("an ID").to_owned()
    }

    /// Sends changes.
    pub async fn patch(&self, path: &str, operations: Value) -> Reply {
        let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
        self.ask(Method::PATCH, path, &[], Some(body)).await
    }
}

fn axum_query(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A user as Entra ID sends one.
pub fn entra_user(user_name: &str, external_id: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "externalId": external_id,
        "userName": user_name,
        "active": true,
        "emails": [{ "primary": true, "type": "work", "value": user_name }],
        "meta": { "resourceType": "User" },
        "name": { "formatted": "Maya Pillai", "familyName": "Pillai", "givenName": "Maya" },
        "roles": [],
    })
}
