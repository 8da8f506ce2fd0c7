//! Members of groups become what their groups make of them.

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use rollcall_engine::{StorageError, world::Accounts};
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    country::Country,
    user::{Name, Provisioning, User, WebLogin},
};
use rollcall_scim::{Document, Projection};
use rollcall_storage::directory::{Directory, WriteOutcome};
use tokio::time::Instant;

use crate::{Known, Rules, TRIES, is_seen, rules::group_named};

/// Users that are read at once: as many as one request to the table takes.
const PAGE: usize = 100;
/// Users that are written at once.
const IN_FLIGHT: usize = 8;

/// Has users be what their groups make of them by now. Who is that already is not written.
///
/// # Errors
/// When the table can't be read or written, or others change one of the users all the time.
pub async fn follow(
    directory: &Directory,
    account: &AccountId,
    country: Country,
    folded_logins: &[String],
    by: &Actor,
) -> Result<(), StorageError> {
    for page in folded_logins.chunks(PAGE) {
        let mut left = page.to_vec();
        for _ in 0..TRIES {
            left = follow_page(directory, account, country, &left, by).await?;
            if left.is_empty() {
                break;
            }
        }
        if !left.is_empty() {
            return Err(StorageError::transient(
                "having members follow their groups",
                "others change them at the same time",
            ));
        }
    }
    Ok(())
}

/// Has the members of groups be what the settings make of them by now, until it is `until`. The groups whose members may not be that yet, by
/// name: done again, it goes on with them.
///
/// # Errors
/// As [`follow`].
pub async fn follow_groups(
    directory: &Directory,
    account: &AccountId,
    country: Country,
    groups: &[Name],
    by: &Actor,
    until: Instant,
) -> Result<Vec<Name>, StorageError> {
    for (done, name) in groups.iter().enumerate() {
        let Some(group) = group_named(directory, account, name).await? else { continue };
        let members = directory.scim_members(account, &group).await?;
        let logins: Vec<String> = members.into_iter().map(|member| member.login).collect();
        for page in logins.chunks(PAGE) {
            if Instant::now() >= until {
                return Ok(groups[done..].to_vec());
            }
            follow(directory, account, country, page, by).await?;
        }
    }
    Ok(Vec::new())
}

/// Those of a page whom others have changed meanwhile.
async fn follow_page(
    directory: &Directory,
    account: &AccountId,
    country: Country,
    page: &[String],
    by: &Actor,
) -> Result<Vec<String>, StorageError> {
    let users = directory.scim_users(account, page, true).await?;
    // After the users: whoever changes a user by newer settings makes ours a write of what isn't so any more, which is done again.
    let settings = directory.settings(account).await?;
    let users: Vec<_> = users.into_values().filter(|(user, _)| is_seen(user)).map(told).collect();
    let asked: Vec<_> = users.iter().map(|(user, told)| (user, told)).collect();
    let rules = Rules::of(directory, account, country, &settings, &asked).await?;
    let writes = asked.into_iter().filter_map(|(before, told)| {
        let after = followed(&rules, before, told)?.revised(before, Timestamp::now());
        Some(async move {
            let written = directory.update_user(account, before, &after, by).await?;
            Ok((written == WriteOutcome::Stale).then(|| before.login.folded().into_owned()))
        })
    });
    let writes: Vec<_> = writes.collect();
    let stale = stream::iter(writes).buffer_unordered(IN_FLIGHT).try_collect::<Vec<_>>().await?;
    Ok(stale.into_iter().flatten().collect())
}

/// A user with what is said of it. Of whom nothing was sent, nothing is: what a person has set is no word of the directory.
fn told((user, sent): Known) -> (User, Projection) {
    let told = sent.map(|sent| Projection::of(&Document::kept(sent.fields))).unwrap_or_default();
    (user, told)
}

/// The user as its groups make it, if they make something else of it than before.
fn followed(rules: &Rules, before: &User, told: &Projection) -> Option<User> {
    let mut after = before.clone();
    let has = before.provisioning.clone().unwrap_or_else(|| {
        let active = before.web_login == WebLogin::Active;
        Provisioning { active, ..Provisioning::new(before.login.as_str(), None) }
    });
    let given = rules.give(&mut after, has.given.clone(), told);
    if given == has.given {
        return None;
    }
    after.provisioning = Some(Provisioning { given, ..has });
    Some(after)
}
