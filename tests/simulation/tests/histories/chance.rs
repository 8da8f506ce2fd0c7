//! What happens, as chance has it.

use fastrand::Rng;
use rollcall_model::{
    inventory::NumberState,
    user::{Policy, Ref},
};
use simulation::Edit;

use crate::history::{Event, NUMBERS, PEOPLE, USERS, crm_user, happens, number, person, person_id, sales};

/// One more than there are, who is nobody.
fn login(rng: &mut Rng) -> String {
    format!("user{}", rng.u64(0..=USERS))
}

fn any_number(rng: &mut Rng) -> rollcall_model::caller_id::CallerId {
    number(rng.u64(0..NUMBERS))
}

/// What the things of a round are about, so that they meet.
#[derive(Clone, Copy, Debug)]
pub enum Theme {
    Anything,
    Numbers,
    Mappings,
    /// In histories that aren't plain.
    People,
}

impl Theme {
    /// One of them.
    pub fn any(rng: &mut Rng, plain: bool) -> Self {
        let themes = [Self::Anything, Self::Numbers, Self::Mappings, Self::People];
        themes[rng.usize(0..if plain { 3 } else { 4 })]
    }
}

/// Something that happens after these things.
pub fn event(rng: &mut Rng, before: &[Event], plain: bool, theme: Theme) -> Event {
    let about = if plain { 2 } else { 3 };
    let theme = match theme {
        Theme::Anything => [Theme::Numbers, Theme::Mappings, Theme::People][rng.usize(0..about)],
        theme => theme,
    };
    let preview = !plain && happens(rng, 25);
    match theme {
        Theme::Numbers => match rng.u32(0..100) {
            0..14 => append(rng, preview),
            14..42 => rotate(rng, plain, preview),
            42..62 => undo(rng, before, preview),
            62..68 if !plain => Event::Schedule,
            68..71 if !plain => Event::Wait(rng.i64(1..3)),
            71..78 if !plain => Event::Edit(policies(rng)),
            78..84 if !plain => decide(rng, before),
            _ => Event::Edit(edit_of_numbers(rng, plain)),
        },
        Theme::Mappings => match rng.u32(0..100) {
            0..30 => Event::Resync { confirmed: plain || happens(rng, 80) },
            30..38 => rotate(rng, plain, preview),
            38..46 => append(rng, preview),
            46..50 if !plain => snapshot(rng),
            50..76 => Event::Edit(edit_of_mappings(rng)),
            76..90 => Event::Edit(edit_of_lists(rng)),
            90..95 => undo(rng, before, preview),
            _ => Event::Edit(edit_of_users(rng)),
        },
        Theme::Anything | Theme::People => match rng.u32(0..100) {
            0..30 => upload(rng, before, preview),
            30..38 => {
                let ids = (0..=PEOPLE).filter(|_| happens(rng, 50)).collect::<Vec<_>>();
                Event::Import { search: ids.is_empty(), ids }
            }
            38..56 => Event::Sync { confirmed: happens(rng, 70) },
            56..66 => undo(rng, before, preview),
            66..74 => decide(rng, before),
            74..90 => Event::Edit(edit_of_people(rng)),
            _ => Event::Edit(edit_of_users(rng)),
        },
    }
}

/// One of the things before, of this sort; of late ones there is more to ask.
fn earlier(rng: &mut Rng, before: &[Event], sort: impl Fn(&Event) -> bool) -> Option<usize> {
    let places: Vec<usize> = (0..before.len()).filter(|&at| sort(&before[at])).collect();
    let late = places.len().saturating_sub(3);
    let among = if happens(rng, 70) { &places[late..] } else { &places[..] };
    rng.choice(among).copied()
}

fn undo(rng: &mut Rng, before: &[Event], preview: bool) -> Event {
    let of = earlier(rng, before, |event| {
        matches!(event, Event::Append { .. } | Event::Upload { .. } | Event::Rotate { .. })
    });
    Event::Undo { of: of.unwrap_or(0), preview }
}

fn decide(rng: &mut Rng, before: &[Event]) -> Event {
    let waits = |event: &Event| match event {
        Event::Append { preview, .. }
        | Event::Upload { preview, .. }
        | Event::Rotate { preview, .. }
        | Event::Undo { preview, .. } => *preview,
        Event::Resync { confirmed } | Event::Sync { confirmed } => !confirmed,
        Event::Snapshot { .. } => true,
        _ => false,
    };
    Event::Decide { of: earlier(rng, before, waits).unwrap_or(0), execute: happens(rng, 85) }
}

