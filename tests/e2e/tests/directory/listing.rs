//! What people and commands see of the directory.

use e2e::{Corruption, Graph, Quirks, Stack, rollcall};
use serde_json::json;

use super::{connected, items};

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_is_listed_and_searched_through_the_api() {
    let (graph, stack, caller) =
        connected(Quirks { page: 30, empty_pages: 2, token_uses: 3, ..Quirks::default() }).await;
    let ids = graph.add_users(100);
    let all = items(&caller, "/v1/directory/users?limit=50").await;
    assert_eq!(all.iter().map(|user| user["id"].as_str().unwrap()).collect::<Vec<_>>(), ids);
    let second = json!({
        "id": ids[1],
        "login": "person2@contoso.onmicrosoft.com",
        "name": "Person 2 Rao",
        "email": "person2@contoso.example",
        "phone": "+919876500002",
        "designation": "Agent, nights",
        "enabled": true,
        "user": null,
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
    let (graph, _stack, caller) = connected(Quirks::default()).await;
    graph.add_users(3);
    let asked = async || {
        let reply = caller.get("/v1/directory/users").await;
        (reply.status.as_u16(), reply.json()["code"].as_str().unwrap_or_default().to_owned())
    };
    for (spoil, expected) in [
        (Corruption::Forbidden, (502, "DIRECTORY_DENIED")),
        (Corruption::NotJson, (502, "DIRECTORY_UNAVAILABLE")),
        (Corruption::Broken, (503, "DIRECTORY_UNAVAILABLE")),
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

#[tokio::test(flavor = "multi_thread")]
async fn all_of_it_from_the_command_line() {
    let graph = Graph::start(Quirks { throttled: 50, page: 40, ..Quirks::default() }).await;
    let ids = graph.add_users(60);
    let stack = Stack::start(&graph.parameters().each_ref().map(String::as_str)).await;
    let run = |arguments: &[&str], input: &str| {
        let all = [&["directory"], arguments, &["--account", "acme"]].concat();
        rollcall(Some(&stack), &all, input.as_bytes())
    };
    let said = |output: &std::process::Output| {
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    let users = run(&["users"], "");
    assert!(!users.status.success() && said(&users).contains("directory connect"), "{}", said(&users));

    let connect = ["connect", "--tenant", Graph::TENANT, "--client-id", Graph::CLIENT_ID];
    for secret in ["wrong", "", "\n"] {
        let refused = run(&connect, secret);
        assert!(!refused.status.success(), "{}", said(&refused));
        assert!(run(&["status", "--json"], "").stdout.starts_with(b"{\n  \"tenant\": null"));
    }
    let connected = run(&connect, &format!("{}\n", Graph::CLIENT_SECRET));
    assert!(connected.status.success(), "{}", said(&connected));
    assert!(!said(&connected).contains(Graph::CLIENT_SECRET));

    let found = e2e::json(&run(&["users", "--search", "person1", "--json"], ""));
    assert_eq!(found.as_array().unwrap().len(), 11, "1, 10 to 19: {found}");
    let listed = said(&run(&["users", "--limit", "3"], ""));
    assert!(listed.contains("person3@") && !listed.contains("person4@") && listed.contains("--limit"), "{listed}");

    let none = run(&["import"], "");
    assert_eq!(none.status.code(), Some(2), "{}", said(&none));
    let one = run(&["import", "--id", &ids[0], "--json"], "");
    assert_eq!((e2e::json(&one)["counts"]["applied"].as_u64(), one.status.code()), (Some(1), Some(0)));
    let all = run(&["import", "--filter", "startswith(userPrincipalName,'person')"], "");
    assert!(all.status.success(), "{}", said(&all));
    assert!(said(&all).contains("60 users found, 15 telephones that can't be read"), "{}", said(&all));

    for id in &ids[..20] {
        graph.delete(id, true);
    }
    let held = run(&["sync"], "");
    assert_eq!(held.status.code(), Some(3), "{}", said(&held));
    assert!(said(&held).contains("directory sync --force"), "{}", said(&held));
    let status = said(&run(&["status"], ""));
    assert!(status.contains("held: ") && status.contains(Graph::TENANT), "{status}");
    let meant = run(&["sync", "--force"], "");
    assert!(meant.status.success() && said(&meant).contains("19 deactivated"), "{}", said(&meant));
}
