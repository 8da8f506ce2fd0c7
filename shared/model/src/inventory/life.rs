//! The states of a number, the moves between them, and the dates that follow.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// Where a number stands in its life.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, strum::IntoStaticStr, strum::EnumCount,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "snake_case")]
pub enum NumberState {
    /// Bought, and not used yet.
    New,
    /// In service.
    #[default]
    Active,
    /// In service, though somebody takes it for spam.
    Flagged,
    /// Out of service until a day.
    Resting,
    /// Out of service for good: no list takes it any more.
    Retired,
}

/// The move leads out of retirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "The number is retired, for good. If it was retired by mistake, make it \"new\" first; its life then begins anew."
)]
pub struct Retired;

impl NumberState {
    /// Every state, in the order of a life.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        [Self::New, Self::Active, Self::Flagged, Self::Resting, Self::Retired];

    /// As it stands in records.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether users may dial from such a number, whatever their policy.
    pub fn is_usable(self) -> bool {
        !matches!(self, Self::Resting | Self::Retired)
    }

    /// Whether the number is being used. A new one isn't yet, though nothing keeps users from it.
    pub fn is_in_service(self) -> bool {
        matches!(self, Self::Active | Self::Flagged)
    }

    /// Whether a number may be put from this state into that.
    ///
    /// **Every move is legal but those out of retirement**, since the states say what is so outside of here: a number is flagged on its first
    /// day, and one that was entered as active was new after all. A retired number stays so, or becomes new: that is how a
    /// retirement by mistake is mended, and it can't happen in passing.
    pub fn may_become(self, next: Self) -> bool {
        self != Self::Retired || matches!(next, Self::New | Self::Retired)
    }
}

/// Since when a number is what it is. **A number that was written before these were kept has none**; the first change of it sets those that
/// its state has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Dates {
    /// Since when it has been in its state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_since: Option<Timestamp>,
    /// Since when it has been in service without a rest, flagged or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_service_since: Option<Timestamp>,
    /// When it was flagged. Kept while it rests and when it is retired, since how long ago that was tells whether a rest has been long enough;
    /// gone when it is active again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flagged_since: Option<Timestamp>,
}

impl Dates {
    /// The dates of a number that comes to a state at this moment. `from` is where it was; `None` for one that comes into the inventory.
    pub(super) fn moved(self, from: Option<NumberState>, to: NumberState, at: Timestamp) -> Self {
        let stays = from == Some(to);
        Self {
            state_since: self.state_since.filter(|_| stays).or(Some(at)),
            in_service_since: if to.is_in_service() { self.in_service_since.or(Some(at)) } else { None },
            flagged_since: match to {
                NumberState::New | NumberState::Active => None,
                NumberState::Flagged => self.flagged_since.or(Some(at)),
                NumberState::Resting | NumberState::Retired => self.flagged_since,
            },
        }
    }

    /// Whole days in service, of 24 hours each; `None` for a number out of service.
    pub fn days_in_service(&self, now: Timestamp) -> Option<u32> {
        self.in_service_since.map(|since| whole_days(since, now))
    }

    /// Whole days since the number was flagged, of 24 hours each; `None` for one that isn't, or is active again.
    pub fn days_since_flagged(&self, now: Timestamp) -> Option<u32> {
        self.flagged_since.map(|since| whole_days(since, now))
    }
}

/// Clocks differ by moments: what seems to lie ahead is now.
fn whole_days(since: Timestamp, now: Timestamp) -> u32 {
    const DAY: i64 = SignedDuration::from_hours(24).as_secs();
    u32::try_from(now.duration_since(since).as_secs() / DAY).unwrap_or(0)
}

/// The day that it is in UTC, wherever the account's people are: one day for all, whatever their clocks and summers.
pub fn utc_day(now: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(now).date()
}
