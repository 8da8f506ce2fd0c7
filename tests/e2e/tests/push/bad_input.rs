//! Phone systems that refuse, fall silent, forget, or have something else than they should.

use axum::http::{Method, StatusCode};
use e2e::{SmartfloTraps, rollcall};
use rollcall_bulk::job::{Failure, JobState};
use rollcall_model::settings::PhoneSystem;

use super::{Phones, number};

#[tokio::test(flavor = "multi_thread")]
async fn one_whom_the_phone_system_refuses_is_one_row_and_is_tried_again_when_asked() {
    let phones = Phones::start(PhoneSystem::Smartflo, SmartfloTraps::default(), &[]).await;
    let (stack, smartflo) = (&phones.stack, &phones.smartflo);
    let n: Vec<String> = (0..2).map(number).collect();
    phones.own(&n).await;
    stack.create_users(4).await;
    let ids: Vec<String> = (1..=3).map(|at| smartflo.hire(&format!("user{at}"))).collect();
    // Nobody can say which of the two is meant.
    smartflo.hire("user3");
    smartflo.refuse(&ids[0]);
    phones.append(&[("user1", &n[0]), ("user2", &n[0]), ("user3", &n[0]), ("user4", &n[0])]).await;
    phones.has(&ids[1], &[&n[0]]).await;
    let user = phones.asked("/v1/users/user1", |user| user["switch"]["state"] == "failed").await;
    assert_eq!(user["switch"]["code"], "PHONE_USER_REFUSED", "{user}");
    let user = phones.asked("/v1/users/user3", |user| user["switch"]["state"] == "failed").await;
    assert_eq!(user["switch"]["code"], "PHONE_USER_AMBIGUOUS", "{user}");
    phones.asked("/v1/users/user4", |user| user["switch"]["state"] == "not_there").await;
    let job = phones.pushed(|job| job.counts.failed > 0).await;
    let failed = stack.report(&job, "failed").await;
    assert!(failed.iter().all(|row| row["Error Code"].starts_with("PHONE_USER_")), "{failed:?}");
    let standing = phones.asked("/v1/phone-system", |at| at["push"]["failed"] == 2).await;
    assert_eq!(standing["push"]["not_there"], 1, "{standing}");
    for (state, logins) in [
        ("failed", ["user1", "user3"].as_slice()),
        ("not_there", &["user4"]),
        ("in_step", &["user2"]),
        ("pending", &[]),
    ] {
        assert_eq!(phones.listed(&format!("switch={state}")).await, logins, "{state}");
    }
    assert_eq!(phones.listed("switch=failed&limit=1").await, ["user1", "user3"], "a page at a time");
    assert_eq!(phones.listed("switch=failed&search=USER3").await, ["user3"]);
    assert!(phones.listed("switch=failed&calling_agent=true").await.is_empty());
    let told = rollcall(Some(stack), &["users", "--switch", "failed", "--account", "acme", "--csv"], b"");
    let told = String::from_utf8(told.stdout).expect("text");
    assert_eq!(told.lines().count(), 3, "{told}");

    // The others are told of meanwhile, and who failed waits.
    phones.append(&[("user2", &n[1])]).await;
    phones.has(&ids[1], &[&n[0], &n[1]]).await;
    assert_eq!(smartflo.caller_ids(&ids[0]), None);
    smartflo.refuse_nobody();
    let retried = rollcall(Some(stack), &["push", "--retry", "--account", "acme"], b"");
    assert_eq!(retried.status.code(), Some(1), "one is there twice still");
    phones.has(&ids[0], &[&n[0]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_refused_stop_the_account_and_say_so() {
    let phones = Phones::start(PhoneSystem::Smartflo, SmartfloTraps::default(), &[]).await;
    let (stack, smartflo, n) = (&phones.stack, &phones.smartflo, [number(0)]);
    phones.own(&n).await;
    stack.create_users(1).await;
    let id = smartflo.hire("user1");
    phones.secret("yesterday's").await;
    phones.append(&[("user1", &n[0])]).await;
    let job = phones.pushed(|job| job.state == JobState::Failed).await;
    assert!(matches!(job.failure, Some(Failure::Refused { .. })), "{job:?}");
    let standing = phones.asked("/v1/phone-system", |at| at["push"]["stopped"].is_object()).await;
    assert_eq!((&standing["push"]["pending"], &standing["push"]["stopped"]["on_hold"]), (&1.into(), &false.into()));
    phones.secret(e2e::Smartflo::PASSWORD).await;
    assert!(rollcall(Some(stack), &["push", "--account", "acme"], b"").status.success());
    phones.has(&id, &[&n[0]]).await;
    phones.asked("/v1/phone-system", |at| at["push"]["stopped"].is_null()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_leaves_somebody_without_a_number_waits_for_a_person() {
    let phones = Phones::start(PhoneSystem::Smartflo, SmartfloTraps::default(), &[]).await;
    let (stack, smartflo, n) = (&phones.stack, &phones.smartflo, [number(0)]);
    phones.own(&n).await;
    stack.create_users(1).await;
    let id = smartflo.hire("user1");
    phones.append(&[("user1", &n[0])]).await;
    phones.has(&id, &[&n[0]]).await;
    phones.asked("/v1/phone-system", |at| at["push"]["pending"] == 0).await;
    let owner = stack.caller(&["--account", stack.account.as_str()]);
    let path = format!("/v1/users/user1/caller-ids/{}", n[0].replace('+', "%2B"));
    assert!(owner.ask(Method::DELETE, &path, &[], "").await.status.is_success());
    let job = phones.pushed(|job| job.state == JobState::OnHold).await;
    assert_eq!(smartflo.caller_ids(&id).unwrap(), n, "nothing was taken");
    let standing = phones.asked("/v1/phone-system", |at| at["push"]["stopped"]["on_hold"] == true).await;
    assert!(standing["push"]["stopped"]["reason"].as_str().unwrap().contains("without a number"), "{standing}");
    let executed = owner.ask(Method::POST, &format!("/v1/jobs/{}/execute", job.id), &[], "{}").await;
    assert_eq!(executed.status, StatusCode::ACCEPTED, "{}", executed.text());
    phones.has(&id, &[]).await;
    phones.asked("/v1/phone-system", |at| at["push"]["stopped"].is_null() && at["push"]["pending"] == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_the_phone_system_lacks_are_left_out_and_told() {
    let phones = Phones::start(PhoneSystem::Smartflo, SmartfloTraps::default(), &[]).await;
    let (stack, smartflo) = (&phones.stack, &phones.smartflo);
    let n: Vec<String> = (0..2).map(number).collect();
    phones.own(&n[..1]).await;
    stack.own(&[&n[1]]).await;
    stack.create_users(1).await;
    let id = smartflo.hire("user1");
    phones.append(&[("user1", &n[0]), ("user1", &n[1])]).await;
    phones.has(&id, &[&n[0]]).await;
    let job = phones.pushed(|job| job.counts.partial == 1).await;
    assert_eq!(stack.report(&job, "failed").await[0]["Error Code"], "PHONE_NUMBER_MISSING");
    phones.asked("/v1/users/user1", |user| user["switch"]["missing"] == 1).await;
    // What the numbers are called there is read for each push.
    smartflo.forget_ids();
    smartflo.buy(&[&n[1]]);
    assert!(rollcall(Some(stack), &["push", "user1", "--account", "acme"], b"").status.success());
    phones.has(&id, &[&n[0], &n[1]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_takes_and_answers_nothing_is_told_again_and_has_the_same() {
    let parameters = ["BulkTimeoutSeconds=10", "BulkVisibilitySeconds=10"];
    let phones = Phones::start(PhoneSystem::Smartflo, SmartfloTraps::default(), &parameters).await;
    let (stack, smartflo, n) = (&phones.stack, &phones.smartflo, [number(0)]);
    phones.own(&n).await;
    stack.create_users(2).await;
    let ids = ["user1", "user2"].map(|login| smartflo.hire(login));
    smartflo.fall_silent(1);
    phones.append(&[("user1", &n[0]), ("user2", &n[0])]).await;
    for id in &ids {
        phones.has(id, &[&n[0]]).await;
    }
    phones.asked("/v1/phone-system", |at| at["push"]["pending"] == 0 && at["push"]["in_step"] == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bursts_of_429_put_a_push_off_and_fail_nobody() {
    const USERS: usize = 8;
    let phones = Phones::start(PhoneSystem::Smartflo, SmartfloTraps::default(), &[]).await;
    let (stack, smartflo) = (&phones.stack, &phones.smartflo);
    let n: Vec<String> = (0..2).map(number).collect();
    phones.own(&n).await;
    stack.create_users(USERS).await;
    let ids: Vec<String> = (1..=USERS).map(|at| smartflo.hire(&format!("user{at}"))).collect();
    for (at, number) in n.iter().enumerate() {
        smartflo.throttle(6);
        let rows: Vec<(String, &str)> = (1..=USERS).map(|user| (format!("user{user}"), number.as_str())).collect();
        phones.append(&rows.iter().map(|(login, number)| (login.as_str(), *number)).collect::<Vec<_>>()).await;
        for id in &ids {
            phones.has(id, &n[..=at].iter().collect::<Vec<_>>()).await;
        }
    }
    assert_eq!(smartflo.throttled(), 12);
    let standing = phones.asked("/v1/phone-system", |at| at["push"]["pending"] == 0).await;
    assert_eq!((&standing["push"]["in_step"], &standing["push"]["failed"]), (&USERS.into(), &0.into()), "{standing}");
}

/// Nobody knows what its documentation means by setting a list, and it can't be asked.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_adds_in_place_of_replacing_is_doubted_until_a_person_has_looked() {
    let phones = Phones::start(PhoneSystem::Smartflo, SmartfloTraps::default(), &[]).await;
    let (stack, smartflo) = (&phones.stack, &phones.smartflo);
    let n: Vec<String> = (0..3).map(number).collect();
    phones.own(&n).await;
    stack.create_users(1).await;
    let id = smartflo.hire("user1");
    smartflo.add_to_lists();
    phones.append(&[("user1", &n[0]), ("user1", &n[1])]).await;
    phones.has(&id, &[&n[0], &n[1]]).await;
    phones.asked("/v1/users/user1", |user| user["switch"]["state"] == "in_step").await;
    let rotated = rollcall(Some(stack), &["rotate", &format!("{}={}", n[0], n[2]), "--yes", "--account", "acme"], b"");
    assert!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
    phones.asked("/v1/users/user1", |user| user["switch"]["state"] == "unverified").await;
    assert!(smartflo.caller_ids(&id).expect("a list").contains(&n[0]), "it has the old one still");
    assert_eq!(phones.listed("switch=unverified").await, ["user1"]);
    let said = |answer: &str| rollcall(Some(stack), &["push", "--verify", answer, "--account", "acme"], b"");
    assert!(said("replaces=no").status.success());
    assert_eq!(phones.listed("switch=unverified").await, ["user1"], "now it is known");
    assert!(said("replaces=yes").status.success());
    assert_eq!(phones.listed("switch=in_step").await, ["user1"], "who has looked is believed");
}
