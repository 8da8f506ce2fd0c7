//! Histories: what people and schedules ask for, round after round. What stands in one round is asked for at once.

use bytes::Bytes;
use fastrand::Rng;
use rollcall_bulk::{
    directory_import::{
        DirectoryUser, Phone,
        request::{Chosen, Import, ImportRequest, Sync},
    },
    resync::state::ResyncRequest,
    rotation::{Only, Replacements, RotationRequest},
    undo::UndoRequest,
    upload::{InboxKey, UploadOptions},
};
use rollcall_engine::world::Versioned;
use rollcall_model::{
    caller_id::CallerId,
    inventory::{InventoryNumber, NumberFacts},
    jobs::{JobId, JobKind},
    mapping::{CrmUserId, GivenMapping, Mapping},
    settings::{PhoneSystem, Settings},
    user::{DirectoryId, LoginId, Name, Policy, Ref},
};
use simulation::{ACCOUNT, Edit, State};

use crate::chance::{self, Theme};

/// Whom a row names, and what; a number that can't be read is none.
pub type Row = (String, Vec<Option<CallerId>>);

/// What happens.
#[derive(Clone, Debug)]
pub enum Event {
    Append {
        rows: Vec<Row>,
        preview: bool,
    },
    Upload {
        rows: Vec<String>,
        preview: bool,
        /// It is dropped under the name of the file at this place.
        again: Option<usize>,
    },
    Rotate {
        pairs: Vec<(CallerId, Option<CallerId>)>,
        /// The users that it is limited to.
        only: Option<Vec<String>>,
        allow_empty: bool,
        days: Option<u16>,
        preview: bool,
    },
    /// What the job at this place of the history did is taken back.
    Undo {
        of: usize,
        preview: bool,
    },
    Resync {
        confirmed: bool,
    },
    Snapshot {
        rows: Vec<String>,
    },
    Import {
        ids: Vec<u64>,
        search: bool,
    },
    Sync {
        confirmed: bool,
    },
    /// Somebody decides about the job at this place: whether it is executed.
    Decide {
        of: usize,
        execute: bool,
    },
    /// The schedules run.
    Schedule,
    /// So many days pass.
    Wait(i64),
    Edit(Edit),
}

pub const NUMBERS: u64 = 6;
pub const USERS: u64 = 3;
pub const PEOPLE: u64 = 4;

pub fn number(n: u64) -> CallerId {
    format!("+9198765{n:05}").parse().expect("a number")
}

pub fn crm_user(n: u64) -> CrmUserId {
    CrmUserId::parse(&format!("crm{n}")).expect("a CRM user")
}

pub fn person_id(n: u64) -> DirectoryId {
    DirectoryId::parse(&format!("00000000-0000-0000-0000-{n:012}")).expect("an ID")
}

/// A history that knows no policies and no limits of lists, so that the reference can say what comes of it.
pub fn is_plain(seed: u64) -> bool {
    seed.is_multiple_of(2)
}

pub fn sales() -> Ref {
    Ref::parse("sales").expect("a department")
}

/// Rows that one job takes: in some histories few.
pub fn most_rows(seed: u64) -> u64 {
    if is_plain(seed) || !seed.is_multiple_of(3) { 1 << 20 } else { 6 }
}

pub fn happens(rng: &mut Rng, percent: u32) -> bool {
    rng.u32(0..100) < percent
}

/// How a history begins.
pub fn beginning(seed: u64) -> State {
    let (mut rng, plain) = (Rng::with_seed(seed), is_plain(seed));
    let mut state = State::default();
    let sales = sales();
    for n in 0..NUMBERS {
        // The reference says nothing of departments.
        let department = Some(sales.clone()).filter(|_| happens(&mut rng, 40) && !plain);
        let facts = NumberFacts { department, ..NumberFacts::default() };
        let item = InventoryNumber::new(number(n), facts, state.time());
        state.put_number(&item);
    }
    for n in 0..USERS {
        let login = format!("user{n}");
        state.edit(&Edit::Create(login.clone()));
        let user = &mut state.users.get_mut(&login).expect("it was created").user;
        user.caller_ids = (0..NUMBERS).filter(|_| happens(&mut rng, 30)).map(number).collect();
        if !plain && happens(&mut rng, 40) {
            user.policy = *rng.choice(&[Policy::All, Policy::Department]).expect("one of two");
        }
        user.profile.department = (!plain).then(|| sales.clone());
        // Some have been imported before.
        user.directory_id = (!plain && happens(&mut rng, 50)).then(|| person_id(n));
    }
    for n in 0..=USERS {
        let login: Option<LoginId> = Some(format!("user{n}").parse().expect("a login ID"));
        let mapping = Mapping::new(crm_user(n), GivenMapping { login, ..GivenMapping::default() }, state.time());
        state.mappings.insert(mapping.crm_user.clone(), (mapping, None));
    }
    for n in 0..PEOPLE {
        state.edit(&Edit::Person(Box::new(person(&mut rng, n))));
    }
    state.sync = (!plain).then(Versioned::default).map(|sync| Versioned { version: 1, ..sync });
    state.resync = Some(Versioned { version: 1, ..Default::default() });
    state.settings = Settings {
        recipients: vec!["ops@example.com".parse().expect("an address")],
        list_limit: if plain { 5_000 } else { rng.usize(2..6) },
        phone_system: match rng.u32(0..4) {
            0 if !plain => PhoneSystem::Snapshot,
            1 if !plain => PhoneSystem::Smartflo,
            _ => PhoneSystem::Builtin,
        },
        ..Settings::default()
    };
    state
}

