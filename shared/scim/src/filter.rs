//! Which resources, or which values of an attribute: `eq`, and several of them joined by `and` (RFC 7644, section 3.4.2.2). Entra ID and
//! Okta ask with nothing else.

use serde_json::{Map, Value};

use crate::{
    error::{ScimError, ScimType},
    path::Path,
};

/// Comparisons that must all hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// Each.
    pub terms: Vec<Term>,
}

/// One comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// Of what.
    pub path: Path,
    /// With what.
    pub value: Value,
}

/// Comparisons in one filter.
const MAX_TERMS: usize = 16;

impl Filter {
    /// Reads a filter. A value may stand without quotation marks, as in Microsoft's own examples.
    ///
    /// # Errors
    /// [`ScimType::InvalidFilter`].
    pub fn parse(text: &str) -> Result<Self, ScimError> {
        let mut rest = text.trim();
        let mut terms = Vec::new();
        loop {
            let path = path_end(rest).ok_or_else(|| invalid(text))?;
            let (operator, value) = word(rest[path..].trim_start());
            if !operator.eq_ignore_ascii_case("eq") {
                let detail = format!("The filter {:?} is not supported: eq and and are.", shorter(text));
                return Err(ScimError::bad(ScimType::InvalidFilter, detail));
            }
            let path = Path::parse(&rest[..path]).map_err(|_| invalid(text))?;
            let (value, after) = value_of(value.trim_start()).ok_or_else(|| invalid(text))?;
            terms.push(Term { path, value });
            let (joined, next) = word(after.trim_start());
            match joined {
                "" => return Ok(Self { terms }),
                joined if joined.eq_ignore_ascii_case("and") && terms.len() < MAX_TERMS => rest = next.trim_start(),
                _ => return Err(invalid(text)),
            }
        }
    }

    /// The text that an attribute must be, if the filter says so: `externalId`, `emails.value`.
    pub fn text(&self, attribute: &str, sub: Option<&str>) -> Option<&str> {
        let term = self.terms.iter().find(|term| term.path.is(attribute) && term.path.sub.as_deref() == sub)?;
        term.value.as_str()
    }

    /// Whether a resource, or a value of an attribute, is one of those that are wanted. `fold` is how texts are compared that are compared
    /// without regard to case, which all are but external IDs.
    pub fn takes(&self, resource: &Map<String, Value>, fold: &dyn Fn(&str) -> String) -> bool {
        self.terms.iter().all(|term| term.takes(resource, fold))
    }

    /// What an element must hold to be taken.
    pub(crate) fn element(&self) -> Map<String, Value> {
        let known = |term: &Term| Some((term.path.attribute.clone()?, typed(&term.path, &term.value)));
        self.terms.iter().filter_map(known).collect()
    }
}

/// `primary eq "True"` asks for a boolean.
fn typed(path: &Path, value: &Value) -> Value {
    match value.as_str() {
        Some(text) if path.is("primary") && text.eq_ignore_ascii_case("true") => true.into(),
        Some(text) if path.is("primary") && text.eq_ignore_ascii_case("false") => false.into(),
        _ => value.clone(),
    }
}

impl Term {
    fn takes(&self, resource: &Map<String, Value>, fold: &dyn Fn(&str) -> String) -> bool {
        let exact = self.path.is("externalId") || self.path.is("id");
        let same = |found: &Value| match (found, &self.value) {
            (Value::String(one), Value::String(other)) if exact => one == other,
            (Value::String(one), Value::String(other)) => fold(one) == fold(other),
            (Value::Bool(one), Value::String(other)) => other.eq_ignore_ascii_case(if *one { "true" } else { "false" }),
            (Value::String(one), Value::Number(other)) => *one == other.to_string(),
            (one, other) => one == other,
        };
        let container = match &self.path.schema {
            None => Some(resource),
            Some(schema) => entry(resource, schema).and_then(Value::as_object),
        };
        let Some(attribute) = &self.path.attribute else { return false };
        let Some(found) = container.and_then(|container| entry(container, attribute)) else {
            return self.value.is_null();
        };
        let values = match found {
            Value::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        values.iter().any(|value| match value {
            Value::Object(element) => {
                let sub = self.path.sub.as_deref().unwrap_or("value");
                let chosen = self.path.filter.as_ref().is_none_or(|filter| filter.takes(element, fold));
                chosen && entry(element, sub).is_some_and(same)
            }
            plain => {
                self.path.sub.as_deref().is_none_or(|sub| sub == "value") && self.path.filter.is_none() && same(plain)
            }
        })
    }
}

/// What stands under a name, in any case.
pub(crate) fn entry<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.get(name).or_else(|| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

fn shorter(text: &str) -> String {
    text.chars().take(100).collect()
}

fn invalid(text: &str) -> ScimError {
    ScimError::bad(ScimType::InvalidFilter, format!("The filter {:?} can't be read.", shorter(text)))
}

/// Where the path ends: at the first blank that is not in brackets.
fn path_end(text: &str) -> Option<usize> {
    let (mut depth, mut quoted) = (0_usize, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.checked_sub(1)?,
            c if c.is_whitespace() && depth == 0 && !quoted => return Some(at),
            _ => {}
        }
        // Brackets in brackets are no path, and would be read one in the other.
        if depth > 1 {
            return None;
        }
    }
    None
}

fn word(text: &str) -> (&str, &str) {
    text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))
}

