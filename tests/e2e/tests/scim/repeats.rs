//! What is cut short is done by sending it again; what changes nothing writes nothing; and what a request costs.

use axum::http::{Method, StatusCode};
use e2e::{ENTERPRISE, Faults, Fuse, PATCH_OP, Proxy, ScimClient, Stack, entra_user, gateway_event};
use lambda_http::Body;
use rollcall_storage::{
    connect::{Aws, LocalStack},
    directory::Directory,
    mailer::Mailer,
};
use scim_api::Scim;
use serde_json::{Value, json};

use super::{id_of, table};

/// The function in the test's own process, with the table at this address: it dies with the request that isn't answered.
async fn function(stack: &Stack, dynamodb: &str) -> Scim {
    let aws = Aws::local(LocalStack { dynamodb: dynamodb.to_owned(), ..stack.endpoints() }).await;
    Scim {
        directory: Directory::new(&aws, stack.output("TableName")),
        mailer: Mailer::new(&aws, "rollcall@example.com", "none"),
        country: "IN".parse().expect("a country"),
        mails_a_day: 100,
    }
}

/// A request as the gateway hands it on.
fn asked(method: &Method, path: &str, query: &str, body: Option<&Value>) -> lambda_http::Request {
    let path = format!("/scim/v2{path}");
    let more = json!({ "rawQueryString": query, "headers": { "host": "localhost", "x-forwarded-proto": "https" } });
    let authorizer = json!({ "lambda": { "account": "acme", "key": "0123456789abcdef" } });
    let request = gateway_event("ANY /scim/v2/{proxy+}", (method.as_str(), &path), &authorizer, more);
    let body = body.map_or(Body::Empty, |body| Body::Text(body.to_string()));
    request.map(|_| body)
}

async fn answered(scim: &Scim, method: Method, path: &str, query: &str, body: Option<Value>) -> (u16, Value) {
    let answer = scim.answer(asked(&method, path, query, body.as_ref())).await;
    let (parts, body) = answer.into_parts();
    let text = match body {
        Body::Text(text) => text,
        _ => String::new(),
    };
    (parts.status.as_u16(), serde_json::from_str(&text).unwrap_or_default())
}

/// Users of the large change.
const MEMBERS: usize = 1_000;

