//! What an undo is about, as rows, and what came of each.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    iter,
};

use super::{Act, Effect, NumberPlan, SkipReason, UndoPlan, UndoTarget, UserEffect, Way};
use crate::{
    bulk_job::{BulkJob, Plan},
    outcomes::row_key,
    report::{Judgement, Remark, RowStatus},
};
use rollcall_model::{
    caller_id::CallerId,
    code::{RowCode, Warning},
    user::Claim,
};
use rollcall_tabular::{Column, Row, Schema};

const LOGIN: usize = 0;
const ACT: usize = 1;
const NUMBER: usize = 2;

/// The columns of the rows: one row for each thing to be taken back.
pub static COLUMNS: [Column; 3] = [
    Column { name: "Login ID", aliases: &["loginid"], required: true, takes_surplus: false },
    Column { name: "Undo", aliases: &["undo"], required: true, takes_surplus: false },
    Column { name: "Caller ID", aliases: &["callerid"], required: true, takes_surplus: false },
];

impl Act {
    /// As it stands in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TakeOff(_) => "take off",
            Self::PutBack(_) => "put back",
            Self::DeleteUser => "delete user",
            Self::RestoreUser => "restore user",
            Self::RestoreNumber(_) => "restore number",
        }
    }

    fn number(self) -> Option<CallerId> {
        match self {
            Self::TakeOff(number) | Self::PutBack(number) | Self::RestoreNumber(number) => Some(number),
            Self::DeleteUser | Self::RestoreUser => None,
        }
    }

    fn read(row: &Row<'_>) -> Option<Self> {
        let (act, number) = (row.value(ACT)?, row.value(NUMBER)?);
        let number = number.parse();
        match (&*act, number) {
            ("take off", Ok(number)) => Some(Self::TakeOff(number)),
            ("put back", Ok(number)) => Some(Self::PutBack(number)),
            ("restore number", Ok(number)) => Some(Self::RestoreNumber(number)),
            ("delete user", Err(_)) => Some(Self::DeleteUser),
            ("restore user", Err(_)) => Some(Self::RestoreUser),
            _ => None,
        }
    }
}

/// The rows of an undo, their header first.
pub fn rows<'a>(effects: &'a [Effect], numbers: &'a [NumberPlan]) -> impl Iterator<Item = [Cow<'a, str>; 3]> + Send {
    fn row(login: &str, act: Act) -> [Cow<'_, str>; 3] {
        let number = act.number().map(|number| number.to_string()).unwrap_or_default();
        [login.into(), act.as_str().into(), number.into()]
    }
    let header = COLUMNS.each_ref().map(|column| Cow::Borrowed(column.name));
    let numbers = numbers.iter().map(|number| row("", Act::RestoreNumber(number.before.number)));
    let effects = effects.iter().flat_map(|effect| effect.acts().into_iter().map(|act| row(&effect.login, act)));
    iter::once(header).chain(numbers).chain(effects)
}

/// Every deed of a job, and what came of taking it back.
pub struct UndoLedger {
    effects: Vec<Effect>,
    index: HashMap<String, usize>,
    numbers: HashMap<CallerId, Option<SkipReason>>,
    /// For each user, what was passed over and why, and what was taken off again; once it is known.
    outcomes: Vec<Option<Outcome>>,
    /// How many rows are about users.
    rows: usize,
    /// What is left of the deeds, where that isn't what the rows say any more.
    left: Option<HashSet<(usize, Act)>>,
}

struct Outcome {
    /// In the order of the acts: as many as the job has done, where all of it is passed over.
    passed_over: Box<[(Act, SkipReason)]>,
    retracted: Vec<CallerId>,
    returned: Vec<CallerId>,
    changes_list: bool,
    leaves_none: bool,
    /// It is to be decided again.
    waits: bool,
}

impl Outcome {
    /// Why an act was passed over, if it was.
    fn passed_over(&self, act: Act) -> Option<SkipReason> {
        let at = self.passed_over.binary_search_by_key(&act, |(act, _)| *act).ok()?;
        Some(self.passed_over[at].1)
    }
}

