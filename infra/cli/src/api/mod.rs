//! Our own API, as those ask it who are not part of it.

mod problem;
mod token;

use std::marker::PhantomData;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use rollcall_api_types::{Page, PresignedUpload};
use rollcall_connectors::{
    BaseUrl, ConnectorError, FailureKind, Http, HttpRequest, HttpResponse, Service, Trail, encode,
};
use rollcall_model::path_part::{IN_QUERY, is_safe_in_path};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{Duration, Instant};

pub use problem::{Failure, Problem};
pub use token::ApiToken;

/// The API of one deployment, asked with one token.
pub struct Api {
    http: Http,
    service: Service,
    base: BaseUrl,
    token: ApiToken,
}

/// How long the API has for an answer, with every try.
const TIMEOUT: Duration = Duration::from_mins(1);
/// How long a file may take: the largest that is taken, over a line of one megabit a second.
const FILE_PATIENCE: Duration = Duration::from_mins(40);
/// Items on a page at most.
const MOST: usize = 200;
/// The header by which S3 tells the version that it has made.
const VERSION: &str = "x-amz-version-id";
/// The header that makes a POST one that may be repeated.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

const ASKING: &str = "asking the API";
const DROPPING: &str = "dropping the file";
const FETCHING: &str = "fetching the file";

impl Api {
    /// The API at this address.
    pub fn new(http: Http, base: BaseUrl, token: ApiToken) -> Self {
        Self { service: Service::new(http.clone()), http, base, token }
    }

    /// Where it is.
    pub fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// What is at a path, whose parts are escaped here.
    ///
    /// # Errors
    /// [`Failure`], as of every other question.
    pub async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<T, Failure> {
        let ask = HttpRequest::get(ASKING, self.address(path, query)?);
        Ok(self.ask(ask).await?.json(ASKING)?)
    }

