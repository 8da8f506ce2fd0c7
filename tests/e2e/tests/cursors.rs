//! A cursor is good for the list, the filters and the account that it was given out for, and nobody else writes one.

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use e2e::{Caller, Stack, contract};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

async fn assert_refused(caller: &Caller, path: &str) {
    let reply = caller.get(path).await;
    let told = (reply.status.as_u16(), reply.json()["code"].clone(), reply.json()["pointer"].clone());
    assert_eq!(told, (400, json!("INVALID_CURSOR"), json!("cursor")), "{path:.200}: {}", reply.text());
}

/// A cursor as it was before cursors had a key: a hash that everybody can compute, and the place.
fn forged(account: &str, list: &str, place: &Value) -> String {
    let place = place.to_string();
    let mut hash = Sha256::new();
    for part in [account, list, &place] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut bytes = hash.finalize()[..12].to_vec();
    bytes.extend(place.as_bytes());
    BASE64.encode(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_we_have_not_written_is_refused_in_every_list() {
    let stack = Stack::start(&[]).await;
    stack.create_users(3).await;
    stack.own(&["+919876543210", "+919876543211"]).await;
    let caller = stack.caller(&["--account", "acme"]);
    let lists = [
        ("/v1/users", "users UserFilter { equal: [], has_extension: None, search: None }", json!(["", ""])),
        ("/v1/jobs", "jobs", json!("")),
        ("/v1/jobs", "jobs", json!("x".repeat(3000))),
        ("/v1/numbers", "numbers None", json!("+919876543210")),
        ("/v1/mappings", "mappings None", json!("crm-1")),
        (
            "/v1/teams/north/members",
            "members UserFilter { equal: [], has_extension: None, search: None }",
            json!(["", ""]),
        ),
        ("/v1/agents", "agents UserFilter { equal: [], has_extension: None, search: None }", json!(["", ""])),
        ("/v1/audit", "audit None", json!("")),
        ("/v1/directory/users", "directory None", json!([999, "https://graph.microsoft.com/v1.0/users?$top=999"])),
        ("/v1/extensions", "extensions UserFilter { equal: [], has_extension: None, search: None }", json!(["", ""])),
        ("/v1/numbers/%2B919876543210/users", "users of +919876543210", json!(["", ""])),
    ];
    for (path, list, place) in &lists {
        assert_refused(&caller, &format!("{path}?cursor={}", forged("acme", list, place))).await;
    }
    let cursors = |parameter: &Value| parameter["in"] == "query" && parameter["name"] == "cursor";
    let takes = contract().operations.iter().filter(|route| route.parameters.iter().any(cursors));
    let paths: BTreeSet<String> =
        takes.map(|route| route.path.replace("{number}", "%2B919876543210").replace("{id}", "north")).collect();
    let named: BTreeSet<&str> = lists.iter().map(|(path, ..)| *path).collect();
    assert_eq!(named, paths.iter().map(String::as_str).collect(), "each list that takes a cursor is tried");
    for path in paths {
        for cursor in ["AAAA", "%FF", "!", &"A".repeat(6000), &BASE64.encode([0; 40])] {
            assert_refused(&caller, &format!("{path}?cursor={cursor}")).await;
        }
    }
    // A good one, and what becomes of it.
    let next = caller.get("/v1/users?limit=1").await.json()["next"].as_str().expect("a next page").to_owned();
    assert_eq!(caller.get(&format!("/v1/users?limit=1&cursor={next}")).await.status.as_u16(), 200);
    for other in
        [format!("/v1/agents?cursor={next}"), format!("/v1/numbers?cursor={next}"), format!("/v1/jobs?cursor={next}")]
    {
        assert_refused(&caller, &other).await;
    }
    let neighbour = stack.caller(&["--account", "other"]);
    assert_refused(&neighbour, &format!("/v1/users?limit=1&cursor={next}")).await;
    let elsewhere = Stack::start(&[]).await;
    let theirs = elsewhere.caller(&["--account", "acme"]);
    assert_refused(&theirs, &format!("/v1/users?limit=1&cursor={next}")).await;
}