/// The value that a text begins with, and what follows it.
fn value_of(text: &str) -> Option<(Value, &str)> {
    if text.starts_with('"') {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        let value = values.next()?.ok()?;
        let rest = &text[values.byte_offset()..];
        return (rest.is_empty() || rest.starts_with(char::is_whitespace)).then_some((value, rest));
    }
    let (bare, rest) = word(text);
    let value = match bare {
        "" => return None,
        bare if bare.eq_ignore_ascii_case("true") => true.into(),
        bare if bare.eq_ignore_ascii_case("false") => false.into(),
        bare if bare.eq_ignore_ascii_case("null") => Value::Null,
        bare => bare.into(),
    };
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn takes(filter: &str, resource: &Value) -> bool {
        Filter::parse(filter).unwrap().takes(resource.as_object().unwrap(), &|text| text.to_lowercase())
    }

    #[test]
    fn what_entra_and_okta_ask_for_is_found() {
        let user = json!({
            "userName": "Maya@Contoso.Example",
            "externalId": "87D349ED",
            "active": true,
            "emails": [{ "type": "work", "primary": true, "value": "Maya@Contoso.example" }, { "type": "home", "value": "m@x.example" }],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "employeeNumber": "7" },
        });
        for (filter, taken) in [
            ("userName eq \"maya@contoso.example\"", true),
            ("USERNAME Eq \"MAYA@Contoso.Example\"", true),
            ("userName eq maya@contoso.example", true),
            ("externalId eq \"87D349ED\"", true),
            ("externalId eq \"87d349ed\"", false),
            ("externalId eq 87D349ED", true),
            ("emails[type eq \"work\"].value eq \"maya@contoso.example\"", true),
            ("emails[type eq \"work\"].value eq \"m@x.example\"", false),
            ("emails.value eq \"m@x.example\"", true),
            ("emails eq \"m@x.example\"", true),
            ("active eq true", true),
            ("active eq \"False\"", false),
            ("active eq true and userName eq \"maya@contoso.example\"", true),
            ("active eq false and userName eq \"maya@contoso.example\"", false),
            ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq 7", true),
            ("nickName eq \"x\"", false),
        ] {
            assert_eq!(takes(filter, &user), taken, "{filter}");
        }
    }

    #[test]
    fn what_is_not_supported_is_said_so() {
        for filter in [
            "",
            "userName",
            "userName eq",
            "userName co \"x\"",
            "userName pr",
            "userName eq \"a\" or userName eq \"b\"",
            "not (userName eq \"a\")",
            "userName eq \"a\" and",
            "userName eq \"a\"x",
            "emails[type eq \"work\" eq \"x\"",
            "emails[a[b eq 1] eq 2] eq 3",
        ] {
            assert_eq!(Filter::parse(filter).unwrap_err().kind, Some(ScimType::InvalidFilter), "{filter}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z\\[\\]\". eq]{0,40}|\\PC{0,40}") {
            let _ = Filter::parse(&text);
            let _ = Path::parse(&text);
        }

        #[test]
        fn any_value_is_found_by_itself(value in "\\PC{0,20}") {
            let filter = format!("externalId eq {}", Value::from(value.as_str()));
            prop_assert!(takes(&filter, &json!({ "externalId": value })), "{}", filter);
        }
    }
}
