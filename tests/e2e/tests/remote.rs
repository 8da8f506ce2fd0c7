//! Entra ID as a client meets it: paged, throttled, free-text, and now and then broken.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use e2e::{Corruption, Gone, Graph, Quirks};
use rollcall_bulk::directory_import::{
    DirectoryUser, Phone,
    sync::{ChangedFacts, DirectoryChange},
};
use rollcall_connectors::{
    ConnectorError, FailureKind, Http,
    entra::{Credentials, DeltaLink, Endpoints, Entra, Step, Which},
};
use rollcall_model::user::DirectoryId;
use tokio::time::Instant;

/// Longest that anything takes. A test that needs it has failed.
fn patience() -> Instant {
    Instant::now() + Duration::from_mins(2)
}

fn credentials(tenant: &str, client_id: &str, secret: &str) -> Credentials {
    let json = serde_json::json!({ "tenant": tenant, "client_id": client_id, "client_secret": secret });
    serde_json::from_value(json).expect("credentials")
}

fn open_at(url: &str, credentials: Credentials) -> Entra {
    let url = || url.parse().expect("a base URL");
    let http = Http::new().expect("certificates");
    Entra::new(http, Endpoints { login: url(), graph: url() }, credentials, "IN".parse().expect("a country"))
}

fn open(graph: &Graph) -> Entra {
    open_at(&graph.url, Graph::credentials())
}

fn id(text: &str) -> DirectoryId {
    DirectoryId::parse(text).expect("a directory ID")
}

async fn read(entra: &Entra, which: Which<'_>) -> Result<Vec<DirectoryUser>, ConnectorError> {
    let mut pages = entra.list(which, 999)?;
    let mut users = Vec::new();
    while let Some(page) = pages.next(patience()).await? {
        users.extend(page);
    }
    Ok(users)
}

/// What a delta has said.
#[derive(Debug)]
struct Delta {
    changes: BTreeMap<DirectoryId, DirectoryChange>,
    link: DeltaLink,
    whole: bool,
}

async fn changes(entra: &Entra, since: Option<&Delta>) -> Result<Delta, ConnectorError> {
    let mut pages = entra.changes(since.map(|delta| &delta.link))?;
    let mut changes = BTreeMap::new();
    loop {
        match pages.next(patience()).await? {
            Step::Changes(page) => changes.extend(page),
            Step::Anew => changes.clear(),
            Step::End { link, whole } => return Ok(Delta { changes, link, whole }),
        }
    }
}

