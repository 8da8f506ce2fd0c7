//! A lost answer is no refusal: a write of the API that is carried out, and whose answer the table's client never sees, is answered as it would
//! have been. Every write of the contract is tried, with the answer of each of its requests to the table lost in turn.

use rollcall_engine::world::{Catalogs, Jobs};
use std::collections::{BTreeMap, BTreeSet};

use axum::{Router, body::Body};
use e2e::{Faults, Proxy, Stack, contract, function, gateway_event, user};
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use lambda_http::{Service, http};
use rollcall_bulk::{job::Job, upload::InboxKey};
use rollcall_model::{
    account::AccountId,
    catalog::{CatalogEntry, CatalogKind},
    inventory::{InventoryNumber, NumberFacts},
    jobs::JobKind,
    mapping::{CrmUserId, Mapping},
    user::{Name, Profile, Ref, User},
};
use serde_json::{Value, json};

/// A write of the API. Every account is furnished alike before it.
#[derive(Clone, Copy)]
struct Write {
    route: &'static str,
    /// What stands for the parameters of the path.
    path: &'static [(&'static str, &'static str)],
    if_match: Option<&'static str>,
    body: &'static str,
    status: u16,
}

const fn write(
    route: &'static str,
    path: &'static [(&'static str, &'static str)],
    if_match: Option<&'static str>,
    body: &'static str,
    status: u16,
) -> Write {
    Write { route, path, if_match, body, status }
}

const U1: &[(&str, &str)] = &[("login", "u1")];
const U2: &[(&str, &str)] = &[("login", "u2")];
const R1: &[(&str, &str)] = &[("id", "r1")];
const CRM: &[(&str, &str)] = &[("crm_user", "crm-1")];
const FIRST: Option<&str> = Some("\"1\"");

