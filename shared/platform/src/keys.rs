//! The table's keys, all of them. Every key starts with the account, so that no query can cross accounts, but for
//! [`VISITED`] and its like, and [`Key::cursor_secret`].

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::civil::Date;
use rollcall_model::{account::AccountId, caller_id::CallerId, permit::PermitId, user::Claim};

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
        };
        Self { pk: format!("ACCT#{account}#{kind}#{value}"), sk: kind.into() }
    }

    /// A number of the account's inventory.
    pub(crate) fn number(account: &AccountId, number: &str) -> Self {
        Self { pk: numbers_pk(account), sk: format!("NUM#{number}") }
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

    /// The account's settings.
    pub(crate) fn settings(account: &AccountId) -> Self {
        Self { pk: format!("ACCT#{account}"), sk: "SETTINGS".into() }
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

/// Partition of a user.
fn user_pk(account: &AccountId, folded_login: &str) -> String {
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
    ["USER", "SETTINGS", "JOB", "REFUSAL"].contains(&sk)
        || ["NUM#", "CRM#", "ROLE#", "DEPT#", "TEAM#"].iter().any(|kind| sk.starts_with(kind))
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

/// Partition of the account's users in the index.
pub(crate) fn users_index(account: &AccountId) -> String {
    format!("ACCT#{account}#USERS")
}

/// Partition of the index that lists the accounts whose directories are to be visited. **It, [`RESYNCED`] and
/// [`RESTING`] are the keys that don't begin with an account**, since they are where accounts are found; nothing of theirs but their names stands
/// under the first two.
pub(crate) const VISITED: &str = "VISITED";
/// The same for accounts whose mappings are to be resynced.
pub(crate) const RESYNCED: &str = "RESYNCED";
/// The same for numbers that rest, of all accounts, by the day that their rest ends. Each stands here by its own item, so that a rest costs no
/// write of its own and who ends rests reads those alone whose day has come; nothing but that day and the item's key stands under it.
pub(crate) const RESTING: &str = "RESTING";

/// Partition of the account's jobs in the index.
pub(crate) fn jobs_index(account: &AccountId) -> String {
    format!("ACCT#{account}#JOBS")
}
