//! Lives of numbers.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::code::NumberWarning;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn number(state: NumberState, since: Timestamp) -> InventoryNumber {
    InventoryNumber::new("+919876543210".parse().unwrap(), facts(state), since)
}

fn facts(state: NumberState) -> NumberFacts {
    let resting_until = (state == NumberState::Resting).then(|| "2026-03-01".parse().unwrap());
    NumberFacts { state, resting_until, ..NumberFacts::default() }
}

fn days(number: &InventoryNumber, now: &str) -> (Option<u32>, Option<u32>) {
    (number.dates.days_in_service(at(now)), number.dates.days_since_flagged(at(now)))
}

#[test]
fn a_life_is_dated_from_state_to_state() {
    let new = number(NumberState::New, at("2026-01-01T00:00:00Z"));
    assert_eq!(days(&new, "2026-02-01T00:00:00Z"), (None, None), "a new number is not in service");
    let active = new.change(facts(NumberState::Active), at("2026-01-05T00:00:00Z")).unwrap();
    assert_eq!(days(&active, "2026-01-20T00:00:00Z"), (Some(15), None));
    let flagged = active.change(facts(NumberState::Flagged), at("2026-01-20T00:00:00Z")).unwrap();
    assert_eq!(days(&flagged, "2026-01-23T00:00:00Z"), (Some(18), Some(3)));
    assert_eq!(flagged.dates.state_since, Some(at("2026-01-20T00:00:00Z")));
    let resting = flagged.change(facts(NumberState::Resting), at("2026-01-25T00:00:00Z")).unwrap();
    assert_eq!(days(&resting, "2026-02-19T00:00:00Z"), (None, Some(30)), "a rest is told from its flag");

    assert_eq!(resting.rested(at("2026-02-28T23:59:59Z")), None);
    let back = resting.rested(at("2026-03-01T00:00:00Z")).unwrap();
    assert_eq!(
        (back.facts.state, back.facts.resting_until, back.version),
        (NumberState::Active, None, new.version + 4)
    );
    assert_eq!(days(&back, "2026-03-03T00:00:00Z"), (Some(2), None), "dates are set anew");
    assert_eq!(back.rested(at("2027-01-01T00:00:00Z")), None);
}

#[test]
fn a_day_has_24_hours_whatever_midnight_says() {
    let active = number(NumberState::Active, at("2026-01-01T23:59:00Z"));
    assert_eq!(days(&active, "2026-01-02T00:01:00Z").0, Some(0));
    assert_eq!(days(&active, "2026-01-02T23:58:59Z").0, Some(0));
    assert_eq!(days(&active, "2026-01-02T23:59:00Z").0, Some(1));
    assert_eq!(days(&active, "2026-01-01T23:58:00Z").0, Some(0), "another machine's clock is behind");
    assert!(!active.is_due(1, at("2026-01-02T23:58:59Z")));
    assert!(active.is_due(1, at("2026-01-02T23:59:00Z")));
}

#[test]
fn a_number_that_was_kept_before_dates_were_reads_and_is_dated_by_its_first_change() {
    let text = r#"{"number":"+919876543210","provider":null,"state":"active","resting_until":null,"department":null,"labels":[],"version":3}"#;
    let old: InventoryNumber = serde_json::from_str(text).unwrap();
    assert_eq!((days(&old, "2026-01-01T00:00:00Z"), old.version), ((None, None), 3));
    assert!(!old.is_due(1, at("2026-01-01T00:00:00Z")));
    let labelled = NumberFacts { labels: vec![Ref::parse("hotline").unwrap()], ..old.facts.clone() };
    let changed = old.change(labelled, at("2026-01-01T00:00:00Z")).unwrap();
    assert_eq!(days(&changed, "2026-01-11T00:00:00Z"), (Some(10), None));
    let written = serde_json::to_string(&changed).unwrap();
    assert_eq!(serde_json::from_str::<InventoryNumber>(&written).unwrap(), changed);
}

