//! A login ID that nobody has names the user who was probably meant.

use e2e::{Stack, user};
use rollcall_model::jobs::JobKind;

/// What the report says of each row, in order.
async fn said(stack: &Stack, kind: JobKind, file: &str) -> Vec<String> {
    let source = stack.drop_as(kind, "near.csv", file).await;
    let job = stack.ended(&source).await;
    let rows = stack.report(&job, "failed").await;
    rows.iter().map(|row| row["Error Message"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_nobody_has_names_the_closest() {
    let stack = Stack::start(&[]).await;
    for login in ["00123", "asha.rao", "user10", "मीरा.नायर", "twin1", "twin2"] {
        stack.create_user(user(login)).await;
    }
    let written = [
        ("123", Some("00123")),
        ("Asha Rao", Some("asha.rao")),
        ("asha.rao@example.com", Some("asha.rao")),
        ("useriO", None),
        ("user1O", Some("user10")),
        ("ahsa.rao", Some("asha.rao")),
        ("asa.rao", Some("asha.rao")),
        ("asha.roo", Some("asha.rao")),
        ("मीरा.नयर", Some("मीरा.नायर")),
        ("somebody.else", None),
    ];
    let rows: String = written.iter().map(|(login, _)| format!("{login},9876500001\n")).collect();
    let messages = said(&stack, JobKind::AppendCallerIds, &format!("Login ID,Allowed Caller ID\n{rows}")).await;
    assert_eq!(messages.len(), written.len());
    for ((login, meant), message) in written.iter().zip(&messages) {
        let asked = meant.map(|meant| format!("Did you mean \"{meant}\"?"));
        assert!(asked.as_ref().is_none_or(|asked| message.contains(asked)), "{login}: {message}");
        assert!(asked.is_some() || !message.contains("Did you mean"), "{login}: {message}");
    }
    let two = said(&stack, JobKind::AppendCallerIds, "Login ID,Allowed Caller ID\ntwin3,9876500001\n").await;
    assert!(two[0].contains("Did you mean \"twin1\" or \"twin2\"?"), "{two:?}");

    // An upload asks the same of whom it can't create.
    let rows = "Login ID,Email\nasa.rao,a@example.com\n123.0,b@example.com\nsomebody.else,c@example.com\n";
    let messages = said(&stack, JobKind::UploadUsers, rows).await;
    assert!(messages[0].contains("Did you mean \"asha.rao\"?"), "{messages:?}");
    assert!(messages[1].contains("Did you mean \"00123\"?"), "{messages:?}");
    assert!(!messages[2].contains("Did you mean"), "{messages:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_strangers_costs_no_more_than_fifty_of_them() {
    let stack = Stack::start(&[]).await;
    stack.create_user(user("00123")).await;
    let file = |rows: usize| {
        let strangers: String = (1..=rows).map(|at| format!("stranger.of.{at:05}x,9876500001\n")).collect();
        format!("Login ID,Allowed Caller ID\n{strangers}")
    };
    let few = stack.append("few.csv", file(50)).await.progress.table_calls;
    let many = stack.append("many.csv", file(1_000)).await.progress.table_calls;
    // A thousand users are ten requests of a hundred.
    assert!(few > 1 && many <= few + 10, "{few} {many}");
}
