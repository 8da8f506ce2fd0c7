//! What a function's environment says. The template sets it.

use std::{env, fmt, str::FromStr};

/// The environment lacks something, or says something that makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("the environment variable {name}: {problem}")]
pub struct BadEnvironment {
    name: &'static str,
    problem: String,
}

/// A variable that must be there.
///
/// # Errors
/// [`BadEnvironment`] names it.
pub fn variable<T: FromStr<Err: fmt::Display>>(name: &'static str) -> Result<T, BadEnvironment> {
    let value = env::var(name).map_err(|error| BadEnvironment { name, problem: error.to_string() })?;
    value.parse().map_err(|error: T::Err| BadEnvironment { name, problem: error.to_string() })
}
