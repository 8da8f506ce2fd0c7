//! What others' servers were caught by.

use axum::http::{Method, StatusCode};
use e2e::{ENTERPRISE, ScimClient, Stack, entra_user};
use serde_json::json;

use super::{id_of, table, user};

const MAYA: &str = "maya@contoso.example";

#[tokio::test(flavor = "multi_thread")]
async fn somebody_deleted_there_is_the_same_person_when_restored() {
    let stack = Stack::start(&[]).await;
    let entra = ScimClient::of(&stack).await;
    let id = entra.made("/Users", entra_user(MAYA, "e-1")).await;
    let path = format!("/Users/{id}");
    let tombstone = format!("87d349ed44d743e19a835f2406dee5bd{MAYA}");
    let deleted = entra
        .patch(
            &path,
            json!([
                { "op": "Replace", "path": "userName", "value": tombstone },
                { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": tombstone },
                { "op": "Replace", "path": "active", "value": "False" },
            ]),
        )
        .await;
    assert_eq!(
        (deleted.status, &deleted.json()["userName"]),
        (StatusCode::OK, &json!(tombstone)),
        "{}",
        deleted.text()
    );
    assert_eq!(user(&stack, MAYA).await["email"], MAYA, "the address stays");
    for name in [MAYA, tombstone.as_str()] {
        let found = entra.find("Users", &format!("userName eq \"{name}\"")).await;
        assert_eq!((&found["totalResults"], &found["Resources"][0]["id"]), (&json!(1), &json!(id)), "{name}");
    }
    let back = entra
        .patch(&path, json!([{ "op": "Replace", "path": "userName", "value": MAYA }, { "op": "Replace", "path": "active", "value": "True" }]))
        .await;
    assert_eq!((back.status, &back.json()["active"]), (StatusCode::OK, &json!(true)));
    assert_eq!(user(&stack, MAYA).await["web_login"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_moves_with_its_user_and_belongs_to_one() {
    let stack = Stack::start(&[]).await;
    let entra = ScimClient::of(&stack).await;
    stack.create_users(2).await;
    let id = entra.made("/Users", entra_user(MAYA, "E-1")).await;
    let other = entra.made("/Users", entra_user("omar@contoso.example", "e-1")).await;
    assert_ne!(id, other, "external IDs are told apart by case");
    let rename = |name: &str| json!([{ "op": "Replace", "path": "userName", "value": name }]);
    for (path, change) in [
        (&other, rename("MAYA@contoso.example")),
        (&other, rename("user2")),
        (&other, json!([{ "op": "replace", "path": "externalId", "value": "E-1" }])),
        (&other, json!([{ "op": "replace", "path": "emails[type eq \"work\"].value", "value": MAYA }])),
        (&id_of("user1"), rename(MAYA)),
    ] {
        let before = entra.get(&format!("/Users/{path}")).await.json();
        let taken = entra.patch(&format!("/Users/{path}"), change.clone()).await;
        assert_eq!((taken.status, &taken.json()["scimType"]), (StatusCode::CONFLICT, &json!("uniqueness")), "{change}");
        assert_eq!(entra.get(&format!("/Users/{path}")).await.json(), before, "{change}");
    }
    let renamed = entra.patch(&format!("/Users/{id}"), rename("maya.rao@contoso.example")).await;
    assert_eq!(renamed.status, StatusCode::OK, "{}", renamed.text());
    assert_eq!(user(&stack, MAYA).await["login"], MAYA, "a login ID never changes");
    assert_eq!(entra.find("Users", "userName eq \"Maya.Rao@contoso.example\"").await["totalResults"], 1);
    assert_eq!(entra.find("Users", &format!("userName eq \"{MAYA}\"")).await["totalResults"], 0);
    // What is free again can be had.
    assert_eq!(entra.patch(&format!("/Users/{other}"), rename("x@contoso.example")).await.status, StatusCode::OK);
    assert_eq!(entra.patch(&format!("/Users/{id}"), rename("omar@contoso.example")).await.status, StatusCode::OK);
    let found = entra.find("Users", "userName eq \"omar@contoso.example\"").await;
    assert_eq!((&found["totalResults"], &found["Resources"][0]["id"]), (&json!(1), &json!(id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_place_refuses_nobody_and_is_shown_as_it_was_sent() {
    let stack = Stack::start(&[]).await;
    let entra = ScimClient::of(&stack).await;
    let mut sent = entra_user(MAYA, "e-1");
    sent["addresses"] = json!([{ "type": "work", "locality": "Pune" }]);
    sent["phoneNumbers"] =
        json!([{ "type": "work", "value": "ext. seven" }, { "type": "mobile", "value": "+91 98765 00001" }]);
    sent["emails"] = json!([{ "type": "work", "value": "no address" }]);
    sent[ENTERPRISE] = json!({ "manager": "boss", "department": "Nobody's" });
    sent["urn:acme:2.0:User"] = json!({ "badge": 7 });
    let made = entra.post("/Users", sent.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let shown = made.json();
    for name in ["addresses", "phoneNumbers", "emails", ENTERPRISE, "urn:acme:2.0:User", "name"] {
        assert_eq!(shown[name], sent[name], "{name}");
    }
    let known = user(&stack, MAYA).await;
    assert_eq!((&known["email"], &known["department"]), (&json!(null), &json!(null)));
    assert_eq!(known["call_forward_number"], "+919876500001");
    let path = format!("/Users/{}", shown["id"].as_str().expect("an ID"));
    for change in [
        json!([{ "op": "Add", "path": "addresses[type eq \"work\"].locality", "value": "Goa" }]),
        json!([{ "op": "Add", "path": "nickName", "value": "M" }]),
        json!([{ "op": "Add", "path": format!("{ENTERPRISE}:manager"), "value": "other" }]),
        json!([{ "op": "remove", "path": "emails[type eq \"home\"].value" }]),
    ] {
        let changed = entra.patch(&path, change.clone()).await;
        assert_eq!(changed.status, StatusCode::OK, "{change}: {}", changed.text());
        let tag = changed.header("etag").to_owned();
        let before = table(&stack).await;
        assert_eq!(entra.patch(&path, change.clone()).await.header("etag"), tag, "{change}");
        assert_eq!(table(&stack).await, before, "{change}");
    }
    assert_eq!(entra.get(&path).await.json()[ENTERPRISE]["manager"], "other");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_department_is_one_that_the_account_has_also_when_it_is_made_later() {
    let stack = Stack::start(&[]).await;
    let entra = ScimClient::of(&stack).await;
    let mut sent = entra_user(MAYA, "e-1");
    sent[ENTERPRISE] = json!({ "department": "Field Sales" });
    let id = entra.made("/Users", sent.clone()).await;
    assert_eq!(user(&stack, MAYA).await["department"], json!(null));
    let body = json!({ "name": "Field Sales" }).to_string();
    let owner = stack.caller(&["--account", "acme"]);
    assert!(owner.ask(Method::PUT, "/v1/departments/sales", &[], body).await.status.is_success());
    let change = json!([{ "op": "Replace", "path": format!("{ENTERPRISE}:department"), "value": "Field Sales" }]);
    assert_eq!(entra.patch(&format!("/Users/{id}"), change.clone()).await.status, StatusCode::OK);
    assert_eq!(user(&stack, MAYA).await["department"], "sales");
    let before = table(&stack).await;
    assert_eq!(entra.patch(&format!("/Users/{id}"), change).await.status, StatusCode::OK);
    assert_eq!(table(&stack).await, before);
    let gone = json!([{ "op": "Remove", "path": format!("{ENTERPRISE}:department") }]);
    assert_eq!(entra.patch(&format!("/Users/{id}"), gone).await.status, StatusCode::OK);
    assert_eq!(user(&stack, MAYA).await["department"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_deleted_is_not_seen_and_comes_back_as_before() {
    let stack = Stack::start(&[]).await;
    let entra = ScimClient::of(&stack).await;
    let id = entra.made("/Users", entra_user(MAYA, "e-1")).await;
    let path = format!("/Users/{id}");
    assert_eq!(entra.ask(Method::DELETE, &path, &[], None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(user(&stack, MAYA).await["web_login"], "blocked", "here the user stays");
    for method in [Method::GET, Method::DELETE] {
        let gone = entra.ask(method, &path, &[], None).await;
        assert_eq!((gone.status, &gone.json()["status"]), (StatusCode::NOT_FOUND, &json!("404")));
    }
    for filter in
        [format!("userName eq \"{MAYA}\""), "externalId eq \"e-1\"".to_owned(), format!("emails.value eq \"{MAYA}\"")]
    {
        assert_eq!(entra.find("Users", &filter).await["totalResults"], 0, "{filter}");
    }
    let stranger = entra.post("/Users", entra_user(MAYA, "e-2")).await;
    assert_eq!(stranger.status, StatusCode::CONFLICT, "a login ID is never somebody else's");
    assert_eq!(entra.made("/Users", entra_user(MAYA, "e-1")).await, id);
    assert_eq!(user(&stack, MAYA).await["web_login"], "active");
    assert_eq!(entra.find("Users", "externalId eq \"e-1\"").await["totalResults"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_kept_and_what_is_not_offered_is_said() {
    let stack = Stack::start(&[]).await;
    let client = ScimClient::of(&stack).await;
    let id = client.made("/Users", entra_user(MAYA, "e-1")).await;
    let path = format!("/Users/{id}");
    let tag = client.get(&path).await.header("etag").to_owned();
    let same = client.ask(Method::GET, &path, &[("if-none-match", &tag)], None).await;
    assert_eq!((same.status, same.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let title = json!({ "Operations": [{ "op": "add", "path": "title", "value": "Lead" }] });
    let stale = client.ask(Method::PATCH, &path, &[("if-match", "W/\"77\"")], Some(title.clone())).await;
    assert_eq!((stale.status, &stale.json()["status"]), (StatusCode::PRECONDITION_FAILED, &json!("412")));
    assert_eq!(client.ask(Method::PATCH, &path, &[("if-match", &tag)], Some(title)).await.status, StatusCode::OK);
    for (method, path, status) in [
        (Method::POST, "/ServiceProviderConfig", 405),
        (Method::PUT, "/Schemas", 405),
        (Method::DELETE, "/ResourceTypes/User", 405),
        (Method::PATCH, "/Users", 405),
        (Method::GET, "/Me", 501),
        (Method::POST, "/Bulk", 501),
        (Method::GET, "/Nothing", 404),
        (Method::GET, "/Schemas/urn:x", 404),
        (Method::GET, "/Users/unknown", 404),
        (Method::GET, "/Groups/unknown", 404),
    ] {
        let body = (method == Method::POST || method == Method::PATCH || method == Method::PUT).then(|| json!({}));
        let reply = client.ask(method.clone(), path, &[], body).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["status"]),
            (status, &json!(status.to_string())),
            "{method} {path}"
        );
    }
    for (path, total) in [("/ResourceTypes", 2), ("/Schemas", 3)] {
        let list = client.get(path).await;
        assert_eq!((list.status.as_u16(), &list.json()["totalResults"]), (200, &json!(total)), "{path}");
    }
    assert_eq!(client.get("/ServiceProviderConfig").await.json()["etag"]["supported"], true);
    for (body, kind) in [
        (json!({ "displayName": "x" }), "invalidValue"),
        (json!({ "userName": "" }), "invalidValue"),
        (json!({ "userName": "x", "active": "maybe" }), "invalidValue"),
        (json!([]), "invalidSyntax"),
    ] {
        let refused = client.post("/Users", body.clone()).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["scimType"]), (400, &json!(kind)), "{body}");
    }
    let unsupported = client.get("/Users?filter=userName%20sw%20%22a%22").await;
    assert_eq!(unsupported.json()["scimType"], "invalidFilter");
    let large = json!({ "userName": "x", "nickName": "x".repeat(3 * 1024 * 1024) });
    assert_eq!(client.post("/Users", large).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}
