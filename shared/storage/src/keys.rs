//! The table's keys, all of them. Every key starts with the account, so that no query can cross accounts, but for
//! [`VISITED`] and its like, and [`Key::cursor_secret`].

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::civil::Date;
use rollcall_model::{
    account::AccountId,
    caller_id::CallerId,
    permit::PermitId,
    settings::PhoneSystem,
    user::{Claim, User, fold},
};

/// The table's own key.
pub(crate) const PK: &str = "PK";
/// See [`PK`].
pub(crate) const SK: &str = "SK";
/// The key of the index [`BY_ACCOUNT`].
pub(crate) const ACCOUNT_PK: &str = "AccountPK";
/// See [`ACCOUNT_PK`].
pub(crate) const ACCOUNT_SK: &str = "AccountSK";
/// Lists an account's users by name and its jobs by age, accounts to be visited and numbers
/// that rest. It does not hold users' caller IDs.
pub(crate) const BY_ACCOUNT: &str = "by_account";

/// An item's key in the table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// The partition.
    pub pk: String,
    /// The place in it.
    pub sk: String,
}

impl Key {
    /// A user, by folded login ID.
    pub(crate) fn user(account: &AccountId, folded_login: &str) -> Self {
        Self { pk: user_pk(account, folded_login), sk: "USER".into() }
    }

    /// What keeps something that only one user can have from all others.
    pub(crate) fn claim(account: &AccountId, claim: &Claim) -> Self {
        let (kind, value) = match claim {
            Claim::Email(address) => ("EMAIL", address.as_str()),
            Claim::Extension(login) => ("EXTENSION", login.as_str()),
            Claim::DirectoryId(id) => ("DIRECTORY", id.as_str()),
            Claim::UserName(hash) => ("SCIMNAME", hash.as_str()),
            Claim::ExternalId(hash) => ("SCIMEXT", hash.as_str()),
            Claim::Deleted(hash) => ("SCIMGONE", hash.as_str()),
        };
        Self { pk: format!("ACCT#{account}#{kind}#{value}"), sk: kind.into() }
    }

    /// A number of the account's inventory.
    pub(crate) fn number(account: &AccountId, number: &str) -> Self {
        Self { pk: numbers_pk(account), sk: format!("NUM#{number}") }
    }

    /// The head of the account's packed inventory.
    pub(crate) fn inventory(account: &AccountId) -> Self {
        Self { pk: format!("ACCT#{account}"), sk: "INVENTORY".into() }
    }

    /// A part of the account's packed inventory, by the lowest number that belongs there.
    pub(crate) fn inventory_part(account: &AccountId, from: u64) -> Self {
        Self { pk: format!("ACCT#{account}#INVENTORY"), sk: format!("PART#{from:015}") }
    }

    /// A job.
    pub(crate) fn job(account: &AccountId, job: &str) -> Self {
        Self { pk: format!("ACCT#{account}#JOB#{job}"), sk: "JOB".into() }
    }

    /// Something that users refer to by its ID: `kind` is `ROLE`, `DEPT` or `TEAM`.
    pub(crate) fn catalog(account: &AccountId, kind: &str, id: &str) -> Self {
        Self { pk: catalog_pk(account), sk: format!("{kind}#{id}") }
    }

    /// The answer that was given to a request with an `Idempotency-Key`.
    pub(crate) fn answer(account: &AccountId, idempotency_key: &str) -> Self {
        Self { pk: format!("ACCT#{account}#ANSWER#{idempotency_key}"), sk: "ANSWER".into() }
    }

    /// What was agreed on about an upload.
    pub(crate) fn permit(account: &AccountId, permit: &PermitId) -> Self {
        Self { pk: format!("ACCT#{account}#PERMIT#{}", permit.as_str()), sk: "PERMIT".into() }
    }

    /// How many mails the account has sent on a day.
    pub(crate) fn mails(account: &AccountId, day: Date) -> Self {
        Self { pk: format!("ACCT#{account}"), sk: format!("MAILS#{day}") }
    }

    /// What the stack's cursors are sealed with. It is no account's.
    pub(crate) fn cursor_secret() -> Self {
        Self { pk: "STACK".into(), sk: "CURSORS".into() }
    }

    /// That somebody was refused something. `what` tells it from other refusals of the account.
    pub(crate) fn refusal(account: &AccountId, what: &str) -> Self {
        Self { pk: format!("ACCT#{account}#REFUSAL#{what}"), sk: "REFUSAL".into() }
    }

