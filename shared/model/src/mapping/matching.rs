//! Whom of the phone system a CRM user is.

use std::collections::HashMap;

use super::{GivenMapping, MappingState};
use crate::phone_side::{PhoneSide, PhoneUser, PhoneUserId};

/// The phone side, to look users up in.
pub struct MatchIndex<'a> {
    users: &'a [PhoneUser],
    by_id: HashMap<&'a str, usize>,
    by_email: HashMap<String, Vec<usize>>,
    by_login: HashMap<String, Vec<usize>>,
}

/// Who was found for a CRM user.
pub struct Match<'a> {
    /// What the mapping's state becomes.
    pub state: MappingState,
    /// The one phone user, if there is one.
    pub user: Option<&'a PhoneUser>,
}

impl<'a> MatchIndex<'a> {
    /// Of all that the phone system says.
    pub fn of(side: &'a PhoneSide) -> Self {
        let users = side.users.as_slice();
        let mut index = Self {
            users,
            by_id: HashMap::with_capacity(users.len()),
            by_email: HashMap::new(),
            by_login: HashMap::new(),
        };
        for (at, user) in users.iter().enumerate() {
            index.by_id.insert(user.id.as_str(), at);
            if let Some(email) = &user.email {
                index.by_email.entry(email.folded().into_owned()).or_default().push(at);
            }
            if let Some(login) = &user.login {
                index.by_login.entry(login.folded().into_owned()).or_default().push(at);
            }
        }
        index
    }

    /// Finds a CRM user's phone user: the chosen one, or the one it was mapped to before, or by exact address, or else by
    /// exact login. **Two candidates are shown, never guessed between.**
    pub fn find(&self, given: &GivenMapping, before: &MappingState) -> Match<'a> {
        if let Some(chosen) = &given.phone_user {
            return self.by_id(chosen).unwrap_or_else(|| orphaned(chosen));
        }
        let before = before.last_phone_user();
        if let Some(found) = before.and_then(|id| self.by_id(id)) {
            return found;
        }
        let by_email = given.email.as_ref().and_then(|email| self.by_email.get(&*email.folded()));
        let by_login = || given.login.as_ref().and_then(|login| self.by_login.get(&*login.folded()));
        match (by_email.or_else(by_login).map(Vec::as_slice), before) {
            (None | Some([]), None) => Match { state: MappingState::Unmapped, user: None },
            (None | Some([]), Some(gone)) => orphaned(gone),
            (Some([at]), _) => self.only(*at),
            (Some(several), _) => {
                let mut candidates: Vec<_> = several.iter().map(|&at| self.users[at].id.clone()).collect();
                candidates.sort_unstable();
                Match { state: MappingState::Ambiguous { candidates }, user: None }
            }
        }
    }

    fn by_id(&self, id: &PhoneUserId) -> Option<Match<'a>> {
        self.by_id.get(id.as_str()).map(|&at| self.only(at))
    }

    fn only(&self, at: usize) -> Match<'a> {
        let user = &self.users[at];
        Match { state: MappingState::Mapped { phone_user: user.id.clone() }, user: Some(user) }
    }
}

fn orphaned<'a>(id: &PhoneUserId) -> Match<'a> {
    Match { state: MappingState::Orphaned { phone_user: id.clone() }, user: None }
}