fn append(rng: &mut Rng, preview: bool) -> Event {
    let number = |rng: &mut Rng| (!happens(rng, 10)).then(|| any_number(rng));
    let row = |rng: &mut Rng| {
        let numbers = (0..=rng.u32(0..3)).map(|_| number(rng)).collect();
        (login(rng), numbers)
    };
    Event::Append { rows: (0..=rng.u32(0..6)).map(|_| row(rng)).collect(), preview }
}

fn rotate(rng: &mut Rng, plain: bool, preview: bool) -> Event {
    let most = [0, 25][rng.usize(0..2)];
    let mut olds: Vec<u64> = (0..NUMBERS).filter(|_| happens(rng, most)).collect();
    olds.push(rng.u64(0..NUMBERS));
    olds.sort_unstable();
    olds.dedup();
    let mut new = || happens(rng, 65).then(|| any_number(rng));
    let pairs = olds.into_iter().map(|old| (number(old), new())).collect();
    let only = happens(rng, 15).then(|| {
        let mut logins: Vec<String> = (0..=rng.u32(0..2)).map(|_| login(rng)).collect();
        logins.sort_unstable();
        logins.dedup();
        logins
    });
    let days = (!plain && happens(rng, 35)).then_some(1);
    Event::Rotate { pairs, only, allow_empty: happens(rng, 20), days, preview }
}

fn upload(rng: &mut Rng, before: &[Event], preview: bool) -> Event {
    let row = |rng: &mut Rng| {
        let blocked = ["", "Yes", "No"][rng.usize(0..3)];
        let email = if happens(rng, 50) { format!("mail{}@example.com", rng.u64(0..3)) } else { String::new() };
        let number = any_number(rng);
        format!("{},The {},{email},{number},{blocked}", login(rng), rng.u32(0..9))
    };
    let again = earlier(rng, before, |event| matches!(event, Event::Upload { again: None, .. }));
    let again = again.filter(|_| happens(rng, 40));
    Event::Upload { rows: (0..=rng.u32(0..4)).map(|_| row(rng)).collect(), preview, again }
}

fn snapshot(rng: &mut Rng) -> Event {
    let row = |rng: &mut Rng, n: u64| format!("user{n},custom,,{}", any_number(rng));
    Event::Snapshot { rows: (0..rng.u64(1..=USERS)).map(|n| row(rng, n)).collect() }
}

fn edit_of_mappings(rng: &mut Rng) -> Edit {
    let crm_user = crm_user(rng.u64(0..=USERS));
    match rng.u32(0..10) {
        0..3 => Edit::Choose(crm_user, happens(rng, 70).then(|| login(rng))),
        3 => Edit::Unmap(crm_user),
        4..7 => Edit::Remap(crm_user, login(rng)),
        _ => Edit::Map(crm_user, login(rng)),
    }
}

fn edit_of_users(rng: &mut Rng) -> Edit {
    let login = login(rng);
    match rng.u32(0..10) {
        0..3 => Edit::Delete(login),
        3..6 => Edit::Recreate(login),
        _ => Edit::Create(login),
    }
}

fn edit_of_lists(rng: &mut Rng) -> Edit {
    let (login, number) = (login(rng), any_number(rng));
    if happens(rng, 50) { Edit::Add(login, number) } else { Edit::TakeOff(login, number) }
}

fn edit_of_numbers(rng: &mut Rng, plain: bool) -> Edit {
    let number = any_number(rng);
    match rng.u32(0..if plain { 10 } else { 13 }) {
        0..3 => {
            let states = [NumberState::Retired, NumberState::New, NumberState::Active];
            Edit::Number(number, *rng.choice(&states).expect("one of three"))
        }
        3..6 => Edit::Label(number, Ref::parse(&format!("label{}", rng.u32(0..99))).expect("a label")),
        6..10 => edit_of_lists(rng),
        10 => Edit::Number(number, NumberState::Resting),
        _ => Edit::Department(number, happens(rng, 50).then(sales)),
    }
}

fn policies(rng: &mut Rng) -> Edit {
    let policies = [Policy::All, Policy::Department, Policy::Custom];
    Edit::Policy(login(rng), *rng.choice(&policies).expect("one of three"))
}

fn edit_of_people(rng: &mut Rng) -> Edit {
    match rng.u32(0..10) {
        0..5 => {
            let n = rng.u64(0..PEOPLE);
            Edit::Person(Box::new(person(rng, n)))
        }
        5 => Edit::Gone(person_id(rng.u64(0..PEOPLE))),
        _ => Edit::Rename(login(rng), format!("Renamed {}", rng.u32(0..9))),
    }
}
