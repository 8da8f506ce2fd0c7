//! What the API writes, the command reads.

use std::fmt::Debug;

use jiff::Timestamp;
use rollcall_model::{
    inventory::{InventoryNumber, NumberFacts, NumberState, Purpose},
    jobs::JobKind,
    mapping::{GivenMapping, Mapping},
    user::{LoginId, Profile, User},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{JobRequest, MappingView, NumberView, Page, ProblemBody, UserView};

/// The JSON of a value that is read back from it.
fn written<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Value {
    let json = serde_json::to_value(value).unwrap();
    assert_eq!(serde_json::from_value::<T>(json.clone()).unwrap(), *value, "{json}");
    json
}

#[test]
fn a_user_is_shown_without_its_list_and_gets_it_back() {
    let mut user = User::new(LoginId::parse("asha").unwrap(), Profile::named("Asha").unwrap());
    user.caller_ids = vec!["+919876543210".parse().unwrap()];
    let view = UserView::from(user.clone());
    let json = written(&view);
    assert_eq!((&json["login"], &json["name"], &json["email"]), (&json!("asha"), &json!("Asha"), &Value::Null));
    assert_eq!(json.get("caller_ids"), None, "{json}");
    assert_eq!(view.with_list(user.caller_ids.clone()), user);
}

#[test]
fn a_number_is_shown_with_what_follows_from_what_is_kept() {
    let facts = NumberFacts { purpose: Some(Purpose::Promotional), ..NumberFacts::default() };
    let number = InventoryNumber::new("+919876543210".parse().unwrap(), facts, Timestamp::UNIX_EPOCH);
    let alone = written(&NumberView::from(number.clone()));
    assert_eq!((&alone["state"], &alone["version"]), (&json!(NumberState::Active), &json!(1)));
    assert_eq!((alone["warnings"][0]["code"].is_string(), alone.get("days_in_service")), (true, None), "{alone}");
    let listed = written(&NumberView::listed(number, "1970-01-03T00:00:00Z".parse().unwrap()));
    assert_eq!(listed["days_in_service"], 2);
}

#[test]
fn a_mapping_is_shown_as_it_is() {
    let given = GivenMapping { login: LoginId::parse("asha").ok(), ..GivenMapping::default() };
    let json =
        written(&MappingView::from(Mapping::new("crm-1".to_owned().try_into().unwrap(), given, Timestamp::UNIX_EPOCH)));
    assert_eq!(
        (&json["crm_user"], &json["login"], &json["state"]["is"]),
        (&json!("crm-1"), &json!("asha"), &json!("unmapped"))
    );
}

#[test]
fn a_request_says_no_more_than_is_asked_for() {
    let json = written(&JobRequest::new(JobKind::AppendCallerIds, "a.csv", 7));
    assert_eq!(json, json!({ "kind": "append-caller-ids", "name": "a.csv", "size": 7, "preview": false }));
    let problem = ProblemBody {
        r#type: "about:blank".into(),
        title: "Conflict".into(),
        status: 409,
        code: "A_CODE_OF_A_LATER_VERSION".into(),
        detail: "No.".to_owned(),
        pointer: None,
    };
    assert_eq!(written(&problem).get("pointer"), None);
    let last: Page<u32> = serde_json::from_value(json!({ "items": [1] })).unwrap();
    assert_eq!((last.items, last.next), (vec![1], None));
}
