//! The real functions, killed while lists change and the phone system is told.

use std::time::Duration;

use e2e::{SeededRng, SmartfloTraps, how_much};
use rollcall_model::settings::PhoneSystem;

use super::{Phones, number};

const USERS: usize = 6;
/// Deaths in the usual run.
const DEATHS: u64 = 12;

/// A death may come before or after any request, to the table as to the phone system. In the end everybody's list is there, and nothing
/// waits.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_dies_everybody_is_told_in_the_end() {
    let parameters = ["BulkTimeoutSeconds=5", "BulkVisibilitySeconds=6", "MaxDeliveries=1000"];
    let phones = Phones::start(PhoneSystem::Smartflo, SmartfloTraps::default(), &parameters).await;
    phones.stack.create_users(USERS).await;
    let logins: Vec<String> = (1..=USERS).map(|at| format!("user{at}")).collect();
    let ids: Vec<String> = logins.iter().map(|login| phones.smartflo.hire(login)).collect();
    let (wanted, draws) = (how_much("ROLLCALL_PUSH_DEATHS", DEATHS), SeededRng::of(1));
    let (mut deaths, mut told) = (0, Vec::new());
    while deaths < wanted {
        let new = number(told.len());
        phones.own(std::slice::from_ref(&new)).await;
        phones.append(&logins.iter().map(|login| (login.as_str(), new.as_str())).collect::<Vec<_>>()).await;
        told.push(new);
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(draws.below(1_500))).await;
            deaths += (phones.stack.kill_all("push-lists") + phones.stack.kill_all("table-follower")) as u64;
        }
    }
    for id in &ids {
        phones.has(id, &told.iter().collect::<Vec<_>>()).await;
    }
    let standing =
        phones.asked("/v1/phone-system", |at| at["push"]["pending"] == 0 && at["push"]["job"].is_null()).await;
    assert_eq!(standing["push"]["in_step"], USERS, "{standing}");
}
