//! Versions: every change of something raises its version by one, and a change is made on condition of the version that was read.

use jiff::Timestamp;

/// The first version of something that is created now: microseconds since 1970.
///
/// A change takes longer than a microsecond, so whatever is deleted and created again under the same name never has a version
/// again that it had before. An entity tag, a plan or an undo of the former never holds for the latter.
pub fn first_version(now: Timestamp) -> u64 {
    u64::try_from(now.as_microsecond()).unwrap_or_default().max(1)
}

/// Whether what has this version was there already at that time, but for the microseconds of its changes.
pub fn existed_at(version: u64, time: Timestamp) -> bool {
    version <= first_version(time)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn what_is_created_again_begins_past_every_version_it_had() {
        let created: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let changes = 1_000_000;
        let later = created + SignedDuration::from_mins(1);
        assert!(first_version(later) > first_version(created) + changes);
        assert!(existed_at(first_version(created) + changes, later));
        assert!(!existed_at(first_version(later), created));
        // As exact as JSON's numbers are everywhere (RFC 8259, section 6).
        assert!(first_version("2200-01-01T00:00:00Z".parse().unwrap()) < 1 << 53);
    }
}
