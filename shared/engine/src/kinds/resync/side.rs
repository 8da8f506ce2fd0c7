//! What the phone side says, from whatever phone system the account has.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rollcall_bulk::phone_snapshot::InForce;
use rollcall_model::{
    mapping::Mapping,
    phone_side::{DialPermission, PhoneSide, PhoneUser},
    settings::PhoneSystem,
    user::{Claim, User},
};

use super::snapshot;
use crate::{
    Attempt, Interrupt, StorageError,
    world::{PhoneSystemClient, PhoneSystems, TableUsage},
};

const PHONE_SIDE: &str = "reading the phone side";

/// Everything that the account's phone system, which isn't our own directory, says of its users, with what our directory has where it says nothing.
/// **Whole, or not at all.**
pub(super) async fn read(
    attempt: &Attempt<'_>,
    (systems, client): (&dyn PhoneSystems, Option<Arc<dyn PhoneSystemClient>>),
    system: PhoneSystem,
    new: Option<&InForce>,
) -> Result<PhoneSide, Interrupt> {
    let side = match (system, new) {
        (PhoneSystem::Snapshot, Some(new)) => new.side.clone(),
        (PhoneSystem::Snapshot, None) => snapshot::in_force(attempt).await?.side,
        (PhoneSystem::Builtin | PhoneSystem::Smartflo | PhoneSystem::ZoomPhone, _) => {
            let failed = |failure| attempt.system_failed(failure);
            // One that has been asked for numbers is signed in already.
            let client = match client {
                Some(client) => client,
                None => systems.connect(attempt.account(), system).await.map_err(failed)?,
            };
            client.users(attempt.until).await.map_err(failed)?
        }
    };
    complete(attempt, side).await.map_err(Interrupt::from)
}

/// Those of our own users whom mappings are about, or could be.
pub(super) async fn builtin(attempt: &Attempt<'_>, mappings: &[Mapping]) -> Result<PhoneSide, StorageError> {
    let table = &attempt.world.users;
    let asked = || TableUsage::default();
    let emails = mappings.iter().filter_map(|mapping| mapping.given.email.as_ref());
    let claims: BTreeSet<Claim> = emails.map(|email| Claim::Email(email.folded().into_owned())).collect();
    let owners = table.owners(attempt.account(), claims.into_iter().collect(), attempt.until, &mut asked()).await?;
    let mut logins: BTreeSet<String> = owners.into_values().collect();
    logins.extend(mappings.iter().flat_map(Mapping::logins));
    let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
    let users = table.whole_users(attempt.account(), &logins, attempt.until, &mut asked()).await?;
    let users: BTreeMap<String, User> = users.into_iter().collect();
    PhoneSide::new(users.into_values().map(PhoneUser::from).collect())
        .map_err(|error| StorageError::unreadable(PHONE_SIDE, error))
}

/// The permissions of our own directory, for users of whom the phone system tells none.
async fn complete(attempt: &Attempt<'_>, mut side: PhoneSide) -> Result<PhoneSide, StorageError> {
    let open = side.users.iter().filter(|user| user.permission.is_none());
    let logins: BTreeSet<String> =
        open.filter_map(|user| user.login.as_ref()).map(|login| login.folded().into_owned()).collect();
    let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
    let table = &attempt.world.users;
    let users = table.whole_users(attempt.account(), &logins, attempt.until, &mut TableUsage::default()).await?;
    for user in side.users.iter_mut().filter(|user| user.permission.is_none()) {
        let ours = user.login.as_ref().and_then(|login| users.get(&*login.folded()));
        user.permission = ours.map(DialPermission::of);
    }
    Ok(side)
}
