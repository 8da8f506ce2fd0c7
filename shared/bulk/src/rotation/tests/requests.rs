//! What may be asked for, and which pairs are good.

use super::*;

/// What is thought of each pair: nothing for a good one.
fn verdicts(pairs: &[Checked]) -> Vec<String> {
    let verdict = |pair: &Checked| match &pair.verdict {
        PairVerdict::Good(_) => String::new(),
        PairVerdict::Repeated(_) => "repeated".to_owned(),
        PairVerdict::Lost(_) => "lost".to_owned(),
        PairVerdict::Bad { code, field, .. } => format!("{code} {}", field.split(' ').next().unwrap()),
    };
    pairs.iter().map(verdict).collect()
}

#[test]
fn a_bad_pair_costs_itself_alone() {
    let mut inventory = in_service(0..10);
    inventory.push(item(10, NumberState::Retired));
    inventory.push(item(11, NumberState::Resting));
    inventory.push(InventoryNumber { reserved_by: Some(job("a")), ..item(12, NumberState::Active) });
    let cases = [
        ("9876500000,9876500001", ""),
        ("9876500002,", ""),
        ("junk,9876500001", "NUMBER_INVALID Old"),
        ("9.8765E9,", "NUMBER_SCIENTIFIC Old"),
        (",9876500001", "NUMBER_MISSING Old"),
        ("9876509999,", "NUMBER_NOT_OWNED Old"),
        ("9876500010,", "NUMBER_RETIRED Old"),
        ("9876500011,9876500001", ""),
        ("9876500012,", "NUMBER_IN_ROTATION Old"),
        ("9876500003,9876509999", "NUMBER_NOT_OWNED New"),
        ("9876500004,junk", "NUMBER_INVALID New"),
        ("9876500005,9876500010", "REPLACEMENT_UNUSABLE New"),
        ("9876500006,9876500011", "REPLACEMENT_UNUSABLE New"),
        ("9876500007,9876500012", "REPLACEMENT_UNUSABLE New"),
        ("9876500000,9876500001", "repeated"),
        ("+919876500000,9876500008", "DUPLICATE_NUMBER Old"),
        ("\"9876500009", "MALFORMED_CSV Old"),
    ];
    let file: String = cases.iter().map(|(row, _)| format!("{row}\n")).collect();
    assert_eq!(verdicts(&checked(&file, &inventory, &[])), cases.map(|(_, verdict)| verdict));
    assert_eq!(verdicts(&checked("9876500012,\n", &inventory, &[job("a")])), [""], "a mark that nobody will take away");
}

#[test]
fn what_leaves_takes_nobodys_place() {
    let inventory = in_service(0..5);
    let bad = "REPLACEMENT_UNUSABLE New";
    for (pairs, verdict) in [
        ("9876500000,9876500000\n", vec![bad]),
        ("9876500000,9876500001\n9876500001,9876500000\n", vec![bad, bad]),
        ("9876500000,9876500001\n9876500001,9876500002\n", vec![bad, ""]),
        ("9876500000,9876500001\n9876500001,\n9876500002,9876500003\n", vec![bad, "", ""]),
        // Also where it is itself not to be had.
        ("9876500000,9876500001\n9876500001,junk\n", vec![bad, "NUMBER_INVALID New"]),
    ] {
        assert_eq!(verdicts(&checked(pairs, &inventory, &[])), verdict, "{pairs}");
    }
}

#[test]
fn the_sample_reads_back() {
    let pairs = read_file(&sample()).unwrap();
    let pairs: Vec<_> = pairs.iter().map(|pair| (pair.at.as_str(), pair.old.as_str(), pair.new.as_str())).collect();
    assert_eq!(pairs, [("line 2", "987654321", "987654322"), ("line 3", "987654320", "")]);
}

fn request(json: &str) -> Result<RotationRequest, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

#[test]
fn replacements_go_by_order_or_by_the_old_number() {
    for (json, new) in [
        (r#"{"retire": ["1", "2"]}"#, ["", ""]),
        (r#"{"retire": ["1", "2"], "replace_with": ["3", "4"]}"#, ["3", "4"]),
        (r#"{"retire": ["1", "2"], "replace_with": {"2": "4"}}"#, ["", "4"]),
    ] {
        let request = request(json).unwrap();
        assert_eq!(request.pairs().unwrap().into_iter().map(|pair| pair.new).collect::<Vec<_>>(), new);
        assert_eq!(serde_json::from_slice::<RotationRequest>(&request.to_json()).unwrap(), request);
    }
    assert_eq!(
        request(r#"{"retire": ["1"], "only": {"team": "north"}}"#).unwrap().only.unwrap(),
        Only::Team("north".parse().unwrap())
    );
}

#[test]
fn what_cannot_be_asked_for_is_refused_with_the_field() {
    let many = serde_json::to_string(&vec!["1"; MAX_NUMBERS + 1]).unwrap();
    let logins = serde_json::to_string(&vec!["u"; MAX_LOGINS + 1]).unwrap();
    for (json, pointer) in [
        (r#"{"retire": []}"#, "/retire"),
        (&*format!("{{\"retire\": {many}}}"), "/retire"),
        (r#"{"retire": ["1", " "]}"#, "/retire/1"),
        (r#"{"retire": ["1", "2"], "replace_with": ["3"]}"#, "/replace_with"),
        (r#"{"retire": ["1"], "replace_with": [""]}"#, "/replace_with/0"),
        (r#"{"retire": ["1"], "replace_with": {"a/b": "2"}}"#, "/replace_with/a~1b"),
        (r#"{"retire": ["1"], "only": {"logins": []}}"#, "/only/logins"),
        (&*format!("{{\"retire\": [\"1\"], \"only\": {{\"logins\": {logins}}}}}"), "/only/logins"),
        (r#"{"retire": ["1"], "quarantine_days": 0}"#, "/quarantine_days"),
        (r#"{"retire": ["1"], "quarantine_days": 3651}"#, "/quarantine_days"),
    ] {
        let fault = request(json).unwrap().pairs().expect_err(json);
        assert_eq!(fault.pointer, pointer, "{json:.100}");
    }
    for json in [
        "{}",
        r#"{"retire": ["1"], "replacewith": ["2"]}"#,
        r#"{"retire": ["1"], "replace_with": "2"}"#,
        r#"{"retire": ["1"], "only": {"department": "a", "team": "b"}}"#,
        r#"{"retire": ["1"], "only": {}}"#,
    ] {
        assert!(request(json).is_err(), "{json}");
    }
}
