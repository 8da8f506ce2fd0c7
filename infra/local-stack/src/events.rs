//! EventBridge's event patterns: which events a rule takes.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::{Result, StackError};

/// A parsed pattern. Every field it names must match; fields that it doesn't name are free.
#[derive(Debug, Clone)]
pub struct Pattern(BTreeMap<String, Node>);

#[derive(Debug, Clone)]
enum Node {
    Fields(Pattern),
    /// One of these must hold.
    AnyOf(Vec<Test>),
}

#[derive(Debug, Clone)]
enum Test {
    Exactly(Value),
    Prefix(String),
    Suffix(String),
    EqualsIgnoringCase(String),
    Wildcard(Wildcard),
    AnythingBut(Vec<Test>),
    Exists(bool),
    Numeric(Vec<(Comparison, f64)>),
}

#[derive(Debug, Clone, Copy)]
enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

/// Pieces of text with any characters between each and the next. `*` alone is two empty pieces.
#[derive(Debug, Clone)]
struct Wildcard(Vec<String>);

impl Pattern {
    /// Reads the JSON of an event pattern.
    ///
    /// # Errors
    /// If it isn't a pattern, or uses an operator that isn't known here.
    pub fn parse(pattern: &Value) -> Result<Self> {
        let fields =
            pattern.as_object().ok_or_else(|| StackError::new(format!("a pattern is an object, not {pattern}")))?;
        let mut nodes = BTreeMap::new();
        for (name, value) in fields {
            let node = match value {
                Value::Object(_) => Node::Fields(Self::parse(value)?),
                Value::Array(tests) if !name.starts_with('$') => {
                    Node::AnyOf(tests.iter().map(Test::parse).collect::<Result<_>>()?)
                }
                _ => return Err(StackError::new(format!("{name} in a pattern can't be {value}"))),
            };
            nodes.insert(name.clone(), node);
        }
        Ok(Self(nodes))
    }

    /// Whether the event matches.
    pub fn matches(&self, event: &Value) -> bool {
        self.0.iter().all(|(name, node)| match node {
            Node::Fields(pattern) => pattern.matches(&event[name]),
            Node::AnyOf(tests) => tests.iter().any(|test| test.holds(event.get(name))),
        })
    }
}

impl Test {
    fn parse(test: &Value) -> Result<Self> {
        let unknown = || StackError::new(format!("{test} in a pattern isn't an operator that is known here"));
        let Value::Object(map) = test else {
            return match test {
                Value::Array(_) => Err(unknown()),
                scalar => Ok(Self::Exactly(scalar.clone())),
            };
        };
        let (operator, argument) = map.iter().next().filter(|_| map.len() == 1).ok_or_else(unknown)?;
        match (operator.as_str(), argument) {
            ("prefix", Value::String(prefix)) => Ok(Self::Prefix(prefix.clone())),
            ("suffix", Value::String(suffix)) => Ok(Self::Suffix(suffix.clone())),
            ("equals-ignore-case", Value::String(wanted)) => Ok(Self::EqualsIgnoringCase(wanted.to_lowercase())),
            ("wildcard", Value::String(pattern)) => Wildcard::parse(pattern).map(Self::Wildcard),
            ("exists", Value::Bool(exists)) => Ok(Self::Exists(*exists)),
            ("anything-but", Value::Array(tests)) => {
                Ok(Self::AnythingBut(tests.iter().map(Self::parse).collect::<Result<_>>()?))
            }
            ("anything-but", one) => Ok(Self::AnythingBut(vec![Self::parse(one)?])),
            ("numeric", Value::Array(terms)) => terms
                .chunks(2)
                .map(|term| Comparison::parse(term).ok_or_else(unknown))
                .collect::<Result<_>>()
                .map(Self::Numeric),
            _ => Err(unknown()),
        }
    }

    /// A field that holds a list matches if any of its items does.
    fn holds(&self, field: Option<&Value>) -> bool {
        match (self, field) {
            (Self::Exists(wanted), field) => field.is_some() == *wanted,
            (_, None) => false,
            (_, Some(Value::Array(items))) => items.iter().any(|item| self.holds_for(item)),
            (_, Some(value)) => self.holds_for(value),
        }
    }

    fn holds_for(&self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Self::Exactly(wanted) => value == wanted,
            Self::Prefix(prefix) => text.is_some_and(|text| text.starts_with(prefix)),
            Self::Suffix(suffix) => text.is_some_and(|text| text.ends_with(suffix)),
            Self::EqualsIgnoringCase(wanted) => text.is_some_and(|text| text.to_lowercase() == *wanted),
            Self::Wildcard(wildcard) => text.is_some_and(|text| wildcard.matches(text)),
            Self::AnythingBut(tests) => !tests.iter().any(|test| test.holds_for(value)),
            Self::Exists(wanted) => *wanted,
            Self::Numeric(terms) => value
                .as_f64()
                .is_some_and(|number| terms.iter().all(|(comparison, bound)| comparison.holds(number, *bound))),
        }
    }
}

impl Comparison {
    fn parse(term: &[Value]) -> Option<(Self, f64)> {
        let [Value::String(sign), bound] = term else {
            return None;
        };
        let comparison = match sign.as_str() {
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            "=" => Self::Equal,
            ">=" => Self::GreaterOrEqual,
            ">" => Self::Greater,
            _ => return None,
        };
        Some((comparison, bound.as_f64()?))
    }

