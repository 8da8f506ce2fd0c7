//! Users, and who writes them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rollcall_bulk::job::Stage;
use rollcall_model::{
    jobs::JobKind,
    user::{AgentStatus, Profile, User, WebLogin},
};
use simulation::{By, Entry, What};

use super::{Round, brings_users, profile_differs};
use crate::history::Event;

/// An undo touches nobody but those whom the job had written: whoever has the login ID of one who was deleted is somebody else.
pub fn undos_touch_nobody_else(round: &Round<'_>) {
    for entry in round.log {
        let undone = round.job_of(entry).and_then(|undo| round.undone_by(undo));
        let (What::User { login, before: Some(before), .. }, Some(undone)) = (&entry.what, undone) else { continue };
        let by = By::Job(undone.id.clone());
        let written =
            |deed: &&Entry| deed.by == by && matches!(&deed.what, What::User { login: of, .. } if of == login);
        let log = || round.past.iter().chain(round.log);
        let known: BTreeSet<u64> = log()
            .filter(written)
            .filter_map(|deed| match &deed.what {
                What::User { before, after, .. } => Some([before, after]),
                _ => None,
            })
            .flat_map(|[before, after]| before.iter().chain(after))
            .map(|person| person.born)
            .collect();
        // A number that it added at the same moment as somebody else is a write of the other's.
        let ends = log().enumerate().filter(|(_, deed)| deed.by == by).last().map_or(0, |(at, _)| at);
        let born_since = log().skip(ends).any(|deed| {
            matches!(&deed.what, What::User { before: None, after: Some(after), .. } if after.born == before.born)
        });
        let is_known = if known.is_empty() { !born_since } else { known.contains(&before.born) };
        assert!(is_known, "{login} is somebody else than the job had written: {entry:?}");
    }
}

/// A job that brings profiles writes nobody whom others have changed since it began, or since it read the company's directory. **Who is to
/// be kept out is kept out all the same.**
pub fn no_job_writes_over_what_others_changed(round: &Round<'_>) {
    for (at, entry) in round.log.iter().enumerate() {
        let Some(job) = round.job_of(entry).filter(|job| brings_users(job.upload.kind)) else { continue };
        let What::User { login, before: Some(before), after: Some(after) } = &entry.what else { continue };
        if !profile_differs(&before.user, &after.user) || only_keeps_out(&before.user, &after.user) {
            continue;
        }
        // What others have said of a field as of a later time than the job's is newer, whenever it was written.
        let fields = before.user.differences(&after.user);
        let behind = round.log[..at].iter().find(|other| {
            other.by != entry.by
                && matches!(&other.what, What::User { login: of, before: Some(before), after: Some(after) }
                if of == login && before.user.differences(&after.user).iter().any(|field| {
                    fields.contains(field) && after.user.as_of.of(*field) > job.as_of
                }))
        });
        assert!(behind.is_none(), "{login} is written over by {:?}: {behind:?}, then {entry:?}", job.upload.key());
    }
}

/// Whether a change does no more than keep the user out.
fn only_keeps_out(before: &User, after: &User) -> bool {
    let kept = User { web_login: WebLogin::Blocked, ..before.clone() };
    let idle = User { agent_status: AgentStatus::Disabled, ..kept.clone() };
    !profile_differs(&kept, after) || !profile_differs(&idle, after)
}

/// A file of users changes nothing once a newer file of the same name had come before it was taken up.
pub fn the_newer_file_of_a_name_wins(round: &Round<'_>) {
    for entry in round.log.iter().filter(|entry| matches!(entry.what, What::User { .. })) {
        let Some(job) = round.job_of(entry).filter(|job| job.upload.kind == JobKind::UploadUsers) else { continue };
        let newer = round.now.newest(&job.source.key).filter(|(version, _)| *version != job.source.version);
        let late = newer.filter(|(_, modified): &(String, Timestamp)| *modified < job.started);
        assert!(
            late.is_none() || job.stage == Stage::Executed,
            "an older file than {late:?} is carried out: {entry:?}"
        );
    }
}

/// Whether the directory, and those of its people who are users, were left to one sync in this round.
fn had_for_itself(round: &Round<'_>) -> bool {
    let finished = round.finished().any(|job| job.upload.kind == JobKind::DirectoryImport);
    let syncs = round.events.iter().filter(|(_, event)| matches!(event, Event::Sync { .. })).count();
    let others = |event: &Event| {
        matches!(event, Event::Append { .. } | Event::Rotate { .. } | Event::Resync { .. } | Event::Snapshot { .. })
    };
    finished && syncs == 1 && round.events.iter().filter(|(_, event)| !others(event)).count() == 1
}

/// Whoever has left the company is blocked after a sync, whatever else of the user couldn't be brought in step; unless somebody let the
/// user in again.
pub fn leavers_are_blocked(round: &Round<'_>) {
    for (login, person) in round.now.users.iter().filter(|_| had_for_itself(round)) {
        let Some(id) = &person.user.directory_id else { continue };
        let left = round.now.people.get(id).is_none_or(|person| !person.enabled);
        let let_in = round.past.iter().any(|entry| {
            matches!(&entry.what, What::User { login: of, before: Some(before), after: Some(after) } if of == login
                && before.user.web_login == WebLogin::Blocked && after.user.web_login == WebLogin::Active)
        });
        let blocked = person.user.web_login == WebLogin::Blocked;
        assert!(!left || blocked || let_in, "{login} has left, and can log in: {person:?}");
    }
}

/// Whoever is not as the directory says after a sync is asked for again by the next one; unless somebody else has said later
/// what is not so.
pub fn whom_a_sync_left_behind_is_asked_for_again(round: &Round<'_>) {
    let Some(sync) = round.now.sync.as_ref().filter(|_| had_for_itself(round)) else { return };
    for (login, person) in &round.now.users {
        let user = &person.user;
        let told = user.directory_id.as_ref().and_then(|id| round.now.people.get(id));
        let Some(told) = told else { continue };
        // Who has said a field last: a sync, or somebody else.
        let by_others = |differs: fn(&Profile, &Profile) -> bool| {
            let mut changes = round.past.iter().chain(round.log).rev().filter(|entry| {
                matches!(&entry.what, What::User { login: of, before: Some(before), after: Some(after) }
                    if of == login && differs(&before.user.profile, &after.user.profile))
            });
            let kind = |entry| round.job_of(entry).map(|job| job.upload.kind);
            changes.next().is_some_and(|entry| kind(entry) != Some(JobKind::DirectoryImport))
        };
        let name = user.profile.name == told.name || by_others(|before, after| before.name != after.name);
        let email = told.email.as_ref().is_none_or(|email| user.profile.email.as_ref() == Some(email));
        let email = email || by_others(|before, after| before.email != after.email);
        let again = sync.value.ask_again.contains(&told.id);
        assert!(name && email || again, "{login} is not as {told:?}, and nobody asks again: {person:?}");
    }
}
