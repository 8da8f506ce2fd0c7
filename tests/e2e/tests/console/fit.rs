//! Fit for everybody: rules of WCAG 2.2 A and AA by axe, in both themes; widths; and no violation of the page's policy.

use e2e::Look;
use serde_json::{Value, json};

use crate::{SCREENS, opened};

/// By Deque, under the Mozilla Public License 2.0; here for the tests alone.
const AXE: &str = include_str!("../../vendor/axe.min.js");
const TAGS: [&str; 6] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

#[tokio::test(flavor = "multi_thread")]
async fn every_screen_keeps_the_rules_of_accessibility_in_both_themes() {
    for dark in [false, true] {
        let Some((_stack, browser)) = opened(Look { width: 1280, dark }, &[]).await else { return };
        for (hash, heading) in SCREENS {
            browser.place(hash, heading).await;
            browser.run(AXE, json!([])).await;
            let check = "const done = arguments[1];
                axe.run(document, { runOnly: arguments[0] }).then(({ violations }) => done(violations.map(one =>
                    `${one.id}: ${one.nodes.slice(0, 3).map(node => `${node.target} ${node.any[0]?.message ?? ''}`).join('; ')}`)))";
            let violations = browser.run_async(check, json!([TAGS])).await;
            assert_eq!(violations, json!([]), "{hash}, {}", if dark { "dark" } else { "light" });
        }
        assert_eq!(browser.violations().await, json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dialogs_keep_the_rules_of_accessibility() {
    let Some((_stack, browser)) = opened(Look { width: 1280, dark: false }, &[]).await else { return };
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
        browser.run(AXE, json!([])).await;
        let check = "const done = arguments[1];
            axe.run(document.querySelector('dialog'), { runOnly: arguments[0] }).then(({ violations }) => done(violations.map(one =>
                `${one.id}: ${one.nodes.slice(0, 3).map(node => node.target).join('; ')}`)))";
        assert_eq!(browser.run_async(check, json!([TAGS])).await, json!([]), "{word}");
        browser.press(&["Escape"]).await;
        let back =
            "return !document.querySelector('dialog[open]') && document.activeElement.innerText === arguments[0]";
        browser.until("the focus is where it was", back, json!([word])).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_screen_scrolls_sideways() {
    for width in [320, 768, 1024, 1280, 1440] {
        let Some((_stack, browser)) = opened(Look { width, dark: false }, &[]).await else { return };
        for (hash, heading) in SCREENS {
            browser.place(hash, heading).await;
            let [page, window]: [Value; 2] = [
                browser.run("return document.documentElement.scrollWidth", json!([])).await,
                browser.run("return innerWidth", json!([])).await,
            ];
            assert_eq!(window, json!(width));
            assert!(page.as_u64() <= window.as_u64(), "{hash} is {page} wide on {width}");
        }
    }
}