    /// A mapping of a CRM user.
    pub(crate) fn mapping(account: &AccountId, crm_user: &str) -> Self {
        Self { pk: mappings_pk(account), sk: format!("CRM#{crm_user}") }
    }

    /// How the account stands with its resyncs.
    pub(crate) fn resync(account: &AccountId) -> Self {
        Self { pk: format!("ACCT#{account}"), sk: "RESYNC".into() }
    }

    /// What a directory that pushes users in has sent of one, beside the user.
    pub(crate) fn scim_document(account: &AccountId, folded_login: &str) -> Self {
        Self { pk: user_pk(account, folded_login), sk: SCIM_DOCUMENT.into() }
    }

    /// The account's keys for such a directory.
    pub(crate) fn scim_keys(account: &AccountId) -> Self {
        Self { pk: format!("ACCT#{account}"), sk: "SCIMKEYS".into() }
    }

    /// Whom such a directory has made leave on a day.
    pub(crate) fn scim_day(account: &AccountId, day: Date, key: &str) -> Self {
        Self { pk: format!("ACCT#{account}"), sk: format!("SCIMDAY#{day}#{key}") }
    }

    /// Where a page of users ended that such a directory has read: `next` is the place of the one after it.
    pub(crate) fn scim_page(account: &AccountId, next: usize) -> Self {
        Self { pk: format!("ACCT#{account}"), sk: format!("SCIMPAGE#{next}") }
    }

    /// What such a directory was refused, by the hash of whom it was about.
    pub(crate) fn scim_error(account: &AccountId, about: &str) -> Self {
        Self { pk: scim_errors_pk(account), sk: format!("ERROR#{about}") }
    }

    /// A group of such a directory.
    pub(crate) fn scim_group(account: &AccountId, group: &str) -> Self {
        Self { pk: scim_groups_pk(account), sk: format!("GROUP#{group}") }
    }

    /// What keeps a group's name or external ID from all others, by hash.
    pub(crate) fn scim_group_claim(account: &AccountId, hash: &str) -> Self {
        Self { pk: format!("ACCT#{account}#SCIMGROUPCLAIM#{hash}"), sk: "SCIMGROUPCLAIM".into() }
    }

    /// That a user is in a group.
    pub(crate) fn scim_member(account: &AccountId, group: &str, folded_login: &str) -> Self {
        Self { pk: scim_members_pk(account, group), sk: format!("MEMBER#{folded_login}") }
    }

    /// The account's settings.
    pub(crate) fn settings(account: &AccountId) -> Self {
        Self { pk: format!("ACCT#{account}"), sk: "SETTINGS".into() }
    }

    /// How the account stands with what its phone system is told.
    pub(crate) fn pushing(account: &AccountId) -> Self {
        Self { pk: format!("ACCT#{account}"), sk: "PUSHING".into() }
    }

    /// That a user's list is to be told to the phone system.
    pub(crate) fn mark(account: &AccountId, folded_login: &str) -> Self {
        Self { pk: marks_pk(account), sk: format!("MARK#{folded_login}") }
    }

    /// That everybody's may be.
    pub(crate) fn mark_everybody(account: &AccountId) -> Self {
        Self { pk: marks_pk(account), sk: "EVERYBODY".into() }
    }

    /// What a phone system was told of a user. It stays when the user is gone, so that the list is taken back; and when the account has another
    /// phone system, since it may go back.
    pub(crate) fn told(account: &AccountId, system: PhoneSystem, folded_login: &str) -> Self {
        Self { pk: told_pk(account), sk: format!("{}{folded_login}", told_prefix(system)) }
    }

    /// How the account and its own directory stand.
    pub(crate) fn standing(account: &AccountId) -> Self {
        Self { pk: format!("ACCT#{account}"), sk: "DIRECTORY".into() }
    }

    /// As attributes.
    pub(crate) fn attributes(self) -> [(String, AttributeValue); 2] {
        [(PK.to_owned(), AttributeValue::S(self.pk)), (SK.to_owned(), AttributeValue::S(self.sk))]
    }
}

/// Where a user's document stands in its partition.
pub(crate) const SCIM_DOCUMENT: &str = "SCIM";

/// Partition of what a directory that pushes users in was refused.
pub(crate) fn scim_errors_pk(account: &AccountId) -> String {
    format!("ACCT#{account}#SCIMERRORS")
}