    #[expect(clippy::float_cmp, reason = "EventBridge compares numbers exactly")]
    fn holds(self, number: f64, bound: f64) -> bool {
        match self {
            Self::Less => number < bound,
            Self::LessOrEqual => number <= bound,
            Self::Equal => number == bound,
            Self::GreaterOrEqual => number >= bound,
            Self::Greater => number > bound,
        }
    }
}

impl Wildcard {
    /// `*` is any text, `\*` is a star, `\\` is a backslash. Two stars in a row are an error, as on EventBridge.
    fn parse(pattern: &str) -> Result<Self> {
        let mut pieces = vec![String::new()];
        let mut characters = pattern.chars();
        let mut after_star = false;
        while let Some(character) = characters.next() {
            match character {
                '*' if after_star => {
                    return Err(StackError::new(format!("the wildcard {pattern:?} has two stars in a row")));
                }
                '*' => pieces.push(String::new()),
                literal => {
                    let literal = match literal {
                        '\\' => characters.next().filter(|escaped| matches!(escaped, '*' | '\\')),
                        other => Some(other),
                    };
                    let literal = literal
                        .ok_or_else(|| StackError::new(format!("the wildcard {pattern:?} has a stray backslash")))?;
                    // There is always a last piece.
                    if let Some(piece) = pieces.last_mut() {
                        piece.push(literal);
                    }
                }
            }
            after_star = character == '*';
        }
        Ok(Self(pieces))
    }

    fn matches(&self, text: &str) -> bool {
        let [first, between @ .., last] = self.0.as_slice() else {
            return self.0.first().is_some_and(|only| only == text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        // The earliest place for each piece leaves the most room for those after it.
        for piece in between {
            match rest.find(piece.as_str()) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => return false,
            }
        }
        rest.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matches(pattern: &Value, event: &Value) -> bool {
        Pattern::parse(pattern).expect("a pattern").matches(event)
    }

    #[test]
    fn every_field_named_must_match_and_others_are_free() {
        let event = json!({ "source": "aws.s3", "detail": { "bucket": { "name": "b" } }, "extra": 1 });
        assert!(matches(&json!({ "source": ["aws.s3", "x"], "detail": { "bucket": { "name": ["b"] } } }), &event));
        assert!(!matches(&json!({ "source": ["aws.s3"], "detail": { "bucket": { "name": ["c"] } } }), &event));
        assert!(!matches(&json!({ "detail": { "object": { "key": ["k"] } } }), &event));
    }

    #[test]
    fn operators() {
        let event = json!({ "key": "inbox/a/append/f.csv", "size": 5, "tags": ["x", "y"] });
        for (pattern, expected) in [
            (json!({ "key": [{ "prefix": "inbox/" }] }), true),
            (json!({ "key": [{ "suffix": ".csv" }] }), true),
            (json!({ "key": [{ "suffix": ".xml" }] }), false),
            (json!({ "key": [{ "equals-ignore-case": "INBOX/a/append/F.csv" }] }), true),
            (json!({ "key": [{ "anything-but": { "prefix": "inbox/" } }] }), false),
            (json!({ "key": [{ "anything-but": ["a", "b"] }] }), true),
            (json!({ "none": [{ "anything-but": "a" }] }), false),
            (json!({ "none": [{ "exists": false }] }), true),
            (json!({ "key": [{ "exists": false }] }), false),
            (json!({ "key": [{ "exists": true }] }), true),
            (json!({ "size": [{ "numeric": [">", 0, "<=", 5] }] }), true),
            (json!({ "size": [{ "numeric": [">", 5] }] }), false),
            (json!({ "size": [5] }), true),
            (json!({ "tags": ["y"] }), true),
        ] {
            assert_eq!(matches(&pattern, &event), expected, "{pattern}");
        }
    }

    #[test]
    fn wildcards() {
        for (pattern, text, expected) in [
            ("inbox/*/append/*", "inbox/acme/append/f.csv", true),
            ("inbox/*/append/*", "inbox/acme/append/", true),
            ("inbox/*/append/*", "inbox/acme/other/f.csv", false),
            ("inbox/*/append/*", "inbox/append/f.csv", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("*.csv", "f.csv.csv", true),
            ("a*b*b", "abb", true),
            ("a*b*b", "ab", false),
            (r"a\*b", "a*b", true),
            (r"a\*b", "axb", false),
            ("plain", "plain", true),
            ("प्*", "प्रवेश", true),
        ] {
            assert_eq!(Wildcard::parse(pattern).expect("a wildcard").matches(text), expected, "{pattern} on {text}");
        }
        assert!(Wildcard::parse("a**b").is_err());
        assert!(Wildcard::parse(r"a\b").is_err());
    }

    #[test]
    fn an_unknown_operator_is_an_error() {
        for pattern in [
            json!({ "a": [{ "cidr": "10.0.0.0/8" }] }),
            json!({ "$or": [{ "a": ["b"] }] }),
            json!({ "a": "b" }),
            json!(["a"]),
            json!({ "a": [{ "numeric": ["~", 1] }] }),
        ] {
            assert!(Pattern::parse(&pattern).is_err(), "{pattern}");
        }
    }
}
