//! Phone systems as a client meets them: paged, throttled, shared with others, and now and then broken.

use std::{collections::BTreeSet, num::NonZeroU32, sync::Arc, time::Duration};

use e2e::{Smartflo, SmartfloSpoil, SmartfloTraps, Zoom, ZoomSpoil, ZoomTraps};
use rollcall_connectors::{
    ConnectorError, FailureKind, Http,
    smartflo::{self, Smartflo as SmartfloClient},
    zoom_phone::{self, Endpoints, ZoomPhone},
};
use rollcall_model::{
    caller_id::CallerId,
    phone_side::{PhoneSide, PhoneUserId},
    user::Policy,
};
use tokio::time::Instant;

/// Longest that anything takes. A test that needs it has failed.
fn patience() -> Instant {
    Instant::now() + Duration::from_mins(2)
}

fn a_second(times: u32) -> NonZeroU32 {
    NonZeroU32::new(times).expect("not zero")
}

/// So fast that the pace is not felt.
fn at_once() -> NonZeroU32 {
    a_second(100_000)
}

fn http() -> Http {
    Http::new().expect("certificates")
}

fn smartflo(server: &Smartflo, per_second: NonZeroU32) -> SmartfloClient {
    let base = server.url.parse().expect("a base URL");
    SmartfloClient::new(http(), base, Smartflo::credentials(), per_second)
}

fn zoom_with(server: &Zoom, credentials: zoom_phone::Credentials, per_second: NonZeroU32) -> ZoomPhone {
    let base = || server.url.parse().expect("a base URL");
    ZoomPhone::new(http(), Endpoints { login: base(), api: base() }, credentials, per_second)
}

fn zoom(server: &Zoom) -> ZoomPhone {
    zoom_with(server, Zoom::credentials(), at_once())
}

fn number(text: &str) -> CallerId {
    text.parse().expect("a number")
}

fn ids(side: &PhoneSide) -> Vec<&str> {
    side.users.iter().map(|user| user.id.as_str()).collect()
}

/// The kind of a failure that tells nothing of what was sent or answered.
fn discreet<T>(result: Result<T, ConnectorError>) -> FailureKind {
    let Err(error) = result else { panic!("a failure was expected") };
    let told = format!("{} {error:?}", error.chain());
    let secrets = [Smartflo::PASSWORD, Zoom::CLIENT_SECRET, Zoom::CLIENT_ID];
    for private in ["agent", "acme", "token-", "s3cr3t", "html", "xyz", "+1202", "Zu_"].iter().chain(&secrets) {
        assert!(!told.contains(private), "{told}");
    }
    error.kind
}

#[tokio::test(flavor = "multi_thread")]
async fn every_user_of_smartflo_comes_once_through_paging_throttling_and_tokens_that_end() {
    for ids_as_text in [false, true] {
        let traps = SmartfloTraps { per_second: 20, page: 20, token_uses: 9, ids_as_text };
        let server = Smartflo::start(traps).await;
        let hired = server.add_users(610);
        // Faster than it may, so that it is put off.
        let side = smartflo(&server, a_second(200)).read(patience()).await.unwrap();
        assert_eq!(ids(&side), hired);
        assert!(
            server.throttled() > 0 && server.tokens_given() > 2,
            "{} {}",
            server.throttled(),
            server.tokens_given()
        );
    }
}

#[tokio::test]
async fn a_user_of_smartflo_is_read_as_far_as_it_tells() {
    let server = Smartflo::start(SmartfloTraps::default()).await;
    server.add_users(7);
    let side = smartflo(&server, at_once()).read(patience()).await.unwrap();
    let told: Vec<_> = side
        .users
        .iter()
        .map(|user| (user.login.as_ref().map(ToString::to_string), user.email.as_ref().map(ToString::to_string)))
        .collect();
    let address = Some("agent1@acme.example".to_owned());
    assert_eq!(told[0], (address.clone(), address));
    assert_eq!(told[4], (Some("agent5".to_owned()), None));
    assert_eq!(told[6], (None, None));
    assert!(side.users.iter().all(|user| user.permission.is_none()), "the directory is in force");
}

