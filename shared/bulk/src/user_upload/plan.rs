//! What a file of users does to one of them.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    AGENT_STATUS, Catalog, DEFAULT_NUMBER, DEPARTMENT, DIRECTORY_ID, EMAIL, EXTENSION, LOGIN, NAME, NewEntry, ROLE,
    Referred, TEAM, UploadLedger, UserRow,
    ledger::{Asked, Giving},
};
use crate::{
    append::{AppendPlan, LoginLookup},
    left_out::LeftOut,
    logged_user,
};
use rollcall_model::{
    code::RowCode,
    dial::{DEFAULT_NOT_ALLOWED, new_default},
    inventory::DialableNumbers,
    user::{Action, AgentStatus, Claim, Extension, Name, Profile, Ref, User, fold, near::did_you_mean},
};

/// What a job does to one user, and why. Kept beside the results before it is carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserPlan {
    /// The caller IDs of it, by the append's own rules.
    pub numbers: AppendPlan,
    /// The rest.
    pub change: UserChange,
    /// Why the rest does no more than keep the user out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<Refusal>,
    /// Departments and teams that are made for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub creates: Vec<NewEntry>,
}

/// What becomes of a user, apart from its caller IDs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserChange {
    /// It is new.
    #[serde(with = "logged_user")]
    Create(Box<User>),
    /// It is changed.
    Update {
        /// From this,
        #[serde(with = "logged_user")]
        before: Box<User>,
        /// to this.
        #[serde(with = "logged_user")]
        after: Box<User>,
    },
    /// It is as it should be.
    None,
    /// Nothing is done, since something of it can't be.
    Refused(Refusal),
}

/// Why nothing is done for a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The stable code.
    pub code: RowCode,
    /// The column, by its place in [`super::COLUMNS`].
    pub column: usize,
    /// A sentence for the person who made the file.
    pub message: String,
    /// Another user of the file is about to give up what is asked for here: to be decided again after that one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
    /// What else is wrong: **all of it is told at once**.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Refusal>,
}

/// What the directory says now.
#[derive(Clone, Copy)]
pub struct UserNow<'a> {
    /// The user, if there is one.
    pub user: Option<&'a User>,
    /// Who has what only one user can have: folded login IDs.
    pub owners: &'a HashMap<Claim, String>,
    /// The account's numbers that can be dialled from.
    pub dialable: &'a DialableNumbers,
    /// When that is.
    pub now: Timestamp,
    /// As of when the file says what it says. What is known of a user since is newer, and stands.
    pub as_of: Timestamp,
}

impl UploadLedger {
    /// Decides for one user. `limit` is how many numbers a list takes.
    pub fn plan(&self, user: usize, present: UserNow<'_>, catalog: &Catalog, limit: usize) -> UserPlan {
        let asked = self.asked(user);
        let claims = self.claims_that_are_others(user, present);
        let whole = decided(asked, &asked.entry, present, catalog)
            .and_then(|(after, new)| newer_stands(after, present).map(|after| (after, new)))
            .and_then(|(after, new)| {
                self.default_may_be_dialled_from(user, after, present, limit).map(|after| (after, new))
            });
        let (decided, left_out) = match (claims.is_empty(), whole) {
            (true, Ok(after)) => (Ok(after), None),
            // **A deactivation waits for nothing else of its row**: nobody who is to be kept out stays in for what can't be done.
            (_, whole) if self.can_be_kept_out(user, present) => {
                let all = Refusal::all(claims.into_iter().chain(whole.err().unwrap_or_default()).collect());
                let kept_out = |entry: &UserRow| {
                    let (after, new) = decided(asked, entry, present, catalog)?;
                    // Whoever has left the company is kept out, whatever was said since. A file that somebody made may be older than that.
                    let has_left = present
                        .user
                        .is_some_and(|user| entry.directory_id.is_some() && user.directory_id == entry.directory_id);
                    let after = if has_left { after } else { newer_stands(after, present)? };
                    Ok((after, new))
                };
                let kept_out =
                    kept_out(&asked.entry.only_kept_out()).or_else(|_| kept_out(&asked.entry.only_blocked()));
                (kept_out.map_err(Refusal::all), Some(Refusal { waits: false, ..all }))
            }
            (_, whole) => {
                (Err(Refusal::all(claims.into_iter().chain(whole.err().unwrap_or_default()).collect())), None)
            }
        };
        let (decided, creates) = match decided {
            Ok((after, new)) => (Ok(after), new),
            Err(refusal) => (Err(refusal), Vec::new()),
        };
        let change = match (decided, present.user) {
            (Err(refusal), _) => {
                // Nobody's list: nothing is appended for a row that is refused.
                let numbers = self.numbers.plan(user, LoginLookup::Nobody, &[], limit);
                return UserPlan { numbers, change: UserChange::Refused(refusal), left_out: None, creates };
            }
            (Ok(after), None) => UserChange::Create(Box::new(after)),
            (Ok(after), Some(before)) if after == *before => UserChange::None,
            (Ok(after), Some(before)) => {
                let after = after.revised(before, present.as_of);
                UserChange::Update { before: Box::new(before.clone()), after: Box::new(after) }
            }
        };
        let standing = match present.user {
            _ if left_out.is_some() => LoginLookup::Nobody,
            user => LoginLookup::User(user.map(|user| user.policy).unwrap_or_default()),
        };
        let list = present.user.map_or(&[][..], |user| &user.caller_ids);
        UserPlan { numbers: self.numbers.plan(user, standing, list, limit), change, left_out, creates }
    }

