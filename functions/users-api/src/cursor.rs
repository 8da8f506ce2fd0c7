//! Where the next page begins.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rollcall_model::account::AccountId;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

/// Bytes of the checksum in a cursor.
const SUM: usize = 12;

/// Writes a cursor for a list of an account. `list` says which one, with its filters: a cursor belongs to one list.
///
/// The checksum tells a cursor that was mangled, or is another list's or account's. It keeps no secret and needs none:
/// a forged one could only name a place in the forger's own account, since the account of every key comes from the token.
pub(crate) fn write(account: &AccountId, list: &str, place: &impl Serialize) -> String {
    let place = serde_json::to_vec(place).expect("a place can be written as JSON");
    let mut bytes = sum(account, list, &place).to_vec();
    bytes.extend(place);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The cursor was not given out for the list, or not of late.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotGivenOut;

/// Reads a cursor.
pub(crate) fn read<T: DeserializeOwned>(
    account: &AccountId,
    list: &str,
    cursor: Option<&str>,
) -> Result<Option<T>, NotGivenOut> {
    let Some(cursor) = cursor else { return Ok(None) };
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok();
    let place = bytes.as_deref().and_then(|bytes| bytes.split_at_checked(SUM)).and_then(|(written, place)| {
        (written == sum(account, list, place)).then(|| serde_json::from_slice(place).ok())?
    });
    place.map(Some).ok_or(NotGivenOut)
}

fn sum(account: &AccountId, list: &str, place: &[u8]) -> [u8; SUM] {
    let mut hash = Sha256::new();
    for part in [account.as_str().as_bytes(), list.as_bytes(), place] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut sum = [0; SUM];
    sum.copy_from_slice(&hash.finalize()[..SUM]);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_list_alone() {
        let [ours, theirs]: [AccountId; 2] = ["acme", "other"].map(|name| name.parse().unwrap());
        let cursor = write(&ours, "users?role=a", &"place");
        let read = |account, list: &str, cursor: &str| read::<String>(account, list, Some(cursor)).ok().flatten();
        assert_eq!(read(&ours, "users?role=a", &cursor).as_deref(), Some("place"));
        assert_eq!(read(&ours, "users?role=b", &cursor), None);
        assert_eq!(read(&theirs, "users?role=a", &cursor), None);
        for at in 0..cursor.len() {
            let mut mangled = cursor.clone().into_bytes();
            mangled[at] = if mangled[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(read(&ours, "users?role=a", &String::from_utf8(mangled).unwrap()), None);
        }
        assert_eq!(read(&ours, "users?role=a", "!"), None);
    }
}
