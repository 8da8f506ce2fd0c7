//! Users from Entra ID, from the tenant to the table.

use axum::http::StatusCode;
use e2e::{Caller, Graph, Spoil, Stack, Traps};
use serde_json::Value;

/// A stack that finds a tenant, and somebody of an account that has connected it.
async fn connected(traps: Traps) -> (Graph, Stack, Caller) {
    let graph = Graph::start(traps).await;
    let stack = Stack::start(&graph.parameters().each_ref().map(String::as_str)).await;
    Graph::connect(&stack, &stack.account).await;
    let caller = stack.caller(&["--account", stack.account.as_str()]);
    (graph, stack, caller)
}

/// Every item of a list, page by page.
async fn items(caller: &Caller, list: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut path = list.to_owned();
    loop {
        let page = caller.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.json());
        let page = page.json();
        items.extend(page["items"].as_array().expect("items").clone());
        let Some(next) = page["next"].as_str() else { return items };
        path = format!("{list}{}cursor={next}", if list.contains('?') { '&' } else { '?' });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_is_listed_and_searched_through_the_api() {
    let (graph, stack, caller) = connected(Traps { page: 30, empty_pages: 2, token_uses: 3, ..Traps::default() }).await;
    let ids = graph.hire(100);
    let all = items(&caller, "/v1/directory/users?limit=50").await;
    assert_eq!(all.iter().map(|user| user["id"].as_str().unwrap()).collect::<Vec<_>>(), ids);
    let second = serde_json::json!({
        "id": ids[1],
        "login": "person2@contoso.onmicrosoft.com",
        "name": "Person 2 Rao",
        "email": "person2@contoso.example",
        "phone": "+919876500002",
        "designation": "Agent, nights",
        "enabled": true,
    });
    assert_eq!(all[1], second);
    let found = items(&caller, "/v1/directory/users?search=PERSON1&limit=5").await;
    assert_eq!(found.len(), 12, "1, 10 to 19, 100");

    let stranger = stack.caller(&["--account", "neighbour"]);
    let reply = stranger.get("/v1/directory/users").await;
    assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (404, &"DIRECTORY_NOT_CONNECTED".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_must_do_something_about_a_directory_that_fails_is_said() {
    let (graph, _stack, caller) = connected(Traps::default()).await;
    graph.hire(3);
    let asked = async || {
        let reply = caller.get("/v1/directory/users").await;
        (reply.status.as_u16(), reply.json()["code"].as_str().unwrap_or_default().to_owned())
    };
    for (spoil, expected) in [
        (Spoil::Forbidden, (502, "DIRECTORY_DENIED")),
        (Spoil::NotJson, (502, "DIRECTORY_UNAVAILABLE")),
        (Spoil::Broken, (503, "DIRECTORY_UNAVAILABLE")),
    ] {
        graph.spoil(spoil, "");
        let (status, code) = asked().await;
        assert_eq!((status, code.as_str()), expected, "{spoil:?}");
    }
    graph.mend();
    assert_eq!(asked().await.0, 200);
    graph.change_secret("renewed");
    assert_eq!(asked().await, (502, "DIRECTORY_DENIED".to_owned()));
    graph.change_secret(Graph::CLIENT_SECRET);
    assert_eq!(asked().await.0, 200, "a secret that is right again is taken at once");
}