impl UndoLedger {
    /// The ledger of an undo of these deeds. Of the numbers of the inventory it is known already what comes of them.
    pub fn new(effects: Vec<Effect>, numbers: &[NumberPlan]) -> Self {
        let index = effects.iter().enumerate().map(|(at, effect)| (effect.login.clone(), at)).collect();
        let numbers = numbers.iter().map(|plan| (plan.before.number, plan.change.as_ref().err().copied())).collect();
        Self { index, numbers, outcomes: effects.iter().map(|_| None).collect(), effects, rows: 0, left: None }
    }

    /// What it did to one of them.
    pub fn effect(&self, user: usize) -> &Effect {
        &self.effects[user]
    }

    /// The folded login IDs of those whose lists, or who themselves, are others now.
    pub fn changed(&self) -> impl Iterator<Item = &str> {
        let changed = self.effects.iter().zip(&self.outcomes);
        let changed = changed.filter(|(_, outcome)| outcome.as_ref().is_some_and(|outcome| outcome.changes_list));
        changed.map(|(effect, _)| effect.login.as_str())
    }

    /// Which of them has this folded login ID.
    pub fn user(&self, folded_login: &str) -> Option<usize> {
        self.index.get(folded_login).copied()
    }

    /// Decides for one of them.
    pub fn plan(&self, user: usize, present: UndoTarget<'_>) -> UndoPlan {
        let effect = self.effect(user);
        UndoPlan::decide(effect, present, self.way(effect, present))
    }

    /// Whether a user can have again what only one user can have.
    fn way(&self, effect: &Effect, present: UndoTarget<'_>) -> Way {
        let mut way = Way::Free;
        for claim in effect.claims() {
            let Some(owner) = present.owners.get(&claim).filter(|owner| **owner != effect.login) else { continue };
            match self.gives_up(owner, &claim) {
                Way::Taken => return Way::Taken,
                Way::Later => way = Way::Later,
                Way::Free => {}
            }
        }
        way
    }

    /// Whether somebody who has a claim loses it by this undo, and has lost it.
    fn gives_up(&self, owner: &str, claim: &Claim) -> Way {
        let Some(giver) = self.user(owner) else { return Way::Taken };
        let act = match &self.effects[giver].user {
            UserEffect::Created(_) => Act::DeleteUser,
            UserEffect::Changed(users) if !users[0].claims().contains(claim) => Act::RestoreUser,
            UserEffect::Changed(_) | UserEffect::None => return Way::Taken,
        };
        match &self.outcomes[giver] {
            None => Way::Later,
            Some(outcome) if outcome.waits => Way::Later,
            Some(outcome) if outcome.passed_over(act).is_some() => Way::Taken,
            Some(_) => Way::Free,
        }
    }

    /// What came of one thing: `None` while that is not known.
    fn outcome(&self, login: &str, act: Act) -> Option<Came> {
        if let Act::RestoreNumber(number) = act {
            let since = self.numbers.get(&number)?;
            return (*since != Some(SkipReason::NotRestored)).then(|| since.map_or(Came::Done, Came::PassedOver));
        }
        let user = self.user(login);
        if self.left.as_ref().is_some_and(|left| !user.is_some_and(|user| left.contains(&(user, act)))) {
            return Some(Came::PassedOver(SkipReason::TakenBack));
        }
        let outcome = self.outcomes[user?].as_ref()?;
        Some(match (outcome.passed_over(act), act) {
            (Some(since), _) => Came::PassedOver(since),
            (None, Act::PutBack(number)) if outcome.retracted.contains(&number) => Came::Retired,
            (None, Act::TakeOff(number)) if outcome.returned.contains(&number) => {
                Came::PassedOver(SkipReason::OldNotBack)
            }
            (None, _) if outcome.leaves_none => Came::LeftNone,
            (None, _) => Came::Done,
        })
    }
}

enum Came {
    Done,
    /// Done, and the user has no number to dial from now, as before.
    LeftNone,
    PassedOver(SkipReason),
    /// The number was retired while it was being put back.
    Retired,
}

impl BulkJob for UndoLedger {
    type Plan = UndoPlan;

    fn columns(&self) -> Schema {
        &COLUMNS
    }

