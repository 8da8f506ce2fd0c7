//! Numbers by file: added and changed, previewed and taken back, downloaded and dropped again.

use axum::http::{Method, StatusCode};
use e2e::{Stack, rollcall};
use rollcall_model::{catalog::CatalogKind, inventory::NumberState, jobs::JobKind};
use serde_json::json;

const FILE: &str = "Number,Department,State,Purchase Date,Labels\n\
    98765 00001,Sales,flagged,,hot\n\
    +919876500002,,,2026-01-05,\n\
    9876500003,Slaes,,,\n\
    junk,,,,\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_adds_and_changes_numbers_and_an_undo_gives_them_back() {
    let stack = Stack::start(&[]).await;
    stack.own(&["+919876500001"]).await;
    stack.entries(CatalogKind::Department, &["sales"]).await;
    let run = |arguments: &[&str]| {
        let output = rollcall(Some(&stack), &[arguments, &["--account", "acme"]].concat(), b"");
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let owner = stack.caller(&["--account", "acme"]);
    let number = async |digits: &str| owner.get(&format!("/v1/numbers/%2B91{digits}")).await.json();
    let before = number("9876500001").await;
    let file = stack.dir().join("october.csv");
    std::fs::write(&file, FILE).unwrap();
    let file = file.to_str().unwrap();

    let (code, told) = run(&["numbers", "upload", file, "--preview"]);
    assert!(code == Some(3) && told.contains("Would change   3 of 3"), "{told}");
    assert_eq!(number("9876500001").await, before, "a preview changes nothing");
    let (code, told) = run(&["numbers", "upload", file, "--results", "-"]);
    assert!(code == Some(1) && told.contains("DEPARTMENT_UNKNOWN") && told.contains("NUMBER_INVALID"), "{told}");
    let flagged = number("9876500001").await;
    assert_eq!((&flagged["state"], &flagged["department"]), (&json!("flagged"), &json!("sales")));
    assert_eq!(flagged["labels"], json!(["hot"]));
    assert_eq!(number("9876500002").await["in_service_since"], "2026-01-05T00:00:00Z");
    assert_eq!(number("9876500003").await["department"], json!(null));
    let (_, told) = run(&["numbers", "upload", file]);
    assert!(told.contains("0 applied + 3 unchanged"), "{told}");

    // What is downloaded changes nothing when it is dropped again.
    let saved = stack.dir().join("saved.csv");
    assert_eq!(run(&["numbers", "download", saved.to_str().unwrap()]).0, Some(0));
    let (code, told) = run(&["numbers", "upload", saved.to_str().unwrap()]);
    assert!(code == Some(0) && told.contains("3 unchanged"), "{told}");

    // Somebody changes one of them; the others are given back. One that the file has added is retired.
    let patch =
        owner.ask(Method::PATCH, "/v1/numbers/9876500003", &[], json!({ "labels": ["mine"] }).to_string()).await;
    assert_eq!(patch.status, StatusCode::OK, "a number of the account in its own spelling");
    let (_, told) = run(&["undo", "latest", "--yes", "--results", "-"]);
    assert!(told.contains("restore number") && told.contains("CHANGED_SINCE"), "{told}");
    let after = number("9876500001").await;
    assert_eq!((&after["state"], &after["labels"], &after["department"]), (&before["state"], &json!([]), &json!(null)));
    assert_eq!(number("9876500002").await["state"], "retired");
    assert_eq!(
        (&number("9876500003").await["state"], &number("9876500003").await["labels"]),
        (&json!("active"), &json!(["mine"]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_taken_in_every_spelling() {
    let stack = Stack::start(&[]).await;
    let owner = stack.caller(&["--account", "acme"]);
    let numbers = json!({ "numbers": [{ "number": "080 4710 0060" }, { "number": "+91 98765 00001" }] });
    let added = owner.ask(Method::POST, "/v1/numbers", &[], numbers.to_string()).await.json();
    assert_eq!(added["added"], json!(["+918047100060", "+919876500001"]));
    let junk = json!({ "numbers": [{ "number": "junk" }] });
    let refused = owner.ask(Method::POST, "/v1/numbers", &[], junk.to_string()).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["pointer"]), (422, &json!("/numbers/0/number")));
    for spelling in ["08047100060", "%2B918047100060", "8047100060"] {
        let found = owner.get(&format!("/v1/numbers/{spelling}")).await;
        assert_eq!(found.json()["number"], "+918047100060", "{spelling}");
    }
    assert_eq!(owner.get("/v1/numbers/12345").await.status, StatusCode::NOT_FOUND);
    // A job of the kind by the API, with the scope of what it changes.
    let reader = stack.caller(&["--account", "acme", "--scope", "rollcall/jobs.write"]);
    let request = json!({ "kind": "upload-numbers", "name": "n.csv", "size": 10 }).to_string();
    assert_eq!(reader.ask(Method::POST, "/v1/jobs", &[], request).await.status, StatusCode::FORBIDDEN);
    let job =
        stack.ended(&stack.drop_as(JobKind::UploadNumbers, "n.csv", "number,state\n8047100060,new\n").await).await;
    assert_eq!(job.counts.applied, 1);
    let number = owner.get("/v1/numbers/+918047100060").await.json();
    assert_eq!(number["state"], json!(NumberState::New));
}
