//! What was done for one row, as small as an execution needs it to be held against its preview.

use std::{
    fmt::Write,
    hash::{Hash, Hasher},
};

use rollcall_model::{
    caller_id::CallerId,
    email::EmailAddress,
    user::{DirectoryId, Extension, Profile, Ref, User},
};

use crate::report::RowStatus;

/// What was done to a user, but for its list. Values are kept as a hash, since there is one of these for each user of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserDeed {
    /// A bit for each of [`FIELDS`], and [`CREATED`].
    fields: u16,
    /// What they were, and what they are.
    values: u32,
}

/// What was done for one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deed {
    /// To the user.
    pub(crate) user: UserDeed,
    added: u16,
    removed: u16,
    /// Which numbers.
    numbers: u32,
}

/// Bytes of a deed, as it is kept.
pub(crate) const BYTES: usize = 14;

/// The fields of a user, as [`values_of`] gives them, in the words of a sentence.
const FIELDS: [&str; 14] = [
    "name",
    "e-mail address",
    "number that calls are forwarded to",
    "calling agent",
    "extension",
    "role",
    "department",
    "team",
    "designation",
    "agent status",
    "web login",
    "policy",
    "person of the directory",
    "default caller ID",
];
/// Of the bits, the first that is no field's: previews are kept from release to release.
const CREATED_AT: usize = 13;
const CREATED: u16 = 1 << CREATED_AT;

/// The bit of a field.
fn bit(field: usize) -> u16 {
    1 << if field < CREATED_AT { field } else { field + 1 }
}

impl UserDeed {
    /// A user that was created, or was something else before.
    pub(crate) fn of(before: Option<&User>, after: &User) -> Self {
        let mut deed = Self { fields: if before.is_none() { CREATED } else { 0 }, ..Self::default() };
        // What every new user is, nobody has asked for.
        let blank = || {
            let [_, rest @ ..] = values_of(&User::new(after.login.clone(), Profile::of(after.profile.name.clone())));
            std::iter::once(None).chain(rest).collect()
        };
        let was: Vec<_> = before.map_or_else(blank, |before| values_of(before).into());
        let is = values_of(after);
        let mut hash = Fnv::default();
        for (at, (was, is)) in was.iter().zip(&is).enumerate().filter(|(_, (was, is))| was != is) {
            deed.fields |= bit(at);
            for value in [was, is] {
                hash.write(value.as_deref().unwrap_or_default().as_bytes());
                hash.write_u8(u8::MAX);
            }
        }
        deed.values = hash.0;
        deed
    }
}

impl From<UserDeed> for Deed {
    fn from(user: UserDeed) -> Self {
        Self { user, ..Self::default() }
    }
}

impl Deed {
    /// The same, and a number came onto a list.
    pub(crate) fn add(&mut self, number: CallerId) {
        self.added = self.added.saturating_add(1);
        self.number(number);
    }

    /// The same, and a number went off a list.
    pub(crate) fn remove(&mut self, number: CallerId) {
        self.removed = self.removed.saturating_add(1);
        self.number(number);
    }

    fn number(&mut self, number: CallerId) {
        let mut hash = Fnv(self.numbers);
        number.hash(&mut hash);
        self.numbers = hash.0;
    }

    pub(crate) fn to_bytes(self) -> impl Iterator<Item = u8> {
        let Self { user: UserDeed { fields, values }, added, removed, numbers } = self;
        let short = [fields, added, removed].into_iter().flat_map(u16::to_be_bytes);
        short.chain([values, numbers].into_iter().flat_map(u32::to_be_bytes))
    }

    /// What [`Deed::to_bytes`] has made; `None` for another number of bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; BYTES] = bytes.try_into().ok()?;
        let (short, long) = bytes.split_at(3 * size_of::<u16>());
        let (short, long) = (short.as_chunks().0, long.as_chunks().0);
        let [fields, added, removed] = short else { return None };
        let [values, numbers] = long else { return None };
        let [fields, added, removed] = [fields, added, removed].map(|bytes| u16::from_be_bytes(*bytes));
        let [values, numbers] = [values, numbers].map(|bytes| u32::from_be_bytes(*bytes));
        Some(Self { user: UserDeed { fields, values }, added, removed, numbers })
    }

    /// In words; empty where nothing was done.
    fn words(self) -> String {
        let fields: Vec<&str> = FIELDS
            .iter()
            .enumerate()
            .filter(|(at, _)| self.user.fields & bit(*at) != 0)
            .map(|(_, field)| *field)
            .collect();
        let verb = if self.user.fields & CREATED != 0 { "created" } else { "changed" };
        let mut words = if fields.is_empty() { String::new() } else { format!("{verb} ({})", fields.join(", ")) };
        for (count, what) in [(self.added, "added"), (self.removed, "taken off")] {
            if count > 0 {
                let (comma, numbers) =
                    (if words.is_empty() { "" } else { ", " }, if count == 1 { "number" } else { "numbers" });
                let _ = write!(words, "{comma}{count} {numbers} {what}");
            }
        }
        words
    }
}

