//! Who is let in.

use axum::http::{Method, StatusCode};
use e2e::{Graph, Quirks, ScimClient, Stack, entra_user};
use serde_json::json;

use super::table;

const PATH: &str = "/v1/directory/scim-keys";

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_once_and_opens_its_account_alone() {
    let stack = Stack::start(&[]).await;
    let entra = ScimClient::of(&stack).await;
    let other = ScimClient::of_account(&stack, "other").await;
    // Nothing of the token is anywhere in the table but its hash, also where the client wanted the answer to be kept.
    let owner = stack.caller(&["--account", "acme"]);
    let again = owner
        .ask(Method::POST, PATH, &[("idempotency-key", "k")], json!({ "name": "Second" }).to_string())
        .await
        .json();
    let secret = |token: &str| token[token.len() - 43..].to_owned();
    let kept = table(&stack).await;
    for token in [&entra.token, &other.token, again["token"].as_str().expect("a token")] {
        assert!(!kept.values().any(|item| item.contains(&secret(token))));
    }
    let third = owner.ask(Method::POST, PATH, &[], "{}").await;
    assert_eq!((third.status, &third.json()["code"]), (StatusCode::CONFLICT, &json!("KEY_LIMIT")));

    let id = entra.made("/Users", entra_user("maya@contoso.example", "e-1")).await;
    let listed = owner.get(PATH).await.json();
    let used =
        listed["items"].as_array().expect("keys").iter().find(|key| key["id"] == entra.key.as_str()).expect("the key");
    assert!(used["last_used"].is_string() && used.get("token").is_none(), "{listed}");
    // Whose it is, the key says and nothing else.
    assert_eq!(other.get(&format!("/Users/{id}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(other.find("Users", "userName eq \"maya@contoso.example\"").await["totalResults"], 0);
    assert_eq!(other.get("/Users").await.json()["totalResults"], 0);
    let as_other = entra.token.replace("_acme_", "_other_");
    for token in [
        as_other.as_str(),
        "rcs_acme_0123456789abcdef_x",
        "x",
        &entra.token[..entra.token.len() - 1],
        stack.caller(&["--account", "acme"]).token().expect("a token"),
    ] {
        let stranger = ScimClient::with_token(&stack, String::new(), token.to_owned());
        assert_eq!(stranger.get("/Users").await.status, StatusCode::FORBIDDEN);
    }
    let nobody =
        stack.stranger().fetch(Method::GET, &format!("{}/scim/v2/Users", stack.output("ApiUrl")), &[], "").await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    // A key opens nothing else.
    assert_eq!(stack.bearer(&entra.token).get("/v1/users").await.status, StatusCode::UNAUTHORIZED);
    let trail = kept_by(&stack, &id).await;
    assert!(trail.contains(&format!("call:scim:{}", entra.key)), "{trail}");
}

async fn kept_by(stack: &Stack, _: &str) -> String {
    let table = table(stack).await;
    table
        .into_iter()
        .find(|((pk, sk), _)| pk.ends_with("#USER#maya@contoso.example") && sk == "USER")
        .expect("the user")
        .1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_deleted_is_dead_within_a_minute() {
    let stack = Stack::start(&[]).await;
    let entra = ScimClient::of(&stack).await;
    assert_eq!(entra.get("/Users").await.status, StatusCode::OK);
    let owner = stack.caller(&["--account", "acme"]);
    let path = format!("{PATH}/{}", entra.key);
    assert_eq!(owner.ask(Method::DELETE, &path, &[], "").await.status, StatusCode::NO_CONTENT);
    assert_eq!(owner.ask(Method::DELETE, &path, &[], "").await.status, StatusCode::NOT_FOUND);
    let mut refused = StatusCode::OK;
    for _ in 0..90 {
        refused = entra.get("/Users").await.status;
        if refused != StatusCode::OK {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    assert_eq!(refused, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_asked_or_pushes_and_never_both() {
    let graph = Graph::start(Quirks::default()).await;
    let parameters = graph.parameters();
    let stack = Stack::start(&parameters.each_ref().map(String::as_str)).await;
    Graph::connect(&stack, &stack.account).await;
    graph.add_users(2);
    let owner = stack.caller(&["--account", "acme"]);
    let import = json!({ "search": "person" }).to_string();
    let asked = owner.ask(Method::POST, "/v1/directory/import", &[], import.clone()).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    assert_eq!(stack.ended_asked(&asked).await.state, rollcall_bulk::job::JobState::Finished);
    let refused = owner.ask(Method::POST, PATH, &[], "{}").await;
    assert_eq!((refused.status, &refused.json()["code"]), (StatusCode::CONFLICT, &json!("SYNC_SCHEDULED")));
    let instead = owner.ask(Method::POST, PATH, &[], json!({ "instead_of_sync": true }).to_string()).await;
    assert_eq!(instead.status, StatusCode::CREATED, "{}", instead.text());
    for (path, body) in [("/v1/directory/import", import.as_str()), ("/v1/directory/sync", "{}")] {
        let asked = owner.ask(Method::POST, path, &[], body.to_owned()).await;
        assert_eq!((asked.status, &asked.json()["code"]), (StatusCode::CONFLICT, &json!("SCIM_IN_USE")), "{path}");
    }
    // Nor by a request that somebody drops into the bucket.
    let request = json!({ "import": { "search": "person" } }).to_string();
    let source = stack.drop_as(rollcall_model::jobs::JobKind::DirectoryImport, "dropped.json", request).await;
    assert_eq!(stack.ended(&source).await.state, rollcall_bulk::job::JobState::Failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_made_and_who_deleted_a_key_stands_in_the_trail_without_its_secret() {
    let stack = Stack::start(&["AuditSettleSeconds=2", "AuditBatchSeconds=0"]).await;
    let owner = stack.caller(&["--account", "acme", "--subject", "ann"]);
    let made = owner.ask(Method::POST, PATH, &[], json!({ "name": "Entra ID" }).to_string()).await.json();
    let (id, token) = (made["id"].as_str().expect("an ID"), made["token"].as_str().expect("a token"));
    // That it is used is no change.
    let entra = ScimClient::with_token(&stack, id.to_owned(), token.to_owned());
    assert_eq!(entra.get("/Users").await.status, StatusCode::OK);
    let other = stack.caller(&["--account", "acme", "--subject", "ben"]);
    assert!(other.ask(Method::DELETE, &format!("{PATH}/{id}"), &[], "").await.status.is_success());
    let mut told = Vec::new();
    for _ in 0..120 {
        let page = owner.get("/v1/audit").await;
        assert!(!page.text().contains(&token[token.len() - 43..]));
        let entries = page.json()["items"].as_array().cloned().unwrap_or_default();
        told = entries.into_iter().filter(|entry| entry["scim_key"] == id).collect();
        if told.len() == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }
    let told: Vec<_> = told.iter().map(|entry| (&entry["change"], &entry["by"]["call"])).collect();
    assert_eq!(told, [(&json!("created"), &json!("ann")), (&json!("deleted"), &json!("ben"))]);
}