pub fn person(rng: &mut Rng, n: u64) -> DirectoryUser {
    DirectoryUser {
        id: person_id(n),
        // Some have the login ID of a user who is there already.
        login: if n < 2 { format!("user{n}") } else { format!("person{n}") }.parse().expect("a login ID"),
        name: Name::parse(&format!("Person {n} {}", rng.u32(0..3))).expect("a name"),
        // Addresses are handed on.
        email: happens(rng, 60).then(|| format!("mail{}@example.com", rng.u64(0..3)).parse().expect("an address")),
        phone: Phone::None,
        designation: None,
        enabled: happens(rng, 80),
    }
}

/// The rounds that a seed gives.
pub fn rounds(seed: u64) -> Vec<Vec<Event>> {
    let mut rng = Rng::with_seed(seed ^ 0x5EED);
    let plain = is_plain(seed);
    let count = rng.usize(4..14);
    let (mut rounds, mut before) = (Vec::with_capacity(count), Vec::new());
    for _ in 0..count {
        let theme = Theme::any(&mut rng, plain);
        let at_once = if happens(&mut rng, 50) { 1 } else { rng.usize(2..6) };
        let round: Vec<Event> = (0..at_once).map(|_| chance::event(&mut rng, &before, plain, theme)).collect();
        before.extend(round.clone());
        rounds.push(round);
    }
    rounds
}

/// The name of the file that stands at this place. No name is the beginning of another.
pub fn file_name(at: usize) -> String {
    format!("e{at:04}.x")
}

/// The file of a job, and what it is dropped as; `None` for what is no job. `id` gives the job of an earlier place.
pub fn file(event: &Event, at: usize, id: impl Fn(usize) -> Option<JobId>) -> Option<(InboxKey, Bytes, UploadOptions)> {
    let mut options = UploadOptions::default();
    let (kind, bytes) = match event {
        Event::Append { rows, preview } => {
            options.preview = *preview;
            let written = |number: &Option<CallerId>| number.map_or("junk".to_owned(), |number| number.to_string());
            let row = |(login, numbers): &Row| {
                format!("{login},{}\n", numbers.iter().map(written).collect::<Vec<_>>().join(";"))
            };
            let rows: String = rows.iter().map(row).collect();
            (JobKind::AppendCallerIds, format!("Login ID,Allowed Caller ID\n{rows}").into_bytes())
        }
        Event::Upload { rows, preview, .. } => {
            let header = "Login ID,Name,Email,Allowed Caller ID,Block Web Login\n";
            options.preview = *preview;
            (JobKind::UploadUsers, format!("{header}{}\n", rows.join("\n")).into_bytes())
        }
        Event::Rotate { pairs, only, allow_empty, days, preview } => {
            let new = |(old, new): &(CallerId, Option<CallerId>)| Some((old.to_string(), (*new)?.to_string()));
            let login = |login: &String| login.parse().expect("a login ID");
            let only = only.as_ref().map(|logins| Only::Logins(logins.iter().map(login).collect()));
            let request = RotationRequest {
                retire: pairs.iter().map(|(old, _)| old.to_string()).collect(),
                replace_with: Some(Replacements::ByOld(pairs.iter().filter_map(new).collect())),
                only,
                quarantine_days: *days,
                allow_empty: *allow_empty,
                keep_departments: false,
                preview: *preview,
                file: None,
            };
            (JobKind::RotateCallerIds, request.to_json())
        }
        Event::Undo { of, preview } => {
            let job = id(*of).unwrap_or_else(|| JobId::parse(&"0".repeat(32)).expect("an ID"));
            (JobKind::Undo, UndoRequest { job, preview: *preview, allow_empty: false }.to_json())
        }
        Event::Resync { confirmed } => {
            (JobKind::MappingResync, ResyncRequest { confirmed: *confirmed, preview: false }.to_json())
        }
        Event::Snapshot { rows } => {
            let header = "Login ID,Policy,Department,Allowed Caller ID\n";
            (JobKind::PhoneSnapshot, format!("{header}{}\n", rows.join("\n")).into_bytes())
        }
        Event::Import { ids, search } => {
            let chosen = if *search {
                Chosen::Search("Person".to_owned())
            } else {
                Chosen::Ids(ids.iter().map(|n| person_id(*n)).collect())
            };
            let import = Import { chosen, role: None, relink: false, preview: false };
            (JobKind::DirectoryImport, ImportRequest::Import(import).to_json())
        }
        Event::Sync { confirmed } => {
            (JobKind::DirectoryImport, ImportRequest::Sync(Sync { confirmed: *confirmed, preview: false }).to_json())
        }
        Event::Decide { .. } | Event::Schedule | Event::Wait(_) | Event::Edit(_) => return None,
    };
    let account = ACCOUNT.parse().expect("an account");
    let extension = if bytes.starts_with(b"{") { "json" } else { "csv" };
    let place = match event {
        Event::Upload { again: Some(place), .. } => *place,
        _ => at,
    };
    let name = file_name(place).replace('x', extension);
    Some((InboxKey { account, kind, name }, bytes.into(), options))
}
