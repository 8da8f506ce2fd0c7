//! What the table's stream tells, as it is followed: which numbers were written, and whose lists have changed by what.

use aws_sdk_dynamodb::types::AttributeValue;
use rollcall_model::{account::AccountId, caller_id::CallerId, settings::PhoneSystem, user::fold};
use serde::Deserialize;

use super::{
    Item,
    numbers::read_number,
    settings::read_settings,
    stream::{TypedItem, item},
    string,
    users::{CALLER_IDS, POLICY, default_caller_id},
};
use crate::{
    StorageError,
    keys::{PK, SK, account_of, login_of, number_of},
};

/// A record of the stream, as far as it is followed.
#[derive(Debug, Deserialize)]
pub struct FollowedRecord {
    dynamodb: Record,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    sequence_number: String,
    keys: TypedItem,
    old_image: Option<TypedItem>,
    new_image: Option<TypedItem>,
}

/// What a record means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FollowedChange {
    /// This number was written.
    Number {
        /// Whose it is.
        account: AccountId,
        /// The number.
        number: CallerId,
        /// Somebody may be able to dial from it who couldn't, or the other way round.
        changes_lists: bool,
    },
    /// A user may dial from other numbers than before.
    User {
        /// Whose it is.
        account: AccountId,
        /// The user, by folded login ID.
        login: String,
        /// Numbers may have gone.
        removes: bool,
    },
    /// The account has chosen another phone system.
    System(AccountId),
    /// It is of no interest.
    Nothing,
}

/// Attributes of a user that say what it may dial from, beside its list.
const CHOOSING: [&str; 2] = [POLICY, "department"];

impl FollowedRecord {
    /// Its place in the stream: another text for each change.
    pub fn sequence(&self) -> &str {
        &self.dynamodb.sequence_number
    }

    /// What it means.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn change(self) -> Result<FollowedChange, StorageError> {
        let Record { keys, old_image, new_image, .. } = self.dynamodb;
        let keys = item(keys);
        let (pk, sk) = (string(&keys, PK).unwrap_or_default(), string(&keys, SK).unwrap_or_default());
        let (before, after) = (old_image.map(item), new_image.map(item));
        let Some(account) = account_of(&pk) else { return Ok(FollowedChange::Nothing) };
        if let Some((account, number)) = number_of(&pk, &sk) {
            let standing = |image: &Option<Item>| {
                let number = image.as_ref().map(read_number).transpose()?;
                let facts = number.map(|number| (number.facts.state.is_usable(), number.facts.department));
                Ok::<_, StorageError>(facts.filter(|(usable, _)| *usable))
            };
            // One that can't be read was written past us, and is packed as such. With its first number, an account keeps an inventory.
            let changes_lists = before.is_none() || standing(&before).ok() != standing(&after).ok();
            return Ok(FollowedChange::Number { account, number, changes_lists });
        }
        match sk.as_str() {
            "USER" => Ok(login_of(&account, &pk).map_or(FollowedChange::Nothing, |login| {
                of_user(account, fold(&login).into_owned(), before.as_ref(), after.as_ref())
            })),
            "SETTINGS" => {
                let system = |image: Option<Item>| {
                    let settings = image.as_ref().map(read_settings).transpose();
                    Ok::<PhoneSystem, StorageError>(settings?.unwrap_or_default().phone_system)
                };
                let (before, after) = (system(before)?, system(after)?);
                Ok(if before == after { FollowedChange::Nothing } else { FollowedChange::System(account) })
            }
            _ => Ok(FollowedChange::Nothing),
        }
    }
}

fn of_user(account: AccountId, login: String, before: Option<&Item>, after: Option<&Item>) -> FollowedChange {
    let chosen = |image: Option<&Item>| CHOOSING.map(|name| image.and_then(|item| string(item, name)));
    let (had, has) = (numbers(before), numbers(after));
    let default = |image: Option<&Item>| image.and_then(|item| default_caller_id(item).ok().flatten());
    let chooses_otherwise = chosen(before) != chosen(after) || before.is_some() != after.is_some();
    if !chooses_otherwise && had == has && default(before) == default(after) {
        return FollowedChange::Nothing;
    }
    let removes = before.is_some() && (chooses_otherwise || had.iter().any(|number| !has.contains(number)));
    FollowedChange::User { account, login, removes }
}

