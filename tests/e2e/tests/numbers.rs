//! The life of a number: its states and days, through the API, the schedule that ends rests, and the command.

use axum::http::{Method, StatusCode};
use e2e::{Caller, Reply, Stack, json, rollcall};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date};
use rollcall_engine::world::Numbers;
use rollcall_model::{
    account::AccountId,
    inventory::{Dates, InventoryNumber, NumberFacts, NumberState, utc_day},
};
use serde_json::{Value, json};

const NUMBERS: &str = "/v1/numbers";

async fn start() -> (Stack, Caller) {
    let stack = Stack::start(&[]).await;
    let caller = stack.caller(&["--account", "acme"]);
    (stack, caller)
}

async fn send(caller: &Caller, method: Method, path: &str, body: Value) -> Reply {
    caller.ask(method, path, &[("content-type", "application/json")], body.to_string()).await
}

async fn patch(caller: &Caller, number: &str, body: Value) -> Reply {
    send(caller, Method::PATCH, &format!("{NUMBERS}/{number}"), body).await
}

fn code(reply: &Reply) -> (u16, Option<String>) {
    (reply.status.as_u16(), reply.json()["code"].as_str().map(str::to_owned))
}

/// The number `+91987654{last}`, which came to its state so many days ago.
fn aged(last: u32, state: NumberState, days: i64) -> InventoryNumber {
    let at = Timestamp::now() - SignedDuration::from_hours(24 * days);
    let facts = NumberFacts { state, ..NumberFacts::default() };
    InventoryNumber::new(format!("+91987654{last:04}").parse().unwrap(), facts, at)
}

fn resting(last: u32, until: Date) -> InventoryNumber {
    let mut number = aged(last, NumberState::Resting, 40);
    number.facts.resting_until = Some(until);
    number
}

async fn put(stack: &Stack, numbers: &[InventoryNumber]) {
    stack.directory.put_numbers(&stack.account, numbers).await.unwrap();
}

