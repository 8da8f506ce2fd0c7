//! A resync reads the phone system anyway: whoever isn't as the phone system was told, is told again.

use std::collections::{BTreeSet, HashMap};

use rollcall_model::{
    caller_id::CallerId,
    inventory::Inventory,
    phone_side::{PhoneSide, PhoneUser},
    push::Told,
    settings::PhoneSystem,
};

use crate::{
    Attempt, StorageError,
    kinds::push,
    world::{NewMark, TableUsage},
};

/// Users that are looked at together.
const TOGETHER: usize = 1_000;

/// Marks those who are there, and weren't when the phone system was last told of them; and those who have other numbers there, where it can tell.
/// Who was never told of is left to the first change.
///
/// # Errors
/// When the table can't be read or written.
pub(super) async fn who_is_not_in_step(
    attempt: &Attempt<'_>,
    side: &PhoneSide,
    inventory: &Inventory,
) -> Result<(), StorageError> {
    let (world, account) = (attempt.world, attempt.account());
    let system = attempt.settings().await?.phone_system;
    if !system.takes_lists() || world.pushes.push_state(account).await?.is_none() {
        return Ok(());
    }
    let mut marked = false;
    for users in side.users.chunks(TOGETHER) {
        let by_login: HashMap<String, &PhoneUser> =
            users.iter().filter_map(|user| Some((user.login.as_ref()?.folded().into_owned(), user))).collect();
        let logins: Vec<&str> = by_login.keys().map(String::as_str).collect();
        let told = world.pushes.told_of(account, system, &logins, attempt.until, &mut TableUsage::default()).await?;
        let drifted = told.iter().filter(|(login, told)| !is_in_step(told, system, by_login[*login], inventory));
        let sequence = format!("resync:{}", attempt.job.id);
        let marks: Vec<NewMark> = drifted
            .map(|(login, _)| NewMark { login: login.clone(), sequence: sequence.clone(), removes: false })
            .collect();
        marked |= !marks.is_empty();
        world.pushes.mark(account, &marks, world.now()).await?;
    }
    if marked { push::wake(world, account).await } else { Ok(()) }
}

/// Whether a phone user is as the phone system was told.
fn is_in_step(told: &Told, system: PhoneSystem, user: &PhoneUser, inventory: &Inventory) -> bool {
    if told.system != system || told.user.is_none() {
        return false;
    }
    // Smartflo tells no permissions: what stands in their place are our own.
    let (Some(list), Some(permission), PhoneSystem::ZoomPhone) = (&told.list, &user.permission, system) else {
        return true;
    };
    let ours = permission.caller_ids.iter().filter(|number| inventory.listed(**number).is_some());
    ours.copied().collect::<BTreeSet<CallerId>>() == list.iter().copied().collect()
}
