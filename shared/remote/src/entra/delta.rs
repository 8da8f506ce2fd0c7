//! What has changed among a tenant's users since the last time.
//!
//! The first run reads all users and ends with a link; the link gives what changed after it, and the next link. What was
//! told may be told again, in any order of pages; of several words on one user the last counts. A link lives for seven
//! days. <https://learn.microsoft.com/graph/delta-query-overview>

use std::collections::BTreeMap;

use rollcall_model::directory_import::{DirectoryId, sync::Change};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Entra, Refusal, Trail, wire};
use crate::{Error, Kind};

/// Where the next delta begins. To be kept as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeltaLink(String);

/// What has changed.
#[derive(Debug)]
pub struct Delta {
    /// The last word on each user that was wanted.
    pub changes: BTreeMap<DirectoryId, Change>,
    /// Where the next delta begins.
    pub link: DeltaLink,
    /// All users were read, and not just those that changed. **Who is missing then is not known to be gone**: ask for each
    /// ([`Entra::find`]).
    pub whole: bool,
}

const OPERATION: &str = "reading the directory's changes";

impl Entra {
    /// Reads the changes of the users that are `wanted`, since the last time or, where that is too long ago, from the
    /// beginning.
    ///
    /// # Errors
    /// See [`Kind`].
    pub async fn changes(
        &self,
        since: Option<&DeltaLink>,
        wanted: impl Fn(&DirectoryId) -> bool,
        until: Instant,
    ) -> Result<Delta, Error> {
        if let Some(since) = since {
            match self.read_changes(Some(since), &wanted, until).await? {
                Ok(delta) => return Ok(delta),
                Err(refusal) if refusal.is_gone() => {}
                Err(refusal) => return Err(refusal.into_error(OPERATION)),
            }
        }
        self.read_changes(None, &wanted, until).await?.map_err(|refusal| refusal.into_error(OPERATION))
    }

    async fn read_changes(
        &self,
        since: Option<&DeltaLink>,
        wanted: &impl Fn(&DirectoryId) -> bool,
        until: Instant,
    ) -> Result<Result<Delta, Refusal>, Error> {
        let mut trail = Trail::new(OPERATION);
        let first = match since {
            Some(link) => link.0.clone(),
            None => self.address(OPERATION, "users/delta", &[("$select", wire::SELECT)])?.to_string(),
        };
        let mut address = trail.follow(self, &first)?;
        let mut numbers = self.number_reader();
        let mut changes = BTreeMap::new();
        loop {
            let page = match self.get::<wire::Page>(OPERATION, &address, false, until).await? {
                Ok(page) => page,
                Err(refusal) => return Ok(Err(refusal)),
            };
            for user in page.value {
                if wanted(&user.id) {
                    changes.insert(user.id.clone(), user.change(&mut numbers));
                }
            }
            address = match (page.next_link, page.delta_link) {
                (Some(next), None) => trail.follow(self, &next)?,
                (None, Some(link)) => {
                    // It is kept for the next run, and had better be one then.
                    self.link(OPERATION, &link)?;
                    return Ok(Ok(Delta { changes, link: DeltaLink(link), whole: since.is_none() }));
                }
                _ => {
                    let detail = "a page has neither a next link nor a delta link, or has both";
                    return Err(Error::new(OPERATION, Kind::Malformed, detail));
                }
            };
        }
    }
}
