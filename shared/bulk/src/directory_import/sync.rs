//! What comes of a directory's changes for the users that came from it.
//!
//! - **Renamed** there: name, address, telephone and designation follow, where the directory has one. What it has
//!   nothing for stays as it is here. The login ID never changes.
//! - **Disabled or deleted** there: the web login is blocked, and a calling agent that is enabled is disabled. Nobody
//!   is deleted.
//! - **Enabled again** there: nothing. Whether the login was blocked here by a sync or by a person who had a reason
//!   can't be told, so a person lets the user in again; the run says how many there are.
//! - Changes of users that were never imported are passed over.
//!
//! **A sync that has been applied plans nothing when its changes come again.**

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{DirectoryUser, Phone, rows::ImportRow};
use crate::report::RowStatus;
use rollcall_model::{
    email::EmailAddress,
    safety_threshold::SafetyThreshold,
    user::{AgentStatus, DirectoryId, Name, User, WebLogin},
};

/// What a directory says of a user that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DirectoryChange {
    /// The user is there, and so.
    Is(ChangedFacts),
    /// The user is there no longer.
    Removed,
}

/// What is known of a user that has changed. What is `None` has no value there, or wasn't told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangedFacts {
    /// The name that people know the user by.
    pub name: Option<Name>,
    /// The address that mail to the user goes to.
    pub email: Option<EmailAddress>,
    /// The user's telephone.
    pub phone: Phone,
    /// The user's job.
    pub designation: Option<Name>,
    /// Whether the user may log in there.
    pub enabled: Option<bool>,
}

impl From<DirectoryUser> for ChangedFacts {
    fn from(user: DirectoryUser) -> Self {
        Self {
            name: Some(user.name),
            email: user.email,
            phone: user.phone,
            designation: user.designation,
            enabled: Some(user.enabled),
        }
    }
}

/// What a sync does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncPlan {
    /// A row for each user that is not as the directory says.
    pub rows: Vec<ImportRow>,
    /// What it amounts to. Whether it is done is for [`Standing::admit`](super::sync_state::SyncState::admit) to say.
    pub tally: SyncTally,
}

/// What a sync amounts to, in users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SyncTally {
    /// Users here that came from the directory.
    pub linked: usize,
    /// Those whose name, address, telephone or designation follows.
    pub updated: usize,
    /// Those that may not log in or take calls any more.
    pub deactivated: usize,
    /// Those that are enabled there and still blocked here.
    pub still_blocked: usize,
    /// Those whose telephone can't be read and is left as it was.
    pub phones_unread: usize,
    /// Those who could not be brought in step, or not altogether; the next sync asks for them again.
    pub failed: usize,
}

/// What is to be done to whom, to be held against what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Planned {
    /// Those whose name, address, telephone or designation is to follow.
    pub updated: BTreeSet<DirectoryId>,
    /// Those who are to be kept out.
    pub deactivated: BTreeSet<DirectoryId>,
}

impl Planned {
    /// What the rows of a sync are to do.
    pub fn of(rows: &[ImportRow]) -> Self {
        let ids =
            |does: fn(&ImportRow) -> bool| rows.iter().filter(|row| does(row)).map(|row| row.id.clone()).collect();
        Self { updated: ids(ImportRow::updates), deactivated: ids(ImportRow::keeps_out) }
    }

    /// A tally of what was done, given that of what was to be done and those whose rows are to be mended. Of a row that
    /// was done in part, it is the deactivation that was done.
    pub fn done(&self, tally: SyncTally, unmet: &BTreeMap<DirectoryId, RowStatus>) -> SyncTally {
        let updated = self.updated.iter().filter(|id| !unmet.contains_key(id));
        let deactivated =
            self.deactivated.iter().filter(|id| unmet.get(id).is_none_or(|came| *came == RowStatus::Partial));
        SyncTally { updated: updated.count(), deactivated: deactivated.count(), failed: unmet.len(), ..tally }
    }
}

/// Decides what comes of changes. `present` has the users that came from the directory and are told of, as they are
/// here now; `linked` is how many came from it in all.
pub fn plan(
    present: &BTreeMap<DirectoryId, User>,
    linked: usize,
    changes: &BTreeMap<DirectoryId, DirectoryChange>,
) -> SyncPlan {
    let mut tally = SyncTally { linked, ..SyncTally::default() };
    let mut rows = Vec::new();
    for (id, change) in changes {
        let Some(user) = present.get(id) else { continue };
        let mut row = ImportRow::of(id.clone(), Some(user.login.clone()));
        let enabled = match change {
            DirectoryChange::Removed => Some(false),
            DirectoryChange::Is(facts) => {
                tally.updated += usize::from(update(&mut row, user, facts));
                tally.phones_unread += usize::from(facts.phone == Phone::Unreadable);
                facts.enabled
            }
        };
        match enabled {
            Some(false) => tally.deactivated += usize::from(deactivate(&mut row, user)),
            Some(true) => tally.still_blocked += usize::from(user.web_login == WebLogin::Blocked),
            None => {}
        }
        if row != ImportRow::of(id.clone(), Some(user.login.clone())) {
            rows.push(row);
        }
    }
    // Leavers first: whatever keeps the run from its end, they are out.
    rows.sort_by_key(|row| !row.keeps_out());
    SyncPlan { rows, tally }
}

/// Why a run holds that would deactivate `affected` of `linked` users, where others have deactivated `before` of them of late; `None` where it
/// goes on.
pub fn hold(affected: usize, before: usize, linked: usize, threshold: SafetyThreshold) -> Option<String> {
    let of_a_day = match before {
        0 => String::new(),
        before => format!(", and {before} others were deactivated in the last 24 hours"),
    };
    (affected > 0 && threshold.holds(affected + before, linked)).then(|| {
        format!(
            "The directory says of {affected} of the {linked} users that came from it that they are disabled or gone{of_a_day}, which is \
             more than {} %.",
            threshold.percent
        )
    })
}

/// Puts into the row what is otherwise there than here. Gives whether anything is.
fn update(row: &mut ImportRow, user: &User, facts: &ChangedFacts) -> bool {
    let profile = &user.profile;
    row.name = facts.name.clone().filter(|name| *name != profile.name);
    row.email = facts.email.clone().filter(|email| profile.email.as_ref() != Some(email));
    row.phone = facts.phone.number().filter(|phone| profile.call_forward_number != Some(*phone));
    row.designation = facts.designation.clone().filter(|job| profile.designation.as_ref() != Some(job));
    row.updates()
}

/// Puts into the row what keeps the user out. Gives whether anything does that hasn't been done.
fn deactivate(row: &mut ImportRow, user: &User) -> bool {
    row.block_web_login = user.web_login == WebLogin::Active;
    let takes_calls = user.profile.calling_agent && user.agent_status == AgentStatus::Enabled;
    row.agent_status = takes_calls.then_some(AgentStatus::Disabled);
    row.block_web_login || takes_calls
}

#[cfg(test)]
mod tests;
