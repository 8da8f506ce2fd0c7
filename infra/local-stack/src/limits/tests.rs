//! The table against DynamoDB's documented limits, through its door.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue::{self, S};
use aws_sdk_dynamodb::types::{
    BatchStatementRequest, Delete, KeysAndAttributes, Put, PutRequest, TransactWriteItem, Update, WriteRequest,
};

use super::*;
use crate::{Options, Stack};

const TEMPLATE: &str = r"
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - { AttributeName: PK, AttributeType: S }
        - { AttributeName: SK, AttributeType: S }
        - { AttributeName: GP, AttributeType: S }
        - { AttributeName: GS, AttributeType: S }
      KeySchema: [{ AttributeName: PK, KeyType: HASH }, { AttributeName: SK, KeyType: RANGE }]
      GlobalSecondaryIndexes:
        - IndexName: by_g
          KeySchema: [{ AttributeName: GP, KeyType: HASH }, { AttributeName: GS, KeyType: RANGE }]
          Projection: { ProjectionType: ALL }
";
const TABLE: &str = "rollcall-Table";
/// Bytes of the largest item.
const MAX_ITEM: usize = 400 * 1_024;

type Item = std::collections::HashMap<String, AttributeValue>;

async fn table() -> (Stack, Client) {
    let options = Options { template: TEMPLATE.to_owned(), ..Options::default() };
    let stack = Stack::start(options).await.unwrap_or_else(|error| panic!("{}", error.chain()));
    let manifest = stack.manifest();
    let credentials = Credentials::new(&manifest.access_key_id, &manifest.secret_access_key, None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(manifest.region.clone()))
        .credentials_provider(aws_sdk_dynamodb::config::SharedCredentialsProvider::new(credentials))
        .endpoint_url(&manifest.endpoints.dynamodb)
        .build();
    (stack, Client::new(&config))
}

fn text(bytes: usize) -> AttributeValue {
    S("x".repeat(bytes))
}

fn key(place: &str) -> Item {
    Item::from([("PK".to_owned(), S(place.to_owned())), ("SK".to_owned(), S("s".to_owned()))])
}