/// What a preview said of a row, and what came of it, where that is something else: in a sentence.
pub(crate) fn difference(said: (RowStatus, Deed), came: (RowStatus, Deed)) -> Option<String> {
    if said == came {
        return None;
    }
    let words = |(status, deed): (RowStatus, Deed)| match (status, deed.words()) {
        (RowStatus::Applied, words) if !words.is_empty() => words,
        (status, words) if words.is_empty() => status.as_str().to_owned(),
        (status, words) => format!("{}: {words}", status.as_str()),
    };
    let (before, now) = (words(said), words(came));
    Some(if before != now {
        format!("The preview said: {before}. Now: {now}.")
    } else if said.1.user.values != came.1.user.values {
        format!("The preview said: {before}. Now the same, but from or to another value.")
    } else {
        format!("The preview said: {before}. Now the same, but of other numbers.")
    })
}

/// What a user is, by [`FIELDS`]; `None` where there is nothing to say.
fn values_of(user: &User) -> [Option<String>; FIELDS.len()] {
    let profile = &user.profile;
    let text = |value: Option<&str>| value.map(ToOwned::to_owned);
    let extension = |Extension { login, intercom, caller_id, registrations, active }: &Extension| {
        let caller_id = caller_id.map(|number| number.to_string()).unwrap_or_default();
        format!("{} {} {caller_id} {registrations} {active}", login.as_str(), intercom.as_str())
    };
    [
        Some(profile.name.to_string()),
        text(profile.email.as_ref().map(EmailAddress::as_str)),
        profile.call_forward_number.map(|number| number.to_string()),
        profile.calling_agent.then(|| "yes".to_owned()),
        profile.extension.as_ref().map(extension),
        text(profile.role.as_ref().map(Ref::as_str)),
        text(profile.department.as_ref().map(Ref::as_str)),
        text(profile.team.as_ref().map(Ref::as_str)),
        profile.designation.as_ref().map(ToString::to_string),
        text(Some(user.agent_status.as_str())),
        text(Some(user.web_login.as_str())),
        text(Some(user.policy.as_str())),
        text(user.directory_id.as_ref().map(DirectoryId::as_str)),
        profile.default_caller_id.map(|number| number.to_string()),
    ]
}

/// FNV-1a, of 32 bits: the same in every release, since what a preview has kept is held against what a later one makes of it.
struct Fnv(u32);

impl Default for Fnv {
    fn default() -> Self {
        Self(0x811c_9dc5)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0.into()
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    }
}

#[cfg(test)]
mod tests {
    use rollcall_model::user::{LoginId, WebLogin};

    use super::*;

    fn user(name: &str) -> User {
        User::new(LoginId::parse("asha").unwrap(), Profile::named(name).unwrap())
    }

    fn with(user: UserDeed, numbers: &[&str]) -> (RowStatus, Deed) {
        let mut deed = Deed::from(user);
        for number in numbers {
            deed.add(number.parse().unwrap());
        }
        (RowStatus::Applied, deed)
    }

    #[test]
    fn what_differs_is_said_in_plain_words() {
        let mut blocked = User { web_login: WebLogin::Blocked, ..user("Asha") };
        blocked.profile.email = "asha@example.com".parse().ok();
        let created = with(UserDeed::of(None, &blocked), &[]);
        let changed = with(UserDeed::of(Some(&user("Zed")), &blocked), &["+919876543210"]);
        let cases = [
            (
                created,
                changed,
                "The preview said: created (name, e-mail address, web login). \
                 Now: changed (name, e-mail address, web login), 1 number added.",
            ),
            (
                with(UserDeed::of(Some(&user("Zed")), &user("Asha")), &[]),
                with(UserDeed::of(Some(&user("Zoe")), &user("Asha")), &[]),
                "The preview said: changed (name). Now the same, but from or to another value.",
            ),
            (
                with(UserDeed::default(), &["+919876543210", "+919876543211"]),
                with(UserDeed::default(), &["+919876543210", "+919876543212"]),
                "The preview said: 2 numbers added. Now the same, but of other numbers.",
            ),
            (
                with(UserDeed::default(), &["+919876543210"]),
                (RowStatus::Unchanged, Deed::default()),
                "The preview said: 1 number added. Now: unchanged.",
            ),
            (
                (RowStatus::Partial, with(UserDeed::default(), &["+919876543210"]).1),
                (RowStatus::Failed, Deed::default()),
                "The preview said: partial: 1 number added. Now: failed.",
            ),
        ];
        for (said, came, sentence) in cases {
            assert_eq!(difference(said, came).as_deref(), Some(sentence));
            assert_eq!(difference(said, said), None);
        }
    }

    #[test]
    fn a_deed_is_read_as_it_was_kept() {
        let (_, mut deed) = with(UserDeed::of(Some(&user("Zed")), &user("Asha")), &["+919876543210"]);
        deed.remove("+919876543211".parse().unwrap());
        assert_eq!(Deed::from_bytes(&deed.to_bytes().collect::<Vec<_>>()), Some(deed));
        assert_eq!(size_of::<UserDeed>(), 8);
    }
}
