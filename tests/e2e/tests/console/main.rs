//! The console in a real browser: what people do with it, by mouse and by keyboard, and that everybody can use it.
//!
//! Without a browser these tests say so and pass; in CI there must be one.

mod fit;
mod forms;
mod pictures;
mod story;
mod strangers;

use e2e::{Browser, Look, Stack, rollcall};

/// An account with users, numbers and mappings to try things on.
const ACCOUNT: [&str; 2] = ["--account", "acme"];
/// What most people have.
const USUAL: Look = Look { width: 1280, dark: false };

/// The screens by address, with what their headings say.
const SCREENS: [(&str, &str); 13] = [
    ("#/users", "All users"),
    ("#/users/user2", "Vikram Mehta"),
    ("#/extensions", "Extension status"),
    ("#/numbers", "Numbers"),
    ("#/numbers/%2B919876500001", "+91 98765 00001"),
    ("#/rotation", "Rotation"),
    ("#/jobs", "Jobs"),
    ("#/mappings?why=crm-2&number=98765%2000002", "User mapping"),
    ("#/directory", "Azure AD users"),
    ("#/audit", "Audit trail"),
    ("#/settings", "Settings"),
    ("#/settings?part=roles", "Settings"),
    ("#/nowhere", "Nothing is here"),
];

/// A stack with an account, and a browser that is logged in to it; `None` where there is no browser.
async fn opened(look: Look, options: &[&str]) -> Option<(Stack, Browser)> {
    let browser = Browser::open(look).await?;
    let stack = Stack::start(&["AuditSettleSeconds=2", "AuditBatchSeconds=0"]).await;
    let seeded = rollcall(Some(&stack), &[&["seed"], &ACCOUNT[..]].concat(), b"");
    assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
    browser.log_in(&stack, &[&ACCOUNT[..], options].concat()).await;
    browser.watch().await;
    Some((stack, browser))
}
