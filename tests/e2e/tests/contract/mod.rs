//! The contract, `infra/openapi.yaml`: it names the very routes, scopes, fields and codes that are deployed, and every route
//! of it withstands strangers, neighbours and bad input.

mod types;
mod walk;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use axum::http::Method;
use e2e::{Caller, Graph, Quirks, Stack, contract, yaml};
use rollcall_model::code::{ApiCode, FileCode, NumberWarning};
use serde_json::{Value, json};
use users_api::{ROUTES, Route};

use walk::Walk;

const TEMPLATE: &str = include_str!("../../../../infra/template.yaml");

/// A word that stands in everything of the account that neighbours try to see.
const SECRET: &str = "only-ours";
/// Longest that a list is waited for.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Method, path and scope of each route of the API.
fn routes() -> BTreeSet<(String, String, String)> {
    let text = |route: &Route| (route.method.to_string(), route.path.to_owned(), route.scope.as_str().to_owned());
    let routes: BTreeSet<_> = ROUTES.iter().map(text).collect();
    assert_eq!(routes.len(), ROUTES.len(), "each route stands in the table once");
    routes
}

#[test]
fn the_contract_has_the_routes_and_scopes_of_the_api() {
    let contract = contract().operations.iter();
    let contract = contract.map(|route| (route.method.to_string(), route.path.clone(), route.scope.clone()));
    assert_eq!(contract.collect::<BTreeSet<_>>(), routes());
}

#[test]
fn the_template_has_the_routes_and_scopes_of_the_api_under_the_names_of_the_contract() {
    let named: BTreeMap<_, _> =
        contract().operations.iter().map(|route| ((route.method.to_string(), route.path.clone()), &route.id)).collect();
    let template = yaml(TEMPLATE);
    let paths = template["Resources"]["Api"]["Properties"]["DefinitionBody"]["paths"].as_object().expect("paths");
    let mut deployed = BTreeSet::new();
    // The console's files are the same for everybody, and no part of the contract.
    let open = ["/console", "/console/{path+}"];
    for path in open {
        assert!(paths[path]["get"]["security"].is_null(), "{path}");
    }
    // What a directory sends is the RFC's, and is let in by a key.
    let by_key = "/scim/v2/{proxy+}";
    assert_eq!(paths[by_key]["x-amazon-apigateway-any-method"]["security"], json!([{ "ScimKey": [] }]));
    let is_ours = |path: &str| !open.contains(&path) && path != by_key;
    for (path, operations) in paths.iter().filter(|(path, _)| is_ours(path)) {
        for (method, operation) in operations.as_object().expect("operations") {
            let (id, method) = (operation["operationId"].as_str().expect("an ID"), method.to_uppercase());
            assert_eq!(named.get(&(method.clone(), path.clone())).map(|id| id.as_str()), Some(id), "{method} {path}");
            let [scope] = operation["security"][0]["Jwt"].as_array().expect("scopes").as_slice() else {
                panic!("{id} has not one scope")
            };
            deployed.insert((method, path.clone(), scope.as_str().expect("a scope").to_owned()));
        }
    }
    assert_eq!(deployed, routes());
}

#[test]
fn the_contract_has_the_codes_of_the_code() {
    let ours = |name: &str| contract().document["components"]["schemas"][name]["enum"].clone();
    assert_eq!(ours("ApiCode"), json!(ApiCode::ALL));
    assert_eq!(ours("FileCode"), json!(FileCode::ALL));
    assert_eq!(ours("NumberWarning"), json!(NumberWarning::ALL));
}

#[test]
fn the_contract_names_every_field_and_its_examples_keep_it() {
    fn open_objects(schema: &Value, place: &str, found: &mut Vec<String>) {
        let Value::Object(fields) = schema else {
            let items = schema.as_array().into_iter().flatten().enumerate();
            return items.for_each(|(index, item)| open_objects(item, &format!("{place}/{index}"), found));
        };
        if fields.contains_key("properties") && schema["type"] != json!(null) && schema["additionalProperties"] != false
        {
            found.push(place.to_owned());
        }
        fields.iter().for_each(|(name, field)| open_objects(field, &format!("{place}/{name}"), found));
    }
    let mut found = Vec::new();
    open_objects(&contract().document, "", &mut found);
    assert_eq!(found, [""; 0], "objects that may have any field");
    for route in &contract().operations {
        if let (Some(schema), Some(example)) = (&route.body, &route.example) {
            assert_eq!(contract().faults(schema, example), None, "{route:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_withstands_strangers_neighbours_and_bad_input() {
    let graph = Graph::start(Quirks { page: 1, ..Quirks::default() }).await;
    let parameters = graph.parameters();
    let parameters = parameters
        .iter()
        .map(String::as_str)
        .chain(["AuditSettleSeconds=2", "AuditBatchSeconds=0"])
        .collect::<Vec<_>>();
    let stack = Stack::start(&parameters).await;
    for person in graph.add_users(3) {
        graph.change(&person, |person| person.display_name = Some(SECRET.to_owned()));
    }
    Graph::connect(&stack, &stack.account).await;
    let owner = stack.caller(&["--account", stack.account.as_str()]);
    let job = furnish(&stack, &owner).await;
    let walk = Walk { routes: &contract().operations, owner, job };
    let before = walk.seen().await;

    walk.refuse_strangers(&stack).await;
    walk.refuse_who_has_no_account(&stack).await;
    walk.refuse_lesser_tokens(&stack).await;
    walk.hide_from_neighbours(&stack.caller(&["--account", "neighbour"])).await;
    walk.refuse_what_is_no_object().await;
    walk.refuse_bad_fields().await;
    walk.refuse_bad_parameters().await;
    walk.refuse_bad_parts_of_paths().await;
    walk.refuse_bad_headers().await;

    assert_eq!(before, walk.seen().await, "the account is as it was");
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
    for crm_user in ["crm-1", "crm-2"] {
        send(Method::PUT, &format!("/v1/mappings/{crm_user}"), json!({ "phone_user": "user1" })).await;
    }
    for name in ["one", "two"] {
        send(Method::POST, "/v1/directory/scim-keys", json!({ "name": name })).await;
    }
    stack.append("one.csv", "Login ID,Allowed Caller ID\nnobody,+919876543210\n").await;
    let job = stack.append("two.csv", "Login ID,Allowed Caller ID\nnobody,+919876543210\n").await;
    // Lists of users and jobs come from an index, which follows the table by some milliseconds.
    let until = Instant::now() + TIMEOUT;
    for (list, field, value) in [("/v1/users", "name", SECRET), ("/v1/jobs", "phase", "done")] {
        while owner.get(list).await.json()["items"]
            .as_array()
            .is_none_or(|items| items.len() < 2 || items.iter().any(|item| item[field] != value))
        {
            assert!(Instant::now() < until, "{list} is not complete");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    // A role, a department and a team, two numbers, two users with their lists, two mappings and two keys.
    while owner.get("/v1/audit").await.json()["items"].as_array().is_none_or(|items| items.len() < 13) {
        assert!(Instant::now() < until, "the audit trail is not complete");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    job.id.to_string()
}
