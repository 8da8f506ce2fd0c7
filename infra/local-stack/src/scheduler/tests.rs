use std::collections::HashSet;
use std::time::Duration;

use axum::body::Bytes;
use jiff::SignedDuration;

use super::invocations::{Invocation, end, take};
use super::*;
use crate::lambda::InvokeError;
use crate::sqs::Queues;
use crate::template::Asynchronous;

const NAME: &str = "ImportHourly";
const DEAD: &str = "dead";

/// Schedules, and the function that they invoke, at a time that a test sets.
struct World {
    _dir: tempfile::TempDir,
    index: Index,
    schedules: Schedules,
    declared: Vec<Schedule>,
    rules: Asynchronous,
}

impl World {
    fn new(expression: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let index = Index::open(&dir.path().join("index")).expect("an index");
        let rules = Asynchronous { retries: 2, max_age: Duration::from_hours(6), dead_letters: Some(DEAD.to_owned()) };
        let declared = vec![schedule(expression)];
        Self { schedules: Schedules::new(index.clone()), _dir: dir, index, declared, rules }
    }

    /// A stack starts, with the schedules as they are declared.
    fn start(&self, now: &str) {
        self.schedules.declare(&self.declared, at(now)).expect("declared");
    }

    /// The clock is looked at: the events that are due.
    fn due(&self, now: &str) -> Vec<Invocation> {
        self.schedules.fire(&self.declared, at(now)).expect("fired");
        take(&self.index, &HashSet::new(), at(now).as_millisecond()).expect("taken")
    }

    fn end(&self, invocation: &Invocation, outcome: std::result::Result<&'static str, &str>, now: &str) {
        let failed = |kind: &str| InvokeError { kind: kind.to_owned(), message: "why".to_owned() };
        let outcome = outcome.map(|answer| Bytes::from_static(answer.as_bytes())).map_err(failed);
        end(&self.index, invocation, &outcome, &self.rules, at(now).as_millisecond()).expect("recorded");
    }

    fn planned(&self) -> Planned {
        self.schedules.list().expect("a list").pop().expect("a schedule")
    }

    fn next(&self) -> Option<String> {
        self.planned().next_run.map(|next| next.to_string())
    }

    fn dead_letters(&self) -> Vec<String> {
        let letters = Queues::new(self.index.clone()).peek(DEAD).expect("letters");
        letters.into_iter().map(|letter| letter.body).collect()
    }
}

