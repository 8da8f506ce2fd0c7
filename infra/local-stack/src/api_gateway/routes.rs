//! Which route of an API a request takes.
//!
//! The most specific one, by API Gateway's rules: a route for the very path, then one with path parameters, then one
//! with a greedy parameter such as `{proxy+}`; of two for the same path, the one for the very method before `ANY`.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>
//!
//! How a path is decoded is not documented, and reports from the field differ. **This gateway is as strict as the strictest of them**:
//! a path is decoded before routes are matched, so `%2F` cuts it; a value is decoded once more, and one that this would change has no
//! route here, since it means one thing on one day and another on the next; a `+` becomes a space.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use crate::template::{Access, Route};

/// A method that stands for all.
const ANY: &str = "ANY";

/// The routes of an API, the most specific first.
#[derive(Debug)]
pub(super) struct Routes(Vec<Target>);

/// Where a request goes.
#[derive(Debug)]
pub(super) struct Target {
    /// Such as `GET /v1/users/{login}`.
    pub(super) key: String,
    pub(super) function: String,
    pub(super) access: Option<Access>,
    method: String,
    segments: Vec<Segment>,
}

/// A part of a route's path.
#[derive(Debug)]
enum Segment {
    Text(String),
    Parameter(String),
    /// Takes all that is left.
    Greedy(String),
}

/// The values of a route's path parameters, decoded.
pub(super) type Parameters<'a> = BTreeMap<&'a str, String>;

impl Routes {
    pub(super) fn new(routes: Vec<Route>) -> Self {
        let mut targets: Vec<_> = routes.into_iter().map(Target::new).collect();
        targets.sort_by(|one, other| {
            let kinds = |target: &Target| -> Vec<u8> { target.segments.iter().map(Segment::rank).collect() };
            kinds(one).cmp(&kinds(other)).then((one.method == ANY).cmp(&(other.method == ANY)))
        });
        Self(targets)
    }

    /// The route of a request with this method and this path, as it was sent.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<(&Target, Parameters<'_>)> {
        let path = decoded(path);
        let takes_method = |target: &&Target| target.method == method || target.method == ANY;
        self.0.iter().filter(takes_method).find_map(|target| Some((target, target.parameters(&path)?)))
    }
}

impl Target {
    fn new(route: Route) -> Self {
        Self {
            key: format!("{} {}", route.method, route.path),
            segments: segments(&route.path).map(Segment::new).collect(),
            method: route.method,
            function: route.function,
            access: route.access,
        }
    }

    /// What the parameters are, if the path is one of this route's.
    fn parameters(&self, path: &str) -> Option<Parameters<'_>> {
        let mut parameters = BTreeMap::new();
        let mut rest = path.strip_prefix('/')?;
        let last = self.segments.len() - 1;
        for (position, segment) in self.segments.iter().enumerate() {
            if let Segment::Greedy(name) = segment {
                parameters.insert(name.as_str(), value(rest)?);
                return Some(parameters);
            }
            let (given, after) = match rest.split_once('/') {
                Some((given, after)) if position < last => (given, after),
                None if position == last => (rest, ""),
                _ => return None,
            };
            rest = after;
            match segment {
                Segment::Text(text) if given == text => {}
                Segment::Parameter(name) => {
                    parameters.insert(name.as_str(), value(given)?);
                }
                _ => return None,
            }
        }
        Some(parameters)
    }
}

impl Segment {
    fn new(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            None => Self::Text(text.to_owned()),
            Some(name) => match name.strip_suffix('+') {
                None => Self::Parameter(name.to_owned()),
                Some(name) => Self::Greedy(name.to_owned()),
            },
        }
    }

    /// What is tried first has the least.
    fn rank(&self) -> u8 {
        match self {
            Self::Text(_) => 0,
            Self::Parameter(_) => 1,
            Self::Greedy(_) => 2,
        }
    }
}

fn segments(path: &str) -> std::str::Split<'_, char> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

/// The value of a parameter, of a path that is decoded once already; none for what isn't the same when it is decoded again.
fn value(text: &str) -> Option<String> {
    let is_sure = !text.is_empty() && !text.contains('?') && decoded(text) == text;
    is_sure.then(|| text.replace('+', " "))
}

/// A part of a path without its percent signs.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(keys: &[&str]) -> Routes {
        let route = |key: &&str| {
            let (method, path) = key.split_once(' ').expect("a route key");
            Route { method: method.to_owned(), path: path.to_owned(), function: String::new(), access: None }
        };
        Routes::new(keys.iter().map(route).collect())
    }

    /// The example of the page that the module names.
    #[test]
    fn the_most_specific_route_wins() {
        let routes = routes(&[
            "ANY /{proxy+}",
            "GET /pets/{proxy+}",
            "ANY /pets/dog/1",
            "GET /pets/dog/{id}",
            "GET /pets/dog/1",
            "GET /pets/{kind}/1",
        ]);
        for (method, path, expected) in [
            ("GET", "/pets/dog/1", "GET /pets/dog/1"),
            ("GET", "/pets/dog/2", "GET /pets/dog/{id}"),
            ("GET", "/pets/cat/1", "GET /pets/{kind}/1"),
            ("GET", "/pets/cat/2", "GET /pets/{proxy+}"),
            ("POST", "/pets/dog/1", "ANY /pets/dog/1"),
            ("POST", "/pets/dog/2", "ANY /{proxy+}"),
            ("POST", "/test/5", "ANY /{proxy+}"),
        ] {
            let (target, _) = routes.find(method, path).expect(path);
            assert_eq!(target.key, expected, "{method} {path}");
        }
        assert!(routes.find("GET", "/").is_none(), "a greedy parameter takes at least one character");
    }

    #[test]
    fn parameters_are_decoded_and_never_empty() {
        let routes = routes(&["GET /users/{login}/numbers/{number}", "GET /files/{path+}", "GET /users", "GET /"]);
        let find = |path: &str| {
            let (_, parameters) = routes.find("GET", path)?;
            Some(parameters.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(find("/users/ann%40x.org/numbers/%2B91").as_deref(), Some("login=ann@x.org number= 91"));
        assert_eq!(find("/users/a%20b/numbers/1+2").as_deref(), Some("login=a b number=1 2"));
        assert_eq!(find("/files/a/b%20c/").as_deref(), Some("path=a/b c/"));
        assert_eq!(find("/%75sers").as_deref(), Some(""));
        assert_eq!(find("/").as_deref(), Some(""));
        for path in ["/users/", "/users//numbers/1", "/users/a/numbers", "/users/a/numbers/1/", "/files/", "users", ""]
        {
            assert_eq!(find(path), None, "{path}");
        }
        assert_eq!(find("/users/50%25/numbers/1").as_deref(), Some("login=50% number=1"));
        for path in
            ["/users/a%2Fb/numbers/1", "/users/a%252Fb/numbers/1", "/users/a%2541/numbers/1", "/users/a%3Fb/numbers/1"]
        {
            assert_eq!(find(path), None, "{path} is read in more than one way");
        }
        assert!(routes.find("POST", "/users").is_none() && routes.find("get", "/users").is_none());
    }
}