/// Partition of such a directory's groups.
pub(crate) fn scim_groups_pk(account: &AccountId) -> String {
    format!("ACCT#{account}#SCIMGROUPS")
}

/// Partition of a group's members.
pub(crate) fn scim_members_pk(account: &AccountId, group: &str) -> String {
    format!("ACCT#{account}#SCIMGROUP#{group}")
}

/// Partition of the index that lists the groups of a user.
pub(crate) fn scim_groups_of(account: &AccountId, folded_login: &str) -> String {
    format!("ACCT#{account}#SCIMOF#{folded_login}")
}

/// Partition of a user.
pub(crate) fn user_pk(account: &AccountId, folded_login: &str) -> String {
    format!("ACCT#{account}#USER#{folded_login}")
}

/// The folded login ID of a user's partition.
pub(crate) fn login_of(account: &AccountId, pk: &str) -> Option<String> {
    pk.strip_prefix(&user_pk(account, "")).map(str::to_owned)
}

/// The account and the number of an item's key, if it is a number's.
pub(crate) fn number_of(pk: &str, sk: &str) -> Option<(AccountId, CallerId)> {
    // An account's name holds no separator.
    let account = pk.strip_prefix("ACCT#")?.strip_suffix("#NUMBERS")?;
    Some((account.parse().ok()?, sk.strip_prefix("NUM#")?.parse().ok()?))
}

/// Whether the audit trail is about the item with this sort key. The template's filter of the stream says the same, and of jobs lets
/// only those pass about which somebody has just decided.
pub(crate) fn is_audited(sk: &str) -> bool {
    ["USER", "SETTINGS", "SCIMKEYS", "JOB", "REFUSAL"].contains(&sk)
        || ["NUM#", "CRM#", "ROLE#", "DEPT#", "TEAM#", "TOLD#"].iter().any(|kind| sk.starts_with(kind))
}

/// Partition of the account's marks.
pub(crate) fn marks_pk(account: &AccountId) -> String {
    format!("ACCT#{account}#MARKS")
}

/// Where what a phone system was told begins in its partition.
pub(crate) fn told_prefix(system: PhoneSystem) -> String {
    format!("TOLD#{}#", system.as_str())
}

/// Partition of what the account's phone systems were told.
pub(crate) fn told_pk(account: &AccountId) -> String {
    format!("ACCT#{account}#TOLD")
}

/// The account whose partition it is.
pub(crate) fn account_of(pk: &str) -> Option<AccountId> {
    pk.strip_prefix("ACCT#")?.split('#').next()?.parse().ok()
}

/// Partition of the account's inventory.
pub(crate) fn numbers_pk(account: &AccountId) -> String {
    format!("ACCT#{account}#NUMBERS")
}

/// Partition of the account's roles, departments and teams.
pub(crate) fn catalog_pk(account: &AccountId) -> String {
    format!("ACCT#{account}#CATALOG")
}

/// Partition of the account's mappings.
pub(crate) fn mappings_pk(account: &AccountId) -> String {
    format!("ACCT#{account}#MAPPINGS")
}

/// Bytes of a sort key, of an index as of the table
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>). A partition key has 2,048, which nothing of
/// ours comes near.
const MAX_SORT_KEY: usize = 1_024;

/// Where a user stands among the account's users: by name, then login ID. A name that is too long for a key is cut; the login ID is whole, so
/// that every user has a place of its own.
pub(crate) fn user_place(user: &User) -> String {
    let (name, login) = (fold(user.profile.name.as_str()), user.login.folded());
    let room = MAX_SORT_KEY.saturating_sub(login.len() + 1);
    format!("{}#{login}", &name[..name.floor_char_boundary(room)])
}

/// Partition of the account's users in the index.
pub(crate) fn users_index(account: &AccountId) -> String {
    format!("ACCT#{account}#USERS")
}

/// Partition of the index that lists the accounts whose directories are to be visited. **It, [`RESYNCED`], [`PUSHED`] and
/// [`RESTING`] are the keys that don't begin with an account**, since they are where accounts are found; nothing of theirs but their names stands
/// under the first three.
pub(crate) const SCHEDULED: &str = "VISITED";
/// The same for accounts whose mappings are to be resynced.
pub(crate) const RESYNCED: &str = "RESYNCED";
/// The same for accounts whose phone systems are told lists.
pub(crate) const PUSHED: &str = "PUSHED";
/// The same for numbers that rest, of all accounts, by the day that their rest ends. Each stands here by its own item, so that a rest costs no
/// write of its own and who ends rests reads those alone whose day has come; nothing but that day and the item's key stands under it.
pub(crate) const RESTING: &str = "RESTING";

