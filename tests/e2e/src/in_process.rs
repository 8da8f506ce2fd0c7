//! The API's function in the test's own process, asked as the gateway asks it: for what can't be seen from outside.

use axum::{Router, body::Body};
use http_body_util::BodyExt;
use lambda_http::{
    Service,
    http::{Request, StatusCode},
    request,
};
use rollcall_connectors::{
    BaseUrl,
    entra::{Endpoints, Tenants},
};
use rollcall_storage::{
    connect::{Aws, LocalStack},
    directory::Directory,
    files::Files,
    secrets::Secrets,
};
use serde_json::{Value, json};
use users_api::{Api, Seal, router};

use crate::Stack;

/// What answers the gateway's events, with the table at this address.
pub async fn function(stack: &Stack, dynamodb: &str) -> Router {
    let aws = Aws::local(LocalStack { dynamodb: dynamodb.to_owned(), ..stack.endpoints() }).await;
    let nowhere: BaseUrl = "http://127.0.0.1:9".parse().expect("an address");
    router(Api {
        directory: Directory::new(&aws, stack.output("TableName")),
        files: Files::new(&aws, stack.output("FilesBucketName")),
        secrets: Secrets::new(&aws),
        tenants: Tenants::new(Endpoints { login: nowhere.clone(), graph: nowhere }),
        country: "IN".parse().expect("a country"),
        audit_settle: std::time::Duration::from_secs(30),
        max_file_bytes: 1_000,
        seal: Seal::default(),
    })
}

/// A request as the gateway hands it on, from whom the authorizer knows.
/// `more` is what stands beside: headers, the query, parameters of the path.
pub fn gateway_event(
    route: &str,
    (method, path): (&str, &str),
    authorizer: &Value,
    more: Value,
) -> Request<lambda_http::Body> {
    let mut event = json!({
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {},
        "isBase64Encoded": false,
        "requestContext": {
            "accountId": "0",
            "apiId": "0",
            "domainName": "localhost",
            "domainPrefix": "localhost",
            "requestId": "0",
            "routeKey": route,
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 0,
            "authorizer": authorizer,
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test" },
        },
    });
    let Value::Object(more) = more else { panic!("what stands beside is an object") };
    event.as_object_mut().expect("an event").extend(more);
    request::from_str(&event.to_string()).expect("an event of the gateway")
}

/// The function, just started, for one account.
pub struct InProcess {
    router: Router,
    account: String,
}

impl InProcess {
    /// With the table at this address.
    pub async fn start(stack: &Stack, dynamodb: &str) -> Self {
        Self { router: function(stack, dynamodb).await, account: stack.account.to_string() }
    }

    /// Asks a route, with the values of its path, by a token with this scope. The status, the entity tag and the body.
    pub async fn get(
        &mut self,
        route: &str,
        values: &[(&str, &str)],
        scope: &str,
        has: Option<&str>,
    ) -> (StatusCode, String, Value) {
        let path =
            values.iter().fold(route.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value));
        let parameters: Value = values.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let claims = json!({ "custom:account": self.account, "scope": scope });
        let more = json!({
            "headers": has.map_or_else(|| json!({}), |tag| json!({ "if-none-match": tag })),
            "pathParameters": parameters,
        });
        let authorizer = json!({ "jwt": { "claims": claims, "scopes": [scope] } });
        let request = gateway_event(&format!("GET {route}"), ("GET", &path), &authorizer, more).map(|_| Body::empty());
        let answer = self.router.call(request).await.expect("the function answers");
        let (parts, body) = answer.into_parts();
        let tag = parts.headers.get("etag").and_then(|tag| tag.to_str().ok()).unwrap_or_default().to_owned();
        let body = body.collect().await.expect("a whole answer").to_bytes();
        (parts.status, tag, serde_json::from_slice(&body).unwrap_or_default())
    }
}
