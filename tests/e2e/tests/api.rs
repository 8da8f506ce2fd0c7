//! The directory's API through its door, route by route, with real tokens.

use axum::http::{Method, StatusCode};
use e2e::{Caller, Faults, Reply, Stack, TestEngine};
use rollcall_storage::directory::{IdempotencyRecord, RecordedResponse, UserFilter};
use serde_json::{Value, json};

const JSON: (&str, &str) = ("content-type", "application/json");

async fn start() -> (Stack, Caller) {
    let stack = Stack::start(&[]).await;
    let caller = stack.caller(&["--account", "acme"]);
    (stack, caller)
}

async fn get(caller: &Caller, path: &str) -> Reply {
    caller.get(path).await
}

async fn send(caller: &Caller, method: Method, path: &str, body: &Value) -> Reply {
    caller.ask(method, path, &[JSON], body.to_string()).await
}

async fn post(caller: &Caller, path: &str, body: &Value) -> Reply {
    send(caller, Method::POST, path, body).await
}

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().expect("a page").iter().map(|item| item["login"].as_str().expect("a login ID")).collect()
}

fn code(reply: &Reply) -> (u16, String) {
    (reply.status.as_u16(), reply.json()["code"].as_str().unwrap_or_default().to_owned())
}

async fn create(caller: &Caller, user: Value) {
    let reply = post(caller, "/v1/users", &user).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_from_its_creation_to_its_end() {
    let (stack, caller) = start().await;
    let ana = json!({
        "login": "Ana@x", "name": "Ana Pérez", "email": "ana@example.com", "call_forward_number": "+919876543210",
        "calling_agent": true, "role": "agent", "department": "sales", "team": "north", "designation": "Lead",
        "extension": { "login": "e1", "intercom": "101", "active": true },
    });
    let created = post(&caller, "/v1/users", &ana).await;
    assert_eq!(created.status, StatusCode::CREATED);
    assert_eq!(created.headers["location"], "/v1/users/Ana%40x");
    let first = created.header("etag").to_owned();
    assert_eq!(first, format!("\"{}\"", created.json()["version"]));
    let read = get(&caller, "/v1/users/ANA%40x").await;
    for (field, value) in ana.as_object().unwrap() {
        if field != "extension" {
            assert_eq!(&read.json()[field], value, "{field}");
        }
    }
    assert_eq!(read.json()["extension"]["intercom"], "101");
    assert_eq!((&read.json()["agent_status"], &read.json()["web_login"]), (&json!("enabled"), &json!("active")));

    // What is unique stays so.
    let again = json!({ "login": "ANA@X", "name": "Other" });
    assert_eq!(code(&post(&caller, "/v1/users", &again).await), (409, "LOGIN_ID_TAKEN".into()));
    let other = json!({ "login": "bob", "name": "Bob", "email": "ANA@example.com" });
    let taken = post(&caller, "/v1/users", &other).await;
    assert_eq!(code(&taken), (409, "EMAIL_TAKEN".into()));
    assert_eq!(taken.json()["detail"], "The user \"ana@x\" has this e-mail address.");
    // Who may not read users learns no more than that somebody has it.
    let writer = stack.caller(&["--account", "acme", "--scope", "rollcall/users.write"]);
    let taken = post(&writer, "/v1/users", &other).await;
    assert_eq!((code(&taken).0, &taken.json()["detail"]), (409, &json!("Another user has this e-mail address.")));
    create(&caller, json!({ "login": "bob", "name": "Bob", "email": "bob@example.com" })).await;

    // Editing: null takes away, what isn't said stays, a version that isn't there any more is refused.
    let patch = json!({ "name": "Ana María", "designation": null, "extension": { "active": false } });
    let patched = send(&caller, Method::PATCH, "/v1/users/ana%40x", &patch).await;
    let user = patched.json();
    let second = patched.header("etag").to_owned();
    assert_eq!(user["version"].as_u64(), created.json()["version"].as_u64().map(|version| version + 1));
    assert_eq!(
        (&user["name"], &user["designation"], &user["role"]),
        (&json!("Ana María"), &Value::Null, &json!("agent"))
    );
    assert_eq!((&user["extension"]["intercom"], &user["extension"]["active"]), (&json!("101"), &json!(false)));
    let stale = caller.ask(Method::PATCH, "/v1/users/ana%40x", &[JSON, ("if-match", &first)], r#"{"name":"X"}"#).await;
    assert_eq!(code(&stale), (412, "VERSION_CONFLICT".into()));
    let taken = send(&caller, Method::PATCH, "/v1/users/ana%40x", &json!({ "email": "bob@example.com" })).await;
    assert_eq!(code(&taken), (409, "EMAIL_TAKEN".into()));
    let nameless = send(&caller, Method::PATCH, "/v1/users/ana%40x", &json!({ "name": null })).await;
    assert_eq!((code(&nameless), &nameless.json()["pointer"]), ((422, "INVALID_FIELD".into()), &json!("/name")));
    let unknown = send(&caller, Method::PATCH, "/v1/users/ana%40x", &json!({ "agent_status": "blocked" })).await;
    assert_eq!(code(&unknown), (422, "INVALID_FIELD".into()));
    assert!(unknown.json()["detail"].as_str().unwrap().contains("agent_status"));
    let fresh = caller.ask(Method::GET, "/v1/users/ana%40x", &[("if-none-match", &second)], "").await;
    assert_eq!((fresh.status, fresh.body.len()), (StatusCode::NOT_MODIFIED, 0));

    // An address that is given up is free for another.
    send(&caller, Method::PATCH, "/v1/users/ana%40x", &json!({ "email": null })).await;
    let moved = send(&caller, Method::PATCH, "/v1/users/bob", &json!({ "email": "ana@example.com" })).await;
    assert_eq!(moved.status, StatusCode::OK);

    let stale = caller.ask(Method::DELETE, "/v1/users/ana%40x", &[("if-match", &first)], "").await;
    assert_eq!(code(&stale), (412, "VERSION_CONFLICT".into()));
    assert_eq!(caller.ask(Method::DELETE, "/v1/users/ana%40x", &[], "").await.status, StatusCode::NO_CONTENT);
    assert_eq!(code(&get(&caller, "/v1/users/ana%40x").await), (404, "NOT_FOUND".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_id_of_any_characters_is_found_where_its_location_says() {
    let (_stack, caller) = start().await;
    let logins = [
        "a/b",
        "a#b",
        "a?b",
        "a%41",
        "aA",
        "50%",
        "a\\b",
        "a b",
        "a+b",
        "नाम",
        "a..b",
        "%2F",
        "a\"q\"b",
        "a+b@example.com",
    ];
    for login in logins {
        let created = post(&caller, "/v1/users", &json!({ "login": login, "name": login })).await;
        assert_eq!(created.status, StatusCode::CREATED, "{login}");
        let location = created.header("location").to_owned();
        assert_eq!(get(&caller, &location).await.json()["login"], login, "{location}");
        let patched = send(&caller, Method::PATCH, &location, &json!({ "designation": "Lead" })).await;
        assert_eq!((patched.status, &patched.json()["login"]), (StatusCode::OK, &json!(login)), "{location}");
    }
    for (number, login) in logins.iter().enumerate() {
        let location = format!("/v1/users/-?login={}", percent_encoded(login));
        assert_eq!(caller.ask(Method::DELETE, &location, &[], "").await.status, StatusCode::NO_CONTENT, "{location}");
        let left = get(&caller, "/v1/users?limit=200").await.json();
        assert_eq!(names(&left).len(), logins.len() - number - 1, "{location} takes one user away");
    }
}

/// API Gateway decodes a path once or twice, and perhaps a plus to a space; here it does the strictest of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_found_whatever_has_become_of_its_plus() {
    let (_stack, caller) = start().await;
    let numbers = json!({ "numbers": [{ "number": "+919876500001" }, { "number": "+919876500002" }] });
    assert!(post(&caller, "/v1/numbers", &numbers).await.status.is_success());
    create(&caller, json!({ "login": "ana", "name": "Ana" })).await;
    let both = json!({ "caller_ids": ["+919876500001", "+919876500002"] });
    assert!(post(&caller, "/v1/users/ana/caller-ids", &both).await.status.is_success());
    for way in
        ["%2B919876500001", "+919876500001", "%20919876500001", "-?number=%2B919876500001", "-?number=+919876500001"]
    {
        let found = get(&caller, &format!("/v1/numbers/{way}")).await;
        assert_eq!((found.status, &found.json()["number"]), (StatusCode::OK, &json!("+919876500001")), "{way}");
    }
    for holders in ["/v1/numbers/%2B919876500001/users", "/v1/numbers/-/users?number=%2B919876500001"] {
        assert_eq!(names(&get(&caller, holders).await.json()), ["ana"], "{holders}");
    }
    let cursor = get(&caller, "/v1/numbers/-/users?cursor=x&number=%2B919876500001").await;
    assert_eq!(code(&cursor), (400, "INVALID_CURSOR".into()), "the rest of the query stays");
    let why = "/v1/mappings/-/caller-ids/-/explanation?crm_user=a%2Fb&number=98765%2000001";
    assert_eq!(get(&caller, why).await.json()["number"], "+919876500001");
    for way in ["/v1/users/ana/caller-ids/%2B919876500001", "/v1/users/-/caller-ids/-?login=ana&number=%2B919876500002"]
    {
        let taken = caller.ask(Method::DELETE, way, &[], "").await;
        assert!(taken.status.is_success(), "{way}: {}", taken.text());
    }
    assert_eq!(get(&caller, "/v1/users/ana/caller-ids").await.json()["caller_ids"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_path_names_is_named_once() {
    let (_stack, caller) = start().await;
    create(&caller, json!({ "login": "ana", "name": "Ana" })).await;
    for (path, pointer) in [
        ("/v1/users/-", "login"),
        ("/v1/users/-?number=1", "login"),
        ("/v1/users/ana?login=ana", "login"),
        ("/v1/users/-?login=ana&login=ana", "login"),
        ("/v1/users/-/caller-ids?Login=ana", "login"),
        ("/v1/mappings/-/caller-ids/-/explanation?crm_user=x", "number"),
    ] {
        let reply = get(&caller, path).await;
        assert_eq!(
            (code(&reply), &reply.json()["pointer"]),
            ((400, "INVALID_PARAMETER".into()), &json!(pointer)),
            "{path}"
        );
    }
    for path in [
        "/v1/users/-?login=",
        "/v1/users/-?login=%FF",
        "/v1/users/-?login=a%2F..%2Fana",
        "/v1/users/a%2Fb",
        "/v1/users/a%252Fb",
    ] {
        assert_eq!(get(&caller, path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(get(&caller, "/v1/users/-?login=ana&").await.json()["login"], "ana");
}

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_are_blocked_enabled_and_disabled_as_the_table_says() {
    let (_stack, caller) = start().await;
    create(&caller, json!({ "login": "ana", "name": "Ana", "calling_agent": true })).await;
    create(&caller, json!({ "login": "bob", "name": "Bob" })).await;
    let act = async |login: &str, action: &str| {
        let reply = caller.ask(Method::POST, &format!("/v1/users/{login}/actions/{action}"), &[], "").await;
        (reply.status.as_u16(), reply.json()["agent_status"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(act("ana", "enable-agent").await.0, 409);
    assert_eq!(act("ana", "disable-agent").await, (200, "disabled".into()));
    assert_eq!(act("ana", "block-agent").await, (200, "blocked".into()));
    assert_eq!(act("ana", "disable-agent").await.0, 409);
    assert_eq!(act("ana", "enable-agent").await, (200, "enabled".into()));
    assert_eq!(act("bob", "block-agent").await.0, 409);
    assert_eq!(act("ana", "unblock-web-login").await.0, 409);
    assert_eq!(act("ana", "promote").await.0, 404);
    assert_eq!(act("nobody", "block-agent").await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_filter_search_sort_and_page() {
    let (_stack, caller) = start().await;
    for (login, name, team, calling) in [
        ("u3", "Cara", "north", true),
        ("u1", "ana", "south", true),
        ("u2", "Bob", "north", false),
        ("u4", "Ana", "north", true),
    ] {
        create(&caller, json!({ "login": login, "name": name, "team": team, "calling_agent": calling, "email": format!("{login}@example.com") })).await;
    }
    let extension = json!({ "extension": { "login": "e2", "intercom": "102", "active": true } });
    send(&caller, Method::PATCH, "/v1/users/u2", &extension).await;
    caller.ask(Method::POST, "/v1/users/u3/actions/block-agent", &[], "").await;

    let list = async |path: &str| get(&caller, path).await.json();
    assert_eq!(names(&list("/v1/users").await), ["u1", "u4", "u2", "u3"]);
    assert_eq!(names(&list("/v1/users?team=north&calling_agent=true").await), ["u4", "u3"]);
    assert_eq!(names(&list("/v1/users?agent_status=blocked").await), ["u3"]);
    assert_eq!(names(&list("/v1/users?has_extension=true").await), ["u2"]);
    assert_eq!(names(&list("/v1/users?web_login=blocked").await), [""; 0]);
    assert_eq!(names(&list("/v1/users?search=AN").await), ["u1", "u4"]);
    assert_eq!(names(&list("/v1/users?search=u2%40EXAMPLE").await), ["u2"]);
    assert_eq!(names(&list("/v1/agents").await), ["u1", "u4", "u3"]);
    assert_eq!(names(&list("/v1/teams/north/members").await), ["u4", "u2", "u3"]);
    let extensions = list("/v1/extensions").await;
    assert_eq!(
        (&extensions["items"][0]["user"], &extensions["items"][0]["password"]),
        (&json!("u2"), &json!("********"))
    );

    // Page by page, each user once, whatever the filter.
    for filter in ["", "&team=north"] {
        let mut seen = Vec::new();
        let mut path = format!("/v1/users?limit=1{filter}");
        loop {
            let page = list(&path).await;
            seen.extend(names(&page).into_iter().map(str::to_owned));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/v1/users?limit=1{filter}&cursor={next}");
        }
        let whole = list(&format!("/v1/users?limit=200{filter}")).await;
        assert_eq!(seen, names(&whole));
    }

    // A cursor is good for its own list and account.
    let next = list("/v1/users?limit=1").await["next"].as_str().unwrap().to_owned();
    for path in [
        format!("/v1/users?limit=1&team=north&cursor={next}"),
        format!("/v1/agents?cursor={next}"),
        "/v1/users?cursor=x".into(),
    ] {
        assert_eq!(code(&get(&caller, &path).await), (400, "INVALID_CURSOR".into()), "{path}");
    }
    for query in ["limit=0", "limit=201", "limit=x", "calling_agent=maybe", "nope=1", "role=a%23b"] {
        assert_eq!(
            code(&get(&caller, &format!("/v1/users?{query}")).await),
            (400, "INVALID_PARAMETER".into()),
            "{query}"
        );
    }

    for path in
        ["/v1/agents?calling_agent=false", "/v1/extensions?has_extension=false", "/v1/teams/north/members?team=x"]
    {
        assert_eq!(code(&get(&caller, path).await), (400, "INVALID_PARAMETER".into()), "{path}");
    }

    // The same as a file, for a spreadsheet.
    let file = caller.ask(Method::GET, "/v1/users?team=north", &[("accept", "text/csv")], "").await;
    let text = String::from_utf8(file.body.to_vec()).unwrap();
    assert_eq!(text.lines().count(), 4, "{text}");
    for (accept, kind) in [
        ("*/*", "application/json"),
        ("text/csv;q=0", "application/json"),
        ("text/csv;q=0.4, application/json", "application/json"),
        ("application/json;q=0.4, text/csv;q=0.5", "text/csv; charset=utf-8"),
        ("text/csv, */*;q=0.1", "text/csv; charset=utf-8"),
    ] {
        let reply = caller.ask(Method::GET, "/v1/agents", &[("accept", accept)], "").await;
        assert_eq!(reply.header("content-type"), kind, "{accept}");
    }
    let page = caller.ask(Method::GET, "/v1/users?limit=1", &[("accept", "text/csv")], "").await;
    assert_eq!((code(&page), &page.json()["pointer"]), ((400, "INVALID_PARAMETER".into()), &json!("limit")));
    let agents = get(&caller, "/v1/agents.csv").await;
    assert!(agents.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
    assert_eq!(String::from_utf8(agents.body.to_vec()).unwrap().lines().count(), 4);
    assert_eq!(get(&caller, "/v1/users.csv").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn caller_ids_are_appended_by_the_bulk_jobs_rules_removed_and_resolved() {
    let (stack, caller) = start().await;
    create(&caller, json!({ "login": "ana", "name": "Ana", "department": "sales" })).await;
    let numbers = json!({ "numbers": [
        { "number": "+919876543210", "department": "sales" },
        { "number": "+919876543211", "provider": "DID-7" },
        { "number": "+919876543212", "state": "retired" },
        { "number": "+919876543213", "state": "resting", "resting_until": "2027-01-01", "department": "sales" },
    ] });
    assert_eq!(post(&caller, "/v1/numbers", &numbers).await.json()["added"].as_array().unwrap().len(), 4);

    let path = "/v1/users/ana/caller-ids";
    let written = json!({ "caller_ids": ["98765 43210", "DID-7", "+919876543212", "9.8E9", "nope", "+12025550123", "9876543210"] });
    let reply = post(&caller, path, &written).await.json();
    assert_eq!(reply["added"], json!(["+919876543210", "+919876543211"]));
    let refused: Vec<_> =
        reply["refused"].as_array().unwrap().iter().map(|refused| refused["code"].as_str().unwrap()).collect();
    assert_eq!(refused, ["NUMBER_RETIRED", "NUMBER_SCIENTIFIC", "NUMBER_INVALID", "NUMBER_NOT_OWNED"]);
    assert_eq!(post(&caller, path, &written).await.json()["already_allowed"].as_array().unwrap().len(), 2);
    assert_eq!(stack.list("ana").await.unwrap().len(), 2);

    let first = get(&caller, path).await;
    assert_eq!(first.json()["effective"], json!(["+919876543210", "+919876543211"]));
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    let same = caller.ask(Method::GET, path, &[("if-none-match", &tag)], "").await;
    assert_eq!(same.status, StatusCode::NOT_MODIFIED);

    for (policy, effective) in [
        ("department", json!(["+919876543210"])),
        ("all", json!(["+919876543210", "+919876543211"])),
        ("custom", json!(["+919876543210", "+919876543211"])),
    ] {
        let put = send(&caller, Method::PUT, "/v1/users/ana/caller-id-policy", &json!({ "policy": policy })).await;
        assert_eq!(put.json()["policy"], policy);
        assert_eq!(get(&caller, path).await.json()["effective"], effective, "{policy}");
    }
    for _ in 0..2 {
        let removed = caller.ask(Method::DELETE, &format!("{path}/+919876543211"), &[], "").await;
        assert_eq!(removed.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(stack.list("ana").await.unwrap(), ["+919876543210"]);
    let holders = get(&caller, "/v1/numbers/+919876543210/users").await.json();
    assert_eq!(names(&holders), ["ana"]);
    assert_eq!(names(&get(&caller, "/v1/numbers/+919876543211/users").await.json()), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_added_edited_and_paged() {
    let (_stack, caller) = start().await;
    let numbers: Vec<_> =
        (0..5).map(|last| json!({ "number": format!("+91987654321{last}"), "labels": ["new"] })).collect();
    let body = json!({ "numbers": numbers });
    assert_eq!(post(&caller, "/v1/numbers", &body).await.status, StatusCode::CREATED);
    assert_eq!(post(&caller, "/v1/numbers", &body).await.json()["taken"].as_array().unwrap().len(), 5);

    let path = "/v1/numbers/+919876543210";
    let number = get(&caller, path).await;
    assert_eq!(
        (&number.json()["state"], &number.headers["etag"]),
        (&json!("active"), &axum::http::HeaderValue::from_static("\"1\""))
    );
    let rest = json!({ "state": "resting", "resting_until": "2027-02-03" });
    assert_eq!(send(&caller, Method::PATCH, path, &rest).await.json()["resting_until"], "2027-02-03");
    let half = send(&caller, Method::PATCH, path, &json!({ "state": "active" })).await;
    assert_eq!((code(&half), half.json()["pointer"].clone()), ((422, "INVALID_FIELD".into()), json!("/resting_until")));
    let stale = caller.ask(Method::PATCH, path, &[JSON, ("if-match", "\"1\"")], r#"{"labels":[]}"#).await;
    assert_eq!(code(&stale), (412, "VERSION_CONFLICT".into()));

    let mut seen = Vec::new();
    let mut next = String::new();
    loop {
        let page = get(&caller, &format!("/v1/numbers?limit=2{next}")).await.json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["number"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next"].as_str() else { break };
        next = format!("&cursor={cursor}");
    }
    assert_eq!(seen.len(), 5);
    assert_eq!(code(&get(&caller, "/v1/numbers/+911").await).0, 404);
    let twice = json!({ "numbers": [{ "number": "+919876543219" }, { "number": "+919876543219", "state": "new" }] });
    let refused = post(&caller, "/v1/numbers", &twice).await;
    assert_eq!(
        (code(&refused), refused.json()["pointer"].clone()),
        ((422, "INVALID_FIELD".into()), json!("/numbers/1/number"))
    );
    let wrong = json!({ "numbers": [{ "number": "+919876543219" }, { "number": "98765" }] });
    let refused = post(&caller, "/v1/numbers", &wrong).await;
    assert_eq!(
        (code(&refused), refused.json()["pointer"].clone()),
        ((422, "INVALID_FIELD".into()), json!("/numbers/1/number"))
    );
    assert_eq!(get(&caller, "/v1/numbers/+919876543219").await.status, StatusCode::NOT_FOUND, "nothing half-done");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_departments_and_teams_are_named_listed_and_taken_away() {
    let (_stack, caller) = start().await;
    for kind in ["roles", "departments", "teams"] {
        for (id, name) in [("b", "Bee"), ("a", "Ay"), ("b", "Be")] {
            let put = send(&caller, Method::PUT, &format!("/v1/{kind}/{id}"), &json!({ "name": name })).await;
            assert_eq!(put.status, StatusCode::OK);
        }
        let list = get(&caller, &format!("/v1/{kind}")).await.json();
        assert_eq!(list["items"], json!([{ "id": "a", "name": "Ay" }, { "id": "b", "name": "Be" }]));
        assert_eq!(caller.ask(Method::DELETE, &format!("/v1/{kind}/a"), &[], "").await.status, StatusCode::NO_CONTENT);
        assert_eq!(get(&caller, &format!("/v1/{kind}")).await.json()["items"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_from_its_permission_to_its_failed_rows() {
    let (stack, caller) = start().await;
    create(&caller, json!({ "login": "ana", "name": "Ana" })).await;
    let sample = get(&caller, "/v1/samples/append-caller-ids.csv").await;
    assert!(String::from_utf8(sample.body.to_vec()).unwrap().contains("Login ID,Allowed Caller ID"));
    assert_eq!(get(&caller, "/v1/samples/nope.csv").await.status, StatusCode::NOT_FOUND);

    let file = "Login ID,Allowed Caller ID\nana,9876543210\nnobody,9876543210\n";
    let new = json!({ "kind": "append-caller-ids", "name": "march.csv", "size": file.len() });
    let permission = post(&caller, "/v1/jobs", &new).await.json();
    let headers: Vec<_> = permission["headers"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let url = permission["url"].as_str().unwrap();
    // Another size than was said is refused, and so is another key.
    let put =
        async |url: &str, body: &str| stack.stranger().fetch(Method::PUT, url, &headers, body.to_owned()).await.status;
    let shorter = headers.iter().map(|&(name, value)| (name, if name == "content-length" { "9" } else { value }));
    let shorter: Vec<_> = shorter.collect();
    let refused = stack.stranger().fetch(Method::PUT, url, &shorter, "too short").await.status;
    assert_eq!(refused, StatusCode::FORBIDDEN);
    assert_eq!(put(&url.replace("march.csv", "april.csv"), file).await, StatusCode::FORBIDDEN);
    assert_eq!(put(url, file).await, StatusCode::OK);

    let start = std::time::Instant::now();
    let job = loop {
        assert!(start.elapsed().as_secs() < 60, "waited too long for the job");
        let jobs = get(&caller, "/v1/jobs").await.json();
        let job = jobs["items"].as_array().unwrap().iter().find(|job| job["upload"] == permission["upload"]).cloned();
        if let Some(job) = job.filter(|job| job["state"] != "running") {
            break job;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!((&job["counts"]["applied"], &job["counts"]["failed"]), (&json!(1), &json!(1)));
    assert_eq!(stack.mails()[0].to, ["ann@example.com"], "the report goes to whoever asked");

    let id = job["id"].as_str().unwrap();
    assert_eq!(get(&caller, &format!("/v1/jobs/{id}")).await.json()["id"], id);
    for (file, rows) in [("results", 3), ("failures", 2)] {
        let redirect = get(&caller, &format!("/v1/jobs/{id}/{file}")).await;
        assert_eq!(redirect.status, StatusCode::SEE_OTHER);
        let url = redirect.headers["location"].to_str().unwrap();
        let text = stack.stranger().fetch(Method::GET, url, &[], "").await;
        assert_eq!(String::from_utf8(text.body.to_vec()).unwrap().lines().count(), rows);
    }

    // Nobody else sees any of it.
    let other = stack.caller(&["--account", "other"]);
    assert_eq!(get(&other, "/v1/jobs").await.json()["items"], json!([]));
    for path in [format!("/v1/jobs/{id}"), format!("/v1/jobs/{id}/results"), format!("/v1/jobs/{id}/failures")] {
        assert_eq!(get(&other, &path).await.status, StatusCode::NOT_FOUND);
    }
    let abroad = json!("jörg@example.com");
    // The token's own address is left out where no report can be sent there.
    let foreign = stack.caller_claiming(&json!({ "custom:account": "acme", "email": abroad }));
    let permission = post(&foreign, "/v1/jobs", &new).await.json();
    let headers = permission["headers"].as_object().expect("headers");
    assert_eq!(headers.keys().collect::<Vec<_>>(), ["content-length", "x-amz-meta-permit"]);
    for (field, value) in [("size", json!(0)), ("name", json!("a/b")), ("kind", json!("nope")), ("notify", abroad)] {
        let mut wrong = new.clone();
        wrong[field] = value;
        let refused = post(&caller, "/v1/jobs", &wrong).await;
        assert_eq!(
            (code(&refused), refused.json()["pointer"].clone()),
            ((422, "INVALID_FIELD".into()), json!(format!("/{field}")))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_with_an_idempotency_key_is_done_once() {
    let (stack, caller) = start().await;
    let keyed = async |body: &str, key: &str| {
        caller.ask(Method::POST, "/v1/users", &[JSON, ("idempotency-key", key)], body.to_owned()).await
    };
    let ana = r#"{"login":"ana","name":"Ana"}"#;
    let first = keyed(ana, "one").await;
    let second = keyed(ana, "one").await;
    assert_eq!((first.status, &first.body), (StatusCode::CREATED, &second.body));
    assert_eq!(second.headers["location"], first.headers["location"]);
    assert_eq!(code(&keyed(r#"{"login":"bob","name":"Bob"}"#, "one").await), (422, "IDEMPOTENCY_KEY_REUSED".into()));
    assert_eq!(code(&keyed(ana, "two").await), (409, "LOGIN_ID_TAKEN".into()));
    assert_eq!(code(&keyed(ana, &"x".repeat(200)).await), (400, "INVALID_PARAMETER".into()));

    // Somebody else with the same key is somebody else.
    let other = stack.caller(&["--account", "acme", "--subject", "bob@example.com"]);
    let theirs = other.ask(Method::POST, "/v1/users", &[JSON, ("idempotency-key", "one")], ana).await;
    assert_eq!(code(&theirs), (409, "LOGIN_ID_TAKEN".into()));

    let neighbour = stack.caller(&["--account", "other"]);
    let theirs = neighbour.ask(Method::POST, "/v1/users", &[JSON, ("idempotency-key", "one")], ana).await;
    assert_eq!(theirs.status, StatusCode::CREATED, "another account knows nothing of the key");
    assert_eq!(names(&get(&neighbour, "/v1/users").await.json()), ["ana"]);

    // All at once: one does it, and the others get its answer, or are told to wait for it.
    let numbers: Vec<_> = (0..100).map(|last| json!({ "number": format!("+9198765{last:05}") })).collect();
    let numbers = json!({ "numbers": numbers }).to_string();
    let asked =
        (0..8).map(|_| caller.ask(Method::POST, "/v1/numbers", &[JSON, ("idempotency-key", "many")], numbers.clone()));
    let answers = futures_util::future::join_all(asked).await;
    let done: Vec<_> = answers.iter().filter(|reply| reply.status == StatusCode::CREATED).collect();
    assert!(!done.is_empty());
    assert!(done.iter().all(|reply| reply.json()["added"].as_array().is_some_and(|added| added.len() == 100)));
    for reply in answers.iter().filter(|reply| reply.status != StatusCode::CREATED) {
        assert_eq!(code(reply), (409, "IDEMPOTENCY_IN_PROGRESS".into()));
    }

    // An answer that is too long to keep is given all the same.
    let junk = json!({ "caller_ids": vec!["x".repeat(250); 1_000] }).to_string();
    for _ in 0..2 {
        let reply = caller
            .ask(Method::POST, "/v1/users/ana/caller-ids", &[JSON, ("idempotency-key", "junk")], junk.clone())
            .await;
        assert_eq!(reply.json()["refused"].as_array().map(Vec::len), Some(1_000));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_taken_once_until_its_request_dies_or_a_day_is_over() {
    const DAY: i64 = 24 * 60 * 60;
    let (stack, _) = start().await;
    let first = IdempotencyRecord { request: "first".into(), working_until: 130, given: None };
    let other = IdempotencyRecord { request: "other".into(), working_until: 130, given: None };
    let take = async |answer: &IdempotencyRecord, now: i64| {
        stack.directory.begin_request(&stack.account, "key", answer, now).await.expect("the table answers")
    };
    assert_eq!(take(&first, 100).await, None);
    assert_eq!(take(&first, 101).await, Some(first.clone()), "it is at work");
    assert_eq!(take(&other, 131).await, Some(first.clone()), "another request never gets the key");
    let second = IdempotencyRecord { working_until: 161, ..first.clone() };
    assert_eq!(take(&second, 131).await, None, "it has died");
    assert_eq!(take(&first, 132).await, Some(second.clone()), "one at a time");
    let given = RecordedResponse { status: 201, headers: Vec::new(), body: "{}".into() };
    let kept = IdempotencyRecord { given: Some(given), ..second };
    stack.directory.complete_request(&stack.account, "key", &kept, 140).await.expect("the table answers");
    assert_eq!(take(&first, 200).await, Some(kept.clone()), "an answer stays");
    assert_eq!(take(&first, 140 + DAY).await, Some(kept));
    assert_eq!(take(&other, 141 + DAY).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_as_a_file_goes_by_way_of_the_bucket() {
    let (stack, caller) = start().await;
    // Names of 250 characters make 4 MB of some 15,000 users.
    let users: Vec<_> = (0..15_000)
        .map(|number| {
            let mut user = e2e::user(&format!("user{number}"));
            user.profile.name = rollcall_model::user::Name::parse(&format!("{}{number}", "x".repeat(250))).unwrap();
            user
        })
        .collect();
    stack.directory.create_users(&stack.account, &users).await.unwrap();
    let redirect = get(&caller, "/v1/users.csv").await;
    assert_eq!(redirect.status, StatusCode::SEE_OTHER);
    let file = stack.stranger().fetch(Method::GET, redirect.headers["location"].to_str().unwrap(), &[], "").await;
    assert_eq!(String::from_utf8(file.body.to_vec()).unwrap().lines().count(), 15_001);

    // A filter that matches nobody answers after 1,000 users, with the way on; it doesn't walk the account.
    let mut path = "/v1/users?search=nobody-at-all".to_owned();
    let mut pages = 0;
    loop {
        let page = get(&caller, &path).await.json();
        assert_eq!(page["items"], json!([]));
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/users?search=nobody-at-all&cursor={next}");
    }
    assert!(pages >= 15, "{pages} pages of at most 1,000 reads for 15,000 users");

    // Nor do the queries that a page takes grow with it.
    let world = TestEngine::new(&stack, Faults::default(), None).await;
    for (search, most) in [(None, 1), (Some("nobody-at-all".to_owned()), 4)] {
        let before = world.table.requests();
        let filter = UserFilter { search, ..UserFilter::default() };
        world.directory.users_page(&stack.account, &filter, None, 50, 1_000).await.unwrap();
        let queries = world.table.requests() - before;
        assert!(queries <= most, "{queries} queries for a page");
    }
}
