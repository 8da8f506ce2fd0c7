//! Users who are imported, and those who come back.

use axum::http::Method;
use e2e::{Corruption, Graph, Quirks};
use rollcall_bulk::job::JobState;
use rollcall_model::user::WebLogin;
use serde_json::json;

use super::{ask, connected, import_all, items, login, standing, sync, users};

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
