//! Which route a request takes: the one that the gateway has taken, since it has checked the scope for that one.

use axum::{extract::Request, http::Uri};
use lambda_http::{RequestExt, request::RequestContext};

use crate::problem::Problem;

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
        let mut path = String::new();
        for part in route.split('/').skip(1) {
            path.push('/');
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                // Clients and proxies take "." and ".." out of a path, so nobody means them. All else is encoded to the last
                // letter, so that no value is taken for the fixed part of another route.
                Some(name) => match parameters.first(name).ok_or_else(no_route)? {
                    "." | ".." => return Err(no_route()),
                    value => path.push_str(&encoded(value, |_| false)),
                },
                None => path.push_str(part),
            }
        }
        if let Some(query) = request.uri().query() {
            path.push('?');
            path.push_str(query);
        }
        path.parse::<Uri>().map_err(|_| no_route())?
    };
    *request.uri_mut() = uri;
    Ok(request)
}

fn no_route() -> Problem {
    Problem::not_found("thing")
}

/// A text as a part of a path: all but the unreserved characters of RFC 3986 percent-encoded.
pub(crate) fn path_segment(text: &str) -> String {
    encoded(text, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

fn encoded(text: &str, stays: impl Fn(u8) -> bool) -> String {
    text.bytes().map(|byte| if stays(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