    /// The user, unless a default is to be set that the user may not dial from, with the numbers that the file appends.
    fn default_may_be_dialled_from(
        &self,
        user: usize,
        after: User,
        present: UserNow<'_>,
        limit: usize,
    ) -> Result<User, Vec<Refusal>> {
        let Some(default) = new_default(present.user, &after) else { return Ok(after) };
        let mut list = after.caller_ids.clone();
        list.extend(self.numbers.plan(user, LoginLookup::User(after.policy), &after.caller_ids, limit).add);
        if present.dialable.allow(after.policy, after.profile.department.as_ref(), &list, default) {
            return Ok(after);
        }
        Err(vec![Refusal::of(RowCode::DefaultNotAllowed, DEFAULT_NUMBER, DEFAULT_NOT_ALLOWED)])
    }

    /// Whether the row keeps the user out, and is about that user for sure: whom of the directory it names is nobody else.
    fn can_be_kept_out(&self, user: usize, present: UserNow<'_>) -> bool {
        let others = |claim: &Claim| {
            matches!(claim, Claim::DirectoryId(_))
                && (present.owners.get(claim).is_some_and(|owner| owner != self.login(user))
                    || self.claimed_on(user, claim).is_some())
        };
        let entry = &self.asked(user).entry;
        present.user.is_some() && entry.keeps_out() && !self.claims(user).iter().any(others)
    }

    /// Nothing that is another's may be asked for: neither a user's of the directory, nor of a row's further up. Each that is, with who has it.
    fn claims_that_are_others(&self, user: usize, present: UserNow<'_>) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        for claim in self.claims(user) {
            let (code, column, what) = match &claim {
                Claim::Email(_) => (RowCode::EmailTaken, EMAIL, "e-mail address"),
                Claim::Extension(_) => (RowCode::ExtensionInUse, EXTENSION, "extension"),
                // A row names no more of what a directory has said than its ID.
                Claim::DirectoryId(_) | Claim::UserName(_) | Claim::ExternalId(_) | Claim::Deleted(_) => {
                    (RowCode::DirectoryIdTaken, DIRECTORY_ID, "person of the directory")
                }
            };
            let refused = |who: String| Refusal::of(code, column, format!("{who} has this {what}."));
            let owner = present.owners.get(&claim).filter(|owner| *owner != self.login(user));
            let giving = owner.map(|owner| (owner, self.gives_up(owner, &claim)));
            match (giving, self.claimed_on(user, &claim)) {
                (Some((owner, None)), _) => refusals.push(refused(format!("The user \"{owner}\""))),
                (_, Some(line)) => refusals.push(refused(format!("The row on line {line}"))),
                (Some((owner, Some(Giving::Later))), None) => {
                    refusals.push(Refusal { waits: true, ..refused(format!("The user \"{owner}\"")) });
                }
                (Some((_, Some(Giving::Done))) | None, None) => {}
            }
        }
        refusals
    }
}

