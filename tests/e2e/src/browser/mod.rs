//! A real browser, Chromium, and what a person does with it.

mod webdriver;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use self::webdriver::{DRIVER, DriverError, WebDriver};
use crate::{Reply, Stack, contract, rollcall};

/// Longest that anything on a page is waited for.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Pixels of a page from top to bottom.
const HEIGHT: u32 = 900;
/// A script's part that tells what an element is called, as a screen reader says it.
const NAME_OF: &str = "const nameOf = one =>
    (one.ariaLabel ?? one.labels?.[0]?.innerText ?? one.innerText ?? '').replace(/[▾\\s]+$/, '').trim();";
/// How `WebDriver` names an element in JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// What a browser is opened with.
#[derive(Clone, Copy)]
pub struct Look {
    /// Pixels of the page.
    pub width: u32,
    /// Whether the person's system is dark.
    pub dark: bool,
}

/// An open browser, with one profile that nobody has used before. It closes when it is dropped.
pub struct Browser {
    driver: WebDriver,
}

impl Browser {
    /// A browser, or `None`, with a word about it, where the machine has none. Where `CI` is set, there must be one.
    pub async fn open(look: Look) -> Option<Self> {
        let size = format!("--window-size={},{HEIGHT}", look.width);
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            // A tab of a page that waits is not slowed down.
            "--disable-renderer-backgrounding",
            "--lang=en-GB",
            &size,
        ];
        let options = json!({ "args": arguments });
        let capabilities = json!({ "goog:chromeOptions": options, "unhandledPromptBehavior": "accept" });
        let Some(driver) = WebDriver::start(capabilities).await else {
            assert!(std::env::var_os("CI").is_none(), "CI needs {DRIVER}");
            eprintln!("No {DRIVER} on this machine: the console isn't tried in a browser.");
            return None;
        };
        let browser = Self { driver };
        browser.look(look).await;
        Some(browser)
    }

    /// Has the open page look so from now on.
    pub async fn look(&self, look: Look) {
        let scheme = if look.dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        let metrics = json!({ "width": look.width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": false });
        for (command, parameters) in
            [("Emulation.setEmulatedMedia", features), ("Emulation.setDeviceMetricsOverride", metrics)]
        {
            let command = json!({ "cmd": command, "params": parameters });
            self.send(Method::POST, "/goog/cdp/execute", command).await;
        }
    }

    /// Opens the console of a stack as somebody with a token of these options of `rollcall console`.
    pub async fn log_in(&self, stack: &Stack, options: &[&str]) {
        let arguments: Vec<&str> = ["console", "--print"].iter().chain(options).copied().collect();
        let printed = rollcall(Some(stack), &arguments, b"");
        assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
        self.go(String::from_utf8_lossy(&printed.stdout).trim()).await;
        self.see("nav#nav").await;
        self.see("h1").await;
        self.settled().await;
    }

    /// Goes to an address.
    pub async fn go(&self, address: &str) {
        self.send(Method::POST, "/url", json!({ "url": address })).await;
    }

    /// Goes to a place of the console, such as `#/users`, and waits for its heading.
    pub async fn place(&self, hash: &str, heading: &str) {
        self.run("location.hash = arguments[0]", json!([hash])).await;
        self.until(
            &format!("{hash} shows {heading}"),
            "return document.querySelector('h1')?.innerText.includes(arguments[0])",
            json!([heading]),
        )
        .await;
        self.settled().await;
    }

    /// Waits until nothing is loading.
    pub async fn settled(&self) {
        self.until("nothing loads", "return !document.querySelector('.loading, [aria-busy=true], .boot')", json!([]))
            .await;
    }

    /// What a script gives.
    pub async fn run(&self, script: &str, arguments: Value) -> Value {
        self.send(Method::POST, "/execute/sync", json!({ "script": script, "args": arguments })).await
    }

    /// What a script calls its last argument with.
    pub async fn run_async(&self, script: &str, arguments: Value) -> Value {
        self.send(Method::POST, "/execute/async", json!({ "script": script, "args": arguments })).await
    }

    /// Waits until a script says yes.
    pub async fn until(&self, what: &str, script: &str, arguments: Value) -> Value {
        let start = Instant::now();
        loop {
            let said = self.run(script, arguments.clone()).await;
            if !said.is_null() && said != json!(false) && said != json!("") {
                return said;
            }
            if start.elapsed() > TIMEOUT {
                let page = self.run("return document.body.innerText.slice(0, 3000)", json!([])).await;
                panic!("waited too long: {what}\n{}", page.as_str().unwrap_or_default());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits for an element, by a selector.
    pub async fn see(&self, selector: &str) -> Value {
        self.until(selector, "return document.querySelector(arguments[0])", json!([selector])).await
    }

    /// Waits for a text on the page.
    pub async fn read(&self, text: &str) {
        self.until(
            &format!("the text {text:?}"),
            "return document.body.innerText.includes(arguments[0])",
            json!([text]),
        )
        .await;
    }

    /// Clicks on what is called so: a button, a link, an entry of a menu or a label; in the open dialog, if there is one.
    pub async fn click(&self, name: &str) {
        const FIND: &str = "const root = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document;
            const all = [...root.querySelectorAll('button, a, [role=menuitem], label, summary')];
            return all.find(one => nameOf(one) === arguments[0] && !one.disabled && one.getClientRects().length) ?? null";
        let what = format!("{name:?} can be clicked");
        self.on_element(&what, &format!("{NAME_OF} {FIND}"), name, async |id: String| {
            self.driver.act(&id, "click", json!({})).await
        })
        .await;
    }

    /// Does something with the element that a script finds by a name. Should the page draw it anew, or move something over it, between finding and
    /// doing, that is done again: a person would, too.
    async fn on_element(
        &self,
        what: &str,
        find: &str,
        name: &str,
        act: impl AsyncFn(String) -> Result<(), DriverError>,
    ) {
        let start = Instant::now();
        loop {
            let element = self.until(what, find, json!([name])).await;
            let id = element[ELEMENT].as_str().expect("an element").to_owned();
            match act(id).await {
                Ok(()) => return,
                Err(error) => assert!(error.passes() && start.elapsed() < TIMEOUT, "{what}: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Types into the field of a label, or a placeholder, in place of what is there.
    pub async fn fill(&self, label: &str, text: &str) {
        const FIND: &str = "const root = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document;
            const named = [...root.querySelectorAll('label')].find(one => one.innerText.trim() === arguments[0]);
            return (named && document.getElementById(named.htmlFor))
                ?? [...root.querySelectorAll('input, textarea')].find(one => (one.ariaLabel ?? one.placeholder) === arguments[0]) ?? null";
        self.on_element(&format!("the field {label:?}"), FIND, label, async |id: String| {
            self.driver.act(&id, "clear", json!({})).await?;
            self.driver.act(&id, "value", json!({ "text": text })).await
        })
        .await;
    }

    /// Chooses a file where the dialog asks for one.
    pub async fn choose_file(&self, file: &Path) {
        const FIND: &str = "return document.querySelector(arguments[0])";
        let path = json!({ "text": file.display().to_string() });
        self.on_element("a file can be chosen", FIND, "dialog input[type=file]", async |id: String| {
            self.driver.act(&id, "value", path.clone()).await
        })
        .await;
    }

    /// Presses keys one after the other, wherever the focus is: letters, or names such as `Enter`.
    pub async fn press(&self, keys: &[&str]) {
        let code = |key: &str| match key {
            "Enter" => "\u{e007}".to_owned(),
            "Tab" => "\u{e004}".to_owned(),
            "Escape" => "\u{e00c}".to_owned(),
            "Space" => " ".to_owned(),
            "ArrowDown" => "\u{e015}".to_owned(),
            "End" => "\u{e010}".to_owned(),
            other => other.to_owned(),
        };
        let actions = keys.iter().flat_map(|key| {
            let value = code(key);
            [json!({ "type": "keyDown", "value": value }), json!({ "type": "keyUp", "value": value })]
        });
        let actions = json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions.collect::<Vec<_>>() }] });
        self.send(Method::POST, "/actions", actions).await;
    }

    /// Types a text wherever the focus is.
    pub async fn type_text(&self, text: &str) {
        let letters: Vec<String> = text.chars().map(String::from).collect();
        self.press(&letters.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }

    /// Presses Tab until the focus is on what is called so, as who has no mouse gets there.
    pub async fn tab_to(&self, name: &str) {
        let at = format!("{NAME_OF} return nameOf(document.activeElement) === arguments[0]");
        let start = Instant::now();
        while self.run(&at, json!([name])).await != json!(true) {
            assert!(start.elapsed() < TIMEOUT, "Tab doesn't lead to {name:?}");
            self.press(&["Tab"]).await;
        }
    }

    /// Keeps what the page asks of the API from now on, and what it is answered, until the page is loaded anew.
    pub async fn watch(&self) {
        const WATCH: &str = "const before = window.fetch;
            window.asked = [];
            window.fetch = async (url, options = {}) => {
              const answer = await before(url, options);
              if (String(url).startsWith('/v1/')) {
                const copy = answer.clone();
                window.asked.push({ method: options.method ?? 'GET', path: String(url), sent: options.body ?? null,
                  status: answer.status, headers: [...answer.headers], body: await copy.text() });
              }
              return answer;
            }";
        self.run(WATCH, json!([])).await;
    }

    /// Holds all that was kept against the contract; how many requests that were.
    ///
    /// # Panics
    /// If a request or an answer breaks the contract.
    pub async fn keeps_the_contract(&self) -> usize {
        let asked = self.run("return window.asked", json!([])).await;
        let asked = asked.as_array().expect("the page was watched");
        for one in asked {
            let text = |name: &str| one[name].as_str().unwrap_or_default();
            let method: Method = text("method").parse().expect("a method");
            let operation = contract().operation(&method, text("path"));
            let operation = operation.unwrap_or_else(|| panic!("{one} is no route of the contract"));
            if let (Some(schema), Ok(sent)) = (&operation.body, serde_json::from_str(text("sent"))) {
                assert_eq!(contract().faults(schema, &sent), None, "{operation:?}: {sent}");
            }
            let pair = |pair: &Value| {
                let part = |at: usize| pair[at].as_str().expect("a header");
                (part(0).parse::<HeaderName>().expect("a name"), part(1).parse::<HeaderValue>().expect("a value"))
            };
            let reply = Reply {
                status: StatusCode::from_u16(one["status"].as_u64().unwrap_or_default().try_into().expect("a status"))
                    .expect("a status"),
                headers: one["headers"].as_array().into_iter().flatten().map(pair).collect(),
                body: text("body").to_owned().into(),
            };
            if let Err(broken) = contract().check(&method, text("path"), &reply) {
                panic!("{broken}");
            }
        }
        asked.len()
    }

    /// A picture of the page, as PNG.
    pub async fn picture(&self) -> Vec<u8> {
        let picture = self.send(Method::GET, "/screenshot", Value::Null).await;
        BASE64_STANDARD.decode(picture.as_str().expect("a picture")).expect("base64")
    }

    /// What the page's policy has kept from happening, since the page was opened.
    pub async fn violations(&self) -> Value {
        const COLLECT: &str = "const done = arguments[0];
            const seen = new ReportingObserver(() => {}, { types: ['csp-violation'], buffered: true });
            seen.observe();
            setTimeout(() => done(seen.takeRecords().map(report => `${report.body.effectiveDirective} ${report.body.blockedURL} ${report.body.sample}`)), 100)";
        self.run_async(COLLECT, json!([])).await
    }

    async fn send(&self, method: Method, path: &str, body: Value) -> Value {
        let said = self.driver.ask(method.clone(), path, body).await;
        said.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }
}
