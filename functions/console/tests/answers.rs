//! What the function answers, and how large what it serves is.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{collections::BTreeSet, fs, io::Read, path::Path};
use web_console::{Answer, Config, Request, packed};

const WEB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/web");
/// Bytes that a browser fetches to show the first screen: what a first visit over a slow line may take.
const MOST_AT_FIRST: usize = 50_000;
/// Bytes that a browser fetches to show any one screen, of all that it has never seen.
const MOST_OF_A_VISIT: usize = 60_000;
/// Bytes of all screens together.
const MOST_IN_ALL: usize = 88_000;
/// Bytes of a further screen, which is fetched when somebody opens it.
const MOST_OF_A_SCREEN: usize = 10_000;
/// Characters of a line.
const MOST_COLUMNS: usize = 120;
/// What a file may have, in lines: one that people can read.
const MOST_LINES: usize = 400;

fn config() -> Config {
    Config::new(
        "https://id.example.com/realms/one",
        "console".to_owned(),
        "https://login.example.com/",
        "https://files.s3.us-east-1.amazonaws.com".to_owned(),
    )
}

fn ask(path: &str, headers: &Value) -> Answer {
    let event = json!({ "rawPath": path, "headers": headers, "requestContext": { "http": { "method": "GET" } } });
    config().answer(&serde_json::from_value::<Request>(event).expect("an event"))
}

fn text(answer: &Answer) -> String {
    let bytes = if answer.is_base64_encoded {
        BASE64_STANDARD.decode(&answer.body).expect("base64")
    } else {
        answer.body.clone().into_bytes()
    };
    if answer.headers.get("content-encoding").is_none_or(|coding| coding != "gzip") {
        return String::from_utf8(bytes).expect("text");
    }
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("gzip");
    text
}

/// The addresses in the page.
fn addresses(page: &str) -> Vec<String> {
    let parts = page.split("\"/console/").skip(1).filter_map(|part| part.split_once('"'));
    parts.map(|(address, _)| format!("/console/{address}")).collect()
}

/// A text without white space.
fn words(text: &str) -> String {
    text.split_whitespace().collect()
}

/// A file of ours without its comments. None of our texts and templates has what looks like one.
fn without_comments(name: &str, text: &str) -> String {
    if name.starts_with("vendor/") {
        return text.to_owned();
    }
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let parts = text.split("/*").enumerate();
    parts.map(|(nth, part)| if nth == 0 { part } else { part.split_once("*/").map_or("", |(_, rest)| rest) }).collect()
}

#[test]
fn the_page_is_asked_for_each_time_and_what_it_names_never_again() {
    let page = ask("/console", &json!({ "accept-encoding": "gzip, br" }));
    assert_eq!((page.status_code, page.headers["cache-control"].as_str()), (200, "no-cache"));
    let same = ask("/console", &json!({}));
    assert_eq!(text(&page), text(&same));
    assert!(!same.headers.contains_key("content-encoding"), "who takes no gzip gets none");
    let again = ask("/console", &json!({ "accept-encoding": "gzip", "if-none-match": page.headers["etag"] }));
    assert_eq!((again.status_code, again.body.as_str()), (304, ""));

    let addresses = addresses(&text(&page));
    assert!(addresses.len() > 5, "{addresses:?}");
    for address in addresses {
        let file = ask(&address, &json!({ "accept-encoding": "gzip" }));
        assert_eq!(file.status_code, 200, "{address}");
        assert!(file.headers["cache-control"].contains("immutable"), "{address}");
        let name = address.splitn(4, '/').nth(3).expect("a name");
        let written = fs::read_to_string(Path::new(WEB).join(name)).expect("a file");
        let served = text(&file);
        assert_eq!(words(&served), words(&without_comments(name, &written)), "{name}");
    }
    for nothing in ["/console/x", "/console/0/main.js", "/consoles", "/console/../src/lib.rs"] {
        assert_eq!(ask(nothing, &json!({})).status_code, 404, "{nothing}");
    }
}

