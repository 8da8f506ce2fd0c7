//! What a path names: a user or a number, however it is written.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::{code, create, get, names, post, send, start};

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
