//! The account's own numbers: what is kept of each, its life, and which of them a user may dial from.

mod compliance;
mod dialable;
mod life;
mod packed;
#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    caller_id::CallerId,
    code::NumberWarning,
    jobs::JobId,
    user::{Name, Ref},
};

pub use dialable::DialableNumbers;
pub use life::{Dates, NumberState, Retired, utc_day};
pub use packed::{Inventory, Listed, Part, Standing, Unreadable};

/// Days in service that a list can be asked for. Numbers burn out in 15 to 20 days; ten years are more than any calling number lasts.
pub const DUE: RangeInclusive<u32> = 1..=3_650;

/// Labels of one number: an item of the table holds 400 KB, and a list shows all of them.
pub const MAX_LABELS: usize = 50;

/// One number that the account has bought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryNumber {
    /// In E.164 form.
    pub number: CallerId,
    /// What may be edited of it.
    #[serde(flatten)]
    pub facts: NumberFacts,
    /// What follows from the states that it has been in.
    #[serde(flatten)]
    pub dates: Dates,
    /// The rotation that is taking it out of service. Lists don't take it any more; who has it may dial from it until then.
    #[serde(default)]
    pub reserved_by: Option<JobId>,
    /// What took its place when a rotation retired it.
    #[serde(default)]
    pub replaced_by: Option<CallerId>,
    /// The rotation that brought it to the state that it is in. Gone when somebody else changes the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_by: Option<JobId>,
    /// The rotation that gave it its department, as the replacement of a number of that department. Gone when somebody else changes that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department_by: Option<JobId>,
    /// Who has it is looked for once more, since the rotation that took it out of service may have missed somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_look: Option<SecondLook>,
    /// Raised by every change. A number is never deleted, so it never begins anew.
    #[serde(default)]
    pub version: u64,
}

/// A look at everybody's list that a schedule owes a number. A rotation finds who has a number by an index that is ordered by name and
/// follows the table after some milliseconds, so whoever is renamed while it looks can be passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondLook {
    /// The first day, in UTC, on which it is due.
    pub from: Date,
    /// What comes onto a list in the number's place.
    #[serde(default)]
    pub replacement: Option<CallerId>,
}

impl InventoryNumber {
    /// A number as it comes into the inventory.
    pub fn new(number: CallerId, facts: NumberFacts, at: Timestamp) -> Self {
        let dates = Dates::default().moved(None, facts.state, at);
        Self {
            number,
            facts,
            dates,
            reserved_by: None,
            replaced_by: None,
            state_by: None,
            department_by: None,
            second_look: None,
            version: 1,
        }
    }

    /// Whether lists take it: not once it is retired, nor while a rotation is retiring it.
    pub fn is_assignable(&self) -> bool {
        self.facts.state != NumberState::Retired && self.reserved_by.is_none()
    }

    /// The number with other facts; the same, version and all, if they are no others. Another state ends what a rotation was about
    /// to do with it.
    ///
    /// # Errors
    /// [`Retired`], where the state is one that the number can't come to.
    pub fn change(&self, facts: NumberFacts, at: Timestamp) -> Result<Self, Retired> {
        if facts == self.facts {
            return Ok(self.clone());
        }
        if !self.facts.state.may_become(facts.state) {
            return Err(Retired);
        }
        let dates = self.dates.moved(Some(self.facts.state), facts.state, at);
        let stays = facts.state == self.facts.state;
        let same_department = facts.department == self.facts.department;
        Ok(Self {
            number: self.number,
            dates,
            reserved_by: self.reserved_by.clone().filter(|_| stays),
            replaced_by: self.replaced_by.filter(|_| stays),
            state_by: self.state_by.clone().filter(|_| stays && facts.resting_until == self.facts.resting_until),
            department_by: self.department_by.clone().filter(|_| same_department),
            second_look: self.second_look.filter(|_| stays),
            version: self.version + 1,
            facts,
        })
    }

    /// The number in service again, if it rests and the day has come that its rest ends, in UTC. Not while a rotation is taking it
    /// out of service.
    pub fn rested(&self, now: Timestamp) -> Option<Self> {
        let rests = self.facts.state == NumberState::Resting;
        if !rests || self.reserved_by.is_some() || self.facts.resting_until.is_none_or(|day| day > utc_day(now)) {
            return None;
        }
        let facts = NumberFacts { state: NumberState::Active, resting_until: None, ..self.facts.clone() };
        self.change(facts, now).ok()
    }

    /// The look that is due on this day, in UTC. One that is in service again needs none.
    pub fn look_due(&self, today: Date) -> Option<SecondLook> {
        self.second_look.filter(|look| look.from <= today && !self.facts.state.is_usable())
    }

    /// The first day on which a schedule has something to do with the number. A reservation is looked at in each round: the rotation may have
    /// been given up.
    pub fn due(&self) -> Option<Date> {
        let reserved = self.reserved_by.as_ref().map(|_| Date::constant(1970, 1, 1));
        [reserved, self.facts.resting_until, self.second_look.map(|look| look.from)].into_iter().flatten().min()
    }

    /// What may be wrong with calls from it, by the rules of its country. It keeps nobody from using it.
    pub fn warning(&self) -> Option<NumberWarning> {
        compliance::judge(self.number, self.facts.purpose)
    }

    /// Whether it has been in service for so many days or longer. One that was kept before its dates were is never due; a change
    /// of it dates it.
    pub fn is_due(&self, days: u32, now: Timestamp) -> bool {
        self.dates.days_in_service(now).is_some_and(|served| served >= days)
    }
}

/// What may be edited of a number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberFacts {
    /// How the provider writes it, where that is not the E.164 form. A file may use this spelling, even if no
    /// numbering plan knows it: Smartflo's own sample numbers have nine digits.
    #[serde(default)]
    pub provider: Option<Name>,
    /// Where it stands in its life.
    #[serde(default)]
    pub state: NumberState,
    /// Until which day it rests, in UTC: on that day it is back in service. Set for a resting number, and for no other.
    #[serde(default)]
    pub resting_until: Option<Date>,
    /// The department that it belongs to, by ID.
    #[serde(default)]
    pub department: Option<Ref>,
    /// How far the provider vouches for calls from it.
    #[serde(default)]
    pub attestation: Option<Attestation>,
    /// What calls from it are about.
    #[serde(default)]
    pub purpose: Option<Purpose>,
    /// Words to find it by.
    #[serde(default)]
    pub labels: Vec<Ref>,
}

impl NumberFacts {
    /// Whether a day of rest is said just where there is one.
    pub fn is_consistent(&self) -> bool {
        self.resting_until.is_some() == (self.state == NumberState::Resting)
    }
}

/// What a provider attests when it signs a call: STIR/SHAKEN's levels (ATIS-1000074, section 5.2.3; RFC 8588). Networks show calls
/// with less than `A` as doubtful sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, strum::IntoStaticStr, strum::EnumString)]
pub enum Attestation {
    /// Full: it knows the customer, and that the customer may use the number.
    A,
    /// Partial: it knows the customer.
    B,
    /// Gateway: it knows where the call came from.
    C,
}

/// What calls from a number are about, as India's rules part them (TRAI, Telecom Commercial Communications Customer Preference
/// Regulations, 2018).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, strum::IntoStaticStr, strum::EnumString)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Purpose {
    /// Something is advertised or offered, if only among other things.
    Promotional,
    /// About what a customer has already: service and transactions.
    Service,
    /// Not commercial.
    Other,
}

impl Purpose {
    /// As it stands in records.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Attestation {
    /// As it stands in records.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
