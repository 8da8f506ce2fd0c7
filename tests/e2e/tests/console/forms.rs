//! What was typed is never lost: two people at one user, a session that ends, a line that is down.

use axum::http::Method;
use e2e::{Browser, Caller};
use serde_json::json;

use super::{Stage, USUAL};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_is_never_lost() {
    let Some(mut stage) = Stage::open(USUAL).await else { return };
    stage.enter("two", &[]).await;
    two_people_edit_one_user_and_both_versions_are_shown(&stage).await;
    stage.enter("line", &[]).await;
    a_line_that_is_down_has_words_and_a_way_on(&stage.browser).await;
    stage.enter("patience", &[]).await;
    a_refusal_that_passes_has_words_and_a_way_on(&stage.browser).await;
    stage.enter("session", &[]).await;
    a_session_that_ends_loses_nothing_that_was_typed(&stage).await;
    stage.enter("sent", &[]).await;
    an_upload_goes_on_after_a_login(&stage).await;
}

async fn two_people_edit_one_user_and_both_versions_are_shown(stage: &Stage) {
    let browser = &stage.browser;
    browser.place("#/users/user2", "Vikram Mehta").await;
    browser.click("Edit user").await;
    browser.fill("Designation", "Team lead").await;
    let other = stage.caller(&[]);
    let json = [("content-type", "application/json")];
    let changed =
        other.ask(Method::PATCH, "/v1/users/user2", &json, r#"{"name":"Vikram M.","designation":"Trainer"}"#).await;
    assert!(changed.status.is_success());
    browser.click("Save").await;
    browser.read("Somebody has changed this user meanwhile.").await;
    browser.read("Trainer").await;
    browser.click("Keep mine").await;
    browser.click("Save").await;
    browser.until("the dialog is closed", "return !document.querySelector('dialog[open]')", json!([])).await;
    let user = other.get("/v1/users/user2").await.json();
    assert_eq!(
        (&user["name"], &user["designation"]),
        (&json!("Vikram M."), &json!("Team lead")),
        "only what was typed is written"
    );
}

/// The token is refused and can't be renewed; the form waits, and goes on after a login in another window.
async fn a_session_that_ends_loses_nothing_that_was_typed(stage: &Stage) {
    let browser = &stage.browser;
    browser.place("#/users/user2", "Vikram Mehta").await;
    browser.click("Edit user").await;
    browser.fill("Designation", "Team lead").await;
    the_session_ends_at(browser, "/v1/").await;
    browser.click("Save").await;
    browser.read("Your session has ended.").await;
    let typed = "return [...document.querySelectorAll('dialog input')].some(one => one.value === 'Team lead')";
    assert_eq!(browser.run(typed, json!([])).await, true);

    let caller = logged_in_again(stage).await;
    browser.until("the change goes on by itself", "return !document.querySelector('dialog[open]')", json!([])).await;
    assert_eq!(caller.get("/v1/users/user2").await.json()["designation"], "Team lead");
}

/// The session ends while a file is on its way: once before there is leave to send it, once when its job is looked for.
async fn an_upload_goes_on_after_a_login(stage: &Stage) {
    let browser = &stage.browser;
    let file = stage.stack.dir().join("november.csv");
    std::fs::write(&file, "Login ID,Allowed Caller ID\nuser1,+919876500005\n").expect("a file");
    for (number, refused) in ["/v1/jobs", "/v1/jobs?upload="].into_iter().enumerate() {
        browser.place("#/users", "All users").await;
        browser.click("More actions").await;
        browser.click("Bulk append caller ID").await;
        browser.choose_file(&file).await;
        browser.read("Read as: Bulk append caller ID, with 2 columns.").await;
        the_session_ends_at(browser, refused).await;
        browser.click("Upload and preview").await;
        browser.read("Your session has ended.").await;
        let caller = logged_in_again(stage).await;
        browser.read("A preview: nothing has been changed.").await;
        let jobs = caller.get("/v1/jobs").await.json();
        assert_eq!(jobs["items"].as_array().expect("jobs").len(), number + 1, "it was sent once: {jobs}");
    }
}

/// The API asks for patience, or fails: there are words for it, what was typed stays, and the same button goes on.
async fn a_refusal_that_passes_has_words_and_a_way_on(browser: &Browser) {
    for (number, (status, title)) in
        [(429, "Too many requests at once"), (500, "Something went wrong on our side")].into_iter().enumerate()
    {
        browser.place("#/users", "All users").await;
        browser.click("Add user").await;
        let login = format!("omar{number}");
        browser.fill("Login ID", &login).await;
        browser.fill("Name", "Omar").await;
        let fail = "const status = arguments[0];
            window.before ??= window.fetch;
            window.fetch = (url, options) => options?.method === 'POST'
              ? Promise.resolve(new Response('{}', { status, headers: { 'retry-after': '0.01' } })) : window.before(url, options);";
        browser.run(fail, json!([status])).await;
        browser.click("Add").await;
        browser.read(title).await;
        let typed = "return [...document.querySelectorAll('dialog input')].some(one => one.value === arguments[0])";
        assert_eq!(browser.run(typed, json!([login])).await, true);
        browser.run("window.fetch = window.before", json!([])).await;
        browser.click("Add").await;
        browser.until("the user is added", "return location.hash === '#/users/' + arguments[0]", json!([login])).await;
    }
}

/// The issuer forgets the session, and the API refuses the token once, at the first request whose address begins so.
async fn the_session_ends_at(browser: &Browser, address: &str) {
    let end = "const address = arguments[0], done = arguments[1];
        const before = window.fetch;
        let refused = false;
        window.fetch = (url, options) => {
          if (String(url).startsWith(address) && !refused) {
            refused = true;
            window.fetch = before;
            return Promise.resolve(new Response('{}', { status: 401 }));
          }
          return before(url, options);
        };
        before('/oauth2/logout').then(() => done(true))";
    browser.run_async(end, json!([address])).await;
}

/// What the new window does: it logs in, and gives its session to the one that waits.
async fn logged_in_again(stage: &Stage) -> Caller {
    let browser = &stage.browser;
    browser.run("window.opened = null; window.open = address => { window.opened = address; }", json!([])).await;
    browser.run("document.querySelector('main .banner.warn .button').click()", json!([])).await;
    let opened = browser.until("it opens a window", "return window.opened", json!([])).await;
    let give = "const done = arguments[2];
        const name = arguments[0].split('/').at(-1), token = arguments[1];
        const claims = JSON.parse(atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')));
        new BroadcastChannel('console-session').postMessage({ name, token, renewal: null, claims, expires: Date.now() + 600000 });
        done(true)";
    let caller = stage.caller(&["--subject", "ann@example.com"]);
    browser.run_async(give, json!([opened, caller.token()])).await;
    caller
}

async fn a_line_that_is_down_has_words_and_a_way_on(browser: &Browser) {
    browser
        .run("window.before = window.fetch; window.fetch = () => Promise.reject(new TypeError('down'));", json!([]))
        .await;
    browser.click("Add user").await;
    browser.fill("Login ID", "maya").await;
    browser.fill("Name", "Maya").await;
    browser.click("Add").await;
    browser.read("The API can’t be reached").await;
    browser.run("window.fetch = window.before", json!([])).await;
    browser.click("Add").await;
    browser.until("the user is added", "return location.hash === '#/users/maya'", json!([])).await;
}
