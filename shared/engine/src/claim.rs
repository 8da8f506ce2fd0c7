//! Who works on a job.

use rollcall_model::{
    job::{Claim, Delivery, Job, claim},
    upload::{JobId, Source, Upload},
};
use rollcall_platform::{Error, Kind};

use crate::{Ending, Engine, Run};

/// What a delivery has come by.
pub(crate) enum Claimed<'a> {
    /// An attempt at the job.
    Run(Box<Run<'a>>),
    /// The same, and nothing is left to do but to give it up.
    GivenUp(Box<Run<'a>>),
    /// Nothing.
    Not(Ending),
}

impl Engine {
    /// Claims a job for a delivery, given the record that is there.
    ///
    /// # Errors
    /// When the record can't be written.
    pub(crate) async fn claim(
        &self,
        existing: Option<Job>,
        upload: &Upload,
        source: &Source,
        delivery: &Delivery,
    ) -> Result<Claimed<'_>, Error> {
        let (job, gave_up) = match claim(existing.clone(), upload, source, delivery) {
            Claim::Work(job) => (*job, false),
            Claim::GiveUp(job) => (*job, true),
            Claim::Busy => return Ok(Claimed::Not(Ending::Busy)),
            Claim::Ended => return Ok(Claimed::Not(Ending::Ended)),
        };
        match self.directory.claim_job(&job, existing.as_ref()).await {
            Ok(()) => {}
            Err(error) if error.kind == Kind::Conflict => {
                // Perhaps it was ourselves: an answer that is lost on its way makes the client ask once more.
                let holder = self.directory.job(&upload.account, &JobId::of(source)).await?.and_then(|job| job.lease);
                if holder.is_none_or(|lease| lease.owner != delivery.invocation) {
                    return Ok(Claimed::Not(Ending::Busy));
                }
            }
            Err(error) => return Err(error),
        }
        tracing::info!(attempt = job.attempts, "claimed");
        let run = Box::new(Run::new(self, job, delivery));
        Ok(if gave_up { Claimed::GivenUp(run) } else { Claimed::Run(run) })
    }
}
