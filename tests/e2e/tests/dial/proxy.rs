//! The sample of Kamailio as it stands, with real calls. Where the machine has no kamailio or sipp, each test says so and passes.

use axum::http::Method;
use e2e::{Smartflo, SmartfloTraps, Stack, rollcall};
use serde_json::json;

use super::{
    furnish,
    process::{Edge, FakeApi, Mood},
    sip::{Call, Switch, USERS, is_there},
};

const OLD: &str = "+919876500003";
const NEW: &str = "+919876500004";

/// Dials until a call ends so: what is kept of an answer goes by itself, in some seconds.
fn until(switch: &Switch, status: u16, call: Call<'_>) {
    assert!((0..60).any(|_| switch.ends_with(status, call)), "a call of {} never ends with {status}", call.user);
}

/// Gives the stack's account a phone system that takes lists, with the numbers, and user2 in it. Gives what it calls that user.
async fn have_phone_system(stack: &Stack, smartflo: &Smartflo) -> String {
    Smartflo::connect(stack).await;
    let numbers: Vec<String> = (1..=6).map(|last| format!("+91987650000{last}")).collect();
    smartflo.buy(&numbers.iter().map(String::as_str).collect::<Vec<_>>());
    smartflo.hire("user2")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_file_a_rotation_and_its_undo_change_is_so_at_the_next_call_and_in_the_phone_system() {
    if !is_there() {
        return;
    }
    let smartflo = Smartflo::start(SmartfloTraps::default()).await;
    let stack = Stack::start(&[&format!("SmartfloUrl={}", smartflo.url)]).await;
    let owner = furnish(&stack).await;
    let id = have_phone_system(&stack, &smartflo).await;
    let has = async |number: &str| {
        let is_there = || smartflo.caller_ids(&id).filter(|list| *list == [number]).map(drop);
        e2e::until(&format!("the phone system to have {number}"), is_there).await;
    };
    let command = |words: &[&str]| {
        let said = rollcall(Some(&stack), &[words, &["--account", stack.account.as_str()]].concat(), b"");
        assert!(said.status.success(), "{words:?}: {}", String::from_utf8_lossy(&said.stderr));
    };
    let extension = json!({ "extension": { "login": "desk-2", "intercom": "2" } }).to_string();
    owner.ask(Method::PATCH, "/v1/users/user2", &[], extension).await;
    let edge = Edge::of_stack(&stack);
    let switch = Switch::start(&edge.url, &USERS);

    switch.expect(200, Call::of("desk-1", "+919876500001"));
    switch.expect(403, Call::of("desk-2", OLD));
    switch.expect(403, Call::of("nobody", "+919876500001"));
    let job = stack.append("may.csv", format!("Login ID,Allowed Caller ID\nuser2,{OLD}\n")).await;
    assert_eq!(job.counts.applied, 1);
    until(&switch, 200, Call::of("desk-2", OLD));
    has(OLD).await;

    command(&["numbers", "flag", OLD]);
    command(&["rotate", &format!("{OLD}={NEW}"), "--yes"]);
    until(&switch, 403, Call::of("desk-2", OLD));
    until(&switch, 200, Call::of("desk-2", NEW));
    has(NEW).await;

    command(&["undo", "latest", "--yes"]);
    until(&switch, 403, Call::of("desk-2", NEW));
    until(&switch, 200, Call::of("desk-2", OLD));
    has(OLD).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_a_caller_is_and_what_it_shows_is_not_what_it_says() {
    if !is_there() {
        return;
    }
    let stack = Stack::start(&[]).await;
    furnish(&stack).await;
    let edge = Edge::of_stack(&stack);
    let switch = Switch::start(&edge.url, &USERS);
    for number in ["d*|", "%2B919876500001", "919876500001", "+0919876500001", "+91"] {
        switch.expect(403, Call::of("desk-1", number));
    }
    // Whose From says that it is somebody who may.
    let forged = Call { user: "desk-2", from: "desk-1", preferred: Some("+919876500001") };
    switch.expect(403, forged);
    assert!(switch.trunk_was_told().is_empty(), "no such call has come so far");
    // Whoever asks by one number shows that one.
    let mixed = Call { user: "desk-1", from: "+919876500002", preferred: Some("+919876500001") };
    switch.expect(200, mixed);
    let told = switch.trunk_was_told();
    assert!(told.contains("P-Asserted-Identity: <sip:+919876500001@"), "{told}");
    assert!(!told.contains("919876500002") && !told.contains("P-Preferred-Identity"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_hangs_or_refuses_costs_few_calls_a_moment_and_ends_as_the_trunk_says() {
    if !is_there() {
        return;
    }
    for (mood, open, status) in [(Mood::Hangs, false, 403), (Mood::Hangs, true, 200), (Mood::Fails, false, 403)] {
        let api = FakeApi::start().await;
        let token = api.token();
        let mut arguments = vec!["edge", "--api", &api.url];
        if open {
            // As the sample calls its trunk.
            arguments.extend(["--fail-open", "out"]);
        }
        let edge = Edge::start(&arguments, &[("ROLLCALL_TOKEN", &token)]);
        let switch = Switch::start(&edge.url, &USERS);
        api.become_(mood);
        let calls = switch.dial(status, Call::of("desk-1", "+919876500001"), &["-m", "100", "-r", "50"]);
        assert!(calls.status.success(), "{mood:?}, open {open}: {}", String::from_utf8_lossy(&calls.stdout));
        // Those of the moment before it is known, and no more. One a machine that takes long asks anew.
        let asked = api.asked().len();
        assert!((5..100).contains(&asked), "{mood:?}: asked {asked} times");
    }
    // Without the edge, no call passes unseen.
    let switch = Switch::start("http://127.0.0.1:9", &USERS);
    switch.expect(503, Call::of("desk-1", "+919876500001"));
}

/// How long the question takes a call, at as many calls a second as `ROLLCALL_CALLS` says (`cargo calls`). Callers are so many that none calls again
/// before what is known of it is too old: every call is a question to the API.
#[tokio::test(flavor = "multi_thread")]
async fn calls_a_second() {
    /// Calls a second where nobody says how many.
    const FEW: usize = 20;
    /// Seconds in which nobody calls twice: an answer is kept for five.
    const SECONDS: usize = 6;
    if !is_there() {
        return;
    }
    let rate = std::env::var("ROLLCALL_CALLS").map_or(FEW, |calls| calls.parse().expect("how many calls a second"));
    let stack = Stack::start(&[]).await;
    furnish(&stack).await;
    let callers: Vec<String> = (0..rate * SECONDS).map(|caller| format!("caller-{caller}")).collect();
    let rows: String = callers.iter().map(|caller| format!("{caller},{caller},{caller},{OLD}\n")).collect();
    let job = stack.upload_users("callers.csv", format!("Login ID,Name,Extension,Allowed Caller ID\n{rows}")).await;
    assert_eq!(job.counts.applied, callers.len() as u64, "{:?}", job.counts);
    let edge = Edge::of_stack(&stack);
    let callers: Vec<&str> = callers.iter().map(String::as_str).collect();
    let switch = Switch::start(&edge.url, &callers);
    let calls: Vec<Call<'_>> = callers.iter().map(|caller| Call::of(caller, OLD)).collect();
    // The second round is measured: by then everything has been started.
    switch.times(&calls, rate);
    let mut times = switch.times(&calls, rate);
    times.sort_by(f64::total_cmp);
    assert!(!times.is_empty(), "no call has passed");
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    println!(
        "{rate} calls a second, {} of {} passed: median {} ms, 90% {} ms, 99% {} ms, most {} ms",
        times.len(),
        calls.len(),
        at(50),
        at(90),
        at(99),
        at(100)
    );
}
