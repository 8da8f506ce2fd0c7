//! Who may see what: lesser tokens, and people without any.

use axum::http::{Method, StatusCode};
use e2e::Browser;
use serde_json::json;

use super::{Stage, USUAL};

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_what_a_token_allows_and_strangers_nothing() {
    let Some(mut stage) = Stage::open(USUAL).await else { return };
    who_has_no_session_learns_how_to_get_in_and_nothing_else(&stage).await;
    stage.enter("reader", &["--scope", "rollcall/users.read"]).await;
    what_a_token_does_not_allow_is_not_shown(&stage.browser).await;
    stage.enter("acme", &[]).await;
    tokens_are_kept_nowhere(&stage.browser).await;
}

async fn what_a_token_does_not_allow_is_not_shown(browser: &Browser) {
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
async fn tokens_are_kept_nowhere(browser: &Browser) {
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

async fn who_has_no_session_learns_how_to_get_in_and_nothing_else(Stage { stack, browser, .. }: &Stage) {
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
