//! Users from Entra ID, from the tenant to the table.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use axum::http::{Method, StatusCode};
use e2e::{Caller, Corruption, Gone, Graph, Quirks, Stack, rollcall};
use rollcall_bulk::job::{Failure, Job, JobState};
use rollcall_model::user::{AgentStatus, User, WebLogin};
use serde_json::{Value, json};

/// A stack that finds a tenant, and somebody of an account that has connected it.
async fn connected(traps: Quirks) -> (Graph, Stack, Caller) {
    let graph = Graph::start(traps).await;
    let stack = Stack::start(&graph.parameters().each_ref().map(String::as_str)).await;
    Graph::connect(&stack, &stack.account).await;
    let caller = stack.caller(&["--account", stack.account.as_str()]);
    (graph, stack, caller)
}

/// Every item of a list, page by page.
async fn items(caller: &Caller, list: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut path = list.to_owned();
    loop {
        let page = caller.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.json());
        let page = page.json();
        items.extend(page["items"].as_array().expect("items").clone());
        let Some(next) = page["next"].as_str() else { return items };
        path = format!("{list}{}cursor={next}", if list.contains('?') { '&' } else { '?' });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_is_listed_and_searched_through_the_api() {
    let (graph, stack, caller) =
        connected(Quirks { page: 30, empty_pages: 2, token_uses: 3, ..Quirks::default() }).await;
    let ids = graph.add_users(100);
    let all = items(&caller, "/v1/directory/users?limit=50").await;
    assert_eq!(all.iter().map(|user| user["id"].as_str().unwrap()).collect::<Vec<_>>(), ids);
    let second = json!({
        "id": ids[1],
        "login": "person2@contoso.onmicrosoft.com",
        "name": "Person 2 Rao",
        "email": "person2@contoso.example",
        "phone": "+919876500002",
        "designation": "Agent, nights",
        "enabled": true,
        "user": null,
    });
    assert_eq!(all[1], second);
    let found = items(&caller, "/v1/directory/users?search=PERSON1&limit=5").await;
    assert_eq!(found.len(), 12, "1, 10 to 19, 100");

    let stranger = stack.caller(&["--account", "neighbour"]);
    let reply = stranger.get("/v1/directory/users").await;
    assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (404, &"DIRECTORY_NOT_CONNECTED".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_must_do_something_about_a_directory_that_fails_is_said() {
    let (graph, _stack, caller) = connected(Quirks::default()).await;
    graph.add_users(3);
    let asked = async || {
        let reply = caller.get("/v1/directory/users").await;
        (reply.status.as_u16(), reply.json()["code"].as_str().unwrap_or_default().to_owned())
    };
    for (spoil, expected) in [
        (Corruption::Forbidden, (502, "DIRECTORY_DENIED")),
        (Corruption::NotJson, (502, "DIRECTORY_UNAVAILABLE")),
        (Corruption::Broken, (503, "DIRECTORY_UNAVAILABLE")),
    ] {
        graph.spoil(spoil, "");
        let (status, code) = asked().await;
        assert_eq!((status, code.as_str()), expected, "{spoil:?}");
    }
    graph.mend();
    assert_eq!(asked().await.0, 200);
    graph.change_secret("renewed");
    assert_eq!(asked().await, (502, "DIRECTORY_DENIED".to_owned()));
    graph.change_secret(Graph::CLIENT_SECRET);
    assert_eq!(asked().await.0, 200, "a secret that is right again is taken at once");
}

/// Asks for an import or a sync through the API, and waits for the end of its job.
async fn ask(stack: &Stack, caller: &Caller, what: &str, body: Value) -> Job {
    let reply = caller.ask(Method::POST, &format!("/v1/{what}"), &[], body.to_string()).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.json());
    let upload = reply.json()["upload"].as_str().expect("an upload").to_owned();
    ended(stack, |job| job.upload.key() == upload).await
}

/// The account's job that is wanted, once it has ended.
async fn ended(stack: &Stack, wanted: impl Fn(&Job) -> bool) -> Job {
    let start = Instant::now();
    loop {
        let (jobs, _) = stack.directory.jobs(&stack.account, None, 50).await.expect("jobs are listed");
        if let Some(job) = jobs.into_iter().find(|job| wanted(job) && !job.is_underway()) {
            return job;
        }
        assert!(start.elapsed() < Duration::from_mins(2), "waited too long for the job");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Imports everybody.
async fn import_all(stack: &Stack, caller: &Caller) -> Job {
    let job = ask(stack, caller, "directory/import", json!({ "search": "person" })).await;
    assert_eq!((job.state, job.counts.needs_correction()), (JobState::Finished, 0), "{job:?}");
    job
}

async fn sync(stack: &Stack, caller: &Caller) -> Job {
    ask(stack, caller, "directory/sync", json!({})).await
}

async fn standing(caller: &Caller) -> Value {
    caller.get("/v1/directory").await.json()
}

fn login(number: usize) -> String {
    format!("person{number}@contoso.onmicrosoft.com")
}

/// Users of the table who came from the directory, by login ID.
async fn users(stack: &Stack) -> BTreeMap<String, User> {
    let users = stack.directory.users(&stack.account, 10_000).await.expect("users are listed");
    users.into_iter().map(|user| (user.login.to_string(), user)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_users_come_complete_through_paging_and_throttling() {
    const PEOPLE: usize = 5_000;
    let traps = Quirks { throttled: 100, page: 400, empty_pages: 5, token_uses: 6, ..Quirks::default() };
    let (graph, stack, caller) = connected(traps).await;
    let ids = graph.add_users(PEOPLE);
    let job =
        ask(&stack, &caller, "directory/import", json!({ "filter": "startswith(userPrincipalName,'person')" })).await;
    assert_eq!((job.state, job.counts.applied, job.counts.rows()), (JobState::Finished, 5_000, 5_000), "{job:?}");
    assert_eq!(job.progress.users_created, 5_000);
    assert_eq!(graph.impatient(), 0);
    assert!(graph.throttled() > 0 && graph.tokens_given() > 1);

    let users = users(&stack).await;
    assert_eq!(users.len(), PEOPLE);
    for (number, id) in (1..).zip(&ids) {
        let (user, person) = (&users[&login(number)], graph.person(id));
        assert_eq!(user.directory_id.as_ref().unwrap().as_str(), id);
        let email = user.profile.email.as_ref().unwrap().as_str();
        assert_eq!(email, person.mail.as_deref().unwrap_or(&person.user_principal_name));
        assert_eq!(user.web_login == WebLogin::Blocked, !person.account_enabled);
    }
    let told = standing(&caller).await;
    assert_eq!((&told["connected"], &told["last_import"]["users"]), (&true.into(), &PEOPLE.into()), "{told}");
    assert_eq!(told["last_import"]["phones_unread"], PEOPLE / 4, "{told}");

    let again = ask(&stack, &caller, "directory/import", json!({ "search": "person" })).await;
    assert_eq!((again.counts.unchanged, again.progress.statements), (5_000, 0), "importing again changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn chosen_ones_are_imported_with_a_role_and_who_is_nobody_is_told() {
    let (graph, stack, caller) = connected(Quirks::default()).await;
    let ids = graph.add_users(12);
    let role = json!({ "role": "agent", "ids": [ids[0]] });
    let reply = caller.ask(Method::POST, "/v1/directory/import", &[], role.to_string()).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["pointer"]), (422, &"/role".into()));
    let put = caller.ask(Method::PUT, "/v1/roles/agent", &[], json!({ "name": "Agent" }).to_string()).await;
    assert!(put.status.is_success());

    let chosen = json!({ "ids": [ids[0], ids[12 - 1], "99999999-0000-4000-8000-000000000000"], "role": "agent" });
    let job = ask(&stack, &caller, "directory/import", chosen).await;
    assert_eq!((job.counts.applied, job.counts.failed), (2, 1), "{job:?}");
    let rows = stack.report(&job, "results").await;
    let told: Vec<_> = rows.iter().map(|row| (row["Status"].as_str(), row["Remark"].as_str())).collect();
    assert_eq!(told[0], ("applied", "The telephone can't be read and was left out."));
    assert_eq!(told[1], ("applied", ""));
    assert_eq!(told[2], ("failed", "The directory has nobody with this ID."));
    let users = users(&stack).await;
    assert_eq!(users.len(), 2);
    assert_eq!(users[&login(1)].profile.role.as_ref().unwrap().as_str(), "agent");
    // The mail goes to the one whose token asked.
    assert_eq!(stack.mails()[0].to, ["ann@example.com"]);

    let listed = items(&caller, "/v1/directory/users").await;
    let linked: Vec<_> = listed.iter().map(|user| user["user"].as_str().is_some()).collect();
    assert_eq!(linked.iter().filter(|linked| **linked).count(), 2);
    assert_eq!(listed[0]["user"], login(1));
}

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
async fn a_login_name_that_is_given_to_somebody_new_is_not_inherited() {
    let (graph, stack, caller) = connected(Quirks::default()).await;
    let ids = graph.add_users(2);
    import_all(&stack, &caller).await;
    graph.delete(&ids[0], true);
    let heir = graph.add_users(1).remove(0);
    graph.change(&heir, |person| {
        person.user_principal_name = login(1);
        person.mail = None;
        person.display_name = Some("Person One the Second".to_owned());
    });
    let job = ask(&stack, &caller, "directory/import", json!({ "ids": [heir] })).await;
    let rows = stack.report(&job, "failed").await;
    assert_eq!(rows[0]["Error Code"], "DIRECTORY_ID_TAKEN", "{rows:?}");
    assert_eq!(users(&stack).await[&login(1)].directory_id.as_ref().unwrap().as_str(), ids[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_deleted_there_and_has_come_back_keeps_the_list_when_somebody_says_who_it_is() {
    let (graph, stack, caller) = connected(Quirks::default()).await;
    let ids = graph.add_users(1);
    import_all(&stack, &caller).await;
    let asha = format!("/v1/users/{}", login(1));
    let given = json!({ "caller_ids": ["+919876500001"] }).to_string();
    let reply = caller.ask(Method::POST, &format!("{asha}/caller-ids"), &[], given).await;
    assert!(reply.status.is_success(), "{}", reply.json());
    let again = graph.add_users(1).remove(0);
    graph.change(&again, |person| {
        person.user_principal_name = login(1);
        person.mail = None;
    });
    let linked = async || users(&stack).await[&login(1)].directory_id.as_ref().unwrap().as_str().to_owned();

    // As long as the first is there, it is somebody else.
    let relink = json!({ "ids": [again], "relink": true });
    let job = ask(&stack, &caller, "directory/import", relink.clone()).await;
    assert_eq!(stack.report(&job, "failed").await[0]["Error Code"], "DIRECTORY_ID_TAKEN");
    graph.delete(&ids[0], true);
    let job = ask(&stack, &caller, "directory/import", json!({ "ids": [again] })).await;
    let failed = stack.report(&job, "failed").await;
    assert!(failed[0]["Error Message"].contains("with relink"), "nobody inherits unasked: {failed:?}");
    assert_eq!(linked().await, ids[0]);

    let job = ask(&stack, &caller, "directory/import", relink).await;
    assert_eq!((job.counts.applied, job.counts.rows()), (1, 1), "{job:?}");
    assert_eq!((linked().await, stack.list(&login(1)).await.unwrap().len()), (again.clone(), 1));
    // Syncs follow the new one, and the old one is nobody's.
    graph.change(&again, |person| person.display_name = Some("Come Back".to_owned()));
    sync(&stack, &caller).await;
    assert_eq!(users(&stack).await[&login(1)].profile.name.as_str(), "Come Back");
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

#[tokio::test(flavor = "multi_thread")]
async fn neither_secrets_nor_people_are_in_any_log() {
    let (graph, stack, caller) = connected(Quirks { token_uses: 3, ..Quirks::default() }).await;
    let ids = graph.add_users(20);
    items(&caller, "/v1/directory/users?search=person").await;
    import_all(&stack, &caller).await;
    graph.delete(&ids[1], true);
    sync(&stack, &caller).await;
    for spoil in [Corruption::Forbidden, Corruption::NotJson, Corruption::WrongType] {
        graph.spoil(spoil, "");
        assert!(caller.get("/v1/directory/users").await.status.is_server_error());
    }
    graph.mend();
    graph.change_secret("renewed");
    sync(&stack, &caller).await;
    let logs = ["directory-import", "users-api"].map(|function| {
        let log = std::fs::read_to_string(stack.dir().join(format!("logs/{function}.log"))).expect("a log");
        assert!(log.contains(r#""account":"acme""#), "{function} has said something: {log}");
        log
    });
    let logs = logs.concat();
    for private in [Graph::CLIENT_SECRET, "renewed", "token-", "contoso.example", "asha", "Rao", "9876500", &login(1)] {
        assert!(!logs.contains(private), "{private} is in a log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_it_from_the_command_line() {
    let graph = Graph::start(Quirks { throttled: 50, page: 40, ..Quirks::default() }).await;
    let ids = graph.add_users(60);
    let stack = Stack::start(&graph.parameters().each_ref().map(String::as_str)).await;
    let run = |arguments: &[&str], input: &str| {
        let all = [&["directory"], arguments, &["--account", "acme"]].concat();
        rollcall(Some(&stack), &all, input.as_bytes())
    };
    let said = |output: &std::process::Output| {
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    let users = run(&["users"], "");
    assert!(!users.status.success() && said(&users).contains("directory connect"), "{}", said(&users));

    let connect = ["connect", "--tenant", Graph::TENANT, "--client-id", Graph::CLIENT_ID];
    for secret in ["wrong", "", "\n"] {
        let refused = run(&connect, secret);
        assert!(!refused.status.success(), "{}", said(&refused));
        assert!(run(&["status", "--json"], "").stdout.starts_with(b"{\n  \"tenant\": null"));
    }
    let connected = run(&connect, &format!("{}\n", Graph::CLIENT_SECRET));
    assert!(connected.status.success(), "{}", said(&connected));
    assert!(!said(&connected).contains(Graph::CLIENT_SECRET));

    let found = e2e::json(&run(&["users", "--search", "person1", "--json"], ""));
    assert_eq!(found.as_array().unwrap().len(), 11, "1, 10 to 19: {found}");
    let listed = said(&run(&["users", "--limit", "3"], ""));
    assert!(listed.contains("person3@") && !listed.contains("person4@") && listed.contains("--limit"), "{listed}");

    let none = run(&["import"], "");
    assert_eq!(none.status.code(), Some(2), "{}", said(&none));
    let one = run(&["import", "--id", &ids[0], "--json"], "");
    assert_eq!((e2e::json(&one)["counts"]["applied"].as_u64(), one.status.code()), (Some(1), Some(0)));
    let all = run(&["import", "--filter", "startswith(userPrincipalName,'person')"], "");
    assert!(all.status.success(), "{}", said(&all));
    assert!(said(&all).contains("60 users found, 15 telephones that can't be read"), "{}", said(&all));

    for id in &ids[..20] {
        graph.delete(id, true);
    }
    let held = run(&["sync"], "");
    assert_eq!(held.status.code(), Some(1), "{}", said(&held));
    assert!(said(&held).contains("directory sync --force"), "{}", said(&held));
    let status = said(&run(&["status"], ""));
    assert!(status.contains("held: ") && status.contains(Graph::TENANT), "{status}");
    let meant = run(&["sync", "--force"], "");
    assert!(meant.status.success() && said(&meant).contains("19 deactivated"), "{}", said(&meant));
}