    /// The rows say what the effects say, unless another undo has taken something back since they were written.
    fn read_row(&mut self, row: &Row<'_>) {
        self.rows += usize::from(row.value(LOGIN).is_some_and(|login| !login.is_empty()));
    }

    fn seal(&mut self) {
        let acts = || {
            self.effects
                .iter()
                .enumerate()
                .flat_map(|(user, effect)| effect.acts().into_iter().map(move |act| (user, act)))
        };
        if acts().count() != self.rows {
            self.left = Some(acts().collect());
        }
    }

    fn users(&self) -> usize {
        self.effects.len()
    }

    fn is_decided(&self, user: usize) -> bool {
        self.outcomes[user].as_ref().is_some_and(|outcome| !outcome.waits)
    }

    fn user_of(&self, plan: &UndoPlan) -> Option<usize> {
        self.user(&plan.login)
    }

    fn record(&mut self, plan: &UndoPlan) {
        if let Some(user) = self.user(&plan.login) {
            let mut passed_over: Box<[(Act, SkipReason)]> = plan.passed_over.as_slice().into();
            passed_over.sort_unstable_by_key(|(act, _)| *act);
            let (retracted, returned) = (plan.retracted.clone(), plan.returned.clone());
            let UndoPlan { leaves_none, waits, .. } = *plan;
            let changes_list = plan.writes() || !retracted.is_empty();
            self.outcomes[user] = Some(Outcome { passed_over, retracted, returned, changes_list, leaves_none, waits });
        }
    }

    fn judge(&mut self, row: &Row<'_>) -> Judgement {
        judge(row, self)
    }

    fn row_key(&self, row: &Row<'_>) -> u64 {
        key(row)
    }
}

/// Judges a row.
fn judge(row: &Row<'_>, ledger: &UndoLedger) -> Judgement {
    let came = Act::read(row).and_then(|act| ledger.outcome(&row.value(LOGIN)?, act));
    let number = row.value(NUMBER).unwrap_or_default();
    match came {
        None => Judgement::unprocessed(),
        Some(Came::Done) => Judgement::new(RowStatus::Applied, Vec::new()),
        Some(Came::LeftNone) => {
            let login = row.value(LOGIN).unwrap_or_default();
            let message = "The user has no number to dial from any more, as before the job.";
            let remark = Remark::warning(Warning::LeftWithoutNumber, row.header().name(LOGIN), &login, message);
            Judgement::new(RowStatus::Applied, vec![remark])
        }
        Some(Came::PassedOver(SkipReason::LeftOut(why))) => {
            Judgement::failed(Remark::error(why.code(), row.header().name(ACT), &number, why.message()))
        }
        Some(Came::PassedOver(since @ (SkipReason::Retired | SkipReason::OldNotBack))) => Judgement::failed(
            Remark::error(RowCode::NumberRetired, row.header().name(NUMBER), &number, since.message()),
        ),
        Some(Came::PassedOver(since @ SkipReason::LeftWithout)) => {
            let login = row.value(LOGIN).unwrap_or_default();
            Judgement::failed(Remark::error(
                RowCode::ListWouldBeEmpty,
                row.header().name(LOGIN),
                &login,
                since.message(),
            ))
        }
        Some(Came::PassedOver(since @ SkipReason::DepartmentLeft)) => Judgement::failed(Remark::error(
            RowCode::ListWouldBeEmpty,
            row.header().name(NUMBER),
            &number,
            since.message(),
        )),
        Some(Came::PassedOver(since)) => {
            let remark = Remark::warning(Warning::ChangedSince, row.header().name(ACT), &number, since.message());
            Judgement::new(RowStatus::Unchanged, vec![remark])
        }
        Some(Came::Retired) => {
            let message = "The number was retired while it was being put back.";
            Judgement::failed(Remark::error(RowCode::NumberRetired, row.header().name(NUMBER), &number, message))
        }
    }
}

/// What a row is known by: whom it is about, and what is taken back.
fn key(row: &Row<'_>) -> u64 {
    let cell = |column| row.value(column).unwrap_or_default();
    row_key(&[&cell(LOGIN), &cell(ACT), &cell(NUMBER)])
}
