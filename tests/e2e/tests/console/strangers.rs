//! Who may see what: lesser tokens, and people without any.

use axum::http::{Method, StatusCode};
use e2e::{Browser, Stack};
use serde_json::json;

use crate::{USUAL, opened};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_token_does_not_allow_is_not_shown() {
    let Some((_stack, browser)) = opened(USUAL, &["--scope", "rollcall/users.read"]).await else { return };
    let shown = browser
        .run(
            "return [...document.querySelectorAll('nav#nav a')].map(one => one.innerText.split('\\n')[0].trim())",
            json!([]),
        )
        .await;
    let names: Vec<&str> = shown.as_array().expect("links").iter().filter_map(|name| name.as_str()).collect();
    assert_eq!(
        names,
        ["All users g u", "Extension status g e", "Settings g s"]
            .map(|name| name.rsplitn(3, ' ').last().unwrap_or_default()),
        "{shown}"
    );
    let buttons =
        browser.run("return [...document.querySelectorAll('main button')].map(one => one.innerText)", json!([])).await;
    for word in ["Add user", "Upload users", "⋯"] {
        assert!(!buttons.to_string().contains(word), "{word} in {buttons}");
    }
    browser.place("#/numbers", "Numbers").await;
    browser.read("It needs the scope rollcall/numbers.read.").await;
    browser.place("#/users/user2", "Vikram Mehta").await;
    assert!(browser.run("return document.querySelector('[name=policy]').disabled", json!([])).await == true);
}

/// A script that got in could act while the page is open, and finds nothing to take away.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_kept_nowhere() {
    let Some((_stack, browser)) = opened(USUAL, &[]).await else { return };
    let kept = "return JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.search])";
    assert_eq!(browser.run(kept, json!([])).await, r#"[{},{},"",""]"#);
    // A reload asks the issuer again, and comes back to the same place.
    browser.place("#/users?agent_status=enabled", "All users").await;
    browser.run("location.reload()", json!([])).await;
    browser
        .until(
            "the page is loaded anew",
            "return !window.asked && document.querySelector('h1')?.innerText === 'All users'",
            json!([]),
        )
        .await;
    assert_eq!(browser.run("return location.hash", json!([])).await, "#/users?agent_status=enabled");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_session_learns_how_to_get_in_and_nothing_else() {
    let Some(browser) = Browser::open(USUAL).await else { return };
    let stack = Stack::start(&[]).await;
    browser.go(stack.output("ConsoleUrl")).await;
    browser.read("You are not logged in.").await;
    browser.read("rollcall --dir").await;

    // The files are the same for everybody, and no route of the API is open.
    let stranger = stack.stranger();
    for path in ["/console", "/console/config.json"] {
        let answer = stranger.fetch(Method::GET, &format!("{}{path}", stack.output("ApiUrl")), &[], "").await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(answer.header("content-security-policy").contains("trusted-types 'none'"), "{path}");
    }
    assert_eq!(stranger.get("/v1/users").await.status, StatusCode::UNAUTHORIZED);
}