/// A user's list, in order.
fn numbers(image: Option<&Item>) -> Vec<&str> {
    let list = image.and_then(|item| item.get(CALLER_IDS)).map(AttributeValue::as_ss);
    let mut list: Vec<&str> =
        list.and_then(Result::ok).map_or_else(Vec::new, |list| list.iter().map(String::as_str).collect());
    list.sort_unstable();
    list
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn change(pk: &str, sk: &str, old: &Value, new: &Value) -> FollowedChange {
        let record = json!({ "dynamodb": {
            "SequenceNumber": "7", "Keys": { "PK": { "S": pk }, "SK": { "S": sk } }, "OldImage": old, "NewImage": new,
        }});
        let record: FollowedRecord = serde_json::from_value(record).unwrap();
        assert_eq!(record.sequence(), "7");
        record.change().unwrap()
    }

    #[test]
    fn a_user_is_marked_by_what_it_dials_from_and_by_nothing_else() {
        let of = |old: Value, new: Value| match change("ACCT#acme#USER#a#b", "USER", &old, &new) {
            FollowedChange::User { account, login, removes } => {
                assert_eq!((account.as_str(), login.as_str()), ("acme", "a#b"));
                Some(removes)
            }
            FollowedChange::Nothing => None,
            other => panic!("{other:?}"),
        };
        let list = |numbers: &[&str]| json!({ "name": { "S": "A" }, "caller_ids": { "SS": numbers } });
        assert_eq!(of(Value::Null, list(&["+1", "+2"])), Some(false));
        assert_eq!(of(list(&["+1"]), list(&["+2", "+1"])), Some(false));
        assert_eq!(of(list(&["+1", "+2"]), list(&["+2", "+3"])), Some(true));
        assert_eq!(of(list(&["+1", "+2"]), list(&["+2", "+1"])), None);
        assert_eq!(of(list(&["+1"]), Value::Null), Some(true));
        let named = |name: &str, policy: &str| json!({ "name": { "S": name }, "policy": { "S": policy } });
        assert_eq!(of(named("A", "all"), named("B", "all")), None);
        assert_eq!(of(named("A", "all"), named("A", "department")), Some(true));
    }

    #[test]
    fn a_number_changes_lists_by_its_state_and_its_department() {
        let of = |old: Value, new: Value| match change("ACCT#acme#NUMBERS", "NUM#+919876543210", &old, &new) {
            FollowedChange::Number { changes_lists, .. } => changes_lists,
            other => panic!("{other:?}"),
        };
        let number = |more: Value| {
            let mut number = json!({ "number": "+919876543210", "state": "active" });
            number.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({ "number": { "S": number.to_string() } })
        };
        assert!(of(Value::Null, number(json!({}))));
        assert!(!of(number(json!({})), number(json!({ "labels": ["x"] }))));
        assert!(!of(number(json!({})), number(json!({ "state": "flagged" }))), "it can be dialled from all the same");
        assert!(of(number(json!({})), number(json!({ "state": "retired" }))));
        assert!(of(number(json!({})), number(json!({ "department": "sales" }))));
        let retired = |department: &str| number(json!({ "state": "retired", "department": department }));
        assert!(!of(retired("a"), retired("b")));
    }

    #[test]
    fn other_items_mean_nothing() {
        let anything = json!({ "x": { "S": "y" } });
        for (pk, sk) in [("ACCT#acme", "PUSHING"), ("ACCT#acme#TOLD", "TOLD#a"), ("STACK", "CURSORS")] {
            assert_eq!(change(pk, sk, &Value::Null, &anything), FollowedChange::Nothing);
        }
    }
}
