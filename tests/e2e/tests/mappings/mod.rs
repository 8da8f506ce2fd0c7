//! What CRM users see, through resyncs and whatever happens to them.

mod failures;
mod permissions;
mod safety_threshold;

use e2e::Stack;
use rollcall_bulk::{job::Job, resync::state::ResyncRequest};
use rollcall_model::{
    jobs::JobKind,
    mapping::{CrmUserId, Explanation, ExplanationInput, GivenMapping, Link, Mapping},
    phone_side::PhoneUserId,
    settings::{PhoneSystem, Settings},
};

fn number(last: usize) -> String {
    format!("+9198765{last:05}")
}

fn crm(id: &str) -> CrmUserId {
    CrmUserId::parse(id).expect("an ID")
}

async fn map(stack: &Stack, id: &str, given: GivenMapping) {
    let mapping = Mapping::new(crm(id), given, jiff::Timestamp::UNIX_EPOCH);
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
    let inventory = stack.directory.packed_inventory(&stack.account).await.unwrap();
    mapping(stack, id).await.visible(&inventory).iter().map(ToString::to_string).collect()
}

async fn resync(stack: &Stack, name: &str, confirmed: bool) -> Job {
    let source =
        stack.drop_as(JobKind::MappingResync, name, ResyncRequest { confirmed, preview: false }.to_json()).await;
    stack.ended(&source).await
}

async fn set_system(stack: &Stack, phone_system: PhoneSystem) {
    let recipients = vec!["ops@example.com".parse().unwrap()];
    let settings = Settings { phone_system, recipients, ..Settings::default() };
    stack.directory.put_settings(&stack.account, &settings).await.unwrap();
}

async fn allow(stack: &Stack, login: &str, numbers: &[String]) {
    let file = format!("Login ID,Allowed Caller ID\n{login},{}\n", numbers.join(";"));
    assert_eq!(stack.append("allow.csv", file).await.counts.failed, 0);
}

fn why(stack_facts: &ExplanationInput<'_>) -> Option<Link> {
    Explanation::of(stack_facts).broken
}

const SNAPSHOT: &str = "User ID,Email,Policy,Department,Allowed Caller ID\n";

async fn drop_snapshot(stack: &Stack, rows: &str) -> Job {
    let source = stack.drop_as(JobKind::PhoneSnapshot, "phones.csv", format!("{SNAPSHOT}{rows}")).await;
    stack.ended(&source).await
}
