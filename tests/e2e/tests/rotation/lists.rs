//! What a rotation does to lists and to numbers.

use axum::http::Method;
use e2e::Stack;
use rollcall_bulk::{job::JobState, resync::state::ResyncRequest, rotation::RotationPlan, upload::ResultKeys};
use rollcall_engine::world::{Bucket, Numbers};
use rollcall_model::{
    inventory::{InventoryNumber, NumberState},
    jobs::JobKind,
    mapping::{CrmUserId, GivenMapping, Mapping},
    phone_side::PhoneUserId,
    user::{Policy, Ref},
};
use serde_json::{Value, json};

use super::{change, create, item, number, numbers, own, owner, rotate, rotate_file, told};

#[tokio::test(flavor = "multi_thread")]
async fn old_numbers_go_and_new_ones_come_in_one_write_for_each_list() {
    let stack = Stack::start(&[]).await;
    own(&stack, 0..6).await;
    create(&stack, "asha", &[0, 1, 2]).await;
    create(&stack, "ravi", &[1, 5]).await;
    create(&stack, "neha", &[2]).await;
    let mut everything = e2e::user("everything");
    everything.policy = Policy::All;
    everything.caller_ids = vec![number(0).parse().unwrap()];
    stack.create_user(everything).await;
    let version = stack.user("asha").await.unwrap().version;

    let request = json!({ "retire": ["98765 00000", number(1)], "replace_with": { "98765 00000": number(5) } });
    let job = rotate(&stack, request).await;
    // Two rows are of whoever dials from them by the policy all.
    assert_eq!((job.state, job.counts.applied, job.counts.rows()), (JobState::Finished, 6, 6), "{job:?}");
    let progress = job.progress;
    assert_eq!((progress.users_changed, progress.statements), (3, 3), "one write for each list: {job:?}");
    assert_eq!((progress.numbers_added, progress.numbers_removed), (2, 4));
    assert_eq!(stack.list("asha").await.unwrap(), numbers(&[2, 5]));
    assert_eq!(stack.list("ravi").await.unwrap(), numbers(&[5]));
    assert_eq!(stack.list("neha").await.unwrap(), numbers(&[2]));
    assert_eq!(stack.list("everything").await.unwrap(), numbers(&[5]));
    assert_eq!(stack.user("asha").await.unwrap().version, version, "as with an append");

    let (first, second) = (item(&stack, 0).await, item(&stack, 1).await);
    assert_eq!(
        (first.facts.state, first.replaced_by, first.reserved_by),
        (NumberState::Retired, number(5).parse().ok(), None)
    );
    assert_eq!((second.facts.state, second.replaced_by), (NumberState::Retired, None));
    assert!(stack.mails().is_empty(), "nothing needs correction");

    // What an undo needs: each list's change, and the numbers as they were.
    let keys = ResultKeys::of(&stack.account, &job.id, job.stage);
    let batch: Value = serde_json::from_slice(&stack.files.get(&keys.changes(0)).await.unwrap().unwrap()).unwrap();
    let plans: Vec<RotationPlan> = serde_json::from_value(batch["plans"].clone()).unwrap();
    let ravi = plans.iter().find(|plan| plan.login == "ravi").unwrap();
    assert_eq!((ravi.removed.len(), ravi.added.len()), (1, 0), "the other number was there before");
    let before: Value = serde_json::from_slice(&stack.files.get(&keys.numbers()).await.unwrap().unwrap()).unwrap();
    let before: Vec<InventoryNumber> = serde_json::from_value(before["retired"].clone()).unwrap();
    assert!(before.iter().all(|item| item.facts.state == NumberState::Active && item.reserved_by.is_none()));
    assert_eq!(before.len(), 2);

    // Nobody is given a retired number any more, by a file or by the API.
    let append = stack.append("again.csv", format!("Login ID,Allowed Caller ID\nasha,{}\n", number(0))).await;
    assert_eq!(stack.report(&append, "results").await[0]["Error Code"], "NUMBER_RETIRED");
    let body = json!({ "caller_ids": [number(1)] }).to_string();
    let reply = owner(&stack).ask(Method::POST, "/v1/users/asha/caller-ids", &[], body).await;
    assert_eq!(reply.json()["refused"], json!([{ "value": number(1), "code": "NUMBER_RETIRED" }]));

    let again = rotate(&stack, json!({ "retire": [number(0)] })).await;
    assert_eq!(told(&stack, &again).await, [format!("{} : failed NUMBER_RETIRED", number(0))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_carried_out_as_far_as_its_pairs_are_good() {
    let stack = Stack::start(&[]).await;
    stack.recipients(&["ops@example.com"]).await;
    own(&stack, 0..8).await;
    create(&stack, "asha", &[0, 1, 7]).await;
    let rows = "9876500000,9876500005\njunk,\n9876500001,9876500002\n9876500002,9876500001\n9876500003,\n";
    let job = rotate_file(&stack, "flagged.csv", rows).await;
    assert_eq!((job.state, job.counts.applied, job.counts.failed, job.counts.unchanged), (JobState::Finished, 1, 3, 1));
    let expected = [
        format!("{} asha: applied", number(0)),
        "junk : failed NUMBER_INVALID".to_owned(),
        "9876500001 : failed REPLACEMENT_UNUSABLE".to_owned(),
        "9876500002 : failed REPLACEMENT_UNUSABLE".to_owned(),
        format!("{} : unchanged NUMBER_NOT_ASSIGNED", number(3)),
    ];
    assert_eq!(told(&stack, &job).await, expected);
    assert_eq!(stack.list("asha").await.unwrap(), numbers(&[1, 5, 7]));
    let states = [item(&stack, 1).await, item(&stack, 2).await, item(&stack, 3).await].map(|item| item.facts.state);
    assert_eq!(states, [NumberState::Active, NumberState::Active, NumberState::Retired]);

    // The mail's file, mended and dropped as it is.
    let mails = stack.mails();
    let failed = String::from_utf8(mails[0].attachments[0].1.clone()).unwrap();
    assert!(failed.contains("(line 3)"), "{failed}");
    let mended = failed.replace("junk,", "9876500006,").replace("9876500001,9876500002", "9876500001,9876500004");
    let mended = mended.replace("9876500002,9876500001", "9876500002,");
    let source = stack.drop_as(JobKind::RotateCallerIds, "mended.csv", mended).await;
    let again = stack.ended(&source).await;
    assert_eq!((again.counts.failed, again.counts.rows()), (0, 3), "{again:?}");
    assert_eq!(stack.list("asha").await.unwrap(), numbers(&[4, 5, 7]));

    for (name, file) in [("empty.csv", "Old Caller ID\n"), ("bad.json", "{\"retire\": []}"), ("none.json", "junk")] {
        let source = stack.drop_as(JobKind::RotateCallerIds, name, file).await;
        assert_eq!(stack.ended(&source).await.state, JobState::Failed, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_left_without_a_number_and_it_stays_in_service_then() {
    let stack = Stack::start(&[]).await;
    own(&stack, 0..5).await;
    change(&stack, 2, |item| item.facts.state = NumberState::Retired).await;
    create(&stack, "asha", &[0, 2]).await;
    create(&stack, "ravi", &[0, 1, 3]).await;
    let job = rotate(&stack, json!({ "retire": [number(0), number(1)] })).await;
    let expected = [
        format!("{} asha: failed LIST_WOULD_BE_EMPTY", number(0)),
        format!("{} ravi: applied", number(0)),
        format!("{} ravi: applied", number(1)),
    ];
    assert_eq!(told(&stack, &job).await, expected);
    assert_eq!(stack.list("asha").await.unwrap(), numbers(&[0, 2]));
    assert_eq!(stack.list("ravi").await.unwrap(), numbers(&[3]));
    let (kept, gone) = (item(&stack, 0).await, item(&stack, 1).await);
    assert_eq!((kept.facts.state, kept.reserved_by), (NumberState::Active, None));
    assert_eq!((gone.facts.state, gone.reserved_by), (NumberState::Retired, None));

    let job = rotate(&stack, json!({ "retire": [number(0)], "allow_empty": true })).await;
    assert_eq!((job.counts.applied, job.counts.rows()), (1, 1), "{job:?}");
    assert_eq!(stack.list("asha").await.unwrap(), numbers(&[2]));
    let job = rotate(&stack, json!({ "retire": [number(3)], "allow_empty": true })).await;
    assert_eq!((job.counts.applied, stack.list("ravi").await.unwrap()), (1, Vec::<String>::new()), "{job:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_for_some_leaves_the_others_their_number() {
    let stack = Stack::start(&[]).await;
    own(&stack, 0..6).await;
    for (login, department, team) in [("asha", "sales", "north"), ("ravi", "care", "north"), ("neha", "care", "south")]
    {
        let mut user = e2e::user(login);
        user.profile.department = Ref::parse(department).ok();
        user.profile.team = Ref::parse(team).ok();
        user.caller_ids = numbers(&[0, 1, 2]).iter().map(|number| number.parse().unwrap()).collect();
        stack.create_user(user).await;
    }
    for (at, only, changed) in [
        (0, json!({ "department": "sales" }), &["asha"][..]),
        (1, json!({ "team": "north" }), &["asha", "ravi"]),
        (2, json!({ "logins": ["NEHA", "nobody"] }), &["neha"]),
    ] {
        let version = item(&stack, at).await.version;
        let request = json!({ "retire": [number(at)], "replace_with": [number(at + 3)], "only": only });
        let job = rotate(&stack, request).await;
        assert_eq!(job.counts.applied, changed.len() as u64, "{job:?}");
        for login in ["asha", "ravi", "neha"] {
            let list = stack.list(login).await.unwrap();
            assert_eq!(list.contains(&number(at + 3)), changed.contains(&login), "{login}: {list:?}");
            assert_ne!(list.contains(&number(at + 3)), list.contains(&number(at)), "{login}: {list:?}");
        }
        let item = item(&stack, at).await;
        assert_eq!((item.facts.state, item.reserved_by, item.version), (NumberState::Active, None, version));
        if at == 2 {
            assert_eq!(told(&stack, &job).await[1], ": failed USER_NOT_FOUND".replace(':', "nobody:"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_rests_where_that_is_asked_for_and_no_resync_brings_a_retired_one_back() {
    let stack = Stack::start(&[]).await;
    own(&stack, 0..5).await;
    create(&stack, "asha", &[0, 1, 2]).await;
    let given = GivenMapping { phone_user: PhoneUserId::parse("asha").ok(), ..GivenMapping::default() };
    let crm = CrmUserId::parse("crm-1").unwrap();
    let mapping = Mapping::new(crm.clone(), given, jiff::Timestamp::now());
    assert!(stack.directory.change_mapping(&stack.account, None, &mapping, None).await.unwrap());
    let sees = async |name: &str| {
        let source = stack
            .drop_as(JobKind::MappingResync, name, ResyncRequest { confirmed: true, preview: false }.to_json())
            .await;
        stack.ended(&source).await;
        let inventory = stack.directory.packed_inventory(&stack.account).await.unwrap();
        let mapping = stack.directory.mapping(&stack.account, &crm).await.unwrap().unwrap();
        mapping.visible(&inventory).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(sees("first.json").await, numbers(&[0, 1, 2]));

    rotate(&stack, json!({ "retire": [number(0)], "replace_with": [number(4)], "quarantine_days": 30 })).await;
    let resting = item(&stack, 0).await;
    let day = resting.facts.resting_until.expect("a day");
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    assert_eq!((resting.facts.state, resting.replaced_by), (NumberState::Resting, None));
    assert!((29..=30).contains(&(day - today).get_days()), "{day}, and today is {today}");

    rotate(&stack, json!({ "retire": [number(1)] })).await;
    // What is retired is not seen, and what came is, also before a resync.
    let inventory = stack.directory.packed_inventory(&stack.account).await.unwrap();
    let before = stack.directory.mapping(&stack.account, &crm).await.unwrap().unwrap().visible(&inventory);
    assert_eq!(before.iter().map(ToString::to_string).collect::<Vec<_>>(), numbers(&[2, 4]));
    assert_eq!(sees("second.json").await, numbers(&[2, 4]));
}

#[tokio::test(flavor = "multi_thread")]
async fn neighbours_are_untouched() {
    let stack = Stack::start(&[]).await;
    let neighbour = "neighbour".parse().unwrap();
    own(&stack, 0..3).await;
    create(&stack, "asha", &[0, 1]).await;
    let theirs: Vec<_> = stack.directory.inventory(&stack.account).await.unwrap();
    stack.directory.put_numbers(&neighbour, &theirs).await.unwrap();
    let mut user = e2e::user("asha");
    user.caller_ids = numbers(&[0, 1]).iter().map(|number| number.parse().unwrap()).collect();
    stack.directory.create_users(&neighbour, &[user]).await.unwrap();
    assert_eq!(rotate(&stack, json!({ "retire": [number(0)] })).await.counts.applied, 1);
    let user = stack.directory.user(&neighbour, "asha").await.unwrap().unwrap();
    assert_eq!((user.caller_ids.len(), stack.directory.inventory(&neighbour).await.unwrap()), (2, theirs));
}
