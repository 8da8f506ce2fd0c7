//! A walk over all routes that refuses whoever may not pass and whatever may not come. Every answer is held against the contract besides.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use e2e::{Caller, Operation, Reply, Stack, contract};
use rollcall_model::code::ApiCode;
use serde_json::{Value, json};

use super::SECRET;

/// More than any text may have.
const OVERLONG: usize = 5_000;

/// A walk over all routes. Every answer is held against the contract besides.
pub(crate) struct Walk<'a> {
    pub routes: &'a [Operation],
    pub owner: Caller,
    pub job: String,
}

/// An object in a body: where it is, and the fields that the contract gives it.
struct Object {
    pointer: String,
    fields: Vec<String>,
    required: Vec<String>,
}

impl Walk<'_> {
    /// No token, one that is none, one of yesterday, for somebody else, of somebody else.
    pub(crate) async fn refuse_strangers(&self, stack: &Stack) {
        let stranger = stack.stranger();
        let none = ("authorization", "Bearer e30.e30.e30");
        let callers = [
            (stack.stranger(), None),
            (stranger, Some(none)),
            (stack.caller_claiming(&json!({ "exp": 1 })), None),
            (stack.caller_claiming(&json!({ "aud": "another" })), None),
            (stack.caller_claiming(&json!({ "iss": "https://issuer.example" })), None),
            (stack.impostor(), None),
        ];
        for route in self.routes {
            for (caller, header) in &callers {
                let reply = ask(route, caller, &self.path(route), header.as_slice(), body(route)).await;
                assert_eq!((reply.status.as_u16(), reply.json()), (401, json!({ "message": "Unauthorized" })));
            }
        }
    }

    /// A good token that names no account, or what can't be one.
    pub(crate) async fn refuse_who_has_no_account(&self, stack: &Stack) {
        for account in [json!(null), json!(""), json!("ac#me"), json!("acme/"), json!(["acme"]), json!("Acme")] {
            let caller = stack.caller_claiming(&json!({ "custom:account": account }));
            for route in self.routes {
                let reply = ask(route, &caller, &self.path(route), &[], body(route)).await;
                assert_eq!(problem(&reply), (403, ApiCode::NoAccount), "{route:?}, {account}");
            }
        }
    }

    /// A token with every scope but the route's.
    pub(crate) async fn refuse_lesser_tokens(&self, stack: &Stack) {
        let scopes: BTreeSet<&str> = self.routes.iter().map(|route| &*route.scope).collect();
        for missing in &scopes {
            let others = scopes.iter().filter(|scope| *scope != missing).flat_map(|scope| ["--scope", scope]);
            let caller = stack.caller(&others.collect::<Vec<_>>());
            for route in self.routes.iter().filter(|route| route.scope == *missing) {
                let reply = ask(route, &caller, &self.path(route), &[], body(route)).await;
                assert_eq!((reply.status.as_u16(), reply.json()), (403, json!({ "message": "Forbidden" })));
            }
        }
    }

    /// A neighbour who knows every name of the account finds nothing, and changes nothing but what is its own.
    pub(crate) async fn hide_from_neighbours(&self, neighbour: &Caller) {
        let (reads, writes): (Vec<_>, Vec<_>) = self.routes.iter().partition(|route| route.method == Method::GET);
        for route in reads.into_iter().chain(writes) {
            let reply = ask(route, neighbour, &self.path(route), &[], body(route)).await;
            let text = reply.text();
            assert!(!text.contains(SECRET) && !text.contains(&self.job), "{route:?} shows {text}");
            if route.method == Method::GET {
                let items = reply.json()["items"].as_array().map(Vec::len);
                // A file without a row, and what is the same for everybody.
                let empty = items == Some(0) || text.lines().count() == 1 || route.path.starts_with("/v1/samples");
                assert!(
                    reply.status == StatusCode::NOT_FOUND || reply.status == StatusCode::OK && empty,
                    "{route:?}: {text}"
                );
            }
            if takes(route, "cursor") && takes(route, "limit") {
                let first = self.owner.get(&format!("{}?limit=1", self.path(route))).await.json();
                let cursor = first["next"].as_str().unwrap_or_else(|| panic!("{route:?} has a second page: {first}"));
                let path = format!("{}?limit=1&cursor={cursor}", self.path(route));
                assert_eq!(self.owner.get(&path).await.status, StatusCode::OK, "{route:?}");
                let reply = ask(route, neighbour, &path, &[], None).await;
                assert_eq!(problem(&reply), (400, ApiCode::InvalidCursor), "{route:?}");
            }
        }
    }

    /// Bodies that are not JSON, or no object.
    pub(crate) async fn refuse_what_is_no_object(&self) {
        for route in self.routes {
            let Some(example) = &route.example else { continue };
            for body in ["", "{", "{\"a\":1}}", "\u{feff}{}", "nil", "{\"a\":\"\\ud800\"}"] {
                let reply = ask(route, &self.owner, &self.path(route), &[], Some(body.to_owned())).await;
                assert_eq!(problem(&reply), (400, ApiCode::MalformedJson), "{route:?} takes {body:?}");
            }
            let values: Value = example.as_object().expect("an object").values().cloned().collect();
            for body in [json!(null), json!([]), json!("text"), values] {
                let reply = ask(route, &self.owner, &self.path(route), &[], Some(body.to_string())).await;
                assert_eq!(problem(&reply), (422, ApiCode::InvalidField), "{route:?} takes {body}");
            }
        }
    }

    /// In every object of a body: a field too many, one that is missing, of another type, or overlong; and an array in the
    /// object's place. The function takes the fields of the contract, and no other.
    pub(crate) async fn refuse_bad_fields(&self) {
        for route in self.routes {
            let (Some(schema), Some(example)) = (&route.body, &route.example) else { continue };
            let refused = async |body: &Value, pointer: &str| {
                let reply = ask(route, &self.owner, &self.path(route), &[], Some(body.to_string())).await;
                assert_eq!(problem(&reply), (422, ApiCode::InvalidField), "{route:?} takes {body:.200}");
                let told = reply.json();
                let found = told["pointer"].as_str().unwrap_or_default();
                let rest = found.strip_prefix(pointer).unwrap_or_else(|| panic!("{route:?}, not at {pointer}: {told}"));
                assert!(rest.is_empty() || rest.starts_with('/'), "{route:?}, not at {pointer}: {told}");
                told["detail"].as_str().unwrap_or_default().to_owned()
            };
            let with = |pointer: &str, name: &str, value: Value| {
                let mut body = example.clone();
                body.pointer_mut(pointer).expect("an object")[name] = value;
                body
            };
            let mut objects = Vec::new();
            find_objects(schema, example, "", &mut objects);
            for Object { pointer, fields, required } in &objects {
                let told = refused(&with(pointer, "surprise", json!(1)), &format!("{pointer}/surprise")).await;
                for known in told.split('`').skip(1).step_by(2).filter(|name| *name != "surprise") {
                    assert!(fields.iter().any(|field| field == known), "{route:?} takes {known}: {told}");
                }
                for field in fields {
                    let place = format!("{pointer}/{field}");
                    let told = refused(&with(pointer, field, json!({ "not": ["this"] })), &place).await;
                    assert!(
                        !told.contains(&format!("unknown field `{field}`")),
                        "{route:?} doesn't take {place}: {told}"
                    );
                    refused(&with(pointer, field, json!("x".repeat(OVERLONG))), &place).await;
                    if example.pointer(&place).is_some_and(|value| value[0].is_string()) {
                        refused(&with(pointer, field, json!(["x".repeat(OVERLONG)])), &format!("{place}/0")).await;
                    }
                }
                for field in required {
                    let mut body = example.clone();
                    let object = body.pointer_mut(pointer).and_then(Value::as_object_mut);
                    object.expect("an object").remove(field);
                    refused(&body, &format!("{pointer}/{field}")).await;
                }
                if !pointer.is_empty() {
                    let mut body = example.clone();
                    let object = body.pointer_mut(pointer).expect("an object");
                    *object = object.as_object().expect("an object").values().cloned().collect();
                    refused(&body, pointer).await;
                }
            }
        }
    }

    /// Parameters of the query that the route doesn't have, or that are overlong, of another type, or given twice.
    pub(crate) async fn refuse_bad_parameters(&self) {
        let queries = self.routes.iter().flat_map(in_query);
        let all: BTreeSet<&str> = queries.chain(["surprise"]).collect();
        for route in self.routes.iter().filter(|route| in_query(route).next().is_some()) {
            let path = self.path(route);
            let mut bad = vec![
                ("cursor".to_owned(), "cursor=AAAA".to_owned()),
                ("cursor".to_owned(), "cursor=%FF".to_owned()),
                ("cursor".to_owned(), "cursor=".to_owned()),
            ];
            for limit in
                ["0", "201", "x", "-1", "1e1", "99999999999999999999"].into_iter().filter(|_| takes(route, "limit"))
            {
                bad.push(("limit".to_owned(), format!("limit={limit}")));
            }
            for name in &all {
                if takes(route, name) {
                    bad.push(((*name).to_owned(), format!("{name}={}", "x".repeat(OVERLONG))));
                    bad.push(((*name).to_owned(), format!("{name}=1&{name}=1")));
                } else {
                    bad.push(((*name).to_owned(), format!("{name}=1")));
                }
            }
            for (name, query) in bad {
                let reply = ask(route, &self.owner, &format!("{path}?{query}"), &[], None).await;
                let cursor = name == "cursor" && !query.contains('&') && takes(route, "cursor");
                let code = if cursor { ApiCode::InvalidCursor } else { ApiCode::InvalidParameter };
                assert_eq!(problem(&reply), (400, code), "{route:?} takes {query:.100}");
                assert_eq!(reply.json()["pointer"], name, "{route:?}: {}", reply.json());
            }
        }
    }

    /// Parts of the path that nothing is called.
    pub(crate) async fn refuse_bad_parts_of_paths(&self) {
        let odd = [
            "x".repeat(3_000),
            "a%00b".into(),
            "a%0Ab".into(),
            "a%2Fb".into(),
            "..".into(),
            "a%23b".into(),
            "..%2F..%2Fv1%2Fjobs".into(),
            "%2E%2E".into(),
        ];
        for route in self.routes {
            for parameter in route.parameters.iter().filter(|parameter| parameter["in"] == "path") {
                let name = parameter["name"].as_str().expect("a name");
                // A CRM may call its users anything that can be written on a line.
                let legal =
                    |value: &str| name == "crm_user" && ["a%2Fb", "a%23b", "..%2F..%2Fv1%2Fjobs"].contains(&value);
                for value in odd.iter().filter(|value| !legal(value)) {
                    let path = self.path_with(route, name, value);
                    let reply = ask(route, &self.owner, &path, &[], body(route)).await;
                    // A switch is answered also about a user whom nobody knows.
                    let refused = [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND].contains(&reply.status)
                        || reply.json()["allowed"] == false
                        || reply.json()["code"] == "USER_UNKNOWN";
                    assert!(refused, "{} {path:.100}: {} {}", route.method, reply.status, reply.text());
                }
                // Read as some name or other, if not as a good one.
                for value in
                    ["%", "%FF", "%2", "a%3Fb", "a%5Cb", "a%2541"].into_iter().filter(|_| route.method == Method::GET)
                {
                    ask(route, &self.owner, &self.path_with(route, name, value), &[], None).await;
                }
            }
        }
    }

    /// Conditions on another version, and keys that can't be.
    pub(crate) async fn refuse_bad_headers(&self) {
        for route in self.routes {
            let with = async |name: &str, value: &str| {
                ask(route, &self.owner, &self.path(route), &[(name, value)], body(route)).await
            };
            if takes(route, "If-Match") {
                let long = format!("\"{}\"", "x".repeat(OVERLONG));
                for value in ["\"x\"", "W/\"1\"", &long] {
                    let reply = with("if-match", value).await;
                    assert_eq!(problem(&reply), (412, ApiCode::VersionConflict), "{route:?} takes {value:.20}");
                }
            }
            if takes(route, "If-Match") {
                let reply = with("if-match", "1").await;
                assert_eq!(problem(&reply), (400, ApiCode::InvalidParameter), "{route:?}");
            }
            if takes(route, "If-None-Match") {
                assert_eq!(with("if-none-match", "\"x\"").await.status, StatusCode::OK, "{route:?}");
            }
            if takes(route, "Idempotency-Key") {
                for value in ["", "a b", &"x".repeat(OVERLONG)] {
                    let reply = with("idempotency-key", value).await;
                    assert_eq!(problem(&reply), (400, ApiCode::InvalidParameter), "{route:?} takes {value:.20}");
                    assert_eq!(reply.json()["pointer"], "Idempotency-Key");
                }
            }
        }
    }

    /// All that the account shows: every route that reads, none of them without an answer.
    pub(crate) async fn seen(&self) -> BTreeMap<&str, String> {
        let mut seen = BTreeMap::new();
        for route in self.routes.iter().filter(|route| route.method == Method::GET) {
            let reply = ask(route, &self.owner, &self.path(route), &[], None).await;
            assert!([StatusCode::OK, StatusCode::SEE_OTHER].contains(&reply.status), "{route:?}: {}", reply.text());
            let items = reply.json()["items"].as_array().map(Vec::len);
            assert_ne!(items, Some(0), "{route:?} shows nothing that a neighbour could miss");
            // How far the audit trail has settled is no part of the account.
            let mut text = reply.text();
            text.truncate(text.rfind("\"settled_until\"").unwrap_or(text.len()));
            seen.insert(&*route.id, text);
        }
        seen
    }

    /// A route's path, with the examples of its parameters.
    fn path(&self, route: &Operation) -> String {
        self.path_with(route, "", "")
    }

    /// The path, with this value for one parameter.
    fn path_with(&self, route: &Operation, name: &str, value: &str) -> String {
        let mut path = route.path.clone();
        for parameter in route.parameters.iter().filter(|parameter| parameter["in"] == "path") {
            let known = parameter["name"].as_str().expect("a name");
            let example = parameter["example"].as_str().expect("an example of a path's parameter");
            let example = if route.path.starts_with("/v1/jobs/") { &self.job } else { example };
            path = path.replace(&format!("{{{known}}}"), if known == name { value } else { example });
        }
        path
    }
}

