//! A job that dies before and after every single request, in turn.

use rollcall_bulk::job::{Job, JobState, MailState};
use rollcall_engine::{DeliveryOutcome, Operation};
use rollcall_model::jobs::JobKind;

use crate::{Faults, Fuse, Stack, TestEngine, delivery, how_much};

/// Between one request at which something dies and the next that is tried: so many in the usual run, or as `ROLLCALL_DEATH_STEP` says.
pub fn death_step(usual: u64) -> usize {
    usize::try_from(how_much("ROLLCALL_DEATH_STEP", usual)).expect("few")
}

/// A job that is to survive its death at any point.
pub trait CrashTest {
    /// What it does.
    type Operation: Operation;
    /// Its kind.
    const KIND: JobKind;

    /// What it does.
    fn operation(&self, stack: &Stack) -> impl Future<Output = Self::Operation>;

    /// Makes the users that the file is about, all with this prefix, and the file. Where mails are due, some of its rows must
    /// fail.
    fn prepare(&self, stack: &Stack, prefix: &str) -> impl Future<Output = String>;

    /// Looks whether the job and the table are as they would be without a death.
    fn check(&self, stack: &Stack, prefix: &str, job: &Job, context: &str) -> impl Future<Output = ()>;

    /// What others do between the death and the next delivery.
    fn meanwhile(&self, _stack: &Stack, _prefix: &str) -> impl Future<Output = ()> {
        async {}
    }

    /// Whether a mail is due.
    fn mails(&self) -> bool {
        true
    }
}

/// Dies before and after every single request of a job, of which the usual run tries each third; the next delivery must bring it to the same end.
/// Fewer requests than `least` can't be the whole job.
pub async fn die_at_every_request<D: CrashTest>(doomed: &D, least: i64) {
    let stack = Stack::start(&[]).await;
    stack.recipients(&["ops@example.com"]).await;
    let operation = doomed.operation(&stack).await;
    let mut second_mails = 0;
    let step = death_step(3);
    // Where the request is still carried out, others are tried than where it isn't.
    for (carried_out, first) in [(false, 0), (true, step / 2)] {
        for requests in (i64::try_from(first).expect("few")..).step_by(step) {
            let prefix = format!("u{}x{requests}x", u8::from(carried_out));
            let file = doomed.prepare(&stack, &prefix).await;
            let name = format!("{prefix}.csv");
            let source = stack.put_quietly(&name, file).await;
            let upload = stack.upload_of(D::KIND, &name);
            let mails = stack.mails().len();

            let fuse = Fuse::after(requests, carried_out);
            let dying = TestEngine::new(&stack, Faults::default(), Some(fuse.clone())).await;
            let first = delivery(1);
            let survived = tokio::select! {
                ending = dying.engine.run(&operation, &upload, &source, &first) => Some(ending.expect("nothing fails")),
                () = fuse.blown() => None,
            };
            doomed.meanwhile(&stack, &prefix).await;
            let world = TestEngine::new(&stack, Faults::default(), None).await;
            let ending = world.engine.run(&operation, &upload, &source, &delivery(2)).await.expect("nothing fails");
            assert_eq!(ending, DeliveryOutcome::Ended, "after {requests} requests");

            let job = stack.job_when(&source, |_| true).await;
            let context = format!("after {requests} requests, carried out: {carried_out}: {job:?}");
            assert_eq!(job.state, JobState::Finished, "{context}");
            doomed.check(&stack, &prefix, &job, &context).await;
            assert_eq!(matches!(job.mail, Some(MailState::Sent { .. })), doomed.mails(), "{context}");
            match stack.mails().len() - mails {
                sent if sent == usize::from(doomed.mails()) => {}
                // The stated window: the mail service took it, and the note of that was lost.
                2 if survived.is_none() => second_mails += 1,
                sent => panic!("{sent} mails {context}"),
            }
            if survived.is_some() {
                assert!(requests > least, "a job makes more requests than {requests}");
                break;
            }
        }
    }
    // Before the note is written: once where the mail was carried out and not answered, and at most twice where the
    // note's own request was lost.
    let fewest = i32::from(step == 1);
    let expected = if doomed.mails() { fewest..=3 } else { 0..=0 };
    assert!(expected.contains(&second_mails), "{second_mails} second mails");
}
