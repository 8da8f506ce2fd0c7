//! What a push does: it tells the phone system which numbers users may dial from.
//!
//! **Nothing is told by what was known before**: of a [marked](rollcall_model::push::Mark) user all is read when the turn comes, and what is wanted
//! follows from that alone. So it does no harm to do it twice, or to come late.

mod brake;
mod ledger;
pub mod state;

use std::collections::{HashMap, HashSet};

use rollcall_model::{
    caller_id::CallerId,
    code::RowCode,
    dial::default_of,
    inventory::Inventory,
    phone_side::{DialPermission, PhoneSide, PhoneUserId},
    push::{Told, list_hash, told_order},
    settings::PhoneSystem,
    user::User,
};
use rollcall_tabular::{Column, Writer};
use serde::{Deserialize, Serialize};

use crate::{
    bulk_job::{Done, Plan},
    left_out::LeftOut,
};

pub use brake::{Brake, REFUSALS_IN_A_ROW};
pub use ledger::PushLedger;

/// The content of `inbox/{account}/push-lists/{name}.json`: a push that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PushRequest {
    /// Users by login ID, who are told of whatever was told before. Where none is named, all who are marked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub logins: Vec<String>,
    /// Those too of whom the phone system was told in vain.
    pub retry: bool,
    /// It shows what it would tell, and tells it when somebody says so.
    pub preview: bool,
}

/// What a user is to have in the phone system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The list, in the order in which it is told.
    pub list: Vec<CallerId>,
    /// Numbers that the user may dial from and the phone system doesn't have.
    pub missing: Vec<CallerId>,
}

/// How a list comes from what a user has there to what is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListDiff {
    /// Numbers that come on.
    pub add: Vec<CallerId>,
    /// Numbers that go off.
    pub remove: Vec<CallerId>,
    /// Numbers that the user has there and the inventory doesn't know: they are somebody else's, and left alone.
    pub foreign: usize,
}

impl Wanted {
    /// Of a user, who may be gone. `owned` are the numbers that the phone system has.
    pub fn of(user: Option<&User>, told: Option<&Told>, inventory: &Inventory, owned: &HashSet<CallerId>) -> Self {
        let Some(user) = user else { return Self { list: Vec::new(), missing: Vec::new() } };
        let allowed = inventory.allowed(&DialPermission::of(user)).into_iter();
        let (list, missing): (Vec<_>, Vec<_>) = allowed.partition(|number| owned.contains(number));
        Self { list: told_order(list, default_of(user, inventory), told.and_then(|told| told.first)), missing }
    }

    /// Whether this is what the phone system was told last. Of whom nothing was told, nothing is to be taken.
    pub fn is_told(&self, told: Option<&Told>, system: PhoneSystem) -> bool {
        match told.filter(|told| told.system == system) {
            Some(told) => told.hash == list_hash(&self.list) && (told.user.is_some() || self.list.is_empty()),
            None => self.list.is_empty(),
        }
    }

    /// The difference from what the user has there, as far as that is known: by what was told last.
    pub fn diff_from_told(&self, told: Option<&Told>, system: PhoneSystem) -> ListDiff {
        match told.filter(|told| told.system == system) {
            Some(Told { list: Some(list), .. }) => self.diff(list, |_| true),
            // Of a long list no number is known any more.
            Some(_) => ListDiff::default(),
            None => ListDiff { add: self.list.clone(), ..ListDiff::default() },
        }
    }

    /// The difference from these numbers, of which those are ours that `is_ours` says.
    pub fn diff(&self, has: &[CallerId], is_ours: impl Fn(CallerId) -> bool) -> ListDiff {
        let wanted: HashSet<CallerId> = self.list.iter().copied().collect();
        let there: HashSet<CallerId> = has.iter().copied().collect();
        let off = has.iter().copied().filter(|number| !wanted.contains(number));
        let (remove, foreign): (Vec<_>, Vec<_>) = off.partition(|number| is_ours(*number));
        let add = self.list.iter().copied().filter(|number| !there.contains(number)).collect();
        ListDiff { add, remove, foreign: foreign.len() }
    }
}

impl ListDiff {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }
}

/// Whom of the phone system a user is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundUser {
    /// This one.
    One(PhoneUserId),
    /// Nobody.
    None,
    /// It may be several.
    Several,
}

/// Who there is in the phone system, by login ID and by address.
#[derive(Default)]
pub struct Roster {
    by_login: HashMap<String, FoundUser>,
    by_email: HashMap<String, FoundUser>,
}

impl Roster {
    /// Of these users.
    pub fn of(side: PhoneSide) -> Self {
        let mut roster = Self::default();
        for user in side.users {
            let put = |into: &mut HashMap<String, FoundUser>, key: String| {
                into.entry(key)
                    .and_modify(|found| *found = FoundUser::Several)
                    .or_insert(FoundUser::One(user.id.clone()));
            };
            if let Some(login) = &user.login {
                put(&mut roster.by_login, login.folded().into_owned());
            }
            if let Some(email) = &user.email {
                put(&mut roster.by_email, email.folded().into_owned());
            }
        }
        roster
    }

