//! Roles, departments and teams: nothing that is in use goes, and a file makes none by a slip.

use axum::http::{Method, StatusCode};
use e2e::{Caller, Stack, json, rollcall};
use serde_json::json;

async fn delete(caller: &Caller, path: &str) -> (u16, String) {
    let reply = caller.ask(Method::DELETE, path, &[], "").await;
    let detail = reply.json()["detail"].as_str().unwrap_or_default().to_owned();
    (reply.status.as_u16(), detail)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_use_stays_or_is_replaced() {
    let stack = Stack::start(&[]).await;
    let owner = stack.caller(&["--account", "acme"]);
    let send = async |method: Method, path: &str, body: serde_json::Value| {
        let reply = owner.ask(method, path, &[], body.to_string()).await;
        assert!(reply.status.is_success(), "{path}: {}", reply.text());
    };
    for path in ["/v1/departments/sales", "/v1/departments/support", "/v1/roles/agent", "/v1/roles/lead"] {
        send(Method::PUT, path, json!({ "name": "Something" })).await;
    }
    send(Method::POST, "/v1/numbers", json!({ "numbers": [{ "number": "+919876500001", "department": "sales" }] }))
        .await;
    for login in ["ann", "bob", "cy", "dee"] {
        let user = json!({ "login": login, "name": login, "department": "sales", "role": "agent" });
        send(Method::POST, "/v1/users", user).await;
    }
    send(Method::PATCH, "/v1/settings", json!({ "default_role": "agent" })).await;
    // Lists come from an index, which follows the table by some milliseconds.
    let start = std::time::Instant::now();
    while owner.get("/v1/users?department=sales").await.json()["items"].as_array().map(Vec::len) != Some(4) {
        assert!(start.elapsed().as_secs() < 20, "the list is complete");
    }

    let (status, detail) = delete(&owner, "/v1/departments/sales").await;
    assert_eq!(status, 409);
    assert!(detail.contains("4 of the users (ann, bob, cy, …) and 1 of the numbers"), "{detail}");
    let (status, detail) = delete(&owner, "/v1/roles/agent").await;
    assert!(status == 409 && detail.contains("the settings, as the role of new users"), "{detail}");
    for other in ["sales", "slaes"] {
        let path = format!("/v1/departments/sales?replace_with={other}");
        assert_eq!(delete(&owner, &path).await.0, 400, "{other} can't take its place");
    }

    assert_eq!(delete(&owner, "/v1/departments/sales?replace_with=support").await.0, 204);
    assert_eq!(delete(&owner, "/v1/roles/agent?replace_with=lead").await.0, 204);
    for login in ["ann", "bob", "cy", "dee"] {
        let user = owner.get(&format!("/v1/users/{login}")).await.json();
        assert_eq!((&user["department"], &user["role"]), (&json!("support"), &json!("lead")), "{login}");
    }
    assert_eq!(owner.get("/v1/numbers/+919876500001").await.json()["department"], "support");
    assert_eq!(owner.get("/v1/settings").await.json()["default_role"], "lead");
    assert_eq!(owner.get("/v1/departments").await.json()["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(delete(&owner, "/v1/roles/nobody").await.0, 204, "what isn't there is in nobody's use");
    assert_eq!(owner.get("/v1/users").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_department_of_many_is_replaced_by_as_many_requests_as_it_takes() {
    /// One more than a request moves.
    const USERS: usize = 1_001;
    let stack = Stack::start(&[]).await;
    let owner = stack.caller(&["--account", "acme"]);
    for id in ["sales", "support"] {
        let path = format!("/v1/departments/{id}");
        let reply = owner.ask(Method::PUT, &path, &[], json!({ "name": id }).to_string()).await;
        assert!(reply.status.is_success());
    }
    let rows: String = (0..USERS).map(|at| format!("user{at},User,sales\n")).collect();
    let job = stack.upload_users("people.csv", format!("Login ID,Name,Department\n{rows}")).await;
    assert_eq!(job.counts.applied, USERS as u64);
    let of = async |department: &str| {
        let (mut count, mut cursor) = (0, String::new());
        loop {
            let page = owner.get(&format!("/v1/users?department={department}&limit=200{cursor}")).await.json();
            count += page["items"].as_array().map_or(0, Vec::len);
            let Some(next) = page["next"].as_str() else { return count };
            cursor = format!("&cursor={next}");
        }
    };
    let until = async |department: &str, count: usize| {
        let start = std::time::Instant::now();
        while of(department).await != count {
            assert!(start.elapsed().as_secs() < 60, "the index follows");
        }
    };
    until("sales", USERS).await;
    let reply = owner.ask(Method::DELETE, "/v1/departments/sales?replace_with=support", &[], "").await;
    assert_eq!((reply.status.as_u16(), reply.json()), (202, json!({ "moved": USERS - 1 })));
    assert_eq!(owner.get("/v1/departments").await.json()["items"].as_array().map(Vec::len), Some(2), "it is there");
    until("sales", 1).await;
    let output = rollcall(
        Some(&stack),
        &["departments", "remove", "sales", "--replace-with", "support", "--account", "acme"],
        b"",
    );
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    until("support", USERS).await;
    assert_eq!(of("sales").await, 0);
    assert_eq!(owner.get("/v1/departments").await.json()["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_makes_departments_only_where_the_settings_say_so() {
    let stack = Stack::start(&[]).await;
    let run = |arguments: &[&str]| {
        let output = rollcall(Some(&stack), &[arguments, &["--account", "acme"]].concat(), b"");
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    assert_eq!(run(&["departments", "add", "sales", "Sales"]).0, Some(0));
    assert_eq!(run(&["departments", "add", "sales", "Sails"]).0, Some(1), "it is there");
    assert_eq!(run(&["departments", "rename", "sales", "Sales India"]).0, Some(0));
    let (code, told) = run(&["departments", "rename", "slaes", "X"]);
    assert!(code == Some(1) && told.contains("Did you mean \"sales\"?"), "{told}");
    let (code, told) = run(&["rotate", "9876500001", "--department", "slaes"]);
    assert!(code == Some(1) && told.contains("Did you mean \"sales\"?"), "{told}");

    let file = "Login ID,Name,Department,Team\nann,Ann,SALES INDIA,North\nbob,Bob,Slaes,North\n";
    let job = stack.upload_users("people.csv", file).await;
    assert_eq!((job.counts.applied, job.counts.needs_correction()), (2, 0));
    let codes: Vec<String> =
        stack.report(&job, "results.csv").await.iter().map(|row| row["Error Code"].clone()).collect();
    assert_eq!(codes, ["TEAM_UNKNOWN", "DEPARTMENT_UNKNOWN; TEAM_UNKNOWN"]);
    let profile = async |login: &str| {
        let profile = stack.user(login).await.unwrap().profile;
        (profile.department.map(|id| id.to_string()), profile.team.map(|id| id.to_string()))
    };
    assert_eq!((profile("ann").await, profile("bob").await), ((Some("sales".into()), None), (None, None)));
    assert!(run(&["teams"]).1.contains("has no teams"), "a file has made none");

    assert_eq!(run(&["settings", "--catalog-from-files", "true"]).0, Some(0));
    let people = stack.dir().join("people.csv");
    std::fs::write(&people, file).unwrap();
    let people = people.to_str().unwrap();
    let (code, told) = run(&["upload", people, "--preview", "--results", "-"]);
    assert!(code == Some(3) && told.contains("DEPARTMENT_NEW") && told.contains("TEAM_NEW"), "{told}");
    assert!(run(&["teams"]).1.contains("has no teams"), "a preview makes none");
    assert_eq!(run(&["upload", people]).0, Some(0));
    assert_eq!(profile("bob").await, (Some("Slaes".into()), Some("North".into())));
    let teams = json(&rollcall(Some(&stack), &["teams", "--account", "acme", "--json"], b""));
    assert_eq!(teams, json!([{ "id": "North", "name": "North" }]));
}
