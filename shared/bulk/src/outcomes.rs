//! What came of each row in a preview, kept for its execution to compare.

use rollcall_model::fingerprint::fingerprint;

use crate::report::RowStatus;

/// What came of rows, by their keys. A million rows take 9 MB.
#[derive(Debug, Default)]
pub struct Outcomes {
    rows: Vec<(u64, RowStatus)>,
    /// How many of them have been asked for.
    seen: u64,
}

/// Bytes of a row, as it is kept: its key and its status.
const ROW_BYTES: usize = 9;

impl Outcomes {
    /// Notes what came of a row.
    pub fn note(&mut self, key: u64, status: RowStatus) {
        self.rows.push((key, status));
    }

    /// As bytes, to be kept.
    pub fn to_bytes(mut self) -> Vec<u8> {
        self.rows.sort_unstable();
        let row = |(key, status): (u64, RowStatus)| key.to_be_bytes().into_iter().chain([status as u8]);
        self.rows.into_iter().flat_map(row).collect()
    }

    /// What [`Outcomes::to_bytes`] has made; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (rows, rest) = bytes.as_chunks::<ROW_BYTES>();
        let read = |[key @ .., status]: &[u8; ROW_BYTES]| {
            let status = RowStatus::ALL.into_iter().find(|known| *known as u8 == *status)?;
            Some((u64::from_be_bytes(*key), status))
        };
        let rows = rows.iter().map(read).collect::<Option<_>>()?;
        rest.is_empty().then_some(Self { rows, seen: 0 })
    }

    /// What came of this row; `None` when there was none of this key. Keys are asked for once each.
    pub fn ask(&mut self, key: u64) -> Option<RowStatus> {
        let at = self.rows.binary_search_by_key(&key, |&(key, _)| key).ok()?;
        self.seen += 1;
        Some(self.rows[at].1)
    }

    /// How many of the rows nobody has asked for.
    pub fn unseen(&self) -> u64 {
        self.rows.len() as u64 - self.seen
    }
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
        (0..1_000).rev().for_each(|row| outcomes.note(row * 7, status(row)));
        let mut read = Outcomes::from_bytes(&outcomes.to_bytes()).unwrap();
        for row in 0..900 {
            assert_eq!(read.ask(row * 7), Some(status(row)));
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
