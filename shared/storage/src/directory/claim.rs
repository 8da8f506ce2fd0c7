//! Items that say who has what only one can have: an address, or a group's name.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};

use super::{Directory, Item};
use crate::keys::{Key, PK};

/// Whose it is.
pub(super) const OWNER: &str = "owner";

/// The item of a claim that this one has.
fn owned(claim: Key, owner: &str) -> Item {
    let mut item: Item = claim.attributes().into();
    item.insert(OWNER.to_owned(), AttributeValue::S(owner.to_owned()));
    item
}

impl Directory {
    /// Gives a claim to an owner, if nobody else has it. One that outlived its owner is taken over.
    pub(super) fn take(&self, claim: Key, owner: &str) -> TransactWriteItem {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(owned(claim, owner)))
            .condition_expression("attribute_not_exists(#pk) OR #owner = :owner")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#owner", OWNER)
            .expression_attribute_values(":owner", AttributeValue::S(owner.to_owned()))
            .build()
            .expect("table and item have been given");
        TransactWriteItem::builder().put(put).build()
    }

    /// Sets a claim free. **Only its owner can**: what another has by now stays that one's.
    pub(super) fn release(&self, claim: Key, owner: &str) -> TransactWriteItem {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(claim.attributes().into()))
            .condition_expression("attribute_not_exists(#pk) OR #owner = :owner")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#owner", OWNER)
            .expression_attribute_values(":owner", AttributeValue::S(owner.to_owned()))
            .build()
            .expect("table and key have been given");
        TransactWriteItem::builder().delete(delete).build()
    }
}
