//! What came of each user, and of each row.

use std::collections::{HashMap, HashSet};

use super::{
    ByPolicy, COLUMNS, Checked, NEW, OLD, Pair, PairVerdict, RotationPlan, Rules,
    rows::{AT, LOGIN, ROWS, key},
};
use crate::{
    bulk_job::BulkJob,
    deed::Deed,
    left_out::LeftOut,
    report::{Judgement, Remark, RowStatus},
};
use rollcall_model::{
    caller_id::CallerId,
    code::{RowCode, Warning},
};
use rollcall_tabular::{Row, Schema};

/// The pairs of a rotation, the users of its rows, and what came of each.
pub struct RotationLedger {
    pairs: Vec<Checked>,
    /// Where each pair was asked for.
    places: HashMap<String, usize>,
    logins: Vec<String>,
    index: HashMap<String, usize>,
    came: Vec<Option<Came>>,
    /// Numbers that somebody keeps, each with how many keep it.
    kept: HashMap<CallerId, usize>,
    /// Numbers that stay in service for those who dial by a policy.
    kept_for_policies: HashSet<CallerId>,
    /// Numbers that came back onto lists of users whom the job had dealt with, and without which those would have none left.
    came_back: HashMap<String, Vec<CallerId>>,
}

/// What came of one user.
struct Came {
    /// In the order of the old numbers.
    removed: Vec<Pair>,
    added: Vec<CallerId>,
    retracted: Vec<CallerId>,
    kept: Vec<CallerId>,
    /// Something was taken off, and is on the list again.
    returned: bool,
    left_out: Option<LeftOut>,
}

impl Came {
    /// Whether the list was written, also where it is whole again.
    fn has_written(&self) -> bool {
        self.returned || !self.removed.is_empty() || !self.added.is_empty() || !self.retracted.is_empty()
    }
}

impl RotationLedger {
    /// A ledger without users yet.
    pub fn new(pairs: Vec<Checked>) -> Self {
        let places = pairs.iter().enumerate().map(|(at, pair)| (pair.asked.at.clone(), at)).collect();
        Self {
            pairs,
            places,
            logins: Vec::new(),
            index: HashMap::new(),
            came: Vec::new(),
            kept: HashMap::new(),
            kept_for_policies: HashSet::new(),
            came_back: HashMap::new(),
        }
    }

    /// Keeps these numbers for these users, by folded login IDs, whatever was decided on them before.
    #[must_use]
    pub fn keeping(mut self, came_back: impl IntoIterator<Item = (String, Vec<CallerId>)>) -> Self {
        self.came_back.extend(came_back);
        self
    }

    /// The pairs, in the order of the request.
    pub fn pairs(&self) -> &[Checked] {
        &self.pairs
    }

    /// The folded login ID of a user.
    pub fn login(&self, user: usize) -> &str {
        &self.logins[user]
    }

    /// The index of the user with this folded login ID.
    pub fn user(&self, folded_login: &str) -> Option<usize> {
        self.index.get(folded_login).copied()
    }

    /// Numbers that somebody keeps, since there would be none left.
    pub fn kept(&self) -> HashSet<CallerId> {
        self.kept.keys().chain(&self.kept_for_policies).copied().collect()
    }

    /// The folded login IDs of those whose lists are others now, or were in between: they may have been seen so.
    pub fn changed(&self) -> impl Iterator<Item = &str> {
        let changed =
            self.logins.iter().zip(&self.came).filter(|(_, came)| came.as_ref().is_some_and(Came::has_written));
        changed.map(|(login, _)| login.as_str())
    }

    /// Looks again at those who dial by a policy, by rules that are made of the inventory as it is when lists have been changed: what they would be
    /// left without stays in service.
    pub fn keep_for_policies(&mut self, now: &Rules) {
        let left = now.left_by_policy();
        let olds = self.pairs.iter().filter(|pair| pair.by_policy.is_some()).filter_map(Checked::good);
        self.kept_for_policies = olds.map(|pair| pair.old).filter(|old| now.is_needed(*old, &left)).collect();
    }

