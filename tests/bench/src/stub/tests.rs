use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{
    lists::{Behaviour, Lists, Write},
    wire,
};

const APPEND: &str = "UPDATE \"t\" SET caller_ids = set_add(caller_ids, ?) SET changed_by = ? WHERE PK = ? AND SK = ? AND (caller_ids IS MISSING OR size(caller_ids) <= ?)";

fn statement(text: &str, login: &str) -> Value {
    json!({ "Statement": text, "Parameters": [
        { "SS": ["+919000000001", "+919000000002"] }, { "S": "job:1" }, { "S": format!("ACCT#a#USER#{login}") }, { "S": "USER" }, { "N": "4998" },
    ] })
}

fn numbers() -> Vec<rollcall_model::caller_id::CallerId> {
    ["+919000000001", "+919000000002"].map(|number| number.parse().expect("a number")).to_vec()
}

#[test]
fn a_batch_of_appends_is_understood_and_any_other_is_not() {
    let batch = |statements: &[Value]| json!({ "Statements": statements }).to_string().into_bytes();
    let understood = wire::appends(&batch(&[statement(APPEND, "user7"), statement(APPEND, "maya")]));
    assert_eq!(understood, Some(vec![(Some(7), numbers(), Some(4_998)), (None, numbers(), Some(4_998))]));
    let other = statement("UPDATE \"t\" SET name = ? SET changed_by = ? WHERE PK = ? AND SK = ?", "user7");
    assert_eq!(wire::appends(&batch(&[statement(APPEND, "user7"), other])), None);
}

#[test]
fn only_an_update_that_adds_to_a_users_list_is_understood() {
    let update = |expression: &str, sk: &str| {
        let values = json!({ ":n": { "SS": ["+919000000001", "+919000000002"] } });
        let key = json!({ "PK": { "S": "ACCT#a#USER#user7" }, "SK": { "S": sk } });
        let update = json!({ "Key": key, "UpdateExpression": expression, "ExpressionAttributeValues": values });
        wire::update(update.to_string().as_bytes())
    };
    assert_eq!(update("ADD caller_ids :n", "USER"), Some((Some(7), numbers())));
    assert_eq!(update("DELETE caller_ids :n", "USER"), None);
    assert_eq!(update("ADD caller_ids :n", "JOB"), None);
}

#[test]
fn a_read_gives_the_users_that_are_there_with_their_lists() {
    let key = |login: &str, sk: &str| json!({ "PK": { "S": format!("ACCT#a#USER#{login}") }, "SK": { "S": sk } });
    let get = |keys: &[Value]| {
        let request = json!({ "RequestItems": { "t": { "Keys": keys, "ConsistentRead": true } } });
        wire::batch_get(request.to_string().as_bytes())
    };
    let (table, keys) = get(&[key("user1", "USER"), key("user9", "USER")]).expect("users");
    assert_eq!((table.as_str(), keys[0].1, keys[1].1), ("t", Some(1), Some(9)));
    assert!(get(&[key("user1", "USER"), key("user1", "EMAIL")]).is_none());

    let mut lists = Lists::new(1, Behaviour::default());
    assert_eq!(lists.add(Some(1), &numbers(), Some(0)), Write::Done);
    assert!(lists.read(9).is_none() && lists.read(0).is_none());
    let list = lists.read(1).expect("the user is there");
    assert_eq!(
        wire::item("p", list),
        json!({ "PK": { "S": "p" }, "policy": { "S": "custom" }, "caller_ids": { "SS": ["+919000000001", "+919000000002"] } })
    );
}

#[test]
fn what_is_added_twice_is_there_once_and_paid_twice() {
    let mut lists = Lists::new(2, Behaviour::default());
    for _ in 0..2 {
        assert_eq!(lists.add(Some(2), &numbers(), None), Write::Done);
    }
    assert_eq!(lists.add(Some(3), &numbers(), None), Write::Refused);
    assert_eq!(lists.add(None, &numbers(), None), Write::Refused);
    assert_eq!(lists.add(Some(2), &numbers(), Some(1)), Write::Refused, "the list has more");
    assert_eq!((lists.numbers(), lists.served.writes, lists.served.write_units), (2, 2, 2));
    // Past a kilobyte it is two units.
    let many: Vec<_> = (0..60).map(|at| format!("+9190000001{at:02}").parse().expect("a number")).collect();
    assert_eq!(lists.add(Some(1), &many, None), Write::Done);
    assert_eq!(lists.served.write_units, 4);
}

#[test]
fn a_table_that_takes_nothing_more_puts_off() {
    let mut lists = Lists::new(1, Behaviour { writes_per_second: Some(0.001), ..Behaviour::default() });
    assert_eq!(lists.add(Some(1), &numbers(), None), Write::PutOff);
    assert_eq!((lists.numbers(), lists.served.writes, lists.served.throttled), (0, 0, 1));
    assert_eq!(wire::statement_answer(&Write::PutOff)["Error"]["Code"], "ThrottlingError");
    let (status, answer) = wire::update_answer(&Write::PutOff);
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(answer.contains("#ThrottlingException"), "{answer}");
}
