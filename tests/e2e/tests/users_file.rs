//! A file of users dropped into the bucket, through the public doors, whatever happens meanwhile.

use rollcall_engine::world::Catalogs;
use std::collections::{BTreeMap, HashMap};

use axum::http::{Method, StatusCode};
use e2e::{CrashTest, Faults, Stack, TestEngine, delivery, die_at_every_request, json, rollcall};
use jiff::Timestamp;
use rollcall_bulk::job::{Job, JobState, MailState};
use rollcall_engine::DeliveryOutcome;
use rollcall_engine::kinds::UploadUsers;
use rollcall_model::{
    catalog::{CatalogEntry, CatalogKind},
    email::EmailAddress,
    jobs::JobKind,
    user::{Claim, Name, Ref},
    version::existed_at,
};

const HEADER: &str = "Name,Phone Number,Email,Login ID,Designation,Department,Team,Allowed Caller ID,Calling Agent,Assign Extension,Block Web Login\n";

/// Spoils a row.
type Corruption = fn(&mut [String; 11]);

fn email(address: &str) -> Option<EmailAddress> {
    EmailAddress::parse(address).ok()
}

async fn role(stack: &Stack, id: &str) {
    let entry = CatalogEntry { id: Ref::parse(id).unwrap(), name: Name::parse(&id.to_uppercase()).unwrap() };
    stack.directory.put_entry(&stack.account, CatalogKind::Role, &entry, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_file_with_every_kind_of_error_accounts_for_every_row_and_can_be_mended() {
    const ROWS: usize = 10_000;
    let stack = Stack::start(&[]).await;
    stack.entries(CatalogKind::Department, &["sales"]).await;
    stack.entries(CatalogKind::Team, &["north"]).await;
    stack.recipients(&["ops@example.com"]).await;
    role(&stack, "agent").await;
    let mut taken = e2e::user("taken");
    taken.profile.email = email("taken@example.com");
    stack.create_user(taken).await;

    // What is wrong with every eleventh row, and how it is mended.
    let flaws: [(&str, Corruption); 11] = [
        ("LOGIN_ID_MISSING", |row| row[3].clear()),
        ("NAME_MISSING", |row| row[0].clear()),
        ("EMAIL_TAKEN", |row| row[2] = "Taken@example.com".into()),
        ("EMAIL_TAKEN", |row| row[2] = "user0@example.com".into()),
        ("EXTENSION_IN_USE", |row| row[9] = "x0".into()),
        ("VALUE_INVALID", |row| row[8] = "perhaps".into()),
        ("VALUE_INVALID", |row| row[2] = "nobody".into()),
        ("NUMBER_INVALID", |row| row[1] = "junk".into()),
        ("NUMBER_SCIENTIFIC", |row| row[7] = "9.87654321E8;9876543210".into()),
        ("LOGIN_ID_TAKEN", |row| row[3] = "USER0".into()),
        ("COLUMN_COUNT", |row| row[10] = "No,too,many".into()),
    ];
    let row = |number: usize| {
        let cells = ["Somebody", "9812345678", "", "", "Lead", "sales", "north", "9876543210", "Yes", "", "No"];
        let mut row = cells.map(str::to_owned);
        row[2] = format!("user{number}@example.com");
        row[3] = format!("user{number}");
        row[9] = format!("x{number}");
        row
    };
    let mut file = HEADER.to_owned();
    let mut expected: BTreeMap<&str, u64> = BTreeMap::new();
    for number in 0..ROWS {
        let mut row = row(number);
        if number % 11 == 10 {
            let (code, spoil) = flaws[number / 11 % flaws.len()];
            spoil(&mut row);
            *expected.entry(code).or_default() += 1;
        }
        file.push_str(&format!("{}\n", row.join(",")));
    }
    let bad: u64 = expected.values().sum();
    let partial = expected["NUMBER_SCIENTIFIC"];

    let job = stack.upload_users("ten-thousand.csv", file).await;
    assert_eq!(job.state, JobState::Finished);
    let counts = job.counts;
    assert_eq!((counts.rows(), counts.applied), (ROWS as u64, ROWS as u64 - bad), "{counts:?}");
    assert_eq!((counts.partial, counts.failed), (partial, bad - partial), "{counts:?}");
    assert_eq!(job.progress.users_created, ROWS as u64 - bad + partial);
    let results = stack.report(&job, "results").await;
    let mut codes: BTreeMap<&str, u64> = BTreeMap::new();
    let warnings = ["", "NORMALIZED", "ALREADY_ALLOWED", "DUPLICATE_IN_FILE"];
    for result in &results {
        for code in result["Error Code"].split("; ").filter(|code| !warnings.contains(code)) {
            *codes.entry(code).or_default() += 1;
        }
    }
    assert_eq!(codes, expected);
    assert_eq!(stack.mails().len(), 1);

    // Mended where it is wrong, and dropped again as it is.
    let mut mended = HEADER.to_owned();
    let failed = stack.report(&job, "failed").await;
    assert_eq!(failed.len() as u64, bad);
    for result in &failed {
        // The header's line is the first.
        let number = result["Line"].parse::<usize>().unwrap() - 2;
        mended.push_str(&format!("{}\n", row(number).join(",")));
    }
    let again = stack.upload_users("mended.csv", mended).await;
    assert_eq!((again.counts.unchanged, again.counts.applied), (partial, bad - partial), "{:?}", again.counts);
    assert_eq!((again.counts.rows(), again.mail), (bad, Some(MailState::NotDue)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_downloaded_and_uploaded_again_is_unchanged_and_writes_nothing() {
    let stack = Stack::start(&[]).await;
    let caller = stack.caller(&["--account", stack.account.as_str()]);
    let odd = [
        "O'Neil, \"Ann\"",
        "=1+1",
        "+91 98765",
        "-5",
        "@cmd",
        "'quoted",
        "'=x",
        "first\nsecond",
        "a;b|c\td",
        "مريم 😀",
        "\u{202b}right to left\u{202c} x",
        "Zoë",
    ];
    for (number, name) in odd.iter().enumerate() {
        let mut user = e2e::user(&format!("{name}{number}").replace(['\n', '\t'], ""));
        user.profile.name = Name::parse(name).unwrap();
        user.profile.designation = Name::parse(name).ok();
        user.profile.email = email(&format!("Mail{number}@example.com"));
        user.caller_ids = vec!["+919876543210".parse().unwrap()];
        stack.create_user(user).await;
    }
    let download = caller.get("/v1/users.csv").await;
    assert_eq!(download.status, StatusCode::OK);

    // With a role in the file for none of them, the upload's role would be a change, so none is chosen.
    let job = stack.upload_users("users.csv", download.body.to_vec()).await;
    assert_eq!(
        (job.counts.unchanged, job.counts.rows()),
        (odd.len() as u64, odd.len() as u64),
        "{:?}",
        stack.report(&job, "results").await
    );
    assert_eq!((job.progress.statements, job.progress.users_changed), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_by_the_api_gives_its_users_the_role_that_was_chosen() {
    let stack = Stack::start(&[]).await;
    role(&stack, "agent").await;
    stack.own(&["+91987654321", "+91987654320"]).await;
    let caller = stack.caller(&["--account", stack.account.as_str()]);
    let ask = async |body: serde_json::Value| {
        caller.ask(Method::POST, "/v1/jobs", &[("content-type", "application/json")], body.to_string()).await
    };
    let sample = caller.get("/v1/samples/users.csv").await;
    let sample = String::from_utf8(sample.body.to_vec()).unwrap();

    let wrong = serde_json::json!({ "kind": "append-caller-ids", "name": "x.csv", "size": 1, "role": "agent" });
    let refused = ask(wrong).await;
    assert_eq!((refused.status, refused.json()["pointer"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("/role")));

    let new =
        serde_json::json!({ "kind": "upload-users", "name": "people.csv", "size": sample.len(), "role": "Agent" });
    let permission = ask(new).await.json();
    let headers: Vec<_> = permission["headers"].as_object().unwrap().iter().collect();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
    let put = stack.stranger().fetch(Method::PUT, permission["url"].as_str().unwrap(), &headers, sample).await;
    assert_eq!(put.status, StatusCode::OK);
    let ended = async || {
        let jobs = caller.get("/v1/jobs").await.json();
        jobs["items"].as_array().unwrap().iter().find(|job| job["state"] == "finished").cloned()
    };
    let start = std::time::Instant::now();
    let job = loop {
        if let Some(job) = ended().await {
            break job;
        }
        assert!(start.elapsed().as_secs() < 60, "waited too long for the job");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!(
        (&job["kind"], &job["role"], &job["counts"]["applied"]),
        (&"upload-users".into(), &"Agent".into(), &2.into())
    );
    let user = caller.get("/v1/users/meera.nair").await.json();
    assert_eq!((&user["role"], &user["extension"]["login"]), (&"agent".into(), &"2001".into()));
    assert_eq!(caller.get("/v1/users/sunil.joshi").await.json()["web_login"], "blocked");

    // The extension is Meera's alone, whichever door somebody else comes through.
    let body = serde_json::json!({ "login": "x", "name": "X", "extension": { "login": "2001", "intercom": "9" } });
    let taken = caller.ask(Method::POST, "/v1/users", &[("content-type", "application/json")], body.to_string()).await;
    assert_eq!((taken.status, taken.json()["code"].as_str()), (StatusCode::CONFLICT, Some("EXTENSION_IN_USE")));
    let body = r#"{"extension":{"login":"2001","intercom":"9"}}"#;
    let json = [("content-type", "application/merge-patch+json")];
    let taken = caller.ask(Method::PATCH, "/v1/users/sunil.joshi", &json, body).await;
    assert_eq!((taken.status, taken.json()["code"].as_str()), (StatusCode::CONFLICT, Some("EXTENSION_IN_USE")));
    assert_eq!(caller.ask(Method::DELETE, "/v1/users/meera.nair", &[], "").await.status, StatusCode::NO_CONTENT);
    let freed = caller.ask(Method::PATCH, "/v1/users/sunil.joshi", &json, body).await;
    assert_eq!(freed.status, StatusCode::OK, "{}", freed.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_passes_on_the_demo_account_by_the_command() {
    let stack = Stack::start(&[]).await;
    assert!(rollcall(Some(&stack), &["seed"], &[]).status.success());
    let sample = rollcall(None, &["sample", "users"], &[]).stdout;
    let refused = rollcall(Some(&stack), &["upload", "-", "--role", "boss"], &sample);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("agent, supervisor"), "{told}");
    for status in ["applied", "unchanged"] {
        let uploaded = rollcall(Some(&stack), &["upload", "-", "--role", "Agent", "--json"], &sample);
        assert!(uploaded.status.success(), "{}", String::from_utf8_lossy(&uploaded.stderr));
        assert_eq!(json(&uploaded)["counts"][status], 2, "{}", json(&uploaded));
    }
}

/// One user to be changed, two that are new, and two rows to mend.
struct Uploading;

impl CrashTest for Uploading {
    type Operation = UploadUsers;
    const KIND: JobKind = JobKind::UploadUsers;

    async fn operation(&self, _: &Stack) -> UploadUsers {
        UploadUsers
    }

    async fn prepare(&self, stack: &Stack, prefix: &str) -> String {
        let mut old = e2e::user(&format!("{prefix}1"));
        old.profile.email = email(&format!("{prefix}old@example.com"));
        stack.create_user(old).await;
        format!(
            "login,name,email,extension,did\n\
             {prefix}1,New Name,{prefix}new@example.com,,9876543210\n\
             {prefix}2,Second,{prefix}2@example.com,{prefix}ext,9876543210;9876543211\n\
             {prefix}3,Third,,,\n\
             {prefix}4,Fourth,{prefix}old@example.com,,\n\
             {prefix}5,,,,\n"
        )
    }

    async fn check(&self, stack: &Stack, prefix: &str, job: &Job, context: &str) {
        let counts = job.counts;
        assert_eq!((counts.applied, counts.failed, counts.rows()), (4, 1, 5), "{context}");
        let done = job.progress;
        assert_eq!((done.users_changed, done.users_created, done.numbers_added), (4, 3, 3), "{context}");
        let mut versions = Vec::new();
        for (user, numbers) in [(1, 1), (2, 2), (3, 0)] {
            let user = stack.user(&format!("{prefix}{user}")).await.unwrap();
            assert_eq!(user.caller_ids.len(), numbers, "{context}");
            versions.push(user.version);
        }
        // A user who is created has the time of that as the first version, and each later write adds one: written once, it is no later than now.
        assert_eq!(versions[0], 2, "the user is written once {context}");
        let now = Timestamp::now();
        assert!(versions[1..].iter().all(|&version| version > 2 && existed_at(version, now)), "{versions:?} {context}");
        for (claim, owner) in [
            (Claim::Email(format!("{prefix}old@example.com")), Some(format!("{prefix}4"))),
            (Claim::Email(format!("{prefix}new@example.com")), Some(format!("{prefix}1"))),
            (Claim::Extension(format!("{prefix}ext")), Some(format!("{prefix}2"))),
        ] {
            assert_eq!(stack.directory.owner(&stack.account, &claim).await.unwrap(), owner, "{context}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_request_of_an_upload_ends_with_the_same_users_and_one_finished_job() {
    die_at_every_request(&Uploading, 12).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_table_and_lost_answers_lose_no_user() {
    const USERS: usize = 200;
    let stack = Stack::start(&[]).await;
    stack.create_users(USERS / 2).await;
    let faults = Faults { throttled: 300, dropped: 20, ..Faults::default() };
    let world = TestEngine::new(&stack, faults, None).await;
    let mut file = "login,name,email,did\n".to_owned();
    for user in 1..=USERS {
        file.push_str(&format!("user{user},Name {user},user{user}@example.com,9876543210\n"));
    }
    let source = stack.put_quietly("throttled.csv", file).await;
    let upload = stack.upload_of(JobKind::UploadUsers, "throttled.csv");
    let ending = world.engine.run(&UploadUsers, &upload, &source, &delivery(1)).await.unwrap();
    assert_eq!(ending, DeliveryOutcome::Ended);
    let job = stack.job_when(&source, |_| true).await;
    assert_eq!((job.counts.applied, job.counts.rows()), (USERS as u64, USERS as u64), "{job:?}");
    assert!(job.progress.throttled > 0);
    for user in stack.directory.users(&stack.account, USERS).await.unwrap() {
        assert_eq!((user.caller_ids.len(), user.profile.email.is_some()), (1, true), "{}", user.login);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_at_once_for_the_same_users_each_change_what_they_say_and_share_no_address() {
    const USERS: usize = 150;
    let stack = Stack::start(&[]).await;
    stack.entries(CatalogKind::Team, &["north"]).await;
    stack.create_users(USERS / 2).await;
    let rows = |cells: &dyn Fn(usize) -> String| {
        (1..=USERS).map(|user| format!("user{user},Same,{}\n", cells(user))).collect::<String>()
    };
    let files = [
        format!("login,name,designation\n{}", rows(&|_| "Lead".into())),
        format!("login,name,team\n{}", rows(&|_| "north".into())),
        format!("login,name,did\n{}", rows(&|_| "9876543210".into())),
        // The same addresses for other people.
        (1..=USERS)
            .fold("login,name,email\n".to_owned(), |file, user| format!("{file}a{user},A,shared{user}@example.com\n")),
        (1..=USERS)
            .fold("login,name,email\n".to_owned(), |file, user| format!("{file}b{user},B,shared{user}@example.com\n")),
    ];
    let mut sources = Vec::new();
    for (number, file) in files.into_iter().enumerate() {
        sources.push(stack.drop_as(JobKind::UploadUsers, &format!("{number}.csv"), file).await);
    }
    let mut jobs = Vec::new();
    for source in &sources {
        jobs.push(stack.ended(source).await);
    }
    for job in &jobs[..3] {
        assert_eq!((job.counts.needs_correction(), job.counts.rows()), (0, USERS as u64), "{job:?}");
    }
    for user in 1..=USERS {
        let user = stack.user(&format!("user{user}")).await.unwrap();
        let profile = &user.profile;
        assert_eq!(profile.designation.as_ref().map(Name::as_str), Some("Lead"));
        assert_eq!(profile.team.as_ref().map(Ref::as_str), Some("north"));
        assert_eq!(user.caller_ids.len(), 1);
    }
    let [a, b] = &jobs[3..] else { panic!() };
    assert_eq!(a.counts.applied + b.counts.applied, USERS as u64);
    assert_eq!(a.counts.failed + b.counts.failed, USERS as u64);
    let mut owners: HashMap<String, u64> = HashMap::new();
    for user in 1..=USERS {
        let claim = Claim::Email(format!("shared{user}@example.com"));
        let owner = stack.directory.owner(&stack.account, &claim).await.unwrap().expect("one of them has it");
        assert!(stack.user(&owner).await.is_some(), "{owner} is there");
        *owners.entry(owner[..1].to_owned()).or_default() += 1;
    }
    assert_eq!(owners.get("a").copied().unwrap_or_default(), a.counts.applied);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_one_row_gives_up_is_anothers_in_any_order() {
    let stack = Stack::start(&[]).await;
    for (login, address) in [("a", "one@example.com"), ("b", "two@example.com"), ("c", "three@example.com")] {
        let mut user = e2e::user(login);
        user.profile.email = email(address);
        stack.create_user(user).await;
    }
    let file =
        "Login ID,Email,Allowed Caller ID\na,two@example.com,9876543210\nb,three@example.com,\nc,four@example.com,\n";
    let preview = stack.preview(JobKind::UploadUsers, "preview.csv", file).await;
    assert_eq!(preview.counts.applied, 3, "a preview says the same: {:?}", preview.counts);
    let job = stack.upload_users("renamed.csv", file).await;
    assert_eq!((job.state, job.counts.applied), (JobState::Finished, 3), "{:?}", job.counts);
    assert_eq!((job.progress.users_changed, job.progress.numbers_added), (3, 1));
    for (login, address) in [("a", "two@example.com"), ("b", "three@example.com"), ("c", "four@example.com")] {
        let user = stack.directory.user(&stack.account, login).await.unwrap().unwrap();
        assert_eq!(user.profile.email, email(address), "{login}");
        let owner = stack.directory.owner(&stack.account, &Claim::Email(address.to_owned())).await.unwrap();
        assert_eq!(owner.as_deref(), Some(login));
    }
}