    /// The old number of a row that says that nobody has it; `None` for any other row.
    pub fn held_by_nobody(&self, row: &Row<'_>) -> Option<CallerId> {
        let pair = self.pair(row).filter(|pair| pair.by_policy.is_none())?.good()?;
        row.value(LOGIN).is_none_or(|login| login.is_empty()).then_some(pair.old)
    }

    /// The folded login ID and the old number that a row is about; `None` for a row about nobody.
    pub fn tells_of(&self, row: &Row<'_>) -> Option<(String, CallerId)> {
        let login = row.value(LOGIN).filter(|login| !login.is_empty())?;
        Some((login.into_owned(), self.pair(row)?.good()?.old))
    }

    fn has_removed(&self, folded_login: &str, old: CallerId) -> bool {
        let came = self.user(folded_login).and_then(|user| self.came[user].as_ref());
        came.is_some_and(|came| came.removed.iter().any(|pair| pair.old == old))
    }

    fn pair(&self, row: &Row<'_>) -> Option<&Checked> {
        self.places.get(&*row.value(AT)?).map(|&at| &self.pairs[at])
    }
}

impl BulkJob for RotationLedger {
    type Plan = RotationPlan;

    fn columns(&self) -> Schema {
        &ROWS
    }

    fn read_row(&mut self, row: &Row<'_>) {
        let Some(login) = row.value(LOGIN).filter(|login| !login.is_empty()) else { return };
        if self.pair(row).and_then(Checked::was_good).is_none() || self.index.contains_key(&*login) {
            return;
        }
        self.index.insert(login.clone().into_owned(), self.logins.len());
        self.logins.push(login.into_owned());
        self.came.push(None);
    }

    fn users(&self) -> usize {
        self.logins.len()
    }

    fn is_decided(&self, user: usize) -> bool {
        self.came[user].is_some()
    }

    fn user_of(&self, plan: &RotationPlan) -> Option<usize> {
        self.user(&plan.login)
    }

    fn record(&mut self, plan: &RotationPlan) {
        if let Some(user) = self.user(&plan.login) {
            let RotationPlan { removed, added, retracted, unusable, kept, left_out, .. } = plan;
            let (mut removed, mut kept) = (removed.clone(), kept.clone());
            kept.extend(self.came_back.get(&plan.login).into_iter().flatten());
            removed.sort_unstable_by_key(|pair| pair.old);
            let retracted = [retracted.as_slice(), unusable].concat();
            let before = self.came[user].take().map(|came| came.kept).unwrap_or_default();
            for number in before {
                let keep = self.kept.get_mut(&number).expect("somebody keeps it");
                *keep -= 1;
                if *keep == 0 {
                    self.kept.remove(&number);
                }
            }
            for number in &kept {
                *self.kept.entry(*number).or_default() += 1;
            }
            let (added, returned) = (added.clone(), !plan.returned.is_empty());
            self.came[user] = Some(Came { removed, added, retracted, kept, returned, left_out: *left_out });
        }
    }

    fn judge(&mut self, row: &Row<'_>) -> Judgement {
        judge(row, self)
    }

    fn row_key(&self, row: &Row<'_>) -> u64 {
        key(row)
    }
}

/// What is wrong with a number that somebody else retires.
const LOST: &str = "The number has been retired meanwhile, or another rotation is retiring it.";

