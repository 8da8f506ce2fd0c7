//! What reads cost, as the table itself counts it.

use axum::http::StatusCode;
use e2e::{Faults, InProcess, Proxy, Stack, user};
use rollcall_model::{
    inventory::{InventoryNumber, NumberFacts},
    user::Policy,
};

const USER: &str = "/v1/users/{login}/caller-ids";
const CHECK: &str = "/v1/users/{login}/caller-ids/{number}";
const CHECK_EXTENSION: &str = "/v1/extensions/{extension}/caller-ids/{number}";
const READ: &str = "rollcall/users.read";

/// Numbers as a provider sells them: at random, and so hard to pack. No two are alike.
fn inventory(count: u64) -> Vec<InventoryNumber> {
    let number = |n: u64| format!("+91{:010}", n.wrapping_mul(6_364_136_223_846_793_005) % 9_999_999_967);
    let item = |n| {
        let facts = NumberFacts {
            department: ["sales", "support"][usize::from(n % 2 == 0)].parse().ok(),
            ..NumberFacts::default()
        };
        InventoryNumber::new(number(n + 1).parse().unwrap(), facts, jiff::Timestamp::UNIX_EPOCH)
    };
    let mut numbers: Vec<_> = (0..count).map(item).collect();
    numbers.sort_by_key(|item| item.number);
    numbers.dedup_by_key(|item| item.number);
    numbers
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_user_may_dial_from_costs_two_units_whatever_the_numbers() {
    let stack = Stack::start(&[]).await;
    let table = Proxy::start(&stack.endpoints().dynamodb, Faults::default(), None).await;
    table.units();
    let mut asha = user("asha");
    let mut of_items = 0.0;
    for count in [1_000, 4_000] {
        let numbers = inventory(count);
        stack.directory.put_numbers(&stack.account, &numbers).await.unwrap();
        if asha.caller_ids.is_empty() {
            asha.caller_ids = vec![numbers[0].number, numbers[1].number];
            asha.policy = Policy::Custom;
            let extension = serde_json::json!({ "login": "101", "intercom": "7" });
            asha.profile.extension = serde_json::from_value(extension).expect("an extension");
            stack.create_user(asha.clone()).await;
        }
        // What the items themselves cost.
        let items = stack.table_at(&table.url);
        let mut pages = items
            .query()
            .table_name(stack.output("TableName"))
            .key_condition_expression("PK = :pk")
            .expression_attribute_values(
                ":pk",
                aws_sdk_dynamodb::types::AttributeValue::S(format!("ACCT#{}#NUMBERS", stack.account)),
            )
            .consistent_read(true)
            .into_paginator()
            .send();
        while pages.next().await.transpose().unwrap().is_some() {}
        of_items = f64::max(of_items, table.units());

        let mut function = InProcess::start(&stack, &table.url).await;
        let asked = [("login", "asha")];
        let (status, tag, _) = function.get(USER, &asked, READ, None).await;
        let cold = table.units();
        assert_eq!(status, StatusCode::OK);
        assert!(cold * 20.0 <= of_items, "{cold} units at first for {count} numbers, and {of_items} for their items");
        let (status, ..) = function.get(USER, &asked, READ, None).await;
        assert_eq!((status, table.units()), (StatusCode::OK, 2.0), "{count} numbers");
        let (status, ..) = function.get(USER, &asked, READ, Some(&tag)).await;
        assert_eq!((status, table.units()), (StatusCode::NOT_MODIFIED, 2.0), "{count} numbers");
        let number = asha.caller_ids[0].to_string();
        let asked = [("login", "asha"), ("number", number.as_str())];
        let (_, _, decision) = function.get(CHECK, &asked, "rollcall/dial.check", None).await;
        assert_eq!((decision["allowed"].as_bool(), table.units()), (Some(true), 2.0), "{count} numbers");
        let asked = [("extension", "101"), ("number", number.as_str())];
        let (_, _, decision) = function.get(CHECK_EXTENSION, &asked, "rollcall/dial.check", None).await;
        assert_eq!((decision["allowed"].as_bool(), table.units()), (Some(true), 2.0), "by extension");
        let asked = [("extension", "102"), ("number", number.as_str())];
        let (_, _, decision) = function.get(CHECK_EXTENSION, &asked, "rollcall/dial.check", None).await;
        let told = (decision["code"].as_str(), table.units() <= 2.0);
        assert_eq!(told, (Some("USER_UNKNOWN"), true), "an extension that nobody has");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_users_costs_three_units() {
    let stack = Stack::start(&[]).await;
    let table = Proxy::start(&stack.endpoints().dynamodb, Faults::default(), None).await;
    stack.create_users(400).await;
    let mut function = InProcess::start(&stack, &table.url).await;
    // The secret that cursors are sealed with is read once.
    function.get("/v1/users", &[], READ, None).await;
    table.units();
    let (status, _, page) = function.get("/v1/users", &[], READ, None).await;
    assert_eq!((status, page["items"].as_array().map(Vec::len)), (StatusCode::OK, Some(50)));
    let units = table.units();
    assert!((0.5..=3.0).contains(&units), "{units} units");
}
