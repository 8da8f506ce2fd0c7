//! Names, addresses, numbers and tokens that would be noticed anywhere: where they may be, and that they are nowhere else. (The logs of
//! every other test are looked through too, for what tests are full of: `src/canaries.rs`.)

use axum::http::{Method, StatusCode};
use e2e::{Stack, user};
use rollcall_bulk::upload::UploadOptions;
use rollcall_engine::world::Bucket;
use rollcall_model::{email::EmailAddress, jobs::JobKind, user::Name};
use serde_json::json;

const NAME: &str = "Canary Zwölfender";
const LOGIN: &str = "canary-login";
const ADDRESS: &str = "canary@quail.example";
const NUMBER: &str = "+919811199277";
const CANARIES: [&str; 5] = [NAME, LOGIN, ADDRESS, "9811199277", "canary-file"];

/// A name that would add headers, if it could.
const INJECTING: &str = "canary-file\r\nBcc: thief@quail.example\r\n\r\n\"x\".csv";

async fn stack() -> Stack {
    let stack = Stack::start(&[]).await;
    let mut canary = user(LOGIN);
    canary.profile.name = Name::parse(NAME).expect("a name");
    canary.profile.email = Some(EmailAddress::parse(ADDRESS).expect("an address"));
    canary.caller_ids = vec![NUMBER.parse().expect("a number")];
    stack.create_user(canary).await;
    stack.recipients(&["ops@example.com"]).await;
    stack
}

/// Everything that functions have logged.
fn logs(stack: &Stack) -> String {
    let logs = std::fs::read_dir(stack.dir().join("logs")).expect("logs");
    logs.map(|log| std::fs::read_to_string(log.expect("a log").path()).expect("a text")).collect()
}

fn nowhere(what: &str, text: &str) {
    for canary in CANARIES {
        assert!(!text.contains(canary), "{canary} is in {what}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_of_in_logs_errors_or_links() {
    let stack = stack().await;
    let token = stack.caller(&["--account", "acme"]);
    let own = format!("/v1/users/{LOGIN}");
    assert_eq!(token.get(&own).await.status, StatusCode::OK);
    // Every kind of refusal: a stranger, another account, a bad body, a conflict, a bad parameter.
    let other = stack.caller(&["--account", "other"]);
    nowhere("another account's answer", &other.get(&own).await.text());
    let found = other.get(&format!("/v1/users?search={}", "canary")).await;
    assert_eq!(found.json()["items"], json!([]));
    nowhere("a stranger's answer", &stack.stranger().get(&own).await.text());
    nowhere("an impostor's answer", &stack.impostor().get(&own).await.text());
    let twin = json!({ "login": "twin", "name": "Twin", "email": ADDRESS }).to_string();
    // Who has an address is told to who may read users, and to nobody else.
    let writer = stack.caller(&["--account", "acme", "--scope", "rollcall/users.write"]);
    for (who, is_told) in [(&token, true), (&writer, false)] {
        let refused = who.ask(Method::POST, "/v1/users", &[], twin.clone()).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert!(!refused.text().contains(NAME) && refused.text().contains(LOGIN) == is_told, "{}", refused.text());
    }
    for (method, path, body) in [
        (Method::PATCH, own.as_str(), json!({ "email": "not an address" })),
        (Method::PATCH, own.as_str(), json!({ "nonsense": NAME })),
        (Method::POST, own.as_str(), json!({})),
        (Method::GET, "/v1/users?sort=nonsense", json!(null)),
        (Method::POST, "/v1/numbers", json!({ "numbers": [{ "number": NUMBER, "nonsense": ADDRESS }] })),
    ] {
        let reply =
            token.ask(method.clone(), path, &[], if body.is_null() { String::new() } else { body.to_string() }).await;
        assert!(reply.status.is_client_error(), "{method} {path}: {}", reply.text());
        assert!(!reply.text().contains(NAME) && !reply.text().contains("quail"), "{}", reply.text());
    }
    // A job: its record, the links to its results, and the mail go to whom they are for.
    let rows = format!("Login ID,Allowed Caller ID\n{LOGIN},9811199278\n{LOGIN},junk {NUMBER}\n");
    let job = stack.append("canary-file.csv", rows).await;
    assert_eq!((job.counts.applied, job.counts.failed), (1, 1));
    let link = token.get(&format!("/v1/jobs/{}/failures", job.id)).await;
    let location = link.header("location").to_owned();
    assert!(link.status.is_redirection() && !location.is_empty());
    for canary in [NAME, LOGIN, ADDRESS, "9811199277"] {
        assert!(!location.contains(canary), "{canary} is in {location}");
    }
    for secret in [token.token().expect("a token"), stack.endpoints().secret_access_key.as_str()] {
        assert!(!location.contains(secret) && !logs(&stack).contains(secret), "a secret is told");
    }
    let mails = stack.mails();
    assert_eq!((mails.len(), mails[0].to.as_slice()), (1, &["ops@example.com".to_owned()][..]));
    for canary in [NAME, LOGIN, ADDRESS, "9811199277"] {
        assert!(!format!("{}{}", mails[0].subject, mails[0].text).contains(canary), "{canary} is in {:?}", mails[0]);
    }
    nowhere("a log", &logs(&stack));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_names_a_file_writes_no_headers_and_whoever_fills_it_no_formulas() {
    let stack = stack().await;
    let cells = ["=HYPERLINK(1)", "+1-1", "-2+3", "@SUM(1)", "\t=1", "'=1", "''+1"];
    let rows: String = cells.iter().map(|cell| format!("\"{cell}\",\"{cell}\",\"{cell}\"\n")).collect();
    let file = format!("Login ID,Allowed Caller ID,=Note\n{rows}");
    stack.recipients(&["ops@example.com", "ann@quail.example"]).await;
    let options = UploadOptions { notify: EmailAddress::parse("ann@quail.example").ok(), ..UploadOptions::default() };
    let source = stack.drop_on(JobKind::AppendCallerIds, INJECTING, file, &options).await;
    let job = stack.ended(&source).await;
    assert_eq!((job.counts.failed, job.counts.rows()), (7, 7), "{job:?}");

    let mails = stack.mails();
    let [mail] = mails.as_slice() else { panic!("{mails:?}") };
    assert_eq!(mail.to, ["ann@quail.example"]);
    assert!(!mail.headers.iter().any(|name| name == "bcc" || name == "cc"), "{:?}", mail.headers);
    for header in ["from", "to", "subject", "content-type"] {
        assert_eq!(mail.headers.iter().filter(|name| *name == header).count(), 1, "{header}: {:?}", mail.headers);
    }
    let [(name, failed)] = mail.attachments.as_slice() else { panic!("{mail:?}") };
    assert!(!name.contains(['\r', '\n', '"']), "{name:?}");

    let results = stack.files.get(&job.keys().results()).await.unwrap().expect("results");
    for file in [failed.as_slice(), &results] {
        let mut csv = csv::ReaderBuilder::new().has_headers(false).from_reader(file);
        let mut cells = 0;
        for record in csv.records() {
            for cell in &record.expect("a record") {
                cells += 1;
                assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\0']), "{cell:?}");
            }
        }
        assert_eq!(cells, 8 * 9);
    }
    nowhere("a log", &logs(&stack));
}
