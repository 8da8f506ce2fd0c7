//! Histories: what people and schedules ask for, round after round. What stands in one round is asked for at once.

use std::collections::BTreeMap;

use e2e::SeededRng;
use rollcall_bulk::{
    resync::state::ResyncRequest,
    rotation::{Replacements, RotationRequest},
    undo::UndoRequest,
    upload::InboxKey,
};
use rollcall_model::{
    caller_id::CallerId,
    inventory::NumberState,
    jobs::{JobId, JobKind, ObjectVersion},
    mapping::{CrmUserId, GivenMapping, Mapping},
};

/// Whom a row names, and what; a number that can't be read is none.
pub type Row = (String, Vec<Option<CallerId>>);

#[derive(Clone, Debug)]
pub enum Event {
    Append(Vec<Row>),
    Rotate {
        pairs: Vec<(CallerId, Option<CallerId>)>,
        allow_empty: bool,
    },
    /// What the job at this place of the history did is taken back.
    Undo(usize),
    TakeOff(String, CallerId),
    Create(String),
    Delete(String),
    Put(CallerId, NumberState),
    Resync,
    /// Somebody says whom of the phone system a CRM user is, or leaves it to the resync.
    Choose(CrmUserId, Option<String>),
}

pub const NUMBERS: u64 = 8;
const USERS: u64 = 4;

pub fn number(n: u64) -> CallerId {
    format!("+9198765{n:05}").parse().expect("a number")
}

/// Users, by login ID, with the lists that they begin with.
pub fn beginning(draws: &SeededRng) -> BTreeMap<String, Vec<CallerId>> {
    let list = || (0..NUMBERS).filter(|_| draws.happens(300)).map(number).collect();
    (0..USERS).map(|user| (format!("user{user}"), list())).collect()
}

/// A mapping for each user, and for one who is nobody yet.
pub fn mappings() -> impl Iterator<Item = Mapping> {
    (0..=USERS).map(|user| {
        let login = Some(format!("user{user}").parse().expect("a login ID"));
        Mapping::new(crm_user(user), GivenMapping { login, ..GivenMapping::default() })
    })
}

fn crm_user(n: u64) -> CrmUserId {
    CrmUserId::parse(&format!("crm{n}")).expect("a CRM user")
}

/// The rounds that a seed gives.
pub fn rounds(draws: &SeededRng) -> Vec<Vec<Event>> {
    let mut events = 0;
    let rounds = 3 + draws.below(6);
    let round = |_| {
        let at_once = if draws.happens(500) { 1 } else { 2 + draws.below(2) };
        let round: Vec<Event> = (0..at_once).map(|at| event(draws, events + at)).collect();
        events += at_once;
        round
    };
    (0..rounds).map(round).collect()
}

fn event(draws: &SeededRng, before: u64) -> Event {
    let any_number = || number(draws.below(NUMBERS));
    // One more than there are, who is nobody.
    let login = || format!("user{}", draws.below(USERS + 1));
    match draws.below(100) {
        0..35 => {
            let number = |_| (!draws.happens(100)).then(any_number);
            let row = |_| (login(), (0..=draws.below(3)).map(number).collect());
            Event::Append((0..=draws.below(6)).map(row).collect())
        }
        35..57 => {
            let mut olds: Vec<u64> = (0..NUMBERS).filter(|_| draws.happens(250)).collect();
            olds.push(draws.below(NUMBERS));
            olds.sort_unstable();
            olds.dedup();
            let new = || draws.happens(600).then(any_number);
            Event::Rotate {
                pairs: olds.into_iter().map(|old| (number(old), new())).collect(),
                allow_empty: draws.happens(300),
            }
        }
        57..72 if before > 0 => Event::Undo(usize::try_from(draws.below(before)).expect("a place")),
        72..79 => Event::Resync,
        79..82 => Event::Choose(crm_user(draws.below(USERS + 1)), draws.happens(700).then(login)),
        82..87 => Event::Delete(login()),
        87..92 => Event::Create(login()),
        92..96 => Event::Put(any_number(), *draws.pick(&[NumberState::Retired, NumberState::New, NumberState::Active])),
        _ => Event::TakeOff(login(), any_number()),
    }
}

/// The file of a job, and what it is dropped as; `None` for what is no job.
pub fn file(event: &Event) -> Option<(InboxKey, Vec<u8>)> {
    let (kind, name, bytes) = match event {
        Event::Append(rows) => {
            let written = |number: &Option<CallerId>| number.map_or("junk".to_owned(), |number| number.to_string());
            let row = |(login, numbers): &Row| {
                format!("{login},{}\n", numbers.iter().map(written).collect::<Vec<_>>().join(";"))
            };
            let rows: String = rows.iter().map(row).collect();
            (JobKind::AppendCallerIds, "append.csv", format!("Login ID,Allowed Caller ID\n{rows}").into_bytes())
        }
        Event::Rotate { pairs, allow_empty } => {
            let new = |(old, new): &(CallerId, Option<CallerId>)| Some((old.to_string(), (*new)?.to_string()));
            let request = RotationRequest {
                retire: pairs.iter().map(|(old, _)| old.to_string()).collect(),
                replace_with: Some(Replacements::ByOld(pairs.iter().filter_map(new).collect())),
                only: None,
                quarantine_days: None,
                allow_empty: *allow_empty,
                preview: false,
                file: None,
            };
            (JobKind::RotateCallerIds, "rotation.json", request.to_json())
        }
        Event::Undo(job) => {
            let request = UndoRequest { job: JobId::of(&source(*job)), preview: false };
            (JobKind::Undo, "undo.json", request.to_json())
        }
        Event::Resync => (JobKind::MappingResync, "resync.json", ResyncRequest { confirmed: true }.to_json()),
        _ => return None,
    };
    let account = "acme".parse().expect("an account");
    Some((InboxKey { account, kind, name: name.to_owned() }, bytes))
}

/// The file of the job at this place.
pub fn source(at: usize) -> ObjectVersion {
    ObjectVersion { bucket: "files".to_owned(), key: format!("inbox/{at}"), version: "1".to_owned(), size: 1 }
}
