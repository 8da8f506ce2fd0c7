//! `/v1/users`: users and agents, one by one and in lists.

use axum::http::{Method, StatusCode};
use e2e::{Faults, TestEngine};
use rollcall_storage::directory::{Reach, UserFilter};
use serde_json::{Value, json};

use super::{JSON, code, create, get, names, post, send, start};

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
async fn numbers_of_a_profile_are_read_in_every_spelling_of_the_accounts_country() {
    let (_stack, caller) = start().await;
    let extension = json!({ "login": "e1", "intercom": "101", "caller_id": "098765-43211" });
    let ana = json!({ "login": "ana", "name": "Ana", "call_forward_number": "98765 43210", "extension": extension });
    let ana = post(&caller, "/v1/users", &ana).await.json();
    assert_eq!(ana["call_forward_number"], "+919876543210");
    assert_eq!(ana["extension"]["caller_id"], "+919876543211");
    let patch = async |patch: Value| send(&caller, Method::PATCH, "/v1/users/ana", &patch).await;
    assert_eq!(
        patch(json!({ "call_forward_number": "(0) 98765-43219" })).await.json()["call_forward_number"],
        "+919876543219"
    );
    for bad in ["98765", "9.87654E9", "call me"] {
        let refused = patch(json!({ "call_forward_number": bad })).await;
        assert_eq!(
            (code(&refused), refused.json()["pointer"].clone()),
            ((422, "INVALID_FIELD".into()), json!("/call_forward_number"))
        );
    }
    let refused = patch(json!({ "extension": { "caller_id": "12" } })).await;
    assert_eq!(refused.json()["pointer"], "/extension/caller_id");
    assert_eq!(patch(json!({ "call_forward_number": null })).await.json()["call_forward_number"], Value::Null);
    // Another country reads the same digits otherwise.
    send(&caller, Method::PATCH, "/v1/settings", &json!({ "country": "GB" })).await;
    assert_eq!(
        patch(json!({ "call_forward_number": "020 7946 0958" })).await.json()["call_forward_number"],
        "+442079460958"
    );
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
    // Who is named, whose name begins so, who has it somewhere: each once, also page by page.
    create(&caller, json!({ "login": "ar", "name": "Dora" })).await;
    create(&caller, json!({ "login": "u5", "name": "Ara" })).await;
    assert_eq!(names(&list("/v1/users?search=ar").await), ["ar", "u5", "u3"]);
    assert_eq!(names(&list("/v1/users?search=ar&team=north").await), ["u3"]);
    let (mut found, mut next) = (Vec::new(), String::new());
    loop {
        let page = list(&format!("/v1/users?search=ar&limit=1{next}")).await;
        found.extend(names(&page).into_iter().map(str::to_owned));
        let Some(cursor) = page["next"].as_str() else { break };
        next = format!("&cursor={cursor}");
    }
    assert_eq!(found, ["ar", "u5", "u3"]);
    for login in ["ar", "u5"] {
        assert_eq!(caller.ask(Method::DELETE, &format!("/v1/users/{login}"), &[], "").await.status.as_u16(), 204);
    }
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
async fn a_search_that_walks_ranges_at_once_finds_everybody_once_and_in_order() {
    let (stack, _) = start().await;
    // Names of every beginning, in each of which there are several; every third has what is looked for.
    let initials = ["'", "7", "a", "B", "m", "s", "Z", "~", "é", "д", "ع", "अ", "த", "山"];
    let users: Vec<_> = (0..420)
        .map(|number| {
            let (initial, found) = (initials[number % initials.len()], if number % 3 == 0 { "needle" } else { "hay" });
            let mut user = e2e::user(&format!("user{number}"));
            user.profile.name = rollcall_model::user::Name::parse(&format!("{initial} {number} {found}")).unwrap();
            user
        })
        .collect();
    stack.directory.create_users(&stack.account, &users).await.unwrap();
    let filter = UserFilter { search: Some("needle".to_owned()), ..UserFilter::default() };
    let found = async |most: usize, reach: Reach| {
        let (mut logins, mut after, mut pages) = (Vec::new(), None, 0);
        loop {
            let (page, next) = stack.directory.users_found(&stack.account, &filter, after, most, reach).await.unwrap();
            assert!(page.len() <= most, "a page of {}", page.len());
            logins.extend(page.into_iter().map(|user| user.login.to_string()));
            pages += 1;
            after = next;
            if after.is_none() {
                return (logins, pages);
            }
        }
    };
    let (expected, _) = found(1_000, Reach { reads: 10_000, at_once: 1 }).await;
    assert_eq!(expected.len(), 140);
    for (most, reads, at_once, pages) in
        [(1_000, 1, 10_000, 1), (1_000, 20, 10_000, 1), (7, 1, 10_000, 25), (1_000, 40, 60, 9), (3, 5, 1, 300)]
    {
        let (logins, asked) = found(most, Reach { reads, at_once }).await;
        assert_eq!(logins, expected, "{most} of {reads} and {at_once}");
        assert!(asked <= pages, "{asked} pages of {most}, of {reads} and {at_once}");
    }
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

    // A filter that matches nobody answers after 10,000 users, with the way on; a search looks through many more.
    for (filter, expected) in [("role=nobody-at-all", 2), ("search=nobody-at-all", 1)] {
        let mut path = format!("/v1/users?{filter}");
        let mut pages = 0;
        loop {
            let page = get(&caller, &path).await.json();
            assert_eq!(page["items"], json!([]));
            pages += 1;
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/v1/users?{filter}&cursor={next}");
        }
        assert_eq!(pages, expected, "pages of {filter}");
    }
    for (search, found) in [("user12345", ["user12345"]), ("USER14999", ["user14999"])] {
        let page = get(&caller, &format!("/v1/users?search={search}&limit=1")).await.json();
        assert_eq!(names(&page), found, "who is named stands first");
    }

    // Nor do the queries that a page takes grow with it.
    let world = TestEngine::new(&stack, Faults::default(), None).await;
    for (search, most) in [(None, 1), (Some("nobody-at-all".to_owned()), 12)] {
        let before = world.table.requests();
        let filter = UserFilter { search, ..UserFilter::default() };
        world.directory.users_page(&stack.account, &filter, None, 50, 10_000).await.unwrap();
        let queries = world.table.requests() - before;
        assert!(queries <= most, "{queries} queries for a page");
    }
}
