//! What is known of an account's numbers is what its items say, whoever reads and whoever has written.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_sdk_dynamodb::types::AttributeValue;
use axum::http::{Method, StatusCode};
use e2e::{Caller, SeededRng, Stack, TestEngine, how_much, somebody, user};
use rollcall_engine::world::{NumberChange, Numbers};
use rollcall_model::{
    caller_id::CallerId,
    inventory::{InventoryNumber, NumberFacts, NumberState},
    user::Policy,
};
use serde_json::json;
use tokio::task::JoinSet;

fn text(n: usize) -> String {
    format!("+9198765{n:05}")
}

fn number(n: usize) -> CallerId {
    text(n).parse().unwrap()
}

fn item(n: usize) -> InventoryNumber {
    InventoryNumber::new(number(n), NumberFacts::default(), jiff::Timestamp::now())
}

/// A user who dials from whatever the account has.
async fn dials_from_all(stack: &Stack) {
    let mut asha = user("asha");
    asha.policy = Policy::All;
    stack.create_user(asha).await;
}

async fn sees(caller: &Caller) -> Option<BTreeSet<String>> {
    let reply = caller.get("/v1/users/asha/caller-ids").await;
    (reply.status == StatusCode::OK)
        .then(|| reply.json()["effective"].as_array().unwrap().iter().map(|n| n.as_str().unwrap().to_owned()).collect())
}

