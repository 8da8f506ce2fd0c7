//! What has changed among a tenant's users since the last time.
//!
//! The first run reads all users and ends with a link; the link gives what changed after it, and the next link. What
//! was told may be told again, in any order of pages; of several words on one user the last counts. A link lives for
//! seven days. <https://learn.microsoft.com/graph/delta-query-overview>

use http::Uri;
use rollcall_bulk::directory_import::sync::DirectoryChange;
use rollcall_model::{numbers::NumberReader, user::DirectoryId};
use tokio::time::Instant;

use super::{Entra, is_gone, wire};
use crate::{ConnectorError, FailureKind, trail::Trail};

/// Where the next delta begins. To be kept as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeltaLink(String);

/// A delta, read page by page.
pub struct Changes<'a> {
    entra: &'a Entra,
    trail: Trail,
    next: Uri,
    /// All users are read, and not just those that changed.
    whole: bool,
    /// The end, when there are no more pages.
    link: Option<DeltaLink>,
    numbers: NumberReader,
}

/// What a delta says next.
#[derive(Debug)]
pub enum Step {
    /// These have changed. Of several words on one user, the last counts.
    Changes(Vec<(DirectoryId, DirectoryChange)>),
    /// The link was too old. What was said before is void, and all is read from the beginning.
    Anew,
    /// That was all.
    End {
        /// Where the next delta begins.
        link: DeltaLink,
        /// All users were read, and not just those that changed. **Who was not among them is not known to be gone**:
        /// ask for each ([`Entra::find`]).
        whole: bool,
    },
}

const OPERATION: &str = "reading the directory's changes";

impl Entra {
    /// Reads what has changed since the last time; without a link, all users.
    ///
    /// # Errors
    /// [`FailureKind::Malformed`] when the link is none of this directory's.
    pub fn changes(&self, since: Option<&DeltaLink>) -> Result<Changes<'_>, ConnectorError> {
        let first = match since {
            Some(link) => link.0.clone(),
            None => self.address(OPERATION, "users/delta", &[("$select", wire::SELECT)])?.to_string(),
        };
        let mut trail = Trail::new(OPERATION);
        let next = self.follow(OPERATION, &mut trail, &first)?;
        Ok(Changes { entra: self, trail, next, whole: since.is_none(), link: None, numbers: self.number_reader() })
    }
}

impl Changes<'_> {
    /// What comes next. Nothing comes after [`Step::End`].
    ///
    /// # Errors
    /// See [`FailureKind`].
    pub async fn next(&mut self, until: Instant) -> Result<Step, ConnectorError> {
        if let Some(link) = self.link.take() {
            return Ok(Step::End { link, whole: self.whole });
        }
        let page = match self.entra.get::<wire::Page>(OPERATION, &self.next, false, until).await? {
            Ok(page) => page,
            Err(refusal) if is_gone(&refusal) && !self.whole => {
                let anew = self.entra.changes(None)?;
                (self.trail, self.next, self.whole) = (anew.trail, anew.next, true);
                return Ok(Step::Anew);
            }
            Err(refusal) => return Err(refusal.into_error(OPERATION)),
        };
        match (page.next_link, page.delta_link) {
            (Some(next), None) => self.next = self.entra.follow(OPERATION, &mut self.trail, &next)?,
            (None, Some(link)) => {
                // It is kept for the next run, and had better be one then.
                self.entra.link(OPERATION, &link)?;
                self.link = Some(DeltaLink(link));
            }
            _ => {
                let detail = "a page has neither a next link nor a delta link, or has both";
                return Err(ConnectorError::new(OPERATION, FailureKind::Malformed, detail));
            }
        }
        let changes = page.value.into_iter().map(|user| (user.id.clone(), user.change(&mut self.numbers)));
        Ok(Step::Changes(changes.collect()))
    }
}

impl DeltaLink {
    /// A link that was kept.
    pub fn new(link: impl Into<String>) -> Self {
        Self(link.into())
    }

    /// To be kept.
    pub fn into_string(self) -> String {
        self.0
    }
}
