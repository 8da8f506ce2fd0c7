//! A part of a packed inventory.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    super::{Attestation, Dates, InventoryNumber, NumberFacts, NumberState, Purpose, SecondLook},
    Listed,
};
use crate::{
    caller_id::CallerId,
    jobs::JobId,
    phone_side::DialPermission,
    user::{Name, Policy, Ref},
};

/// Some of an account's numbers, in order: what is packed and stored together.
///
/// What many numbers have in common is held once, and each number refers to it. So a number takes about 20 bytes here, and some 5
/// where it is packed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    numbers: Vec<CallerId>,
    versions: Vec<u64>,
    standings: Shared<Standing>,
    dates: Shared<Dates>,
    providers: BTreeMap<CallerId, Name>,
    replacements: BTreeMap<CallerId, CallerId>,
    looks: BTreeMap<CallerId, SecondLook>,
}

/// What numbers often have in common, but for their dates.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Standing {
    /// Where they stand in their life.
    pub state: NumberState,
    /// Until which day they rest.
    pub resting_until: Option<Date>,
    /// The department that they belong to, by ID.
    pub department: Option<Ref>,
    /// How far the provider vouches for calls from them.
    pub attestation: Option<Attestation>,
    /// What calls from them are about.
    pub purpose: Option<Purpose>,
    /// Words to find them by.
    pub labels: Vec<Ref>,
    /// See [`InventoryNumber::reserved_by`].
    pub reserved_by: Option<JobId>,
    /// See [`InventoryNumber::state_by`].
    pub state_by: Option<JobId>,
    /// See [`InventoryNumber::department_by`].
    pub department_by: Option<JobId>,
}

/// Values by position, each distinct one held once.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shared<T> {
    values: Vec<T>,
    /// For each position, which value it has.
    at: Vec<u32>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { values: Vec::new(), at: Vec::new() }
    }
}

impl<T: Clone + Eq + Hash> Shared<T> {
    fn of(all: impl Iterator<Item = T>) -> Self {
        let mut known: HashMap<T, u32> = HashMap::new();
        let mut shared = Self::default();
        for value in all {
            let next = u32::try_from(shared.values.len()).expect("fewer values than numbers, which fit into memory");
            let at = *known.entry(value).or_insert_with_key(|value| {
                shared.values.push(value.clone());
                next
            });
            shared.at.push(at);
        }
        shared
    }

    fn get(&self, position: usize) -> &T {
        &self.values[self.at[position] as usize]
    }

    /// Whether every position has a value, for `count` positions.
    fn is_whole(&self, count: usize) -> bool {
        self.at.len() == count && self.at.iter().all(|at| (*at as usize) < self.values.len())
    }
}

/// What is packed can't be read: it was written by another version of the software, or isn't ours.
#[derive(Debug, thiserror::Error)]
#[error("a part of the packed inventory can't be read")]
pub struct Unreadable;

/// How parts are packed. Another form gets another number, and whoever doesn't know it reads the items instead.
const FORM: u8 = 1;

/// A part on its way to and from bytes.
#[derive(Serialize, Deserialize)]
struct Packed {
    form: u8,
    /// The first number, then how far each is from the one before.
    steps: Vec<u64>,
    versions: Vec<u64>,
    standings: (Vec<Standing>, Vec<u32>),
    dates: (Vec<[Option<Moment>; 3]>, Vec<u32>),
    providers: Vec<(u64, Name)>,
    replacements: Vec<(u64, u64)>,
    looks: Vec<(u64, Date, Option<u64>)>,
}

/// Seconds since 1970 and nanoseconds.
type Moment = (i64, i32);

impl Part {
    /// A part that holds these numbers, whatever their order.
    pub fn of(mut numbers: Vec<InventoryNumber>) -> Self {
        numbers.sort_unstable_by_key(|item| item.number);
        Self {
            standings: Shared::of(numbers.iter().map(Standing::of)),
            dates: Shared::of(numbers.iter().map(|item| item.dates)),
            versions: numbers.iter().map(|item| item.version).collect(),
            providers: numbers.iter().filter_map(|item| Some((item.number, item.facts.provider.clone()?))).collect(),
            replacements: numbers.iter().filter_map(|item| Some((item.number, item.replaced_by?))).collect(),
            looks: numbers.iter().filter_map(|item| Some((item.number, item.second_look?))).collect(),
            numbers: numbers.into_iter().map(|item| item.number).collect(),
        }
    }