const WRITES: &[Write] = &[
    write("POST /v1/users", &[], None, r#"{"login":"new","name":"New"}"#, 201),
    write("POST /v1/users", &[], None, r#"{"login":"new","name":"New","email":"new@example.com"}"#, 201),
    write("PATCH /v1/users/{login}", U1, FIRST, r#"{"name":"Changed"}"#, 200),
    write("PATCH /v1/users/{login}", U1, None, r#"{"email":"changed@example.com"}"#, 200),
    write("PATCH /v1/users/{login}", U2, FIRST, r#"{"email":"changed@example.com"}"#, 200),
    write("DELETE /v1/users/{login}", U1, FIRST, "", 204),
    write("DELETE /v1/users/{login}", U2, None, "", 204),
    write("POST /v1/users/{login}/actions/{action}", &[("login", "u1"), ("action", "block-agent")], None, "", 200),
    write("POST /v1/users/{login}/actions/{action}", &[("login", "u2"), ("action", "disable-agent")], FIRST, "", 200),
    write("POST /v1/users/jobs", &[], None, r#"{"logins":["u1"],"set":{"agent_status":"disabled"}}"#, 202),
    write("POST /v1/users/jobs", &[], None, r#"{"filter":{},"append":["+919876500002"],"preview":true}"#, 202),
    write("PUT /v1/users/{login}/caller-id-policy", U1, FIRST, r#"{"policy":"all"}"#, 200),
    write("POST /v1/users/{login}/caller-ids", U1, None, r#"{"caller_ids":["+919876500002"]}"#, 200),
    write(
        "DELETE /v1/users/{login}/caller-ids/{number}",
        &[("login", "u1"), ("number", "+919876500001")],
        None,
        "",
        204,
    ),
    write("PUT /v1/roles/{id}", R1, None, r#"{"name":"Changed"}"#, 200),
    write("PUT /v1/departments/{id}", R1, None, r#"{"name":"Changed"}"#, 200),
    write("PUT /v1/teams/{id}", R1, None, r#"{"name":"Changed"}"#, 200),
    write("DELETE /v1/roles/{id}", R1, None, "", 204),
    write("DELETE /v1/departments/{id}", R1, None, "", 204),
    write("DELETE /v1/teams/{id}", R1, None, "", 204),
    write("POST /v1/numbers", &[], None, r#"{"numbers":[{"number":"+919876500003"},{"number":"+919876500001"}]}"#, 201),
    write("PATCH /v1/numbers/{number}", &[("number", "+919876500001")], FIRST, r#"{"labels":["a"]}"#, 200),
    write("PATCH /v1/numbers/{number}", &[("number", "+919876500001")], None, r#"{"state":"retired"}"#, 200),
    write("POST /v1/numbers/rotations", &[], None, r#"{"retire":["+919876500001"]}"#, 202),
    write("PUT /v1/mappings/{crm_user}", &[("crm_user", "new")], None, r#"{"email":"u2@example.com"}"#, 201),
    write("PUT /v1/mappings/{crm_user}", CRM, FIRST, r#"{"email":"changed@example.com"}"#, 200),
    write("DELETE /v1/mappings/{crm_user}", CRM, None, "", 204),
    write("POST /v1/mappings/resync", &[], None, "{}", 202),
    write("PUT /v1/phone-system", &[], None, r#"{"system":"snapshot"}"#, 200),
    write("PUT /v1/phone-system/verified", &[], None, r#"{"replaces":true}"#, 200),
    write("POST /v1/phone-system/push", &[], None, "{}", 202),
    write("PATCH /v1/settings", &[], None, r#"{"list_limit":100}"#, 200),
    write("POST /v1/jobs", &[], None, r#"{"kind":"append-caller-ids","name":"a.csv","size":1}"#, 201),
    write("POST /v1/jobs/{id}/execute", &[("id", "previewed")], None, "", 202),
    write("POST /v1/jobs/{id}/discard", &[("id", "previewed")], None, "", 200),
    write("POST /v1/jobs/{id}/undo", &[("id", "finished")], None, "{}", 202),
];

/// Writes that ask another system first, and then drop a file: nothing of the table is written on a condition.
const ASK_ELSEWHERE: [&str; 2] = ["POST /v1/directory/import", "POST /v1/directory/sync"];

/// Writes of which each answer is another: a secret is drawn for it.
const DRAW_A_SECRET: [&str; 2] = ["POST /v1/directory/scim-keys", "DELETE /v1/directory/scim-keys/{id}"];

/// What differs from one answer to the next because it is drawn, or a time.
const DRAWN: [&str; 10] =
    ["version", "upload", "job", "url", "headers", "started", "ended", "changed", "in_service_since", "state_since"];

struct BothJobs {
    previewed: Job,
    finished: Job,
}

/// The answer to a write, without what is drawn.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    has_tag: bool,
    location: Option<String>,
    body: Value,
}

fn plain(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            fields.retain(|name, _| !DRAWN.contains(&name.as_str()));
            fields.values_mut().for_each(|field| *field = plain(field.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = plain(item.take())),
        _ => {}
    }
    value
}

/// What is there in an account before a write.
async fn furnish(stack: &Stack, account: &AccountId, jobs: &BothJobs) {
    let numbers = ["+919876500001", "+919876500002"].map(|number| number.parse().unwrap());
    let agent = |login: &str| {
        let agent = user(login);
        User { profile: Profile { calling_agent: true, ..agent.profile }, ..agent }
    };
    let first = User { caller_ids: numbers[..1].to_vec(), ..agent("u1") };
    let mut second = agent("u2");
    second.profile.email = "u2@example.com".parse().ok();
    let directory = &stack.directory;
    assert_eq!(directory.create_users(account, &[first, second]).await.unwrap(), 2);
    let now = jiff::Timestamp::UNIX_EPOCH;
    let numbers = numbers
        .map(|number| InventoryNumber { version: 1, ..InventoryNumber::new(number, NumberFacts::default(), now) });
    directory.put_numbers(account, &numbers).await.unwrap();
    let entry = CatalogEntry { id: Ref::parse("r1").unwrap(), name: Name::parse("First").unwrap() };
    for kind in [CatalogKind::Role, CatalogKind::Department, CatalogKind::Team] {
        directory.put_entry(account, kind, &entry, None).await.unwrap();
    }
    let mapping = Mapping::new(
        CrmUserId::parse("crm-1").unwrap(),
        rollcall_model::mapping::GivenMapping::default(),
        jiff::Timestamp::UNIX_EPOCH,
    );
    assert!(directory.change_mapping(account, None, &mapping, None).await.unwrap());
    for job in [&jobs.previewed, &jobs.finished] {
        let upload = InboxKey { account: account.clone(), ..job.upload.clone() };
        directory.claim_job(&Job { upload, ..job.clone() }, None).await.unwrap();
    }
}

/// The API, with a proxy between it and the table.
async fn api(stack: &Stack) -> (Router, Proxy) {
    let table = Proxy::start(&stack.endpoints().dynamodb, Faults::default(), None).await;
    (function(stack, &table.url).await, table)
}

impl Write {
    /// The request as the gateway hands it to the function.
    fn event(&self, account: &AccountId, jobs: &BothJobs, key: Option<&str>) -> http::Request<Body> {
        let (method, _) = self.route.split_once(' ').unwrap();
        let jobs = [("previewed", &jobs.previewed), ("finished", &jobs.finished)];
        let value = |given: &str| match jobs.iter().find(|(name, _)| *name == given) {
            Some((_, job)) => job.id.to_string(),
            None => given.to_owned(),
        };
        let parameters: BTreeMap<&str, String> = self.path.iter().map(|(name, given)| (*name, value(given))).collect();
        let mut headers = BTreeMap::from([("content-type", "application/json")]);
        headers.extend(self.if_match.map(|tag| ("if-match", tag)));
        headers.extend(key.map(|key| ("idempotency-key", key)));
        let scopes: BTreeSet<&str> = contract().operations.iter().map(|operation| operation.scope.as_str()).collect();
        let scopes: Vec<&str> = scopes.into_iter().collect();
        let claims = json!({ "custom:account": account, "sub": "somebody", "scope": scopes.join(" ") });
        let more = json!({ "headers": headers, "pathParameters": parameters, "body": self.body });
        let authorizer = json!({ "jwt": { "claims": claims, "scopes": scopes } });
        gateway_event(self.route, (method, "/"), &authorizer, more).map(|_| Body::from(self.body))
    }

    async fn ask(&self, router: &mut Router, account: &AccountId, jobs: &BothJobs, key: Option<&str>) -> Answer {
        let (answer, body) = router.call(self.event(account, jobs, key)).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let header = |name: &str| answer.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        Answer {
            status: answer.status.as_u16(),
            has_tag: header("etag").is_some(),
            location: header("location"),
            body: plain(serde_json::from_slice(&body).unwrap_or_default()),
        }
    }

    /// Tries the write whole, and then with the answer of each of its requests lost.
    async fn try_all(&self, number: usize, stack: &Stack, jobs: &BothJobs, key: Option<&str>) {
        let (mut router, table) = api(stack).await;
        let named = key.map_or("plain", |_| "key");
        let account = |try_: i64| format!("w{number}-{named}-{}", try_ + 1).parse::<AccountId>().unwrap();
        furnish(stack, &account(-1), jobs).await;
        let before = table.requests();
        let whole = self.ask(&mut router, &account(-1), jobs, key).await;
        assert_eq!(whole.status, self.status, "{} {whole:?}", self.route);
        let requests = i64::try_from(table.requests() - before).unwrap();
        for lost in 0..requests {
            let account = account(lost);
            furnish(stack, &account, jobs).await;
            table.lose_answer(lost);
            let answer = self.ask(&mut router, &account, jobs, key).await;
            assert_eq!(answer, whole, "{} {named}, answer {lost} of {requests} lost", self.route);
            if key.is_some() {
                let again = self.ask(&mut router, &account, jobs, key).await;
                assert_eq!(again, whole, "{}, asked again after answer {lost} was lost", self.route);
            }
        }
    }
}

/// A stack, and jobs of it that every account is given a copy of.
async fn stack_with_jobs() -> (Stack, BothJobs) {
    let stack = Stack::start(&[]).await;
    stack.create_user(user("u1")).await;
    let rows = "Login ID,Allowed Caller ID\nu1,+919876500009\n";
    let jobs = BothJobs {
        previewed: stack.preview(JobKind::AppendCallerIds, "previewed.csv", rows).await,
        finished: stack.append("finished.csv", rows).await,
    };
    (stack, jobs)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_is_lost_is_answered_as_if_it_was_not() {
    /// Writes that are tried at once: the client waits before it asks once more.
    const AT_ONCE: usize = 12;
    let (stack, jobs) = stack_with_jobs().await;
    let tries = WRITES.iter().enumerate().flat_map(|(number, write)| {
        let key = write.route.starts_with("POST").then_some("a-key");
        [None].into_iter().chain(key.map(Some)).map(move |key| (number, write, key))
    });
    let tries: Vec<_> = tries.map(|(number, write, key)| write.try_all(number, &stack, &jobs, key)).collect();
    stream::iter(tries).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_the_table_can_not_store_is_refused_with_a_code_on_every_route() {
    let (stack, jobs) = stack_with_jobs().await;
    for (number, write) in WRITES.iter().enumerate() {
        let (mut router, table) = api(&stack).await;
        let account = format!("r{number}").parse::<AccountId>().unwrap();
        furnish(&stack, &account, &jobs).await;
        table.refuse_writes();
        let answer = write.ask(&mut router, &account, &jobs, None).await;
        assert_eq!((answer.status, &answer.body["code"]), (422, &json!("NOT_STORABLE")), "{} {answer:?}", write.route);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_whose_answer_is_lost_is_made_once_and_deleted_once() {
    let (stack, jobs) = stack_with_jobs().await;
    let (mut router, table) = api(&stack).await;
    for lost in 0..4 {
        let account = format!("k{lost}").parse::<AccountId>().unwrap();
        let [post, delete] = DRAW_A_SECRET;
        table.lose_answer(lost);
        let made = write(post, &[], None, "{}", 201).ask(&mut router, &account, &jobs, None).await;
        assert_eq!(made.status, 201, "the answer {lost} is lost: {made:?}");
        let keys = stack.directory.scim_keys(&account).await.unwrap().value;
        assert_eq!(keys.len(), 1, "the answer {lost} is lost");
        let id: &'static str = keys[0].id.clone().leak();
        let path: &'static [(&'static str, &'static str)] = vec![("id", id)].leak();
        table.lose_answer(lost);
        let deleted = write(delete, path, None, "", 204).ask(&mut router, &account, &jobs, None).await;
        assert_eq!(deleted.status, 204, "the answer {lost} is lost: {deleted:?}");
        assert!(stack.directory.scim_keys(&account).await.unwrap().value.is_empty());
    }
}

#[test]
fn every_write_of_the_contract_is_tried() {
    let tried: BTreeSet<&str> =
        WRITES.iter().map(|write| write.route).chain(ASK_ELSEWHERE).chain(DRAW_A_SECRET).collect();
    let routes: Vec<String> =
        contract().operations.iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    let writes: BTreeSet<&str> = routes.iter().map(String::as_str).filter(|route| !route.starts_with("GET")).collect();
    assert_eq!(tried, writes);
}