#[test]
fn no_page_but_ours_runs_scripts_and_none_asks_a_third() {
    for path in ["/console", "/console/config.json", "/console/nothing"] {
        let answer = ask(path, &json!({}));
        let policy = &answer.headers["content-security-policy"];
        for part in [
            "default-src 'none'",
            "script-src 'self';",
            "style-src 'self';",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
            "connect-src 'self' https://files.s3.us-east-1.amazonaws.com https://id.example.com https://login.example.com;",
        ] {
            assert!(policy.contains(part), "{path}: {part} in {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
    let page = text(&ask("/console", &json!({})));
    assert!(!page.contains("<style") && !page.contains("style=") && !page.contains("://"), "{page}");
}

#[test]
fn a_browser_is_told_who_issues_tokens_and_an_issuer_that_is_none_is_the_api_itself() {
    let told = |config: &Config| -> Value {
        let event = json!({ "rawPath": "/console/config.json", "requestContext": { "http": { "method": "GET" } } });
        let answer = config.answer(&serde_json::from_value(event).expect("an event"));
        serde_json::from_str(&answer.body).expect("JSON")
    };
    let config = told(&config());
    assert_eq!(config["issuer"], "https://id.example.com/realms/one");
    assert_eq!(config["login_url"], "https://login.example.com");
    assert!(config["scopes"].as_array().expect("scopes").contains(&json!("rollcall/audit.read")));
    let here = Config::new("https://issuer.invalid", "rollcall".to_owned(), "", "http://127.0.0.1:1".to_owned());
    assert_eq!((told(&here)["issuer"].as_str(), told(&here)["client_id"].as_str()), (Some(""), Some("rollcall")));
}

/// The files of screens that are fetched for one of them.
fn needed_by(screen: &str) -> BTreeSet<String> {
    let mut needed = BTreeSet::new();
    let mut open = vec![screen.to_owned()];
    while let Some(name) = open.pop() {
        let text = fs::read_to_string(Path::new(WEB).join(&name)).expect("a file");
        let others = text.split("from './").skip(1).filter_map(|rest| rest.split('\'').next());
        open.extend(others.map(|other| format!("screens/{other}")).filter(|other| !needed.contains(other)));
        needed.insert(name);
    }
    needed
}

#[test]
fn what_is_fetched_stays_small_and_readable() {
    let fetched = || packed().filter(|file| [".js", ".css", ".html"].iter().any(|end| file.name.ends_with(end)));
    let at_first = |name: &str| !name.starts_with("screens/") || name.starts_with("screens/users");
    let first: usize = fetched().filter(|file| at_first(file.name)).map(|file| file.compressed).sum();
    assert!(first <= MOST_AT_FIRST, "{first} bytes");
    for screen in fetched().filter(|file| file.name.starts_with("screens/")) {
        let needed = needed_by(screen.name);
        let visit = fetched().filter(|file| !file.name.starts_with("screens/") || needed.contains(file.name));
        let visit: usize = visit.map(|file| file.compressed).sum();
        assert!(visit <= MOST_OF_A_VISIT, "{} takes {visit} bytes", screen.name);
    }
    let all: usize = fetched().map(|file| file.compressed).sum();
    assert!(all <= MOST_IN_ALL, "{all} bytes");
    for file in fetched() {
        assert!(file.compressed <= MOST_OF_A_SCREEN, "{} has {} bytes", file.name, file.compressed);
    }
    for file in fetched().filter(|file| !file.name.starts_with("vendor/")) {
        let text = fs::read_to_string(Path::new(WEB).join(file.name)).expect("a file");
        assert!(text.lines().count() <= MOST_LINES, "{} has {} lines", file.name, text.lines().count());
        let long = text.lines().position(|line| line.chars().count() > MOST_COLUMNS);
        assert_eq!(long, None, "{} has a long line", file.name);
    }
}

/// What others have written is what they published, but for the one line that the list tells of.
#[test]
fn vendored_files_are_those_of_the_list() {
    let list: Value = serde_json::from_str(include_str!("../vendored.json")).expect("JSON");
    let list = list["files"].as_array().expect("files");
    let mut listed: Vec<String> = Vec::new();
    for file in list {
        let of = |name: &str| file[name].as_str().unwrap_or_else(|| panic!("{file} has no {name}")).to_owned();
        let text = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(of("file"))).expect("the file");
        assert_eq!(hex::encode(Sha256::digest(&text)), of("sha256"), "{}", of("file"));
        assert!(["MIT", "Apache-2.0"].contains(&&*of("license")), "{file}");
        assert!(!of("version").is_empty() && !of("integrity").is_empty());
        listed.push(of("file"));
    }
    let folder = fs::read_dir(Path::new(WEB).join("vendor")).expect("a folder");
    let names = folder.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
    for name in names.filter(|name| name.rsplit('.').next() == Some("js")) {
        assert!(listed.contains(&format!("web/vendor/{name}")), "{name} stands in no list");
    }
}
