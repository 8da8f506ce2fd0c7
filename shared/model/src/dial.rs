//! May a user dial from a number now, and if not, why, and from which instead: what a switch asks before it lets a call pass.

use serde::{Deserialize, Serialize};

use crate::{
    caller_id::CallerId,
    code::DialCode,
    inventory::{Inventory, NumberState},
    phone_side::DialPermission,
    user::{AgentStatus, Policy, User},
};

/// What came of the question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialDecision {
    /// Whether the user may dial from the number now.
    pub allowed: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<DialCode>,
    /// Where the number stands in its life, if the account has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<NumberState>,
    /// Which number the user may dial from instead, where that was asked and there is one.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub instead: Option<CallerId>,
}

/// What a user may dial from now, to choose from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices {
    /// Why nothing, where that is for the user's sake and not for want of numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<DialCode>,
    /// The numbers, in order.
    pub numbers: Vec<Choice>,
}

/// A number to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// In E.164 form.
    pub number: CallerId,
    /// Whether networks show calls from it as doubtful.
    pub flagged: bool,
}

impl Choices {
    /// What there is for a user. `None` for one whom nobody knows.
    pub fn of(user: Option<&User>, inventory: &Inventory) -> Self {
        let code = match user.map(|user| user.agent_status) {
            None => Some(DialCode::UserUnknown),
            Some(AgentStatus::Blocked) => Some(DialCode::AgentBlocked),
            Some(AgentStatus::Disabled) => Some(DialCode::AgentDisabled),
            Some(AgentStatus::Enabled) => None,
        };
        let user = user.filter(|_| code.is_none());
        let allowed = user.map(|user| inventory.allowed(&DialPermission::of(user))).unwrap_or_default();
        let numbers = allowed.into_iter().map(|number| Choice { number, flagged: is_flagged(number, inventory) });
        Self { code, numbers: numbers.collect() }
    }
}

/// What a user's calls show where nothing else is said: the number that was set as the default, or what rotations have put in its place since.
/// **`None` where the user may not dial from that now.** Nothing is written when a list or a number changes: the default counts again when
/// it may be dialled from again, such as after an undo.
pub fn default_of(user: &User, inventory: &Inventory) -> Option<CallerId> {
    /// Rotations that are followed, one after the other: a number lives for weeks.
    const MOST: usize = 32;
    let permission = DialPermission::of(user);
    let after = |number: &CallerId| inventory.get(*number).and_then(|item| item.replaced_by);
    let mut line = std::iter::successors(user.profile.default_caller_id, after).take(MOST);
    line.find(|number| inventory.allows(&permission, *number))
}

/// What is said where a default is refused.
pub const DEFAULT_NOT_ALLOWED: &str =
    "The user may not dial from this number: it is not on the list, not of the department, or not in service.";

/// The default that a change sets, which the user must be allowed to dial from. One that was set before stays, whatever has become of it.
pub fn new_default(before: Option<&User>, after: &User) -> Option<CallerId> {
    let had = before.and_then(|before| before.profile.default_caller_id);
    after.profile.default_caller_id.filter(|default| Some(*default) != had)
}

impl DialDecision {
    /// Decides. `None` for a user whom nobody knows.
    pub fn of(user: Option<&User>, number: CallerId, inventory: &Inventory) -> Self {
        let listed = inventory.listed(number);
        let state = listed.map(|item| item.standing.state);
        let code = match user {
            None => Some(DialCode::UserUnknown),
            Some(user) => Self::refusal(user, number, state, inventory),
        };
        Self { allowed: code.is_none(), code, state, instead: None }
    }

    /// With a number to dial from instead: the user's default; else what took the number's place, if the user may dial from that; otherwise the user's
    /// first one that is not flagged, or the first of all.
    #[must_use]
    pub fn suggesting(mut self, user: &User, number: CallerId, inventory: &Inventory) -> Self {
        let is_barred = matches!(self.code, Some(DialCode::AgentBlocked | DialCode::AgentDisabled));
        if !self.allowed && !is_barred {
            self.instead = suggestion(user, number, inventory);
        }
        self
    }

    /// In words, for who reads no JSON: `allowed`, or `refused` with the code, and the number to dial from instead if there is one.
    pub fn words(&self) -> String {
        match (self.code, self.instead) {
            (None, _) => "allowed".to_owned(),
            (Some(code), None) => format!("refused {code}"),
            (Some(code), Some(instead)) => format!("refused {code} {instead}"),
        }
    }

