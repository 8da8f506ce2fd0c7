//! A directory that fails.

use std::time::{Duration, Instant};

use axum::http::Method;
use e2e::{Corruption, Graph, Quirks, Stack, rollcall};
use rollcall_bulk::job::{Failure, JobState};
use rollcall_model::user::WebLogin;
use serde_json::{Value, json};

use super::{ask, connected, import_all, login, standing, sync, users};

#[tokio::test(flavor = "multi_thread")]
async fn for_whom_a_sync_failed_the_next_ones_ask_again_and_one_mail_tells() {
    let (graph, stack, caller) = connected(Quirks::default()).await;
    stack.recipients(&["ops@example.com"]).await;
    let ids = graph.add_users(3);
    import_all(&stack, &caller).await;
    sync(&stack, &caller).await;
    let own = json!({ "login": "stranger", "name": "Stranger", "email": "wanted@contoso.example" }).to_string();
    let made = caller.ask(Method::POST, "/v1/users", &[], own).await;
    assert!(made.status.is_success(), "{}", made.json());

    // One who leaves wants an address that somebody else has, and one who stays does too.
    graph.change(&ids[0], |person| {
        person.mail = Some("wanted@contoso.example".to_owned());
        person.account_enabled = false;
    });
    graph.change(&ids[1], |person| person.display_name = Some("Renamed".to_owned()));
    let visit = async |number: usize| {
        let output = rollcall(Some(&stack), &["schedules", "run", "DirectoryImportFunctionVisit"], &[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let start = Instant::now();
        loop {
            let (jobs, _) = stack.directory.jobs(&stack.account, None, 50).await.expect("jobs are listed");
            let scheduled: Vec<_> = jobs.into_iter().filter(|job| job.upload.name.starts_with("scheduled/")).collect();
            if scheduled.len() == number && scheduled.iter().all(|job| !job.is_underway()) {
                return;
            }
            assert!(start.elapsed() < Duration::from_mins(2), "waited too long: {scheduled:?}");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    for round in 1..=2 {
        visit(round).await;
        let told = standing(&caller).await;
        assert_eq!((&told["ask_again"], &told["last_sync"]["failed"]), (&json!([ids[0]]), &1.into()), "{told}");
        let done = if round == 1 { (1, 1) } else { (0, 0) };
        let sync = &told["last_sync"];
        assert_eq!((sync["updated"].as_u64(), sync["deactivated"].as_u64()), (Some(done.0), Some(done.1)), "{told}");
        assert_eq!(stack.mails().len(), 1, "the same failure is mailed once");
    }
    let leaver = &users(&stack).await[&login(1)];
    assert_eq!(leaver.web_login, WebLogin::Blocked, "a deactivation waits for no address");
    assert_ne!(leaver.profile.email.as_ref().unwrap().as_str(), "wanted@contoso.example");
    let status = rollcall(Some(&stack), &["directory", "status", "--account", "acme"], &[]);
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(status.contains("1 user, by the next sync, since their rows failed"), "{status}");

    let freed = caller.ask(Method::DELETE, "/v1/users/stranger", &[], String::new()).await;
    assert!(freed.status.is_success(), "{}", freed.json());
    let job = sync(&stack, &caller).await;
    assert_eq!((job.counts.applied, job.counts.rows()), (1, 1), "{job:?}");
    assert_eq!(users(&stack).await[&login(1)].profile.email.as_ref().unwrap().as_str(), "wanted@contoso.example");
    assert_eq!(standing(&caller).await["ask_again"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_does_not_answer_ends_in_the_dead_letters_with_a_mail() {
    let graph = Graph::start(Quirks::default()).await;
    graph.add_users(3);
    let [login_url, graph_url] = graph.parameters();
    let short = ["BulkTimeoutSeconds=5", "BulkVisibilitySeconds=5", "MaxDeliveries=2"];
    let stack = Stack::start(&[&[login_url.as_str(), graph_url.as_str()], &short[..]].concat()).await;
    Graph::connect(&stack, &stack.account).await;
    let caller = stack.caller(&["--account", stack.account.as_str()]);
    graph.spoil(Corruption::Broken, "");
    let job = ask(&stack, &caller, "directory/import", json!({ "search": "person" })).await;
    assert!(matches!(&job.failure, Some(Failure::GaveUp { .. })), "{job:?}");
    stack.dead_letters(1).await;
    assert_eq!(stack.mails().len(), 1);
    assert_eq!(users(&stack).await.len(), 0);

    // SQS leaves a message out of its age at the third receive, so each delivery says how old it is.
    let log = std::fs::read_to_string(stack.dir().join("logs/directory-import.log")).expect("a log");
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let ages: Vec<u64> = lines.filter_map(|line| line["DeliveryAge"].as_u64()).collect();
    let [first, second] = ages.as_slice() else { panic!("two deliveries of one file: {ages:?}") };
    assert!(*first < *second && *second >= 5, "{ages:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_denied_end_a_job_at_once_and_are_not_tried_every_hour() {
    let (graph, stack, caller) = connected(Quirks::default()).await;
    stack.recipients(&["ops@example.com"]).await;
    graph.add_users(3);
    import_all(&stack, &caller).await;
    graph.change_secret("renewed");
    let job = sync(&stack, &caller).await;
    assert_eq!(job.state, JobState::Failed);
    let Some(Failure::Refused { reason }) = &job.failure else { panic!("{job:?}") };
    assert!(reason.contains("invalid_client") && !reason.contains(Graph::CLIENT_SECRET), "{reason}");
    assert!(standing(&caller).await["last_sync"]["outcome"]["refused"]["reason"].is_string());
    let requests = graph.requests();
    let visit = rollcall(Some(&stack), &["schedules", "run", "DirectoryImportFunctionVisit"], &[]);
    assert!(visit.status.success());
    assert_eq!((graph.requests(), stack.mails().len()), (requests, 1));

    let job = ask(&stack, &caller, "directory/import", json!({ "filter": "asha like 'x'" })).await;
    assert!(matches!(&job.failure, Some(Failure::Refused { .. })), "{job:?}");
    graph.change_secret(Graph::CLIENT_SECRET);
    assert_eq!(sync(&stack, &caller).await.state, JobState::Finished);
}