/// Judges a row.
fn judge(row: &Row<'_>, ledger: &RotationLedger) -> Judgement {
    let login = row.value(LOGIN).unwrap_or_default();
    let (login_field, old_field, new_field) = (row.header().name(LOGIN), COLUMNS[OLD].name, COLUMNS[NEW].name);
    let unchanged = |warning, field: &str, value: &str, message: String| {
        Judgement::new(RowStatus::Unchanged, vec![Remark::warning(warning, field, value, message)])
    };
    let Some(checked) = ledger.pair(row) else {
        let message = "No user of the account has this login ID.";
        return Judgement::failed(Remark::error(RowCode::UserNotFound, login_field, &login, message));
    };
    let pair = match &checked.verdict {
        PairVerdict::Good(pair) => *pair,
        // What was done before stays done.
        PairVerdict::Lost(pair) if ledger.has_removed(&login, pair.old) => *pair,
        PairVerdict::Lost(_) => {
            let message = format!("{LOST} ({})", checked.asked.at);
            return Judgement::failed(Remark::error(RowCode::NumberRetired, old_field, &checked.asked.old, message));
        }
        PairVerdict::Repeated(pair) => {
            let message = format!("The same pair stands further up ({}).", checked.asked.at);
            return unchanged(Warning::DuplicateInFile, old_field, &pair.old.to_string(), message);
        }
        PairVerdict::Bad { code, field, message } => {
            let value = if field == new_field { &checked.asked.new } else { &checked.asked.old };
            let message = format!("{message} ({})", checked.asked.at);
            return Judgement::failed(Remark::error(*code, field, value, message));
        }
    };
    let old = pair.old.to_string();
    if let Some(ByPolicy { people, replaced }) = checked.by_policy.filter(|_| login.is_empty()) {
        return by_policy(ledger, old_field, pair, people, replaced);
    }
    if login.is_empty() {
        return unchanged(
            Warning::NumberNotAssigned,
            old_field,
            &old,
            format!("Nobody whom the rotation is about has {old}."),
        );
    }
    let Some(came) = ledger.user(&login).and_then(|user| ledger.came[user].as_ref()) else {
        return Judgement::unprocessed();
    };
    if let Some(why) = came.left_out.filter(|_| came.kept.contains(&pair.old)) {
        return Judgement::failed(Remark::error(why.code(), login_field, &login, why.message()));
    }
    let retired = |new: &CallerId| came.retracted.contains(new);
    if let Some(new) = pair.new.filter(retired).filter(|_| came.kept.contains(&pair.old)) {
        let message = format!("{new} has been retired meanwhile, so {old} stays on the list and in service.");
        return Judgement::failed(Remark::error(RowCode::NumberRetired, new_field, &new.to_string(), message));
    }
    if came.kept.contains(&pair.old) {
        let message = "Without the numbers that are retired, the user would have none to dial from, so they stay. \
                       Give the user another number, or its department another one, or allow empty lists.";
        return Judgement::failed(Remark::error(RowCode::ListWouldBeEmpty, login_field, &login, message));
    }
    let Ok(at) = came.removed.binary_search_by_key(&pair.old, |removed| removed.old) else {
        return unchanged(
            Warning::NumberNotAssigned,
            login_field,
            &login,
            format!("The user doesn't have {old} any more, or has other numbers to dial from."),
        );
    };
    let Pair { new, .. } = came.removed[at];
    if let Some(new) = new.filter(|new| came.retracted.contains(new)) {
        let message = format!("{new} has been retired meanwhile, and {old} too: both are off the list.");
        return Judgement::failed(Remark::error(RowCode::NumberRetired, new_field, &new.to_string(), message));
    }
    let mut deed = Deed::default();
    deed.remove(pair.old);
    if let Some(new) = new.filter(|new| came.added.contains(new)) {
        deed.add(new);
    }
    Judgement { deed, ..Judgement::new(RowStatus::Applied, Vec::new()) }
}

/// Judges the row of those who dial from an old number by their policy.
fn by_policy(ledger: &RotationLedger, field: &str, pair: Pair, people: u64, replaced: bool) -> Judgement {
    let old = pair.old.to_string();
    let kept = ledger.kept.contains_key(&pair.old);
    if !kept && ledger.kept_for_policies.contains(&pair.old) {
        let message = format!(
            "{people} people dial from {old} by their policy, and what was to stay for them has been taken out of service meanwhile. So \
             {old} stays in service."
        );
        return Judgement::failed(Remark::error(RowCode::ListWouldBeEmpty, field, &old, message));
    }
    let what = match pair.new {
        _ if kept => format!("{old} stays in service, since somebody needs it."),
        Some(new) if replaced => format!("They dial from {new} in its place."),
        _ => "They lose it, and dial from their other numbers.".to_owned(),
    };
    let message =
        format!("{people} people dial from {old} by their policy: all numbers, or their department's. {what}");
    let remarks = vec![Remark::warning(Warning::DialledByPolicy, field, &old, message)];
    Judgement::new(if kept { RowStatus::Unchanged } else { RowStatus::Applied }, remarks)
}
