//! Numbers that are retired and replaced: the lists, the inventory and the rows afterwards, whatever comes between.

use axum::http::{Method, StatusCode};
use e2e::{Caller, CrashTest, Faults, Stack, TestEngine, delivery, die_at_every_request, rollcall, somebody};
use e2e::{Event, Meanwhile};
use rollcall_bulk::{
    job::{Job, JobState},
    resync::state::ResyncRequest,
    rotation::RotationPlan,
    upload::ResultKeys,
};
use rollcall_engine::kinds::Append;
use rollcall_engine::kinds::Rotate;
use rollcall_engine::world::{Bucket, Numbers};
use rollcall_engine::{Attempt, DeliveryOutcome, Operation};
use rollcall_model::{
    inventory::{InventoryNumber, NumberState},
    jobs::JobKind,
    mapping::{CrmUserId, GivenMapping, Mapping},
    phone_side::PhoneUserId,
    user::{Policy, Ref},
};
use rollcall_storage::{StorageError, connect::Aws, directory::Directory};
use serde_json::{Value, json};

fn number(last: usize) -> String {
    format!("+9198765{last:05}")
}

fn numbers(lasts: &[usize]) -> Vec<String> {
    lasts.iter().copied().map(number).collect()
}

async fn own(stack: &Stack, lasts: impl IntoIterator<Item = usize>) {
    let numbers: Vec<String> = lasts.into_iter().map(number).collect();
    stack.own(&numbers.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

async fn create(stack: &Stack, login: &str, list: &[usize]) {
    let mut user = e2e::user(login);
    user.caller_ids = numbers(list).iter().map(|number| number.parse().expect("a number")).collect();
    stack.create_user(user).await;
}

async fn item(stack: &Stack, last: usize) -> InventoryNumber {
    let number = number(last).parse().expect("a number");
    stack.directory.number(&stack.account, number).await.unwrap().expect("the number is in the inventory")
}

async fn change(stack: &Stack, last: usize, change: impl FnOnce(&mut InventoryNumber)) {
    let before = item(stack, last).await;
    let mut after = InventoryNumber { version: before.version + 1, ..before.clone() };
    change(&mut after);
    assert!(stack.directory.change_number(&stack.account, Some(&before), &after, &somebody()).await.unwrap());
}

fn owner(stack: &Stack) -> Caller {
    stack.caller(&["--account", stack.account.as_str()])
}

/// Asks for a rotation, and waits for its end.
async fn rotate(stack: &Stack, request: Value) -> Job {
    let asked = owner(stack).ask(Method::POST, "/v1/numbers/rotations", &[], request.to_string()).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    stack.ended_asked(&asked).await
}

async fn rotate_file(stack: &Stack, name: &str, rows: &str) -> Job {
    let file = format!("Old Caller ID,New Caller ID\n{rows}");
    let source = stack.drop_as(JobKind::RotateCallerIds, name, file).await;
    stack.ended(&source).await
}

/// `old user: status code` of each row.
async fn told(stack: &Stack, job: &Job) -> Vec<String> {
    let rows = stack.report(job, "results").await;
    let row = |row: &std::collections::HashMap<String, String>| {
        let line = format!("{} {}: {} {}", row["Old Caller ID"], row["Login ID"], row["Status"], row["Error Code"]);
        line.trim().trim_start_matches('\'').to_owned()
    };
    rows.iter().map(row).collect()
}

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
    assert_eq!((job.state, job.counts.applied, job.counts.rows()), (JobState::Finished, 4, 4), "{job:?}");
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
    let before: Vec<InventoryNumber> =
        serde_json::from_slice(&stack.files.get(&keys.numbers()).await.unwrap().unwrap()).unwrap();
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
async fn a_preview_marks_no_number_and_its_execution_does_what_it_says() {
    let stack = Stack::start(&[]).await;
    own(&stack, 0..4).await;
    create(&stack, "asha", &[0, 1]).await;
    create(&stack, "ravi", &[1]).await;
    let request =
        json!({ "retire": [number(0), number(1)], "replace_with": { number(0): number(3) }, "preview": true });
    let preview = rotate(&stack, request).await;
    let expected = [
        format!("{} asha: applied", number(0)),
        format!("{} asha: applied", number(1)),
        format!("{} ravi: failed LIST_WOULD_BE_EMPTY", number(1)),
    ];
    assert_eq!(
        (preview.state, preview.counts.applied, preview.counts.failed),
        (JobState::Previewed, 2, 1),
        "{preview:?}"
    );
    assert_eq!(stack.list("asha").await.unwrap(), numbers(&[0, 1]));
    assert_eq!((item(&stack, 0).await.version, item(&stack, 1).await.version), (1, 1), "no number is written");

    let job = stack.execute(&preview).await;
    assert_eq!((job.state, told(&stack, &job).await), (JobState::Finished, expected.to_vec()), "{job:?}");
    assert_eq!(job.previewed.expect("it was previewed").differs, 0);
    assert_eq!(stack.list("asha").await.unwrap(), numbers(&[3]));
    assert_eq!(item(&stack, 0).await.facts.state, NumberState::Retired);
    assert_eq!((item(&stack, 1).await.facts.state, item(&stack, 1).await.reserved_by), (NumberState::Active, None));
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
        let request = json!({ "retire": [number(at)], "replace_with": [number(at + 3)], "only": only });
        let job = rotate(&stack, request).await;
        assert_eq!(job.counts.applied, changed.len() as u64, "{job:?}");
        for login in ["asha", "ravi", "neha"] {
            let list = stack.list(login).await.unwrap();
            assert_eq!(list.contains(&number(at + 3)), changed.contains(&login), "{login}: {list:?}");
            assert_ne!(list.contains(&number(at + 3)), list.contains(&number(at)), "{login}: {list:?}");
        }
        let item = item(&stack, at).await;
        assert_eq!((item.facts.state, item.reserved_by, item.version), (NumberState::Active, None, 1));
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
    let mapping = Mapping::new(crm.clone(), given);
    assert!(stack.directory.change_mapping(&stack.account, None, &mapping, None).await.unwrap());
    let sees = async |name: &str| {
        let source = stack.drop_as(JobKind::MappingResync, name, ResyncRequest { confirmed: true }.to_json()).await;
        stack.ended(&source).await;
        let inventory = stack.directory.inventory(&stack.account).await.unwrap();
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
    // Before a resync: what is retired is not seen. After: what came is.
    let inventory = stack.directory.inventory(&stack.account).await.unwrap();
    let before = stack.directory.mapping(&stack.account, &crm).await.unwrap().unwrap().visible(&inventory);
    assert_eq!(before.iter().map(ToString::to_string).collect::<Vec<_>>(), numbers(&[2]));
    assert_eq!(sees("second.json").await, numbers(&[2, 4]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_keeps_lists_from_a_number_until_a_person_decides_or_the_next_rotation_does() {
    let stack = Stack::start(&[]).await;
    own(&stack, 0..3).await;
    create(&stack, "asha", &[0, 2]).await;
    let given_up = rotate(&stack, json!({ "retire": [number(1)] })).await.id;
    change(&stack, 0, |item| item.reserved_by = Some(given_up)).await;
    let append = async |name: &str| {
        let job = stack.append(name, format!("login,did\nasha,{}\n", number(0))).await;
        stack.report(&job, "results").await[0]["Error Code"].clone()
    };
    assert_eq!(append("refused.csv").await, "NUMBER_RETIRED");
    let path = format!("/v1/numbers/{}", number(0).replace('+', "%2B"));
    let edit = async |body: Value| owner(&stack).ask(Method::PATCH, &path, &[], body.to_string()).await.json();
    assert!(edit(json!({ "labels": ["spam"] })).await["reserved_by"].is_string(), "labels decide nothing");
    assert_eq!(edit(json!({ "state": "active" })).await["reserved_by"], Value::Null);
    assert_eq!(append("taken.csv").await, "ALREADY_ALLOWED");

    // The job of the mark has ended, so it keeps nobody away.
    change(&stack, 0, |item| item.reserved_by = Some(rollcall_model::jobs::JobId::parse(&"0".repeat(32)).unwrap()))
        .await;
    let job = rotate(&stack, json!({ "retire": [number(0)] })).await;
    assert_eq!((job.counts.applied, item(&stack, 0).await.facts.state), (1, NumberState::Retired), "{job:?}");
    assert_eq!(edit(json!({ "state": "new" })).await["replaced_by"], Value::Null);
}

/// Users are found by an index that is ordered by name, so whoever is renamed from behind the walk to before it is on no page of it. A
/// user who comes with the number after the rotation stands for that.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_whom_a_rotation_has_passed_over_is_found_by_the_next_round() {
    let stack = Stack::start(&[]).await;
    own(&stack, 0..5).await;
    create(&stack, "asha", &[0, 2]).await;
    let retired = rotate(&stack, json!({ "retire": [number(0)], "replace_with": [number(3)] })).await;
    rotate(&stack, json!({ "retire": [number(2)], "replace_with": [number(4)], "quarantine_days": 30 })).await;
    create(&stack, "renamed", &[0, 1]).await;
    create(&stack, "both", &[2, 3, 4]).await;
    create(&stack, "alone", &[0]).await;
    let left = item(&stack, 0).await;
    assert_eq!(left.second_look.and_then(|look| look.replacement), number(3).parse().ok());

    let round = || {
        let run = rollcall(Some(&stack), &["schedules", "run", "NumberRotationFunctionVisit"], &[]);
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    };
    round();
    assert_eq!(stack.list("renamed").await.unwrap(), numbers(&[1, 3]));
    assert_eq!(stack.list("both").await.unwrap(), numbers(&[3, 4]));
    assert_eq!(stack.list("alone").await.unwrap(), numbers(&[3]));
    assert_eq!(stack.list("asha").await.unwrap(), numbers(&[3, 4]), "it was changed by the rotation");
    let (first, resting) = (item(&stack, 0).await, item(&stack, 2).await);
    assert_eq!(first, InventoryNumber { second_look: None, ..left });
    assert!(resting.second_look.is_none() && resting.facts.state == NumberState::Resting);
    let today = rollcall_model::inventory::utc_day(jiff::Timestamp::now());
    assert_eq!(stack.directory.due_numbers(today).await.unwrap(), [], "one look is enough");

    // The look is no change that would keep an undo away.
    let path = format!("/v1/jobs/{}/undo", retired.id);
    let asked = owner(&stack).ask(Method::POST, &path, &[("content-type", "application/json")], "{}".to_owned()).await;
    assert_eq!(stack.ended_asked(&asked).await.state, JobState::Finished);
    assert_eq!(item(&stack, 0).await.facts.state, NumberState::Active);
}

/// Another job begins and ends: after this one has read the inventory, before it writes a list.
struct Interrupted<'a> {
    stack: &'a Stack,
    kind: JobKind,
    file: String,
}

impl Event for Interrupted<'_> {
    async fn happen(&self, _: &Attempt<'_>) -> Result<(), StorageError> {
        let source = self.stack.drop_as(self.kind, "meanwhile.csv", self.file.clone()).await;
        assert_eq!(self.stack.ended(&source).await.state, JobState::Finished);
        Ok(())
    }
}

async fn run<O: Operation>(operation: Meanwhile<O, Interrupted<'_>>, kind: JobKind, file: String) -> Job {
    let stack = operation.1.stack;
    let world = TestEngine::new(stack, Faults::default(), None).await;
    let source = stack.put_quietly("outer.csv", file).await;
    let upload = stack.upload_of(kind, "outer.csv");
    let ending = world.engine.run(&operation, &upload, &source, &delivery(1)).await.expect("nothing fails");
    assert_eq!(ending, DeliveryOutcome::Ended);
    stack.job_when(&source, |_| true).await
}

const MANY: usize = 2_000;

/// A file that gives everybody these numbers.
fn give(lasts: &[usize]) -> String {
    let rows = (1..=MANY).map(|user| format!("user{user},{}\n", numbers(lasts).join(";")));
    std::iter::once("login,did\n".to_owned()).chain(rows).collect()
}

/// Looks at everybody's list: `user1` to `user{MANY}`.
async fn lists(stack: &Stack) -> Vec<Vec<String>> {
    let users = stack.directory.users(&stack.account, MANY).await.unwrap();
    assert_eq!(users.len(), MANY);
    users.iter().map(|user| user.caller_ids.iter().map(ToString::to_string).collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_a_rotation_overtakes_takes_back_what_was_retired_meanwhile() {
    let stack = Stack::start(&[]).await;
    own(&stack, 0..4).await;
    stack.create_users(MANY).await;
    let file = format!("Old Caller ID,New Caller ID\n{},{}\n", number(0), number(3));
    let meanwhile = Interrupted { stack: &stack, kind: JobKind::RotateCallerIds, file };
    let job = run(Meanwhile(Append, meanwhile), JobKind::AppendCallerIds, give(&[0, 1])).await;
    assert_eq!((job.counts.partial, job.counts.rows()), (MANY as u64, MANY as u64), "{job:?}");
    assert_eq!(job.progress.numbers_added, MANY as u64, "what was taken back is not counted");
    let results = stack.report(&job, "results").await;
    assert!(results.iter().all(|row| row["Error Code"] == "NUMBER_RETIRED"), "{:?}", results[0]);
    assert!(lists(&stack).await.iter().all(|list| *list == numbers(&[1])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_an_append_overtakes_keeps_what_was_added() {
    let stack = Stack::start(&[]).await;
    own(&stack, 0..4).await;
    stack.create_users(MANY).await;
    assert_eq!(stack.append("before.csv", give(&[0])).await.counts.applied, MANY as u64);
    let meanwhile = Interrupted { stack: &stack, kind: JobKind::AppendCallerIds, file: give(&[0, 1]) };
    let file = format!("Old Caller ID,New Caller ID\n{},{}\n", number(0), number(3));
    let job = run(Meanwhile(Rotate, meanwhile), JobKind::RotateCallerIds, file).await;
    assert_eq!((job.counts.applied, job.counts.rows()), (MANY as u64, MANY as u64), "{job:?}");
    assert!(lists(&stack).await.iter().all(|list| *list == numbers(&[1, 3])));
    assert_eq!(item(&stack, 0).await.facts.state, NumberState::Retired);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_and_an_append_at_once_leave_nobody_a_retired_number() {
    let stack = Stack::start(&[]).await;
    own(&stack, 0..4).await;
    stack.create_users(MANY).await;
    assert_eq!(stack.append("before.csv", give(&[1])).await.counts.applied, MANY as u64);
    let rotation = format!("Old Caller ID,New Caller ID\n{},{}\n{},\n", number(1), number(3), number(0));
    let append = stack.drop_file("append.csv", give(&[0, 1, 2])).await;
    let rotation = stack.drop_as(JobKind::RotateCallerIds, "rotation.csv", rotation).await;
    for source in [&append, &rotation] {
        assert_eq!(stack.ended(source).await.state, JobState::Finished);
    }
    assert!(lists(&stack).await.iter().all(|list| *list == numbers(&[2, 3])), "whatever came first");
}

/// An append during whose beginning a rotation marks one of its two numbers.
struct Overtaken(Directory);

impl Event for Overtaken {
    async fn happen(&self, attempt: &Attempt<'_>) -> Result<(), StorageError> {
        let marked = number(of_round(&attempt.job.upload.name)[0]).parse().expect("a number");
        let before = self.0.number(attempt.account(), marked).await?.expect("the number is in the inventory");
        if before.reserved_by.is_none() {
            let reserved_by = Some(attempt.job.id.clone());
            let after = InventoryNumber { reserved_by, version: before.version + 1, ..before.clone() };
            assert!(self.0.change_number(attempt.account(), Some(&before), &after, &somebody()).await?);
        }
        Ok(())
    }
}

struct Appending;

impl CrashTest for Appending {
    type Operation = Meanwhile<Append, Overtaken>;
    const KIND: JobKind = JobKind::AppendCallerIds;

    async fn operation(&self, stack: &Stack) -> Self::Operation {
        let table = Directory::new(&Aws::local(stack.endpoints()).await, stack.output("TableName"));
        Meanwhile(Append, Overtaken(table))
    }

    async fn prepare(&self, stack: &Stack, prefix: &str) -> String {
        let [marked, other, _] = of_round(prefix);
        own(stack, [marked, other]).await;
        create(stack, prefix, &[]).await;
        format!("login,did\n{prefix},{};{}\n", number(marked), number(other))
    }

    async fn check(&self, stack: &Stack, prefix: &str, job: &Job, context: &str) {
        let progress = job.progress;
        assert_eq!((job.counts.partial, job.counts.rows()), (1, 1), "{context}");
        assert_eq!((progress.users_changed, progress.numbers_added), (1, 1), "{context}");
        assert_eq!(stack.list(prefix).await.expect(context), numbers(&[of_round(prefix)[1]]), "{context}");
        assert_eq!(stack.report(job, "failed").await[0]["Error Code"], "NUMBER_RETIRED", "{context}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_takes_a_number_back_dies_before_and_after_every_request_and_ends_the_same() {
    die_at_every_request(&Appending, 15).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn the_command_rotates_and_tells_by_its_exit_code() {
    let stack = Stack::start(&[]).await;
    own(&stack, 0..6).await;
    create(&stack, "asha", &[0, 1, 2]).await;
    let run = |arguments: &[&str], input: &str| {
        rollcall(Some(&stack), &[&["rotate", "--yes", "--account", "acme"], arguments].concat(), input.as_bytes())
    };
    let done = run(&["9876500000=98765 00003", "9876500005", "--results", "-"], "");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(String::from_utf8_lossy(&done.stdout).contains("asha,/retire/0,2,applied"), "{done:?}");
    assert_eq!(stack.list("asha").await.unwrap(), numbers(&[1, 2, 3]));

    let sample = rollcall(None, &["sample", "rotate-caller-ids"], b"").stdout;
    let sample = String::from_utf8(sample).unwrap().replace("987654321,987654322", "9876500001,");
    let done = run(&["--file", "-", "--login", "ASHA"], &sample.replace("987654320", "junk"));
    assert_eq!(done.status.code(), Some(1), "one row fails: {done:?}");
    assert_eq!(stack.list("asha").await.unwrap(), numbers(&[2, 3]));
    assert_eq!(item(&stack, 1).await.facts.state, NumberState::Active);

    // What is asked by a file has the file's name and its lines, as if it had been dropped into the bucket.
    let file = stack.dir().join("flagged.csv");
    std::fs::write(&file, "Old Caller ID,New Caller ID\n9876500002,9876500004\n\njunk,\n").unwrap();
    let done = run(&["--file", file.to_str().unwrap(), "--quarantine-days", "30", "--results", "-"], "");
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(told.contains(",line 2,") && told.contains(",line 4,"), "{told}");
    let (jobs, _) = stack.directory.jobs(&stack.account, None, 1).await.unwrap();
    assert_eq!(rollcall_bulk::upload::file_name(&jobs[0].upload.name), "flagged.csv");
    assert!(String::from_utf8_lossy(&done.stderr).contains("flagged.csv"), "{done:?}");

    for arguments in [
        &[][..],
        &["1=2", "--department", "a", "--team", "b"],
        &["1=2", "1=3"],
        &["1", "--quarantine-days", "0"],
        &["--file", "/nowhere.csv"],
    ] {
        let refused = run(arguments, "");
        assert!(!refused.status.success() && !refused.stderr.is_empty(), "{arguments:?}");
    }
}

/// One whose number is replaced, one who has the replacement already, one who has no other number, and a bad pair.
struct Rotating;

/// Three numbers of a round's own.
fn of_round(prefix: &str) -> [usize; 3] {
    let parts: Vec<usize> = prefix.split(['u', 'x', '.']).filter_map(|part| part.parse().ok()).collect();
    let first = 10_000 * (parts[0] + 1) + parts[1] * 10;
    [first, first + 1, first + 2]
}

impl CrashTest for Rotating {
    type Operation = Rotate;
    const KIND: JobKind = JobKind::RotateCallerIds;

    async fn operation(&self, _: &Stack) -> Rotate {
        Rotate
    }

    async fn prepare(&self, stack: &Stack, prefix: &str) -> String {
        let [old, new, only] = of_round(prefix);
        own(stack, [old, new, only]).await;
        create(stack, &format!("{prefix}gets"), &[old]).await;
        create(stack, &format!("{prefix}has"), &[old, new]).await;
        create(stack, &format!("{prefix}keeps"), &[only]).await;
        format!("Old Caller ID,New Caller ID\n{},{}\n{},\njunk,\n", number(old), number(new), number(only))
    }

    async fn check(&self, stack: &Stack, prefix: &str, job: &Job, context: &str) {
        let [old, new, only] = of_round(prefix);
        assert_eq!((job.counts.applied, job.counts.failed, job.counts.rows()), (2, 2, 4), "{context}");
        let progress = job.progress;
        assert_eq!((progress.users_changed, progress.numbers_added, progress.numbers_removed), (2, 1, 2), "{context}");
        for (login, list) in [("gets", new), ("has", new), ("keeps", only)] {
            assert_eq!(stack.list(&format!("{prefix}{login}")).await.expect(context), numbers(&[list]), "{context}");
        }
        let (old, only) = (item(stack, old).await, item(stack, only).await);
        assert_eq!((old.facts.state, old.replaced_by), (NumberState::Retired, number(new).parse().ok()), "{context}");
        assert_eq!(
            (only.facts.state, only.reserved_by, old.reserved_by),
            (NumberState::Active, None, None),
            "{context}"
        );
        let key = ResultKeys::of(&stack.account, &job.id, job.stage).numbers();
        let before = stack.files.get(&key).await.unwrap().expect(context);
        let before: Vec<InventoryNumber> = serde_json::from_slice(&before).expect(context);
        assert!(
            before.iter().all(|item| item.facts.state == NumberState::Active && item.reserved_by.is_none()),
            "{context}"
        );
        // An undo knows by the version whether anybody has been at a number since: a mark and an end are two writes.
        let version = before.iter().find(|item| item.number == old.number).map(|item| item.version);
        assert_eq!(version, Some(old.version - 2), "{context}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_dies_before_and_after_every_request_and_ends_the_same() {
    die_at_every_request(&Rotating, 20).await;
}

/// One whose number is replaced. While the rotation is dead, another one retires the replacement, and writes the same list.
struct Overtaking;

impl CrashTest for Overtaking {
    type Operation = Rotate;
    const KIND: JobKind = JobKind::RotateCallerIds;

    async fn operation(&self, _: &Stack) -> Rotate {
        Rotate
    }

    async fn prepare(&self, stack: &Stack, prefix: &str) -> String {
        let [old, new, other] = of_round(prefix);
        own(stack, [old, new, other, other + 1]).await;
        create(stack, prefix, &[old, other]).await;
        format!("Old Caller ID,New Caller ID\n{},{}\njunk,\n", number(old), number(new))
    }

    async fn meanwhile(&self, stack: &Stack, prefix: &str) {
        let [_, new, other] = of_round(prefix);
        let file = format!("Old Caller ID,New Caller ID\n{},{}\n{},\n", number(other), number(other + 1), number(new));
        let name = format!("{prefix}meanwhile.csv");
        let source = stack.put_quietly(&name, file).await;
        let world = TestEngine::new(stack, Faults::default(), None).await;
        let upload = stack.upload_of(JobKind::RotateCallerIds, &name);
        let ending = world.engine.run(&Rotate, &upload, &source, &delivery(1)).await.expect("nothing fails");
        assert_eq!(ending, DeliveryOutcome::Ended);
    }

    async fn check(&self, stack: &Stack, prefix: &str, job: &Job, context: &str) {
        assert_eq!((job.counts.rows(), job.counts.unprocessed), (2, 0), "{context}");
        let list = stack.list(prefix).await.expect(context);
        assert!(!list.is_empty(), "{context}");
        let inventory = stack.directory.inventory(&stack.account).await.unwrap();
        for item in inventory.iter().filter(|item| list.contains(&item.number.to_string())) {
            assert_ne!(item.facts.state, NumberState::Retired, "{}: {context}", item.number);
            assert_eq!(item.reserved_by, None, "{}: {context}", item.number);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_another_overtakes_while_it_is_dead_leaves_nobody_a_retired_number() {
    die_at_every_request(&Overtaking, 15).await;
}
