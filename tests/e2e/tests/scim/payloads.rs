//! Ten requests as the directories send them.

use axum::http::{Method, StatusCode};
use e2e::{ENTERPRISE, SCIM_JSON, ScimClient, Stack, entra_user};
use serde_json::{Value, json};

use super::{id_of, table, user};

const GUID: &str = "87D349ED-44D7-43E1-9A83-5F2406DEE5BD";
const MAYA: &str = "maya@contoso.example";

async fn make_agent(stack: &Stack, login: &str) {
    let headers = [("content-type", "application/merge-patch+json")];
    let body = json!({ "calling_agent": true }).to_string();
    let reply =
        stack.caller(&["--account", "acme"]).ask(Method::PATCH, &format!("/v1/users/{login}"), &headers, body).await;
    assert!(reply.status.is_success(), "{}", reply.text());
}

/// Payloads 1 to 4: looked for, made, found, made again.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_looked_for_made_and_found() {
    let stack = Stack::start(&[]).await;
    let entra = ScimClient::of(&stack).await;
    let nobody = entra.get("/Users?filter=userName%20eq%20%226c1f0e0a-nobody%22").await;
    assert_eq!((nobody.status, nobody.header("content-type")), (StatusCode::OK, SCIM_JSON));
    let nobody = nobody.json();
    assert_eq!(
        (&nobody["totalResults"], &nobody["itemsPerPage"], &nobody["Resources"]),
        (&json!(0), &json!(0), &json!([]))
    );

    let made = entra.post("/Users", entra_user(MAYA, GUID)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let (location, tag) = (made.header("location").to_owned(), made.header("etag").to_owned());
    assert!(
        location.starts_with("http://") && location.ends_with(&format!("/scim/v2/Users/{}", id_of(MAYA))),
        "{location}"
    );
    let shown = made.json();
    assert_eq!(shown["meta"]["resourceType"], "User");
    assert_eq!((&shown["externalId"], &shown["meta"]["version"]), (&json!(GUID), &json!(tag)));
    assert_eq!(shown["name"]["familyName"], "Pillai");
    let known = user(&stack, MAYA).await;
    assert_eq!((&known["name"], &known["email"], &known["login"]), (&json!("Maya Pillai"), &json!(MAYA), &json!(MAYA)));

    for filter in [
        "USERNAME%20Eq%20%22MAYA@Contoso.Example%22",
        "externalId%20eq%20%2287D349ED-44D7-43E1-9A83-5F2406DEE5BD%22",
        "externalId%20eq%2087D349ED-44D7-43E1-9A83-5F2406DEE5BD",
        "emails%5Btype%20eq%20%22work%22%5D.value%20eq%20%22Maya@contoso.example%22",
        "displayName%20eq%20%22Nobody%22%20and%20userName%20eq%20%22maya@contoso.example%22",
        "id%20eq%20%22bWF5YUBjb250b3NvLmV4YW1wbGU%22",
    ] {
        let found = entra.get(&format!("/Users?filter={filter}")).await;
        assert_eq!(found.status, StatusCode::OK, "{filter}: {}", found.text());
        let found = found.json();
        let expected = u32::from(!filter.contains("Nobody"));
        assert_eq!(found["totalResults"], expected, "{filter}");
        if expected == 1 {
            assert_eq!(found["Resources"][0]["userName"], MAYA, "{filter}");
        }
    }

    let before = table(&stack).await;
    let again = entra.post("/Users", entra_user(&MAYA.to_uppercase(), GUID)).await;
    let error = again.json();
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert_eq!((&error["status"], &error["scimType"]), (&json!("409"), &json!("uniqueness")));
    assert_eq!(table(&stack).await, before);
}

/// Payloads 5 to 7.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_deactivated_and_changed_in_both_vendors_forms() {
    let stack = Stack::start(&[]).await;
    let client = ScimClient::of(&stack).await;
    let id = client.made("/Users", entra_user(MAYA, GUID)).await;
    make_agent(&stack, MAYA).await;
    let path = format!("/Users/{id}");
    for leave in [
        json!([{ "op": "Replace", "path": "active", "value": "False" }]),
        json!([{ "op": "replace", "value": { "active": false } }]),
    ] {
        let left = client.patch(&path, leave.clone()).await;
        assert_eq!((left.status, &left.json()["active"]), (StatusCode::OK, &json!(false)), "{}", left.text());
        let known = user(&stack, MAYA).await;
        assert_eq!((&known["web_login"], &known["agent_status"]), (&json!("blocked"), &json!("disabled")), "{leave}");
        let again = client.patch(&path, leave).await;
        assert_eq!((again.status, again.header("etag")), (StatusCode::OK, left.header("etag")));
        let back = client.patch(&path, json!([{ "op": "Replace", "path": "active", "value": "True" }])).await;
        assert_eq!(back.json()["active"], true);
        let known = user(&stack, MAYA).await;
        assert_eq!((&known["web_login"], &known["agent_status"]), (&json!("active"), &json!("enabled")));
    }
    let changed = client
        .patch(
            &path,
            json!([
                { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "m@c.example" },
                { "op": "replace", "value": { "displayName": "M P", "name.givenName": "M", format!("{ENTERPRISE}:employeeNumber"): "7" } },
            ]),
        )
        .await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    let shown = changed.json();
    assert_eq!((&shown["name"]["givenName"], &shown[ENTERPRISE]["employeeNumber"]), (&json!("M"), &json!("7")));
    let keys = shown.as_object().expect("an object").keys();
    assert!(keys.filter(|key| !key.starts_with("urn:")).all(|key| !key.contains('.')), "{shown}");
    let known = user(&stack, MAYA).await;
    assert_eq!((&known["name"], &known["email"]), (&json!("M P"), &json!("m@c.example")));
}

