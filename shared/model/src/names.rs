//! What stands in records, paths and answers: by serde where a whole value is written, by `as_str` where its name is.

use serde::Serialize;

use crate::{
    inventory::NumberState,
    jobs::{Decision, JobKind},
    mapping::Link,
    settings::PhoneSystem,
    user::{Action, AgentStatus, Policy, WebLogin},
};

fn agree<T: Serialize + Copy>(values: impl IntoIterator<Item = T>, name: impl Fn(T) -> &'static str) {
    for value in values {
        assert_eq!(serde_json::to_value(value).unwrap(), name(value));
    }
}

#[test]
fn a_value_has_one_name() {
    agree([Policy::All, Policy::Department, Policy::Custom], Policy::as_str);
    agree([AgentStatus::Enabled, AgentStatus::Disabled, AgentStatus::Blocked], AgentStatus::as_str);
    agree([WebLogin::Active, WebLogin::Blocked], WebLogin::as_str);
    agree([Link::Mapping, Link::Resync, Link::Policy, Link::Inventory, Link::State], Link::as_str);
    agree(NumberState::ALL, NumberState::as_str);
    agree(PhoneSystem::ALL, PhoneSystem::as_str);
    agree(JobKind::ALL, JobKind::as_str);
}

#[test]
fn a_name_is_read_as_what_it_names() {
    for kind in JobKind::ALL {
        assert_eq!(JobKind::parse(kind.as_str()), Some(kind));
    }
    for system in PhoneSystem::ALL {
        assert_eq!(PhoneSystem::parse(system.as_str()), Some(system));
    }
    for action in Action::ALL {
        assert_eq!(Action::named(action.as_str()), Some(action));
    }
    for decision in [Decision::Execute, Decision::Discard, Decision::Undo] {
        assert_eq!(Decision::parse(decision.as_str()), Some(decision));
    }
    assert_eq!((JobKind::parse("Undo"), JobKind::parse("")), (None, None));
}
