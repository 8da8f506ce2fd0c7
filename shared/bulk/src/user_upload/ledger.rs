//! What is to be so of whom, and what came of it.

use hashbrown::HashMap;

use super::{Refusal, UserChange, UserPlan, UserRow, UserRowReader, entry::Said};
use crate::{append, deed::UserDeed};
use rollcall_model::user::{AgentStatus, Claim, LoginId, Suspect, WebLogin};
use rollcall_tabular::{Row, RowShape};

/// What a file asks for: the first reading's result.
#[derive(Default)]
pub struct UserRequests {
    numbers: append::AppendRequests,
    asked: Vec<Asked>,
    claimants: HashMap<Claim, usize>,
}

/// What the rows of a user ask for, together.
pub(super) struct Asked {
    /// The physical line of the first row.
    pub line: u64,
    /// Those of rows further down that say more than the rows above them.
    pub more: Vec<u64>,
    pub login: LoginId,
    /// What the login ID looks like, if it may be none.
    pub suspect: Option<Suspect>,
    pub entry: UserRow,
}

impl UserRequests {
    /// Takes one row. What is wrong with it is said when the file is read again, by [`super::judge`].
    pub fn take(&mut self, row: &Row<'_>, reader: &mut UserRowReader) {
        if row.shape != RowShape::Sound {
            return;
        }
        let Ok(Said { login, suspect, entry, .. }) = reader.read(row) else { return };
        // A row that contradicts one further up is refused whole, its caller IDs included.
        let known = self.numbers.user(&login.folded());
        if known.is_some_and(|user| self.asked[user].entry.contradiction(&entry).is_some()) {
            return;
        }
        let Some(user) = self.numbers.take(row, &mut reader.numbers) else { return };
        for claim in entry.claims() {
            self.claimants.entry(claim).or_insert(user);
        }
        match self.asked.get_mut(user) {
            Some(asked) => {
                if asked.entry.join(entry) {
                    asked.more.push(row.line);
                }
            }
            None => self.asked.push(Asked { line: row.line, more: Vec::new(), login, suspect, entry }),
        }
    }

    /// The ledger of what is wanted. Nothing has come of it yet.
    pub fn finish_reading(self) -> UploadLedger {
        let Self { numbers, asked, claimants } = self;
        let (fates, deeds) = (asked.iter().map(|_| None).collect(), vec![UserDeed::default(); asked.len()]);
        UploadLedger { numbers: numbers.finish_reading(), asked, claimants, fates, deeds }
    }
}

/// Every user of a file with what is to be so of it, and what came of that.
pub struct UploadLedger {
    pub(super) numbers: append::AppendLedger,
    asked: Vec<Asked>,
    /// Who in the file is the first to ask for what only one user can have.
    claimants: HashMap<Claim, usize>,
    fates: Vec<Option<UserOutcome>>,
    /// What was done to each, but for its numbers.
    deeds: Vec<UserDeed>,
}

/// When somebody gives up what another user of the file is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Giving {
    /// It has been given up.
    Done,
    /// Its turn hasn't come.
    Later,
}

/// What came of a user's own row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum UserOutcome {
    /// The user was created or changed.
    Written,
    /// The user is kept out, and nothing else was changed, for this reason.
    KeptOut(Box<Refusal>),
    /// There was nothing to write but, perhaps, caller IDs.
    Same,
    /// Nothing of it could be done.
    Refused(Box<Refusal>),
}

impl UploadLedger {
    /// Distinct login IDs of the file.
    pub fn users(&self) -> usize {
        self.asked.len()
    }

    /// The folded login ID of a user.
    pub fn login(&self, user: usize) -> &str {
        self.numbers.login(user)
    }

    /// The index of the user with this folded login ID.
    pub fn user(&self, folded_login: &str) -> Option<usize> {
        self.numbers.user(folded_login)
    }

    /// What the user is to have that only one can have.
    pub fn claims(&self, user: usize) -> Vec<Claim> {
        self.asked[user].entry.claims()
    }

