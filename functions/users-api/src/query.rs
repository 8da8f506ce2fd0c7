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
        let pairs = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let mut seen = BTreeSet::new();
        for (name, _) in pairs {
            if !seen.insert(name.clone()) {
                return Err(Problem::parameter(&name, "It is given more than once."));
            }
        }
        let query = serde_urlencoded::Deserializer::new(pairs);
        serde_path_to_error::deserialize(query).map(Self).map_err(|error| {
            let name = error.path().to_string();
            Problem::parameter(&name, error.into_inner().to_string())
        })
    }
}
