//! What the settings say of a group reaches the members who are there already.

use std::collections::BTreeMap;

use axum::{Router, body::Body, http::Method};
use e2e::{Faults, Fuse, Proxy, ScimClient, Stack, gateway_event};
use http_body_util::BodyExt;
use lambda_http::Service;
use serde_json::{Value, json};

use super::{id_of, table, user};

const SCOPE: &str = "rollcall/settings.write";

async fn ask(stack: &Stack, method: Method, path: &str, body: Value) -> Value {
    let headers = [("content-type", "application/merge-patch+json")];
    let reply = stack.caller(&["--account", "acme"]).ask(method, path, &headers, body.to_string()).await;
    assert!(reply.status.is_success(), "{path}: {}", reply.text());
    reply.json()
}

/// An account of so many users who are all in the group `All`, with something to give them.
async fn account(stack: &Stack, members: usize) {
    for (path, name) in [
        ("/v1/departments/sales", "Sales"),
        ("/v1/departments/support", "Support"),
        ("/v1/teams/north", "North"),
        ("/v1/roles/agent", "Agent"),
    ] {
        ask(stack, Method::PUT, path, json!({ "name": name })).await;
    }
    stack.create_users(members).await;
    let entra = ScimClient::of(stack).await;
    let all: Vec<Value> = (1..=members).map(|number| json!({ "value": id_of(&format!("user{number}")) })).collect();
    entra.made("/Groups", json!({ "displayName": "All", "members": all })).await;
}

/// How many users have each department, team and role.
async fn given(stack: &Stack, members: usize) -> BTreeMap<String, usize> {
    let logins: Vec<String> = (1..=members).map(|number| format!("user{number}")).collect();
    let mut counts = BTreeMap::new();
    for (user, _) in stack.directory.scim_users(&stack.account, &logins, false).await.expect("users").into_values() {
        let profile = &user.profile;
        let has = [&profile.department, &profile.team, &profile.role];
        let has = has.map(|one| one.as_ref().map_or("-", |id| id.as_str())).join(" ");
        *counts.entry(has).or_default() += 1;
    }
    counts
}

fn rules(rule: Value) -> Value {
    let mut rule = rule;
    rule["group"] = "all".into();
    json!({ "scim_groups": [rule] })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_setting_reaches_1000_members_who_are_there() {
    const MEMBERS: usize = 1_000;
    let stack = Stack::start(&[]).await;
    account(&stack, MEMBERS).await;
    let set = async |patch: Value| {
        let mut settings = ask(&stack, Method::PATCH, "/v1/settings", patch).await;
        // A busy machine takes longer than one request has: as the command does, it is asked for again.
        while settings.get("scim_groups_behind").is_some() {
            settings = ask(&stack, Method::PATCH, "/v1/settings", json!({})).await;
        }
    };
    let everybody = |has: &str| BTreeMap::from([(has.to_owned(), MEMBERS)]);
    set(rules(json!({ "department": "sales", "role": "agent" }))).await;
    assert_eq!(given(&stack, MEMBERS).await, everybody("sales - agent"));
    let before = table(&stack).await;
    set(rules(json!({ "department": "sales", "role": "agent" }))).await;
    assert_eq!(table(&stack).await, before, "set twice, written once");
    // What a person has set since stays, unless the group sets something else.
    ask(&stack, Method::PATCH, "/v1/users/user1", json!({ "department": "support", "role": null })).await;
    set(rules(json!({ "department": "sales", "team": "north" }))).await;
    assert_eq!(
        given(&stack, MEMBERS).await,
        BTreeMap::from([("sales north -".to_owned(), MEMBERS - 1), ("support north -".to_owned(), 1)])
    );
    set(json!({ "scim_groups": null })).await;
    assert_eq!(
        given(&stack, MEMBERS).await,
        BTreeMap::from([("- - -".to_owned(), MEMBERS - 1), ("support - -".to_owned(), 1)])
    );
}

/// What a person has set of somebody of whom the directory has sent nothing is no word of the directory, and is never taken back as one.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_has_set_of_somebody_who_was_never_sent_stays() {
    let stack = Stack::start(&[]).await;
    account(&stack, 1).await;
    ask(&stack, Method::PATCH, "/v1/users/user1", json!({ "department": "support" })).await;
    for rule in [json!({ "role": "agent" }), json!({ "team": "north" }), json!({ "role": "agent" })] {
        ask(&stack, Method::PATCH, "/v1/settings", rules(rule)).await;
        assert_eq!(user(&stack, "user1").await["department"], "support");
    }
}

