//! Numbers added and changed.

use std::collections::HashMap;

use rollcall_bulk::{
    number_upload::{NumberRowReader, NumberUploadJob, NumberUploadPlan},
    user_upload::Catalog,
};
use rollcall_model::{caller_id::CallerId, catalog::CatalogKind, inventory::InventoryNumber, jobs::JobKind};

use super::users::{make_entries, refuse_an_older_version};
use crate::{
    Attempt, Interrupt, Operation, Prepared, RowSource, StorageError,
    world::{NumberChange, TableUsage},
};

/// Adds and changes the numbers of a file.
pub struct UploadNumbers;

impl Operation for UploadNumbers {
    type Job = NumberUploadJob;
    type Context = ();
    const KINDS: &'static [JobKind] = &[JobKind::UploadNumbers];

    async fn prepare(&self, attempt: &mut Attempt<'_>) -> Result<Prepared<Self>, Interrupt> {
        refuse_an_older_version(attempt).await?;
        let settings = attempt.settings().await?;
        let inventory = attempt.inventory().await?;
        let catalog = Catalog {
            departments: attempt.world.catalogs.catalog(attempt.account(), CatalogKind::Department).await?,
            welcomes_new: settings.catalog_from_files,
            ..Catalog::default()
        };
        let reader = NumberRowReader::new(attempt.country(&settings), &inventory);
        Ok(Prepared { job: NumberUploadJob::new(reader, catalog), context: (), rows: RowSource::Uploaded })
    }

    async fn plan(
        &self,
        attempt: &Attempt<'_>,
        job: &NumberUploadJob,
        (): &(),
        numbers: &[usize],
        usage: &mut TableUsage,
    ) -> Result<Vec<NumberUploadPlan>, StorageError> {
        // One read for all of them, as they are now: a file of numbers is about most of the account's.
        let present: HashMap<CallerId, InventoryNumber> =
            attempt.inventory().await?.into_iter().map(|item| (item.number, item)).collect();
        usage.calls += 1;
        let now = attempt.world.now();
        Ok(numbers.iter().map(|&place| job.plan(place, present.get(&job.number(place)), now)).collect())
    }

    async fn write(
        &self,
        attempt: &Attempt<'_>,
        (): &(),
        plans: &mut [&mut NumberUploadPlan],
        usage: &mut TableUsage,
    ) -> Result<Vec<usize>, Interrupt> {
        make_entries(attempt, plans.iter().flat_map(|plan| &plan.creates)).await?;
        let by = attempt.actor();
        let writes = plans.iter().enumerate().filter_map(|(at, plan)| Some((at, plan.write()?)));
        let (at, changes): (Vec<usize>, Vec<NumberChange<'_>>) =
            writes.map(|(at, (before, after))| (at, NumberChange { before, after })).unzip();
        usage.calls += 1;
        usage.statements += changes.len() as u64;
        let written = attempt.world.numbers.change_numbers(attempt.account(), &changes, &by).await?;
        // What somebody else has changed meanwhile is decided again.
        Ok(at.into_iter().zip(written).filter(|(_, written)| !written).map(|(at, _)| at).collect())
    }
}
