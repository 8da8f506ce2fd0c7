//! The event that a function gets for a request: payload format 2.0.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use axum::http::request::Parts;
use axum::http::{HeaderMap, Version, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::routes::{Parameters, decoded};
use super::token::Claims;
use crate::template::ACCOUNT_ID;

/// The stage that every request goes to.
const STAGE: &str = "$default";
/// The stack listens on this machine alone.
const SOURCE_IP: &str = "127.0.0.1";
/// How API Gateway writes a time, which is that of Apache's log.
const TIME: &str = "%d/%b/%Y:%H:%M:%S +0000";
/// Types of bodies that are passed on as they are, beside all of `text/`. AWS does not say which; these are what it was
/// seen to do, and forms and a missing type are not among them.
const TEXT_TYPES: [&str; 3] = ["application/json", "application/xml", "application/javascript"];

/// What is known of a request.
pub(super) struct Call<'a> {
    pub(super) api: &'a str,
    pub(super) request: &'a Parts,
    pub(super) body: &'a [u8],
    pub(super) id: &'a str,
    pub(super) time: Timestamp,
    pub(super) route: &'a str,
    pub(super) parameters: Parameters<'a>,
    pub(super) caller: Option<Caller<'a>>,
}

/// Who asks.
pub(super) enum Caller<'a> {
    /// By a token: its claims and, where the route asks for scopes, the token's.
    Token(&'a Claims, Option<Vec<&'a str>>),
    /// By what an authorizer's function has said.
    Function(&'a Value),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'static str,
    route_key: &'a str,
    raw_path: &'a str,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<&'a str>,
    headers: BTreeMap<&'a str, Cow<'a, str>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query_string_parameters: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    request_context: Context<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    path_parameters: Parameters<'a>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    account_id: &'static str,
    api_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorizer: Option<Authorizer<'a>>,
    domain_name: &'a str,
    domain_prefix: &'a str,
    http: Http<'a>,
    request_id: &'a str,
    route_key: &'a str,
    stage: &'static str,
    time: String,
    time_epoch: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Authorizer<'a> {
    Jwt(Jwt<'a>),
    Lambda(&'a Value),
}

#[derive(Serialize)]
struct Jwt<'a> {
    claims: Texts<'a>,
    scopes: Option<Vec<&'a str>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    protocol: &'static str,
    source_ip: &'static str,
    user_agent: &'a str,
}

/// The event as JSON.
pub(super) fn event(call: Call) -> Result<Vec<u8>, serde_json::Error> {
    let Call { request, body, .. } = call;
    let header = |name| request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let host = header(header::HOST);
    let domain_name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let query = request.uri.query().unwrap_or_default();
    // Not raw at all: API Gateway decodes it, and cuts it at a question mark that comes to light.
    let path = decoded(request.uri.path());
    let path = path.split('?').next().unwrap_or_default();
    let is_text = is_text(header(header::CONTENT_TYPE));
    let text = is_text.then(|| std::str::from_utf8(body).ok()).flatten();
    serde_json::to_vec(&Event {
        version: "2.0",
        route_key: call.route,
        raw_path: path,
        raw_query_string: query,
        cookies: cookies(&request.headers),
        headers: headers(&request.headers, host),
        query_string_parameters: query_parameters(query),
        request_context: Context {
            account_id: ACCOUNT_ID,
            api_id: call.api,
            authorizer: call.caller.map(|caller| match caller {
                Caller::Token(claims, scopes) => Authorizer::Jwt(Jwt { claims: Texts(claims), scopes }),
                Caller::Function(context) => Authorizer::Lambda(context),
            }),
            domain_name,
            domain_prefix: domain_name.split('.').next().unwrap_or_default(),
            http: Http {
                method: request.method.as_str(),
                path,
                protocol: if request.version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" },
                source_ip: SOURCE_IP,
                user_agent: header(header::USER_AGENT),
            },
            request_id: call.id,
            route_key: call.route,
            stage: STAGE,
            time: call.time.strftime(TIME).to_string(),
            time_epoch: call.time.as_millisecond(),
        },
        body: match text {
            _ if body.is_empty() => None,
            Some(text) => Some(Cow::Borrowed(text)),
            None => Some(Cow::Owned(BASE64_STANDARD.encode(body))),
        },
        path_parameters: call.parameters,
        is_base64_encoded: !body.is_empty() && text.is_none(),
    })
}

/// Headers, with those of one name joined; the cookies stand apart. Names are in lower case already.
fn headers<'a>(headers: &'a HeaderMap, host: &'a str) -> BTreeMap<&'a str, Cow<'a, str>> {
    let mut joined = BTreeMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| *name != header::COOKIE) {
        add(&mut joined, name.as_str(), String::from_utf8_lossy(value.as_bytes()));
    }
    // What API Gateway adds. Its port is the one that it is asked at.
    add(&mut joined, "x-forwarded-for", Cow::Borrowed(SOURCE_IP));
    joined.insert("x-forwarded-port", Cow::Borrowed(host.rsplit_once(':').map_or("80", |(_, port)| port)));
    joined.insert("x-forwarded-proto", Cow::Borrowed("http"));
    joined
}

/// Joins values of the same name with a comma, in their order.
fn add<'a, K: Ord>(joined: &mut BTreeMap<K, Cow<'a, str>>, name: K, value: Cow<'a, str>) {
    match joined.entry(name) {
        Entry::Vacant(entry) => {
            entry.insert(value);
        }
        Entry::Occupied(mut entry) => entry.get_mut().to_mut().extend([",", value.as_ref()]),
    }
}

fn cookies(headers: &HeaderMap) -> Vec<&str> {
    let values = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(';')).map(str::trim).filter(|cookie| !cookie.is_empty()).collect()
}

