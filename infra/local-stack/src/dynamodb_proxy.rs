//! The door before the DynamoDB engine, which asks nobody who they are: who asks may do what they may, what DynamoDB refuses is
//! refused, and the engine answers the rest.
//!
//! What each operation needs: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::iam::{Access, AccessRequest};
use super::limits::{Limits, Refusal};
use super::signature;
use super::template::{ACCOUNT_ID, PARTITION, REGION};

/// DynamoDB's largest request, in bytes.
const MAX_REQUEST: usize = 16 * 1024 * 1024;
/// What the service is called where requests are signed.
const SERVICE: &str = "dynamodb";
/// What every operation's name begins with.
const TARGET: &str = "DynamoDB_20120810.";

struct Door {
    access: Arc<Access>,
    limits: Limits,
    engine: SocketAddr,
    client: Client<HttpConnector, Body>,
}

/// DynamoDB's API, answered by the engine at this address.
pub(super) fn router(access: Arc<Access>, limits: Limits, engine: SocketAddr) -> Router {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let door = Door { access, limits, engine, client };
    Router::new().fallback(pass).layer(DefaultBodyLimit::max(MAX_REQUEST)).with_state(Arc::new(door))
}

async fn pass(State(door): State<Arc<Door>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    if !is_of_this_machine(&headers) {
        return refusal("AccessDeniedException", "This stack answers to names of this machine alone.");
    }
    let key_id = match signature::verify(&door.access, SERVICE, &headers, &body, Timestamp::now()) {
        Ok(key_id) => key_id,
        Err(why) => {
            let (code, message) = why.code_and_message();
            return refusal(code, message);
        }
    };
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.strip_prefix(TARGET).unwrap_or(target);
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    // The owner may do anything.
    if door.access.is_function(&key_id) {
        for (action, resource) in needs(operation, &request) {
            let (action, resource) = (format!("{SERVICE}:{action}"), arn(&resource));
            let wish = AccessRequest { action: &action, resource: &resource, keys: &[] };
            if let Err(denied) = door.access.check(&key_id, wish) {
                return refusal("AccessDeniedException", &denied.to_string());
            }
        }
    }
    if let Err(Refusal { code, message, reasons }) = door.limits.check(operation, &request) {
        return match reasons {
            None => refusal(code, &message),
            Some(reasons) => error(code, json!({ "Message": message, "CancellationReasons": reasons })),
        };
    }
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = method;
    *request.headers_mut() = headers;
    let address = format!("http://{}{uri}", door.engine);
    let answer = match address.parse() {
        Ok(address) => {
            *request.uri_mut() = address;
            door.client.request(request).await.map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    };
    match answer {
        Ok(answer) => answer.map(Body::new),
        Err(error) => {
            tracing::error!(error, "the DynamoDB engine didn't answer");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Whether the request is for an address of this machine. A page in a browser that has its own name lead here (DNS rebinding) asks by that name.
fn is_of_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    matches!(name.map_or(host, |(name, _)| name), "127.0.0.1" | "localhost" | "[::1]")
}

fn refusal(code: &str, message: &str) -> Response {
    error(code, json!({ "message": message }))
}

fn error(code: &str, mut body: Value) -> Response {
    body["__type"] = format!("com.amazon.coral.service#{code}").into();
    let headers = [("content-type", "application/x-amz-json-1.0")];
    (StatusCode::BAD_REQUEST, headers, body.to_string()).into_response()
}

/// The actions that an operation needs, each with the table, or the table and the index, that it is done to.
fn needs(operation: &str, request: &Value) -> Vec<(&'static str, String)> {
    let table = |of: &Value| of["TableName"].as_str().unwrap_or_default().to_owned();
    let with_index = |of: &Value| match of["IndexName"].as_str() {
        Some(index) => format!("{}/index/{index}", table(of)),
        None => table(of),
    };
    let tables = |action| {
        let items = request["RequestItems"].as_object().into_iter().flatten();
        items.map(|(table, _)| (action, table.clone())).collect()
    };
    let list = |name: &str| request[name].as_array().into_iter().flatten();
    match operation {
        "GetItem" => vec![("GetItem", table(request))],
        "PutItem" => vec![("PutItem", table(request))],
        "UpdateItem" => vec![("UpdateItem", table(request))],
        "DeleteItem" => vec![("DeleteItem", table(request))],
        "Query" => vec![("Query", with_index(request))],
        "Scan" => vec![("Scan", with_index(request))],
        "BatchGetItem" => tables("BatchGetItem"),
        "BatchWriteItem" => tables("BatchWriteItem"),
        // A transaction is allowed by the actions of its items.
        "TransactGetItems" => list("TransactItems").map(|item| ("GetItem", table(&item["Get"]))).collect(),
        "TransactWriteItems" => {
            let kinds = [
                ("Put", "PutItem"),
                ("Update", "UpdateItem"),
                ("Delete", "DeleteItem"),
                ("ConditionCheck", "ConditionCheckItem"),
            ];
            let of = |item: &Value| {
                let found = kinds.iter().find(|(kind, _)| item[*kind].is_object());
                found.map(|(kind, action)| (*action, table(&item[*kind])))
            };
            list("TransactItems").filter_map(of).collect()
        }
        "ExecuteStatement" => vec![partiql(request)],
        "BatchExecuteStatement" => list("Statements").map(partiql).collect(),
        "ExecuteTransaction" => list("TransactStatements").map(partiql).collect(),
        // Nothing else is done by functions.
        _ => vec![("UnknownOperation", table(request))],
    }
}

/// A statement's action is its verb, and its table, or index, stands in quotes.
fn partiql(statement: &Value) -> (&'static str, String) {
    let text = statement["Statement"].as_str().unwrap_or_default().trim_start();
    let verb = text.split_whitespace().next().unwrap_or_default().to_uppercase();
    let action = match verb.as_str() {
        "SELECT" => "PartiQLSelect",
        "INSERT" => "PartiQLInsert",
        "DELETE" => "PartiQLDelete",
        _ => "PartiQLUpdate",
    };
    let mut quoted = text.split('"').skip(1).step_by(2);
    let table = quoted.next().unwrap_or_default();
    let is_index = text.contains(&format!("\"{table}\".\""));
    match quoted.next().filter(|_| is_index) {
        Some(index) => (action, format!("{table}/index/{index}")),
        None => (action, table.to_owned()),
    }
}

fn arn(table: &str) -> String {
    format!("arn:{PARTITION}:{SERVICE}:{REGION}:{ACCOUNT_ID}:table/{table}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_answered_to() {
        let answers = |host: &'static str| {
            is_of_this_machine(&HeaderMap::from_iter([(axum::http::header::HOST, host.parse().expect("a host"))]))
        };
        assert!(["127.0.0.1", "127.0.0.1:8000", "localhost:1", "[::1]:1", "[::1]"].iter().all(|host| answers(host)));
        for host in [
            "evil.example",
            "127.0.0.1.evil.example:80",
            "localhost.evil.example",
            "evil.example:localhost",
            "",
            "0.0.0.0:1",
        ] {
            assert!(!answers(host), "{host}");
        }
        assert!(!is_of_this_machine(&HeaderMap::new()));
    }

    #[test]
    fn every_operation_needs_what_iam_says_it_needs() {
        for (operation, request, needed) in [
            ("GetItem", json!({ "TableName": "t" }), vec![("GetItem", "t")]),
            ("Query", json!({ "TableName": "t", "IndexName": "i" }), vec![("Query", "t/index/i")]),
            ("BatchGetItem", json!({ "RequestItems": { "t": {} } }), vec![("BatchGetItem", "t")]),
            (
                "TransactWriteItems",
                json!({ "TransactItems": [
                    { "Put": { "TableName": "t" } },
                    { "ConditionCheck": { "TableName": "u" } },
                ] }),
                vec![("PutItem", "t"), ("ConditionCheckItem", "u")],
            ),
            (
                "BatchExecuteStatement",
                json!({ "Statements": [
                    { "Statement": "UPDATE \"t\" SET a = \"b\" WHERE PK = ?" },
                    { "Statement": "select * from \"t\".\"i\" where x = 'y'" },
                ] }),
                vec![("PartiQLUpdate", "t"), ("PartiQLSelect", "t/index/i")],
            ),
            ("DeleteTable", json!({ "TableName": "t" }), vec![("UnknownOperation", "t")]),
        ] {
            let needed_here = needs(operation, &request);
            let needed_here: Vec<_> = needed_here.iter().map(|(action, table)| (*action, table.as_str())).collect();
            assert_eq!(needed_here, needed, "{operation}");
        }
    }
}
