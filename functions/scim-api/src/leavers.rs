//! When many leave in a day, people are told. **Nobody is kept from leaving**: a directory sends one user at a time, and what is not done
//! is sent again.

use jiff::{Timestamp, tz::TimeZone};
use rollcall_bulk::{job::MailState, job_email::JobEmail};
use rollcall_engine::{
    StorageError,
    telemetry::{Measure, measure},
    world::{MailQuota, Mails},
};
use rollcall_model::settings::Settings;

use crate::{Scim, caller::Caller};

impl Scim {
    /// Counts somebody who has left, and tells people when it is past the account's safety threshold. What fails here is in the log: the
    /// user has left.
    pub(crate) async fn left(&self, caller: &Caller, settings: &Settings, now: Timestamp) {
        if let Err(error) = self.count(caller, settings, now).await {
            tracing::error!(error = error.chain(), "who has left could not be counted");
        }
    }

    async fn count(&self, caller: &Caller, settings: &Settings, now: Timestamp) -> Result<(), StorageError> {
        let (directory, account, key) = (&self.directory, &caller.account, caller.key.as_str());
        let today = now.to_zoned(TimeZone::UTC).date();
        let day = directory.count_leaver(account, today, key, now).await?;
        let at_least = usize::try_from(settings.safety_threshold.at_least).unwrap_or(usize::MAX);
        if day.told || day.left < at_least {
            return Ok(());
        }
        let all = if let Some(all) = day.all {
            all
        } else {
            let all = directory.count_scim_users(account).await?;
            directory.note_scim_total(account, today, key, all).await?;
            all
        };
        if !settings.safety_threshold.holds(day.left, all) || !directory.tell_of_leavers(account, today, key).await? {
            return Ok(());
        }
        let left = u64::try_from(day.left).unwrap_or(u64::MAX);
        measure(&[("account", account.as_str()), ("key", key)], &[("ManyHaveLeft", Measure::Count(left))]);
        tracing::error!(left, all, "more users have left today than the safety threshold allows a sync");
        let (recipients, country) = (&settings.recipients, settings.country.unwrap_or(self.country));
        let mails = u32::try_from(recipients.len()).unwrap_or(u32::MAX);
        if recipients.is_empty() || !directory.take_mails(account, today, mails, self.mails_a_day).await? {
            return Ok(());
        }
        if let MailState::Refused { .. } = self
            .mailer
            .send(recipients, &mail([left, all as u64].map(|count| country.write_count(count)), key), None)
            .await?
        {
            tracing::error!("the mail about users who have left was refused");
        }
        Ok(())
    }
}

fn mail([left, all]: [String; 2], key: &str) -> JobEmail {
    let text = format!(
        "Today the company's directory has made {left} of {all} users leave, which is more than the account's safety threshold allows \
         a sync that nobody watches.\n\n\
         Their web logins are blocked and their agents disabled. Their lists of numbers are kept, and who returns in the directory is let in \
         again as before.\n\n\
         If that is meant, there is nothing to do. If it isn't, stop provisioning in the directory and look whom it takes for assigned; or \
         delete the key {key} (rollcall directory scim-key delete {key}), which keeps the directory out within a minute.\n"
    );
    JobEmail { subject: format!("Rollcall: {left} of {all} users have left today"), text }
}