    /// A list, page by page: all of it, or `most` items.
    pub fn pages<'a, T>(
        &'a self,
        path: &'a [&'a str],
        query: &'a [(&'a str, &'a str)],
        most: Option<usize>,
    ) -> Pages<'a, T> {
        Pages {
            api: self,
            path,
            query,
            left: most,
            trail: Trail::new(ASKING),
            cursor: None,
            read: false,
            more: false,
            of: PhantomData,
        }
    }

    /// A list, up to `most` items that are wanted, and whether there are more.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn list<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        most: usize,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<(Vec<T>, bool), Failure> {
        let mut trail = Trail::new(ASKING);
        let mut found: Vec<T> = Vec::new();
        let mut cursor: Option<String> = None;
        // One more tells whether there are more.
        while found.len() <= most {
            let limit = (most - found.len()).saturating_add(1).min(MOST).to_string();
            let paging = [("limit", Some(limit.as_str())), ("cursor", cursor.as_deref())];
            let paging = paging.into_iter().filter_map(|(name, value)| Some((name, value?)));
            let query: Vec<_> = query.iter().copied().chain(paging).collect();
            let page: Page<T> = self.get(path, &query).await?;
            found.extend(page.items.into_iter().filter(|item| wanted(item)));
            let Some(next) = page.next else { break };
            trail.follow(&next)?;
            cursor = Some(next);
        }
        let more = found.len() > most;
        found.truncate(most);
        Ok((found, more))
    }

    /// Has something done. `key` names the request, so that it may be sent again and is carried out once.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
        key: &str,
    ) -> Result<T, Failure> {
        let mut ask = HttpRequest::json(ASKING, Method::POST, self.address(path, &[])?, body);
        ask.headers.insert(IDEMPOTENCY_KEY, header_value(key)?);
        Ok(self.ask(ask).await?.json(ASKING)?)
    }

    /// Puts something in its place.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn put<T: DeserializeOwned>(&self, path: &[&str], body: &impl Serialize) -> Result<T, Failure> {
        let ask = HttpRequest::json(ASKING, Method::PUT, self.address(path, &[])?, body);
        Ok(self.ask(ask).await?.json(ASKING)?)
    }

    /// Changes a part of something, by a JSON merge patch (RFC 7396).
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn patch<T: DeserializeOwned>(&self, path: &[&str], body: &impl Serialize) -> Result<T, Failure> {
        let ask = HttpRequest::json(ASKING, Method::PATCH, self.address(path, &[])?, body);
        Ok(self.ask(ask).await?.json(ASKING)?)
    }

    /// The same, on condition that it still has this version.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn patch_version<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
        version: u64,
    ) -> Result<T, Failure> {
        let mut ask = HttpRequest::json(ASKING, Method::PATCH, self.address(path, &[])?, body);
        ask.headers.insert(header::IF_MATCH, header_value(&format!("\"{version}\""))?);
        Ok(self.ask(ask).await?.json(ASKING)?)
    }

    /// Takes something away.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn delete(&self, path: &[&str]) -> Result<(), Failure> {
        let ask = HttpRequest { method: Method::DELETE, ..HttpRequest::get(ASKING, self.address(path, &[])?) };
        self.ask(ask).await.map(drop)
    }

    /// The same, with something to say of it; gives what the API says where there is more to do.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn delete_with<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Option<T>, Failure> {
        let ask = HttpRequest { method: Method::DELETE, ..HttpRequest::get(ASKING, self.address(path, query)?) };
        let answer = self.ask(ask).await?;
        if answer.status == StatusCode::ACCEPTED { Ok(Some(answer.json(ASKING)?)) } else { Ok(None) }
    }

    /// Drops a file where the API has given leave to, and gives the version that the bucket has made of it. **Sent once**: a second
    /// would be another job.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn drop_file(&self, permission: &PresignedUpload, bytes: Bytes) -> Result<String, Failure> {
        let mut headers = HeaderMap::new();
        for (name, value) in &permission.headers {
            let name = HeaderName::try_from(name).map_err(|_| malformed(DROPPING, "a header has no name"))?;
            headers.insert(name, header_value(value)?);
        }
        let address = link(DROPPING, &permission.url)?;
        let ask = HttpRequest { method: Method::PUT, headers, body: bytes, ..HttpRequest::get(DROPPING, address) };
        let answer = self.http.carry(&ask, Instant::now() + FILE_PATIENCE).await?;
        if answer.status != StatusCode::OK {
            return Err(elsewhere(DROPPING, &answer).into());
        }
        let version = answer.headers.get(VERSION).and_then(|version| version.to_str().ok());
        Ok(version.ok_or_else(|| malformed(DROPPING, "the bucket keeps no versions"))?.to_owned())
    }

    /// A file that the API leads to; `None` where it has none. The token doesn't go along.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn fetch(&self, path: &[&str]) -> Result<Option<Bytes>, Failure> {
        self.fetch_with(path, HeaderMap::new()).await
    }

    /// The first bytes of such a file, at most so many.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn fetch_start(&self, path: &[&str], most: usize) -> Result<Option<Bytes>, Failure> {
        let range = header_value(&format!("bytes=0-{}", most.saturating_sub(1)))?;
        self.fetch_with(path, HeaderMap::from_iter([(header::RANGE, range)])).await
    }

    async fn fetch_with(&self, path: &[&str], headers: HeaderMap) -> Result<Option<Bytes>, Failure> {
        let answer = match self.ask(HttpRequest::get(ASKING, self.address(path, &[])?)).await {
            Ok(answer) => answer,
            Err(Failure::Refused(problem)) if problem.is_not_found() => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let location = answer.headers.get(header::LOCATION).and_then(|location| location.to_str().ok());
        // A small file is the answer itself.
        let Some(location) = location else { return Ok(Some(answer.body)) };
        let ask = HttpRequest { headers, ..HttpRequest::get(FETCHING, link(FETCHING, location)?) };
        let file = self.http.carry(&ask, Instant::now() + FILE_PATIENCE).await?;
        if matches!(file.status, StatusCode::OK | StatusCode::PARTIAL_CONTENT) {
            Ok(Some(file.body))
        } else {
            Err(elsewhere(FETCHING, &file).into())
        }
    }

    fn address(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Uri, ConnectorError> {
        self::address(ASKING, &self.base, path, query)
    }

    /// An answer that is no refusal.
    async fn ask(&self, mut ask: HttpRequest) -> Result<HttpResponse, Failure> {
        ask.headers.insert(header::AUTHORIZATION, self.token.header());
        let answer = self.service.ask(&ask, Instant::now() + TIMEOUT).await?;
        if answer.status.is_client_error() {
            return Err(Failure::Refused(Problem::of(&answer, &self.token, &ask)));
        }
        Ok(answer)
    }
}

/// A list that is read page by page.
pub struct Pages<'a, T> {
    api: &'a Api,
    path: &'a [&'a str],
    query: &'a [(&'a str, &'a str)],
    /// How many are still to be listed; `None` for all.
    left: Option<usize>,
    trail: Trail,
    /// Where the next page begins, if that isn't at the beginning.
    cursor: Option<String>,
    /// The last page is read.
    read: bool,
    more: bool,
    of: PhantomData<T>,
}

