//! Users by what somebody types of them.

use rollcall_model::{
    account::AccountId,
    user::{Claim, LoginId, User, fold},
};
use serde::{Deserialize, Serialize};

use super::{
    UserFilter,
    item::read_user,
    list::{Part, Place, Stretch},
};
use crate::{
    StorageError,
    directory::{Directory, claim::OWNER, string},
    keys::{Key, user_place},
};

/// Where the search for users goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SearchPlace {
    /// Among those whose name begins with the text, after this one.
    Beginning(Option<Place>),
    /// Among those who have it somewhere, after this one.
    Within(Option<Place>),
}

/// Items of the index that a search may read.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// One after the other: of an account that has no more, nothing is read twice, or in vain.
    pub reads: usize,
    /// Behind these, some at the same time.
    pub at_once: usize,
}

/// Longest text that is looked for as a beginning, in bytes: a sort key has 1,024.
const MAX_BEGINNING: usize = 1_000;

impl Directory {
    /// The users that a search finds, at most `most`, by three steps: who has this login ID or address; whose name begins so, by name; who
    /// has the text anywhere, by name, as far as the items of the index reach that may be read.
    ///
    /// # Errors
    /// As [`Directory::users_page`].
    pub async fn users_found(
        &self,
        account: &AccountId,
        filter: &UserFilter,
        after: Option<SearchPlace>,
        most: usize,
        Reach { reads, at_once }: Reach,
    ) -> Result<(Vec<User>, Option<SearchPlace>), StorageError> {
        let text = filter.search.as_deref().map(fold).unwrap_or_default();
        let mut users = Vec::new();
        let mut place = if let Some(place) = after {
            place
        } else {
            users = self.users_named(account, filter, &text).await?;
            SearchPlace::Beginning(None)
        };
        let mut read = 0;
        loop {
            let (beginning, from, others) = match &place {
                SearchPlace::Beginning(from) => {
                    (Some(&*text), from.as_ref(), UserFilter { search: None, ..filter.clone() })
                }
                SearchPlace::Within(from) => (None, from.as_ref(), filter.clone()),
            };
            let lacking = most.saturating_sub(users.len());
            let is_wanted = |user: &User| !is_named(user, &text) && (beginning.is_some() || !begins(user, &text));
            if lacking > 0 && read >= reads && beginning.is_none() {
                let found = self.stretch_at_once(account, filter, from, lacking, at_once).await?;
                users.extend(found.users.into_iter().filter(is_wanted));
                return Ok((users, found.next.map(|next| SearchPlace::Within(Some(next)))));
            }
            if lacking == 0 || read >= reads {
                return Ok((users, Some(place)));
            }
            let next = if beginning.is_some() && text.len() > MAX_BEGINNING {
                None
            } else {
                let part = beginning.map_or(Part::All, Part::Beginning);
                let found: Stretch = self.stretch(account, &others, part, from, lacking, reads - read).await?;
                read += found.read;
                users.extend(found.users.into_iter().filter(is_wanted));
                found.next
            };
            place = match (beginning, next) {
                (Some(_), Some(next)) => SearchPlace::Beginning(Some(next)),
                (Some(_), None) => SearchPlace::Within(None),
                (None, Some(next)) => SearchPlace::Within(Some(next)),
                (None, None) => return Ok((users, None)),
            };
        }
    }

    /// Who has this text for a login ID or an address: two people at most.
    async fn users_named(
        &self,
        account: &AccountId,
        filter: &UserFilter,
        text: &str,
    ) -> Result<Vec<User>, StorageError> {
        if LoginId::parse(text).is_err() {
            return Ok(Vec::new());
        }
        let (user, claim) = (Key::user(account, text), Key::claim(account, &Claim::Email(text.to_owned())));
        let mut items = self.read_together(vec![user.clone(), claim.clone()], false).await?;
        let mut found: Vec<_> = items.remove(&user).into_iter().collect();
        if let Some(owner) = items.remove(&claim).and_then(|item| string(&item, OWNER)).filter(|owner| owner != text) {
            let owner = Key::user(account, &owner);
            found.extend(self.read_together(vec![owner.clone()], false).await?.remove(&owner));
        }
        let users = found.iter().filter(|item| filter.takes(item)).map(read_user);
        let mut users = users.collect::<Result<Vec<User>, _>>()?;
        // Lists show none: the index doesn't hold them.
        for user in &mut users {
            user.caller_ids.clear();
        }
        users.retain(|user| is_named(user, text));
        Ok(users)
    }
}

fn is_named(user: &User, text: &str) -> bool {
    let address = user.profile.email.as_ref().map(|email| fold(email.as_str()));
    user.login.folded() == text || address.as_deref() == Some(text)
}

fn begins(user: &User, text: &str) -> bool {
    text.len() <= MAX_BEGINNING && user_place(user).starts_with(text)
}