    fn refusal(user: &User, number: CallerId, state: Option<NumberState>, inventory: &Inventory) -> Option<DialCode> {
        match (user.agent_status, state) {
            (AgentStatus::Blocked, _) => return Some(DialCode::AgentBlocked),
            (AgentStatus::Disabled, _) => return Some(DialCode::AgentDisabled),
            (_, Some(NumberState::Retired)) => return Some(DialCode::NumberRetired),
            (_, Some(NumberState::Resting)) => return Some(DialCode::NumberResting),
            // An account without an inventory goes by the lists alone.
            (_, None) if !inventory.is_empty() => return Some(DialCode::NumberUnknown),
            _ => {}
        }
        let permission = DialPermission::of(user);
        match permission.policy {
            _ if inventory.allows(&permission, number) => None,
            Policy::Custom => Some(DialCode::NumberNotOnList),
            Policy::Department => Some(DialCode::NumberNotInDepartment),
            Policy::All => Some(DialCode::NumberUnknown),
        }
    }
}

fn suggestion(user: &User, number: CallerId, inventory: &Inventory) -> Option<CallerId> {
    if let Some(default) = default_of(user, inventory) {
        return Some(default);
    }
    let permission = DialPermission::of(user);
    let replacement = inventory.get(number).and_then(|item| item.replaced_by);
    if let Some(replacement) = replacement.filter(|number| inventory.allows(&permission, *number)) {
        return Some(replacement);
    }
    let allowed = inventory.allowed(&permission);
    allowed.iter().find(|number| !is_flagged(**number, inventory)).or(allowed.first()).copied()
}

