//! What is newer stands, though a job that has decided before writes later.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::http::{Method, StatusCode};
use e2e::{Event, Faults, Meanwhile, Stack, TestEngine, delivery, user};
use rollcall_bulk::{
    job::{Delivery, Job, JobState},
    resync::state::ResyncRequest,
};
use rollcall_connectors::{Http, zoom_phone};
use rollcall_engine::{
    Attempt, DeliveryOutcome, Operation,
    kinds::{Resync, UploadUsers},
};
use rollcall_model::{jobs::JobKind, mapping::CrmUserId};
use rollcall_phone_systems::{HttpPhoneSystems, Share};
use rollcall_storage::{StorageError, connect::Aws, secrets::Secrets};
use serde_json::{Value, json};

/// Requests of a person, one after the other, when a job has decided and has written nothing.
struct Asked<'a> {
    stack: &'a Stack,
    requests: Vec<(Method, &'a str, Value, StatusCode)>,
    done: AtomicBool,
}

impl Event for Asked<'_> {
    async fn before_write(&self, _: &Attempt<'_>) -> Result<(), StorageError> {
        if !self.done.swap(true, Ordering::Relaxed) {
            let person = self.stack.caller(&["--account", self.stack.account.as_str()]);
            for (method, path, body, status) in &self.requests {
                let answer = person.ask(method.clone(), path, &[], body.to_string()).await;
                assert_eq!(answer.status, *status, "{path}: {}", answer.text());
            }
        }
        Ok(())
    }
}

/// Runs a job that these requests overtake.
async fn overtaken<O: Operation>(
    stack: &Stack,
    operation: O,
    (kind, file): (JobKind, Vec<u8>),
    requests: Vec<(Method, &str, Value, StatusCode)>,
) -> Job {
    let world = TestEngine::new(stack, Faults::default(), None).await;
    let source = stack.put_quietly("overtaken", file).await;
    let upload = stack.upload_of(kind, "overtaken");
    let operation = Meanwhile(operation, Asked { stack, requests, done: AtomicBool::new(false) });
    // What a person says comes after the job has begun.
    let now = Delivery { at: jiff::Timestamp::now(), ..delivery(1) };
    let ended = world.engine.run(&operation, &upload, &source, &now).await.expect("an outcome");
    assert_eq!(ended, DeliveryOutcome::Ended);
    stack.job_when(&source, |job| job.state == JobState::Finished).await
}

/// N6c: a file writes nothing over what a person has said since its job began.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_changes_while_a_file_is_being_written_stays_and_the_row_says_so() {
    let stack = Stack::start(&[]).await;
    stack.create_user(user("u")).await;
    let file = b"Login ID,Name,Allowed Caller ID\nu,Of The File,\n".to_vec();
    let patch = (Method::PATCH, "/v1/users/u", json!({ "name": "Of A Person" }), StatusCode::OK);
    let job = overtaken(&stack, UploadUsers, (JobKind::UploadUsers, file), vec![patch]).await;
    assert_eq!(stack.report(&job, "results").await[0]["Error Code"], "CHANGED_SINCE", "{job:?}");
    assert_eq!(stack.user("u").await.map(|user| user.profile.name.as_str().to_owned()).as_deref(), Some("Of A Person"));
}

/// N8: a mapping that is made anew is another, and is left to whoever made it.
#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_that_is_made_anew_while_a_resync_writes_is_as_it_was_made() {
    let stack = Stack::start(&[]).await;
    for login in ["u1", "u2"] {
        stack.create_user(user(login)).await;
    }
    let path = "/v1/mappings/crm-1";
    let person = stack.caller(&["--account", stack.account.as_str()]);
    let made = person.ask(Method::PUT, path, &[], json!({ "login": "u1" }).to_string()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let nowhere = || "http://127.0.0.1:9".parse().expect("an address");
    let systems = HttpPhoneSystems {
        http: Http::new().expect("a client"),
        secrets: Arc::new(Secrets::new(&Aws::local(stack.endpoints()).await)),
        smartflo: nowhere(),
        zoom: zoom_phone::Endpoints { login: nowhere(), api: nowhere() },
        share: Share::All,
    };
    let anew = vec![
        (Method::DELETE, path, Value::Null, StatusCode::NO_CONTENT),
        (Method::PUT, path, json!({ "login": "u2" }), StatusCode::CREATED),
    ];
    let request = (JobKind::MappingResync, ResyncRequest { confirmed: false, preview: false }.to_json());
    overtaken(&stack, Resync { systems: Arc::new(systems) }, request, anew).await;
    let id = CrmUserId::parse("crm-1").expect("an ID");
    let mapping = stack.directory.mapping(&stack.account, &id).await.expect("a record").expect("a mapping");
    let given = mapping.given.login.as_ref().map(|login| login.as_str().to_owned());
    assert_eq!(given.as_deref(), Some("u2"));
    assert!(mapping.phone_user().is_none_or(|phone_user| phone_user.as_str() == "u2"), "{mapping:?}");
}