    /// How many numbers it holds.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Two parts with half of the numbers each.
    pub fn halves(&self) -> [Self; 2] {
        let mut numbers: Vec<InventoryNumber> = (0..self.len()).map(|at| self.whole(at)).collect();
        let upper = numbers.split_off(numbers.len() / 2);
        [Self::of(numbers), Self::of(upper)]
    }

    /// The part with other numbers in the places of some; `None` for one that is gone. They belong to this part.
    #[must_use]
    pub fn changed(&self, changes: Vec<(CallerId, Option<InventoryNumber>)>) -> Self {
        let mut numbers: BTreeMap<CallerId, InventoryNumber> =
            (0..self.len()).map(|at| (self.numbers[at], self.whole(at))).collect();
        for (number, item) in changes {
            match item {
                Some(item) => drop(numbers.insert(number, item)),
                None => drop(numbers.remove(&number)),
            }
        }
        Self::of(numbers.into_values().collect())
    }

    /// The first number.
    pub fn first(&self) -> Option<CallerId> {
        self.numbers.first().copied()
    }

    /// Bytes that it takes in memory, nearly.
    pub fn bytes(&self) -> usize {
        /// Of a value that is held once, with its texts.
        const VALUE: usize = 256;
        let values = self.standings.values.len() + self.dates.values.len();
        let rare = self.providers.len() + self.replacements.len() + self.looks.len();
        self.len() * 24 + values * VALUE + rare * VALUE / 2
    }

    /// As bytes.
    ///
    /// # Panics
    /// When there is no memory left.
    pub fn pack(&self) -> Vec<u8> {
        let mut before = 0;
        let steps = self.numbers.iter().map(|number| {
            let step = number.get() - before;
            before = number.get();
            step
        });
        let moment = |at: Option<Timestamp>| at.map(|at| (at.as_second(), at.subsec_nanosecond()));
        let dates = |dates: &Dates| [dates.state_since, dates.in_service_since, dates.flagged_since].map(moment);
        let packed = Packed {
            form: FORM,
            steps: steps.collect(),
            versions: self.versions.clone(),
            standings: (self.standings.values.clone(), self.standings.at.clone()),
            dates: (self.dates.values.iter().map(dates).collect(), self.dates.at.clone()),
            providers: self.providers.iter().map(|(number, name)| (number.get(), name.clone())).collect(),
            replacements: self.replacements.iter().map(|(number, other)| (number.get(), other.get())).collect(),
            looks: self
                .looks
                .iter()
                .map(|(number, look)| (number.get(), look.from, look.replacement.map(CallerId::get)))
                .collect(),
        };
        postcard::to_allocvec(&packed).expect("plain values are packed into memory")
    }

