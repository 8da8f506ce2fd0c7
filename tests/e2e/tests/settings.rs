//! What an account sets for itself, through the API and the command.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use e2e::{Caller, Reply, Stack, json, rollcall};
use rollcall_engine::world::Accounts;
use serde_json::{Value, json};

/// Longest that the audit trail is waited for.
const TIMEOUT: Duration = Duration::from_secs(30);

async fn patch(caller: &Caller, headers: &[(&str, &str)], body: Value) -> Reply {
    caller.ask(Method::PATCH, "/v1/settings", headers, body.to_string()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_changed_by_those_who_may_and_checked_before_they_count() {
    let stack = Stack::start(&["AuditSettleSeconds=2", "AuditBatchSeconds=0"]).await;
    let owner = stack.caller(&["--account", "acme"]);
    let first = owner.get("/v1/settings").await;
    assert_eq!((first.status, first.header("etag")), (StatusCode::OK, "\"0\""));
    let threshold = json!({ "percent": 20, "at_least": 10 });
    assert_eq!(
        first.json(),
        json!({
            "country": null, "recipients": [], "report_to": [], "list_limit": 5_000, "phone_system": "builtin",
            "safety_threshold": threshold, "default_role": null,
            "catalog_from_files": false, "names": {}, "scim_groups": [], "scim_roles": false, "version": 0,
        })
    );

    let changed = patch(
        &owner,
        &[("if-match", "\"0\"")],
        json!({ "recipients": ["ops@example.com"], "country": "GB", "safety_threshold": { "percent": 5 } }),
    )
    .await;
    assert_eq!((changed.status, changed.header("etag")), (StatusCode::OK, "\"1\""));
    let shown = changed.json();
    assert_eq!(shown["safety_threshold"], json!({ "percent": 5, "at_least": 10 }), "what isn't said stays");
    let late = patch(&owner, &[("if-match", "\"0\"")], json!({ "list_limit": 9 })).await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);

    // Each is refused by name, and none of it counts.
    for (body, pointer) in [
        (json!({ "country": "UK" }), "/country"),
        (json!({ "country": "XX" }), "/country"),
        (json!({ "list_limit": 0 }), "/list_limit"),
        (json!({ "recipients": ["ops"] }), "/recipients/0"),
        (json!({ "recipients": ["a@b.example", "A@b.example"] }), "/recipients"),
        (json!({ "report_to": ["*.example"] }), "/report_to/0"),
        (json!({ "safety_threshold": { "percent": 100 } }), "/safety_threshold/percent"),
        (json!({ "default_role": "agnet" }), "/default_role"),
        (json!({ "phone_system": "smart" }), "/phone_system"),
        (json!({ "secret": "x" }), "/secret"),
    ] {
        let refused = patch(&owner, &[], body.clone()).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["pointer"]), (422, &json!(pointer)), "{body}");
    }
    assert!(patch(&owner, &[], json!({ "country": "UK" })).await.json()["detail"].as_str().unwrap().contains("GB"));
    assert_eq!(owner.get("/v1/settings").await.json(), shown);

    // The same as it is is no change, and null brings a default back.
    assert_eq!(patch(&owner, &[], json!({ "country": "GB" })).await.header("etag"), "\"1\"");
    let reset = patch(&owner, &[], json!({ "safety_threshold": null, "country": null })).await.json();
    assert_eq!((&reset["safety_threshold"], &reset["country"]), (&threshold, &Value::Null));
    let phones = owner.ask(Method::PUT, "/v1/phone-system", &[], json!({ "system": "snapshot" }).to_string()).await;
    assert_eq!(phones.status, StatusCode::OK);
    assert_eq!(owner.get("/v1/settings").await.json()["version"], 3, "the other route is a change like any other");

    let start = std::time::Instant::now();
    let lines = loop {
        let page = owner.get("/v1/audit").await.json();
        let lines = page["items"].as_array().expect("entries").clone();
        if lines.len() == 3 {
            break lines;
        }
        assert!(start.elapsed() < TIMEOUT, "the trail has {lines:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert!(lines.iter().all(|line| line["settings"] == "acme" && line["by"]["call"].is_string()), "{lines:?}");
    assert_eq!(lines[0]["fields"]["country"], json!({ "from": null, "to": "GB" }));
    assert_eq!(lines[0]["fields"]["recipients"], json!({ "from": null, "to": null }), "addresses are not in the trail");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_count_where_they_are_used() {
    let stack = Stack::start(&[]).await;
    let run = |arguments: &[&str]| rollcall(Some(&stack), &[arguments, &["--account", "acme"]].concat(), b"");
    let owner = stack.caller(&["--account", "acme"]);
    let role = owner.ask(Method::PUT, "/v1/roles/agent", &[], json!({ "name": "Agent" }).to_string()).await;
    assert_eq!(role.status, StatusCode::OK);
    let shown = json(&run(&[
        "settings",
        "--recipient",
        "ops@example.com",
        "--country",
        "US",
        "--list-limit",
        "1",
        "--default-role",
        "agent",
        "--json",
    ]));
    assert_eq!((&shown["country"], &shown["default_role"]), (&json!("US"), &json!("agent")));
    let refused = run(&["settings", "--country", "UK"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && told.contains("GB (the United Kingdom)"), "{told}");
    assert_eq!(run(&["settings", "--default-role", "nobody"]).status.code(), Some(1));

    let made = owner.ask(Method::POST, "/v1/users", &[], json!({ "login": "u1", "name": "Una" }).to_string()).await;
    assert_eq!(made.json()["role"], "agent");
    let job = stack.upload_users("people.csv", "Login ID,Name,Role\nu2,Dua,\n").await;
    assert_eq!(job.counts.applied, 1);
    assert_eq!(owner.get("/v1/users/u2").await.json()["role"], "agent");
    // The American number is read, the second one is past the limit, and the report goes to the recipient.
    let job = stack.append("may.csv", "Login ID,Allowed Caller ID\nu1,(202) 555-0123; (202) 555-0124\n").await;
    assert_eq!((job.counts.partial, stack.list("u1").await.unwrap()), (1, vec!["+12025550123".to_owned()]));
    assert_eq!(stack.mails().last().map(|mail| mail.to.clone()), Some(vec!["ops@example.com".to_owned()]));
    let settings = stack.directory.settings(&stack.account).await.unwrap();
    assert_eq!(settings.list_limit, 1);
    let text = String::from_utf8(run(&["settings", "--reset", "list-limit"]).stdout).unwrap();
    assert!(text.contains("5,000 numbers") && text.contains("ops@example.com"), "{text}");
}
