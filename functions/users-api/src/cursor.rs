//! Where the next page begins.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rollcall_model::account::AccountId;
use serde::{Serialize, de::DeserializeOwned};

/// Bytes of the seal in a cursor: 128 bits, which nobody guesses.
pub(crate) const SEAL: usize = 16;
/// Longest cursor that is read, in characters. The longest place is a user's: a name and a login ID, as JSON and in base64.
const MAX_CURSOR: usize = 8 * 1024;

/// Writes a cursor for a list of an account. `list` says which one, with its filters: a cursor belongs to one list, and nobody but us can
/// write one. `seal` is a keyed hash.
pub(crate) fn write(
    seal: impl Fn(&[u8]) -> [u8; SEAL],
    account: &AccountId,
    list: &str,
    place: &impl Serialize,
) -> String {
    let place = serde_json::to_vec(place).expect("a place can be written as JSON");
    let mut bytes = seal(&sealed(account, list, &place)).to_vec();
    bytes.extend(place);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The cursor was not given out for the list, or not of late.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InvalidCursor;

/// Reads a cursor.
pub(crate) fn read<T: DeserializeOwned>(
    seal: impl Fn(&[u8]) -> [u8; SEAL],
    account: &AccountId,
    list: &str,
    cursor: &str,
) -> Result<T, InvalidCursor> {
    if cursor.len() > MAX_CURSOR {
        return Err(InvalidCursor);
    }
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| InvalidCursor)?;
    let (written, place) = bytes.split_at_checked(SEAL).ok_or(InvalidCursor)?;
    // Every byte is compared, so that the time says nothing of where they differ.
    let expected = seal(&sealed(account, list, place));
    let differs = written.iter().zip(&expected).fold(0, |differs, (one, other)| differs | (one ^ other));
    if differs != 0 {
        return Err(InvalidCursor);
    }
    serde_json::from_slice(place).map_err(|_| InvalidCursor)
}

/// What is sealed: lengths first, so that no two triples run together into the same bytes.
fn sealed(account: &AccountId, list: &str, place: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    for part in [account.as_str().as_bytes(), list.as_bytes(), place] {
        all.extend((part.len() as u64).to_be_bytes());
        all.extend(part);
    }
    all
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    /// Enough for tests: on the way to the API it is HMAC.
    fn seal(key: &'static str) -> impl Fn(&[u8]) -> [u8; SEAL] + Copy {
        move |bytes| {
            let hash = Sha256::new().chain_update(key).chain_update(bytes).finalize();
            hash[..SEAL].try_into().expect("a hash is longer than a seal")
        }
    }

    #[test]
    fn a_cursor_is_good_for_its_own_list_alone_and_nobody_else_writes_one() {
        let [ours, theirs]: [AccountId; 2] = ["acme", "other"].map(|name| name.parse().unwrap());
        let seal = (seal("key"), seal("another"));
        let cursor = write(seal.0, &ours, "users?role=a", &"place");
        let read = |account, list: &str, cursor: &str| read::<String>(seal.0, account, list, cursor).ok();
        assert_eq!(read(&ours, "users?role=a", &cursor).as_deref(), Some("place"));
        assert_eq!(read(&ours, "users?role=b", &cursor), None);
        assert_eq!(read(&theirs, "users?role=a", &cursor), None);
        assert_eq!(read(&ours, "users?role=a", &write(seal.1, &ours, "users?role=a", &"place")), None);
        for at in 0..cursor.len() {
            let mut mangled = cursor.clone().into_bytes();
            mangled[at] = if mangled[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(read(&ours, "users?role=a", &String::from_utf8(mangled).unwrap()), None);
        }
        let long = write(seal.0, &ours, "users?role=a", &"x".repeat(MAX_CURSOR));
        for cursor in ["", "!", "AAAA", &long] {
            assert_eq!(read(&ours, "users?role=a", cursor), None);
        }
    }
}
