//! What CRM users see.

use rollcall_bulk::job::Job;
use rollcall_model::{
    jobs::JobKind,
    mapping::{Mapping, MappingState},
    phone_side::DialPermission,
    settings::PhoneSystem,
    user::fold,
};
use simulation::{By, Person, What};

use super::Round;

/// The folded login ID of the phone user whom a mapping is about.
fn about(mapping: &Mapping) -> Option<String> {
    mapping.phone_user().map(|id| fold(id.as_str()).into_owned())
}

/// What a job of this round says that a CRM user may dial from is what the phone user had at some time in it.
pub fn permissions_were_so_in_the_round(round: &Round<'_>) {
    if round.now.settings.phone_system == PhoneSystem::Snapshot {
        return;
    }
    for entry in round.log.iter().filter(|entry| matches!(entry.by, By::Job(_))) {
        let What::Mapping { after: Some(mapping), .. } = &entry.what else { continue };
        let (MappingState::Mapped { .. }, Some(permission), Some(login)) =
            (&mapping.state, &mapping.permission, about(mapping))
        else {
            continue;
        };
        let ever = round.users_since(&login, 0);
        // Whom a phone system tells of, and our own directory doesn't, may dial from nothing.
        let had = |person: Option<&Person>| {
            person.map_or(DialPermission::custom([]), |person| DialPermission::of(&person.user))
        };
        let mut ever = ever.into_iter().map(had);
        assert!(ever.any(|was| was == *permission), "{mapping:?} was never so");
    }
}

/// No job changes what people gave of a mapping, nor makes one again that was deleted.
pub fn resyncs_leave_what_people_gave(round: &Round<'_>) {
    for entry in round.log.iter().filter(|entry| matches!(entry.by, By::Job(_))) {
        let What::Mapping { before, after, .. } = &entry.what else { continue };
        let given = |mapping: &Option<Box<Mapping>>| mapping.as_ref().map(|mapping| mapping.given.clone());
        assert_eq!(given(before), given(after), "a job has changed whose mapping it is: {entry:?}");
    }
}

/// What was read of a phone user later is never overwritten by what was read earlier; and a job that comes back reads again before it
/// writes.
pub fn newer_readings_win(round: &Round<'_>) {
    if round.now.settings.phone_system == PhoneSystem::Snapshot {
        return;
    }
    let mut latest = std::collections::BTreeMap::new();
    for (at, entry) in round.log.iter().enumerate() {
        let (What::Mapping { crm_user, after: Some(mapping), .. }, By::Job(job)) = (&entry.what, &entry.by) else {
            continue;
        };
        let Some(login) = about(mapping) else { continue };
        let sees = |what: &What| {
            matches!(what, What::SawUser(of) if *of == login)
                || matches!(what, What::User { login: of, .. } if *of == login)
        };
        let read = round.last(job, at, sees).unwrap_or(0);
        let taken_up = round.last(job, at, |what| matches!(what, What::TookUp(_))).unwrap_or(0);
        assert!(read >= taken_up, "it brings what an earlier attempt has read: {entry:?}");
        let before = latest.insert((crm_user, login), read).unwrap_or(0);
        assert!(read >= before, "what was read earlier is written over what was read later: {entry:?}");
    }
}

/// After a rotation, or an undo of one, the CRM users of those whose lists it changed see them as they are, or as they have become since.
pub fn crm_users_see_replacements(round: &Round<'_>) {
    if round.now.settings.phone_system != PhoneSystem::Builtin {
        return;
    }
    let rotates = |job: &Job| job.upload.kind == JobKind::RotateCallerIds;
    let due = |job: &&Job| rotates(job) || round.undone_by(job).is_some_and(rotates);
    for job in round.finished().filter(due) {
        for (login, written, person) in last_writes(round, job) {
            let since = round.users_since(&login, written);
            let fits = |permission: &DialPermission| {
                since.iter().flatten().any(|person| DialPermission::of(&person.user) == *permission)
            };
            let same = round.now.users.get(&login).is_some_and(|now| now.born == person.born);
            for (crm_user, (mapping, _)) in round.now.mappings.iter().filter(|_| same) {
                let given = round.log[..].iter().any(|entry| {
                    entry.by == By::Person
                        && matches!(&entry.what, What::Mapping { crm_user: of, .. } if of == crm_user)
                });
                let seen = mapping.permission.as_ref().filter(|_| about(mapping).as_deref() == Some(&*login) && !given);
                assert!(seen.is_none_or(fits), "{mapping:?} has not followed {person:?}");
            }
        }
    }
}

/// Whose lists a job has changed in this round, and where it did so last.
fn last_writes<'a>(round: &Round<'a>, job: &Job) -> Vec<(String, usize, &'a Person)> {
    let mut writes = std::collections::BTreeMap::new();
    for (at, entry) in round.entries_of(&job.id) {
        if let What::User { login, before: Some(before), after: Some(after) } = &entry.what
            && before.user.caller_ids != after.user.caller_ids
        {
            writes.insert(login.clone(), (at, &**after));
        }
    }
    writes.into_iter().map(|(login, (at, person))| (login, at, person)).collect()
}
