use super::*;

const AT: &str = "2026-03-01T00:00:02.5Z";
const CHANGED: &str = "2026-03-01T00:00:01Z";

fn job() -> Actor {
    Actor::parse("job:9f86d081884c7d659a2feaa0c55ad015").unwrap()
}

fn ann() -> Actor {
    Actor::Call("ann".to_owned())
}

fn numbers(last: &[u8]) -> BTreeSet<CallerId> {
    last.iter().map(|digit| format!("+91987654321{digit}").parse().unwrap()).collect()
}

fn user(last: &[u8], policy: Policy, changed_by: Option<Actor>) -> AuditImage {
    AuditImage {
        changed_by,
        caller_ids: numbers(last),
        policy: Some(policy),
        ..AuditImage::of(AuditSubject::User(LoginId::parse("Asha").unwrap()))
    }
}

fn number(state: NumberState, changed_by: Option<Actor>) -> AuditImage {
    AuditImage {
        subject: AuditSubject::Number("+919876543210".parse().unwrap()),
        state: Some(state),
        policy: None,
        ..user(&[], Policy::Custom, changed_by)
    }
}

fn entry(before: Option<AuditImage>, after: Option<AuditImage>) -> Option<AuditEntry> {
    let change = AuditChange { id: "e1".to_owned(), changed: CHANGED.parse().unwrap(), before, after, asked_by: None };
    change.entry(AT.parse().unwrap())
}

fn json(before: Option<AuditImage>, after: Option<AuditImage>) -> serde_json::Value {
    serde_json::to_value(entry(before, after).expect("an entry")).unwrap()
}

#[test]
fn an_append_tells_what_came_and_by_which_job() {
    let before = user(&[1], Policy::Custom, Some(ann()));
    let after = user(&[1, 2, 3], Policy::Custom, Some(job()));
    let expected = serde_json::json!({
        "id": "e1", "at": AT, "changed": CHANGED, "user": "Asha", "change": "changed",
        "by": { "job": "9f86d081884c7d659a2feaa0c55ad015" },
        "added": ["+919876543212", "+919876543213"], "removed": [],
    });
    let told = json(Some(before.clone()), Some(after.clone()));
    assert_eq!(told, expected);
    assert_eq!(serde_json::from_value::<AuditEntry>(told).unwrap(), entry(Some(before), Some(after)).unwrap());
}

#[test]
fn removals_policies_and_states_are_told_from_what_to_what() {
    let told = json(Some(user(&[1, 2], Policy::Custom, Some(job()))), Some(user(&[2], Policy::All, Some(ann()))));
    assert_eq!(told["removed"], serde_json::json!(["+919876543211"]));
    assert_eq!(told["policy"], serde_json::json!({ "from": "custom", "to": "all" }));
    assert_eq!(told["by"], serde_json::json!({ "call": "ann" }));
    let (active, flagged) = (NumberState::Active, NumberState::Flagged);
    let told = json(Some(number(active, None)), Some(number(flagged, Some(ann()))));
    assert_eq!((&told["number"], &told["state"]["to"]), (&"+919876543210".into(), &"flagged".into()));
    assert_eq!(told.get("user"), None);
}

#[test]
fn who_comes_and_goes_is_told_whole() {
    let told = json(None, Some(user(&[1], Policy::Custom, Some(job()))));
    assert_eq!((&told["change"], &told["added"][0]), (&"created".into(), &"+919876543211".into()));
    assert_eq!(told["policy"], serde_json::json!({ "from": null, "to": "custom" }));

    // Who changed it last is not who deleted it.
    let last = user(&[1], Policy::Custom, Some(job()));
    let told = json(Some(last.clone()), None);
    assert_eq!((&told["change"], &told["by"]), (&"deleted".into(), &serde_json::Value::Null));
    let told = json(Some(AuditImage { deleted_by: Some(ann()), ..last }), None);
    assert_eq!(told["by"], serde_json::json!({ "call": "ann" }));
    assert_eq!(told["removed"], serde_json::json!(["+919876543211"]));
}

#[test]
fn what_changes_no_number_leaves_no_entry() {
    let before = user(&[1], Policy::Custom, Some(job()));
    let after = AuditImage { deleted_by: Some(ann()), ..user(&[1], Policy::Custom, Some(ann())) };
    assert_eq!(entry(Some(before), Some(after)), None);
    assert_eq!(entry(None, None), None);
}

#[test]
fn an_actor_is_read_as_it_is_written() {
    for actor in
        [job(), ann(), Actor::Call(String::new()), Actor::Call("a:b|c".to_owned()), Actor::Schedule, Actor::Bucket]
    {
        assert_eq!(Actor::parse(&actor.to_string()), Some(actor));
    }
    for text in ["", "ann", "job:", "job:../x", "ops:ann"] {
        assert_eq!(Actor::parse(text), None, "{text}");
    }
}