fn item(place: &str, more: impl IntoIterator<Item = (&'static str, AttributeValue)>) -> Item {
    let more = more.into_iter().map(|(name, value)| (name.to_owned(), value));
    key(place).into_iter().chain(more).collect()
}

/// What a request came to: "taken", or the error's code and words.
fn outcome<T, E: ProvideErrorMetadata + std::fmt::Debug>(result: Result<T, SdkError<E>>) -> String {
    match result {
        Ok(_) => "taken".to_owned(),
        Err(error) => match (error.code(), error.raw_response()) {
            (Some(code), _) => format!("{code}: {}", error.message().unwrap_or_default()),
            (None, Some(response)) => response.status().as_u16().to_string(),
            (None, None) => panic!("no answer: {error:?}"),
        },
    }
}

fn refused(outcome: &str, words: &str) {
    assert!(outcome.starts_with("ValidationException: ") && outcome.contains(words), "{outcome} is not {words}");
}

async fn put(client: &Client, item: Item) -> String {
    outcome(client.put_item().table_name(TABLE).set_item(Some(item)).send().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_an_index_is_as_long_as_dynamodb_takes_it_and_no_longer() {
    let (stack, client) = table().await;
    for (name, limit) in [("GP", MAX_PARTITION_KEY), ("GS", MAX_SORT_KEY)] {
        let words = format!(
            "Size limit exceeded for Index Key {name} Actual Size: {} bytes Max Size: {limit} bytes IndexName: by_g",
            limit + 1
        );
        let update = |expression: &str, value| {
            let update = client.update_item().table_name(TABLE).set_key(Some(key("a"))).update_expression(expression);
            update.expression_attribute_names("#n", name).expression_attribute_values(":v", value)
        };
        let put_request = |value| {
            let put = PutRequest::builder().set_item(Some(item("a", [(name, value)]))).build().expect("a put");
            client.batch_write_item().request_items(TABLE, vec![WriteRequest::builder().put_request(put).build()])
        };
        let transact = |value| {
            let put =
                Put::builder().table_name(TABLE).set_item(Some(item("b", [(name, value)]))).build().expect("a put");
            let delete = Delete::builder().table_name(TABLE).set_key(Some(key("c"))).build().expect("a deletion");
            let items =
                client.transact_write_items().transact_items(TransactWriteItem::builder().delete(delete).build());
            items.transact_items(TransactWriteItem::builder().put(put).build())
        };
        let set = "SET copied = if_not_exists(copied, :v), #n = :v";
        assert_eq!(put(&client, item("a", [(name, text(limit))])).await, "taken");
        assert_eq!(outcome(update(set, text(limit)).send().await), "taken");
        assert_eq!(outcome(put_request(text(limit)).send().await), "taken");
        assert_eq!(outcome(transact(text(limit)).send().await), "taken");

        refused(&put(&client, item("a", [(name, text(limit + 1))])).await, &words);
        refused(&outcome(update(set, text(limit + 1)).send().await), &words);
        refused(&outcome(update("SET #n = if_not_exists(#n, :v)", text(limit + 1)).send().await), &words);
        refused(&outcome(put_request(text(limit + 1)).send().await), &words);
        let cancelled = transact(text(limit + 1)).send().await.expect_err("refused").into_service_error();
        assert_eq!(cancelled.code(), Some("TransactionCanceledException"));
        let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
            cancelled,
        ) = cancelled
        else {
            panic!("{cancelled:?}")
        };
        let reasons = cancelled.cancellation_reasons();
        let codes: Vec<_> = reasons.iter().map(|reason| reason.code().unwrap_or_default()).collect();
        assert_eq!(codes, ["None", "ValidationError"]);
        assert!(reasons[1].message().is_some_and(|message| message.contains(&words)), "{reasons:?}");
    }
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_not_empty_and_within_the_limits_of_a_key() {
    let (stack, client) = table().await;
    for (name, limit, words) in [
        ("PK", MAX_PARTITION_KEY, "Size of hashkey has exceeded the maximum size limit of2048 bytes"),
        ("SK", MAX_SORT_KEY, "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"),
    ] {
        let of = |value| key("a").into_iter().chain([(name.to_owned(), value)]).collect::<Item>();
        assert_eq!(put(&client, of(text(limit))).await, "taken");
        refused(&put(&client, of(text(limit + 1))).await, words);
        refused(&put(&client, of(text(0))).await, "cannot contain an empty string value. Key: ");
        let get = |value| client.get_item().table_name(TABLE).set_key(Some(of(value)));
        refused(&outcome(get(text(limit + 1)).send().await), words);
        refused(&outcome(get(text(0)).send().await), "cannot contain an empty string value");
    }
    for name in ["GP", "GS"] {
        refused(&put(&client, item("a", [(name, text(0))])).await, "IndexName: by_g, IndexKey: ");
        let update = client.update_item().table_name(TABLE).set_key(Some(key("a"))).update_expression("SET #n = :v");
        let update = update.expression_attribute_names("#n", name).expression_attribute_values(":v", text(0));
        refused(&outcome(update.send().await), "cannot contain an empty string value");
    }
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_set_is_empty_and_one_among_statements_refuses_them_all() {
    let (stack, client) = table().await;
    assert_eq!(put(&client, key("a")).await, "taken");
    let empty = || AttributeValue::Ss(Vec::new());
    let words = "An string set  may not be empty";
    refused(&put(&client, item("a", [("set", empty())])).await, words);
    let nested = AttributeValue::M([("in".to_owned(), AttributeValue::L(vec![empty()]))].into());
    refused(&put(&client, item("a", [("set", nested.clone())])).await, "may not be empty");
    let update = client.update_item().table_name(TABLE).set_key(Some(key("a"))).update_expression("SET x = :v");
    refused(&outcome(update.expression_attribute_values(":v", empty()).send().await), words);

    let statement = |place: &str, value: AttributeValue| {
        let text = format!("UPDATE \"{TABLE}\" SET x = ? WHERE PK = ? AND SK = 's'");
        let statement =
            BatchStatementRequest::builder().statement(text).parameters(value).parameters(S(place.to_owned()));
        statement.build().expect("a statement")
    };
    for empty in [empty(), AttributeValue::Ns(Vec::new()), nested] {
        let batch =
            client.batch_execute_statement().statements(statement("a", text(1))).statements(statement("b", empty));
        refused(&outcome(batch.send().await), "may not be empty");
    }
    let got =
        client.get_item().table_name(TABLE).set_key(Some(key("a"))).send().await.expect("read").item.expect("an item");
    assert!(!got.contains_key("x"), "a statement beside the refused one was carried out");
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn items_expressions_batches_and_transactions_are_no_larger_than_dynamodb_takes() {
    let (stack, client) = table().await;
    refused(&put(&client, item("a", [("x", text(MAX_ITEM))])).await, "Item size has exceeded the maximum allowed size");
    assert_eq!(put(&client, item("a", [("x", text(MAX_ITEM - 100))])).await, "taken");
    let update = |expression: String| {
        let update = client.update_item().table_name(TABLE).set_key(Some(key("a"))).update_expression(expression);
        update.expression_attribute_values(":v", text(200))
    };
    let grown = outcome(update("SET y = :v".to_owned()).send().await);
    refused(&grown, "Item size to update has exceeded the maximum allowed size");
    let statement = format!("UPDATE \"{TABLE}\" SET y = ? WHERE PK = 'a' AND SK = 's'");
    let statement = BatchStatementRequest::builder().statement(statement).parameters(text(200)).build().expect("one");
    let answer = client.batch_execute_statement().statements(statement).send().await.expect("an answer");
    let error = answer.responses()[0].error().expect("a refusal");
    assert_eq!(error.code().map(aws_sdk_dynamodb::types::BatchStatementErrorCodeEnum::as_str), Some("ValidationError"));
    let long = format!("SET y = :v{}", " ".repeat(4_096));
    refused(&outcome(update(long).send().await), "Expression size has exceeded the maximum allowed size");
    let check = |terms: usize| {
        let condition = (0..terms).map(|at| format!("z{at} <> :v")).collect::<Vec<_>>().join(" AND ");
        let check = client.put_item().table_name(TABLE).set_item(Some(key("b"))).condition_expression(condition);
        check.expression_attribute_values(":v", text(1))
    };
    assert_eq!(outcome(check(30).send().await), "taken");
    refused(&outcome(check(151).send().await), "contains too many operators; operator count: 301");

    let put_of = |place: &str, bytes| {
        let put = PutRequest::builder().set_item(Some(item(place, [("x", text(bytes))]))).build().expect("a put");
        WriteRequest::builder().put_request(put).build()
    };
    let batch = |writes: Vec<WriteRequest>| client.batch_write_item().request_items(TABLE, writes);
    let places = |count: usize| (0..count).map(|at| at.to_string()).collect::<Vec<_>>();
    assert_eq!(outcome(batch(places(25).iter().map(|at| put_of(at, 1)).collect()).send().await), "taken");
    refused(&outcome(batch(places(26).iter().map(|at| put_of(at, 1)).collect()).send().await), "25");
    refused(&outcome(batch(vec![put_of("a", 1), put_of("a", 2)]).send().await), "duplicates");
    let large = outcome(batch(places(25).iter().map(|at| put_of(at, 700_000)).collect()).send().await);
    assert_ne!(large, "taken", "17 MB in one request");

    let keys = |places: Vec<String>| {
        let keys = KeysAndAttributes::builder().set_keys(Some(places.iter().map(|place| key(place)).collect()));
        client.batch_get_item().request_items(TABLE, keys.build().expect("keys"))
    };
    assert_eq!(outcome(keys(places(100)).send().await), "taken");
    refused(&outcome(keys(places(101)).send().await), "100");
    refused(&outcome(keys(vec!["a".to_owned(), "a".to_owned()]).send().await), "duplicates");

    let statements = |places: Vec<String>| {
        let statement = |place: &String| {
            let text = format!("UPDATE \"{TABLE}\" SET x = 1 WHERE PK = '{place}' AND SK = 's'");
            BatchStatementRequest::builder().statement(text).build().expect("a statement")
        };
        client.batch_execute_statement().set_statements(Some(places.iter().map(statement).collect()))
    };
    assert_eq!(outcome(statements(places(25)).send().await), "taken");
    refused(&outcome(statements(places(26)).send().await), "25");
    refused(&outcome(statements(vec!["a".to_owned(), "a".to_owned()]).send().await), "duplicates");

    let transaction = |places: Vec<String>| {
        let update = |place: &String| {
            let update = Update::builder().table_name(TABLE).set_key(Some(key(place))).update_expression("SET x = :v");
            let update = update.expression_attribute_values(":v", text(1)).build().expect("an update");
            TransactWriteItem::builder().update(update).build()
        };
        client.transact_write_items().set_transact_items(Some(places.iter().map(update).collect()))
    };
    assert_eq!(outcome(transaction(places(100)).send().await), "taken");
    refused(&outcome(transaction(places(101)).send().await), "100");
    refused(
        &outcome(transaction(vec!["a".to_owned(), "a".to_owned()]).send().await),
        "multiple operations on one item",
    );
    stack.shutdown().await;
}

#[test]
fn operators_are_counted_as_dynamodb_counts_them() {
    for (expression, count) in [
        ("a = :a", 1),
        ("a <> :a AND b <= :b", 3),
        ("NOT (a BETWEEN :a AND :b)", 3),
        ("attribute_exists(a) OR begins_with(b, :b)", 3),
        ("SET a = a + :a, #in = if_not_exists(b, :or)", 4),
        ("", 0),
    ] {
        assert_eq!(operators(expression), count, "{expression}");
    }
}

#[test]
fn what_an_update_sets_is_found_among_its_other_clauses() {
    for (expression, found) in [
        ("SET a = :a, #b = if_not_exists(#b, :b) ADD d :d", vec![("a", ":a"), ("#b", "if_not_exists(#b, :b)")]),
        ("remove c set a=:a", vec![("a", ":a")]),
        ("ADD d :d SET a = :a DELETE e :e", vec![("a", ":a")]),
        ("REMOVE c", vec![]),
    ] {
        let found: Vec<_> = found.into_iter().map(|(path, value)| (path, value.to_owned())).collect();
        assert_eq!(assignments(expression), found, "{expression}");
    }
}
