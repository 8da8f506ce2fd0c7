//! What was agreed on about uploads.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use rollcall_engine::world::Permits;
use rollcall_model::{
    account::AccountId,
    permit::{Permit, PermitId},
};
use uuid::Uuid;

use super::{Directory, document, read_document};
use crate::{StorageError, error::failed, keys::Key};

const RECORD: &str = "permit";
const EXPIRES: &str = "expires";
/// How long a permit is kept: an upload's event is worked on before the queue and then the dead-letter queue forget it, each
/// after 14 days. The job's record keeps what it says.
const KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;

#[async_trait]
impl Permits for Directory {
    async fn permitted(&self, account: &AccountId, id: &PermitId) -> Result<Option<Permit>, StorageError> {
        const OPERATION: &str = "reading what was agreed on about an upload";
        let key = Key::permit(account, id).attributes().into();
        let read = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        let item = read.send().await.map_err(failed(OPERATION))?.item;
        item.map(|item| read_document(&item, RECORD, OPERATION)).transpose()
    }

    async fn permit(&self, account: &AccountId, permit: &Permit, now: Timestamp) -> Result<PermitId, StorageError> {
        let id = PermitId::parse(&Uuid::new_v4().simple().to_string()).expect("a UUID is an ID");
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(Key::permit(account, &id).attributes().into()))
            .item(RECORD, document(permit))
            .item(EXPIRES, AttributeValue::N((now.as_second() + KEPT_SECONDS).to_string()));
        put.send().await.map_err(failed("permitting an upload"))?;
        Ok(id)
    }
}
