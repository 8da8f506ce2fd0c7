//! What a rotation is about, as rows: one for each number and each user who has it.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    iter,
};

use super::{Checked, Holder, Rules};
use crate::outcomes::row_key;
use rollcall_model::caller_id::CallerId;
use rollcall_tabular::{Column, Row, text::shown};

pub(super) const LOGIN: usize = 0;
pub(super) const AT: usize = 1;

/// The columns that rows are carried out by: who, and where the pair was asked for. The others are for people, and for
/// dropping what failed once more.
pub static ROWS: [Column; 2] = [
    Column { name: "Login ID", aliases: &["loginid"], required: true, takes_surplus: false },
    Column { name: "Asked At", aliases: &["askedat"], required: true, takes_surplus: false },
];

/// The rows of a rotation, its header first: for each pair one for each holder, in order; one without a user for a pair that nobody has,
/// that can't be carried out, or whose old number people dial from by their policy. `unknown` are those of the request's login IDs, by their places, whom the account doesn't
/// have.
pub fn rows<'a>(
    pairs: &'a [Checked],
    holders: &'a [Holder],
    rules: &Rules,
    unknown: &'a BTreeMap<usize, String>,
) -> impl Iterator<Item = [Cow<'a, str>; 4]> + Send + use<'a> {
    let held = Held::of(pairs, holders, rules);
    let of_pairs = pairs.iter().enumerate().flat_map(move |(place, pair)| {
        let at = Cow::Borrowed(pair.asked.at.as_str());
        let (old, new, logins) = match pair.good() {
            Some(good) => {
                // Those who dial from it by their policy have a row together.
                let together = pair.by_policy.map(|_| "");
                let each = held.by(place).map(|holder| holders[holder].login.as_str());
                let logins: Vec<&str> = together.into_iter().chain(each).collect();
                let new = good.new.map(|new| new.to_string()).unwrap_or_default();
                (good.old.to_string(), new, logins)
            }
            // What was asked for may be any text; the row must stay one that can be read.
            None => (shown(&pair.asked.old).into_owned(), shown(&pair.asked.new).into_owned(), Vec::new()),
        };
        let logins = if logins.is_empty() { vec![""] } else { logins };
        logins
            .into_iter()
            .map(move |login| [Cow::Owned(old.clone()), Cow::Owned(new.clone()), Cow::Borrowed(login), at.clone()])
    });
    let of_unknown = unknown.iter().map(|(at, login)| {
        ["".into(), "".into(), Cow::Borrowed(login.as_str()), Cow::Owned(format!("/only/logins/{at}"))]
    });
    let header = ["Old Caller ID", "New Caller ID", "Login ID", "Asked At"].map(Cow::Borrowed);
    iter::once(header).chain(of_pairs).chain(of_unknown)
}

/// Who has the number of each pair, by positions: four bytes for each number of each list.
struct Held {
    /// Where the holders of each pair begin; one entry more than there are pairs.
    starts: Vec<usize>,
    holders: Vec<u32>,
}

impl Held {
    fn of(pairs: &[Checked], holders: &[Holder], rules: &Rules) -> Self {
        // A number may be asked for by several pairs, of which the first is good.
        let mut places: HashMap<CallerId, usize> = HashMap::new();
        for (place, good) in pairs.iter().enumerate().filter_map(|(place, pair)| Some((place, pair.good()?))) {
            places.entry(good.old).or_insert(place);
        }
        let hits = || {
            let at = holders.iter().zip(0_u32..);
            let places = &places;
            at.flat_map(move |(holder, at)| {
                rules.olds_of(holder).into_iter().filter_map(|old| places.get(&old)).map(move |&place| (place, at))
            })
        };
        let mut starts = vec![0; pairs.len() + 1];
        hits().for_each(|(place, _)| starts[place + 1] += 1);
        for place in 1..starts.len() {
            starts[place] += starts[place - 1];
        }
        let mut next = starts.clone();
        let mut held = vec![0; starts[pairs.len()]];
        for (place, holder) in hits() {
            held[next[place]] = holder;
            next[place] += 1;
        }
        Self { starts, holders: held }
    }

    /// The positions of those who have the number of a pair, in order.
    fn by(&self, place: usize) -> impl Iterator<Item = usize> {
        self.holders[self.starts[place]..self.starts[place + 1]].iter().map(|&holder| holder as usize)
    }
}

/// What a row is known by, from a preview to its execution.
pub fn key(row: &Row<'_>) -> u64 {
    let cell = |column| row.value(column).unwrap_or_default();
    row_key(&[&cell(LOGIN), &cell(AT)])
}
