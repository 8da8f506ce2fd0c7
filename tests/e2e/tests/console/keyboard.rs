//! The same stories without a mouse: keys of one letter, and Tab to whatever has none.

use std::fs;

use e2e::Browser;
use serde_json::json;

use super::{Stage, USUAL, story::finished};

#[tokio::test(flavor = "multi_thread")]
async fn the_stories_by_keyboard_alone() {
    let Some(mut stage) = Stage::open(USUAL).await else { return };
    stage.enter("keys", &[]).await;
    everything_can_be_reached(&stage.browser).await;
    stage.enter("keyed", &[]).await;
    a_file_is_previewed_done_and_undone(&stage).await;
    a_user_is_added_edited_acted_on_and_deleted(&stage.browser).await;
    a_resync_shows_a_number_again(&stage.browser).await;
    a_number_is_rotated(&stage.browser).await;
    assert_eq!(stage.browser.violations().await, json!([]));
    assert!(stage.browser.keeps_the_contract().await > 20);
}

/// Goes to what is called so, and presses Enter.
async fn enter(browser: &Browser, name: &str) {
    browser.tab_to(name).await;
    browser.press(&["Enter"]).await;
}

/// Goes to the field of a label and types.
async fn type_into(browser: &Browser, label: &str, text: &str) {
    browser.tab_to(label).await;
    browser.type_text(text).await;
}

/// Waits until a screen is shown, and no dialog over it: only then keys of one letter go anywhere.
async fn arrived_at(browser: &Browser, heading: &str) {
    const SHOWN: &str =
        "return document.querySelector('h1')?.innerText === arguments[0] && !document.querySelector('dialog[open]')";
    browser.until(&format!("{heading} is shown"), SHOWN, json!([heading])).await;
    browser.settled().await;
}

/// What is previewed is done.
async fn previewed_and_done(browser: &Browser) {
    browser.read("A preview: nothing has been changed.").await;
    browser.settled().await;
    enter(browser, "Do it").await;
    finished(browser).await;
}

async fn a_file_is_previewed_done_and_undone(Stage { stack, browser, .. }: &Stage) {
    let file = stack.dir().join("november.csv");
    fs::write(&file, "Login ID,Allowed Caller ID\nuser1,+919876500005\n").expect("a file");
    enter(browser, "More actions").await;
    browser.press(&["b", "Enter"]).await;
    // The list of files is the system's, and no part of the page.
    browser.choose_file(&file).await;
    browser.read("Read as: Bulk append caller ID, with 2 columns.").await;
    enter(browser, "Upload and preview").await;
    previewed_and_done(browser).await;
    enter(browser, "Undo…").await;
    enter(browser, "Preview the undo").await;
    previewed_and_done(browser).await;
}

async fn a_user_is_added_edited_acted_on_and_deleted(browser: &Browser) {
    browser.press(&["g", "u"]).await;
    arrived_at(browser, "All users").await;
    browser.press(&["n"]).await;
    type_into(browser, "Login ID", "maya").await;
    type_into(browser, "Name", "Maya Iyer").await;
    browser.press(&["Enter"]).await;
    browser.read("Nothing to dial from.").await;

    browser.press(&["n"]).await;
    type_into(browser, "Numbers", "98765 00002").await;
    enter(browser, "Append").await;
    browser.read("1 number to dial from now").await;

    browser.press(&["e"]).await;
    browser.see("dialog[open] input").await;
    type_into(browser, "Name", "Maya Rao").await;
    browser.press(&["Enter"]).await;
    browser.read("Maya Rao").await;

    enter(browser, "Actions on maya").await;
    browser.press(&["b", "Enter"]).await;
    browser.read("blocked").await;
    enter(browser, "Actions on maya").await;
    browser.press(&["End", "Enter"]).await;
    type_into(browser, "Type maya to go on", "maya").await;
    browser.press(&["Enter"]).await;
    arrived_at(browser, "All users").await;
}

async fn a_resync_shows_a_number_again(browser: &Browser) {
    browser.press(&["g", "m"]).await;
    arrived_at(browser, "User mapping").await;
    type_into(browser, "Why can’t", "crm-2").await;
    type_into(browser, "see", "98765 00001").await;
    browser.press(&["Enter"]).await;
    browser.read("It isn’t seen.").await;
    enter(browser, "Resync").await;
    enter(browser, "Preview").await;
    previewed_and_done(browser).await;
    // As Alt with the left arrow does.
    browser.run("history.back()", json!([])).await;
    browser.read("It is seen.").await;
}

async fn a_number_is_rotated(browser: &Browser) {
    browser.press(&["g", "n"]).await;
    arrived_at(browser, "Numbers").await;
    browser.press(&["/"]).await;
    browser.type_text("00001").await;
    browser.press(&["Enter"]).await;
    browser.read("1 number shown of").await;
    browser.press(&["Escape", "j", "x", "r"]).await;
    type_into(browser, "New number 1", "+919876500009").await;
    enter(browser, "Preview 1 number").await;
    previewed_and_done(browser).await;
}

/// To a screen, down the rows, into one, its form, and back; chosen rows and what is done with them.
async fn everything_can_be_reached(browser: &Browser) {
    let focus = "return document.activeElement.closest('tr')?.innerText.includes(arguments[0])";
    browser.press(&["j"]).await;
    browser.until("the first row has the focus", focus, json!(["user8"])).await;
    browser.press(&["j", "x", "j", "X"]).await;
    browser.read("2 chosen").await;
    browser.press(&["Enter"]).await;
    browser.read("Fatima Sheikh").await;
    browser.see("#caller-ids").await;
    browser.press(&["e"]).await;
    browser.see("dialog[open]").await;
    browser.press(&["Escape"]).await;
    browser.until("the dialog is closed", "return !document.querySelector('dialog[open]')", json!([])).await;
    browser.press(&["g", "n"]).await;
    arrived_at(browser, "Numbers").await;
    browser.press(&["/"]).await;
    browser.type_text("0007").await;
    browser.press(&["Enter"]).await;
    browser.read("1 number shown of 1").await;
    browser.until("the search is in the address", "return location.hash.includes('search=0007')", json!([])).await;
    browser.press(&["Escape", "j", "x", "r"]).await;
    browser
        .until(
            "the rotation has the number",
            "return document.querySelector('.pair input')?.value === '+919876500007'",
            json!([]),
        )
        .await;
    browser.run("history.back()", json!([])).await;
    browser
        .until(
            "Back brings the search again",
            "return document.querySelector('[data-search]')?.value === '0007'",
            json!([]),
        )
        .await;
    browser.press(&["?"]).await;
    browser.see("dialog[open] kbd").await;
    browser.press(&["Escape", "g", "j"]).await;
    browser.read("No jobs yet").await;
    let focused = browser.run("return document.activeElement.tagName", json!([])).await;
    assert_eq!(focused, "H1", "a new place has the focus at its heading");
}
