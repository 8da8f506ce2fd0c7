//! Why a CRM user sees a number, or doesn't.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Mapping, MappingState};
use crate::{
    caller_id::CallerId,
    inventory::{InventoryNumber, NumberState},
    phone_side::{DialPermission, PhoneUserId},
    user::Policy,
};

/// What is known when somebody asks.
pub struct ExplanationInput<'a> {
    /// The number that is asked about.
    pub number: CallerId,
    /// The CRM user's mapping, if there is one.
    pub mapping: Option<&'a Mapping>,
    /// What the phone side allows the phone user now, where that can be asked.
    pub now: Option<&'a DialPermission>,
    /// The number in the account's inventory, if it is in it.
    pub item: Option<&'a InventoryNumber>,
    /// The account keeps no inventory: lists count alone.
    pub no_inventory: bool,
    /// When the last resync ended, if there was one.
    pub last_resync: Option<Timestamp>,
}

/// Why a CRM user sees a number, or doesn't: every link of the chain in order, and the first that is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The number.
    pub number: CallerId,
    /// Whether the CRM user sees it.
    pub visible: bool,
    /// The links, as far as the chain holds, and the broken one.
    pub chain: Vec<ExplanationStep>,
    /// The first broken link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<Link>,
    /// What mends it, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<Cow<'static, str>>,
}

/// One link of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplanationStep {
    /// Which.
    pub link: Link,
    /// Whether it holds.
    pub holds: bool,
    /// In a sentence.
    pub detail: String,
}

/// The links between a CRM user and a number. Programs branch on them: one is added, never renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Link {
    /// The CRM user is mapped to a phone user.
    Mapping,
    /// A resync has brought what the phone user may dial from, and nothing has changed since.
    Resync,
    /// The phone user's policy covers the number: all, the department's, or the user's own list.
    Policy,
    /// The number is in the account's inventory.
    Inventory,
    /// The number is in service.
    State,
}

impl Link {
    /// As it stands in answers.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Explanation {
    /// Explains.
    pub fn of(facts: &ExplanationInput<'_>) -> Self {
        let mut explanation =
            Self { number: facts.number, visible: false, chain: Vec::new(), broken: None, mend: None };
        match explanation.follow(facts) {
            Ok(()) => explanation.visible = true,
            Err((link, detail, mend)) => {
                explanation.chain.push(ExplanationStep { link, holds: false, detail });
                (explanation.broken, explanation.mend) = (Some(link), Some(mend.into()));
            }
        }
        explanation
    }

    fn follow(&mut self, facts: &ExplanationInput<'_>) -> Result<(), Broken> {
        let mapping = facts.mapping.ok_or_else(|| {
            broken(Link::Mapping, "The CRM user has no mapping.", "Map the CRM user to a phone user.")
        })?;
        self.holds(Link::Mapping, mapped(&mapping.state)?);
        let permission = mapping.permission.as_ref().ok_or_else(|| {
            broken(Link::Resync, "No resync has run since the CRM user was mapped to this phone user.", RESYNC)
        })?;
        let covers = |permission: &DialPermission| match facts.item {
            Some(item) => permission.covers(item),
            // What isn't in the inventory can only be on a list.
            None => permission.policy == Policy::Custom && permission.caller_ids.binary_search(&facts.number).is_ok(),
        };
        if !covers(permission) {
            if facts.now.is_some_and(covers) {
                let detail =
                    "The phone side allows the number now, but did not at the last resync".to_owned() + &at(facts);
                return Err((Link::Resync, detail, RESYNC));
            }
            self.holds(Link::Resync, format!("The permission is that of the last resync{}", at(facts)));
            return Err(not_covered(permission));
        }
        self.holds(Link::Resync, format!("The permission is that of the last resync{}", at(facts)));
        self.holds(Link::Policy, covered(permission));
        match facts.item {
            None if facts.no_inventory => {
                self.holds(Link::Inventory, "The account keeps no inventory, so the list counts alone.".to_owned());
            }
            None => {
                let detail = "The number is on the user's list, but not in the account's inventory.";
                return Err(broken(
                    Link::Inventory,
                    detail,
                    "Add the number to the inventory, if the account has bought it.",
                ));
            }
            Some(item) => {
                self.holds(Link::Inventory, "The number is in the account's inventory.".to_owned());
                self.holds(Link::State, in_service(item)?);
            }
        }
        Ok(())
    }

