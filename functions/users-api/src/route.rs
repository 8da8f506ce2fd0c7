//! Which route a request takes: the one that the gateway has taken, since it has checked the scope for that one.
//!
//! How API Gateway decodes a path is not documented, and was reported to differ: `%2F` is a slash before routes are matched, a value
//! is decoded a second time, a `+` becomes a space. So a value that holds more than [`is_safe_in_path`] is given in the query, which
//! is passed on as it was sent, and a number may begin with the space that its `+` has become.

use std::{borrow::Cow, mem};

use axum::{extract::Request, http::Uri};
use lambda_http::{RequestExt, request::RequestContext};
use rollcall_model::path_part::{IN_QUERY, is_safe_in_path};

use crate::problem::Problem;

/// The parameter of a path that is a telephone number.
const NUMBER: &str = "number";

/// Gives a request the path of its route, with the parameters as the gateway read them. The path of the event won't do:
/// it is decoded, so a slash, a `#` or a percent sign in a login ID would be read as part of the path's own grammar.
pub(crate) async fn by_the_gateway(mut request: Request) -> Result<Request, Problem> {
    let uri = {
        let route = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => context.route_key.as_deref(),
            _ => None,
        };
        let (_, route) = route.and_then(|route| route.split_once(' ')).ok_or_else(no_route)?;
        let parameters = request.path_parameters();
        let mut query = Pairs::of(request.uri().query().unwrap_or_default());
        let mut path = String::new();
        for part in route.split('/').skip(1) {
            path.push('/');
            let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
                path.push_str(part);
                continue;
            };
            let value = match parameters.first(name).ok_or_else(no_route)? {
                // Clients and proxies take "." and ".." out of a path, so nobody means them.
                "." | ".." => return Err(no_route()),
                IN_QUERY => query.take(name)?,
                _ if query.has(name) => return Err(Problem::parameter(name, "The path names it already.")),
                value => Cow::Borrowed(value),
            };
            // All is encoded to the last letter, so that no value is taken for the fixed part of another route.
            match value.strip_prefix(' ').filter(|_| name == NUMBER) {
                Some(digits) => path.push_str(&encoded(&format!("+{digits}"), |_| false)),
                None => path.push_str(&encoded(&value, |_| false)),
            }
        }
        if !query.0.is_empty() {
            path.push('?');
            path.push_str(&query.0.join("&"));
        }
        path.parse::<Uri>().map_err(|_| no_route())?
    };
    *request.uri_mut() = uri;
    Ok(request)
}

/// The pairs of a query, as they were sent.
struct Pairs<'a>(Vec<&'a str>);

impl<'a> Pairs<'a> {
    fn of(query: &'a str) -> Self {
        Self(query.split('&').filter(|pair| !pair.is_empty()).collect())
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|pair| read(pair).0 == name)
    }

    /// Takes the one value of this name out.
    fn take(&mut self, name: &str) -> Result<Cow<'a, str>, Problem> {
        let (named, others): (Vec<_>, Vec<_>) =
            mem::take(&mut self.0).into_iter().partition(|pair| read(pair).0 == name);
        self.0 = others;
        match named.as_slice() {
            [pair] => Some(read(pair).1).filter(|value| !value.is_empty()).ok_or_else(no_route),
            [] => {
                let detail = format!("The path has {IN_QUERY:?} for it, so the query must name it.");
                Err(Problem::parameter(name, detail))
            }
            _ => Err(Problem::parameter(name, "It is given more than once.")),
        }
    }
}

/// The name and the value of a pair.
fn read(pair: &str) -> (Cow<'_, str>, Cow<'_, str>) {
    form_urlencoded::parse(pair.as_bytes()).next().unwrap_or_default()
}

fn no_route() -> Problem {
    Problem::not_found("thing")
}

/// Where something is that a text names below this path: in the path, or in the query by this name.
pub(crate) fn location(path: &str, name: &str, text: &str) -> String {
    let text_encoded = encoded(text, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    if is_safe_in_path(text) {
        format!("{path}/{text_encoded}")
    } else {
        format!("{path}/{IN_QUERY}?{name}={text_encoded}")
    }
}

fn encoded(text: &str, stays: impl Fn(u8) -> bool) -> String {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let mut encoded = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if stays(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(['%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
    encoded
}
