//! What CRM users see, through resyncs and whatever happens to them.

use std::sync::Arc;

use e2e::{
    CrashTest, Faults, Refused, Smartflo, SmartfloSpoil, SmartfloTraps, Stack, TestEngine, Zoom, ZoomSpoil, ZoomTraps,
    delivery, die_at_every_request, somebody,
};
use futures_util::future::join_all;
use mapping_resync::HttpPhoneSystems;
use rollcall_bulk::{
    job::{Failure, Job, JobState},
    resync::state::ResyncRequest,
};
use rollcall_connectors::{Http, smartflo, zoom_phone};
use rollcall_engine::DeliveryOutcome;
use rollcall_engine::kinds::Resync;
use rollcall_engine::world::{Mappings, Numbers, Schedules};
use rollcall_engine::{change_resync_state, decide};
use rollcall_model::{
    inventory::{InventoryNumber, NumberState},
    jobs::{Decision, JobKind},
    mapping::{CrmUserId, Explanation, ExplanationInput, GivenMapping, Link, Mapping, MappingState},
    phone_side::{DialPermission, PhoneUserId},
    settings::{PhoneSystem, Settings},
    user::{Name, Policy, Ref, User},
};
use rollcall_storage::{connect::Aws, secrets::Secrets};

fn number(last: usize) -> String {
    format!("+9198765{last:05}")
}

fn crm(id: &str) -> CrmUserId {
    CrmUserId::parse(id).expect("an ID")
}

async fn map(stack: &Stack, id: &str, given: GivenMapping) {
    let mapping = Mapping::new(crm(id), given);
    assert!(stack.directory.change_mapping(&stack.account, None, &mapping, None).await.unwrap());
}

fn by_email(address: &str) -> GivenMapping {
    GivenMapping { email: Some(address.parse().expect("an address")), ..GivenMapping::default() }
}

fn to(phone_user: &str) -> GivenMapping {
    GivenMapping { phone_user: PhoneUserId::parse(phone_user).ok(), ..GivenMapping::default() }
}

async fn mapping(stack: &Stack, id: &str) -> Mapping {
    stack.directory.mapping(&stack.account, &crm(id)).await.unwrap().expect("the mapping is there")
}

async fn sees(stack: &Stack, id: &str) -> Vec<String> {
    let inventory = stack.directory.inventory(&stack.account).await.unwrap();
    mapping(stack, id).await.visible(&inventory).iter().map(ToString::to_string).collect()
}

async fn resync(stack: &Stack, name: &str, confirmed: bool) -> Job {
    let source = stack.drop_as(JobKind::MappingResync, name, ResyncRequest { confirmed }.to_json()).await;
    stack.ended(&source).await
}

async fn set_system(stack: &Stack, phone_system: PhoneSystem) {
    let recipients = vec!["ops@example.com".parse().unwrap()];
    let settings = Settings { phone_system, recipients, ..Settings::default() };
    stack.directory.put_settings(&stack.account, &settings, None).await.unwrap();
}

async fn allow(stack: &Stack, login: &str, numbers: &[String]) {
    let file = format!("Login ID,Allowed Caller ID\n{login},{}\n", numbers.join(";"));
    assert_eq!(stack.append("allow.csv", file).await.counts.failed, 0);
}

fn why(stack_facts: &ExplanationInput<'_>) -> Option<Link> {
    Explanation::of(stack_facts).broken
}

