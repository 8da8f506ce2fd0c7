//! The contract, `infra/openapi.yaml`: it names the very routes, scopes and codes that are deployed, and every route of
//! it withstands strangers, neighbours and bad input.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use e2e::{Caller, Graph, Reply, Stack, Traps};
use rollcall_model::code::ApiCode;
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

const CONTRACT: &str = include_str!("../../../infra/openapi.yaml");
const TEMPLATE: &str = include_str!("../../../infra/template.yaml");
const ROUTER: &str = include_str!("../../../functions/users-api/src/lib.rs");

/// A word that stands in everything of the account that neighbours try to see.
const SECRET: &str = "only-ours";

#[test]
fn the_contract_has_the_routes_and_scopes_of_the_template() {
    let ours: BTreeSet<_> =
        operations().into_iter().map(|route| (route.id, route.method.to_string(), route.path, route.scope)).collect();
    let template = yaml(TEMPLATE);
    let events = template["Resources"]["UsersApiFunction"]["Properties"]["Events"].as_object().expect("events");
    let deployed: BTreeSet<_> = events
        .iter()
        .map(|(name, event)| {
            let text = |name: &str| event["Properties"][name].as_str().expect("text").to_owned();
            let [scope] = event["Properties"]["Auth"]["AuthorizationScopes"].as_array().expect("scopes").as_slice()
            else {
                panic!("{name} has not one scope")
            };
            let (first, rest) = name.split_at(1);
            let id = format!("{}{rest}", first.to_lowercase());
            (id, text("Method"), text("Path"), scope.as_str().expect("a scope").to_owned())
        })
        .collect();
    assert_eq!(ours, deployed);
}

#[test]
fn the_contract_has_the_routes_of_the_router() {
    let ours: BTreeSet<_> = operations().into_iter().map(|route| (route.method.to_string(), route.path)).collect();
    let (routes, _) = ROUTER.split_once(".fallback(").expect("the routes end");
    let mut served = BTreeSet::new();
    for route in routes.split(".route(").skip(1) {
        let path = route.split('"').nth(1).expect("a path");
        for method in ["get", "post", "put", "patch", "delete"] {
            if route.contains(&format!("{method}(")) {
                served.insert((method.to_uppercase(), path.to_owned()));
            }
        }
    }
    assert_eq!(ours, served);
}