fn is_flagged(number: CallerId, inventory: &Inventory) -> bool {
    inventory.listed(number).is_some_and(|item| item.standing.state == NumberState::Flagged)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{
        inventory::{InventoryNumber, NumberFacts},
        user::{LoginId, Profile, Ref},
    };

    fn number(last: u8) -> CallerId {
        format!("+91987650000{last}").parse().unwrap()
    }

    fn inventory() -> Inventory {
        let item = |last, state, department: Option<&str>| {
            let department = department.map(|id| Ref::parse(id).unwrap());
            let facts = NumberFacts { state, department, ..NumberFacts::default() };
            InventoryNumber::new(number(last), facts, Timestamp::UNIX_EPOCH)
        };
        let replaced = InventoryNumber { replaced_by: Some(number(3)), ..item(2, NumberState::Retired, None) };
        Inventory::of(vec![
            item(0, NumberState::Flagged, Some("sales")),
            item(1, NumberState::Resting, Some("sales")),
            replaced,
            item(3, NumberState::Active, Some("sales")),
            item(4, NumberState::New, None),
        ])
    }

    fn user(policy: Policy, list: &[u8]) -> User {
        let mut user = User::new(LoginId::parse("ana").unwrap(), Profile::named("Ana").unwrap());
        user.policy = policy;
        user.profile.department = Ref::parse("sales").ok();
        user.caller_ids = list.iter().copied().map(number).collect();
        user
    }

    #[test]
    fn each_reason_is_told() {
        let inventory = inventory();
        let asks = |user: &User, last| DialDecision::of(Some(user), number(last), &inventory).code;
        let custom = user(Policy::Custom, &[0, 1, 2]);
        let codes = [0, 1, 2, 3, 9].map(|last| asks(&custom, last));
        assert_eq!(
            codes,
            [
                None,
                Some(DialCode::NumberResting),
                Some(DialCode::NumberRetired),
                Some(DialCode::NumberNotOnList),
                Some(DialCode::NumberUnknown)
            ]
        );
        let department = user(Policy::Department, &[]);
        assert_eq!([3, 4].map(|last| asks(&department, last)), [None, Some(DialCode::NumberNotInDepartment)]);
        assert_eq!(asks(&user(Policy::All, &[]), 4), None);
        let blocked = User { agent_status: AgentStatus::Blocked, ..user(Policy::All, &[]) };
        assert_eq!(asks(&blocked, 4), Some(DialCode::AgentBlocked));
        assert_eq!(DialDecision::of(None, number(4), &inventory).code, Some(DialCode::UserUnknown));
        let nothing = Inventory::default();
        let of_list = |last| DialDecision::of(Some(&custom), number(last), &nothing).allowed;
        assert_eq!([0, 3].map(of_list), [true, false], "without an inventory, lists count alone");
    }

    #[test]
    fn a_default_counts_while_it_may_be_dialled_from_and_a_replacement_takes_its_place() {
        let inventory = inventory();
        let with = |policy, list: &[u8], default| {
            let mut user = user(policy, list);
            user.profile.default_caller_id = Some(number(default));
            user
        };
        for (user, expected) in [
            (with(Policy::Custom, &[0, 3], 3), Some(3)),
            (with(Policy::Custom, &[0, 3], 2), Some(3)),
            (with(Policy::Custom, &[0], 2), None),
            (with(Policy::Custom, &[0], 3), None),
            (with(Policy::Custom, &[1], 1), None),
            (with(Policy::Department, &[], 2), Some(3)),
            (with(Policy::Department, &[], 4), None),
            (with(Policy::All, &[], 4), Some(4)),
            (with(Policy::All, &[], 9), None),
            (super::tests::user(Policy::All, &[]), None),
        ] {
            assert_eq!(default_of(&user, &inventory), expected.map(number), "{:?} {:?}", user.policy, user.caller_ids);
            let may =
                default_of(&user, &inventory).is_none_or(|it| DialDecision::of(Some(&user), it, &inventory).allowed);
            assert!(may, "what is told may be dialled from");
        }
        let user = with(Policy::Custom, &[0, 3, 4], 4);
        let instead =
            DialDecision::of(Some(&user), number(2), &inventory).suggesting(&user, number(2), &inventory).instead;
        assert_eq!(instead, Some(number(4)), "before the replacement");
    }

    #[test]
    fn two_numbers_that_replace_each_other_lead_nowhere() {
        let item = |last, by| {
            let facts = NumberFacts { state: NumberState::Retired, ..NumberFacts::default() };
            let item = InventoryNumber::new(number(last), facts, Timestamp::UNIX_EPOCH);
            InventoryNumber { replaced_by: Some(number(by)), ..item }
        };
        let mut user = user(Policy::All, &[]);
        user.profile.default_caller_id = Some(number(1));
        assert_eq!(default_of(&user, &Inventory::of(vec![item(1, 2), item(2, 1)])), None);
    }

    #[test]
    fn what_there_is_to_choose_from_may_be_dialled_from() {
        let inventory = inventory();
        let all = [user(Policy::Custom, &[0, 1, 2, 3]), user(Policy::Department, &[]), user(Policy::All, &[])];
        for user in &all {
            let choices = Choices::of(Some(user), &inventory);
            assert!(choices.code.is_none() && !choices.numbers.is_empty());
            for Choice { number, flagged } in choices.numbers {
                assert!(DialDecision::of(Some(user), number, &inventory).allowed);
                assert_eq!(flagged, number == self::number(0));
            }
        }
        let blocked = User { agent_status: AgentStatus::Blocked, ..user(Policy::All, &[]) };
        let nothing = |code| Choices { code: Some(code), numbers: Vec::new() };
        assert_eq!(Choices::of(Some(&blocked), &inventory), nothing(DialCode::AgentBlocked));
        assert_eq!(Choices::of(None, &inventory), nothing(DialCode::UserUnknown));
    }

    #[test]
    fn words_say_what_the_fields_say() {
        let inventory = inventory();
        let user = user(Policy::Custom, &[2, 3]);
        let words = |last, suggest| {
            let decision = DialDecision::of(Some(&user), number(last), &inventory);
            if suggest { decision.suggesting(&user, number(last), &inventory).words() } else { decision.words() }
        };
        assert_eq!(words(3, true), "allowed");
        assert_eq!(words(2, false), "refused NUMBER_RETIRED");
        assert_eq!(words(2, true), "refused NUMBER_RETIRED +919876500003");
    }

    #[test]
    fn what_is_suggested_may_be_dialled_from() {
        let inventory = inventory();
        let instead = |user: &User, last| {
            DialDecision::of(Some(user), number(last), &inventory).suggesting(user, number(last), &inventory).instead
        };
        assert_eq!(instead(&user(Policy::Custom, &[0, 2, 3]), 2), Some(number(3)), "its replacement");
        assert_eq!(instead(&user(Policy::Custom, &[0, 2, 4]), 2), Some(number(4)), "one that is not flagged");
        assert_eq!(instead(&user(Policy::Custom, &[0, 2]), 2), Some(number(0)), "better than none");
        assert_eq!(instead(&user(Policy::Custom, &[1, 2]), 2), None);
        assert_eq!(instead(&user(Policy::All, &[]), 4), None, "it may be dialled from itself");
        let blocked = User { agent_status: AgentStatus::Blocked, ..user(Policy::All, &[]) };
        assert_eq!(instead(&blocked, 2), None);
    }
}
