//! Who is to have which numbers, and what came of it.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use super::{AppendPlan, LOGIN, LoginLookup, numbers_cell, written_numbers};
use rollcall_model::{
    caller_id::CallerId,
    numbers::{NumberReader, Reading},
    user::{Policy, fold, read_login},
};
use rollcall_tabular::{Row, RowShape};

/// Index of a user in a ledger, in the order of the file.
type UserIndex = u32;
/// Index of a number in a ledger, in the order of the file.
type NumberIndex = u32;

/// What a file asks for: the first reading's result.
#[derive(Default)]
pub struct AppendRequests {
    logins: Logins,
    numbers: Vec<CallerId>,
    number_index: HashMap<CallerId, NumberIndex>,
    /// One for each number of each row; often many times the same.
    pairs: Vec<(UserIndex, NumberIndex)>,
    /// Pairs that were left when they were last put in order.
    distinct: usize,
}

/// Below this many pairs, 16 MB of them, it isn't worth looking for repeated ones.
const PAIRS_WORTH_A_LOOK: usize = 1 << 21;

impl AppendRequests {
    /// Takes one row; gives the index of the user that it names, if it names one. What is wrong with it is said when the
    /// file is read again, by [`super::judge`].
    pub fn take(&mut self, row: &Row<'_>, reader: &mut NumberReader) -> Option<usize> {
        if row.shape != RowShape::Sound {
            return None;
        }
        let cell = row.cell(LOGIN)?;
        let user = self.logins.insert(&fold(&read_login(&cell).ok()?));
        if let Some(cell) = numbers_cell(row) {
            for written in written_numbers(&cell) {
                if let Reading::Number { number, .. } = reader.read(written) {
                    let next = self.numbers.len();
                    let index = *self.number_index.entry(number).or_insert_with(|| {
                        self.numbers.push(number);
                        index_u32(next)
                    });
                    self.pairs.push((user, index));
                }
            }
        }
        if self.pairs.len() > PAIRS_WORTH_A_LOOK.max(2 * self.distinct) {
            self.drop_repeated();
        }
        Some(user as usize)
    }

    /// The index of the user with this folded login ID.
    pub(crate) fn user(&self, folded_login: &str) -> Option<usize> {
        self.logins.find(folded_login)
    }

    /// The ledger of what is wanted. Nothing has come of it yet.
    pub fn finish_reading(self) -> AppendLedger {
        let (numbers, starts) = self.by_user();
        drop(self.pairs);
        AppendLedger {
            standings: vec![None; self.logins.len()],
            logins: self.logins,
            numbers: self.numbers,
            number_index: self.number_index,
            starts,
            wanted: numbers.into_iter().map(|number| (number, NumberOutcome::Pending)).collect(),
            near: HashMap::new(),
        }
    }

    /// Drops repeated pairs, so that memory depends on what is wanted and not on how often it is said.
    fn drop_repeated(&mut self) {
        let (numbers, starts) = self.by_user();
        self.pairs.clear();
        for (user, ends) in starts.windows(2).enumerate() {
            let user = index_u32(user);
            self.pairs.extend(numbers[ends[0]..ends[1]].iter().map(|&number| (user, number)));
        }
        self.distinct = self.pairs.len();
    }

    /// The numbers that each user is to have, each once: those of one user behind those of another, with where each user's start and, at last, where all
    /// end. Counting puts the pairs of each user together in one pass, where sorting all would take twenty.
    fn by_user(&self) -> (Vec<NumberIndex>, Vec<usize>) {
        let users = self.logins.len();
        let mut starts = vec![0_usize; users + 1];
        for &(user, _) in &self.pairs {
            starts[user as usize + 1] += 1;
        }
        for user in 0..users {
            starts[user + 1] += starts[user];
        }
        let mut places = starts.clone();
        let mut numbers = vec![0; self.pairs.len()];
        for &(user, number) in &self.pairs {
            let place = &mut places[user as usize];
            numbers[*place] = number;
            *place += 1;
        }
        let (mut from, mut kept) = (0, 0);
        for end in &mut starts[1..] {
            let mine = from..*end;
            from = *end;
            numbers[mine.clone()].sort_unstable();
            let first = kept;
            for at in mine {
                if kept == first || numbers[kept - 1] != numbers[at] {
                    numbers[kept] = numbers[at];
                    kept += 1;
                }
            }
            *end = kept;
        }
        numbers.truncate(kept);
        (numbers, starts)
    }
}

/// Every user of a file with the numbers that it is to have, and what came of each.
pub struct AppendLedger {
    logins: Logins,
    numbers: Vec<CallerId>,
    number_index: HashMap<CallerId, NumberIndex>,
    /// Where each user's numbers start in `wanted`; one entry more than there are users.
    starts: Vec<usize>,
    wanted: Vec<(NumberIndex, NumberOutcome)>,
    standings: Vec<Option<LoginLookup>>,
    /// Who may have been meant by login IDs that nobody has: of few.
    near: HashMap<usize, Vec<String>>,
}

/// What came of one number for one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberOutcome {
    /// Nothing yet.
    Pending,
    /// Added by this job; no row has claimed it yet.
    Added,
    /// Added by this job, and a row further up has claimed it.
    ReportedEarlier,
    /// The user had it before.
    AlreadyPresent,
    /// The list has no room.
    LimitReached,
    /// Added by this job, and taken off again, since it was retired meanwhile.
    Retracted,
}

impl AppendLedger {
    /// Distinct login IDs of the file.
    pub fn users(&self) -> usize {
        self.standings.len()
    }