#[test]
fn the_contract_has_the_codes_of_the_code() {
    let contract = yaml(CONTRACT);
    let ours = contract["components"]["schemas"]["ApiCode"]["enum"].as_array().expect("codes");
    let codes: Vec<_> = ApiCode::ALL.iter().map(|code| json!(code.as_str())).collect();
    assert_eq!(*ours, codes);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_withstands_strangers_neighbours_and_bad_input() {
    let graph = Graph::start(Traps { page: 1, ..Traps::default() }).await;
    let parameters = graph.parameters();
    let stack = Stack::start(&parameters.each_ref().map(String::as_str)).await;
    for person in graph.hire(3) {
        graph.change(&person, |person| person.display_name = Some(SECRET.to_owned()));
    }
    Graph::connect(&stack, &stack.account).await;
    let routes = operations();
    let owner = stack.caller(&["--account", stack.account.as_str()]);
    let job = furnish(&stack, &owner).await;
    let before = seen(&owner, &routes, &job).await;

    let neighbour = stack.caller(&["--account", "neighbour"]);
    refuse_strangers(&stack, &routes, &job).await;
    refuse_lesser_tokens(&stack, &routes, &job).await;
    hide_from_neighbours(&owner, &neighbour, &routes, &job).await;
    refuse_bad_bodies(&owner, &routes, &job).await;
    refuse_bad_parameters(&owner, &routes, &job).await;

    assert_eq!(before, seen(&owner, &routes, &job).await, "the account is as it was");
}

/// Longest that a list is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// No token, one that is none, one of yesterday.
async fn refuse_strangers(stack: &Stack, routes: &[Operation], job: &str) {
    let stranger = stack.stranger();
    let expired = stack.caller(&["--expires=-1s"]);
    for route in routes {
        let path = route.path(job);
        for (caller, headers) in
            [(&stranger, &[][..]), (&stranger, &[("authorization", "Bearer e30.e30.e30")]), (&expired, &[])]
        {
            let reply = route.ask(caller, &path, headers, route.body()).await;
            assert_eq!((reply.status.as_u16(), reply.json()), (401, json!({ "message": "Unauthorized" })), "{route:?}");
        }
    }
}

/// A token with every scope but the route's.
async fn refuse_lesser_tokens(stack: &Stack, routes: &[Operation], job: &str) {
    let scopes: BTreeSet<&str> = routes.iter().map(|route| &*route.scope).collect();
    for missing in &scopes {
        let others = scopes.iter().filter(|scope| *scope != missing).flat_map(|scope| ["--scope", scope]);
        let caller = stack.caller(&others.collect::<Vec<_>>());
        for route in routes.iter().filter(|route| route.scope == *missing) {
            let reply = route.ask(&caller, &route.path(job), &[], route.body()).await;
            assert_eq!((reply.status.as_u16(), reply.json()), (403, json!({ "message": "Forbidden" })), "{route:?}");
        }
    }
}

/// A neighbour who knows every name of the account finds nothing, and changes nothing but what is its own.
async fn hide_from_neighbours(owner: &Caller, neighbour: &Caller, routes: &[Operation], job: &str) {
    let (reads, writes): (Vec<_>, Vec<_>) = routes.iter().partition(|route| route.method == Method::GET);
    for route in reads.into_iter().chain(writes) {
        let reply = route.ask(neighbour, &route.path(job), &[], route.body()).await;
        let text = String::from_utf8_lossy(&reply.body);
        assert!(!text.contains(SECRET) && !text.contains(job), "{route:?} shows {text}");
        if route.method == Method::GET {
            let items = reply.json()["items"].as_array().map(Vec::len);
            // A file without a row, and what is the same for everybody.
            let empty = items == Some(0) || text.lines().count() == 1 || route.path.starts_with("/v1/samples");
            assert!(
                reply.status == StatusCode::NOT_FOUND || reply.status == StatusCode::OK && empty,
                "{route:?}: {text}"
            );
        }
        if route.takes("cursor") && route.takes("limit") {
            let first = owner.get(&format!("{}?limit=1", route.path(job))).await.json();
            let cursor = first["next"].as_str().unwrap_or_else(|| panic!("{route:?} has a second page: {first}"));
            let path = format!("{}?limit=1&cursor={cursor}", route.path(job));
            assert_eq!(owner.get(&path).await.status, StatusCode::OK, "{route:?}");
            let reply = route.ask(neighbour, &path, &[], None).await;
            assert_eq!(problem(&reply), (400, ApiCode::InvalidCursor.as_str().to_owned()), "{route:?}");
        }
    }
}

/// What is not JSON, not an object, or has a field too many.
async fn refuse_bad_bodies(owner: &Caller, routes: &[Operation], job: &str) {
    for route in routes {
        let Some(example) = &route.example else { continue };
        let path = route.path(job);
        for body in ["", "{", "{\"a\":1}}", "\u{feff}{}", "nil"] {
            let reply = route.ask(owner, &path, &[], Some(body.to_owned())).await;
            assert_eq!(problem(&reply), (400, ApiCode::MalformedJson.as_str().to_owned()), "{route:?} takes {body:?}");
        }
        let values = json!(example.as_object().expect("an object").values().collect::<Vec<_>>());
        for body in [json!(null), json!([]), json!("text"), values] {
            let reply = route.ask(owner, &path, &[], Some(body.to_string())).await;
            assert_eq!(problem(&reply), (422, ApiCode::InvalidField.as_str().to_owned()), "{route:?} takes {body}");
        }
        let mut body = example.clone();
        body["surprise"] = json!(1);
        let reply = route.ask(owner, &path, &[], Some(body.to_string())).await;
        assert_eq!(problem(&reply), (422, ApiCode::InvalidField.as_str().to_owned()), "{route:?}");
        assert_eq!(reply.json()["pointer"], "/surprise", "{route:?}: {}", reply.json());
        for (name, _) in example.as_object().expect("an object") {
            let mut body = example.clone();
            body[name] = json!({ "not": ["this"] });
            let reply = route.ask(owner, &path, &[], Some(body.to_string())).await;
            assert_eq!(problem(&reply), (422, ApiCode::InvalidField.as_str().to_owned()), "{route:?}");
            let pointer = reply.json()["pointer"].as_str().unwrap_or_default().to_owned();
            assert!(pointer.starts_with(&format!("/{name}")), "{route:?}: {}", reply.json());
        }
    }
}

/// Parameters of the query that there aren't, and such that can't be; parts of the path that nothing is called.
async fn refuse_bad_parameters(owner: &Caller, routes: &[Operation], job: &str) {
    let odd = [
        "x".repeat(3_000),
        "a%00b".into(),
        "a%0Ab".into(),
        "a%2Fb".into(),
        "..".into(),
        "a%23b".into(),
        "..%2F..%2Fv1%2Fjobs".into(),
    ];
    for route in routes {
        let path = route.path(job);
        if route.parameters.iter().any(|parameter| parameter["in"] == "query") {
            for query in
                ["surprise=1", "cursor=AAAA", "cursor=%FF", "limit=0", "limit=201", "limit=x", "limit=1&limit=2"]
            {
                let reply = route.ask(owner, &format!("{path}?{query}"), &[], None).await;
                assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{route:?} takes {query}");
                problem(&reply);
            }
        }
        for parameter in route.parameters.iter().filter(|parameter| parameter["in"] == "path") {
            let name = parameter["name"].as_str().expect("a name");
            for value in &odd {
                let path = route.path_with(job, name, value);
                let reply = route.ask(owner, &path, &[], route.body()).await;
                let refused = [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND].contains(&reply.status);
                assert!(refused, "{} {path:.100}: {} {}", route.method, reply.status, reply.json());
            }
        }
    }
}

/// Gives the account two of everything, so that every list has a second page; the ID of a job.
async fn furnish(stack: &Stack, owner: &Caller) -> String {
    let send = async |method: Method, path: &str, body: Value| {
        let reply = owner.ask(method, path, &[], body.to_string()).await;
        assert!(reply.status.is_success(), "{path}: {}", reply.json());
    };
    for kind in ["roles", "departments", "teams"] {
        send(Method::PUT, &format!("/v1/{kind}/sales"), json!({ "name": SECRET })).await;
    }
    let numbers = ["+919876543210", "+919876543211"];
    let labelled: Vec<_> = numbers.iter().map(|number| json!({ "number": number, "labels": [SECRET] })).collect();
    send(Method::POST, "/v1/numbers", json!({ "numbers": labelled })).await;
    for login in ["user1", "user2"] {
        let extension = json!({ "login": login, "intercom": "101" });
        let user =
            json!({ "login": login, "name": SECRET, "calling_agent": true, "team": "sales", "extension": extension });
        send(Method::POST, "/v1/users", user).await;
        send(Method::POST, &format!("/v1/users/{login}/caller-ids"), json!({ "caller_ids": numbers })).await;
    }
    stack.append("one.csv", "Login ID,Allowed Caller ID\nnobody,+919876543210\n").await;
    let job = stack.append("two.csv", "Login ID,Allowed Caller ID\nnobody,+919876543210\n").await;
    // Lists of users and jobs come from an index, which follows the table by some milliseconds.
    let until = Instant::now() + PATIENCE;
    for (list, field, value) in [("/v1/users", "name", SECRET), ("/v1/jobs", "phase", "done")] {
        while owner.get(list).await.json()["items"]
            .as_array()
            .is_none_or(|items| items.len() < 2 || items.iter().any(|item| item[field] != value))
        {
            assert!(Instant::now() < until, "{list} is not complete");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    job.id.to_string()
}

/// All that the account shows: every route that reads, none of them without an answer.
async fn seen(owner: &Caller, routes: &[Operation], job: &str) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    for route in routes.iter().filter(|route| route.method == Method::GET) {
        let reply = route.ask(owner, &route.path(job), &[], None).await;
        assert!([StatusCode::OK, StatusCode::SEE_OTHER].contains(&reply.status), "{route:?}: {}", reply.json());
        let items = reply.json()["items"].as_array().map(Vec::len);
        assert_ne!(items, Some(0), "{route:?} shows nothing that a neighbour could miss");
        seen.insert(route.id.clone(), String::from_utf8_lossy(&reply.body).into_owned());
    }
    seen
}

/// The status and the code of a refusal, which has the shape that the contract gives it.
fn problem(reply: &Reply) -> (u16, String) {
    let body = reply.json();
    assert_eq!(reply.header("content-type"), "application/problem+json", "{reply:?}");
    assert_eq!(body["status"], reply.status.as_u16(), "{body}");
    (reply.status.as_u16(), body["code"].as_str().expect("a code").to_owned())
}

/// A route of the contract.
struct Operation {
    id: String,
    method: Method,
    path: String,
    scope: String,
    parameters: Vec<Value>,
    /// The body of its example, if it takes one.
    example: Option<Value>,
    statuses: BTreeSet<String>,
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Operation {
    /// Asks, and sees that the contract knows of such an answer.
    async fn ask(&self, caller: &Caller, path: &str, headers: &[(&str, &str)], body: Option<String>) -> Reply {
        let mut headers = headers.to_vec();
        headers.push(("content-type", "application/json"));
        let reply = caller.ask(self.method.clone(), path, &headers, body.map_or_else(Body::empty, Body::from)).await;
        let known = self.statuses.contains(reply.status.as_str());
        assert!(known, "{self:?} answers {path:.100} with {}: {}", reply.status, String::from_utf8_lossy(&reply.body));
        reply
    }

    fn body(&self) -> Option<String> {
        self.example.as_ref().map(Value::to_string)
    }

    /// The path, with the examples of its parameters.
    fn path(&self, job: &str) -> String {
        self.path_with(job, "", "")
    }

    /// The path, with this value for one parameter.
    fn path_with(&self, job: &str, name: &str, value: &str) -> String {
        let mut path = self.path.clone();
        for parameter in self.parameters.iter().filter(|parameter| parameter["in"] == "path") {
            let known = parameter["name"].as_str().expect("a name");
            let example = parameter["example"].as_str().expect("an example of a path's parameter");
            let example = if self.path.starts_with("/v1/jobs/") { job } else { example };
            path = path.replace(&format!("{{{known}}}"), if known == name { value } else { example });
        }
        path
    }

    fn takes(&self, parameter: &str) -> bool {
        self.parameters.iter().any(|taken| taken["name"] == parameter)
    }
}

/// The routes of the contract.
fn operations() -> Vec<Operation> {
    let contract = yaml(CONTRACT);
    let resolve = |value: &Value| match value["$ref"].as_str() {
        Some(pointer) => contract.pointer(pointer.trim_start_matches('#')).expect("what is referred to").clone(),
        None => value.clone(),
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut operations = Vec::new();
    for (path, item) in contract["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods").iter().filter(|(name, _)| *name != "parameters") {
            let parameters = list(&item["parameters"]).into_iter().chain(list(&operation["parameters"]));
            let body = operation.get("requestBody").map(|body| &body["content"]["application/json"]["example"]);
            assert_ne!(body, Some(&Value::Null), "{method} {path} shows no body");
            operations.push(Operation {
                id: operation["operationId"].as_str().expect("an ID").to_owned(),
                method: method.to_uppercase().parse().expect("a method"),
                path: path.clone(),
                scope: operation["security"][0]["jwt"][0].as_str().expect("a scope").to_owned(),
                parameters: parameters.map(|parameter| resolve(&parameter)).collect(),
                example: body.cloned(),
                statuses: operation["responses"].as_object().expect("responses").keys().cloned().collect(),
            });
        }
    }
    operations
}

fn yaml(text: &str) -> Value {
    fn value(node: &Yaml) -> Value {
        match node {
            Yaml::Value(Scalar::Null) => Value::Null,
            Yaml::Value(Scalar::Boolean(flag)) => json!(flag),
            Yaml::Value(Scalar::Integer(number)) => json!(number),
            Yaml::Value(Scalar::FloatingPoint(number)) => json!(number.into_inner()),
            Yaml::Value(Scalar::String(text)) => json!(text),
            Yaml::Sequence(items) => items.iter().map(value).collect(),
            Yaml::Mapping(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, entry)| (key.as_str().expect("a key").to_owned(), value(entry)))
                    .collect::<Map<_, _>>(),
            ),
            Yaml::Tagged(_, inner) => value(inner),
            Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => panic!("a YAML value that can't be read"),
        }
    }
    let [document] = &*Yaml::load_from_str(text).expect("YAML") else { panic!("not one document") };
    value(document)
}