/// The function in the test's own process: it dies with the request that isn't answered.
async fn patch(router: &mut Router, patch: &Value) -> (u16, Value) {
    let claims = json!({ "custom:account": "acme", "sub": "somebody", "scope": SCOPE });
    let authorizer = json!({ "jwt": { "claims": claims, "scopes": [SCOPE] } });
    let more = json!({ "headers": { "content-type": "application/merge-patch+json" } });
    let event = gateway_event("PATCH /v1/settings", ("PATCH", "/v1/settings"), &authorizer, more);
    let event = event.map(|_| Body::from(patch.to_string()));
    let (parts, body) = router.call(event).await.expect("an answer").into_parts();
    let body = body.collect().await.expect("a whole answer").to_bytes();
    (parts.status.as_u16(), serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cut_short_is_known_and_ends_right_when_it_is_asked_for_again() {
    const MEMBERS: usize = 40;
    let stack = Stack::start(&[]).await;
    account(&stack, MEMBERS).await;
    let mut whole = e2e::function(&stack, &stack.endpoints().dynamodb).await;
    let other = rules(json!({ "team": "north" }));
    let wanted = rules(json!({ "department": "sales" }));
    let mut were_behind = 0;
    for carried_out in [false, true] {
        for step in 0.. {
            // Requests of one kind are alike: the first of them, and some of the many writes.
            let after = if step < 12 { step } else { 12 + (step - 12) * 5 };
            let fuse = Fuse::after(after, carried_out);
            let table = Proxy::start(&stack.endpoints().dynamodb, Faults::default(), Some(fuse.clone())).await;
            let mut dying = e2e::function(&stack, &table.url).await;
            let survived = tokio::select! {
                answer = patch(&mut dying, &wanted) => { assert_eq!(answer.0, 200, "{}", answer.1); true }
                () = fuse.blown() => false,
            };
            let left = ask(&stack, Method::GET, "/v1/settings", json!(null)).await;
            let is_behind = left.get("scim_groups_behind").is_some();
            were_behind += usize::from(is_behind);
            if !is_behind && left["scim_groups"] == wanted["scim_groups"] {
                assert_eq!(given(&stack, MEMBERS).await, BTreeMap::from([("sales - -".to_owned(), MEMBERS)]));
            }
            // Asked for again; or any other change, also of nothing.
            let again = if is_behind && step % 2 == 0 { json!({}) } else { wanted.clone() };
            let (status, settings) = patch(&mut whole, &again).await;
            assert_eq!((status, settings.get("scim_groups_behind")), (200, None), "after {after}: {settings}");
            assert_eq!(
                given(&stack, MEMBERS).await,
                BTreeMap::from([("sales - -".to_owned(), MEMBERS)]),
                "after {after} requests, carried out: {carried_out}"
            );
            assert_eq!(patch(&mut whole, &other).await.0, 200);
            if survived {
                break;
            }
        }
    }
    assert!(were_behind > 4, "most deaths are in the middle of the members: {were_behind}");
    for lost in (0..24).step_by(3) {
        let table = Proxy::start(&stack.endpoints().dynamodb, Faults::default(), None).await;
        let mut losing = e2e::function(&stack, &table.url).await;
        table.lose_answer(lost);
        let (status, settings) = patch(&mut losing, &wanted).await;
        assert_eq!((status, settings.get("scim_groups_behind")), (200, None), "the answer {lost} is lost: {settings}");
        assert_eq!(given(&stack, MEMBERS).await, BTreeMap::from([("sales - -".to_owned(), MEMBERS)]));
        assert_eq!(patch(&mut whole, &other).await.0, 200);
    }
}
