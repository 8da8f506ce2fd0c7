//! What came of each row in a preview, kept for its execution to compare.

use rollcall_model::fingerprint::fingerprint;

use crate::{
    deed::{self, Deed},
    report::RowStatus,
};

/// What came of rows, by their keys. A million rows take 23 MB.
#[derive(Debug, Default)]
pub struct Outcomes {
    /// As they are kept, the key first.
    rows: Vec<[u8; ROW_BYTES]>,
    /// How many of them have been asked for.
    seen: u64,
}

/// Bytes of a row, as it is kept: its key, its status, and what was done for it.
const ROW_BYTES: usize = KEY_BYTES + 1 + deed::BYTES;
const KEY_BYTES: usize = 8;

impl Outcomes {
    /// Notes what came of a row.
    pub fn note(&mut self, key: u64, status: RowStatus, deed: Deed) {
        let mut row = [0; ROW_BYTES];
        let parts = key.to_be_bytes().into_iter().chain([status as u8]).chain(deed.to_bytes());
        row.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        self.rows.push(row);
    }

    /// As bytes, to be kept.
    pub fn to_bytes(mut self) -> Vec<u8> {
        self.rows.sort_unstable();
        self.rows.into_flattened()
    }

    /// What [`Outcomes::to_bytes`] has made; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (rows, rest) = bytes.as_chunks::<ROW_BYTES>();
        let whole = rest.is_empty() && rows.iter().all(|row| read(row).is_some());
        whole.then(|| Self { rows: rows.to_vec(), seen: 0 })
    }

    /// What came of this row; `None` when there was none of this key. Keys are asked for once each.
    pub fn ask(&mut self, key: u64) -> Option<(RowStatus, Deed)> {
        let at = self.rows.binary_search_by(|row| row[..KEY_BYTES].cmp(&key.to_be_bytes())).ok()?;
        self.seen += 1;
        read(&self.rows[at])
    }

    /// How many of the rows nobody has asked for.
    pub fn unseen(&self) -> u64 {
        self.rows.len() as u64 - self.seen
    }
}

/// What came of a row; `None` where that can't be read.
fn read(row: &[u8; ROW_BYTES]) -> Option<(RowStatus, Deed)> {
    let (status, deed) = row[KEY_BYTES..].split_first()?;
    let status = RowStatus::ALL.into_iter().find(|known| *known as u8 == *status)?;
    Some((status, Deed::from_bytes(deed)?))
}

/// The key of a row that is known by these values, in a job whose rows have no place of their own.
pub fn row_key(values: &[&str]) -> u64 {
    let hash = fingerprint(values.iter().map(|value| value.as_bytes()));
    hash.first_chunk().copied().map(u64::from_be_bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_again() {
        let mut outcomes = Outcomes::default();
        let status = |row: u64| RowStatus::ALL[usize::try_from(row).unwrap() % RowStatus::ALL.len()];
        let deed = |row: u64| {
            let mut deed = Deed::default();
            (0..row % 3).for_each(|number| deed.add(format!("+91987654321{number}").parse().unwrap()));
            deed
        };
        (0..1_000).rev().for_each(|row| outcomes.note(row * 7, status(row), deed(row)));
        let mut read = Outcomes::from_bytes(&outcomes.to_bytes()).unwrap();
        for row in 0..900 {
            assert_eq!(read.ask(row * 7), Some((status(row), deed(row))));
        }
        assert_eq!((read.ask(8), read.unseen()), (None, 100));
        assert!(Outcomes::from_bytes(&[0; ROW_BYTES + 1]).is_none());
        assert!(Outcomes::from_bytes(&[9; ROW_BYTES]).is_none());
    }

    #[test]
    fn rows_with_other_values_have_other_keys() {
        assert_eq!(row_key(&["a", "b"]), row_key(&["a", "b"]));
        assert_ne!(row_key(&["ab", ""]), row_key(&["a", "b"]));
    }
}
