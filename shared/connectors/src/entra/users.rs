//! Users of a tenant: all of them, by search, by filter, by ID.

use http::Uri;
use percent_encoding::percent_decode_str;
use rollcall_bulk::directory_import::DirectoryUser;
use rollcall_model::{numbers::NumberReader, user::DirectoryId};
use tokio::time::Instant;

use super::{Entra, is_missing_user, wire};
use crate::{ConnectorError, FailureKind, base_url::encode, trail::Trail};

/// Which users are listed.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// All of the tenant.
    All,
    /// Those of whom a word of the name, the address or the login name begins so.
    Search(&'a str),
    /// Those that this filter of Graph's takes. <https://learn.microsoft.com/graph/filter-query-parameter>
    Filter(&'a str),
}

/// A list of users, read page by page.
pub struct UserPages<'a> {
    entra: &'a Entra,
    trail: Trail,
    advanced: bool,
    next: Option<Uri>,
    numbers: NumberReader,
}

/// Users on a page at most. <https://learn.microsoft.com/graph/api/user-list>
pub const MAX_PAGE: usize = 999;

const LIST: &str = "listing the directory's users";
const FIND: &str = "reading a user of the directory";
const USERS: &str = "users";

impl Entra {
    /// Lists users, up to `page` of them (1 to 999) at a time.
    ///
    /// # Errors
    /// [`FailureKind::Refused`] when what is asked for makes no address.
    pub fn list(&self, which: Which<'_>, page: usize) -> Result<UserPages<'_>, ConnectorError> {
        let page = page.clamp(1, MAX_PAGE).to_string();
        let mut query = vec![("$select", wire::SELECT), ("$top", page.as_str())];
        // Searching takes the indexed store, and so do some filters; asked for with all of them, it does the others
        // too. <https://learn.microsoft.com/graph/aad-advanced-queries>
        let advanced = !matches!(which, Which::All);
        if advanced {
            query.push(("$count", "true"));
        }
        let search;
        match which {
            Which::All => {}
            Which::Search(text) => {
                search = search_clause(text);
                query.push(("$search", &search));
            }
            Which::Filter(filter) => query.push(("$filter", filter)),
        }
        let first = self.address(LIST, USERS, &query)?;
        let mut trail = Trail::new(LIST);
        trail.follow(&first.to_string())?;
        Ok(UserPages { entra: self, trail, advanced, next: Some(first), numbers: self.number_reader() })
    }

    /// The user with this ID; `None` when there is none. One by one, since `getByIds` doesn't give `accountEnabled`,
    /// and a batch has a status and a wait for each of its parts: this way there is one way to be put off, and one to
    /// say that nobody is there.
    ///
    /// # Errors
    /// See [`FailureKind`].
    pub async fn find(&self, id: &DirectoryId, until: Instant) -> Result<Option<DirectoryUser>, ConnectorError> {
        let address = self.address(FIND, &format!("{USERS}/{id}"), &[("$select", wire::SELECT)])?;
        match self.get::<wire::User>(FIND, &address, false, until).await? {
            Ok(user) => {
                let user = user.whole(&mut self.number_reader()).map_err(|property| missing(FIND, property))?;
                Ok(Some(user))
            }
            Err(refusal) if is_missing_user(&refusal) => Ok(None),
            Err(refusal) => Err(refusal.into_error(FIND)),
        }
    }

    pub(super) fn number_reader(&self) -> NumberReader {
        // Their telephones are not the account's numbers: any valid one is good.
        NumberReader::new(self.country, &[])
    }
}

impl UserPages<'_> {
    /// The next page; `None` after the last. A page may be empty and not be the last.
    ///
    /// # Errors
    /// See [`FailureKind`].
    pub async fn next(&mut self, until: Instant) -> Result<Option<Vec<DirectoryUser>>, ConnectorError> {
        let Some(address) = self.next.clone() else { return Ok(None) };
        let page = self.entra.get::<wire::Page>(LIST, &address, self.advanced, until).await?;
        let page = page.map_err(|refusal| refusal.into_error(LIST))?;
        let users: Result<Vec<_>, _> = page.value.into_iter().map(|user| user.whole(&mut self.numbers)).collect();
        let users = users.map_err(|property| missing(LIST, property))?;
        self.next = page.next_link.map(|link| self.entra.follow(LIST, &mut self.trail, &link)).transpose()?;
        Ok(Some(users))
    }