/// The status and the code of a refusal.
fn problem(reply: &Reply) -> (u16, ApiCode) {
    let body = reply.json();
    assert_eq!(reply.header("content-type"), "application/problem+json", "{reply:?}");
    assert_eq!(body["status"], reply.status.as_u16(), "{body}");
    (reply.status.as_u16(), serde_json::from_value(body["code"].clone()).expect("a code"))
}

/// The objects of a body, with the fields that the contract gives them.
fn find_objects(schema: &str, value: &Value, pointer: &str, found: &mut Vec<Object>) {
    let (schema, known) = contract().schema(schema).unwrap_or_else(|| panic!("{pointer} is not in the contract"));
    match value {
        Value::Object(fields) => {
            let properties = known["properties"].as_object().unwrap_or_else(|| panic!("{schema} names no properties"));
            let names = properties.keys().cloned().collect();
            let required = known["required"].as_array().into_iter().flatten();
            let required = required.map(|name| name.as_str().expect("a name").to_owned()).collect();
            found.push(Object { pointer: pointer.to_owned(), fields: names, required });
            for (name, field) in fields {
                find_objects(&format!("{schema}/properties/{name}"), field, &format!("{pointer}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_objects(&format!("{schema}/items"), item, &format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn takes(route: &Operation, parameter: &str) -> bool {
    route.parameters.iter().any(|taken| taken["name"] == parameter)
}

/// Those that stand in for a part of the path have tests of their own.
fn in_query(route: &Operation) -> impl Iterator<Item = &str> {
    let of_the_path =
        |name: &Value| route.parameters.iter().any(|parameter| parameter["in"] == "path" && parameter["name"] == *name);
    let query = route.parameters.iter().filter(|parameter| parameter["in"] == "query");
    let query = query.filter(move |parameter| !of_the_path(&parameter["name"]));
    query.map(|parameter| parameter["name"].as_str().expect("a name"))
}

/// Asks, and sees that nothing is wrong on our side.
async fn ask(route: &Operation, caller: &Caller, path: &str, headers: &[(&str, &str)], body: Option<String>) -> Reply {
    let mut headers = headers.to_vec();
    headers.push(("content-type", "application/json"));
    let reply = caller.ask(route.method.clone(), path, &headers, body.map_or_else(Body::empty, Body::from)).await;
    assert!(!reply.status.is_server_error(), "{route:?} answers {path:.100} with {}: {}", reply.status, reply.text());
    reply
}

/// The body of a route's example.
fn body(route: &Operation) -> Option<String> {
    route.example.as_ref().map(Value::to_string)
}