/// Every number of a list, page by page, and how many pages there were.
async fn walk(caller: &Caller, query: &str) -> (Vec<String>, usize) {
    let (mut seen, mut pages, mut next) = (Vec::new(), 0, String::new());
    loop {
        let page = caller.get(&format!("{NUMBERS}?{query}{next}")).await.json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["number"].as_str().unwrap().to_owned()));
        pages += 1;
        let Some(cursor) = page["next"].as_str() else { return (seen, pages) };
        next = format!("&cursor={cursor}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn days_are_shown_and_those_that_are_due_are_found_on_whatever_page() {
    let (stack, caller) = start().await;
    let undated = InventoryNumber { dates: Dates::default(), ..aged(5, NumberState::Active, 99) };
    let flagged = aged(1, NumberState::Active, 20);
    let facts = NumberFacts { state: NumberState::Flagged, ..flagged.facts.clone() };
    let flagged = flagged.change(facts, Timestamp::now() - SignedDuration::from_hours(49)).unwrap();
    put(&stack, &[aged(0, NumberState::Active, 15), flagged, undated]).await;
    put(&stack, &[aged(2, NumberState::Active, 14), aged(3, NumberState::New, 90), aged(4, NumberState::Retired, 90)])
        .await;

    let page = caller.get(NUMBERS).await.json();
    let days: Vec<_> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["days_in_service"].as_u64(), item["days_since_flagged"].as_u64()))
        .collect();
    assert_eq!(
        days,
        [(Some(15), None), (Some(20), Some(2)), (Some(14), None), (None, None), (None, None), (None, None)]
    );

    let all = |last: &[u32]| last.iter().map(|last| format!("+91987654{last:04}")).collect::<Vec<_>>();
    assert_eq!(walk(&caller, "due=15").await.0, all(&[0, 1]));
    assert_eq!(walk(&caller, "due=15&limit=1").await.0, all(&[0, 1]));
    assert_eq!(walk(&caller, "due=21").await.0, [""; 0]);
    assert_eq!(walk(&caller, "due=1").await.0, all(&[0, 1, 2]));

    // The few that are due stand behind more numbers than one page looks at.
    let young: Vec<_> = (1_000..2_100).map(|last| aged(last, NumberState::Active, 3)).collect();
    put(&stack, &young).await;
    put(&stack, &[aged(9_000, NumberState::Active, 30), aged(9_001, NumberState::Active, 30)]).await;
    let (due, pages) = walk(&caller, "due=15&limit=2").await;
    assert_eq!(due, all(&[0, 1, 9_000, 9_001]));
    assert!(pages >= 2);
    assert_eq!(walk(&caller, "limit=200").await.0.len(), 1_108);

    for wrong in ["0", "3651", "-1", "1.5", "ten", ""] {
        let refused = caller.get(&format!("{NUMBERS}?due={wrong}")).await;
        assert_eq!(code(&refused), (400, Some("INVALID_PARAMETER".into())), "{wrong}");
        assert_eq!(refused.json()["pointer"], "due");
    }
    let next = caller.get(&format!("{NUMBERS}?due=15&limit=1")).await.json()["next"].as_str().unwrap().to_owned();
    let other = caller.get(&format!("{NUMBERS}?due=14&limit=1&cursor={next}")).await;
    assert_eq!(code(&other), (400, Some("INVALID_CURSOR".into())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_goes_from_state_to_state_and_a_retirement_is_mended_in_two_steps() {
    let (_stack, caller) = start().await;
    let number = "+919876543210";
    let body = json!({ "numbers": [{ "number": number, "state": "new" }] });
    assert_eq!(send(&caller, Method::POST, NUMBERS, body).await.status, StatusCode::CREATED);
    let new = caller.get(&format!("{NUMBERS}/{number}")).await.json();
    assert!(new["state_since"].is_string() && new.get("in_service_since").is_none(), "{new}");

    let active = patch(&caller, number, json!({ "state": "active" })).await.json();
    assert!(active["in_service_since"].is_string() && active.get("flagged_since").is_none(), "{active}");
    let flagged = patch(&caller, number, json!({ "state": "flagged" })).await.json();
    assert_eq!(flagged["in_service_since"], active["in_service_since"]);
    assert!(flagged["flagged_since"].is_string());
    let labelled = patch(&caller, number, json!({ "labels": ["spam"] })).await.json();
    assert_eq!(labelled["flagged_since"], flagged["flagged_since"], "a label is no move");

    let retired = patch(&caller, number, json!({ "state": "retired" })).await.json();
    assert_eq!((retired["version"].as_u64(), retired.get("in_service_since")), (Some(5), None));
    for state in [json!("active"), json!("flagged"), Value::Null] {
        let refused = patch(&caller, number, json!({ "state": state })).await;
        assert_eq!(code(&refused), (409, Some("NUMBER_RETIRED".into())), "{state}");
        assert_eq!(refused.json()["pointer"], "/state");
    }
    let refused = patch(&caller, number, json!({ "state": "resting", "resting_until": "2099-01-01" })).await;
    assert_eq!(code(&refused), (409, Some("NUMBER_RETIRED".into())));
    assert_eq!(
        patch(&caller, number, json!({ "labels": [] })).await.json()["state"],
        "retired",
        "other edits are taken"
    );
    let anew = patch(&caller, number, json!({ "state": "new" })).await.json();
    assert_eq!((anew["state"].as_str(), anew.get("flagged_since")), (Some("new"), None));
    assert_eq!(patch(&caller, number, json!({ "state": "active" })).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rest_ends_on_its_day_once() {
    let (stack, caller) = start().await;
    let other: AccountId = "other".parse().unwrap();
    let today = utc_day(Timestamp::now());
    put(&stack, &[resting(0, today - 3.days()), resting(1, today), resting(2, today + 3.days())]).await;
    put(&stack, &[aged(3, NumberState::Retired, 40)]).await;
    stack.directory.put_numbers(&other, &[resting(0, today)]).await.unwrap();
    // Its rest has been made longer, and that of the next one has been ended by hand.
    put(&stack, &[resting(4, today), resting(5, today)]).await;
    let longer = patch(&caller, "+919876540004", json!({ "resting_until": (today + 9.days()).to_string() })).await;
    assert_eq!(longer.status, StatusCode::OK);
    patch(&caller, "+919876540005", json!({ "state": "flagged", "resting_until": null })).await;

    let standing = async || {
        let page = caller.get(NUMBERS).await.json();
        let item = |item: &Value| (item["state"].as_str().unwrap().to_owned(), item["version"].as_u64().unwrap());
        page["items"].as_array().unwrap().iter().map(item).collect::<Vec<_>>()
    };
    let after = ["active", "active", "resting", "retired", "resting", "flagged"].map(str::to_owned);
    let after: Vec<_> = after.into_iter().zip([2, 2, 1, 1, 2, 2]).collect();
    for _ in 0..2 {
        let run = rollcall(Some(&stack), &["schedules", "run", "NumberRotationFunctionVisit"], &[]);
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        assert_eq!(standing().await, after);
    }
    let page = caller.get(NUMBERS).await.json();
    assert_eq!((&page["items"][0]["days_in_service"], &page["items"][0]["resting_until"]), (&json!(0), &Value::Null));
    let others = stack.directory.inventory(&other).await.unwrap();
    assert_eq!(others[0].facts.state, NumberState::Active, "every account is visited");
    assert_eq!(stack.directory.due_numbers(today).await.unwrap(), [], "nothing of a rest is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn attestation_and_purpose_are_kept_and_a_wrong_series_is_warned_of() {
    let (_stack, caller) = start().await;
    let numbers = json!({ "numbers": [
        { "number": "+911401234567", "purpose": "service", "attestation": "A" },
        { "number": "+911600112345", "purpose": "service" },
        { "number": "+14045550123", "purpose": "promotional" },
        { "number": "+919876543210" },
    ] });
    assert_eq!(send(&caller, Method::POST, NUMBERS, numbers).await.status, StatusCode::CREATED);
    let warned = |item: &Value| item["warnings"].as_array().unwrap().iter().map(|it| it["code"].clone()).collect();
    let page = caller.get(NUMBERS).await.json();
    let warnings: Vec<Vec<Value>> = page["items"].as_array().unwrap().iter().map(warned).collect();
    assert_eq!(warnings, [vec![], vec![json!("ONLY_140_PROMOTIONAL")], vec![], vec![]]);
    assert_eq!(caller.get(&format!("{NUMBERS}/+911401234567")).await.json()["attestation"], "A");

    let service = patch(&caller, "+919876543210", json!({ "purpose": "service", "attestation": "C" })).await.json();
    assert_eq!((&service["purpose"], warned(&service)), (&json!("service"), vec![json!("SERVICE_NOT_1600")]));
    let silent = patch(&caller, "+919876543210", json!({ "purpose": null })).await.json();
    assert_eq!((&silent["purpose"], warned(&silent)), (&Value::Null, vec![]));
    for (field, value) in [("attestation", "D"), ("attestation", "a"), ("purpose", "spam")] {
        let refused = patch(&caller, "+919876543210", json!({ field: value })).await;
        assert_eq!(code(&refused), (422, Some("INVALID_FIELD".into())), "{field}");
        assert_eq!(refused.json()["pointer"], format!("/{field}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_lists_what_is_due_or_in_a_state() {
    let (stack, _caller) = start().await;
    let flagged = aged(1, NumberState::Flagged, 4);
    put(&stack, &[aged(0, NumberState::Active, 20), flagged, aged(2, NumberState::New, 20)]).await;
    let run = |args: &[&str]| rollcall(Some(&stack), &[&["numbers", "--account", "acme"], args].concat(), &[]);
    let listed = |args: &[&str]| {
        let numbers = json(&run(&[args, &["--json"]].concat()));
        let number = |number: &Value| number["number"].as_str().unwrap().to_owned();
        numbers.as_array().unwrap().iter().map(number).collect::<Vec<_>>()
    };
    assert_eq!(listed(&[]).len(), 3);
    assert_eq!(listed(&["--due", "15"]), ["+919876540000"]);
    assert_eq!(listed(&["--state", "flagged"]), ["+919876540001"]);
    assert_eq!(listed(&["--state", "flagged", "--due", "15"]), [""; 0]);
    let text = |args: &[&str]| String::from_utf8(run(args).stdout).unwrap();
    let table = text(&[]);
    let row = table.lines().find(|line| line.contains("+919876540001")).unwrap();
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["+919876540001", "flagged", "4", "4"], "{table}");
    let told = String::from_utf8(run(&["--limit", "2"]).stderr).unwrap();
    assert!(told.contains("There are more"), "{told}");
    assert_eq!(listed(&["--sort=-days", "--limit", "1"]), ["+919876540000"]);
    assert_eq!(listed(&["--search", "40001"]), ["+919876540001"]);
    assert_eq!(listed(&["--department", "nowhere"]), [""; 0]);
    let none = text(&["--due", "99"]);
    assert!(none.contains("no such number") && !none.contains("seed"), "{none}");
    assert!(!run(&["--due", "0"]).status.success());
    assert!(!run(&["--state", "tired"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_filtered_sorted_and_counted() {
    let (stack, caller) = start().await;
    let mut sales = aged(0, NumberState::Active, 20);
    sales.facts.department = "sales".parse().ok();
    sales.facts.labels = vec!["hot".parse().unwrap()];
    let flagged = aged(1, NumberState::Flagged, 30);
    let young = aged(2, NumberState::Active, 1);
    put(&stack, &[sales, flagged, young, aged(3, NumberState::New, 40), aged(4, NumberState::Retired, 90)]).await;
    for (query, expected) in [
        ("limit=2", &[0, 1, 2, 3, 4][..]),
        ("state=flagged", &[1]),
        ("department=sales", &[0]),
        ("label=hot", &[0]),
        ("label=cold", &[]),
        ("purpose=service", &[]),
        ("due=15", &[0, 1]),
        ("due=15&department=sales", &[0]),
        ("search=%2B91%20987-654%200003", &[3]),
        ("search=6540", &[0, 1, 2, 3, 4]),
        ("sort=days&limit=2", &[2, 0, 1, 3, 4]),
        ("sort=-days&limit=1", &[1, 0, 2, 3, 4]),
    ] {
        let expected: Vec<String> = expected.iter().map(|last| format!("+91987654{last:04}")).collect();
        assert_eq!(walk(&caller, query).await.0, expected, "{query}");
    }
    for query in ["state=burnt", "sort=age", "search=abc", "due=0", "search="] {
        assert_eq!(code(&caller.get(&format!("{NUMBERS}?{query}")).await), (400, Some("INVALID_PARAMETER".to_owned())));
    }
    let other = caller.get(&format!("{NUMBERS}?limit=1")).await.json()["next"].as_str().unwrap().to_owned();
    let wrong = caller.get(&format!("{NUMBERS}?limit=1&sort=days&cursor={other}")).await;
    assert_eq!(code(&wrong), (400, Some("INVALID_CURSOR".to_owned())), "a cursor belongs to one list");
    let summary = caller.get(&format!("{NUMBERS}/summary?due=25")).await.json();
    assert_eq!(
        summary,
        json!({
            "numbers": 5,
            "states": { "new": 1, "active": 2, "flagged": 1, "resting": 0, "retired": 1 },
            "due_days": 25,
            "due": 1,
            "departments": [
                { "department": null, "numbers": 4, "usable": 3 },
                { "department": "sales", "numbers": 1, "usable": 1 },
            ],
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_is_told_whether_a_user_may_dial_and_from_what_instead() {
    let stack = Stack::start(&[]).await;
    let replaced = InventoryNumber { replaced_by: "+919876540001".parse().ok(), ..aged(0, NumberState::Retired, 1) };
    put(&stack, &[replaced, aged(1, NumberState::Active, 1), aged(2, NumberState::Active, 1)]).await;
    let mut asha = e2e::user("asha");
    asha.caller_ids = [0, 1].map(|last| format!("+91987654{last:04}").parse().unwrap()).to_vec();
    stack.create_user(asha).await;
    let switch = stack.caller(&["--account", "acme", "--scope", "rollcall/dial.check"]);
    let ask = async |path: &str| {
        let reply = switch.get(&format!("/v1/users/{path}")).await;
        (reply.header("rollcall-allowed").to_owned(), reply.header("rollcall-use").to_owned(), reply.json())
    };
    let no = |code: &str| json!({ "allowed": false, "code": code });
    let (allowed, _, body) = ask("asha/caller-ids/+919876540001").await;
    assert_eq!((&*allowed, body), ("yes", json!({ "allowed": true, "state": "active" })));
    assert_eq!(ask("asha/caller-ids/919876540001").await.0, "yes", "without the plus sign");
    for spelling in ["98765%2040001", "09876540001", "9876540001"] {
        assert_eq!(ask(&format!("asha/caller-ids/{spelling}")).await.0, "yes", "{spelling}");
    }
    let (allowed, instead, body) = ask("asha/caller-ids/+919876540000?suggest=true").await;
    assert_eq!((&*allowed, &*instead), ("no", "+919876540001"));
    let expected = json!({ "allowed": false, "code": "NUMBER_RETIRED", "state": "retired", "use": "+919876540001" });
    assert_eq!(body, expected);
    let off_list = json!({ "allowed": false, "code": "NUMBER_NOT_ON_LIST", "state": "active" });
    assert_eq!(ask("asha/caller-ids/+919876540002").await.2, off_list);
    assert_eq!(ask("asha/caller-ids/+919876549999").await.2, no("NUMBER_UNKNOWN"));
    assert_eq!(ask("nobody/caller-ids/+919876549999").await.2, no("USER_UNKNOWN"));
    assert_eq!(switch.get("/v1/users/asha/caller-ids/d%2A%7C").await.status, StatusCode::BAD_REQUEST);
    for path in ["/v1/users/asha", "/v1/users/asha/caller-ids", NUMBERS] {
        assert_eq!(switch.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let reader = stack.caller(&["--account", "acme", "--scope", "rollcall/users.read"]);
    assert_eq!(reader.get("/v1/users/asha/caller-ids/+919876540001").await.status, StatusCode::FORBIDDEN);
    let theirs = stack.caller(&["--account", "other"]);
    assert_eq!(theirs.get("/v1/users/asha/caller-ids/+919876540001").await.json(), no("USER_UNKNOWN"));
}