    /// What [`Self::pack`] has packed.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn unpack(bytes: &[u8]) -> Result<Self, Unreadable> {
        // The form comes first, since what follows is read by it.
        if bytes.first() != Some(&FORM) {
            return Err(Unreadable);
        }
        let packed: Packed = postcard::from_bytes(bytes).map_err(|_| Unreadable)?;
        let number = |digits: u64| CallerId::from_digits(&digits.to_string()).map_err(|_| Unreadable);
        let mut digits = 0_u64;
        let mut numbers = Vec::with_capacity(packed.steps.len());
        for (at, step) in packed.steps.into_iter().enumerate() {
            digits = digits.checked_add(step).filter(|_| at == 0 || step > 0).ok_or(Unreadable)?;
            numbers.push(number(digits)?);
        }
        let moment = |at: Option<Moment>| {
            at.map(|(seconds, nanoseconds)| Timestamp::new(seconds, nanoseconds)).transpose().map_err(|_| Unreadable)
        };
        let dates = |[state, service, flagged]: [Option<Moment>; 3]| {
            let dates = Dates {
                state_since: moment(state)?,
                in_service_since: moment(service)?,
                flagged_since: moment(flagged)?,
            };
            Ok::<_, Unreadable>(dates)
        };
        let replacement = |(of, by)| Ok::<_, Unreadable>((number(of)?, number(by)?));
        let look = |(of, from, replacement): (_, _, Option<u64>)| {
            Ok::<_, Unreadable>((number(of)?, SecondLook { from, replacement: replacement.map(number).transpose()? }))
        };
        let part = Self {
            standings: Shared { values: packed.standings.0, at: packed.standings.1 },
            dates: Shared {
                values: packed.dates.0.into_iter().map(dates).collect::<Result<_, _>>()?,
                at: packed.dates.1,
            },
            versions: packed.versions,
            providers: packed
                .providers
                .into_iter()
                .map(|(of, name)| Ok::<_, Unreadable>((number(of)?, name)))
                .collect::<Result<_, _>>()?,
            replacements: packed.replacements.into_iter().map(replacement).collect::<Result<_, _>>()?,
            looks: packed.looks.into_iter().map(look).collect::<Result<_, _>>()?,
            numbers,
        };
        let count = part.len();
        let whole = part.versions.len() == count && part.standings.is_whole(count) && part.dates.is_whole(count);
        if whole { Ok(part) } else { Err(Unreadable) }
    }

    pub(super) fn find(&self, number: CallerId) -> Option<usize> {
        self.numbers.binary_search(&number).ok()
    }

    /// The last number.
    pub(super) fn last(&self) -> Option<CallerId> {
        self.numbers.last().copied()
    }

    /// The lowest number that is no lower than these digits.
    pub(super) fn at_least(&self, digits: u64) -> Option<CallerId> {
        self.numbers.get(self.numbers.partition_point(|number| number.get() < digits)).copied()
    }

    /// The numbers whose provider spells them in a way of its own.
    pub(super) fn providers(&self) -> impl Iterator<Item = (&CallerId, &Name)> {
        self.providers.iter()
    }

    pub(super) fn listed(&self, at: usize) -> Listed<'_> {
        Listed { number: self.numbers[at], standing: self.standings.get(at), dates: self.dates.get(at) }
    }

    pub(super) fn whole(&self, at: usize) -> InventoryNumber {
        let Listed { number, standing, dates } = self.listed(at);
        let standing = standing.clone();
        InventoryNumber {
            number,
            facts: NumberFacts {
                provider: self.providers.get(&number).cloned(),
                state: standing.state,
                resting_until: standing.resting_until,
                department: standing.department,
                attestation: standing.attestation,
                purpose: standing.purpose,
                labels: standing.labels,
            },
            dates: *dates,
            reserved_by: standing.reserved_by,
            replaced_by: self.replacements.get(&number).copied(),
            state_by: standing.state_by,
            department_by: standing.department_by,
            second_look: self.looks.get(&number).copied(),
            version: self.versions[at],
        }
    }

    /// The numbers whose standing is like this, in order.
    pub(super) fn standing(&self, like: impl Fn(&Standing) -> bool) -> impl Iterator<Item = CallerId> {
        // Asked once for each standing, and not for each number.
        let like: Vec<bool> = self.standings.values.iter().map(like).collect();
        let each = self.numbers.iter().zip(&self.standings.at);
        each.filter(move |(_, at)| like[**at as usize]).map(|(number, _)| *number)
    }
}

impl Standing {
    fn of(item: &InventoryNumber) -> Self {
        let facts = &item.facts;
        Self {
            state: facts.state,
            resting_until: facts.resting_until,
            department: facts.department.clone(),
            attestation: facts.attestation,
            purpose: facts.purpose,
            labels: facts.labels.clone(),
            reserved_by: item.reserved_by.clone(),
            state_by: item.state_by.clone(),
            department_by: item.department_by.clone(),
        }
    }

    /// Whether lists take such a number: see [`InventoryNumber::is_assignable`].
    pub fn is_assignable(&self) -> bool {
        self.state != NumberState::Retired && self.reserved_by.is_none()
    }

    /// Whether somebody with this permission, by policy, may dial from such a number.
    pub(super) fn is_allowed(&self, permission: &DialPermission) -> bool {
        self.state.is_usable()
            && match permission.policy {
                Policy::All => true,
                Policy::Department => permission.department.is_some() && self.department == permission.department,
                Policy::Custom => false,
            }
    }
}
