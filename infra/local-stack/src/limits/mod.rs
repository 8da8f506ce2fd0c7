//! What DynamoDB refuses and the engine would take: index keys that are too long, sets without members among the parameters of
//! statements, and expressions of too many operators. The engine itself refuses primary keys that are too long, empty key values, empty sets elsewhere, items over 400 KB,
//! expressions over 4 KB, and batches and transactions that are too large or name an item twice; a test here holds it to that.
//!
//! Limits: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>. The words are those that callers of
//! DynamoDB have reported.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::template::Table;

/// Bytes of a partition key and of a sort key, of an index as of a table.
const MAX_PARTITION_KEY: usize = 2_048;
const MAX_SORT_KEY: usize = 1_024;
/// Operators and functions of one expression.
const MAX_OPERATORS: usize = 300;
/// What may hold an expression.
const EXPRESSIONS: [&str; 5] =
    ["ConditionExpression", "FilterExpression", "KeyConditionExpression", "ProjectionExpression", "UpdateExpression"];

/// What keeps a key of an index short enough, by table.
pub(super) struct Limits(BTreeMap<String, Vec<IndexKey>>);

/// An attribute that is part of the key of an index.
struct IndexKey {
    index: String,
    attribute: String,
    max_bytes: usize,
}

/// A request that DynamoDB refuses.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The type of the error.
    pub(super) code: &'static str,
    pub(super) message: String,
    /// What became of each item of a transaction.
    pub(super) reasons: Option<Value>,
}

impl Limits {
    /// The limits of these tables.
    pub(super) fn of(tables: &[Table]) -> Self {
        Self(tables.iter().map(|table| (table.name.clone(), index_keys(&table.create))).collect())
    }

    /// Whether DynamoDB would take a request, as far as the engine doesn't see to that.
    pub(super) fn check(&self, operation: &str, request: &Value) -> Result<(), Refusal> {
        let list = |name: &str| request[name].as_array().into_iter().flatten();
        let actions = list("TransactItems").filter_map(Value::as_object).flat_map(|action| action.values());
        actions.chain([request]).try_for_each(check_operators)?;
        match operation {
            "PutItem" => self.check_item(request, &request["Item"]),
            "UpdateItem" => self.check_update(request),
            "BatchWriteItem" => {
                let tables = request["RequestItems"].as_object().into_iter().flatten();
                tables.filter_map(|(table, writes)| Some((table, writes.as_array()?))).try_for_each(
                    |(table, writes)| {
                        writes.iter().try_for_each(|write| self.check_values(table, &write["PutRequest"]["Item"]))
                    },
                )
            }
            "TransactWriteItems" => self.check_transaction(list("TransactItems")),
            "ExecuteStatement" => check_parameters(request),
            "BatchExecuteStatement" => list("Statements").try_for_each(check_parameters),
            "ExecuteTransaction" => list("TransactStatements").try_for_each(check_parameters),
            _ => Ok(()),
        }
    }

    /// DynamoDB cancels a transaction of which an item can't be written, and tells the reason beside the item.
    fn check_transaction<'a>(&self, items: impl Iterator<Item = &'a Value>) -> Result<(), Refusal> {
        let outcomes: Vec<_> = items
            .map(|item| self.check_item(&item["Put"], &item["Put"]["Item"]).and(self.check_update(&item["Update"])))
            .collect();
        if outcomes.iter().all(Result::is_ok) {
            return Ok(());
        }
        let codes: Vec<_> =
            outcomes.iter().map(|outcome| if outcome.is_ok() { "None" } else { "ValidationError" }).collect();
        let reasons: Vec<_> = outcomes
            .iter()
            .map(|outcome| match outcome {
                Ok(()) => json!({ "Code": "None" }),
                Err(refusal) => json!({ "Code": "ValidationError", "Message": refusal.message }),
            })
            .collect();
        let message = format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
            codes.join(", ")
        );
        Err(Refusal { code: "TransactionCanceledException", message, reasons: Some(reasons.into()) })
    }

    fn check_item(&self, write: &Value, item: &Value) -> Result<(), Refusal> {
        self.check_values(write["TableName"].as_str().unwrap_or_default(), item)
    }

    fn check_values(&self, table: &str, item: &Value) -> Result<(), Refusal> {
        let keys = self.0.get(table).into_iter().flatten();
        keys.map(|key| (key, &item[&key.attribute])).try_for_each(|(key, value)| key.check(value))
    }

    /// Looks at what an update gives to attributes of keys. A value that it copies from another attribute isn't looked at.
    fn check_update(&self, update: &Value) -> Result<(), Refusal> {
        let keys = self.0.get(update["TableName"].as_str().unwrap_or_default());
        let assignments = assignments(update["UpdateExpression"].as_str().unwrap_or_default());
        for (path, value) in assignments {
            let attribute = update["ExpressionAttributeNames"][path].as_str().unwrap_or(path);
            let is_name = |c: char| c.is_alphanumeric() || matches!(c, ':' | '#' | '_');
            let values = value.split(|c| !is_name(c)).filter(|word| word.starts_with(':'));
            for key in keys.into_iter().flatten().filter(|key| key.attribute == attribute) {
                let mut values = values.clone().map(|name| &update["ExpressionAttributeValues"][name]);
                values.try_for_each(|value| key.check(value))?;
            }
        }
        Ok(())
    }
}