    /// The folded login ID of a user.
    pub fn login(&self, user: usize) -> &str {
        self.logins.get(user)
    }

    /// Decides for one user: `standing` and `list` are what the directory says of it now. What a plan of an earlier attempt was to add is decided
    /// again, since it may not have done so; where the file asks for more than that plan, as far as it isn't on the list.
    pub fn plan(&self, user: usize, standing: LoginLookup, list: &[CallerId], limit: usize) -> AppendPlan {
        let wanted = &self.wanted[self.starts[user]..self.starts[user + 1]];
        let asks_for_more = wanted.iter().any(|(_, fate)| *fate == NumberOutcome::Pending);
        let open = |number: &CallerId, fate| match fate {
            NumberOutcome::Pending => true,
            NumberOutcome::Added => !asks_for_more || !list.contains(number),
            _ => false,
        };
        let wanted = wanted.iter().map(|&(number, fate)| (self.numbers[number as usize], fate));
        let wanted = wanted.filter(|(number, fate)| open(number, *fate)).map(|(number, _)| number);
        AppendPlan::decide(self.login(user), standing, list, wanted, limit)
    }

    /// Whether everything about this user is known. Not so for a user of an interrupted job whose file now asks for
    /// more, because a number has come into the inventory meanwhile.
    pub fn is_decided(&self, user: usize) -> bool {
        match self.standings[user] {
            None => false,
            Some(LoginLookup::User(_)) => self.wanted[self.starts[user]..self.starts[user + 1]]
                .iter()
                .all(|(_, fate)| *fate != NumberOutcome::Pending),
            Some(_) => true,
        }
    }

    /// Keeps what came of a plan. A plan for a login ID that the file doesn't hold is of no account.
    pub fn record(&mut self, plan: &AppendPlan) {
        let Some(user) = self.logins.find(&plan.login) else { return };
        self.standings[user] = Some(plan.standing);
        if !plan.near.is_empty() {
            self.near.insert(user, plan.near.clone());
        }
        let fates = [
            (&plan.add, NumberOutcome::Added),
            (&plan.already_present, NumberOutcome::AlreadyPresent),
            (&plan.over_limit, NumberOutcome::LimitReached),
            (&plan.retracted, NumberOutcome::Retracted),
        ];
        for (numbers, fate) in fates {
            for number in numbers {
                if let Some(at) = self.position(user, *number) {
                    self.wanted[at].1 = fate;
                }
            }
        }
    }

    /// The index of the user with this folded login ID.
    pub fn user(&self, folded_login: &str) -> Option<usize> {
        self.logins.find(folded_login)
    }

    /// The policy of a user, once it is known.
    pub(crate) fn policy(&self, user: usize) -> Option<Policy> {
        match self.standings[user] {
            Some(LoginLookup::User(policy)) => Some(policy),
            _ => None,
        }
    }

    /// Who a row's login ID is, as far as it is known.
    pub(super) fn standing(&self, folded_login: &str) -> Option<(usize, Option<LoginLookup>)> {
        let user = self.logins.find(folded_login)?;
        Some((user, self.standings[user]))
    }

    /// Who may have been meant by a login ID that nobody has.
    pub(super) fn near(&self, user: usize) -> &[String] {
        self.near.get(&user).map_or(&[], Vec::as_slice)
    }

    /// What came of a number for a user. The first row that asks for an added number claims it.
    pub(super) fn claim(&mut self, user: usize, number: CallerId) -> NumberOutcome {
        let Some(at) = self.position(user, number) else { return NumberOutcome::Pending };
        let fate = self.wanted[at].1;
        if fate == NumberOutcome::Added {
            self.wanted[at].1 = NumberOutcome::ReportedEarlier;
        }
        fate
    }

    fn position(&self, user: usize, number: CallerId) -> Option<usize> {
        let index = *self.number_index.get(&number)?;
        let start = self.starts[user];
        let mine = &self.wanted[start..self.starts[user + 1]];
        mine.binary_search_by_key(&index, |&(number, _)| number).ok().map(|at| start + at)
    }
}

/// Login IDs, each once, in one piece of memory.
#[derive(Default)]
struct Logins {
    text: String,
    ends: Vec<usize>,
    index: HashTable<UserIndex>,
    hasher: DefaultHashBuilder,
}

impl Logins {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, user: usize) -> &str {
        login_at(&self.text, &self.ends, user)
    }

    fn find(&self, login: &str) -> Option<usize> {
        let same = |&user: &UserIndex| self.get(user as usize) == login;
        self.index.find(self.hasher.hash_one(login), same).map(|&user| user as usize)
    }

    fn insert(&mut self, login: &str) -> UserIndex {
        let Self { text, ends, index, hasher } = self;
        let entry = index.entry(
            hasher.hash_one(login),
            |&user| login_at(text, ends, user as usize) == login,
            |&user| hasher.hash_one(login_at(text, ends, user as usize)),
        );
        match entry {
            hashbrown::hash_table::Entry::Occupied(known) => *known.get(),
            hashbrown::hash_table::Entry::Vacant(free) => {
                let user = index_u32(ends.len());
                free.insert(user);
                text.push_str(login);
                ends.push(text.len());
                user
            }
        }
    }
}

fn login_at<'a>(text: &'a str, ends: &[usize], user: usize) -> &'a str {
    let start = if user == 0 { 0 } else { ends[user - 1] };
    &text[start..ends[user]]
}

/// Indices are half as wide as pointers, since there is one in memory for every row. A file of the largest size has far
/// fewer values than 2³².
fn index_u32(index: usize) -> u32 {
    u32::try_from(index).expect("a file holds fewer than 2^32 values")
}