/// Payload 8.
#[tokio::test(flavor = "multi_thread")]
async fn one_of_150_members_is_removed_by_a_list_of_one() {
    let stack = Stack::start(&[]).await;
    let entra = ScimClient::of(&stack).await;
    stack.create_users(150).await;
    let ids: Vec<String> = (1..=150).map(|number| id_of(&format!("user{number}"))).collect();
    let group = entra.made("/Groups", json!({ "displayName": "Sales", "externalId": "g-1" })).await;
    let path = format!("/Groups/{group}");
    let add: Vec<Value> = ids.iter().map(|id| json!({ "$ref": null, "value": id })).collect();
    for _ in 0..2 {
        let added = entra.patch(&path, json!([{ "op": "Add", "path": "members", "value": add }])).await;
        assert_eq!(added.status, StatusCode::NO_CONTENT, "{}", added.text());
    }
    let members = async || {
        let shown = entra.get(&path).await.json();
        shown["members"].as_array().cloned().unwrap_or_default()
    };
    assert_eq!(members().await.len(), 150);
    let gone = json!([{ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": ids[0] }] }]);
    assert_eq!(entra.patch(&path, gone).await.status, StatusCode::NO_CONTENT);
    let left = members().await;
    assert!(left.len() == 149 && left.iter().all(|member| member["value"] != ids[0]));
    let bare = entra.get(&format!("{path}?excludedAttributes=members")).await.json();
    assert_eq!((&bare["displayName"], bare.get("members")), (&json!("Sales"), None));
}

/// Payload 9.
#[tokio::test(flavor = "multi_thread")]
async fn okta_puts_back_what_it_has_read() {
    let stack = Stack::start(&[]).await;
    let okta = ScimClient::of(&stack).await;
    stack.own(&["+919876500001"]).await;
    let id = okta.made("/Users", entra_user(MAYA, GUID)).await;
    stack.append("list.csv", format!("Login ID,Allowed Caller ID\n{MAYA},+919876500001\n")).await;
    let path = format!("/Users/{id}");
    let read = okta.get(&path).await;
    let mut whole = read.json();
    let same = okta.ask(Method::PUT, &path, &[], Some(whole.clone())).await;
    assert_eq!((same.status, same.header("etag")), (StatusCode::OK, read.header("etag")));
    (whole["title"], whole["password"], whole["groups"]) = (json!("Team lead"), json!("Hunter-2-hunter"), json!([]));
    let put = okta.ask(Method::PUT, &path, &[], Some(whole)).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text());
    assert_eq!((&put.json()["title"], put.json().get("password")), (&json!("Team lead"), None));
    let known = user(&stack, MAYA).await;
    assert_eq!(known["designation"], "Team lead");
    assert!(!table(&stack).await.values().any(|item| item.contains("Hunter-2")));
    assert_eq!(stack.list(MAYA).await.map(|list| list.len()), Some(1));
}

/// Payload 10.
#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_every_user_once() {
    let stack = Stack::start(&[]).await;
    let okta = ScimClient::of(&stack).await;
    stack.create_users(250).await;
    let deleted = okta.ask(Method::DELETE, &format!("/Users/{}", id_of("user7")), &[], None).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{}", deleted.text());
    okta.made("/Users", entra_user(MAYA, GUID)).await;
    let mut ids = std::collections::BTreeSet::new();
    for (start, count) in [(1, 100), (101, 100), (201, 50)] {
        let page = okta.get(&format!("/Users?startIndex={start}&count=100")).await.json();
        assert_eq!(
            (&page["startIndex"], &page["itemsPerPage"], &page["totalResults"]),
            (&json!(start), &json!(count), &json!(250))
        );
        ids.extend(
            page["Resources"].as_array().expect("a list").iter().map(|one| one["id"].as_str().unwrap().to_owned()),
        );
    }
    assert_eq!(ids.len(), 250);
    // A page that nobody has read the one before of.
    let page = okta.get("/Users?startIndex=51&count=3&attributes=userName").await.json();
    assert_eq!(page["itemsPerPage"], 3);
    assert_eq!(page["Resources"][0].as_object().expect("a user").len(), 4, "{page}");
    let none = okta.get("/Users?count=0").await.json();
    assert_eq!((&none["totalResults"], &none["Resources"]), (&json!(250), &json!([])));
    let past = okta.get("/Users?startIndex=1000").await.json();
    assert_eq!((&past["totalResults"], &past["itemsPerPage"]), (&json!(250), &json!(0)));
}
