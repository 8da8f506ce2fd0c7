//! No route depends on how a gateway decodes its path: what people may have written into a login ID, a number or a name of theirs can
//! be given in the query, on every route.

use std::collections::{BTreeMap, BTreeSet};

use axum::{body::Body, http::Method};
use e2e::{Caller, Operation, Stack, contract};
use rollcall_model::path_part::is_safe_in_path;
use serde_json::{Value, json};
use users_api::{ROUTES, Route};

/// What others name, by the part of the path that takes it: each is legal, and means something else after one decoding too many.
const NAMED: [(&str, &str); 5] = [
    ("login", "a/b+50%41 c?d#e"),
    ("number", "+919876543210"),
    ("crm_user", "x/y+50%41 z?v#w"),
    ("id", "n+50%41?m"),
    ("extension", "p+50%41?q"),
];

/// The routes that have something in their path, as the contract tells them.
fn routes() -> Vec<&'static Operation> {
    let routes = ROUTES.iter().filter(|route| route.path.contains('{'));
    let told = |route: &Route| {
        let told = contract().operations.iter().find(|told| told.method == route.method && told.path == route.path);
        told.unwrap_or_else(|| panic!("{route:?} is not in the contract"))
    };
    routes.map(told).collect()
}

/// The parts of a route's path that have names.
fn parts(route: &Operation) -> impl Iterator<Item = &str> {
    route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn parameter<'a>(route: &'a Operation, name: &str, place: &str) -> Option<&'a Value> {
    route.parameters.iter().find(|parameter| parameter["name"] == name && parameter["in"] == place)
}

/// The values of a part that only we give out, if the contract lists them or says how they are made.
fn ours(route: &Operation, name: &str) -> Option<Vec<String>> {
    let schema = &parameter(route, name, "path").unwrap_or_else(|| panic!("{route:?} takes {name}"))["schema"];
    let listed = schema["enum"].as_array();
    let listed = listed.map(|values| values.iter().map(|value| value.as_str().expect("a text").to_owned()).collect());
    let made = |length: usize| vec!["0123456789abcdef".repeat(2)[..length].to_owned()];
    listed.or_else(|| match schema["$ref"].as_str()? {
        "#/components/schemas/JobId" => Some(made(32)),
        "#/components/schemas/ScimKeyId" => Some(made(16)),
        _ => None,
    })
}

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A new route can't forget it: what a path takes is ours and safe there, or can be given in the query as well.
#[test]
fn what_others_have_named_can_be_given_in_the_query() {
    let named: BTreeMap<&str, &str> = NAMED.into();
    let mut seen = BTreeSet::new();
    for route in routes() {
        for name in parts(route) {
            if let Some(values) = ours(route, name) {
                assert!(values.iter().all(|value| is_safe_in_path(value)), "{route:?}: {name} of {values:?}");
            } else {
                assert!(parameter(route, name, "query").is_some(), "{route:?}: {name} can't be given in the query");
                assert!(named.contains_key(name), "{route:?}: which {name} is hard to write into a path?");
                seen.insert(name);
            }
        }
    }
    assert_eq!(seen, named.into_keys().collect());
}

/// The route with all that others have named in the query, but for this part; none if there is nothing of theirs in its path.
fn in_query(route: &Operation, but: &str) -> Option<String> {
    let mut path = route.path.clone();
    let mut query = Vec::new();
    for name in parts(route) {
        let value = if let Some(values) = ours(route, name) {
            values.into_iter().next()?
        } else {
            let (_, value) = NAMED.iter().find(|(named, _)| *named == name)?;
            query.push((name, percent_encoded(value)));
            if name == but { percent_encoded(value) } else { "-".to_owned() }
        };
        path = path.replace(&format!("{{{name}}}"), &value);
    }
    let given: Vec<String> =
        query.iter().filter(|(name, _)| *name != but).map(|(name, value)| format!("{name}={value}")).collect();
    (!query.is_empty()).then(|| format!("{path}?{}", given.join("&")))
}

async fn ask(caller: &Caller, route: &Operation, path: &str) -> e2e::Reply {
    let body = route.example.as_ref().map_or_else(Body::empty, |body| Body::from(body.to_string()));
    caller.ask(route.method.clone(), path, &[("content-type", "application/json")], body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_reached_whatever_others_have_named() {
    let stack = Stack::start(&[]).await;
    let caller = stack.caller(&["--account", stack.account.as_str()]);
    let named: BTreeMap<&str, &str> = NAMED.into();
    let send = async |path: &str, body: Value| {
        let reply = caller.ask(Method::POST, path, &[("content-type", "application/json")], body.to_string()).await;
        assert!(reply.status.is_success(), "{path}: {}", reply.text());
    };
    send("/v1/numbers", json!({ "numbers": [{ "number": named["number"] }] })).await;
    for (login, extension) in [(named["login"], named["extension"]), ("user1", "e2")] {
        let extension = json!({ "login": extension, "intercom": "101" });
        let user = json!({ "login": login, "name": "Ana", "calling_agent": true, "extension": extension });
        send("/v1/users", user).await;
    }

    // What is made first, and what is in something else before that is deleted.
    let mut routes = routes();
    let order = [Method::PUT, Method::POST, Method::GET, Method::PATCH, Method::DELETE];
    routes.sort_by_key(|route| {
        let when = order.iter().position(|method| *method == route.method).expect("a method");
        (when, std::cmp::Reverse(route.path.len()))
    });
    let mut told = BTreeSet::new();
    for route in routes {
        let Some(path) = in_query(route, "") else { continue };
        let reply = ask(&caller, route, &path).await;
        assert!(reply.status.is_success(), "{route:?} by {path}: {} {}", reply.status, reply.text());
        for name in parts(route) {
            // Of what was asked for, and not of something that is called "-".
            if let Some(value) = reply.json()[name].as_str() {
                assert_eq!(Some(&value), named.get(name), "{route:?}: {}", reply.text());
                told.insert(name.to_owned());
            }
            // No answer names the extension; that of one that nobody has says so.
            if name == "extension" {
                assert_ne!(reply.json()["code"], "USER_UNKNOWN", "{route:?}");
                told.insert(name.to_owned());
            }
        }
        for name in parts(route).filter(|name| *name != "number" && ours(route, name).is_none()) {
            let direct = in_query(route, name).expect("something of theirs");
            let reply = ask(&caller, route, &direct).await;
            let gateway = (reply.status.as_u16(), reply.json());
            assert_eq!(
                gateway,
                (404, json!({ "message": "Not Found" })),
                "{route:?}: {direct} is nothing to a strict gateway"
            );
        }
    }
    assert_eq!(told, named.keys().map(|name| (*name).to_owned()).collect());
}