    fn holds(&mut self, link: Link, detail: String) {
        self.chain.push(ExplanationStep { link, holds: true, detail });
    }
}

/// A broken link: which, how, and what mends it.
type Broken = (Link, String, &'static str);

const RESYNC: &str = "Run a resync.";

fn broken(link: Link, detail: &str, mend: &'static str) -> Broken {
    (link, detail.to_owned(), mend)
}

fn at(facts: &ExplanationInput<'_>) -> String {
    facts.last_resync.map_or_else(|| ".".to_owned(), |at| format!(", which ended at {at}."))
}

fn mapped(state: &MappingState) -> Result<String, Broken> {
    match state {
        MappingState::Mapped { phone_user } => {
            Ok(format!("The CRM user is mapped to the phone user {}.", phone_user.as_str()))
        }
        MappingState::Unmapped => Err(broken(
            Link::Mapping,
            "No phone user has the CRM user's e-mail address or login.",
            "Map the CRM user to a phone user, or make their e-mail addresses the same and run a resync.",
        )),
        MappingState::Ambiguous { candidates } => {
            let candidates: Vec<_> = candidates.iter().map(PhoneUserId::as_str).collect();
            let detail = format!("Several phone users could be the CRM user: {}.", candidates.join(", "));
            Err((Link::Mapping, detail, "Choose one of them in the mapping."))
        }
        MappingState::Orphaned { phone_user } => {
            let detail = format!("The phone user {}, to whom the CRM user was mapped, is gone.", phone_user.as_str());
            Err((Link::Mapping, detail, "Map the CRM user to another phone user."))
        }
    }
}

fn covered(permission: &DialPermission) -> String {
    match permission.policy {
        Policy::All => "The phone user may dial from all of the account's numbers.",
        Policy::Department => "The number belongs to the phone user's department.",
        Policy::Custom => "The number is on the phone user's list.",
    }
    .to_owned()
}

fn not_covered(permission: &DialPermission) -> Broken {
    match permission.policy {
        Policy::All => broken(
            Link::Inventory,
            "The phone user may dial from all of the account's numbers, and this is not one of them.",
            "Add the number to the inventory, if the account has bought it.",
        ),
        Policy::Department if permission.department.is_none() => broken(
            Link::Policy,
            "The phone user may dial from its department's numbers, and has no department.",
            "Give the phone user a department, or another policy, and run a resync.",
        ),
        Policy::Department => broken(
            Link::Policy,
            "The phone user may dial from its department's numbers, and this is not one of them.",
            "Give the number to the department, or the phone user another policy, and run a resync.",
        ),
        Policy::Custom => broken(
            Link::Policy,
            "The number is not on the phone user's list.",
            "Add the number to the phone user's list on the phone side, and run a resync.",
        ),
    }
}

fn in_service(item: &InventoryNumber) -> Result<String, Broken> {
    match (item.facts.state, item.facts.resting_until) {
        (NumberState::Resting, Some(day)) => {
            Err((Link::State, format!("The number rests until {day}."), "Wait, or set the number's state to active."))
        }
        (NumberState::Resting, None) => {
            Err(broken(Link::State, "The number rests.", "Set the number's state to active."))
        }
        (NumberState::Retired, _) => Err(broken(
            Link::State,
            "The number has been retired.",
            "Use another number: this one is out of service for good.",
        )),
        (state, _) => Ok(format!("The number is in service: {}.", state.as_str())),
    }
}
