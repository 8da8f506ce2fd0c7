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

/// Something that happens when there are so many places before it. What is only in histories that aren't plain is the more frequent
/// there.
pub fn event(rng: &mut Rng, before: usize, plain: bool) -> Event {
    let preview = !plain && happens(rng, 25);
    match rng.u32(0..if plain { 100 } else { 160 }) {
        0..20 => append(rng, preview),
        20..40 => rotate(rng, plain, preview),
        40..58 if before > 0 => Event::Undo { of: rng.usize(0..before), preview },
        58..66 => Event::Resync { confirmed: plain || happens(rng, 70) },
        66..92 => Event::Edit(edit(rng)),
        100..114 if !plain => upload(rng, before, preview),
        114..117 if !plain => snapshot(rng),
        117..122 if !plain => {
            let ids = (0..=PEOPLE).filter(|_| happens(rng, 50)).collect::<Vec<_>>();
            Event::Import { search: ids.is_empty(), ids }
        }
        122..130 if !plain => Event::Sync { confirmed: happens(rng, 70) },
        130..138 if !plain && before > 0 => {
            // Of what was asked for of late there is more to decide.
            let of = before.saturating_sub(1 + rng.usize(0..4));
            Event::Decide { of, execute: happens(rng, 85) }
        }
        138..143 if !plain => Event::Schedule,
        143..147 if !plain => Event::Wait(rng.i64(1..3)),
        147..160 if !plain => Event::Edit(rare_edit(rng)),
        _ => Event::Edit(Edit::TakeOff(login(rng), any_number(rng))),
    }
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

fn upload(rng: &mut Rng, before: usize, preview: bool) -> Event {
    let row = |rng: &mut Rng| {
        let blocked = ["", "Yes", "No"][rng.usize(0..3)];
        let email = if happens(rng, 50) { format!("mail{}@example.com", rng.u64(0..3)) } else { String::new() };
        let number = any_number(rng);
        format!("{},The {},{email},{number},{blocked}", login(rng), rng.u32(0..9))
    };
    let again = (before > 0 && happens(rng, 35)).then(|| before.saturating_sub(1 + rng.usize(0..3)));
    Event::Upload { rows: (0..=rng.u32(0..4)).map(|_| row(rng)).collect(), preview, again }
}

fn snapshot(rng: &mut Rng) -> Event {
    let row = |rng: &mut Rng, n: u64| format!("user{n},custom,,{}", any_number(rng));
    Event::Snapshot { rows: (0..rng.u64(1..=USERS)).map(|n| row(rng, n)).collect() }
}

/// What people do in every history.
fn edit(rng: &mut Rng) -> Edit {
    match rng.u32(0..26) {
        0..3 => {
            let crm_user = crm_user(rng.u64(0..=USERS));
            Edit::Choose(crm_user, happens(rng, 70).then(|| login(rng)))
        }
        3..5 => Edit::Unmap(crm_user(rng.u64(0..=USERS))),
        5..7 => Edit::Map(crm_user(rng.u64(0..=USERS)), login(rng)),
        7..10 => Edit::Delete(login(rng)),
        10..13 => Edit::Create(login(rng)),
        13..17 => {
            let states = [NumberState::Retired, NumberState::New, NumberState::Active];
            Edit::Number(any_number(rng), *rng.choice(&states).expect("one of three"))
        }
        17..21 => Edit::Label(any_number(rng), Ref::parse(&format!("label{}", rng.u32(0..99))).expect("a label")),
        _ => Edit::Add(login(rng), any_number(rng)),
    }
}

/// What people do in histories that aren't plain.
fn rare_edit(rng: &mut Rng) -> Edit {
    match rng.u32(0..14) {
        0..4 => {
            let n = rng.u64(0..PEOPLE);
            Edit::Person(Box::new(person(rng, n)))
        }
        4 => Edit::Gone(person_id(rng.u64(0..PEOPLE))),
        5..8 => Edit::Rename(login(rng), format!("Renamed {}", rng.u32(0..9))),
        8..10 => Edit::Department(any_number(rng), happens(rng, 50).then(sales)),
        10 => Edit::Number(any_number(rng), NumberState::Resting),
        _ => {
            let policies = [Policy::All, Policy::Department, Policy::Custom];
            Edit::Policy(login(rng), *rng.choice(&policies).expect("one of three"))
        }
    }
}