/// The query's parameters, decoded; the values of one that is repeated are joined.
fn query_parameters(query: &str) -> BTreeMap<Cow<'_, str>, Cow<'_, str>> {
    let mut joined = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        add(&mut joined, name, value);
    }
    joined
}

fn is_text(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let is = |other: &str| kind.eq_ignore_ascii_case(other);
    kind.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("text/")) || TEXT_TYPES.into_iter().any(is)
}

/// Claims as API Gateway tells them: each a text, a list in brackets with its items apart by a space, and no nulls.
struct Texts<'a>(&'a Claims);

impl Serialize for Texts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let given = self.0.iter().filter(|(_, value)| !value.is_null());
        serializer.collect_map(given.map(|(name, value)| (name, text(value))))
    }
}

fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(text).collect();
            Cow::Owned(format!("[{}]", items.join(" ")))
        }
        other => Cow::Owned(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use serde_json::json;

    use super::*;

    fn call(request: Request<&'static str>, route: &str, parameters: &[(&'static str, &'static str)]) -> Value {
        let (request, body) = request.into_parts();
        let claims = json!({ "claim1": "value1", "exp": 1_583_348_638, "groups": ["a", 2], "none": null, "ok": true });
        let claims = claims.as_object().expect("claims");
        let event = event(Call {
            api: "api-id",
            request: &request,
            body: body.as_bytes(),
            id: "id",
            time: "2020-03-12T19:03:58.390Z".parse().expect("a time"),
            route,
            parameters: parameters.iter().map(|(name, value)| (*name, (*value).into())).collect(),
            caller: Some(Caller::Token(claims, Some(vec!["scope1", "scope2"]))),
        });
        serde_json::from_slice(&event.expect("an event")).expect("JSON")
    }

    /// The example of the page that the module names, for what it tells of.
    #[test]
    fn the_documented_example() {
        let request = Request::post("/path/to/resource?parameter1=value1&parameter1=value2&parameter2=value")
            .header("Host", "id.execute-api.us-east-1.amazonaws.com")
            .header("Header1", "value1")
            .header("Header2", "value1")
            .header("header2", "value2")
            .header("Cookie", "cookie1; cookie2")
            .header("User-Agent", "agent")
            .header("Content-Type", "text/plain; charset=utf-8")
            .body("Hello from Lambda")
            .expect("a request");
        let expected = json!({
            "version": "2.0",
            "routeKey": "POST /path/{parameter1}/resource",
            "rawPath": "/path/to/resource",
            "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=value",
            "cookies": ["cookie1", "cookie2"],
            "headers": {
                "content-type": "text/plain; charset=utf-8",
                "header1": "value1",
                "header2": "value1,value2",
                "host": "id.execute-api.us-east-1.amazonaws.com",
                "user-agent": "agent",
                "x-forwarded-for": "127.0.0.1",
                "x-forwarded-port": "80",
                "x-forwarded-proto": "http",
            },
            "queryStringParameters": { "parameter1": "value1,value2", "parameter2": "value" },
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "api-id",
                "authorizer": {
                    "jwt": {
                        "claims": { "claim1": "value1", "exp": "1583348638", "groups": "[a 2]", "ok": "true" },
                        "scopes": ["scope1", "scope2"],
                    },
                },
                "domainName": "id.execute-api.us-east-1.amazonaws.com",
                "domainPrefix": "id",
                "http": {
                    "method": "POST",
                    "path": "/path/to/resource",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": "agent",
                },
                "requestId": "id",
                "routeKey": "POST /path/{parameter1}/resource",
                "stage": "$default",
                "time": "12/Mar/2020:19:03:58 +0000",
                "timeEpoch": 1_584_039_838_390_i64,
            },
            "body": "Hello from Lambda",
            "pathParameters": { "parameter1": "to" },
            "isBase64Encoded": false,
        });
        assert_eq!(call(request, "POST /path/{parameter1}/resource", &[("parameter1", "to")]), expected);
    }

    #[test]
    fn what_is_not_there_is_left_out() {
        let request = Request::get("/a%20b%3Fc?x=%2B1+2&x&y=").header("Host", "127.0.0.1:80").body("");
        let event = call(request.expect("a request"), "GET /{p}", &[]);
        for absent in ["cookies", "body", "pathParameters"] {
            assert_eq!(event.get(absent), None, "{absent}");
        }
        assert_eq!((&event["rawPath"], &event["rawQueryString"]), (&"/a b".into(), &"x=%2B1+2&x&y=".into()));
        assert_eq!(event["queryStringParameters"], json!({ "x": "+1 2,", "y": "" }));
        assert_eq!(event["requestContext"]["domainName"], "127.0.0.1");
        assert_eq!(event["headers"]["x-forwarded-port"], "80");
    }

    #[test]
    fn a_body_that_is_not_text_is_base64() {
        for (kind, is_text) in [
            (Some("application/json"), true),
            (Some("Application/JSON;charset=utf-8"), true),
            (Some("TEXT/csv"), true),
            (Some("application/merge-patch+json"), false),
            (Some("application/x-www-form-urlencoded"), false),
            (Some("application/octet-stream"), false),
            (Some("text"), false),
            (None, false),
        ] {
            let request =
                kind.into_iter().fold(Request::post("/"), |request, kind| request.header("Content-Type", kind));
            let event = call(request.body("{}").expect("a request"), "POST /", &[]);
            assert_eq!(event["isBase64Encoded"], !is_text, "{kind:?}");
            assert_eq!(event["body"], if is_text { "{}" } else { "e30=" }, "{kind:?}");
        }
    }
}