#[test]
fn a_filter_takes_what_is_about_all_it_names() {
    let appended = entry(Some(user(&[], Policy::Custom, None)), Some(user(&[1], Policy::Custom, Some(job())))).unwrap();
    let flagged = entry(Some(number(NumberState::Active, None)), Some(number(NumberState::Flagged, None))).unwrap();
    let of = |user: Option<&str>, number: Option<&str>, job: Option<&str>| AuditFilter {
        user: user.map(|login| LoginId::parse(login).unwrap()),
        number: number.map(|number| number.parse().unwrap()),
        job: job.map(|job| JobId::parse(job).unwrap()),
    };
    let id = "9f86d081884c7d659a2feaa0c55ad015";
    for (filter, takes) in [
        (of(None, None, None), [true, true]),
        (of(Some("ASHA"), None, None), [true, false]),
        (of(Some("ash"), None, None), [false, false]),
        (of(None, Some("+919876543211"), None), [true, false]),
        (of(None, Some("+919876543210"), None), [false, true]),
        (of(None, None, Some(id)), [true, false]),
        (of(Some("asha"), Some("+919876543210"), None), [false, false]),
        (of(Some("asha"), Some("+919876543211"), Some(id)), [true, false]),
    ] {
        assert_eq!([filter.takes(&appended), filter.takes(&flagged)], takes, "{filter:?}");
    }
}

#[test]
fn fields_are_told_from_what_to_what_and_personal_ones_by_name_alone() {
    let settings = |phone_system: &str, recipients: &str| AuditImage {
        changed_by: Some(ann()),
        fields: BTreeMap::from([
            ("phone_system", AuditField::Shown(phone_system.to_owned())),
            ("recipients", AuditField::Private(recipients.to_owned())),
        ]),
        ..AuditImage::of(AuditSubject::Settings("acme".parse().unwrap()))
    };
    let told = json(Some(settings("builtin", "a@x.example")), Some(settings("zoom-phone", "b@x.example")));
    assert_eq!(told["settings"], "acme");
    let nothing = serde_json::Value::Null;
    assert_eq!(
        told["fields"],
        serde_json::json!({
            "phone_system": { "from": "builtin", "to": "zoom-phone" },
            "recipients": { "from": nothing, "to": nothing },
        })
    );
    assert!(!told.to_string().contains("x.example"));
    assert_eq!(entry(Some(settings("builtin", "a@x.example")), Some(settings("builtin", "a@x.example"))), None);
}

#[test]
fn an_action_on_an_agent_is_told_and_the_beginning_of_a_user_is_not() {
    let user = |status: &str| AuditImage {
        changed_by: Some(ann()),
        fields: BTreeMap::from([("agent_status", AuditField::Shown(status.to_owned()))]),
        ..user(&[], Policy::Custom, None)
    };
    let told = json(Some(user("enabled")), Some(user("blocked")));
    assert_eq!(told["fields"]["agent_status"], serde_json::json!({ "from": "enabled", "to": "blocked" }));
    assert_eq!(json(None, Some(user("enabled"))).get("fields"), None);
}

#[test]
fn decisions_and_refusals_are_told_once_and_the_lives_of_jobs_are_not() {
    let job = JobId::parse("9f86d081884c7d659a2feaa0c55ad015").unwrap();
    let running = AuditImage::of(AuditSubject::Job(job));
    for (decision, kind) in [
        (Decision::Execute, AuditAction::Executed),
        (Decision::Discard, AuditAction::Discarded),
        (Decision::Undo, AuditAction::Undone),
    ] {
        let decided =
            AuditImage { changed_by: Some(ann()), told: Some(RecordedAction::Decided(decision)), ..running.clone() };
        let told = entry(Some(running.clone()), Some(decided.clone())).unwrap();
        assert_eq!((told.change, told.by), (kind, Some(ann())));
        assert_eq!(entry(Some(decided), Some(running.clone())), None);
    }
    let refused = AuditImage {
        changed_by: Some(ann()),
        told: Some(RecordedAction::Refused("SCOPE_MISSING".to_owned())),
        ..AuditImage::of(AuditSubject::Route("POST /v1/jobs".to_owned()))
    };
    let told = json(None, Some(refused.clone()));
    assert_eq!((&told["route"], &told["change"]), (&"POST /v1/jobs".into(), &"refused".into()));
    assert_eq!((&told["code"], &told["by"]["call"]), (&"SCOPE_MISSING".into(), &"ann".into()));
    assert_eq!(entry(Some(refused), None), None, "it is forgotten after a while");
}