/// Retirements, readers at work and processes that die meanwhile. `ROLLCALL_RETIREMENTS` says how many.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_whose_retirement_was_answered_is_never_shown_afterwards() {
    const RETIREMENTS: u64 = 30;
    const READERS: usize = 3;
    let count = usize::try_from(how_much("ROLLCALL_RETIREMENTS", RETIREMENTS)).unwrap();
    let stack = Stack::start(&[]).await;
    stack.directory.put_numbers(&stack.account, &(0..=count).map(item).collect::<Vec<_>>()).await.unwrap();
    dials_from_all(&stack).await;
    let caller = stack.caller(&["--account", "acme"]);
    let retired = Arc::new(Mutex::new(BTreeSet::<String>::new()));
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let (caller, retired) = (caller.clone(), Arc::clone(&retired));
        readers.spawn(async move {
            let mut answers = 0;
            loop {
                let before = retired.lock().unwrap().clone();
                if let Some(seen) = sees(&caller).await {
                    let shown: Vec<_> = seen.intersection(&before).collect();
                    assert!(shown.is_empty(), "{shown:?} were retired before");
                    answers += 1;
                }
                if before.len() == count {
                    return answers;
                }
            }
        });
    }
    let draws = SeededRng::of(7);
    for n in 0..count {
        loop {
            let body = json!({ "state": "retired" }).to_string();
            let headers = [("content-type", "application/json")];
            let reply = caller.ask(Method::PATCH, &format!("/v1/numbers/{}", text(n)), &headers, body).await;
            if reply.status == StatusCode::OK {
                break;
            }
        }
        retired.lock().unwrap().insert(text(n));
        if draws.below(6) == 0 {
            stack.kill_all("users-api");
        }
    }
    let mut answers = 0;
    while let Some(reader) = readers.join_next().await {
        answers += reader.expect("no retired number is shown");
    }
    assert!(answers > READERS, "they have read while numbers were retired: {answers}");
    assert_eq!(sees(&caller).await, Some(BTreeSet::from([text(count)])));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_change_numbers_at_once_lose_nothing() {
    const WRITERS: usize = 8;
    const EACH: usize = 12;
    let stack = Arc::new(Stack::start(&[]).await);
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let stack = Arc::clone(&stack);
        writers.spawn(async move {
            // Each with a process of its own, as far as what is known goes.
            let directory = TestEngine::new(&stack, e2e::Faults::default(), None).await.directory;
            for n in 0..EACH {
                let new = item(writer * EACH + n);
                let changes = [NumberChange { before: None, after: &new }];
                assert_eq!(directory.change_numbers(&stack.account, &changes, &somebody()).await.unwrap(), [true]);
            }
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }
    let all: Vec<CallerId> = (0..WRITERS * EACH).map(number).collect();
    let inventory = stack.directory.inventory(&stack.account).await.unwrap();
    assert_eq!(inventory.iter().map(|item| item.number).collect::<Vec<_>>(), all);
    // One that is there already, and one that has been changed since it was read.
    let (again, old) = (item(3), item(4));
    let retired = old
        .change(NumberFacts { state: NumberState::Retired, ..NumberFacts::default() }, old.dates.state_since.unwrap());
    let retired = retired.unwrap();
    let newer = InventoryNumber { version: 7, ..item(5) };
    let changes = [
        NumberChange { before: None, after: &again },
        NumberChange { before: Some(&old), after: &retired },
        NumberChange { before: Some(&newer), after: &newer },
    ];
    let outcomes = stack.directory.change_numbers(&stack.account, &changes, &somebody()).await.unwrap();
    assert_eq!(outcomes, [false, true, false], "each by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inventory_grows_past_what_one_part_holds() {
    const NUMBERS: usize = 8_000;
    let stack = Stack::start(&[]).await;
    let half: Vec<_> = (0..NUMBERS).step_by(2).map(item).collect();
    stack.directory.put_numbers(&stack.account, &half).await.unwrap();
    let others: Vec<_> = (1..NUMBERS / 40).step_by(2).map(item).collect();
    let changes: Vec<_> = others.iter().map(|after| NumberChange { before: None, after }).collect();
    let outcomes = stack.directory.change_numbers(&stack.account, &changes, &somebody()).await.unwrap();
    assert!(outcomes.iter().all(|written| *written));
    let mut expected: Vec<CallerId> = half.iter().chain(&others).map(|item| item.number).collect();
    expected.sort_unstable();
    // Read by somebody who knows nothing yet.
    let directory = TestEngine::new(&stack, e2e::Faults::default(), None).await.directory;
    let inventory = directory.inventory(&stack.account).await.unwrap();
    assert_eq!(inventory.iter().map(|item| item.number).collect::<Vec<_>>(), expected);
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_packed_is_packed_anew_where_it_is_missing_or_another() {
    let stack = Stack::start(&[]).await;
    dials_from_all(&stack).await;
    let caller = stack.caller(&["--account", "acme"]);
    let first = BTreeSet::from([text(0)]);
    assert_eq!(sees(&caller).await, Some(BTreeSet::new()), "an account without numbers");
    let body = json!({ "numbers": [{ "number": text(0) }] }).to_string();
    let added = caller.ask(Method::POST, "/v1/numbers", &[("content-type", "application/json")], body).await;
    assert_eq!(added.status, StatusCode::CREATED);
    assert_eq!(sees(&caller).await, Some(first.clone()), "its first number");
    let (table, name) = (stack.table(), stack.output("TableName"));
    let (head, parts) = (format!("ACCT#{}", stack.account), format!("ACCT#{}#INVENTORY", stack.account));
    let first_part = "PART#000000000000000";
    for (what, pk, sk, change) in [
        ("a stamp that is ahead", &*head, "INVENTORY", Some("SET stamp = stamp + :n")),
        ("a head that is missing", &*head, "INVENTORY", None),
        ("a part that is missing", &*parts, first_part, None),
        ("a part that the head doesn't name", &*parts, first_part, Some("SET #name = :n")),
        ("a part of another form", &*parts, first_part, Some("SET packed = :b")),
    ] {
        let key = |update| (update, s(pk), s(sk));
        match change {
            Some(change) => {
                let (update, pk, sk) = key(table.update_item().table_name(name).update_expression(change));
                let update = update.key("PK", pk).key("SK", sk);
                let update = match change {
                    _ if change.contains(":b") => {
                        update.expression_attribute_values(":b", AttributeValue::B(vec![9, 9].into()))
                    }
                    _ => update.expression_attribute_values(":n", AttributeValue::N("1000000".to_owned())),
                };
                let update =
                    if change.contains("#name") { update.expression_attribute_names("#name", "name") } else { update };
                update.send().await.expect(what);
            }
            None => {
                drop(table.delete_item().table_name(name).key("PK", s(pk)).key("SK", s(sk)).send().await.expect(what));
            }
        }
        // One that knows the numbers, and one that has just been started.
        assert_eq!(sees(&caller).await, Some(first.clone()), "{what}");
        stack.kill_all("users-api");
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(sees(&caller).await, Some(first.clone()), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_past_us_is_followed() {
    let stack = Stack::start(&[]).await;
    stack.directory.put_numbers(&stack.account, &[item(0), item(1)]).await.unwrap();
    let table = stack.table();
    let (pk, name) = (format!("ACCT#{}#NUMBERS", stack.account), stack.output("TableName"));
    let mut edited = item(0);
    edited.facts.state = NumberState::Retired;
    let key = |n| (s(&pk), s(&format!("NUM#{}", text(n))));
    let (pk0, sk0) = key(0);
    let update = table.update_item().table_name(name).key("PK", pk0).key("SK", sk0);
    let update = update.update_expression("SET #record = :record").expression_attribute_names("#record", "number");
    update.expression_attribute_values(":record", s(&serde_json::to_string(&edited).unwrap())).send().await.unwrap();
    let (pk1, sk1) = key(1);
    table.delete_item().table_name(name).key("PK", pk1).key("SK", sk1).send().await.unwrap();
    // The stream tells of it.
    for _ in 0..600 {
        let inventory = stack.directory.inventory(&stack.account).await.unwrap();
        if inventory.len() == 1 && inventory[0].facts.state == NumberState::Retired {
            assert_eq!(inventory[0].number, number(0));
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("nobody has followed");
}
