//! Records as the table and the bucket keep them: JSON that names the version of its shape.
//!
//! What is stored outlives the code that has written it. Within a version, fields may come that have a default; whatever else changes
//! raises the version, and [`from_json`] then tells the older shape by it.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The version of the shapes that are written now. A record without one is of the first.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Versioned<'a, T> {
    schema: u32,
    #[serde(flatten)]
    record: &'a T,
}

#[derive(Deserialize)]
struct Header {
    #[serde(default = "first")]
    schema: u32,
}

/// The version of a record that names none.
pub fn first() -> u32 {
    1
}

/// A record was written by a later version of the code, which alone knows its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is stored in version {0} of its shape, and this code reads {SCHEMA} at most")]
pub struct LaterSchema(u32);

/// Whether a record of this version can be read.
///
/// # Errors
/// [`LaterSchema`]
pub fn check(schema: u32) -> Result<(), LaterSchema> {
    if schema <= SCHEMA { Ok(()) } else { Err(LaterSchema(schema)) }
}

/// A record as it is stored. It must be an object of JSON.
#[expect(
    clippy::missing_panics_doc,
    reason = "records are made of strings, numbers and lists: nothing that JSON can't say"
)]
pub fn to_json<T: Serialize>(record: &T) -> String {
    serde_json::to_string(&Versioned { schema: SCHEMA, record }).expect("a record can be written as JSON")
}

/// Reads a record. One that [`to_json`] has written in this version is read once; any other is first looked through for its version.
///
/// # Errors
/// When it is not of its shape, or was written by a later version of the code.
pub fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, serde_json::Error> {
    if !begins_with_this_version(json) {
        let Header { schema } = serde_json::from_slice(json)?;
        check(schema).map_err(serde::de::Error::custom)?;
    }
    serde_json::from_slice(json)
}

/// Inventories have hundreds of thousands of records, and snapshots a hundred megabytes: the version is told by how the text begins.
fn begins_with_this_version(json: &[u8]) -> bool {
    const BEGINNING: &[u8] = b"{\"schema\":1";
    const { assert!(SCHEMA == 1, "the beginning names the version") };
    json.strip_prefix(BEGINNING).is_some_and(|rest| matches!(rest.first(), Some(b',' | b'}')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn a_record_names_its_version_and_one_of_a_later_version_is_not_guessed_at() {
        let settings = Settings { list_limit: 7, ..Settings::default() };
        let json = to_json(&settings);
        assert!(json.starts_with("{\"schema\":1,"), "{json}");
        assert_eq!(from_json::<Settings>(json.as_bytes()).unwrap(), settings);
        let later = json.replace("\"schema\":1", "\"schema\":2");
        let refused = from_json::<Settings>(later.as_bytes()).unwrap_err().to_string();
        assert!(refused.contains("version 2"), "{refused}");
    }

    #[test]
    fn what_is_written_now_is_known_by_its_beginning_and_nothing_else_is() {
        assert!(begins_with_this_version(to_json(&Settings::default()).as_bytes()));
        for other in [
            "{}",
            "{\"schema\":2}",
            "{\"schema\":10}",
            "{\"schema\":1",
            " {\"schema\":1}",
            "{\"list_limit\":7,\"schema\":1}",
        ] {
            assert!(!begins_with_this_version(other.as_bytes()), "{other}");
        }
        let refused = from_json::<Settings>(b"{\"schema\":10}").unwrap_err().to_string();
        assert!(refused.contains("version 10"), "{refused}");
    }
}
