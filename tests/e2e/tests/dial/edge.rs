//! The edge beside a switch: what it says, what it keeps, and what it does when nobody answers.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use e2e::{Stack, rollcall};
use rollcall_model::{
    inventory::{InventoryNumber, NumberFacts, NumberState},
    user::Policy,
};
use serde_json::json;

use super::{
    furnish,
    process::{Edge, FakeApi, Mood, Told},
};

/// Failures in a row after which the API is not asked for a while: what infra/docs/dial.md says.
const FAILURES: usize = 5;

/// Asks again until the answer is so. Longest it is waited for: half a minute, of which a pause of the edge's is a third.
async fn until(wanted: impl Fn(&Told) -> bool, ask: impl AsyncFn() -> Told) -> Told {
    let mut told = ask().await;
    for _ in 0..300 {
        if wanted(&told) {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        told = ask().await;
    }
    panic!("it never came: {told:?}")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_edge_says_what_the_api_says_and_keeps_it_for_a_while() {
    let stack = Stack::start(&[]).await;
    let owner = furnish(&stack).await;
    let edge = Edge::of_stack(&stack);
    let path = |who: &str, number: &str| format!("/v1/{who}/caller-ids/{number}");
    for who in ["users/user1", "extensions/desk-1"] {
        let told = edge.ask(&path(who, "+919876500001")).await;
        assert_eq!((told.status, &*told.words, &*told.source), (StatusCode::OK, "allowed", "api"), "{who}");
        assert_eq!(edge.ask(&path(who, "919876500001")).await.words, "allowed", "without the plus sign");
        let told = edge.ask(&path(who, "%2B919876500002")).await;
        assert_eq!(told.words, "refused NUMBER_NOT_ON_LIST +919876500001", "{who}");
        assert_eq!(edge.ask(&path(who, "+919876599999")).await.words, "refused NUMBER_UNKNOWN +919876500001");
    }
    assert_eq!(edge.ask(&path("extensions/nobody", "+919876500001")).await.words, "refused USER_UNKNOWN");
    for number in ["d%2A%7C", "0919876500001", "123456", "+91%2098765"] {
        let told = edge.ask(&path("users/user1", number)).await;
        assert_eq!((told.status, &*told.words), (StatusCode::BAD_REQUEST, "refused INVALID_PARAMETER"), "{number}");
    }
    assert_eq!(edge.ask(&path("extensions/%23", "+919876500001")).await.words, "refused INVALID_PARAMETER");
    let health = edge.ask("/health").await;
    assert_eq!(health.status, StatusCode::OK, "{}", health.words);

    // What it keeps ends by itself.
    let added = json!({ "caller_ids": ["+919876500002"] }).to_string();
    owner.ask(Method::POST, "/v1/users/user1/caller-ids", &[], added).await;
    let told =
        until(|told| told.words == "allowed", async || edge.ask(&path("users/user1", "+919876500002")).await).await;
    assert_eq!(told.source, "api");
    let kept =
        until(|told| told.source == "kept", async || edge.ask(&path("users/user1", "+919876500002")).await).await;
    assert_eq!(kept.words, "allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_edge_chooses_by_area_then_flags_then_turns() {
    let stack = Stack::start(&[]).await;
    let item = |number: &str, state| {
        let facts = NumberFacts { state, ..NumberFacts::default() };
        InventoryNumber::new(number.parse().unwrap(), facts, jiff::Timestamp::UNIX_EPOCH)
    };
    let numbers = [
        item("+911161234501", NumberState::Active),
        item("+912261234502", NumberState::Active),
        item("+912261234503", NumberState::Active),
        item("+914061234504", NumberState::Flagged),
        item("+914461234505", NumberState::Retired),
    ];
    stack.directory.put_numbers(&stack.account, &numbers).await.expect("the table takes them");
    let mut asha = e2e::user("asha");
    asha.policy = Policy::All;
    stack.create_user(asha).await;
    let edge = Edge::of_stack(&stack);
    let next = async |to: &str| edge.ask(&format!("/next?user=asha&to={to}")).await.words;
    assert_eq!(next("%2B911140000000").await, "+911161234501", "Delhi is shown Delhi");
    let mumbai = [next("%2B912240000000").await, next("%2B912240000000").await];
    assert_eq!(mumbai, ["+912261234502", "+912261234503"], "turns within Mumbai");
    assert_eq!(next("%2B914040000000").await, "+914061234504", "the area counts before the flag");
    let elsewhere = [next("").await, next("9800000000").await, next("%2B919800000000").await];
    assert_eq!(elsewhere, ["+911161234501", "+912261234502", "+912261234503"], "turns, and none that is flagged");
    assert_eq!(edge.ask("/next?user=nobody").await.words, "none USER_UNKNOWN");
    assert_eq!(edge.ask("/next?user=asha&extension=1").await.words, "none INVALID_PARAMETER");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_hangs_or_fails_is_asked_five_times_and_then_left_alone() {
    for mood in [Mood::Hangs, Mood::Fails] {
        let api = FakeApi::start().await;
        let token = api.token();
        let edge = Edge::start(
            &["edge", "--api", &api.url, "--fail-open", "main", "--fail-open", "other"],
            &[("ROLLCALL_TOKEN", &token)],
        );
        let known = "/v1/users/user1/caller-ids/+919876500001?trunk=spare";
        assert_eq!(edge.ask(known).await.source, "api");
        api.become_(mood);
        let before = api.asked().len();
        for call in 0..4 * FAILURES {
            let last = edge.ask(known).await;
            assert_eq!((&*last.words, &*last.source), ("allowed", "last-known"), "{mood:?}, call {call}");
        }
        let asked = api.asked().len() - before;
        // A machine that is slow enough sees the question by which the edge finds out whether the API is back.
        assert!((FAILURES..=FAILURES + 1).contains(&asked), "{mood:?}: asked {asked} times");
        let unknown = |trunk: &str| format!("/v1/users/user1/caller-ids/+919876500002{trunk}");
        for (trunk, words) in
            [("", "refused UNANSWERED"), ("?trunk=spare", "refused UNANSWERED"), ("?trunk=main", "allowed")]
        {
            let told = edge.ask(&unknown(trunk)).await;
            assert_eq!((told.status, &*told.words, &*told.source), (StatusCode::OK, words, "trunk"), "{trunk}");
        }
        assert_eq!(edge.ask("/next?user=user1").await.words, "none UNANSWERED");
        assert_eq!(edge.ask("/health").await.status, StatusCode::SERVICE_UNAVAILABLE);

        api.become_(Mood::Allows);
        until(|told| told.source == "api", async || edge.ask(&unknown("")).await).await;
        assert_eq!(edge.ask("/health").await.status, StatusCode::OK);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_asked_for_with_the_clients_secret_and_anew_when_it_ends() {
    let api = FakeApi::start().await;
    let issuer = format!("{}/oauth2/token", api.url);
    let edge = Edge::start(
        &["edge", "--api", &api.url, "--token-url", &issuer, "--client-id", "switch"],
        &[("ROLLCALL_CLIENT_SECRET", "s3cret")],
    );
    let path = "/v1/extensions/101/caller-ids/+919876500001";
    assert_eq!(edge.ask(path).await.source, "api");
    // "switch:s3cret"
    assert_eq!(api.credentials(), ["Basic c3dpdGNoOnMzY3JldA== grant_type=client_credentials"]);
    api.end_tokens();
    assert_eq!(edge.ask(path).await.source, "api", "with another token");
    assert_eq!(api.credentials().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_call_is_to_never_leaves_the_edge() {
    let api = FakeApi::start().await;
    let token = api.token();
    let edge = Edge::start(&["edge", "--api", &api.url], &[("ROLLCALL_TOKEN", &token)]);
    assert_eq!(edge.ask("/next?extension=101&to=%2B911140123456").await.words, "+911161234502");
    assert_eq!(edge.ask("/v1/extensions/101/caller-ids/+911161234502").await.words, "allowed");
    let asked = api.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked.iter().all(|path| !path.contains("40123456")), "{asked:?}");
}

#[test]
fn the_edge_listens_on_its_own_machine_alone_and_says_what_it_lacks() {
    for (arguments, lacks) in [
        (&["edge", "--api", "http://127.0.0.1:1", "--listen", "0.0.0.0:0"][..], "not this machine's alone"),
        (&["edge", "--api", "http://api.example.com"], "not a base URL"),
        (&["edge", "--stack", "x", "--api", "https://api.example.com"], "both say where the API is"),
        (&["edge", "--api", "https://api.example.com", "--client-id", "x"], "--token-url"),
        (&["--dir", "/nonexistent", "edge"], "no stack is running"),
    ] {
        let output = rollcall(None, arguments, b"");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains(lacks), "{arguments:?}: {told}");
    }
}
