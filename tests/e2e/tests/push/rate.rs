//! How fast the phone system is told, across invocations.

use e2e::SmartfloTraps;
use rollcall_bulk::job::JobState;
use rollcall_model::{jobs::JobKind, settings::PhoneSystem};

use super::{Phones, number};

/// Users in the usual run: more than one invocation tells.
const USERS: usize = 60;

fn users() -> usize {
    std::env::var("ROLLCALL_PUSHED").ok().map_or(USERS, |users| users.parse().expect("a number of users"))
}

/// The phone system takes three calls a second. Two of them are ours, and no delivery is a failed one for it.
#[tokio::test(flavor = "multi_thread")]
async fn many_users_are_told_at_the_phone_systems_rate_in_as_many_invocations_as_it_takes() {
    let traps = SmartfloTraps { per_second: 3, page: 100, ..SmartfloTraps::default() };
    let parameters = ["BulkTimeoutSeconds=20", "BulkVisibilitySeconds=120", "MaxDeliveries=2"];
    let phones = Phones::start(PhoneSystem::Smartflo, traps, &parameters).await;
    let n = [number(0)];
    phones.own(&n).await;
    phones.stack.create_users(users()).await;
    let ids: Vec<String> = (1..=users()).map(|at| phones.smartflo.hire(&format!("user{at}"))).collect();
    let rows: String = (1..=users()).map(|at| format!("user{at},{}\n", n[0])).collect();
    phones.stack.append("all.csv", format!("Login ID,Allowed Caller ID\n{rows}")).await;
    for id in &ids {
        phones.has(id, &[&n[0]]).await;
    }
    let standing =
        phones.asked("/v1/phone-system", |at| at["push"]["pending"] == 0 && at["push"]["job"].is_null()).await;
    assert_eq!(standing["push"]["in_step"], users(), "{standing}");
    let (jobs, _) = phones.stack.directory.jobs(&phones.stack.account, None, 100).await.expect("jobs are listed");
    let pushes: Vec<_> = jobs.iter().filter(|job| job.upload.kind == JobKind::PushLists).collect();
    assert!(pushes.iter().all(|job| job.state == JobState::Finished), "{pushes:#?}");
    assert!(pushes.iter().any(|job| job.attempts > 1), "more than one invocation: {pushes:#?}");
    assert_eq!(
        pushes.iter().map(|job| job.progress.users_changed).sum::<u64>(),
        users() as u64,
        "nobody is told twice"
    );
    assert!(phones.smartflo.throttled() <= 3, "{} calls were put off", phones.smartflo.throttled());
}