impl IndexKey {
    fn check(&self, value: &Value) -> Result<(), Refusal> {
        let bytes = match (&value["S"], &value["B"], &value["N"]) {
            (Value::String(text), ..) | (_, _, Value::String(text)) => text.len(),
            (_, Value::String(base64), _) => base64.trim_end_matches('=').len() * 3 / 4,
            _ => 0,
        };
        if bytes <= self.max_bytes {
            return Ok(());
        }
        let Self { index, attribute, max_bytes } = self;
        Err(invalid(&format!(
            "Size limit exceeded for Index Key {attribute} Actual Size: {bytes} bytes Max Size: {max_bytes} bytes IndexName: {index}"
        )))
    }
}

fn index_keys(table: &Value) -> Vec<IndexKey> {
    let indexes = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"].iter().filter_map(|kind| table[*kind].as_array());
    let mut keys = Vec::new();
    for index in indexes.flatten() {
        let name = index["IndexName"].as_str().unwrap_or_default();
        for key in index["KeySchema"].as_array().into_iter().flatten() {
            keys.push(IndexKey {
                index: name.to_owned(),
                attribute: key["AttributeName"].as_str().unwrap_or_default().to_owned(),
                max_bytes: if key["KeyType"] == "HASH" { MAX_PARTITION_KEY } else { MAX_SORT_KEY },
            });
        }
    }
    keys
}

/// The paths that an update expression sets, each with what it is set to.
fn assignments(expression: &str) -> Vec<(&str, String)> {
    let is_clause =
        |word: &str| ["SET", "REMOVE", "ADD", "DELETE"].iter().any(|clause| word.eq_ignore_ascii_case(clause));
    let mut assignments = Vec::new();
    let (mut depth, mut from) = (0_usize, 0);
    // A comma inside parentheses parts arguments; others part assignments.
    let commas = expression.char_indices().filter(|&(_, c)| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    let ends: Vec<usize> = commas.map(|(at, _)| at).chain([expression.len()]).collect();
    for end in ends {
        if let Some((path, value)) = expression[from..end].split_once('=') {
            // A clause before it ends where its own begins, and one behind it begins where it ends.
            let value: Vec<&str> = value.split_whitespace().take_while(|word| !is_clause(word)).collect();
            assignments.push((path.split_whitespace().last().unwrap_or_default(), value.join(" ")));
        }
        from = (end + 1).min(expression.len());
    }
    assignments
}

fn check_operators(of: &Value) -> Result<(), Refusal> {
    for name in EXPRESSIONS {
        let count = of[name].as_str().map_or(0, operators);
        if count > MAX_OPERATORS {
            let message = format!(
                "Invalid {name}: The expression contains too many operators; operator count: {}",
                MAX_OPERATORS + 1
            );
            return Err(Refusal { code: "ValidationException", message, reasons: None });
        }
    }
    Ok(())
}

/// Operators and functions of an expression: comparisons, words that join or turn them, and names that arguments follow.
fn operators(expression: &str) -> usize {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '#' | ':');
    let words = expression.split(|c| !is_word(c)).filter(|word| {
        ["AND", "OR", "NOT", "BETWEEN", "IN"].iter().any(|operator| word.eq_ignore_ascii_case(operator))
    });
    // `<=`, `>=` and `<>` are one operator each.
    let signs = expression
        .match_indices(['=', '<', '>', '+', '-'])
        .filter(|&(at, sign)| !(matches!(sign, "=" | ">") && expression[..at].ends_with(['<', '>'])));
    let calls = expression.match_indices('(').filter(|&(at, _)| expression[..at].ends_with(is_word));
    words.count() + signs.count() + calls.count()
}

/// DynamoDB refuses the whole request for one empty set among the parameters of its statements.
fn check_parameters(statement: &Value) -> Result<(), Refusal> {
    statement["Parameters"].as_array().into_iter().flatten().try_for_each(check_sets)
}

fn check_sets(value: &Value) -> Result<(), Refusal> {
    for (kind, inner) in value.as_object().into_iter().flatten() {
        let is_empty = inner.as_array().is_some_and(Vec::is_empty);
        let set = match kind.as_str() {
            "SS" => "string",
            "NS" => "number",
            "BS" => "binary",
            "L" => {
                inner.as_array().into_iter().flatten().try_for_each(check_sets)?;
                continue;
            }
            "M" => {
                inner.as_object().into_iter().flatten().try_for_each(|(_, value)| check_sets(value))?;
                continue;
            }
            _ => continue,
        };
        if is_empty {
            // The two spaces are DynamoDB's own.
            let article = if kind == "BS" { "A" } else { "An" };
            return Err(invalid(&format!("{article} {set} set  may not be empty")));
        }
    }
    Ok(())
}

fn invalid(why: &str) -> Refusal {
    let message = format!("One or more parameter values were invalid: {why}");
    Refusal { code: "ValidationException", message, reasons: None }
}

#[cfg(test)]
mod tests;
