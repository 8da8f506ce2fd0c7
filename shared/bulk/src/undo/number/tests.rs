use super::*;

fn number(n: u64) -> CallerId {
    format!("+9198765{n:05}").parse().unwrap()
}

#[test]
fn a_number_is_given_back_by_the_name_of_the_rotation_whatever_else_has_been_changed() {
    let before = InventoryNumber::new(number(1), NumberFacts::default(), Timestamp::UNIX_EPOCH);
    let job = |digit: &str| JobId::parse(&digit.repeat(32)).unwrap();
    let rotation = job("a");
    let decide = |now: Option<&InventoryNumber>| NumberPlan::decide(before.clone(), now, &rotation, true);
    let change = |now: &InventoryNumber| decide(Some(now)).map(|plan| plan.change);
    let mut retired = InventoryNumber { state_by: Some(rotation.clone()), ..before.clone() };
    (retired.facts.state, retired.version) = (NumberState::Retired, before.version + 2);
    // Labels are no state.
    let labels = vec![Ref::parse("burned").unwrap()];
    let facts = NumberFacts { labels: labels.clone(), ..retired.facts.clone() };
    let labelled = retired.change(facts, Timestamp::UNIX_EPOCH).unwrap();
    for (now, labels) in [(&retired, Vec::new()), (&labelled, labels)] {
        let Some(Ok([found, back])) = change(now) else { panic!("{now:?}") };
        assert_eq!((&found, back.facts.state, back.facts.labels), (now, NumberState::Active, labels));
        assert_eq!((back.version, back.state_by), (now.version + 1, None));
    }
    // Somebody else has retired it since, or has taken it back into service.
    let other = InventoryNumber { state_by: Some(job("b")), ..retired.clone() };
    assert_eq!(change(&other), Some(Err(SkipReason::Changed)));
    assert_eq!(NumberPlan::decide(before.clone(), Some(&other), &rotation, false), None, "it was a replacement");
    let facts = NumberFacts { state: NumberState::New, ..retired.facts };
    let anew = InventoryNumber { state_by: None, facts, ..before.clone() };
    assert_eq!(change(&anew), Some(Err(SkipReason::Changed)));
    assert_eq!(NumberPlan::decide(before.clone(), Some(&before), &rotation, false), None);
    assert_eq!(decide(None).unwrap().change, Err(SkipReason::Gone));
    // A rotation that was given up has left its reservation.
    let reserved = InventoryNumber { reserved_by: Some(rotation.clone()), ..before.clone() };
    let released = InventoryNumber { version: before.version + 1, ..before.clone() };
    assert_eq!(change(&reserved), Some(Ok([reserved, released])));
    // A replacement that has taken over a department has it no longer.
    let mut taken = InventoryNumber { department_by: Some(rotation.clone()), ..before.clone() };
    taken.facts.department = Ref::parse("sales").ok();
    let plan = NumberPlan::decide(before.clone(), Some(&taken), &rotation, false).unwrap();
    assert_eq!(plan.change.map(|[_, back]| back.facts.department), Ok(None));
}

#[test]
fn a_department_keeps_its_replacement_where_nothing_else_of_it_is_in_service() {
    let (rotation, sales) = (JobId::parse(&"a".repeat(32)).unwrap(), Ref::parse("sales").ok());
    let facts = |department: &Option<Ref>| NumberFacts { department: department.clone(), ..NumberFacts::default() };
    let item = |n, department| InventoryNumber::new(number(n), facts(department), Timestamp::UNIX_EPOCH);
    let (old, new) = (item(1, &sales), item(2, &None));
    let taken = InventoryNumber { department_by: Some(rotation.clone()), ..item(2, &sales) };
    let after = |old: &InventoryNumber, spare: Option<InventoryNumber>| {
        let decide = |before: &InventoryNumber, now| NumberPlan::decide(before.clone(), Some(now), &rotation, true);
        let mut plans: Vec<NumberPlan> =
            decide(&item(1, &sales), old).into_iter().chain(decide(&new, &taken)).collect();
        let inventory: Vec<InventoryNumber> = [old.clone(), taken.clone()].into_iter().chain(spare).collect();
        NumberPlan::keep_departments(&mut plans, &inventory);
        let last = plans.pop().expect("the replacement");
        last.change.map(|[_, back]| back.facts.department)
    };
    let retired_by = |job: &JobId| {
        let mut retired = InventoryNumber { state_by: Some(job.clone()), ..old.clone() };
        retired.facts.state = NumberState::Retired;
        retired
    };
    assert_eq!(after(&retired_by(&rotation), None), Ok(None), "the old number comes back");
    let sold = retired_by(&JobId::parse(&"b".repeat(32)).unwrap());
    assert_eq!(after(&sold, None), Err(SkipReason::DepartmentLeft));
    assert_eq!(after(&sold, Some(item(3, &sales))), Ok(None), "it has another");
    let leaving = InventoryNumber { reserved_by: Some(rotation.clone()), ..item(3, &sales) };
    assert_eq!(after(&sold, Some(leaving)), Err(SkipReason::DepartmentLeft));
}