    /// Who a user is: by login ID, else by address.
    pub fn find(&self, folded_login: &str, user: Option<&User>) -> FoundUser {
        let email = user.and_then(|user| user.profile.email.as_ref());
        let by_email = || self.by_email.get(&*email?.folded());
        self.by_login.get(folded_login).or_else(by_email).cloned().unwrap_or(FoundUser::None)
    }
}

/// What came of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PushOutcome {
    /// The phone system is to be told.
    Open,
    /// It was told.
    Told,
    /// There was nothing to tell.
    InStep,
    /// It has nobody who is the user.
    NotThere,
    /// It was told in vain.
    Failed(RowCode),
    /// The user was left out.
    LeftOut(LeftOut),
    /// Another push goes on with it.
    Overtaken,
}

/// What is told of one user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushPlan {
    /// The user, by folded login ID.
    pub login: String,
    /// Whom of the phone system the user was found to be.
    pub found: FoundUser,
    /// What came of it.
    pub outcome: PushOutcome,
    /// Numbers that come on by it.
    #[serde(default)]
    pub added: usize,
    /// Numbers that go off by it.
    #[serde(default)]
    pub removed: usize,
    /// See [`Told::missing`].
    #[serde(default)]
    pub missing: usize,
    /// See [`Told::foreign`].
    #[serde(default)]
    pub foreign: usize,
}

impl PushPlan {
    /// What is to be told of a user.
    pub fn open(login: &str, found: &FoundUser) -> Self {
        let (login, found, outcome) = (login.to_owned(), found.clone(), PushOutcome::Open);
        Self { login, found, outcome, added: 0, removed: 0, missing: 0, foreign: 0 }
    }

    /// The same user, of whom this came, and nothing was told.
    #[must_use]
    pub fn ended(&self, outcome: PushOutcome) -> Self {
        Self { outcome, ..Self::open(&self.login, &self.found) }
    }

    /// The same user, of whom this was told.
    #[must_use]
    pub fn told(&self, told: &Told) -> Self {
        let Told { added, removed, missing, foreign, .. } = *told;
        Self { added, removed, missing, foreign, ..self.ended(PushOutcome::Told) }
    }
}

impl Plan for PushPlan {
    fn writes(&self) -> bool {
        self.outcome == PushOutcome::Open
    }

    fn keep_done(&mut self, now: &Self) -> bool {
        if now.writes() {
            return false;
        }
        *self = now.clone();
        true
    }

    fn leave_out(&mut self, why: LeftOut) {
        *self = self.ended(PushOutcome::LeftOut(why));
    }

    fn numbers(&self) -> usize {
        0
    }

    fn tally(&self, done: &mut Done) {
        if matches!(self.outcome, PushOutcome::Told | PushOutcome::Open) {
            done.users_changed += 1;
            done.numbers_added += self.added as u64;
            done.numbers_removed += self.removed as u64;
        }
    }
}

/// The columns of the rows that a push is carried out by: the others are for people.
pub static COLUMNS: [Column; 3] = [
    Column { name: "Login ID", aliases: &["loginid"], required: true, takes_surplus: false },
    Column { name: "Phone User", aliases: &["phoneuser"], required: false, takes_surplus: false },
    Column { name: "Found", aliases: &["found"], required: false, takes_surplus: false },
];

/// The header of the rows: what a push would tell, user by user.
pub const HEADER: [&str; 5] = ["Login ID", "Phone User", "Found", "To Add", "To Remove"];

/// Numbers that a cell of a row names; of more it says how many.
const MAX_NAMED: usize = 20;

const NOBODY: &str = "nobody";
const SEVERAL: &str = "several";

/// Writes what a push would tell of one user.
pub fn write_row(csv: &mut Writer, login: &str, found: &FoundUser, diff: &ListDiff) {
    let (user, told) = match found {
        FoundUser::One(id) => (id.as_str(), ""),
        FoundUser::None => ("", NOBODY),
        FoundUser::Several => ("", SEVERAL),
    };
    csv.record([login, user, told, &shown(&diff.add), &shown(&diff.remove)]);
}

/// The user of a row, and whom of the phone system it was found to be.
fn read_row(row: &rollcall_tabular::Row<'_>) -> Option<(String, FoundUser)> {
    let login = row.value(0)?.into_owned();
    let cell = |column| row.value(column).filter(|value| !value.is_empty());
    let found = match (cell(1), cell(2).as_deref()) {
        (Some(id), _) => FoundUser::One(PhoneUserId::parse(&id).ok()?),
        (None, Some(SEVERAL)) => FoundUser::Several,
        (None, _) => FoundUser::None,
    };
    Some((login, found))
}

fn shown(numbers: &[CallerId]) -> String {
    let mut text = numbers.iter().take(MAX_NAMED).map(ToString::to_string).collect::<Vec<_>>().join("; ");
    if let Some(more) = numbers.len().checked_sub(MAX_NAMED).filter(|more| *more > 0) {
        text.push_str(&format!("; and {more} more"));
    }
    text
}

#[cfg(test)]
mod tests;
