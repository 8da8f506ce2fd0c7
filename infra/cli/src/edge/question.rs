//! What is asked, and what comes of it.

use std::hash::Hash;
use std::time::Duration;

use http::{HeaderMap, header};
use rollcall_connectors::HttpResponse;
use rollcall_model::caller_id::CallerId;
use rollcall_model::dial::Choice;
use serde::Deserialize;

/// Whom a switch knows.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Who {
    /// A user's login ID.
    Login(String),
    /// A user's extension.
    Extension(String),
}

/// May this user dial from this number?
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Check {
    /// The user.
    pub who: Who,
    /// What the call would show.
    pub number: CallerId,
}

/// What may this user dial from?
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WhichNumbers(pub Who);

/// May the call pass?
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Decision {
    /// Whether it may.
    pub allowed: bool,
    /// Why not.
    #[serde(default)]
    pub code: Option<String>,
    /// What it may show instead.
    #[serde(default, rename = "use")]
    pub instead: Option<CallerId>,
}

/// What a user may dial from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Choices {
    /// Why nothing.
    #[serde(default)]
    pub code: Option<String>,
    /// The numbers.
    pub numbers: Vec<Choice>,
}

/// A question that the API answers.
pub trait Question: Clone + Eq + Hash + Send + Sync + 'static {
    /// What it answers.
    type Answer: Clone + Send + Sync + for<'a> Deserialize<'a> + 'static;

    /// Where it is asked: the parts of the path, and the query.
    fn place(&self) -> (Vec<String>, &'static [(&'static str, &'static str)]);
}

impl Question for Check {
    type Answer = Decision;

    fn place(&self) -> (Vec<String>, &'static [(&'static str, &'static str)]) {
        let mut path = self.who.path();
        path.extend(["caller-ids".to_owned(), self.number.to_string()]);
        (path, &[("suggest", "true")])
    }
}

impl Question for WhichNumbers {
    type Answer = Choices;

    fn place(&self) -> (Vec<String>, &'static [(&'static str, &'static str)]) {
        let mut path = self.0.path();
        path.push("choices".to_owned());
        (path, &[])
    }
}

impl Who {
    fn path(&self) -> Vec<String> {
        let (collection, name) = match self {
            Self::Login(login) => ("users", login),
            Self::Extension(extension) => ("extensions", extension),
        };
        ["v1", collection, name].map(str::to_owned).to_vec()
    }
}

/// Longest that an answer is taken for fresh, whatever the API says.
const LONGEST: Duration = Duration::from_mins(1);

/// How long an answer is good for: what `Cache-Control` says (RFC 9111, section 5.2.2.1), or not at all.
pub fn good_for(answer: &HttpResponse) -> Duration {
    said(&answer.headers).map_or(Duration::ZERO, |seconds| Duration::from_secs(seconds).min(LONGEST))
}

fn said(headers: &HeaderMap) -> Option<u64> {
    let directives = headers.get(header::CACHE_CONTROL)?.to_str().ok()?.split(',');
    directives.filter_map(|directive| directive.trim().strip_prefix("max-age=")).find_map(|age| age.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_good_for_as_long_as_it_says_and_no_longer_than_a_minute() {
        for (said, seconds) in [
            ("private, max-age=5", 5),
            ("max-age=2", 2),
            ("max-age=99999999999", 60),
            ("no-store", 0),
            ("max-age=-1", 0),
            ("max-age=soon", 0),
            ("", 0),
        ] {
            let headers = HeaderMap::from_iter([(header::CACHE_CONTROL, said.parse().unwrap())]);
            let answer = HttpResponse { status: http::StatusCode::OK, headers, body: bytes::Bytes::new() };
            assert_eq!(good_for(&answer), Duration::from_secs(seconds), "{said}");
        }
    }
}