    /// Whether everything about this user is known.
    pub fn is_decided(&self, user: usize) -> bool {
        match &self.fates[user] {
            None => false,
            Some(UserOutcome::Refused(refusal)) => !refusal.waits,
            Some(UserOutcome::KeptOut(_)) => true,
            Some(_) => self.numbers.is_decided(user),
        }
    }

    /// Keeps what came of a plan. A plan for a login ID that the file doesn't hold is of no account.
    pub fn record(&mut self, plan: &UserPlan) {
        let Some(user) = self.user(&plan.numbers.login) else { return };
        self.numbers.record(&plan.numbers);
        self.deeds[user] = match &plan.change {
            UserChange::Create(user) => UserDeed::of(None, user),
            UserChange::Update { before, after } => UserDeed::of(Some(before), after),
            UserChange::None | UserChange::Refused(_) => UserDeed::default(),
        };
        self.fates[user] = Some(match (&plan.change, &plan.left_out) {
            // Who was out already is kept out by nothing of this.
            (UserChange::Refused(refusal), _) | (UserChange::None, Some(refusal)) => {
                UserOutcome::Refused(Box::new(refusal.clone()))
            }
            (_, Some(refusal)) => UserOutcome::KeptOut(Box::new(refusal.clone())),
            (UserChange::Create(_) | UserChange::Update { .. }, None) => UserOutcome::Written,
            (UserChange::None, None) => UserOutcome::Same,
        });
    }

    pub(super) fn asked(&self, user: usize) -> &Asked {
        &self.asked[user]
    }

    /// What was done to a user, but for its numbers.
    pub(super) fn deed(&self, user: usize) -> UserDeed {
        self.deeds[user]
    }

    pub(super) fn fate(&self, user: usize) -> Option<&UserOutcome> {
        self.fates[user].as_ref()
    }

    /// What a user of the file who has something comes to, if it is to have something else instead: `None` where it keeps
    /// it, or isn't in the file.
    pub(super) fn gives_up(&self, owner: &str, claim: &Claim) -> Option<Giving> {
        let giver = self.user(owner)?;
        let same_kind = |other: &Claim| std::mem::discriminant(other) == std::mem::discriminant(claim);
        self.claims(giver).iter().find(|other| same_kind(other) && *other != claim)?;
        match &self.fates[giver] {
            Some(UserOutcome::Written) => Some(Giving::Done),
            None => Some(Giving::Later),
            Some(UserOutcome::Refused(refusal)) if refusal.waits => Some(Giving::Later),
            Some(UserOutcome::Same | UserOutcome::KeptOut(_) | UserOutcome::Refused(_)) => None,
        }
    }

    /// The line of the row further up that has a claim of this user's, if there is one.
    pub(super) fn claimed_on(&self, user: usize, claim: &Claim) -> Option<u64> {
        let first = *self.claimants.get(claim)?;
        (first != user).then(|| self.asked[first].line)
    }
}

impl UserRow {
    /// Whether it keeps the user from logging in or from taking calls.
    pub(super) fn keeps_out(&self) -> bool {
        self.web_login == Some(WebLogin::Blocked)
            || matches!(self.agent_status, Some(AgentStatus::Disabled | AgentStatus::Blocked))
    }

    /// No more of it than what keeps the user out.
    pub(super) fn only_kept_out(&self) -> Self {
        let Self { agent_status, web_login, directory_id, former_id, .. } = self.clone();
        Self { agent_status, web_login, directory_id, former_id, ..Self::default() }
    }

    /// No more of it than that the user may not log in.
    pub(super) fn only_blocked(&self) -> Self {
        Self { agent_status: None, ..self.only_kept_out() }
    }

    /// What it asks for that only one user can have.
    fn claims(&self) -> Vec<Claim> {
        let email = self.email.as_ref().map(|email| Claim::Email(email.folded().into_owned()));
        let extension = self.extension.as_ref().map(|login| Claim::extension(login.as_str()));
        let person = self.directory_id.clone().map(Claim::DirectoryId);
        email.into_iter().chain(extension).chain(person).collect()
    }
}
