//! A user's default caller ID: what calls show where nothing else is said.

use axum::http::{Method, StatusCode};
use e2e::{Caller, Reply, Stack, rollcall};
use rollcall_bulk::job::JobState;
use rollcall_model::jobs::JobKind;
use serde_json::{Value, json};

use super::furnish;

const ONE: &str = "+919876500001";
const TWO: &str = "+919876500002";
const THREE: &str = "+919876500003";

async fn patch(owner: &Caller, default: Value) -> Reply {
    owner.ask(Method::PATCH, "/v1/users/user1", &[], json!({ "default_caller_id": default }).to_string()).await
}

/// What is said of the default, and what comes of it.
async fn default(owner: &Caller) -> (Value, Value) {
    let said = owner.get("/v1/users/user1").await.json()["default_caller_id"].clone();
    (said, owner.get("/v1/users/user1/caller-ids").await.json()["default"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_default_is_one_that_the_user_may_dial_from_and_counts_while_that_is_so() {
    let stack = Stack::start(&[]).await;
    let owner = furnish(&stack).await;
    assert_eq!(default(&owner).await, (Value::Null, Value::Null));
    for wrong in [TWO, "+919876599999", "junk"] {
        let refused = patch(&owner, json!(wrong)).await;
        let told = refused.json();
        assert_eq!(
            (refused.status, &told["pointer"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("/default_caller_id"))
        );
    }
    let new = json!({ "login": "user9", "name": "N", "default_caller_id": ONE }).to_string();
    assert_eq!(owner.ask(Method::POST, "/v1/users", &[], new).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let set = patch(&owner, json!("98765 00001")).await;
    assert_eq!((set.status, set.json()["default_caller_id"].clone()), (StatusCode::OK, json!(ONE)));
    assert_eq!(default(&owner).await, (json!(ONE), json!(ONE)));

    // It is what a refused call is told to show instead.
    let more = json!({ "caller_ids": ["+919876500004"] }).to_string();
    owner.ask(Method::POST, "/v1/users/user1/caller-ids", &[], more).await;
    let asked = owner.get(&format!("/v1/users/user1/caller-ids/{TWO}?suggest=true")).await;
    assert_eq!((asked.header("rollcall-use"), asked.json()["use"].clone()), (ONE, json!(ONE)));

    // Off the list it counts no more, and again when it is back.
    owner.ask(Method::DELETE, &format!("/v1/users/user1/caller-ids/{ONE}"), &[], "").await;
    assert_eq!(default(&owner).await, (json!(ONE), Value::Null));
    let renamed = json!({ "name": "Asha" }).to_string();
    let reply = owner.ask(Method::PATCH, "/v1/users/user1", &[], renamed).await;
    assert_eq!(reply.status, StatusCode::OK, "another change is not in its way");
    owner.ask(Method::POST, "/v1/users/user1/caller-ids", &[], json!({ "caller_ids": [ONE] }).to_string()).await;
    assert_eq!(default(&owner).await, (json!(ONE), json!(ONE)));

    // A replacement takes its place, and gives it back.
    let account = stack.account.as_str();
    let rotated = rollcall(Some(&stack), &["rotate", &format!("{ONE}={THREE}"), "--yes", "--account", account], b"");
    assert!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
    assert_eq!(default(&owner).await, (json!(ONE), json!(THREE)));
    let undone = rollcall(Some(&stack), &["undo", "latest", "--yes", "--account", account], b"");
    assert!(undone.status.success(), "{}", String::from_utf8_lossy(&undone.stderr));
    assert_eq!(default(&owner).await, (json!(ONE), json!(ONE)));

    assert_eq!(patch(&owner, Value::Null).await.status, StatusCode::OK);
    assert_eq!(default(&owner).await, (Value::Null, Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_sets_defaults_with_a_preview_and_an_undo() {
    let stack = Stack::start(&[]).await;
    let owner = furnish(&stack).await;
    let file = format!(
        "Login ID,Allowed Caller ID,Default Caller ID\nuser1,,{ONE}\nuser2,{THREE},98765 00003\nuser2,,\nuser3,,{ONE}\n"
    );
    owner.ask(Method::POST, "/v1/users", &[], json!({ "login": "user3", "name": "N" }).to_string()).await;
    let job = stack.preview(JobKind::UploadUsers, "defaults.csv", file.clone()).await;
    assert_eq!(default(&owner).await.0, Value::Null, "a preview changes nothing");
    let job = stack.execute(&job).await;
    assert_eq!(job.state, JobState::Finished);
    let rows = stack.report(&job, "results").await;
    let refused: Vec<bool> = rows.iter().map(|row| row["Error Code"].contains("DEFAULT_NOT_ALLOWED")).collect();
    assert_eq!(refused, [false, false, false, true], "{rows:?}");
    assert_eq!((job.counts.failed, &*rows[3]["Error Field"]), (1, "Default Caller ID"));
    assert_eq!(default(&owner).await, (json!(ONE), json!(ONE)));
    let ravi = owner.get("/v1/users/user2/caller-ids").await.json();
    assert_eq!(ravi["default"], THREE, "with what the same row appends");

    // What is downloaded and dropped again changes nothing.
    let whole = owner.get("/v1/users.csv").await.text();
    assert!(whole.contains("Default Caller ID") && whole.contains(ONE), "{whole}");
    let again = stack.upload_users("again.csv", whole).await;
    assert_eq!((again.counts.applied, again.counts.failed), (0, 0), "{:?}", again.counts);

    let account = stack.account.as_str();
    let undone = rollcall(Some(&stack), &["undo", job.id.as_str(), "--yes", "--account", account], b"");
    assert!(undone.status.success(), "{}", String::from_utf8_lossy(&undone.stderr));
    assert_eq!(default(&owner).await, (Value::Null, Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_sets_and_clears_a_default_and_lists_show_it() {
    let stack = Stack::start(&[]).await;
    let owner = furnish(&stack).await;
    let edit = |words: &[&str]| {
        let account = ["--account", stack.account.as_str()];
        rollcall(Some(&stack), &[&["users", "edit", "user1"], words, &account].concat(), b"")
    };
    assert!(edit(&["--default-caller-id", ONE]).status.success());
    e2e::until("the list shows it", || {
        let shown = rollcall(Some(&stack), &["users", "--json", "--account", stack.account.as_str()], b"");
        e2e::json(&shown).to_string().contains(&format!("\"default_caller_id\":\"{ONE}\"")).then_some(())
    })
    .await;
    let refused = edit(&["--default-caller-id", TWO]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("may not dial from"), "{refused:?}");
    assert!(edit(&["--clear", "default-caller-id"]).status.success());
    assert_eq!(default(&owner).await.0, Value::Null);
}