    /// Where the next page is, for [`UserPages::resume`]; `None` after the last. It is the `$skiptoken` of Graph's link and nothing else: what is
    /// asked for is said by the list, and not by who brings the place back.
    ///
    /// # Errors
    /// [`FailureKind::Malformed`] when the link has none.
    pub fn place(&self) -> Result<Option<String>, ConnectorError> {
        let Some(next) = &self.next else { return Ok(None) };
        let token = skip_token(next).filter(|token| (1..=MAX_TOKEN).contains(&token.len()));
        token
            .map(Some)
            .ok_or_else(|| ConnectorError::new(LIST, FailureKind::Malformed, "a link to the next page has no place"))
    }

    /// Goes on at a place that an earlier list of the same kind has given.
    ///
    /// # Errors
    /// [`FailureKind::Malformed`] when it can be none.
    pub fn resume(&mut self, place: &str) -> Result<(), ConnectorError> {
        let malformed = || ConnectorError::new(LIST, FailureKind::Malformed, "the place is none");
        let first = self.next.as_ref().filter(|_| (1..=MAX_TOKEN).contains(&place.len())).ok_or_else(malformed)?;
        let address = format!("{first}&{SKIP_TOKEN}={}", encode(place));
        self.trail = Trail::new(LIST);
        self.next = Some(self.entra.follow(LIST, &mut self.trail, &address)?);
        Ok(())
    }
}

/// Where Graph's links say what page they lead to. <https://learn.microsoft.com/graph/paging>
const SKIP_TOKEN: &str = "$skiptoken";
/// Longest place, in bytes. Graph's have some hundred.
const MAX_TOKEN: usize = 4 * 1024;

fn skip_token(link: &Uri) -> Option<String> {
    let decoded = |text| percent_decode_str(text).decode_utf8().ok();
    link.query()?.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let is_it = decoded(name)?.eq_ignore_ascii_case(SKIP_TOKEN);
        is_it.then(|| decoded(value).map(std::borrow::Cow::into_owned)).flatten()
    })
}

/// A search as Graph takes it: each clause in quotes, in which quotes and backslashes are escaped.
/// <https://learn.microsoft.com/graph/search-query-parameter>
fn search_clause(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    ["displayName", "mail", "userPrincipalName"].map(|property| format!("\"{property}:{text}\"")).join(" OR ")
}

fn missing(operation: &'static str, property: &str) -> ConnectorError {
    ConnectorError::new(
        operation,
        FailureKind::Malformed,
        format!("{property} of a user is missing or holds what it can't"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_token_of_the_link_and_no_other_part_of_it() {
        let token = |link: &str| skip_token(&link.parse().unwrap());
        for link in [
            "https://graph.example/v1.0/users?$select=id&$skiptoken=m~A%2Bq+%3D&$top=5",
            "https://graph.example/v1.0/users?%24skipToken=m~A%2Bq+%3D",
        ] {
            assert_eq!(token(link).as_deref(), Some("m~A+q+="), "{link}");
        }
        for link in ["https://graph.example/v1.0/users", "https://graph.example/v1.0/users?$filter=x&$skip=5"] {
            assert_eq!(token(link), None, "{link}");
        }
    }

    #[test]
    fn a_search_cannot_end_its_own_clause() {
        let clause = r#""displayName:a\" OR \\b" OR "mail:a\" OR \\b" OR "userPrincipalName:a\" OR \\b""#;
        assert_eq!(search_clause(r#"a" OR \b"#), clause);
    }
}