impl UserPlan {
    /// The user is left as it is, its list too.
    pub(super) fn refuse(&mut self, why: LeftOut) {
        self.numbers.add_nothing();
        self.left_out = None;
        self.change = UserChange::Refused(Refusal::of(why.code(), LOGIN, why.message()));
    }

    /// Whether nothing is done since nobody has the login ID, and a new user can't be made of the row.
    pub fn is_of_nobody(&self) -> bool {
        matches!(&self.change, UserChange::Refused(refusal) if refusal.each().any(Refusal::is_of_nobody))
    }

    /// Says of such a login ID which users are near it.
    pub fn was_meant(&mut self, near: &[String]) {
        let UserChange::Refused(refusal) = &mut self.change else { return };
        let found = if refusal.is_of_nobody() {
            Some(refusal)
        } else {
            refusal.also.iter_mut().find(|refusal| refusal.is_of_nobody())
        };
        if let Some(refusal) = found {
            refusal.message.push_str(&did_you_mean(near));
        }
    }
}

impl Refusal {
    fn of(code: RowCode, column: usize, message: impl Into<String>) -> Self {
        Self { code, column, message: message.into(), waits: false, also: Vec::new() }
    }

    /// Several as one, each column once. It waits only where nothing else is wrong: what another user is about to give up is no fault.
    fn all(mut refusals: Vec<Self>) -> Self {
        if refusals.iter().any(|refusal| !refusal.waits) {
            refusals.retain(|refusal| !refusal.waits);
        }
        let mut told = Vec::new();
        refusals.retain(|refusal| {
            let place = (refusal.code, refusal.column);
            let new = !told.contains(&place);
            told.push(place);
            new
        });
        let also = refusals.split_off(1);
        Self { also, ..refusals.remove(0) }
    }

    /// This one, and what else is wrong.
    pub(super) fn each(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.also)
    }

    fn is_of_nobody(&self) -> bool {
        matches!(self.code, RowCode::NameMissing | RowCode::LoginIdSuspect)
    }
}

/// **The newer stands**: what somebody has said of the user since the file was dropped is not written over.
fn newer_stands(after: User, present: UserNow<'_>) -> Result<User, Vec<Refusal>> {
    let overtaken = present.user.is_some_and(|before| after != *before && before.is_newer_than(&after, present.as_of));
    let why = LeftOut::Overtaken;
    if overtaken { Err(vec![Refusal::of(why.code(), LOGIN, why.message())]) } else { Ok(after) }
}