#[tokio::test]
async fn smartflo_is_asked_no_faster_than_it_takes() {
    // It takes one call more than the client makes, since machines stumble. Without a pace the first burst would be too much.
    let server = Smartflo::start(SmartfloTraps { per_second: 4, page: 3, ..SmartfloTraps::default() }).await;
    let hired = server.add_users(20);
    let side = smartflo(&server, smartflo::CALLS_PER_SECOND).read(patience()).await.unwrap();
    assert_eq!(ids(&side), hired);
    assert_eq!((server.requests(), server.throttled()), (8, 0));
}

#[tokio::test]
async fn what_smartflo_says_that_makes_no_sense_is_an_error_and_never_a_short_list() {
    use SmartfloSpoil as Corruption;
    for (spoil, kind) in [
        (Corruption::Rubbish, FailureKind::Malformed),
        (Corruption::HalfJson, FailureKind::Malformed),
        (Corruption::SaysNo, FailureKind::Refused),
        (Corruption::SaysNoAsText, FailureKind::Refused),
        (Corruption::HalfPage, FailureKind::Malformed),
        (Corruption::RepeatedCursor, FailureKind::Malformed),
        (Corruption::NoCursor, FailureKind::Malformed),
        (Corruption::RepeatedPage, FailureKind::Malformed),
        (Corruption::ChangedType, FailureKind::Malformed),
        (Corruption::ChangedLogin, FailureKind::Malformed),
        (Corruption::Redirect, FailureKind::Malformed),
        (Corruption::Forbidden, FailureKind::Denied),
    ] {
        let server = Smartflo::start(SmartfloTraps::default()).await;
        server.add_users(50);
        let client = smartflo(&server, at_once());
        server.spoil(Some(spoil));
        assert_eq!(discreet(client.read(patience()).await), kind, "{spoil:?}");
        server.spoil(None);
        assert_eq!(client.read(patience()).await.unwrap().users.len(), 50, "{spoil:?}");
    }
}

#[tokio::test]
async fn a_list_of_numbers_that_makes_no_sense_is_an_error_too() {
    let server = Smartflo::start(SmartfloTraps::default()).await;
    server.buy(&["+919876500001"]);
    let client = smartflo(&server, at_once());
    for spoil in [SmartfloSpoil::Rubbish, SmartfloSpoil::HalfJson, SmartfloSpoil::SaysNo, SmartfloSpoil::Empty] {
        server.spoil(Some(spoil));
        let kind = if spoil == SmartfloSpoil::SaysNo { FailureKind::Refused } else { FailureKind::Malformed };
        assert_eq!(discreet(client.my_numbers(patience()).await), kind, "{spoil:?}");
        assert_eq!(discreet(client.departments(patience()).await), kind, "{spoil:?}");
    }
    server.spoil(None);
    server.buy(&["+919876500001"]);
    assert_eq!(discreet(client.my_numbers(patience()).await), FailureKind::Malformed, "which of two IDs is meant?");
}

#[tokio::test]
async fn an_empty_list_is_what_was_said() {
    let server = Smartflo::start(SmartfloTraps::default()).await;
    server.add_users(3);
    server.spoil(Some(SmartfloSpoil::Empty));
    assert_eq!(smartflo(&server, at_once()).read(patience()).await.unwrap(), PhoneSide::default());

    let server = Zoom::start(ZoomTraps::default()).await;
    server.add_users(3);
    server.spoil(Some(ZoomSpoil::Empty));
    assert_eq!(zoom(&server).read(patience()).await.unwrap(), PhoneSide::default());
}

#[tokio::test]
async fn departments_come_by_id_and_name() {
    let server = Smartflo::start(SmartfloTraps::default()).await;
    let departments = smartflo(&server, at_once()).departments(patience()).await.unwrap();
    let told: Vec<_> = departments.iter().map(|entry| (entry.id.as_str(), entry.name.as_str())).collect();
    assert_eq!(told, [("20546", "Sales"), ("20547", "Support")]);
}

