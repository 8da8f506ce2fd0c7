//! Phone systems that fail, and crashes.

use std::sync::Arc;

use e2e::{
    CrashTest, Faults, Refused, Smartflo, SmartfloSpoil, SmartfloTraps, Stack, TestEngine, Zoom, ZoomSpoil, ZoomTraps,
    delivery, die_at_every_request,
};
use rollcall_bulk::{
    job::{Job, JobState},
    resync::state::ResyncRequest,
};
use rollcall_connectors::{Http, smartflo, zoom_phone};
use rollcall_engine::{DeliveryOutcome, change_resync_state, kinds::Resync, world::Numbers};
use rollcall_model::{
    jobs::JobKind,
    mapping::Mapping,
    phone_side::DialPermission,
    settings::PhoneSystem,
    user::{Name, Policy, User},
};
use rollcall_phone_systems::{HttpPhoneSystems, Share};
use rollcall_storage::{connect::Aws, secrets::Secrets};

use super::{allow, by_email, crm, map, mapping, number, resync, sees, set_system, to};

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
    allow(&stack, "agent1@acme.example", &bought.iter().map(ToString::to_string).collect::<Vec<_>>()).await;
    let job = resync(&stack, "smartflo.json", true).await;
    assert_eq!(job.state, JobState::Finished, "{job:?}");
    assert_eq!(sees(&stack, "smartflo").await, bought);

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
        let source =
            stack.put_quietly("resync.json", ResyncRequest { confirmed: false, preview: false }.to_json()).await;
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
            share: Share::All,
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
        let mut mapped = Mapping::new(crm(&less), to(&less), jiff::Timestamp::UNIX_EPOCH);
        mapped.permission = Some(DialPermission::custom((0..3).map(|last| number(last).parse().unwrap())));
        assert!(stack.directory.change_mapping(&stack.account, None, &mapped, None).await.unwrap());
        // The safety threshold adds up what earlier rounds have revoked.
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