/// Partition of the account's jobs in the index.
pub(crate) fn jobs_index(account: &AccountId) -> String {
    format!("ACCT#{account}#JOBS")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rollcall_model::{
        mapping::CrmUserId,
        user::{DirectoryId, LoginId, Profile, Ref},
    };

    use super::*;

    /// Bytes of a partition key.
    const MAX_PARTITION_KEY: usize = 2_048;

    /// Texts up to a length, of characters of one to four bytes, among them such as grow when their case is folded.
    fn text(characters: usize) -> impl Strategy<Value = String> {
        let character = prop_oneof!["[a-zA-Z0-9@._-]", "[ÄÖÜİȺȾ]", "[क-ह]", "[😀-😏𐐀-𐐧]"];
        let whole = "[ȺİẞK😀क]".prop_map(move |one| one.repeat(characters));
        prop_oneof![proptest::collection::vec(character, 1..=characters).prop_map(|all| all.concat()), whole]
    }

    fn user(login: &str, name: &str) -> Option<User> {
        Some(User::new(LoginId::parse(login).ok()?, Profile::named(name).ok()?))
    }

    fn fits(key: &Key) -> bool {
        (1..=MAX_PARTITION_KEY).contains(&key.pk.len()) && (1..=MAX_SORT_KEY).contains(&key.sk.len())
    }

    proptest! {
        #[test]
        fn every_key_of_what_is_legal_fits_into_the_table(
            account in "[a-z0-9_-]{64}",
            login in text(256),
            name in text(256),
            id in text(128),
            reference in text(64),
            number in "\\+[1-9][0-9]{6,14}",
        ) {
            let account: AccountId = account.parse().unwrap();
            if let Ok(login) = LoginId::parse(&login) {
                prop_assert!(fits(&Key::user(&account, &login.folded())));
                prop_assert!(fits(&Key::mark(&account, &login.folded())) && fits(&Key::told(&account, PhoneSystem::ZoomPhone, &login.folded())));
                // A login ID is looked up as an address, too.
                prop_assert!(fits(&Key::claim(&account, &Claim::Email(login.folded().into_owned()))));
            }
            if let Some(user) = user(&login, &name) {
                let place = user_place(&user);
                prop_assert!(place.len() <= MAX_SORT_KEY, "{} bytes", place.len());
                let login = format!("#{}", user.login.folded());
                prop_assert!(place.ends_with(&login));
                prop_assert!(users_index(&account).len() <= MAX_PARTITION_KEY);
            }
            if let Ok(crm_user) = CrmUserId::parse(&id) {
                prop_assert!(fits(&Key::mapping(&account, crm_user.as_str())));
            }
            if let Ok(reference) = Ref::parse(&reference) {
                prop_assert!(fits(&Key::claim(&account, &Claim::extension(reference.as_str()))));
                prop_assert!(fits(&Key::catalog(&account, "DEPT", reference.as_str())));
            }
            prop_assert!(fits(&Key::number(&account, &number)));
            let person = DirectoryId::parse(&"a".repeat(64)).unwrap();
            prop_assert!(fits(&Key::claim(&account, &Claim::DirectoryId(person))));
            // What an `Idempotency-Key` may have, and the ID of a job.
            prop_assert!(fits(&Key::answer(&account, &"k".repeat(128))));
            prop_assert!(fits(&Key::job(&account, &"f".repeat(64))));
        }

        #[test]
        fn users_of_one_account_stand_in_places_of_their_own(a in text(256), b in text(256), name in text(256)) {
            if let (Some(a), Some(b)) = (user(&a, &name), user(&b, &name)) {
                prop_assert_eq!(user_place(&a) == user_place(&b), a.login.folded() == b.login.folded());
            }
        }
    }

    #[test]
    fn the_longest_name_and_login_id_make_a_key_that_the_table_takes() {
        for (name, login) in [("😀", "ascii"), ("क", "a"), ("Ⱥ", "Ⱥ"), ("İ", "İ")] {
            // Folded, a character may have a byte more.
            let login = login.repeat(256 / (login.len() + 1));
            let user = user(&login, &name.repeat(256)).unwrap();
            assert!(user_place(&user).len() <= MAX_SORT_KEY, "{name}");
        }
    }
}
