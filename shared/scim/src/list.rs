//! Lists: which part of one is asked for, and how it is answered (RFC 7644, section 3.4.2).

use serde_json::{Value, json};

use crate::{
    error::{ScimError, ScimType},
    filter::{Filter, entry},
    names::LIST_RESPONSE,
    select::Selection,
};

/// Resources of a page at most.
pub const MAX_COUNT: usize = 200;
/// Resources of a page where the client doesn't say.
const DEFAULT_COUNT: usize = 100;

/// What a client asks a list for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Which resources.
    pub filter: Option<Filter>,
    /// The place of the first, from 1 on.
    pub start: usize,
    /// How many.
    pub count: usize,
    /// What is shown of each.
    pub selection: Selection,
}

impl Page {
    /// As the parameters of a query say it. What isn't known is passed over; what lies outside of what can be is brought inside.
    ///
    /// # Errors
    /// [`ScimType::InvalidFilter`], and [`ScimType::InvalidValue`] for a number that is none.
    pub fn of<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, ScimError> {
        let mut page = Self { start: 1, count: DEFAULT_COUNT, ..Self::default() };
        let (mut only, mut without) = (None, None);
        for (name, value) in parameters {
            match name.to_ascii_lowercase().as_str() {
                "filter" => page.filter = Some(Filter::parse(value)?),
                "startindex" => page.start = number(name, value)?.clamp(1, i64::MAX).try_into().unwrap_or(1),
                "count" => page.count = usize::try_from(number(name, value)?.max(0)).unwrap_or(0).min(MAX_COUNT),
                "attributes" => only = Some(value),
                "excludedattributes" => without = Some(value),
                _ => {}
            }
        }
        page.selection = Selection::of(only, without);
        Ok(page)
    }
}

fn number(name: &str, value: &str) -> Result<i64, ScimError> {
    let bad = || ScimError::bad(ScimType::InvalidValue, format!("{name} must be a whole number."));
    value.trim().parse().map_err(|_| bad())
}

/// The same question in a body (RFC 7644, section 3.4.3), as parameters.
///
/// # Errors
/// [`ScimType::InvalidSyntax`].
pub fn search_request(body: &Value) -> Result<Vec<(String, String)>, ScimError> {
    let bad = || ScimError::bad(ScimType::InvalidSyntax, "The body must be an object.");
    let body = body.as_object().ok_or_else(bad)?;
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    };
    let names = ["filter", "startIndex", "count", "attributes", "excludedAttributes"];
    let told = names.iter().filter_map(|name| Some((*name, entry(body, name).filter(|value| !value.is_null())?)));
    Ok(told.map(|(name, value)| (name.to_owned(), text(value))).collect())
}

/// A list as it is answered: of `total` resources, those from `start` on.
pub fn list_response(total: usize, start: usize, resources: &[Value]) -> Value {
    json!({
        "schemas": [LIST_RESPONSE],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_lies_within_what_can_be() {
        let page = |query: &[(&'static str, &'static str)]| {
            Page::of(query.iter().copied()).map(|page| (page.start, page.count))
        };
        assert_eq!(page(&[]), Ok((1, 100)));
        assert_eq!(page(&[("startIndex", "101"), ("count", "100"), ("aadOptscim062020", "")]), Ok((101, 100)));
        assert_eq!(page(&[("STARTINDEX", "0"), ("count", "-3")]), Ok((1, 0)));
        assert_eq!(page(&[("startIndex", "-7"), ("count", "9999")]), Ok((1, MAX_COUNT)));
        for query in [[("count", "many")], [("startIndex", "")]] {
            assert_eq!(page(&query).unwrap_err().kind, Some(ScimType::InvalidValue));
        }
        assert_eq!(page(&[("filter", "userName sw \"a\"")]).unwrap_err().kind, Some(ScimType::InvalidFilter));
    }

    #[test]
    fn a_question_in_a_body_is_the_same() {
        let body = json!({ "schemas": [crate::SEARCH_REQUEST], "attributes": ["a", "b"], "filter": "id eq \"x\"", "startIndex": 2, "count": null });
        let asked = search_request(&body).unwrap();
        let asked: Vec<_> = asked.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(asked, [("filter", "id eq \"x\""), ("startIndex", "2"), ("attributes", "a,b")]);
        assert!(search_request(&json!([])).is_err());
    }
}
