use super::*;
use crate::report::Counts;
use rollcall_model::code::FileCode;

fn upload() -> InboxKey {
    InboxKey::from_key("inbox/acme/append-caller-ids/x.csv").unwrap()
}

fn source() -> ObjectVersion {
    ObjectVersion { bucket: "b".into(), key: upload().key(), version: "v".into(), size: 1 }
}

fn delivery(number: u32, at: i64) -> Delivery {
    let second = |second| Timestamp::from_second(second).unwrap();
    let (at, deadline) = (second(at), second(at + 10));
    Delivery { invocation: format!("i{number}"), at, deadline, continues: 0, number, of: 3 }
}

fn claimed(existing: Option<Job>, delivery: &Delivery) -> ClaimOutcome {
    claim(existing, &upload(), &source(), delivery)
}

fn ann() -> Actor {
    Actor::Call("ann".to_owned())
}

fn running() -> Job {
    match claimed(None, &delivery(1, 100)) {
        ClaimOutcome::Work(job) => *job,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_delivery_at_a_time_and_the_next_once_the_lease_is_over() {
    assert_eq!(claimed(Some(running()), &delivery(2, 109)), ClaimOutcome::Busy);
    let ClaimOutcome::Work(job) = claimed(Some(running()), &delivery(2, 110)) else { panic!() };
    assert_eq!((job.attempts, job.lease.unwrap().owner.as_str()), (2, "i2"));
}

#[test]
fn an_ended_job_stays_ended() {
    let mut job = running();
    job.end(Timestamp::from_second(105).unwrap());
    assert_eq!(job.state, JobState::Finished);
    assert_eq!(claimed(Some(job), &delivery(2, 500)), ClaimOutcome::Ended);

    let mut job = running();
    let fault = FileFault { code: FileCode::FileEmpty, line: None, message: String::new() };
    job.failure = Some(Failure::File(fault));
    job.end(Timestamp::from_second(105).unwrap());
    assert_eq!(job.state, JobState::Failed);
    assert_eq!(claimed(Some(job), &delivery(2, 500)), ClaimOutcome::Ended);

    // Whatever a person decides about one that held, the same event never takes it up again.
    for state in [JobState::Previewed, JobState::OnHold, JobState::Discarded, JobState::Undone] {
        assert_eq!(claimed(Some(Job { state, lease: None, ..running() }), &delivery(2, 500)), ClaimOutcome::Ended);
    }
}

#[test]
fn the_last_delivery_gives_up_unless_the_one_before_paused() {
    let ClaimOutcome::GiveUp(job) = claimed(Some(running()), &delivery(3, 500)) else { panic!() };
    assert!(matches!(job.failure, Some(Failure::GaveUp { attempts: 1, .. })));
    let paused = Job { paused: true, ..running() };
    assert!(matches!(claimed(Some(paused), &delivery(3, 500)), ClaimOutcome::Work(_)));
    assert!(matches!(claimed(None, &delivery(3, 500)), ClaimOutcome::Work(_)));
}

#[test]
fn a_pause_says_whether_the_job_has_come_further_than_ever_before() {
    let mut job = running();
    assert!(!job.pause(), "nothing is done");
    job.phase = Phase::Applying;
    for (done, further) in [(2_000, true), (2_000, false), (1_000, false), (0, false), (2_001, true)] {
        job.progress.users_done = done;
        assert_eq!((job.pause(), job.paused), (further, true), "{done}");
    }
    job.phase = Phase::Reporting;
    assert!(job.pause(), "every user is dealt with");
    assert!(!job.pause(), "a report is written from its beginning");

    // A life of its own has pauses of its own.
    let ClaimOutcome::GiveUp(mut job) = claimed(Some(Job { paused: false, ..job }), &delivery(3, 500)) else {
        panic!()
    };
    job.end(Timestamp::from_second(501).unwrap());
    let ClaimOutcome::Work(mut again) = claimed(Some(*job), &delivery(1, 600)) else { panic!() };
    again.progress.users_done = 1;
    assert!(again.pause());
}

#[test]
fn an_event_of_before_a_pause_has_nothing_left_to_do() {
    let goes_on = |continues, number, at| Delivery { continues, ..delivery(number, at) };
    let mut paused = running();
    (paused.paused, paused.lease) = (true, None);
    // Until the new event has come, the old one may go on too: it may be the only one.
    assert!(matches!(claimed(Some(paused.clone()), &delivery(2, 200)), ClaimOutcome::Work(_)));
    let ClaimOutcome::Work(job) = claimed(Some(paused), &goes_on(1, 1, 200)) else { panic!() };
    for (number, at) in [(2, 205), (2, 500), (3, 500)] {
        assert_eq!(claimed(Some((*job).clone()), &delivery(number, at)), ClaimOutcome::Ended, "{number} at {at}");
    }
    assert_eq!(claimed(Some((*job).clone()), &goes_on(1, 2, 205)), ClaimOutcome::Busy);
    assert!(matches!(claimed(Some((*job).clone()), &goes_on(1, 2, 500)), ClaimOutcome::Work(_)));

    // Sent back from the dead-letter queue, an event of before is the one that counts.
    let ClaimOutcome::GiveUp(mut job) = claimed(Some(*job), &goes_on(1, 3, 500)) else { panic!() };
    job.end(Timestamp::from_second(501).unwrap());
    let ClaimOutcome::Work(job) = claimed(Some(*job), &delivery(1, 600)) else { panic!() };
    assert!(matches!(claimed(Some(*job), &delivery(2, 700)), ClaimOutcome::Work(_)));

    // A decision begins anew.
    let held = Job { state: JobState::OnHold, lease: None, continues: 4, ..running() };
    let executed = held.decide(Decision::Execute, &ann()).unwrap();
    assert!(matches!(claimed(Some(executed), &delivery(1, 800)), ClaimOutcome::Work(_)));
}

/// Every state that ends a job or doesn't, and every decision.
#[test]
fn a_person_decides_where_there_is_something_to_decide() {
    let states = [
        JobState::Running,
        JobState::Previewing,
        JobState::Previewed,
        JobState::Finished,
        JobState::Failed,
        JobState::OnHold,
        JobState::Discarded,
        JobState::Undone,
    ];
    for state in states {
        let job = Job { state, lease: None, ..running() };
        let after = |decision| job.decide(decision, &ann()).ok().map(|job| (job.state, job.stage));
        let waits = matches!(state, JobState::Previewed | JobState::OnHold);
        assert_eq!(after(Decision::Execute), waits.then_some((JobState::Running, Stage::Executed)), "{state:?}");
        assert_eq!(after(Decision::Discard), waits.then_some((JobState::Discarded, Stage::Dropped)), "{state:?}");
        let undone = (state == JobState::Finished).then_some((JobState::Undone, Stage::Dropped));
        assert_eq!(after(Decision::Undo), undone, "{state:?}");
        // What was given up has done something, unless it was a preview.
        let gave_up = Job { failure: Some(Failure::GaveUp { attempts: 5, reason: "no".into() }), ..job };
        let ended = matches!(state, JobState::Finished | JobState::Failed);
        assert_eq!(gave_up.decide(Decision::Undo, &ann()).is_ok(), ended, "{state:?}");
        let preview = Job { stage: Stage::Preview, ..gave_up };
        assert_eq!(preview.decide(Decision::Undo, &ann()).is_ok(), state == JobState::Finished, "{state:?}");
    }
    let illegal = running().decide(Decision::Undo, &ann()).unwrap_err();
    assert_eq!(illegal.to_string(), "A job that is running can't be undone.");
}

#[test]
fn a_preview_is_carried_out_by_the_same_job_once_a_person_says_so() {
    let mut job = running();
    job.preview();
    job.counts.applied = 3;
    assert_eq!(job.state, JobState::Previewing);
    job.end(Timestamp::from_second(105).unwrap());
    assert_eq!((job.state, job.is_underway()), (JobState::Previewed, false));
    assert_eq!(claimed(Some(job.clone()), &delivery(2, 500)), ClaimOutcome::Ended, "the file alone does nothing more");

    let asked = job.decide(Decision::Execute, &ann()).unwrap();
    assert_eq!(asked.previewed.map(|said| said.counts.applied), Some(3));
    assert_eq!((asked.counts.applied, asked.ended), (0, None));
    assert_eq!(asked.decide(Decision::Execute, &ann()), Ok(asked.clone()), "nobody has taken it up yet");
    let ClaimOutcome::Work(job) = claimed(Some(asked), &delivery(1, 600)) else { panic!() };
    assert_eq!((job.state, job.stage, job.attempts), (JobState::Running, Stage::Executed, 2));
    assert!(job.decide(Decision::Execute, &ann()).is_err(), "somebody is at it");
}

#[test]
fn a_job_sent_back_from_the_dead_letter_queue_lives_again() {
    let ClaimOutcome::GiveUp(mut job) = claimed(Some(running()), &delivery(3, 500)) else { panic!() };
    // Whoever gave it up may die over it.
    job.progress.rows = 1;
    let ClaimOutcome::Work(again) = claimed(Some((*job).clone()), &delivery(1, 600)) else { panic!() };
    assert_eq!((again.state, again.phase, again.failure), (JobState::Running, Phase::Reading, None));

    job.end(Timestamp::from_second(501).unwrap());
    let ClaimOutcome::GiveUp(again) = claimed(Some((*job).clone()), &delivery(3, 600)) else { panic!() };
    assert_eq!((again.failure, again.attempts), (job.failure.clone(), 1));
    let ClaimOutcome::Work(job) = claimed(Some(*job), &delivery(1, 700)) else { panic!() };
    assert_eq!((job.state, job.failure, job.mail), (JobState::Running, None, None));
}

/// An event that came twice: the one is being given up when the other is sent back from the dead-letter queue.
#[test]
fn nobody_takes_a_job_up_that_somebody_else_is_giving_up() {
    let ClaimOutcome::GiveUp(job) = claimed(Some(running()), &delivery(3, 500)) else { panic!() };
    let giving_up = Job { state: JobState::Failed, ..*job };
    for number in 1..=3 {
        assert_eq!(claimed(Some(giving_up.clone()), &delivery(number, 509)), ClaimOutcome::Busy, "{number}");
    }
    assert!(
        matches!(claimed(Some(giving_up.clone()), &delivery(1, 510)), ClaimOutcome::Work(_)),
        "it has died over it"
    );
    assert!(matches!(claimed(Some(giving_up.clone()), &delivery(3, 510)), ClaimOutcome::GiveUp(_)));
    let given_up = Job { lease: None, ..giving_up };
    assert!(matches!(claimed(Some(given_up), &delivery(1, 505)), ClaimOutcome::Work(_)));
}

#[test]
fn a_job_that_is_given_up_over_its_mail_looks_at_nothing_again() {
    let mut mailing = Job { phase: Phase::Mailing, ..running() };
    mailing.progress.rows = 2;
    (mailing.counts.applied, mailing.counts.failed) = (1, 1);
    let ClaimOutcome::GiveUp(job) = claimed(Some(mailing.clone()), &delivery(3, 500)) else { panic!() };
    let again = |job: Job| {
        let ClaimOutcome::Work(again) = claimed(Some(job), &delivery(1, 600)) else { panic!() };
        (again.state, again.phase, again.failure, again.mail)
    };
    assert_eq!(again((*job).clone()), (JobState::Running, Phase::Mailing, None, None));
    let untold = Job { mail: Some(MailState::NotDue), ..(*job).clone() };
    assert_eq!(again(untold).3, Some(MailState::NotDue), "the outcomes are none that anybody is told of");
    let sent = Job { mail: Some(MailState::NoRecipient), ..(*job).clone() };
    assert_eq!(again(sent).3, None, "that it has ended is told once more");

    mailing.counts.failed = 0;
    mailing.counts.unprocessed = 1;
    let ClaimOutcome::GiveUp(job) = claimed(Some(mailing.clone()), &delivery(3, 500)) else { panic!() };
    assert_eq!(again(*job).1, Phase::Reading, "a row is left");

    // One that had ended by what its file is had only that to say.
    mailing.counts = Counts::default();
    mailing.progress.rows = 0;
    mailing.failure = Some(Failure::Refused { reason: "It is not meant.".to_owned() });
    let ClaimOutcome::GiveUp(job) = claimed(Some(mailing), &delivery(3, 500)) else { panic!() };
    assert_eq!(again(*job).1, Phase::Reading);
}

#[test]
fn a_job_says_who_has_decided_and_which_job_has_undone_it() {
    let held = Job { state: JobState::OnHold, lease: None, ..running() };
    for decision in [Decision::Execute, Decision::Discard] {
        let decided = held.decide(decision, &ann()).unwrap();
        assert_eq!((decided.decided_by, decided.undone_by), (Some(ann()), None));
    }
    let executed = held.decide(Decision::Execute, &ann()).unwrap();
    let again = executed.decide(Decision::Execute, &Actor::Call("eve".to_owned())).unwrap();
    assert_eq!(again.decided_by, Some(ann()), "who was first has decided");

    let undo = JobId::parse("0123456789abcdef0123456789abcdef").unwrap();
    let finished = Job { state: JobState::Finished, decided_by: Some(ann()), ..held };
    let undone = finished.decide(Decision::Undo, &Actor::Job(undo.clone())).unwrap();
    assert_eq!((undone.decided_by, undone.undone_by), (Some(ann()), Some(undo.clone())));
    let ClaimOutcome::GiveUp(job) = claimed(Some(running()), &delivery(3, 500)) else { panic!() };
    let giving_up = Job { state: JobState::Failed, ..*job };
    let undone = giving_up.decide(Decision::Undo, &Actor::Job(undo)).unwrap();
    assert_eq!((undone.state, undone.lease), (JobState::Undone, None), "nobody writes over that");
}

#[test]
fn a_state_is_stored_by_the_name_that_is_shown() {
    for state in <JobState as strum::VariantArray>::VARIANTS {
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
    for phase in <Phase as strum::VariantArray>::VARIANTS {
        assert_eq!(serde_json::to_value(phase).unwrap(), phase.as_str());
    }
}
