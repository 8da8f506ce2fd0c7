//! Snapshots of a phone system: which one a run is about, and which one is in force.

use rollcall_bulk::{
    job::{Job, JobState},
    note::Note,
    phone_snapshot::{self, Dropped, InForce, Problems},
};
use rollcall_model::{
    code::FileCode, country::Country, inventory::InventoryNumber, jobs::JobKind, settings::PhoneSystem, stored,
};
use rollcall_tabular::{FileFault, ignored_columns};

use crate::{Attempt, ErrorKind, Interrupt, StorageError};

/// Bytes of a snapshot, which is held in memory whole: 60,000 users with a hundred numbers each have less.
const MAX_SNAPSHOT_BYTES: u64 = 128 * 1024 * 1024;
/// Problems of a snapshot that are told at once: more would fill a mail.
const MOST_TOLD: usize = 10;
/// Others that put a snapshot in force at the same moment, one after the other, before this run gives up.
const TRIES: usize = 5;
const PHONE_SIDE: &str = "reading the snapshot in force";
const NEWER: &str =
    "A newer snapshot of the phone system is in force, so this one changes nothing. Drop it again if it is meant.";

/// The snapshot that the run is about, and that is in force once the safety threshold has let it through: the one that was dropped; or, where a person
/// has confirmed a resync, the one that holds.
pub(crate) async fn new(
    attempt: &mut Attempt<'_>,
    system: PhoneSystem,
    confirmed: bool,
    country: Country,
    inventory: &[InventoryNumber],
) -> Result<Option<InForce>, Interrupt> {
    let dropped = attempt.job.upload.kind == JobKind::PhoneSnapshot;
    if system != PhoneSystem::Snapshot {
        let reason = format!(
            "A snapshot was dropped, but the account's phone system is {}. Set it to snapshot first.",
            system.as_str()
        );
        return if dropped { Err(Interrupt::refused(reason)) } else { Ok(None) };
    }
    let job = match dropped {
        true => attempt.job.clone(),
        false if confirmed => match holding(attempt).await? {
            Some(job) => job,
            None => return Ok(None),
        },
        false => return Ok(None),
    };
    let has = job.source.size;
    if has > MAX_SNAPSHOT_BYTES {
        let message = format!("It has {has} bytes; this kind of job takes {MAX_SNAPSHOT_BYTES}.");
        return Err(FileFault { code: FileCode::FileTooLarge, line: None, message }.into());
    }
    let (bytes, at) = match attempt.world.bucket.read_dated(&job.source).await {
        Err(error) if error.kind == ErrorKind::NotFound && !dropped => {
            return Err(Interrupt::refused("The file of the snapshot that holds is not kept any more. Drop it again."));
        }
        read => read?,
    };
    let side =
        phone_snapshot::read(&bytes, country, inventory).map_err(|problems| Interrupt::refused(told(&problems)))?;
    let ignored = ignored_columns(&bytes, &phone_snapshot::COLUMNS);
    attempt.job.note(Note::columns_ignored(&ignored));
    let new = InForce { of: Some(Dropped { at, taken_up: job.started, job: job.id }), side };
    match kept(attempt).await? {
        Some((kept, _)) if !kept.gives_way_to(&new) => Err(Interrupt::refused(NEWER)),
        _ => Ok(Some(new)),
    }
}

/// The snapshot in force.
pub(crate) async fn in_force(attempt: &Attempt<'_>) -> Result<InForce, Interrupt> {
    kept(attempt).await?.map(|(in_force, _)| in_force).ok_or_else(|| {
        Interrupt::refused(
            "No snapshot of the phone system is in force yet. Drop one under inbox/{account}/phone-snapshot/.",
        )
    })
}

/// Puts a snapshot in force. Doing so again changes nothing.
pub(crate) async fn put_in_force(attempt: &Attempt<'_>, new: &InForce) -> Result<(), Interrupt> {
    let key = InForce::key(attempt.account());
    let json = stored::to_json(new);
    for _ in 0..TRIES {
        let kept = kept(attempt).await?;
        let tag = match &kept {
            Some((kept, _)) if kept == new => return Ok(()),
            Some((kept, _)) if !kept.gives_way_to(new) => return Err(Interrupt::refused(NEWER)),
            kept => kept.as_ref().map(|(_, tag)| tag.as_str()),
        };
        match attempt.world.bucket.replace(&key, tag, json.clone().into()).await {
            Err(error) if error.kind == ErrorKind::Conflict => {}
            put => return Ok(put?),
        }
    }
    Err(Interrupt::Error(StorageError::transient("putting a snapshot in force", "others do so all the time")))
}

/// The job of the snapshot whose resync holds, if that is what holds.
async fn holding(attempt: &Attempt<'_>) -> Result<Option<Job>, StorageError> {
    let (world, account) = (attempt.world, attempt.account());
    let state = world.schedules.resync_state(account).await?.unwrap_or_default().value;
    let Some(ended) = state.ended.filter(|ended| ended.on_hold) else { return Ok(None) };
    let job = world.jobs.job(account, &ended.job).await?;
    Ok(job.filter(|job| job.upload.kind == JobKind::PhoneSnapshot && job.state == JobState::OnHold))
}

/// What is kept as the snapshot in force, with its entity tag.
async fn kept(attempt: &Attempt<'_>) -> Result<Option<(InForce, String)>, StorageError> {
    let kept = attempt.world.bucket.get_tagged(&InForce::key(attempt.account())).await?;
    let read = |(bytes, tag): (_, String)| {
        let bytes: &[u8] = AsRef::<[u8]>::as_ref(&bytes);
        let in_force = stored::from_json(bytes).map_err(|error| StorageError::unreadable(PHONE_SIDE, error))?;
        Ok((in_force, tag))
    };
    kept.map(read).transpose()
}

fn told(problems: &Problems) -> String {
    let mut text = "The snapshot counts whole or not at all, so nothing was changed.".to_owned();
    for problem in problems.first.iter().take(MOST_TOLD) {
        let line = problem.line.map(|line| format!("line {line}, ")).unwrap_or_default();
        let field = problem.field.as_ref().map(|field| format!("{field}: ")).unwrap_or_default();
        text.push_str(&format!("\n{line}{} {field}{}", problem.code, problem.message));
    }
    let more = problems.more + problems.first.len().saturating_sub(MOST_TOLD);
    if more > 0 {
        text.push_str(&format!("\nAnd {more} more."));
    }
    text
}
