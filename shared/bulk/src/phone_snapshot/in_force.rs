//! Which of an account's snapshots is in force. **A snapshot whose resync held is not, until somebody says so, and an older one never takes the
//! place of a newer one**, in whichever order they are worked on.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use rollcall_model::{account::AccountId, jobs::JobId, phone_side::PhoneSide};

/// The snapshot that resyncs go by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Kept")]
pub struct InForce {
    /// Which one it is; `None` for one that was kept before this was noted, which is older than any other.
    pub of: Option<Dropped>,
    /// What it says.
    pub side: PhoneSide,
}

/// A snapshot that was dropped. They are ordered by when they were.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dropped {
    /// When the bucket took its file, in whole seconds: S3 tells no more.
    pub at: Timestamp,
    /// When its job was first taken up, which orders those of one second.
    pub taken_up: Timestamp,
    /// Its job.
    pub job: JobId,
}

/// As it is kept, now and in earlier times.
#[derive(Deserialize)]
#[serde(untagged)]
enum Kept {
    Now { of: Option<Dropped>, side: PhoneSide },
    Before(PhoneSide),
}

impl From<Kept> for InForce {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Now { of, side } => Self { of, side },
            Kept::Before(side) => Self { of: None, side },
        }
    }
}

impl InForce {
    /// Where the account's is kept.
    pub fn key(account: &AccountId) -> String {
        format!("phone-side/{account}/snapshot.json")
    }

    /// Whether `newer` may take its place.
    pub fn gives_way_to(&self, newer: &Self) -> bool {
        self.of <= newer.of
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rollcall_model::stored;

    use super::*;

    fn snapshot(at: i64, taken_up: i64) -> InForce {
        let time = |millis| Timestamp::from_millisecond(millis).unwrap();
        let job = JobId::parse(&format!("{at:016x}{taken_up:016x}")).unwrap();
        InForce { of: Some(Dropped { at: time(at), taken_up: time(taken_up), job }), side: PhoneSide::default() }
    }

    proptest! {
        #[test]
        fn in_whichever_order_snapshots_come_the_newest_is_in_force(mut times in prop::collection::vec((0..5_i64, 0..9_i64), 1..9)) {
            let mut in_force = InForce { of: None, side: PhoneSide::default() };
            for &(at, taken_up) in &times {
                let next = snapshot(at, taken_up);
                if in_force.gives_way_to(&next) {
                    in_force = next;
                }
            }
            times.sort_unstable();
            let &(at, taken_up) = times.last().unwrap();
            prop_assert_eq!(in_force, snapshot(at, taken_up));
        }
    }

    #[test]
    fn it_reads_back_also_as_it_was_kept_before() {
        let now = snapshot(1, 2);
        for json in [stored::to_json(&now), serde_json::to_string(&now).unwrap()] {
            assert_eq!(stored::from_json::<InForce>(json.as_bytes()).unwrap(), now, "{json}");
        }
        let before = serde_json::to_string(&now.side).unwrap();
        assert_eq!(stored::from_json::<InForce>(before.as_bytes()).unwrap(), InForce { of: None, side: now.side });
    }
}
