//! What is read from strangers, given whatever bytes there are. The fuzzer calls these functions by the files in `targets`; the usual tests
//! call them with the corpus, and with what chance makes of it.

#![expect(clippy::missing_panics_doc, reason = "a target panics when it has found something")]

// The very files that ship, without what they are wrapped in: the fuzzer then builds in seconds.
#[path = "../../../functions/users-api/src/cursor.rs"]
mod cursor;
#[path = "../../../infra/local-stack/src/error.rs"]
mod error;
#[path = "../../../shared/engine/src/event.rs"]
mod event;
#[path = "../../../functions/users-api/src/merge_patch.rs"]
mod merge_patch;
mod stack;

mod csv_files;
#[cfg(test)]
mod tests;

pub use csv_files::{csv_differential, csv_reader};

use event::Event;
use rollcall_bulk::upload::InboxEvent;
use rollcall_model::{
    account::AccountId,
    inventory::{InventoryNumber, NumberFacts, NumberState},
    jobs::JobKind,
    numbers::{NumberReader, Reading},
    user::Name,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A written number is read the same whatever was read before it, and what is read of it reads back.
pub fn numbers(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let country = "IN".parse().expect("a country");
    let ours = [
        ours("+919876543210", Some("DID-77"), NumberState::Active),
        ours("+91987654321", Some("987654321"), NumberState::Active),
        ours("+912025550123", None, NumberState::Active),
        ours("+12025550123", Some("0 20-2555"), NumberState::Active),
        ours("+919876543211", Some("+4321"), NumberState::Retired),
    ];
    for (inventory, any) in [(&[][..], false), (&ours[..], false), (&[][..], true), (&ours[..], true)] {
        let reader = || {
            let make = if any { NumberReader::of_any } else { NumberReader::new };
            make(country, inventory)
        };
        let mut used = reader();
        for written in text.split(';') {
            let reading = used.read(written);
            assert_eq!(reader().read(written), reading, "{written:?}");
            assert_eq!(used.read(written), reading, "{written:?}");
            let Reading::Number { number, .. } = reading else { continue };
            assert_eq!(used.read(&number.to_string()), Reading::Number { number, unusual: false }, "{written:?}");
            let owned = inventory.iter().any(|item| item.number == number);
            assert!(any || inventory.is_empty() || owned, "{written:?} is not ours");
        }
    }
}

fn ours(number: &str, provider: Option<&str>, state: NumberState) -> InventoryNumber {
    let provider = provider.map(|name| Name::parse(name).expect("a name"));
    let facts = NumberFacts { state, provider, ..NumberFacts::default() };
    InventoryNumber::new(number.parse().expect("a number"), facts, jiff::Timestamp::UNIX_EPOCH)
}

/// An event is about the account and the kind of job in its object's key, or it is no event.
pub fn events(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match event::read(text, &JobKind::ALL, true) {
        Event::Notice(notice, source) => {
            assert_eq!(source.key.split('/').nth(1), Some(notice.account().as_str()));
            assert!(JobKind::ALL.map(JobKind::as_str).contains(&source.key.split('/').nth(2).expect("a kind")));
            assert_eq!(InboxEvent::from_key(&source.key), Ok(notice));
        }
        Event::Misplaced(misplaced, source) => {
            assert!(source.key.starts_with("inbox/") && InboxEvent::from_key(&source.key).is_err());
            let account = source.key.split('/').nth(1).map(|account| account.trim().to_lowercase());
            assert_eq!(account.as_deref(), Some(misplaced.upload.account.as_str()));
        }
        Event::Folder | Event::OfAnotherKind(_) | Event::Stray(_) | Event::Unreadable(_) => {}
    }
}

/// A cursor gives what it was written with, to whom it was written for; anything else gives nothing.
pub fn cursors(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (list, place) = text.split_once('\n').unwrap_or((&text, ""));
    let [ours, theirs]: [AccountId; 2] = ["acme", "other"].map(|name| name.parse().expect("an account"));
    // The API seals with HMAC; here a hash will do.
    let seal = |bytes: &[u8]| {
        let hash = Sha256::new().chain_update("key").chain_update(bytes).finalize();
        hash[..cursor::SEAL].try_into().expect("a hash is longer than a seal")
    };
    let read = |account, list: &str, cursor: &str| cursor::read::<String>(seal, account, list, cursor);
    assert_eq!(read(&ours, list, place), Err(cursor::InvalidCursor));
    let written = cursor::write(seal, &ours, list, &place);
    // Places of ours are short. A cursor that is too long is not read back, whoever wrote it.
    if place.len() < 512 {
        assert_eq!(read(&ours, list, &written), Ok(place.to_owned()));
    }
    assert_eq!(read(&theirs, list, &written), Err(cursor::InvalidCursor));
    assert_eq!(read(&ours, &format!("{list}?"), &written), Err(cursor::InvalidCursor));
}

/// A patch holds once it has been merged, and merging it again changes nothing.
pub fn merge_patch(data: &[u8]) {
    let mut values = serde_json::Deserializer::from_slice(data).into_iter::<Value>();
    let (Some(Ok(mut target)), Some(Ok(patch))) = (values.next(), values.next()) else { return };
    merge_patch::merge(&mut target, patch.clone());
    assert!(holds(&target, &patch), "{patch} in {target}");
    let once = target.clone();
    merge_patch::merge(&mut target, patch);
    assert_eq!(target, once);
}

/// Whether everything is as a patch says.
fn holds(target: &Value, patch: &Value) -> bool {
    let Value::Object(fields) = patch else { return target == patch };
    fields.iter().all(|(name, value)| match (value, target.get(name)) {
        (Value::Null, there) => there.is_none(),
        (value, Some(there)) => holds(there, value),
        (_, None) => false,
    })
}

/// A template is read, or said to be none.
pub fn templates(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        stack::template(text);
    }
}