#[tokio::test]
async fn a_users_whole_list_goes_out_in_its_order_and_with_nothing_that_is_not_there() {
    let server = Smartflo::start(SmartfloTraps::default()).await;
    let user = server.add_users(1).remove(0);
    server.buy(&["+919876500001", "+919876500002", "+919876500003"]);
    let client = smartflo(&server, at_once());
    let numbers = client.my_numbers(patience()).await.unwrap();
    let id = PhoneUserId::parse(&user).unwrap();
    let set = async |list: &[CallerId]| client.set_caller_ids(&id, list, &numbers, patience()).await;

    let (one, two, foreign) = (number("+919876500001"), number("+919876500002"), number("+919876500009"));
    set(&[one]).await.unwrap();
    assert_eq!(server.caller_ids(&user).unwrap(), ["+919876500001"]);
    // It replaces what is there, so the whole list is sent each time; the first number means something.
    set(&[two, one]).await.unwrap();
    assert_eq!(server.caller_ids(&user).unwrap(), ["+919876500002", "+919876500001"]);

    let before = server.requests();
    assert_eq!(discreet(set(&[one, foreign]).await), FailureKind::Refused);
    assert_eq!(server.requests(), before, "nothing is sent with a number that isn't there");
    set(&[]).await.unwrap();
    assert_eq!(server.caller_ids(&user).unwrap(), Vec::<String>::new(), "an emptied list is told");

    let nobody = PhoneUserId::parse("1/../314001").unwrap();
    assert_eq!(discreet(client.set_caller_ids(&nobody, &[one], &numbers, patience()).await), FailureKind::Refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_user_of_zoom_comes_once_with_the_numbers_that_are_theirs() {
    let traps = ZoomTraps { per_second: 60, page: 2, token_uses: 25, ..ZoomTraps::default() };
    let server = Zoom::start(traps).await;
    server.add_users(41);
    server.change(0, |user| user.customised = (0..5).map(|at| format!("+120255599{at}0")).collect());
    // In a task of its own, as a function runs it; faster than it may, so that it is put off.
    let client = zoom_with(&server, Zoom::credentials(), a_second(400));
    let side = tokio::spawn(async move { client.read(patience()).await }).await.unwrap().unwrap();
    assert_eq!(side.users.len(), 41);
    for (user, person) in side.users.iter().zip(server.users()) {
        let listed = if person.customised.is_empty() { person.choices } else { person.customised };
        let listed: BTreeSet<CallerId> = listed.iter().map(|listed| number(listed)).collect();
        let permission = user.permission.as_ref().unwrap();
        assert_eq!((permission.policy, &permission.department), (Policy::Custom, &None));
        assert_eq!(permission.caller_ids, Vec::from_iter(listed), "{}", person.id);
        assert_eq!(user.id.as_str(), person.id);
        assert_eq!(user.email.as_ref().unwrap().as_str(), person.email);
        assert_eq!(user.login.as_ref().unwrap().as_str(), person.email);
    }
    assert!(server.throttled() > 0 && server.tokens_given() > 2, "{} {}", server.throttled(), server.tokens_given());
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_users_are_asked_about_at_once_and_no_more() {
    let server = Zoom::start(ZoomTraps::default()).await;
    server.add_users(200);
    zoom(&server).read(patience()).await.unwrap();
    let most = server.most_in_flight();
    assert!((2..=8).contains(&most), "{most} at once");
}

#[tokio::test]
async fn what_zoom_says_that_makes_no_sense_is_an_error_and_never_a_short_list() {
    use ZoomSpoil as Corruption;
    for (spoil, kind) in [
        (Corruption::Rubbish, FailureKind::Malformed),
        (Corruption::HalfJson, FailureKind::Malformed),
        (Corruption::HalfPage, FailureKind::Malformed),
        (Corruption::TooMany, FailureKind::Malformed),
        (Corruption::RepeatedToken, FailureKind::Malformed),
        (Corruption::ChangedType, FailureKind::Malformed),
        (Corruption::NoList, FailureKind::Malformed),
        (Corruption::EmptyPage, FailureKind::Malformed),
        (Corruption::Forbidden, FailureKind::Denied),
    ] {
        let server = Zoom::start(ZoomTraps { page: 5, ..ZoomTraps::default() }).await;
        server.add_users(12);
        let client = zoom(&server);
        server.spoil(Some(spoil));
        assert_eq!(discreet(client.read(patience()).await), kind, "{spoil:?}");
        server.spoil(None);
        assert_eq!(client.read(patience()).await.unwrap().users.len(), 12, "{spoil:?}");
    }
}

#[tokio::test]
async fn one_users_numbers_that_make_no_sense_fail_the_whole_read() {
    for wrong in ["", "+1", "2025550123", "agent1"] {
        let server = Zoom::start(ZoomTraps::default()).await;
        server.add_users(9);
        server.change(6, |user| user.customised = vec!["+12025550001".to_owned(), wrong.to_owned()]);
        assert_eq!(discreet(zoom(&server).read(patience()).await), FailureKind::Malformed, "{wrong:?}");
    }
    let server = Zoom::start(ZoomTraps::default()).await;
    server.add_users(9);
    server.change(2, |user| user.choices = vec!["agent1".to_owned()]);
    assert_eq!(discreet(zoom(&server).read(patience()).await), FailureKind::Malformed);
    let first = server.users()[0].id.clone();
    server.change(2, |user| *user = e2e::ZoomUser { id: first, ..user.clone() });
    assert_eq!(discreet(zoom(&server).read(patience()).await), FailureKind::Malformed, "one ID, two users");
}

#[tokio::test]
async fn credentials_that_are_not_taken_are_said_to_be_so() {
    let server = Smartflo::start(SmartfloTraps::default()).await;
    let base = || server.url.parse().expect("a base URL");
    let client = SmartfloClient::new(http(), base(), Smartflo::credentials_with("another"), at_once());
    assert_eq!(discreet(client.read(patience()).await), FailureKind::Denied, "though it is said with status 200");
    assert_eq!(server.requests(), 1, "a password that is wrong is not tried again: it would lock the account");

    let server = Zoom::start(ZoomTraps::default()).await;
    let client = zoom_with(&server, Zoom::credentials_with("another"), at_once());
    assert_eq!(discreet(client.read(patience()).await), FailureKind::Denied);
    assert_eq!(server.requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_need_a_token_one_is_asked_for() {
    let server = Smartflo::start(SmartfloTraps::default()).await;
    server.buy(&["+919876500001"]);
    let client = Arc::new(smartflo(&server, at_once()));
    for round in 1..=2 {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let client = Arc::clone(&client);
            tasks.spawn(async move { client.my_numbers(patience()).await.map(|_| ()) });
        }
        for read in tasks.join_all().await {
            read.unwrap();
        }
        assert_eq!(server.tokens_given(), round);
        // Every token is revoked: all find that out at once.
        server.end_tokens();
    }

    let server = Zoom::start(ZoomTraps::default()).await;
    server.add_users(20);
    let client = zoom(&server);
    for round in 1..=2 {
        client.read(patience()).await.unwrap();
        assert_eq!(server.tokens_given(), round);
        server.end_tokens();
    }
}

#[tokio::test]
async fn a_token_that_ends_half_way_is_renewed_and_the_list_goes_on() {
    let server = Smartflo::start(SmartfloTraps { page: 10, token_uses: 3, ..SmartfloTraps::default() }).await;
    let hired = server.add_users(100);
    assert_eq!(ids(&smartflo(&server, at_once()).read(patience()).await.unwrap()), hired);
    assert_eq!(server.tokens_given(), 4);
}

#[tokio::test]
async fn patience_ends_with_the_time_that_there_is() {
    // Its day is over, and tomorrow is more patience than there is.
    let server = Zoom::start(ZoomTraps { per_day: 4, ..ZoomTraps::default() }).await;
    server.add_users(50);
    assert_eq!(discreet(zoom(&server).read(patience()).await), FailureKind::Unavailable);
    // Those that were on their way come, and nothing is tried again.
    assert!(server.requests() <= 4 + 8, "{}", server.requests());

    // Live traffic takes every call of every second.
    let server = Smartflo::start(SmartfloTraps { per_second: 0, ..SmartfloTraps::default() }).await;
    let soon = Instant::now() + Duration::from_secs(2);
    assert_eq!(discreet(smartflo(&server, at_once()).read(soon).await), FailureKind::Unavailable);
    assert!(server.requests() <= 3, "at once, after half a second, and a second later");

    let server = Smartflo::start(SmartfloTraps::default()).await;
    let client = smartflo(&server, at_once());
    client.my_numbers(patience()).await.unwrap();
    let before = server.requests();
    server.spoil(Some(SmartfloSpoil::Broken));
    assert_eq!(discreet(client.read(patience()).await), FailureKind::Unavailable);
    assert_eq!(server.requests() - before, 5, "a server that only fails is tried a few times");

    let server = Zoom::start(ZoomTraps::default()).await;
    server.spoil(Some(ZoomSpoil::Broken));
    assert_eq!(discreet(zoom(&server).read(Instant::now() + Duration::from_secs(1)).await), FailureKind::Unavailable);
}