fn schedule(expression: &str) -> Schedule {
    Schedule {
        name: NAME.to_owned(),
        arn: "arn".to_owned(),
        function: "import".to_owned(),
        expression: Expression::parse(expression).expect("an expression"),
        text: expression.to_owned(),
        input: Some(r#"{"due":"<aws.scheduler.scheduled-time>"}"#.to_owned()),
        enabled: true,
    }
}

fn at(text: &str) -> Timestamp {
    format!("2026-01-01T{text}Z").parse().expect("a time")
}

#[test]
fn a_rate_runs_at_once_and_then_by_the_clock() {
    let world = World::new("rate(1 hour)");
    world.start("10:00:30");
    let due = world.due("10:00:30");
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].payload, r#"{"due":"2026-01-01T10:00:30Z"}"#);
    assert_eq!(world.planned().last_run.expect("a run").state, RunState::Running);
    world.end(&due[0], Ok("{}"), "10:00:40");
    assert_eq!(world.planned().last_run.expect("a run").state, RunState::Succeeded);

    assert_eq!(world.due("11:00:29"), []);
    let due = world.due("11:00:31");
    assert_eq!(due[0].payload, r#"{"due":"2026-01-01T11:00:30Z"}"#);
    assert_eq!(world.next().as_deref(), Some("2026-01-01T12:00:30Z"));
    let next = world.schedules.next_due(at("11:00:31")).expect("a time");
    assert_eq!(next, Some(at("12:00:30")));
}

#[test]
fn a_restart_neither_skips_nor_doubles() {
    let world = World::new("rate(1 hour)");
    world.start("10:00:00");
    world.end(&world.due("10:00:00")[0], Ok(""), "10:00:01");
    world.start("10:30:00");
    assert_eq!(world.due("10:30:00"), [], "it has run");
    world.start("13:10:00");
    let due = world.due("13:10:00");
    assert_eq!(due.len(), 1, "three times passed, which one run makes up for");
    assert_eq!(world.next().as_deref(), Some("2026-01-01T14:00:00Z"));
    // A crash while the function is at it.
    world.start("13:11:00");
    assert_eq!(world.due("13:11:00"), due, "the same event, and no other");
}

#[test]
fn what_the_template_changes_begins_anew() {
    let mut world = World::new("rate(1 hour)");
    world.start("10:00:00");
    world.end(&world.due("10:00:00")[0], Ok(""), "10:00:01");
    world.declared = vec![schedule("cron(0 12 * * ? *)")];
    world.start("10:05:00");
    assert_eq!(world.next().as_deref(), Some("2026-01-01T12:00:00Z"));
    assert!(world.planned().last_run.is_some());

    world.declared[0].enabled = false;
    world.start("10:06:00");
    assert_eq!((world.next(), world.planned().enabled), (None, false));
    assert_eq!(world.due("12:00:00"), []);
    world.declared[0].enabled = true;
    world.start("13:00:00");
    assert_eq!(world.next().as_deref(), Some("2026-01-02T12:00:00Z"), "what passed meanwhile was not due");

    world.schedules.ask(NAME, at("13:00:00")).expect("asked");
    world.declared.clear();
    world.start("13:01:00");
    assert!(world.schedules.list().expect("a list").is_empty());
    assert_eq!(world.due("13:02:00"), []);
}

#[test]
fn an_event_that_fails_comes_again_twice_and_is_then_a_dead_letter() {
    let world = World::new("rate(1 day)");
    world.start("10:00:00");
    for (now, failed, next) in [
        ("10:00:00", "10:00:10", Some("10:01:10")),
        ("10:01:10", "10:01:20", Some("10:03:20")),
        ("10:03:20", "10:03:30", None),
    ] {
        let due = world.due(now);
        assert_eq!(due[0].payload, r#"{"due":"2026-01-01T10:00:00Z"}"#);
        world.end(&due[0], Err("Runtime.ExitError"), failed);
        let last = world.planned().last_run.expect("a run");
        assert_eq!(last.error.as_deref(), Some("Runtime.ExitError: why"));
        assert_eq!(last.state, if next.is_some() { RunState::Retrying } else { RunState::Failed });
        assert_eq!(world.dead_letters().len(), usize::from(next.is_none()));
        if let Some(next) = next {
            assert_eq!(world.due(&at(next).strftime("%H:%M:%S").to_string())[0].id, due[0].id);
            let early = at(next) - SignedDuration::from_millis(1);
            assert_eq!(take(&world.index, &HashSet::new(), early.as_millisecond()).expect("taken"), []);
        }
    }
    assert_eq!(world.dead_letters(), [r#"{"due":"2026-01-01T10:00:00Z"}"#]);
    assert_eq!(world.due("10:30:00"), []);
}

#[test]
fn an_event_that_grew_old_is_not_tried_again() {
    let mut world = World::new("rate(1 day)");
    world.rules.max_age = Duration::from_secs(90);
    world.start("10:00:00");
    let due = world.due("10:00:00");
    world.end(&due[0], Err("Runtime.ExitError"), "10:00:10");
    let due = world.due("10:01:10");
    assert!(!due[0].is_too_old(&world.rules, at("10:01:30").as_millisecond()));
    assert!(due[0].is_too_old(&world.rules, at("10:01:31").as_millisecond()));
    world.end(&due[0], Err("Runtime.ExitError"), "10:01:11");
    assert_eq!((world.planned().last_run.expect("a run").state, world.dead_letters().len()), (RunState::Failed, 1));
}

#[test]
fn a_stack_that_stops_leaves_the_event_to_the_next() {
    let world = World::new("rate(1 day)");
    world.start("10:00:00");
    let due = world.due("10:00:00");
    world.end(&due[0], Err(InvokeError::UNAVAILABLE), "10:00:01");
    world.start("11:00:00");
    assert_eq!(world.due("11:00:00"), due);
}

#[test]
fn a_run_that_is_asked_for_is_tried_once_and_told() {
    let world = World::new("cron(0 12 * * ? *)");
    world.start("10:00:00");
    let ask = |now| world.schedules.ask(NAME, at(now)).expect("asked");
    let outcome = |id| world.schedules.outcome(id);
    assert!(world.schedules.ask("Nobody", at("10:00:00")).is_err());

    let first = ask("10:00:00");
    let due = world.due("10:00:01");
    assert_eq!((due[0].id, due[0].payload.as_str()), (first, r#"{"due":"2026-01-01T10:00:00Z"}"#));
    assert_eq!(outcome(first).expect("an outcome"), None);
    world.end(&due[0], Ok(r#"{"users":3}"#), "10:00:02");
    assert_eq!(outcome(first).expect("an outcome"), Some(Ok(r#"{"users":3}"#.to_owned())));

    let second = ask("10:01:00");
    world.end(&world.due("10:01:00")[0], Err("Sandbox.Timedout"), "10:01:01");
    assert_eq!(outcome(second).expect("an outcome"), Some(Err("Sandbox.Timedout: why".to_owned())));
    assert!(world.dead_letters().is_empty() && world.due("10:30:00").is_empty());
    assert_eq!(world.next().as_deref(), Some("2026-01-01T12:00:00Z"), "its own times stay");

    let third = ask("10:40:00");
    world.start("10:41:00");
    assert!(outcome(third).is_err(), "the stack that was asked is gone");
    assert_eq!(outcome(first).expect("an outcome"), Some(Ok(r#"{"users":3}"#.to_owned())));
    // What came of old ones is forgotten once there are later ones.
    ask("12:30:00");
    assert!(outcome(first).is_err() && outcome(second).is_ok());
}