/// The user as the entry wants it; equal to `present` where that is so already. Otherwise everything that is wrong with it.
/// Beside it, the departments and teams that are made for it.
fn decided(
    asked: &Asked,
    entry: &UserRow,
    present: UserNow<'_>,
    catalog: &Catalog,
) -> Result<(User, Vec<NewEntry>), Vec<Refusal>> {
    let (mut wrong, mut new) = (Vec::new(), Vec::new());
    let mut user = match (present.user, &entry.name) {
        (Some(user), _) => user.clone(),
        (None, name) => {
            if let Some(suspect) = asked.suspect {
                let message = format!("No user has this login ID, and none is created by it. {}", suspect.message());
                wrong.push(Refusal::of(RowCode::LoginIdSuspect, LOGIN, message));
            } else if name.is_none() {
                let message = "The login ID is new, and a new user needs a name.";
                wrong.push(Refusal::of(RowCode::NameMissing, NAME, message));
            }
            let Some(name) = name else { return Err(wrong) };
            let profile = Profile { role: catalog.default_role.clone(), ..Profile::of(name.clone()) };
            User::created(asked.login.clone(), profile, present.now)
        }
    };
    let profile = &mut user.profile;
    if let Some(name) = &entry.name {
        profile.name = name.clone();
    }
    set(&mut profile.call_forward_number, entry.phone.as_ref());
    set(&mut profile.default_caller_id, entry.default_number.as_ref());
    set(&mut profile.email, entry.email.as_ref());
    set(&mut profile.designation, entry.designation.as_ref());
    let role = entry.role.as_ref().or(catalog.role.as_ref());
    let referred = [
        refer(&mut profile.department, entry.department.as_ref(), catalog, DEPARTMENT, &mut new),
        refer(&mut profile.team, entry.team.as_ref(), catalog, TEAM, &mut new),
        refer(&mut profile.role, role, catalog, ROLE, &mut new),
    ];
    wrong.extend(referred.into_iter().filter_map(Result::err));
    if let Some(calling) = entry.calling_agent {
        profile.calling_agent = calling;
    }
    if let Some(login) = &entry.extension {
        extend(profile, login);
    }
    if let Some(web_login) = entry.web_login {
        user.web_login = web_login;
    }
    let another =
        user.directory_id.is_some() && entry.directory_id.is_some() && user.directory_id != entry.directory_id;
    if another && user.directory_id != entry.former_id {
        // A login name that the company has given to somebody new: nobody inherits what another may do.
        let message = "The login ID is that of another person of the directory. Somebody who was deleted there and has come back is \
                       imported by ID, with relink.";
        wrong.push(Refusal::of(RowCode::DirectoryIdTaken, DIRECTORY_ID, message));
    }
    set(&mut user.directory_id, entry.directory_id.as_ref());
    if let Some(status) = entry.agent_status.filter(|status| *status != user.agent_status) {
        let action = match status {
            AgentStatus::Enabled => Action::EnableAgent,
            AgentStatus::Disabled => Action::DisableAgent,
            AgentStatus::Blocked => Action::BlockAgent,
        };
        let illegal = user.act(action).err();
        wrong.extend(illegal.map(|illegal| Refusal::of(RowCode::ValueInvalid, AGENT_STATUS, illegal.to_string())));
    }
    if wrong.is_empty() { Ok((user, new)) } else { Err(wrong) }
}

fn set<T: Clone>(field: &mut Option<T>, value: Option<&T>) {
    if let Some(value) = value {
        *field = Some(value.clone());
    }
}

/// Gives the user this extension, under the number that is its login, unless that is the one it has.
fn extend(profile: &mut Profile, login: &Ref) {
    let has = profile.extension.as_ref().is_some_and(|has| fold(has.login.as_str()) == fold(login.as_str()));
    if !has {
        let (login, intercom) = (login.clone(), login.clone());
        profile.extension = Some(Extension { login, intercom, caller_id: None, registrations: 0, active: true });
    }
}

/// Understands a cell that refers to something of the catalogue: the value that the user has, or an ID, or a name that only one has. A
/// department or a team that nobody has made changes nothing, and the row says so; a role decides what users may do, so the row fails.
fn refer(
    field: &mut Option<Ref>,
    cell: Option<&Name>,
    catalog: &Catalog,
    column: usize,
    new: &mut Vec<NewEntry>,
) -> Result<(), Refusal> {
    let Some(cell) = cell.map(Name::as_str) else { return Ok(()) };
    if field.as_ref().is_some_and(|has| has.as_str() == cell) {
        return Ok(());
    }
    match catalog.refer(column, cell) {
        Referred::Known(id) => *field = Some(id),
        Referred::New(entry) => {
            *field = Some(entry.entry.id.clone());
            new.push(entry);
        }
        Referred::Several => {
            return Err(Refusal::of(RowCode::ValueInvalid, column, "Several have this name. Write the ID."));
        }
        Referred::Unknown(near) if column == ROLE => {
            let near: Vec<String> = near.into_iter().collect();
            let message = format!("The account has no role of this ID or name.{}", did_you_mean(&near));
            return Err(Refusal::of(RowCode::RoleUnknown, column, message));
        }
        Referred::Unknown(_) => {}
    }
    Ok(())
}
