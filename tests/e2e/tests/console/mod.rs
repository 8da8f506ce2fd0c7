//! The console in a real browser: what people do with it, by mouse and by keyboard, and that everybody can use it.
//!
//! Without a browser these tests say so and pass; in CI there must be one.

mod fit;
mod forms;
mod keyboard;
mod pictures;
mod story;
mod strangers;

use e2e::{Browser, Caller, Look, Stack, rollcall};

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

/// A stack, and a browser that goes from one account of it to the next: both take seconds of a processor to start.
struct Stage {
    stack: Stack,
    browser: Browser,
    account: &'static str,
}

impl Stage {
    /// A stack without accounts, and a browser; `None` where there is no browser.
    async fn open(look: Look) -> Option<Self> {
        let browser = Browser::open(look).await?;
        let stack = Stack::start(&["AuditSettleSeconds=2", "AuditBatchSeconds=0"]).await;
        Some(Self { stack, browser, account: "" })
    }

    /// Makes an account with users, numbers and mappings to try things on, and has somebody log in to it with these options of
    /// `rollcall console`.
    async fn enter(&mut self, account: &'static str, options: &[&str]) {
        self.account = account;
        let seeded = rollcall(Some(&self.stack), &["seed", "--account", account], b"");
        assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
        self.browser.log_in(&self.stack, &[&["--account", account], options].concat()).await;
        self.browser.watch().await;
    }

    /// Somebody else who asks the API of the account.
    fn caller(&self, options: &[&str]) -> Caller {
        self.stack.caller(&[&["--account", self.account], options].concat())
    }
}