/// The kind of a failure that tells nothing of what was sent or answered.
fn discreet<T: std::fmt::Debug>(result: Result<T, ConnectorError>) -> FailureKind {
    let error = result.expect_err("a failure");
    let told = format!("{} {error:?}", error.chain());
    for private in ["asha", "token-", Graph::CLIENT_SECRET, "s3cr3t", "html"] {
        assert!(!told.contains(private), "{told}");
    }
    error.kind
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_comes_once_through_paging_throttling_and_tokens_that_end() {
    let traps = Quirks { throttled: 120, page: 250, empty_pages: 4, token_uses: 7, ..Quirks::default() };
    let graph = Graph::start(traps).await;
    let hired: BTreeSet<String> = graph.add_users(5_000).into_iter().collect();
    let users = read(&open(&graph), Which::All).await.unwrap();
    let ids: BTreeSet<String> = users.iter().map(|user| user.id.to_string()).collect();
    assert_eq!((users.len(), &ids), (5_000, &hired));
    assert!(graph.throttled() > 0 && graph.tokens_given() > 1, "{} {}", graph.throttled(), graph.tokens_given());
    assert_eq!(graph.impatient(), 0, "nothing is sent before its time");
}

#[tokio::test]
async fn a_user_is_read_as_far_as_there_is_something_to_read() {
    let graph = Graph::start(Quirks::default()).await;
    let ids = graph.add_users(110);
    let users = read(&open(&graph), Which::All).await.unwrap();
    let mut unread = 0;
    for (user, given) in users.iter().zip(&ids) {
        let person = graph.person(given);
        let login = &person.user_principal_name;
        assert_eq!(user.login.as_str(), login);
        assert_eq!(user.name.as_str(), person.display_name.as_ref().unwrap_or(login));
        assert_eq!(user.email.as_ref().unwrap().as_str(), person.mail.as_ref().unwrap_or(login));
        assert_eq!(user.designation.as_ref().map(|job| job.as_str().to_owned()), person.job_title);
        assert_eq!(user.enabled, person.account_enabled);
        unread += usize::from(user.phone == Phone::Unreadable);
    }
    let phones: Vec<_> = users[..4].iter().map(|user| user.phone).collect();
    let number = |text: &str| Phone::Number(text.parse().unwrap());
    let expected = [Phone::Unreadable, number("+919876500002"), Phone::None, number("+919876500004")];
    assert_eq!(phones, expected);
    assert_eq!(unread, 28);
}

#[tokio::test]
async fn users_are_found_by_search_filter_and_id() {
    let graph = Graph::start(Quirks { page: 3, ..Quirks::default() }).await;
    let ids = graph.add_users(40);
    graph.change(&ids[0], |person| person.display_name = Some("Seán \"Jo\" O'Neill & Söhne".to_owned()));
    let entra = open(&graph);
    let logins = async |which| {
        let users = read(&entra, which).await.unwrap();
        users.iter().map(|user| user.login.as_str().split('@').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(logins(Which::Search("\"jo\" o'neill & s")).await, [""; 0]);
    assert_eq!(logins(Which::Search("\"jo\"")).await, ["person1"]);
    assert_eq!(logins(Which::Search("seán")).await, ["person1"]);
    assert_eq!(logins(Which::Search("PERSON4")).await, ["person4", "person40"]);
    assert_eq!(logins(Which::Search("rao")).await.len(), 40 - 1 - 3, "over several pages");
    assert_eq!(logins(Which::Filter("accountEnabled eq false")).await, ["person13", "person26", "person39"]);
    assert_eq!(logins(Which::Filter("endswith(mail,'n7@contoso.example')")).await, ["person7"]);
    assert_eq!(discreet(read(&entra, Which::Filter("asha like 'x'")).await), FailureKind::Refused);

    let found = entra.find(&id(&ids[2].to_uppercase()), patience()).await.unwrap().unwrap();
    assert_eq!(found.id, id(&ids[2]));
    graph.delete(&ids[2], false);
    assert_eq!(entra.find(&id(&ids[2]), patience()).await.unwrap(), None);
    assert_eq!(entra.find(&id("nobody"), patience()).await.unwrap(), None);
}

#[tokio::test]
async fn a_list_goes_on_where_it_stopped_and_nowhere_else() {
    let graph = Graph::start(Quirks { page: 10, ..Quirks::default() }).await;
    graph.add_users(25);
    let entra = open(&graph);
    let mut place: Option<String> = None;
    let mut sizes = Vec::new();
    loop {
        let mut pages = entra.list(Which::Search("person"), 10).unwrap();
        if let Some(place) = &place {
            pages.resume(place).unwrap();
        }
        sizes.push(pages.next(patience()).await.unwrap().unwrap().len());
        place = pages.place().unwrap();
        if place.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [10, 10, 5]);
    let asked = graph.requests();
    for place in ["", &"x".repeat(5000)] {
        let mut pages = entra.list(Which::All, 10).unwrap();
        assert_eq!(pages.resume(place).unwrap_err().kind, FailureKind::Malformed, "{place:.20}");
    }
    assert_eq!(graph.requests(), asked);
    // Whatever a place says, it is a place in this list and asks nothing else of the directory.
    for place in [
        "https://graph.microsoft.com/v1.0/users",
        "x&$filter=accountEnabled eq false",
        "x%26$filter=accountEnabled%20eq%20false",
        "x#y",
        &format!("{}/v1.0/users?$filter=startswith(employeeId,'A')", graph.url),
    ] {
        let mut pages = entra.list(Which::All, 10).unwrap();
        pages.resume(place).unwrap();
        assert_eq!(pages.next(patience()).await.unwrap_err().kind, FailureKind::Refused, "{place}");
    }
}

#[tokio::test]
async fn a_delta_tells_what_has_changed_however_often_it_is_told() {
    for replays in [false, true] {
        let graph = Graph::start(Quirks { page: 4, empty_pages: 3, replays, ..Quirks::default() }).await;
        let ids = graph.add_users(20);
        let entra = open(&graph);
        let first = changes(&entra, None).await.unwrap();
        assert_eq!((first.whole, first.changes.len()), (true, 20));

        graph.change(&ids[0], |person| person.display_name = Some("Asha Menon".to_owned()));
        graph.change(&ids[1], |person| person.account_enabled = false);
        graph.delete(&ids[2], false);
        graph.delete(&ids[3], true);
        graph.change(&ids[4], |person| person.mail = None);
        let second = changes(&entra, Some(&first)).await.unwrap();
        assert!(!second.whole);
        let told = |given: &str| second.changes[&id(given)].clone();
        let facts = |given: &str| match told(given) {
            DirectoryChange::Is(facts) => facts,
            DirectoryChange::Removed => panic!("{given} is gone"),
        };
        assert_eq!(facts(&ids[0]).name.unwrap().as_str(), "Asha Menon");
        assert_eq!(facts(&ids[1]).enabled, Some(false));
        assert_eq!((told(&ids[2]), told(&ids[3])), (DirectoryChange::Removed, DirectoryChange::Removed));
        assert_eq!(facts(&ids[4]).email.unwrap().as_str(), "person5@contoso.onmicrosoft.com");
        assert!(replays || second.changes.len() == 5, "{second:?}");

        let third = changes(&entra, Some(&second)).await.unwrap();
        assert!(replays || third.changes.is_empty(), "{third:?}");
        // What is told again is told as it is now.
        for (id, change) in &third.changes {
            assert_eq!(Some(change), second.changes.get(id).or_else(|| first.changes.get(id)));
        }
    }
}

#[tokio::test]
async fn a_link_that_is_too_old_means_that_all_is_read_and_nobody_is_gone() {
    for gone in [Gone::Status410, Gone::Status400] {
        let graph = Graph::start(Quirks { page: 7, ..Quirks::default() }).await;
        let ids = graph.add_users(20);
        let entra = open(&graph);
        let first = changes(&entra, None).await.unwrap();
        graph.forget(&ids[5]);
        graph.forget_deltas(Some(gone));
        let again = changes(&entra, Some(&first)).await.unwrap();
        assert!(again.whole, "{gone:?}");
        let mut expected: BTreeMap<_, DirectoryChange> = first.changes.clone();
        expected.remove(&id(&ids[5]));
        assert_eq!(again.changes, expected);
        graph.forget_deltas(None);
        assert!(!changes(&entra, Some(&again)).await.unwrap().whole);
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_an_error_that_repeats_nothing() {
    let elsewhere = Graph::start(Quirks::default()).await;
    for (spoil, kind) in [
        (Corruption::RepeatedNextLink, FailureKind::Malformed),
        (Corruption::ForeignNextLink, FailureKind::Malformed),
        (Corruption::NotJson, FailureKind::Malformed),
        (Corruption::HalfJson, FailureKind::Malformed),
        (Corruption::WrongType, FailureKind::Malformed),
        (Corruption::NoPage, FailureKind::Malformed),
        (Corruption::Huge, FailureKind::Malformed),
        (Corruption::Redirect, FailureKind::Malformed),
        (Corruption::Forbidden, FailureKind::Denied),
    ] {
        let graph = Graph::start(Quirks { page: 2, ..Quirks::default() }).await;
        graph.add_users(6);
        let entra = open(&graph);
        let before = changes(&entra, None).await.unwrap();
        graph.spoil(spoil, &elsewhere.url);
        assert_eq!(discreet(read(&entra, Which::All).await), kind, "{spoil:?}");
        assert_eq!(discreet(changes(&entra, None).await), kind, "{spoil:?}");
        assert_eq!(discreet(changes(&entra, Some(&before)).await), kind, "{spoil:?}");
        graph.mend();
        assert_eq!(read(&entra, Which::All).await.unwrap().len(), 6, "{spoil:?}");
    }
    assert_eq!(elsewhere.requests(), 0, "no token leaves for elsewhere");
}

#[tokio::test]
async fn whether_a_user_is_enabled_is_never_guessed() {
    let graph = Graph::start(Quirks::default()).await;
    let entra = open(&graph);
    graph.spoil(Corruption::NotSelected, "");
    assert_eq!(discreet(read(&entra, Which::All).await), FailureKind::Malformed);
}

#[tokio::test]
async fn credentials_that_are_not_taken_are_said_to_be_so() {
    let graph = Graph::start(Quirks::default()).await;
    graph.add_users(1);
    for (tenant, client, secret) in [
        ("fabrikam.example", Graph::CLIENT_ID, Graph::CLIENT_SECRET),
        (Graph::TENANT, "another", Graph::CLIENT_SECRET),
        (Graph::TENANT, Graph::CLIENT_ID, "another"),
    ] {
        let entra = open_at(&graph.url, credentials(tenant, client, secret));
        assert_eq!(discreet(read(&entra, Which::All).await), FailureKind::Denied, "{tenant} {client}");
    }
    let entra = open(&graph);
    assert_eq!(read(&entra, Which::All).await.unwrap().len(), 1);
    graph.change_secret("renewed");
    assert_eq!(discreet(read(&entra, Which::All).await), FailureKind::Denied);
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_need_a_token_one_is_asked_for() {
    let graph = Graph::start(Quirks::default()).await;
    let ids = graph.add_users(16);
    let entra = Arc::new(open(&graph));
    for round in 1..=2 {
        let mut tasks = tokio::task::JoinSet::new();
        for given in &ids {
            let (entra, wanted) = (Arc::clone(&entra), id(given));
            tasks.spawn(async move { entra.find(&wanted, patience()).await });
        }
        for found in tasks.join_all().await {
            assert!(found.unwrap().is_some());
        }
        assert_eq!(graph.tokens_given(), round);
        // Every token is revoked: all find that out at once.
        graph.change_secret(Graph::CLIENT_SECRET);
    }
}

#[tokio::test]
async fn patience_ends_with_the_time_that_there_is() {
    let graph = Graph::start(Quirks { throttled: 1_000, retry_after: 3_600, ..Quirks::default() }).await;
    assert_eq!(discreet(read(&open(&graph), Which::All).await), FailureKind::Unavailable);
    assert_eq!(graph.requests(), 1, "an hour is more than there is, so nothing is tried again");

    let broken = Graph::start(Quirks::default()).await;
    let entra = open(&broken);
    broken.add_users(1);
    read(&entra, Which::All).await.unwrap();
    let before = broken.requests();
    broken.spoil(Corruption::Broken, "");
    assert_eq!(discreet(read(&entra, Which::All).await), FailureKind::Unavailable);
    assert_eq!(broken.requests() - before, 5, "a server that only fails is tried a few times");
}

#[tokio::test]
async fn nobody_there_and_nobody_who_speaks_are_the_same() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let urls = [&silent, &closed].map(|listener| format!("http://{}", listener.local_addr().unwrap()));
    drop(closed);
    for url in urls {
        let entra = open_at(&url, Graph::credentials());
        let until = Instant::now() + Duration::from_millis(700);
        let mut pages = entra.list(Which::All, 10).unwrap();
        assert_eq!(discreet(pages.next(until).await), FailureKind::Unavailable);
    }
}

#[tokio::test]
async fn a_whole_delta_agrees_with_the_list() {
    let graph = Graph::start(Quirks { page: 9, ..Quirks::default() }).await;
    graph.add_users(50);
    let entra = open(&graph);
    let listed = read(&entra, Which::All).await.unwrap();
    let told = changes(&entra, None).await.unwrap().changes;
    for user in listed {
        let DirectoryChange::Is(facts) = &told[&user.id] else { panic!("somebody is gone") };
        let named = facts.name.is_some();
        let listed = ChangedFacts::from(user);
        // Who has no name goes by the login name, which a delta doesn't make up.
        assert_eq!(*facts, ChangedFacts { name: listed.name.clone().filter(|_| named), ..listed });
    }
}
