//! Records that were stored before they had a version are read, each kind as it was written then.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use rollcall_bulk::{
    directory_import::sync_state::{SyncOutcome, SyncState},
    job::{Job, JobState, Phase},
    resync::state::ResyncState,
};
use rollcall_model::{
    audit::Actor,
    catalog::CatalogEntry,
    inventory::{InventoryNumber, NumberState},
    jobs::{JobId, JobKind},
    mapping::{Mapping, MappingState},
    permit::Permit,
    phone_side::PhoneUserId,
    settings::{PhoneSystem, Settings},
    user::Policy,
};
use serde::{Serialize, de::DeserializeOwned};

use super::{IdempotencyRecord, Item, document, read_document};

const READING: &str = "reading a record";
const ID: &str = "0123456789abcdef0123456789abcdef";

fn item(record: AttributeValue) -> Item {
    Item::from([("record".to_owned(), record)])
}

/// The record, read as it was stored without a version. It is then written with one, read again, and not guessed at in a later one.
fn read<T: Serialize + DeserializeOwned>(stored: &str) -> T {
    let read = |json: &str| read_document::<T>(&item(AttributeValue::S(json.to_owned())), "record", READING);
    let record = read(stored).expect("the record of before");
    let AttributeValue::S(written) = document(&record) else { panic!("a record is JSON") };
    assert!(written.contains("\"schema\":1"), "{written}");
    let again = read(&written).expect("the record of now");
    assert_eq!(document(&again), AttributeValue::S(written.clone()));
    assert!(read(&written.replace("\"schema\":1", "\"schema\":99")).is_err(), "{written}");
    record
}

#[test]
fn a_number() {
    let number: InventoryNumber = read(
        r#"{"number":"+919876543210","provider":null,"state":"resting","resting_until":"2026-10-31","department":"d",
            "attestation":"A","purpose":"service","labels":["hot"],"state_since":"2026-10-01T00:00:00Z",
            "reserved_by":null,"replaced_by":"+919876543211","version":4}"#,
    );
    assert_eq!((number.version, number.facts.state), (4, NumberState::Resting));
    assert_eq!(number.replaced_by, "+919876543211".parse().ok());
}

#[test]
fn a_mapping() {
    let mapping: Mapping = read(
        r#"{"crm_user":"crm-1","email":"asha@example.com","login":null,"phone_user":null,
            "state":{"is":"mapped","phone_user":"asha"},
            "permission":{"policy":"custom","department":null,"caller_ids":["+919876543210"]},
            "changed":"2026-10-01T00:00:00Z","version":3}"#,
    );
    let phone_user = PhoneUserId::parse("asha").expect("a phone user");
    assert_eq!((mapping.version, mapping.state), (3, MappingState::Mapped { phone_user }));
    assert_eq!(mapping.permission.map(|permission| permission.policy), Some(Policy::Custom));
}

#[test]
fn an_entry_of_the_catalogue() {
    let entry: CatalogEntry = read(r#"{"id":"sales","name":"Sales"}"#);
    assert_eq!((entry.id.as_str(), entry.name.as_str()), ("sales", "Sales"));
}

#[test]
fn settings() {
    let settings: Settings =
        read(r#"{"country":"IN","recipients":["ops@example.com"],"list_limit":7,"phone_system":"zoom-phone"}"#);
    assert_eq!((settings.list_limit, settings.phone_system), (7, PhoneSystem::ZoomPhone));
    assert_eq!(settings.recipients.len(), 1);
}

#[test]
fn a_job() {
    let job: Job = read(&format!(
        r#"{{"id":"{ID}","account":"acme","kind":"append-caller-ids","name":"x.csv",
            "source":{{"bucket":"b","key":"inbox/acme/append-caller-ids/x.csv","version":"v","size":9}},
            "state":"running","phase":"applying","started":"2026-10-01T00:00:00Z",
            "lease":{{"owner":"i-1","until":"2026-10-01T00:15:00Z"}},"attempts":2,"asked_by":{{"call":"ann"}}}}"#
    ));
    assert_eq!((job.id.as_str(), job.upload.kind, job.attempts), (ID, JobKind::AppendCallerIds, 2));
    assert_eq!((job.state, job.phase), (JobState::Running, Phase::Applying));
    assert_eq!(
        (job.asked_by, job.lease.map(|lease| lease.owner)),
        (Some(Actor::Call("ann".into())), Some("i-1".into()))
    );
}

#[test]
fn how_a_directory_and_resyncs_stand() {
    let sync: SyncState = read(&format!(
        r#"{{"next":{{"tenant":"t","link":"https://graph.example/delta"}},"imports":1,"asked":null,"last_import":null,
            "last_sync":{{"job":"{ID}","at":"2026-10-01T00:00:00Z","linked":3,"updated":1,"deactivated":0,"still_blocked":0,
                "phones_unread":0,"failed":0,"outcome":{{"on_hold":{{"reason":"12 of 12"}}}}}},
            "ask_again":["a-1"]}}"#
    ));
    assert_eq!((sync.imports, sync.ask_again.len()), (1, 1));
    assert!(sync.last_sync.is_some_and(|sync| matches!(sync.outcome, SyncOutcome::OnHold { .. })));
    let resync: ResyncState = read(&format!(
        r#"{{"done":{{"job":"{ID}","at":"2026-10-01T00:00:00Z"}},
            "ended":{{"job":"{ID}","at":"2026-10-02T00:00:00Z","on_hold":true,"reason":"9 of 30"}},
            "revoked":[{{"job":"{ID}","at":"2026-10-01T00:00:00Z","affected":9}}]}}"#
    ));
    let id = JobId::parse(ID).expect("a job's name");
    assert!(resync.is_on_hold() && resync.revoked.of(&id) == Some(9));
    assert_eq!(resync.done.map(|done| done.at), "2026-10-01T00:00:00Z".parse::<Timestamp>().ok());
}

#[test]
fn what_was_agreed_on_about_an_upload() {
    let permit: Permit =
        read(r#"{"upload":"inbox/acme/upload-users/x.csv","asked_by":"schedule","notify":"ann@example.com"}"#);
    assert_eq!((permit.asked_by, permit.notify.is_some()), (Actor::Schedule, true));
}

#[test]
fn an_answer_to_a_repeated_request() {
    let working: IdempotencyRecord = read(r#"{"request":"hash","working_until":7}"#);
    assert_eq!((working.working_until, working.given), (7, None));
    let answered: IdempotencyRecord = read(
        r#"{"request":"hash","working_until":7,
            "given":{"status":201,"headers":[["etag","\"1\""]],"body":"{\"schema\":\"theirs\"}"}}"#,
    );
    assert_eq!(answered.given.map(|given| (given.status, given.headers.len())), Some((201, 1)));
}
