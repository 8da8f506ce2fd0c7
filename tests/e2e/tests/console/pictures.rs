//! The pictures of `infra/docs/console`, made anew by `cargo pictures`; the usual run makes none.

use std::{fs, path::Path};

use axum::http::Method;
use e2e::Look;
use serde_json::json;

use super::{Stage, USUAL};

/// Where pictures go, from the root of the repository.
const FOLDER: &str = "ROLLCALL_PICTURES";
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// How a PNG file begins.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The screens that are shown: the picture's name, the address, the heading.
const SHOWN: [(&str, &str, &str); 5] = [
    ("users", "#/users", "All users"),
    ("user", "#/users/user2", "Vikram Mehta"),
    ("numbers", "#/numbers", "Numbers"),
    ("mapping", "#/mappings?why=crm-2&number=98765%2000002", "User mapping"),
    ("rotation", "#/rotation?retire=%2B919876500001", "Rotation"),
];

#[tokio::test(flavor = "multi_thread")]
async fn pictures() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(ROOT).join(folder);
    fs::create_dir_all(&folder).expect("a folder");
    for dark in [false, true] {
        let Some(mut stage) = Stage::open(Look { dark, ..USUAL }).await else { return };
        stage.enter("acme", &[]).await;
        furnish(&stage).await;
        let browser = &stage.browser;
        let keep = async |name: &str| {
            let picture = browser.picture().await;
            assert!(picture.starts_with(PNG) && picture.len() > 10_000, "{name} is a picture of something");
            let file = folder.join(format!("{name}{}.png", if dark { "-dark" } else { "" }));
            fs::write(file, picture).expect("a file");
        };
        for (name, hash, heading) in SHOWN {
            browser.place(hash, heading).await;
            keep(name).await;
        }
        browser.place("#/jobs", "Jobs").await;
        browser.click("october.csv").await;
        browser.read("rows need correction").await;
        browser.settled().await;
        keep("job").await;
    }
}

/// Gives the account departments, numbers of several states, and a job with failed rows that waits for a person.
async fn furnish(stage: &Stage) {
    let caller = stage.caller(&[]);
    let send = async |method: Method, path: &str, body: serde_json::Value| {
        let json = [("content-type", "application/json")];
        let reply = caller.ask(method, path, &json, body.to_string()).await;
        assert!(reply.status.is_success(), "{path}: {}", reply.text());
        reply.json()
    };
    send(Method::PUT, "/v1/departments/sales", json!({ "name": "Sales" })).await;
    send(Method::PUT, "/v1/teams/north", json!({ "name": "North" })).await;
    let extension = json!({ "login": "2001", "intercom": "109", "active": true });
    let user = json!({ "department": "sales", "team": "north", "designation": "Team lead", "extension": extension });
    send(Method::PATCH, "/v1/users/user2", user).await;
    send(Method::POST, "/v1/users/user8/actions/block-agent", json!({})).await;
    send(Method::POST, "/v1/users/user3/actions/disable-agent", json!({})).await;
    let new = json!([{ "number": "+919876511111", "state": "new", "department": "sales", "labels": ["hotline"] }]);
    send(Method::POST, "/v1/numbers", json!({ "numbers": new })).await;
    send(Method::PATCH, "/v1/numbers/-?number=%2B919876500003", json!({ "state": "flagged" })).await;
    let resting = json!({ "state": "resting", "resting_until": "2099-01-31" });
    send(Method::PATCH, "/v1/numbers/-?number=%2B919876500004", resting).await;

    let file = "Login ID,Allowed Caller ID\nuser1,+919876500005\nuser2,9876500006;junk\nnobody,+919876500001\nuser4,9.87654321E8\n";
    let new = json!({ "kind": "append-caller-ids", "name": "october.csv", "size": file.len(), "preview": true });
    let leave = send(Method::POST, "/v1/jobs", new).await;
    let headers = leave["headers"].as_object().expect("headers");
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str().expect("a text"))).collect();
    let put = stage.stack.stranger().fetch(Method::PUT, leave["url"].as_str().expect("a link"), &headers, file).await;
    assert!(put.status.is_success(), "{}", put.text());
    let until = std::time::Instant::now() + std::time::Duration::from_mins(1);
    while !caller.get("/v1/jobs").await.text().contains("\"previewed\"") {
        assert!(std::time::Instant::now() < until, "waited too long for the preview");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}
