//! Users' lists in memory, and how much the table that is played takes.

use std::{collections::BTreeSet, time::Instant};

use rollcall_model::caller_id::CallerId;

/// How the table behaves.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Behaviour {
    /// Writes that it takes a second; `None` without limit. What was not used within a second is lost.
    pub(crate) writes_per_second: Option<f64>,
    /// Writes that are put off by chance, of a thousand.
    pub(crate) throttled: u64,
    /// Answers that are lost after the request was carried out, of a thousand.
    pub(crate) dropped: u64,
}

/// What was asked and what came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Served {
    /// Users read.
    pub(crate) reads: u64,
    /// Writes that were carried out, also of what was there already.
    pub(crate) writes: u64,
    /// What they cost: a unit for each started kilobyte of an item, as on AWS.
    pub(crate) write_units: u64,
    /// Writes that were put off.
    pub(crate) throttled: u64,
    /// When the first write was asked for, and when the last was carried out.
    span: Option<(Instant, Instant)>,
}

impl Served {
    /// Seconds from the first write that was asked for to the last that was carried out.
    pub(crate) fn seconds(&self) -> f64 {
        self.span.map_or(0.0, |(first, last)| last.duration_since(first).as_secs_f64())
    }
}

/// What came of a write.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Write {
    Done,
    /// There is no such user, or the list has no room.
    Refused,
    PutOff,
}

/// The users' lists.
pub(super) struct Lists {
    /// In the order of the users, who are numbered from 1.
    of_users: Vec<BTreeSet<CallerId>>,
    pub(super) behaviour: Behaviour,
    pub(super) served: Served,
    /// What the table still takes, as of a moment.
    tokens: (f64, Instant),
}

/// An item without its list: more than the names and values of a user with a name, an address and a department.
const PROFILE_BYTES: usize = 400;
/// A number on a list: "+" and twelve digits.
const NUMBER_BYTES: usize = 13;

impl Default for Lists {
    fn default() -> Self {
        Self::new(0, Behaviour::default())
    }
}

impl Lists {
    pub(super) fn new(users: usize, behaviour: Behaviour) -> Self {
        let of_users = vec![BTreeSet::new(); users];
        // Empty at first, so that no burst flatters the rate.
        Self { of_users, behaviour, served: Served::default(), tokens: (0.0, Instant::now()) }
    }

    pub(super) fn read(&mut self, user: usize) -> Option<&BTreeSet<CallerId>> {
        self.served.reads += 1;
        self.of_users.get(user.checked_sub(1)?)
    }

    pub(super) fn add(&mut self, user: Option<usize>, numbers: &[CallerId], room: Option<usize>) -> Write {
        let now = Instant::now();
        let (first, _) = *self.served.span.get_or_insert((now, now));
        let list = user.and_then(|user| self.of_users.get_mut(user.checked_sub(1)?));
        let Some(list) = list else { return Write::Refused };
        if room.is_some_and(|room| list.len() > room) {
            return Write::Refused;
        }
        let bytes = PROFILE_BYTES + NUMBER_BYTES * (list.len() + numbers.len());
        let units = bytes.div_ceil(1_024);
        if let Some(rate) = self.behaviour.writes_per_second {
            let cost = crate::count(units);
            let (left, at) = self.tokens;
            let left = (left + now.duration_since(at).as_secs_f64() * rate).min(rate);
            self.tokens = (if left < cost { left } else { left - cost }, now);
            if left < cost {
                return self.throttled();
            }
        }
        list.extend(numbers);
        self.served.writes += 1;
        self.served.write_units += units as u64;
        self.served.span = Some((first, now));
        Write::Done
    }

    pub(super) fn throttled(&mut self) -> Write {
        let now = Instant::now();
        self.served.span.get_or_insert((now, now));
        self.served.throttled += 1;
        Write::PutOff
    }

    pub(super) fn numbers(&self) -> usize {
        self.of_users.iter().map(BTreeSet::len).sum()
    }
}