fn add(logins: impl Iterator<Item = String>) -> Value {
    let members: Vec<Value> = logins.map(|login| json!({ "value": id_of(&login) })).collect();
    json!({ "schemas": [PATCH_OP], "Operations": [{ "op": "Add", "path": "members", "value": members }] })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_1000_members_survives_a_death_and_a_lost_answer_at_every_request() {
    let stack = Stack::start(&[]).await;
    stack.create_users(MEMBERS).await;
    let whole = function(&stack, &stack.endpoints().dynamodb).await;
    let everybody = || add((1..=MEMBERS).map(|number| format!("user{number}")));
    let nobody = json!({ "Operations": [{ "op": "remove", "path": "members" }] });
    let (status, group) = answered(&whole, Method::POST, "/Groups", "", Some(json!({ "displayName": "All" }))).await;
    assert_eq!(status, 201);
    let path = format!("/Groups/{}", group["id"].as_str().expect("an ID"));
    let count = async || {
        let (_, shown) = answered(&whole, Method::GET, &path, "", None).await;
        shown["members"].as_array().map_or(0, Vec::len)
    };
    let mut requests = 0;
    // The requests of one kind are alike.
    let step = e2e::death_step(5);
    for carried_out in [false, true] {
        for after in (0..).step_by(step) {
            let fuse = Fuse::after(after, carried_out);
            let table = Proxy::start(&stack.endpoints().dynamodb, Faults::default(), Some(fuse.clone())).await;
            let dying = function(&stack, &table.url).await;
            let survived = tokio::select! {
                answer = answered(&dying, Method::PATCH, &path, "", Some(everybody())) => { assert_eq!(answer.0, 204); true }
                () = fuse.blown() => false,
            };
            assert_eq!(answered(&whole, Method::PATCH, &path, "", Some(everybody())).await.0, 204);
            assert_eq!(count().await, MEMBERS, "after {after} requests, carried out: {carried_out}");
            assert_eq!(answered(&whole, Method::PATCH, &path, "", Some(nobody.clone())).await.0, 204);
            assert_eq!(count().await, 0);
            requests = table.requests();
            if survived {
                break;
            }
        }
    }
    // Its users, its members as they are, and its members as they will be.
    assert!(requests > 60, "{requests}");
    for after in (0..i64::try_from(requests).expect("few")).step_by(step) {
        let table = Proxy::start(&stack.endpoints().dynamodb, Faults::default(), None).await;
        let losing = function(&stack, &table.url).await;
        table.lose_answer(after);
        assert_eq!(
            answered(&losing, Method::PATCH, &path, "", Some(everybody())).await.0,
            204,
            "the answer {after} is lost"
        );
        assert_eq!(count().await, MEMBERS);
        assert_eq!(answered(&whole, Method::PATCH, &path, "", Some(nobody.clone())).await.0, 204);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_written_whole_or_not_at_all_and_a_lost_answer_is_no_refusal() {
    let stack = Stack::start(&[]).await;
    let whole = function(&stack, &stack.endpoints().dynamodb).await;
    let mut number = 0;
    for carried_out in [false, true] {
        for after in 0.. {
            number += 1;
            let name = format!("u{number}@contoso.example");
            let (fuse, sent) = (Fuse::after(after, carried_out), entra_user(&name, &format!("e-{number}")));
            let table = Proxy::start(&stack.endpoints().dynamodb, Faults::default(), Some(fuse.clone())).await;
            let dying = function(&stack, &table.url).await;
            let survived = tokio::select! {
                answer = answered(&dying, Method::POST, "/Users", "", Some(sent.clone())) => { assert_eq!(answer.0, 201); true }
                () = fuse.blown() => false,
            };
            // Sent again, the user is made, or is found to be there whole.
            let (status, _) = answered(&whole, Method::POST, "/Users", "", Some(sent)).await;
            assert!(matches!(status, 201 | 409), "{status} after {after} requests");
            for filter in [
                format!("userName eq \"{name}\""),
                format!("externalId eq \"e-{number}\""),
                format!("emails.value eq \"{name}\""),
            ] {
                let query: String = format!("filter={}", filter.replace(' ', "%20").replace('"', "%22"));
                let (_, found) = answered(&whole, Method::GET, "/Users", &query, None).await;
                assert_eq!(found["totalResults"], 1, "{filter} after {after} requests: {found}");
            }
            if survived {
                assert!(after > 2, "a creation makes more requests than {after}");
                break;
            }
        }
    }
    for after in 0..8 {
        let table = Proxy::start(&stack.endpoints().dynamodb, Faults::default(), None).await;
        let losing = function(&stack, &table.url).await;
        let name = format!("lost{after}@contoso.example");
        table.lose_answer(after);
        let (status, made) = answered(&losing, Method::POST, "/Users", "", Some(entra_user(&name, &name))).await;
        assert_eq!(status, 201, "{made}");
        let path = format!("/Users/{}", made["id"].as_str().expect("an ID"));
        let leave =
            json!({ "Operations": [{ "op": "replace", "value": { "active": false, "title": format!("T{after}") } }] });
        table.lose_answer(after);
        assert_eq!(answered(&losing, Method::PATCH, &path, "", Some(leave)).await.0, 200, "the answer {after} is lost");
        table.lose_answer(after);
        assert_eq!(answered(&losing, Method::DELETE, &path, "", None).await.0, 204, "the answer {after} is lost");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_that_changes_nothing_writes_nothing() {
    let stack = Stack::start(&[]).await;
    let entra = ScimClient::of(&stack).await;
    let users: Vec<_> = (1..=5).map(|number| format!("u{number}@contoso.example")).collect();
    let group = entra.made("/Groups", json!({ "displayName": "Sales", "externalId": "g" })).await;
    let mut before = None;
    for cycle in 0..3 {
        for (number, name) in users.iter().enumerate() {
            let found = entra.find("Users", &format!("userName eq \"{name}\"")).await;
            let id = match found["Resources"][0]["id"].as_str() {
                Some(id) => id.to_owned(),
                None => entra.made("/Users", entra_user(name, &format!("e-{number}"))).await,
            };
            let change = json!([
                { "op": "Add", "path": "title", "value": "Agent" },
                { "op": "Replace", "path": "active", "value": "True" },
                { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": name },
                { "op": "Add", "path": format!("{ENTERPRISE}:manager"), "value": "boss" },
                // One that the account hasn't: it is looked for each time, and nothing comes of it.
                { "op": "Add", "path": format!("{ENTERPRISE}:department"), "value": "Nowhere" },
                { "op": "Add", "path": "phoneNumbers[type eq \"work\"].value", "value": "+91 98765 00001" },
            ]);
            assert_eq!(entra.patch(&format!("/Users/{id}"), change).await.status, StatusCode::OK);
            let whole = entra.get(&format!("/Users/{id}")).await.json();
            assert_eq!(entra.ask(Method::PUT, &format!("/Users/{id}"), &[], Some(whole)).await.status, StatusCode::OK);
            let member = json!([{ "op": "Add", "path": "members", "value": [{ "value": id }] }]);
            assert_eq!(entra.patch(&format!("/Groups/{group}"), member).await.status, StatusCode::NO_CONTENT);
        }
        let rename = json!([{ "op": "Replace", "path": "displayName", "value": "Sales" }]);
        assert_eq!(entra.patch(&format!("/Groups/{group}"), rename).await.status, StatusCode::NO_CONTENT);
        let after = table(&stack).await;
        assert!(before.is_none_or(|before| before == after), "the cycle {cycle} has written");
        before = Some(after);
    }
}

/// Read units of a look-up, and requests of a change: all that is read, and one transaction.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_costs_what_was_promised() {
    let stack = Stack::start(&[]).await;
    let whole = function(&stack, &stack.endpoints().dynamodb).await;
    let name = "maya@contoso.example";
    assert_eq!(answered(&whole, Method::POST, "/Users", "", Some(entra_user(name, "E-1"))).await.0, 201);
    let table = Proxy::start(&stack.endpoints().dynamodb, Faults::default(), None).await;
    let metered = function(&stack, &table.url).await;
    table.units();
    for filter in [
        "userName eq \"maya@contoso.example\"",
        "externalId eq \"E-1\"",
        "emails.value eq \"maya@contoso.example\"",
        "userName eq \"nobody\"",
        "externalId eq \"nobody\"",
    ] {
        let query = format!("filter={}", filter.replace(' ', "%20").replace('"', "%22"));
        let (status, found) = answered(&metered, Method::GET, "/Users", &query, None).await;
        assert_eq!((status, &found["totalResults"]), (200, &json!(u32::from(!filter.contains("nobody")))));
        let units = table.units();
        assert!(units > 0.0 && units <= 4.0, "{filter}: {units} units");
    }
    let requests = async |method: Method, path: &str, body: Value| {
        let before = table.requests();
        let answer = answered(&metered, method, path, "", Some(body)).await;
        assert!(answer.0 < 300, "{answer:?}");
        table.requests() - before
    };
    // The settings, the user, who was deleted under the name; and one transaction.
    assert_eq!(requests(Method::POST, "/Users", entra_user("omar@contoso.example", "E-2")).await, 4);
    let path = format!("/Users/{}", id_of(name));
    let change = json!({ "Operations": [{ "op": "replace", "path": "title", "value": "Lead" }, { "op": "replace", "path": "externalId", "value": "E-3" }] });
    // The user, the settings; and one transaction.
    assert_eq!(requests(Method::PATCH, &path, change).await, 3);
}

/// Users that are provisioned one after the other, eight at a time as Entra ID does; 10,000 by `cargo provisioning`.
#[tokio::test(flavor = "multi_thread")]
async fn many_users_are_provisioned_and_each_is_there_once() {
    use futures_util::{StreamExt, stream};
    let count = e2e::how_much("ROLLCALL_PROVISIONED", 60);
    let stack = Stack::start(&[]).await;
    let entra = ScimClient::of(&stack).await;
    let start = std::time::Instant::now();
    let made = stream::iter(0..count).map(|number| {
        let entra = &entra;
        async move {
            let name = format!("user{number}@contoso.example");
            let found = entra.find("Users", &format!("userName eq \"{name}\"")).await;
            assert_eq!(found["totalResults"], 0, "{name}");
            entra.made("/Users", entra_user(&name, &format!("e-{number}"))).await
        }
    });
    let ids: std::collections::BTreeSet<String> = made.buffer_unordered(8).collect().await;
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{count} users looked for and made in {seconds:.1} s: {:.0} requests a second",
        2.0 * f64::from(u32::try_from(count).expect("few")) / seconds
    );
    assert_eq!(ids.len() as u64, count);
    assert_eq!(entra.get("/Users?count=0").await.json()["totalResults"], count);
}