impl<T: DeserializeOwned> Pages<'_, T> {
    /// The next page, of those that are wanted; `None` when all are listed. A page may be empty.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn next(&mut self, wanted: impl Fn(&T) -> bool) -> Result<Option<Vec<T>>, Failure> {
        if self.more || self.read {
            return Ok(None);
        }
        let cursor = self.cursor.take();
        // One more tells whether there are more.
        let limit = self.left.map_or(MOST, |left| left.saturating_add(1).min(MOST)).to_string();
        let paging = [("limit", Some(limit.as_str())), ("cursor", cursor.as_deref())];
        let paging = paging.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let query: Vec<_> = self.query.iter().copied().chain(paging).collect();
        let page: Page<T> = self.api.get(self.path, &query).await?;
        match page.next {
            Some(next) => {
                self.trail.follow(&next)?;
                self.cursor = Some(next);
            }
            None => self.read = true,
        }
        let mut found: Vec<T> = page.items.into_iter().filter(wanted).collect();
        if let Some(left) = &mut self.left {
            self.more = found.len() > *left;
            found.truncate(*left);
            *left -= found.len();
        }
        Ok(Some(found))
    }

    /// Whether there are more than were to be listed.
    pub fn has_more(&self) -> bool {
        self.more
    }
}

/// The address of something of the API at `base`: the parts of a path are escaped, and what a gateway may change goes into the query.
///
/// # Errors
/// When that makes no address.
pub fn address(
    operation: &'static str,
    base: &BaseUrl,
    path: &[&str],
    query: &[(&str, &str)],
) -> Result<Uri, ConnectorError> {
    let (path, query) = place(path, query);
    base.address(operation, &path, &query)
}

/// The path, and the query with what can't stand in a path.
fn place<'a>(path: &[&'a str], query: &[(&'a str, &'a str)]) -> (String, Vec<(&'a str, &'a str)>) {
    let mut query = query.to_vec();
    let mut parts = Vec::with_capacity(path.len());
    for (position, part) in path.iter().enumerate() {
        let collection = position.checked_sub(1).and_then(|before| path.get(before)).copied().unwrap_or_default();
        match name_in_query(collection).filter(|_| !is_safe_in_path(part)) {
            Some(name) => {
                query.push((name, part));
                parts.push(IN_QUERY.to_owned());
            }
            None => parts.push(encode(part).to_string()),
        }
    }
    (parts.join("/"), query)
}

/// The name in the query of what follows a collection in a path, as the routes have it.
fn name_in_query(collection: &str) -> Option<&'static str> {
    match collection {
        "users" => Some("login"),
        "extensions" => Some("extension"),
        "numbers" | "caller-ids" => Some("number"),
        "mappings" => Some("crm_user"),
        "roles" | "departments" | "teams" => Some("id"),
        _ => None,
    }
}

fn header_value(text: &str) -> Result<HeaderValue, ConnectorError> {
    HeaderValue::from_str(text).map_err(|_| malformed(ASKING, "a header's value can't be sent"))
}

fn link(operation: &'static str, text: &str) -> Result<Uri, ConnectorError> {
    text.parse().map_err(|_| malformed(operation, "the API leads to what is no address"))
}

fn malformed(operation: &'static str, detail: &str) -> ConnectorError {
    ConnectorError::new(operation, FailureKind::Malformed, detail)
}

/// The bucket refuses, which the API has given leave for.
fn elsewhere(operation: &'static str, answer: &HttpResponse) -> ConnectorError {
    let kind = if answer.status.is_server_error() { FailureKind::Unavailable } else { FailureKind::Refused };
    ConnectorError::new(operation, kind, format!("the bucket answers with HTTP status {}", answer.status.as_u16()))
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn what_a_gateway_may_change_goes_into_the_query() {
        let plain = place(&["v1", "users", "ana@example.com", "caller-ids"], &[("limit", "1")]);
        assert_eq!(plain, ("v1/users/ana%40example.com/caller-ids".to_owned(), vec![("limit", "1")]));
        let both = place(&["v1", "mappings", "a/b", "caller-ids", "+919876500001", "explanation"], &[]);
        let query = vec![("crm_user", "a/b"), ("number", "+919876500001")];
        assert_eq!(both, ("v1/mappings/-/caller-ids/-/explanation".to_owned(), query));
        assert_eq!(place(&["v1", "users", "-"], &[]), ("v1/users/-".to_owned(), vec![("login", "-")]));
    }
}