/// The story of the page: four numbers are seen, more are allowed on the phone side, still four; resync; now all.
#[tokio::test(flavor = "multi_thread")]
async fn lists_of_any_length_are_granted_and_revoked_by_rows_that_read_back() {
    const NUMBERS: usize = 10_000;
    let stack = Stack::start(&[]).await;
    let numbers: Vec<String> = (0..NUMBERS).map(number).collect();
    stack.own(&numbers.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for login in ["gone", "emptied"] {
        stack.create_user(User { policy: Policy::All, ..e2e::user(login) }).await;
        map(&stack, &format!("crm-{login}"), to(login)).await;
    }
    let done = |job: &Job| {
        assert_eq!((job.state, job.counts.applied, job.counts.unprocessed), (JobState::Finished, 2, 0), "{job:?}");
    };
    let granted = resync(&stack, "grant.json", true).await;
    done(&granted);
    assert_eq!(granted.progress.numbers_added, 2 * NUMBERS as u64);
    assert_eq!(sees(&stack, "crm-gone").await.len(), NUMBERS);
    assert!(stack.report(&granted, "results").await[0]["Granted"].ends_with(" more"));

    let gone = stack.user("gone").await.expect("the user");
    stack.directory.delete_user(&stack.account, &gone, &somebody()).await.unwrap().unwrap();
    let before = stack.user("emptied").await.expect("the user");
    let after = User { policy: Policy::Custom, version: before.version + 1, ..before.clone() };
    stack.directory.update_user(&stack.account, &before, &after, &somebody()).await.unwrap().unwrap();
    let revoked = resync(&stack, "revoke.json", true).await;
    done(&revoked);
    assert_eq!(revoked.progress.numbers_removed, 2 * NUMBERS as u64);
    for crm_user in ["crm-gone", "crm-emptied"] {
        assert_eq!(sees(&stack, crm_user).await, [""; 0], "{crm_user}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_numbers_and_after_a_resync_all() {
    let stack = Stack::start(&[]).await;
    let all: Vec<String> = (0..7).map(number).collect();
    stack.own(&all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut asha: User = e2e::user("asha");
    asha.profile.email = "asha@example.com".parse().ok();
    stack.create_user(asha).await;
    allow(&stack, "asha", &all[..4]).await;
    map(&stack, "crm-1", by_email("ASHA@example.com")).await;
    assert_eq!(sees(&stack, "crm-1").await, [""; 0]);

    let job = resync(&stack, "first.json", false).await;
    assert_eq!((job.state, job.counts.applied, job.progress.numbers_added), (JobState::Finished, 1, 4), "{job:?}");
    assert_eq!(sees(&stack, "crm-1").await, all[..4]);
    assert!(stack.mails().is_empty(), "nothing needs correction");

    allow(&stack, "asha", &all[4..]).await;
    assert_eq!(sees(&stack, "crm-1").await, all[..4], "still four");
    let inventory = stack.directory.inventory(&stack.account).await.unwrap();
    let (before, user) = (mapping(&stack, "crm-1").await, stack.user("asha").await.unwrap());
    let now = DialPermission::of(&user);
    let item = inventory.iter().find(|item| item.number.to_string() == all[5]);
    let facts = ExplanationInput {
        number: all[5].parse().unwrap(),
        mapping: Some(&before),
        now: Some(&now),
        item,
        no_inventory: false,
        last_resync: None,
    };
    assert_eq!(why(&facts), Some(Link::Resync));

    resync(&stack, "second.json", false).await;
    assert_eq!(sees(&stack, "crm-1").await, all);
    let again = resync(&stack, "third.json", false).await;
    assert_eq!((again.counts.unchanged, again.progress.statements), (1, 0), "only what changed is written");

    // A number that is retired is not seen, whatever the policy, and without a resync.
    let retired = inventory.into_iter().next().unwrap();
    let mut facts = retired.facts.clone();
    facts.state = NumberState::Retired;
    let after = InventoryNumber { facts, version: retired.version + 1, ..retired.clone() };
    assert!(stack.directory.change_number(&stack.account, Some(&retired), &after, &somebody()).await.unwrap());
    assert_eq!(sees(&stack, "crm-1").await, all[1..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_states_and_who_is_nobody() {
    let stack = Stack::start(&[]).await;
    let all: Vec<String> = (0..3).map(number).collect();
    stack.own(&all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let inventory = stack.directory.inventory(&stack.account).await.unwrap();
    let mut facts = inventory[1].facts.clone();
    facts.department = Ref::parse("sales").ok();
    let sales = InventoryNumber { facts, version: 2, ..inventory[1].clone() };
    assert!(stack.directory.change_number(&stack.account, Some(&inventory[1]), &sales, &somebody()).await.unwrap());
    for (login, policy) in [("everything", Policy::All), ("seller", Policy::Department), ("gone", Policy::All)] {
        let mut user = e2e::user(login);
        user.policy = policy;
        user.profile.department = Ref::parse("sales").ok();
        stack.create_user(user).await;
    }
    map(&stack, "a", to("everything")).await;
    map(&stack, "b", GivenMapping { login: "SELLER".parse().ok(), ..GivenMapping::default() }).await;
    map(&stack, "c", to("gone")).await;
    map(&stack, "d", by_email("nobody@example.com")).await;
    map(&stack, "e", to("everything")).await;
    resync(&stack, "all.json", false).await;
    assert_eq!(sees(&stack, "a").await, all);
    assert_eq!(sees(&stack, "e").await, all, "two CRM users may share one phone user");
    assert_eq!(sees(&stack, "b").await, [all[1].clone()]);
    assert_eq!(mapping(&stack, "d").await.state, MappingState::Unmapped);

    let gone = stack.user("gone").await.unwrap();
    stack.directory.delete_user(&stack.account, &gone, &somebody()).await.unwrap().unwrap();
    let job = resync(&stack, "gone.json", false).await;
    assert_eq!((job.counts.applied, job.counts.unchanged, job.progress.numbers_removed), (1, 4, 3), "{job:?}");
    assert!(matches!(mapping(&stack, "c").await.state, MappingState::Orphaned { .. }));
    assert_eq!(sees(&stack, "c").await, [""; 0]);
    let results = stack.report(&job, "results").await;
    let row = |id: &str| results.iter().find(|row| row["CRM User"] == id).unwrap();
    assert_eq!((row("c")["Change"].as_str(), row("c")["Error Code"].as_str()), ("orphaned", "ORPHANED"));
    assert_eq!((row("d")["Change"].as_str(), row("d")["Error Code"].as_str()), ("unmapped", "UNMAPPED"));
}

const SNAPSHOT: &str = "User ID,Email,Policy,Department,Allowed Caller ID\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_accounts_first_mappings_may_all_come_at_once() {
    let stack = Stack::start(&[]).await;
    let ids: Vec<String> = (0..64).map(|id| format!("crm-{id}")).collect();
    join_all(ids.iter().map(|id| map(&stack, id, to("user1")))).await;
    assert_eq!(stack.directory.mappings(&stack.account).await.unwrap().len(), ids.len());
    assert_eq!(stack.directory.resynced_accounts().await.unwrap(), std::slice::from_ref(&stack.account));
}

async fn drop_snapshot(stack: &Stack, rows: &str) -> Job {
    let source = stack.drop_as(JobKind::PhoneSnapshot, "phones.csv", format!("{SNAPSHOT}{rows}")).await;
    stack.ended(&source).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_would_revoke_too_much_holds_says_so_once_and_goes_on_when_it_is_meant() {
    let stack = Stack::start(&[]).await;
    let all: Vec<String> = (0..12).map(number).collect();
    stack.own(&all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    set_system(&stack, PhoneSystem::Snapshot).await;
    map(&stack, "1", by_email("one@example.com")).await;
    map(&stack, "2", by_email("two@example.com")).await;
    let nothing = resync(&stack, "early.json", false).await;
    assert!(
        matches!(&nothing.failure, Some(Failure::Refused { reason }) if reason.contains("No snapshot")),
        "{nothing:?}"
    );

    let good = format!("7,one@example.com,Custom caller IDs,,{}\n8,two@example.com,All caller IDs,,\n", all.join("; "));
    assert_eq!(drop_snapshot(&stack, &good).await.state, JobState::Finished);
    let mails = stack.mails().len();
    for bad in [
        // An empty list, a file that is cut off, a row that can't be read: nothing is revoked.
        "",
        "7,one@example.com,Custom caller IDs,,none\n",
        "7,one@example.com,Custom caller IDs,,junk\n8,two@example.com,All caller IDs,,\n",
    ] {
        let job = drop_snapshot(&stack, bad).await;
        assert_ne!(job.state, JobState::Finished, "{bad}: {job:?}");
        assert_eq!((sees(&stack, "1").await.len(), sees(&stack, "2").await.len()), (12, 12), "{bad}");
    }
    assert_eq!(stack.mails().len(), mails + 3, "each says why");

    let less =
        format!("7,one@example.com,Custom caller IDs,,{}\n8,two@example.com,Custom caller IDs,,{}\n", all[0], all[0]);
    let held = drop_snapshot(&stack, &less).await;
    assert_eq!(held.state, JobState::OnHold);
    assert!(matches!(&held.failure, Some(Failure::OnHold { reason }) if reason.contains("22 of the 24")), "{held:?}");
    assert_eq!(sees(&stack, "1").await, all);
    let meant = resync(&stack, "meant.json", true).await;
    assert_eq!((meant.state, meant.progress.numbers_removed), (JobState::Finished, 22), "{meant:?}");
    assert_eq!(sees(&stack, "2").await, all[..1]);
    let standing = stack.directory.resync_state(&stack.account).await.unwrap().unwrap().value;
    assert_eq!((standing.done.unwrap().job, standing.ended), (meant.id, None));
}

/// A CRM user of many numbers, and a snapshot that gives the first so many of them.
async fn one_of_many(stack: &Stack, numbers: usize) -> impl Fn(usize) -> String + use<> {
    let all: Vec<String> = (0..numbers).map(number).collect();
    stack.own(&all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    set_system(stack, PhoneSystem::Snapshot).await;
    map(stack, "1", by_email("one@example.com")).await;
    move |first| format!("7,one@example.com,Custom caller IDs,,{}\n", all[..first].join("; "))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_holds_is_not_in_force_until_somebody_says_so() {
    let stack = Stack::start(&[]).await;
    let snapshot = one_of_many(&stack, 12).await;
    assert_eq!(drop_snapshot(&stack, &snapshot(12)).await.state, JobState::Finished);
    let held = drop_snapshot(&stack, &snapshot(1)).await;
    assert_eq!(held.state, JobState::OnHold);
    let job = resync(&stack, "while-it-holds.json", false).await;
    assert_eq!((job.state, job.counts.unchanged), (JobState::Finished, 1), "the one before counts: {job:?}");

    let held = drop_snapshot(&stack, &snapshot(2)).await;
    assert_eq!(held.state, JobState::OnHold);
    decide(&stack.directory, &held, Decision::Discard, &somebody()).await.unwrap().unwrap();
    for confirmed in [false, true] {
        let job = resync(&stack, &format!("discarded-{confirmed}.json"), confirmed).await;
        assert_eq!((job.state, job.counts.unchanged), (JobState::Finished, 1), "{confirmed}: {job:?}");
    }

    let held = drop_snapshot(&stack, &snapshot(1)).await;
    assert_eq!(stack.execute(&held).await.state, JobState::Finished);
    let job = resync(&stack, "executed.json", false).await;
    assert_eq!((job.state, job.counts.unchanged), (JobState::Finished, 1), "{job:?}");
    assert_eq!(sees(&stack, "1").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_snapshot_that_is_worked_on_later_never_wins_over_a_newer_one() {
    let stack = Stack::start(&[]).await;
    let snapshot = one_of_many(&stack, 12).await;
    assert_eq!(drop_snapshot(&stack, &snapshot(11)).await.state, JobState::Finished);
    let older = drop_snapshot(&stack, &snapshot(1)).await;
    assert_eq!(older.state, JobState::OnHold);
    assert_eq!(drop_snapshot(&stack, &snapshot(12)).await.state, JobState::Finished);
    let job = stack.execute(&older).await;
    assert!(matches!(&job.failure, Some(Failure::Refused { reason }) if reason.contains("newer snapshot")), "{job:?}");
    assert_eq!(resync(&stack, "after.json", true).await.counts.unchanged, 1);
    assert_eq!(sees(&stack, "1").await.len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_small_revocations_of_a_day_hold_as_one_large_one_does() {
    let stack = Stack::start(&[]).await;
    let snapshot = one_of_many(&stack, 30).await;
    for (left, state) in
        [(30, JobState::Finished), (21, JobState::Finished), (12, JobState::OnHold), (3, JobState::OnHold)]
    {
        let job = drop_snapshot(&stack, &snapshot(left)).await;
        assert_eq!(job.state, state, "{left}: {job:?}");
    }
    assert_eq!(sees(&stack, "1").await.len(), 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn candidates_are_shown_and_never_guessed_between() {
    let stack = Stack::start(&[]).await;
    stack.own(&[&number(0)]).await;
    set_system(&stack, PhoneSystem::Snapshot).await;
    map(&stack, "1", by_email("shared@example.com")).await;
    let twins = "8,shared@example.com,All caller IDs,,\n7,shared@example.com,All caller IDs,,\n";
    drop_snapshot(&stack, twins).await;
    let MappingState::Ambiguous { candidates } = mapping(&stack, "1").await.state else { panic!("they are twins") };
    assert_eq!(candidates.iter().map(PhoneUserId::as_str).collect::<Vec<_>>(), ["7", "8"]);
    assert_eq!(sees(&stack, "1").await, [""; 0]);

    let before = mapping(&stack, "1").await;
    let chosen = before.with(GivenMapping { phone_user: PhoneUserId::parse("8").ok(), ..before.given.clone() });
    assert!(stack.directory.change_mapping(&stack.account, Some(&before), &chosen, None).await.unwrap());
    resync(&stack, "chosen.json", false).await;
    assert_eq!(sees(&stack, "1").await, [number(0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_system_that_answers_rubbish_or_nothing_revokes_nothing() {
    let (zoom, smartflo) = (Zoom::start(ZoomTraps::default()).await, Smartflo::start(SmartfloTraps::default()).await);
    let parameters = [
        format!("ZoomApiUrl={}", zoom.url),
        format!("ZoomLoginUrl={}", zoom.url),
        format!("SmartfloUrl={}", smartflo.url),
        // Whatever is not an answer is given up at the second delivery, so that the test comes to its end.
        "MaxDeliveries=2".to_owned(),
        "BulkVisibilitySeconds=5".to_owned(),
        "BulkTimeoutSeconds=5".to_owned(),
    ];
    let stack = Stack::start(&parameters.each_ref().map(String::as_str)).await;
    let secrets = Secrets::new(&Aws::local(stack.endpoints()).await);
    secrets.put(&stack.account, zoom_phone::SECRET, &Zoom::credentials()).await.unwrap();
    secrets.put(&stack.account, smartflo::SECRET, &Smartflo::credentials()).await.unwrap();

    // Zoom tells lists.
    set_system(&stack, PhoneSystem::ZoomPhone).await;
    zoom.add_users(40);
    let users = zoom.users();
    stack.own(&users[0].customised.iter().map(String::as_str).collect::<Vec<_>>()).await;
    map(&stack, "zoom", by_email(&users[0].email)).await;
    assert_eq!(resync(&stack, "zoom.json", false).await.state, JobState::Finished);
    let seen = sees(&stack, "zoom").await;
    assert_eq!(seen.len(), users[0].customised.len());
    for spoil in
        [ZoomSpoil::Rubbish, ZoomSpoil::HalfPage, ZoomSpoil::RepeatedToken, ZoomSpoil::ChangedType, ZoomSpoil::Empty]
    {
        zoom.spoil(Some(spoil));
        let job = resync(&stack, &format!("{spoil:?}.json"), false).await;
        assert_eq!(job.state, JobState::Failed, "{spoil:?}: {job:?}");
        assert_eq!(sees(&stack, "zoom").await, seen, "{spoil:?}");
    }

    // Smartflo is told lists: ours are in force.
    set_system(&stack, PhoneSystem::Smartflo).await;
    let ids = smartflo.add_users(30);
    let bought: Vec<String> = (0..3).map(number).collect();
    let bought: Vec<&str> = bought.iter().map(String::as_str).collect();
    smartflo.buy(&bought);
    stack.create_user(e2e::user("agent1@acme.example")).await;
    map(&stack, "smartflo", to(&ids[0])).await;
    assert_eq!(resync(&stack, "take-in.json", true).await.state, JobState::Finished);
    let owned: Vec<String> =
        stack.directory.inventory(&stack.account).await.unwrap().iter().map(|item| item.number.to_string()).collect();
    assert!(
        bought.iter().all(|number| owned.contains(&(*number).to_owned())),
        "the phone system's numbers are ours: {owned:?}"
    );
    assert!(smartflo.caller_ids(&ids[0]).is_none(), "an empty list is never sent");
    allow(&stack, "agent1@acme.example", &bought.iter().map(ToString::to_string).collect::<Vec<_>>()).await;
    let job = resync(&stack, "smartflo.json", true).await;
    assert_eq!(job.state, JobState::Finished, "{job:?}");
    assert_eq!(sees(&stack, "smartflo").await, bought);
    let mut told = smartflo.caller_ids(&ids[0]).expect("the phone system is told the whole list");
    told.sort();
    assert_eq!(told, bought);
    smartflo.spoil(Some(SmartfloSpoil::Empty));
    assert_eq!(resync(&stack, "empty.json", false).await.state, JobState::Failed);
    assert_eq!(sees(&stack, "smartflo").await, bought);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_that_the_table_refuses_costs_a_resync_one_row() {
    for refused in [Refused::Request, Refused::Condition] {
        let stack = Stack::start(&[]).await;
        let operation = Resyncing.operation(&stack).await;
        for login in ["u1", "u2", "poison"] {
            stack.create_user(User { policy: Policy::All, ..e2e::user(login) }).await;
            map(&stack, login, to(login)).await;
        }
        let world =
            TestEngine::new(&stack, Faults { refused: Some(("poison", refused)), ..Faults::default() }, None).await;
        let source = stack.put_quietly("resync.json", ResyncRequest { confirmed: false }.to_json()).await;
        let upload = stack.upload_of(JobKind::MappingResync, "resync.json");
        assert_eq!(world.engine.run(&operation, &upload, &source, &delivery(1)).await.unwrap(), DeliveryOutcome::Ended);
        let job = stack.job_when(&source, |_| true).await;
        assert_eq!((job.state, job.counts.applied, job.counts.failed), (JobState::Finished, 2, 1), "{job:?}");
        let code = if refused == Refused::Request { "NOT_STORABLE" } else { "VERSION_CONFLICT" };
        let failed = stack.report(&job, "failed").await;
        assert_eq!((failed.len(), failed[0]["Error Code"].as_str()), (1, code));
    }
}

/// One who gets more, one who gets less, and one who is nobody.
struct Resyncing;

impl CrashTest for Resyncing {
    type Operation = Resync;
    const KIND: JobKind = JobKind::MappingResync;

    async fn operation(&self, stack: &Stack) -> Resync {
        let nowhere = || "http://127.0.0.1:9".parse().expect("an address");
        let all: Vec<String> = (0..3).map(number).collect();
        stack.own(&all.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let systems = HttpPhoneSystems {
            http: Http::new().expect("a client"),
            secrets: Arc::new(Secrets::new(&Aws::local(stack.endpoints()).await)),
            smartflo: nowhere(),
            zoom: zoom_phone::Endpoints { login: nowhere(), api: nowhere() },
        };
        Resync { systems: Arc::new(systems) }
    }

    async fn prepare(&self, stack: &Stack, prefix: &str) -> String {
        let (more, less) = (format!("{prefix}more"), format!("{prefix}less"));
        for login in [&more, &less] {
            let mut user = e2e::user(login);
            user.caller_ids = (0..2).map(|last| number(last).parse().unwrap()).collect();
            user.profile.name = Name::parse("Somebody").unwrap();
            stack.create_user(user).await;
        }
        map(stack, &more, to(&more)).await;
        let mut mapped = Mapping::new(crm(&less), to(&less));
        mapped.permission = Some(DialPermission::custom((0..3).map(|last| number(last).parse().unwrap())));
        assert!(stack.directory.change_mapping(&stack.account, None, &mapped, None).await.unwrap());
        // The brake adds up what earlier rounds have revoked.
        change_resync_state(&stack.directory, &stack.account, |state| state.revoked.clear()).await.unwrap();
        // The others of earlier rounds are as they should be.
        "{}".to_owned()
    }

    async fn check(&self, stack: &Stack, prefix: &str, job: &Job, context: &str) {
        assert_eq!((job.counts.applied, job.progress.users_changed), (2, 2), "{context}");
        assert_eq!((job.progress.numbers_added, job.progress.numbers_removed), (2, 1), "{context}");
        for (id, version) in [("more", 2), ("less", 2)] {
            let mapping = mapping(stack, &format!("{prefix}{id}")).await;
            assert_eq!((mapping.version, mapping.permission.unwrap().caller_ids.len()), (version, 2), "{context}");
        }
    }

    fn mails(&self) -> bool {
        false
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_request_of_a_resync_ends_with_the_same_mappings_and_one_finished_job() {
    die_at_every_request(&Resyncing, 8).await;
}
