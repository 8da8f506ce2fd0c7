//! Syncs, and what they hold back.

use axum::http::{Method, StatusCode};
use e2e::{Gone, Quirks, rollcall};
use rollcall_bulk::job::JobState;
use rollcall_model::{
    code::FileWarning,
    user::{AgentStatus, WebLogin},
};
use serde_json::json;

use super::{ask, connected, ended, import_all, login, standing, sync, users};

#[tokio::test(flavor = "multi_thread")]
async fn changes_follow_and_nobody_is_deleted_or_let_in() {
    let (graph, stack, caller) = connected(Quirks { page: 7, replays: true, ..Quirks::default() }).await;
    let ids = graph.add_users(40);
    import_all(&stack, &caller).await;
    for number in [2, 3] {
        let agent = json!({ "calling_agent": true }).to_string();
        let reply = caller.ask(Method::PATCH, &format!("/v1/users/{}", login(number)), &[], agent).await;
        assert!(reply.status.is_success(), "{}", reply.json());
    }
    let first = sync(&stack, &caller).await;
    assert_eq!((first.state, first.counts.rows()), (JobState::Finished, 0), "an import is up to date: {first:?}");

    graph.change(&ids[0], |person| {
        person.display_name = Some("Asha Menon".to_owned());
        person.user_principal_name = "asha.menon@contoso.onmicrosoft.com".to_owned();
        person.mail = Some("asha.menon@contoso.example".to_owned());
        person.business_phones = vec!["+91 99999 00001".to_owned()];
        person.job_title = Some("Lead".to_owned());
    });
    graph.change(&ids[1], |person| person.account_enabled = false);
    graph.delete(&ids[2], false);
    graph.delete(&ids[3], true);
    // Disabled from the beginning, and blocked by the import.
    graph.change(&ids[12], |person| person.account_enabled = true);
    graph.add_users(3);
    let job = sync(&stack, &caller).await;
    assert_eq!((job.state, job.counts.applied, job.counts.rows()), (JobState::Finished, 4, 4), "{job:?}");

    let users = users(&stack).await;
    assert_eq!(users.len(), 40, "nobody is deleted, and nobody comes unasked");
    let asha = &users[&login(1)];
    assert_eq!(asha.profile.name.as_str(), "Asha Menon");
    assert_eq!(asha.profile.email.as_ref().unwrap().as_str(), "asha.menon@contoso.example");
    assert_eq!(asha.profile.call_forward_number.unwrap().to_string(), "+919999900001");
    assert_eq!(asha.profile.designation.as_ref().unwrap().as_str(), "Lead");
    let out = |number: usize| (users[&login(number)].web_login, users[&login(number)].agent_status);
    assert_eq!(out(2), (WebLogin::Blocked, AgentStatus::Disabled));
    assert_eq!(out(3), (WebLogin::Blocked, AgentStatus::Disabled));
    assert_eq!(out(4), (WebLogin::Blocked, AgentStatus::Enabled));
    assert_eq!(out(13), (WebLogin::Blocked, AgentStatus::Enabled), "a person lets in");
    let told = standing(&caller).await["last_sync"].clone();
    let number = |name: &str| told[name].as_u64().unwrap();
    assert_eq!((number("linked"), number("updated"), number("deactivated"), number("still_blocked")), (40, 1, 3, 1));
    assert_eq!(told["outcome"], "done");

    let again = sync(&stack, &caller).await;
    assert_eq!(again.progress.statements, 0, "what is told again changes nothing");
    assert_eq!(stack.mails().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_would_do_too_much_holds_says_so_once_and_goes_on_when_it_is_meant() {
    let (graph, stack, caller) = connected(Quirks::default()).await;
    stack.recipients(&["ops@example.com"]).await;
    let ids = graph.add_users(30);
    import_all(&stack, &caller).await;
    sync(&stack, &caller).await;
    let before = users(&stack).await;
    for id in &ids[..10] {
        graph.delete(id, true);
    }
    graph.change(&ids[20], |person| person.display_name = Some("Renamed".to_owned()));
    let visit = || {
        let output = rollcall(Some(&stack), &["schedules", "run", "DirectoryImportFunctionVisit"], &[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    visit();
    let held = ended(&stack, |job| job.upload.name.starts_with("scheduled/")).await;
    assert_eq!(held.state, JobState::OnHold, "{held:?}");
    assert_eq!(users(&stack).await, before, "nothing was changed");
    let told = standing(&caller).await["last_sync"].clone();
    assert_eq!(told["deactivated"], 10);
    let reason = told["outcome"]["on_hold"]["reason"].as_str().unwrap();
    assert!(reason.contains("10 of the 30 users"), "{reason}");
    let mails = stack.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, ["ops@example.com"]);
    assert!(mails[0].text.contains("10 of the 30 users"), "{}", mails[0].text);

    // The schedule leaves it alone until somebody has looked.
    let requests = graph.requests();
    visit();
    visit();
    assert_eq!((graph.requests(), stack.mails().len()), (requests, 1));

    let discard = format!("/v1/jobs/{}/discard", held.id);
    let discarded = caller.ask(Method::POST, &discard, &[], String::new()).await;
    assert_eq!((discarded.status, discarded.json()["state"].as_str()), (StatusCode::OK, Some("discarded")));
    assert_eq!(standing(&caller).await["last_sync"]["outcome"]["refused"]["reason"], reason, "the schedule goes on");

    let again = sync(&stack, &caller).await;
    assert_eq!(again.state, JobState::OnHold, "asked for without being meant, it holds again");
    let meant = ask(&stack, &caller, &format!("jobs/{}/execute", again.id), json!({})).await;
    assert_eq!((meant.state, meant.counts.applied), (JobState::Finished, 11), "{meant:?}");
    let after = users(&stack).await;
    assert_eq!(after.values().filter(|user| user.web_login == WebLogin::Blocked).count(), 10 + 2);
    assert_eq!(after[&login(21)].profile.name.as_str(), "Renamed");
    assert_eq!(standing(&caller).await["last_sync"]["outcome"], "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delta_that_is_too_old_or_a_directory_that_seems_empty_removes_nobody() {
    for gone in [Gone::Status410, Gone::Status400] {
        let (graph, stack, caller) = connected(Quirks { page: 8, ..Quirks::default() }).await;
        let ids = graph.add_users(30);
        import_all(&stack, &caller).await;
        sync(&stack, &caller).await;
        let before = users(&stack).await;

        graph.forget_deltas(Some(gone));
        let job = sync(&stack, &caller).await;
        assert_eq!((job.state, job.counts.rows()), (JobState::Finished, 0), "{gone:?}: {job:?}");
        assert_eq!(users(&stack).await, before);

        // One who is hidden from the list and found by ID is there; one who isn't found is gone.
        graph.forget(&ids[0]);
        graph.hide(&ids[1]);
        let job = sync(&stack, &caller).await;
        assert_eq!((job.state, job.counts.applied), (JobState::Finished, 1), "{gone:?}: {job:?}");
        let after = users(&stack).await;
        assert_eq!(after[&login(1)].web_login, WebLogin::Blocked);
        assert_eq!(after[&login(2)], before[&login(2)]);

        for id in &ids[1..] {
            graph.forget(id);
        }
        let job = sync(&stack, &caller).await;
        assert_eq!(job.state, JobState::OnHold, "{gone:?}: {job:?}");
        assert_eq!(users(&stack).await, after);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_and_a_sync_show_what_they_would_do_and_do_it_when_somebody_says_so() {
    let (graph, stack, caller) = connected(Quirks::default()).await;
    let ids = graph.add_users(30);
    let import = ask(&stack, &caller, "directory/import", json!({ "search": "person", "preview": true })).await;
    assert_eq!((import.state, import.counts.applied), (JobState::Previewed, 30), "{import:?}");
    assert_eq!((import.progress.users_created, users(&stack).await.len()), (30, 0), "nobody is created");
    let done = ask(&stack, &caller, &format!("jobs/{}/execute", import.id), json!({})).await;
    assert_eq!((done.state, done.counts.applied, users(&stack).await.len()), (JobState::Finished, 30, 30), "{done:?}");

    sync(&stack, &caller).await;
    for id in &ids[..10] {
        graph.delete(id, true);
    }
    let (before, stood) = (users(&stack).await, standing(&caller).await);
    let shown = ask(&stack, &caller, "directory/sync", json!({ "preview": true })).await;
    assert_eq!((shown.state, shown.counts.applied), (JobState::Previewed, 10), "{shown:?}");
    assert_eq!(shown.notes[0].code, FileWarning::SafetyThreshold);
    assert!(shown.notes[0].message.contains("10 of the 30 users"), "{:?}", shown.notes);
    assert_eq!((users(&stack).await, standing(&caller).await), (before, stood), "nothing was changed");
    let done = ask(&stack, &caller, &format!("jobs/{}/execute", shown.id), json!({})).await;
    assert_eq!((done.state, done.counts.applied), (JobState::Finished, 10), "a person has seen it: {done:?}");
    assert_eq!(stack.mails().len(), 0);
}
