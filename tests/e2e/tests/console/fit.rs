//! Fit for everybody: rules of WCAG 2.2 A and AA by axe, in both themes; widths; and no violation of the page's policy.

use e2e::{Browser, Look};
use serde_json::{Value, json};

use super::{SCREENS, Stage, USUAL};

/// By Deque, under the Mozilla Public License 2.0; here for the tests alone.
const AXE: &str = include_str!("../../vendor/axe.min.js");
const TAGS: [&str; 6] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/// Rules of a part of the page that are broken.
const CHECK: &str = "const done = arguments[2];
    axe.run(document.querySelector(arguments[0]) ?? document, { runOnly: arguments[1] }).then(({ violations }) => done(violations.map(one =>
        `${one.id}: ${one.nodes.slice(0, 3).map(node => `${node.target} ${node.any[0]?.message ?? ''}`).join('; ')}`)))";

#[tokio::test(flavor = "multi_thread")]
async fn every_screen_and_dialog_is_fit_for_everybody() {
    let Some(mut stage) = Stage::open(USUAL).await else { return };
    stage.enter("acme", &[]).await;
    let browser = &stage.browser;
    // The page stays, so axe does.
    browser.run(AXE, json!([])).await;
    for dark in [false, true] {
        browser.look(Look { dark, ..USUAL }).await;
        for (hash, heading) in SCREENS {
            browser.place(hash, heading).await;
            keeps_the_rules(browser, "html", &format!("{hash}, {}", if dark { "dark" } else { "light" })).await;
        }
    }
    dialogs_keep_the_rules(browser).await;
    for width in [320, 768, 1024, 1440] {
        browser.look(Look { width, dark: false }).await;
        for (hash, heading) in SCREENS {
            browser.place(hash, heading).await;
            does_not_scroll_sideways(browser, width, hash).await;
        }
    }
    assert_eq!(browser.violations().await, json!([]));
}

async fn keeps_the_rules(browser: &Browser, part: &str, what: &str) {
    assert_eq!(browser.run_async(CHECK, json!([part, TAGS])).await, json!([]), "{what}");
}

async fn does_not_scroll_sideways(browser: &Browser, width: u32, hash: &str) {
    let [page, window]: [Value; 2] = [
        browser.run("return document.documentElement.scrollWidth", json!([])).await,
        browser.run("return innerWidth", json!([])).await,
    ];
    assert_eq!(window, json!(width));
    assert!(page.as_u64() <= window.as_u64(), "{hash} is {page} wide on {width}");
}

async fn dialogs_keep_the_rules(browser: &Browser) {
    browser.look(USUAL).await;
    for (hash, heading, word) in [
        ("#/users", "All users", "Add user"),
        ("#/users/user2", "Vikram Mehta", "Edit user"),
        ("#/numbers", "Numbers", "Add numbers"),
        ("#/jobs", "Jobs", "Upload a file"),
        ("#/mappings", "User mapping", "Map a CRM user"),
    ] {
        browser.place(hash, heading).await;
        browser.click(word).await;
        browser.see("dialog[open] input, dialog[open] textarea").await;
        keeps_the_rules(browser, "dialog", word).await;
        browser.press(&["Escape"]).await;
        let back =
            "return !document.querySelector('dialog[open]') && document.activeElement.innerText === arguments[0]";
        browser.until("the focus is where it was", back, json!([word])).await;
    }
}