#[test]
fn only_a_state_of_service_is_ever_due() {
    let (since, now) = (at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z"));
    for state in NumberState::ALL {
        assert_eq!(number(state, since).is_due(31, now), state.is_in_service(), "{state:?}");
        assert!(!number(state, since).is_due(32, now), "{state:?}");
    }
}

#[test]
fn retirement_is_left_by_way_of_new_alone() {
    let now = at("2026-01-01T00:00:00Z");
    for from in NumberState::ALL {
        for to in NumberState::ALL {
            let illegal = from == NumberState::Retired && !matches!(to, NumberState::New | NumberState::Retired);
            let moved = number(from, now).change(facts(to), now);
            assert_eq!(moved.is_err(), illegal, "{from:?} to {to:?}");
        }
    }
    let retired = number(NumberState::Retired, now);
    assert_eq!(retired.change(facts(NumberState::Retired), now), Ok(retired.clone()), "nothing has changed");
    let relabelled = NumberFacts { labels: vec![Ref::parse("sold").unwrap()], ..retired.facts.clone() };
    assert_eq!(
        retired.change(relabelled, now).map(|number| number.version),
        Ok(retired.version + 1),
        "other edits are taken"
    );
}

proptest! {
    /// Whatever a number goes through, its dates tell of its state, and none lies after the last move.
    #[test]
    fn dates_tell_of_the_state(path in prop::collection::vec((0..5_usize, 0..1_000_000_i64), 1..20)) {
        let mut now = Timestamp::UNIX_EPOCH;
        let mut number = number(NumberState::New, now);
        for (state, seconds) in path {
            now += SignedDuration::from_secs(seconds);
            let Ok(moved) = number.change(facts(NumberState::ALL[state]), now) else { continue };
            let (state, dates) = (moved.facts.state, moved.dates);
            prop_assert_eq!(dates.in_service_since.is_some(), state.is_in_service());
            prop_assert!(state != NumberState::Flagged || dates.flagged_since.is_some());
            prop_assert!(!matches!(state, NumberState::New | NumberState::Active) || dates.flagged_since.is_none());
            let stays = state == number.facts.state;
            prop_assert_eq!(dates.state_since, if stays { number.dates.state_since } else { Some(now) });
            for since in [dates.state_since, dates.in_service_since, dates.flagged_since].into_iter().flatten() {
                prop_assert!(since <= now);
            }
            number = moved;
        }
    }
}

#[test]
fn a_series_is_for_its_purpose() {
    use NumberWarning::{Only140Promotional, Only1600Service, PromotionalNot140, ServiceNot1600};
    use Purpose::{Other, Promotional, Service};
    for (digits, purpose, expected) in [
        ("911401234567", Promotional, None),
        ("911401234567", Service, Some(Only140Promotional)),
        ("911401234567", Other, Some(Only140Promotional)),
        ("911600112345", Service, None),
        ("911601112345", Service, None),
        ("911600112345", Promotional, Some(PromotionalNot140)),
        ("911601112345", Other, Some(Only1600Service)),
        ("919876543210", Promotional, Some(PromotionalNot140)),
        ("919876543210", Service, Some(ServiceNot1600)),
        ("919876543210", Other, None),
        // Kharar's area code is 160; a number that begins like a series isn't one for it.
        ("911602212345", Service, Some(ServiceNot1600)),
        ("9114012345", Promotional, Some(PromotionalNot140)),
        // Not India's.
        ("14045550123", Promotional, None),
        ("442079460000", Service, None),
    ] {
        let facts = NumberFacts { purpose: Some(purpose), ..NumberFacts::default() };
        let number = InventoryNumber::new(CallerId::from_digits(digits).unwrap(), facts, Timestamp::UNIX_EPOCH);
        assert_eq!(number.warning(), expected, "{digits} {purpose:?}");
        let silent = InventoryNumber { facts: NumberFacts::default(), ..number };
        assert_eq!(silent.warning(), None, "nobody has said what it is for");
    }
}
