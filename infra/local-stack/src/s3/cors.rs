//! What S3 tells a browser whose page another origin has served.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html>

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use crate::iam::matches;
use crate::template::{Bucket, CorsRule};

/// The rules of a stack's buckets, by the buckets' names.
#[derive(Clone)]
pub(crate) struct Cors(Arc<HashMap<String, Vec<CorsRule>>>);

/// What a browser is told of a request that a rule allows.
pub(crate) struct Allowed(Vec<(HeaderName, HeaderValue)>);

impl Cors {
    pub(crate) fn new(buckets: &[Bucket]) -> Self {
        Self(Arc::new(buckets.iter().map(|bucket| (bucket.name.clone(), bucket.cors.clone())).collect()))
    }

    /// The answer to what a browser asks before it asks; it needs no signature.
    pub(crate) fn preflight(&self, path: &str, headers: &HeaderMap) -> Response {
        let value = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let (Some(_), Some(method)) = (value(header::ORIGIN), value(header::ACCESS_CONTROL_REQUEST_METHOD)) else {
            return refusal(
                StatusCode::BAD_REQUEST,
                "BadRequest",
                "Insufficient information. Origin request header needed.",
            );
        };
        let wanted = value(header::ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default();
        let wanted: Vec<String> =
            wanted.split(',').map(|name| name.trim().to_lowercase()).filter(|name| !name.is_empty()).collect();
        let Some(allowed) = self.allowed(path, headers, method, &wanted) else {
            let message = "CORSResponse: This CORS request is not allowed.";
            return refusal(StatusCode::FORBIDDEN, "AccessForbidden", message);
        };
        let mut response = Response::new(Body::empty());
        allowed.tell(&mut response);
        response
    }

    /// What is told beside the answer to a request itself, if a rule allows it.
    pub(crate) fn of_request(&self, path: &str, method: &Method, headers: &HeaderMap) -> Option<Allowed> {
        self.allowed(path, headers, method.as_str(), &[])
    }

    fn allowed(&self, path: &str, headers: &HeaderMap, method: &str, wanted: &[String]) -> Option<Allowed> {
        let origin = headers.get(header::ORIGIN)?;
        let text = origin.to_str().ok()?;
        let bucket = path.trim_start_matches('/').split('/').next()?;
        let rule = self.0.get(bucket)?.iter().find(|rule| {
            rule.origins.iter().any(|pattern| matches(pattern, text))
                && rule.methods.iter().any(|one| one == method)
                && wanted.iter().all(|name| rule.headers.iter().any(|pattern| matches(pattern, name)))
        })?;
        let mut told = vec![(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone())];
        let lists = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, rule.methods.join(", ")),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.join(", ")),
            (header::ACCESS_CONTROL_EXPOSE_HEADERS, rule.exposed.join(", ")),
            (header::ACCESS_CONTROL_MAX_AGE, rule.max_age.map(|age| age.to_string()).unwrap_or_default()),
            (header::VARY, "Origin, Access-Control-Request-Headers, Access-Control-Request-Method".to_owned()),
        ];
        let lists = lists.into_iter().filter(|(_, text)| !text.is_empty());
        told.extend(lists.filter_map(|(name, text)| Some((name, HeaderValue::try_from(text).ok()?))));
        Some(Allowed(told))
    }
}

impl Allowed {
    /// Adds it to an answer.
    pub(crate) fn tell(self, response: &mut Response) {
        response.headers_mut().extend(self.0);
    }
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors() -> Cors {
        let rule = CorsRule {
            origins: vec!["https://*.example.com".to_owned()],
            methods: vec!["PUT".to_owned(), "GET".to_owned()],
            headers: vec!["x-amz-meta-*".to_owned(), "range".to_owned()],
            exposed: vec!["Content-Range".to_owned()],
            max_age: Some(60),
        };
        let bucket = |name: &str, cors| Bucket { name: name.to_owned(), versioned: false, emits_events: false, cors };
        Cors::new(&[bucket("files", vec![rule]), bucket("plain", Vec::new())])
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_page_may_ask_what_a_rule_of_the_bucket_says_and_nothing_else() {
        let asked = |path: &str, origin, method, names| {
            let headers = headers(&[
                ("origin", origin),
                ("access-control-request-method", method),
                ("access-control-request-headers", names),
            ]);
            cors().preflight(path, &headers)
        };
        let taken = asked("/files/a/b.csv", "https://a.example.com", "PUT", "x-amz-meta-notify, Range");
        assert_eq!(taken.status(), StatusCode::OK);
        for (name, value) in [
            ("access-control-allow-origin", "https://a.example.com"),
            ("access-control-allow-methods", "PUT, GET"),
            ("access-control-allow-headers", "x-amz-meta-notify, range"),
            ("access-control-expose-headers", "Content-Range"),
            ("access-control-max-age", "60"),
        ] {
            assert_eq!(taken.headers()[name], value);
        }
        for (path, origin, method, names) in [
            ("/plain/a", "https://a.example.com", "PUT", ""),
            ("/nothing/a", "https://a.example.com", "PUT", ""),
            ("/files/a", "https://a.example.org", "PUT", ""),
            ("/files/a", "http://a.example.com", "PUT", ""),
            ("/files/a", "https://a.example.com", "DELETE", ""),
            ("/files/a", "https://a.example.com", "PUT", "x-amz-acl"),
        ] {
            let refused = asked(path, origin, method, names);
            assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{path} {origin} {method} {names}");
            assert!(refused.headers().get("access-control-allow-origin").is_none());
        }
        assert_eq!(cors().preflight("/files/a", &HeaderMap::new()).status(), StatusCode::BAD_REQUEST);
    }

    #[test]
    fn an_answer_tells_the_page_that_it_may_read_it() {
        let mut response = Response::new(Body::empty());
        let page = headers(&[("origin", "https://a.example.com")]);
        cors().of_request("/files/a", &Method::GET, &page).expect("it may").tell(&mut response);
        assert_eq!(response.headers()["access-control-allow-origin"], "https://a.example.com");
        for (path, method, headers) in [
            ("/files/a", Method::DELETE, page.clone()),
            ("/plain/a", Method::GET, page),
            ("/files/a", Method::GET, headers(&[("origin", "https://example.org")])),
            ("/files/a", Method::GET, HeaderMap::new()),
        ] {
            assert!(cors().of_request(path, &method, &headers).is_none(), "{method} {path} {headers:?}");
        }
    }
}
