//! Parameters of the query.

use std::collections::BTreeSet;

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// The query's parameters, each given once. One that is wrong is named.
pub(crate) struct Query<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        check_each_is_given_once(query)?;
        read(query).map(Self)
    }
}

/// Refuses a parameter that is given more than once.
pub(crate) fn check_each_is_given_once(query: &str) -> Result<(), Problem> {
    let mut seen = BTreeSet::new();
    for (name, _) in form_urlencoded::parse(query.as_bytes()) {
        if !seen.insert(name.clone()) {
            return Err(Problem::parameter(&name, "It is given more than once."));
        }
    }
    Ok(())
}

/// Longest search, in characters: no name has more.
const MAX_SEARCH: usize = 256;

/// What is searched for, if anything is.
pub(crate) fn searched(search: Option<&str>) -> Result<Option<&str>, Problem> {
    let search = search.filter(|search| !search.trim().is_empty());
    if search.is_some_and(|search| search.chars().count() > MAX_SEARCH) {
        return Err(Problem::parameter("search", format!("A search has {MAX_SEARCH} characters at most.")));
    }
    Ok(search)
}

/// Reads the parameters of a query.
pub(crate) fn read<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let query = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(query).map_err(|error| {
        let name = error.path().to_string();
        let detail = error.into_inner().to_string();
        // Serde would name the others of the same struct, which are not all that a list takes.
        let is_unknown = detail.starts_with("unknown field");
        Problem::parameter(&name, if is_unknown { "This route has no such parameter.".to_owned() } else { detail })
    })
}
