//! What users may dial from reaches the phone system, whatever changes it and whatever happens on the way.

mod bad_input;
mod changes;
mod deaths;
mod rate;

use e2e::{Smartflo, SmartfloTraps, Stack, Zoom, ZoomTraps};
use rollcall_bulk::job::Job;
use rollcall_connectors::{smartflo, zoom_phone};
use rollcall_model::{
    jobs::JobKind,
    settings::{PhoneSystem, Settings},
};
use rollcall_storage::{connect::Aws, secrets::Secrets};

fn number(last: usize) -> String {
    format!("+9198765{last:05}")
}

/// A stack whose account has a phone system that takes lists.
struct Phones {
    stack: Stack,
    smartflo: Smartflo,
    zoom: Zoom,
}

impl Phones {
    async fn start(system: PhoneSystem, traps: SmartfloTraps, parameters: &[&str]) -> Self {
        let (zoom, smartflo) = (Zoom::start(ZoomTraps::default()).await, Smartflo::start(traps).await);
        let places = [
            format!("ZoomApiUrl={}", zoom.url),
            format!("ZoomLoginUrl={}", zoom.url),
            format!("SmartfloUrl={}", smartflo.url),
        ];
        let parameters: Vec<&str> = places.iter().map(String::as_str).chain(parameters.iter().copied()).collect();
        let stack = Stack::start(&parameters).await;
        let phones = Self { stack, smartflo, zoom };
        phones.secret(Smartflo::PASSWORD).await;
        phones.choose(system).await;
        phones
    }

    /// The credentials, of Smartflo with this password.
    async fn secret(&self, password: &str) {
        let secrets = Secrets::new(&Aws::local(self.stack.endpoints()).await);
        let account = &self.stack.account;
        secrets.put(account, zoom_phone::SECRET, &Zoom::credentials()).await.expect("a secret");
        secrets.put(account, smartflo::SECRET, &Smartflo::credentials_with(password)).await.expect("a secret");
    }

    async fn choose(&self, phone_system: PhoneSystem) {
        let settings = Settings { phone_system, ..Settings::default() };
        self.stack.directory.put_settings(&self.stack.account, &settings).await.expect("settings are written");
    }

    /// Numbers that both we and the phone systems have.
    async fn own(&self, numbers: &[String]) {
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        self.smartflo.buy(&numbers);
        self.zoom.buy(&numbers);
        self.stack.own(&numbers).await;
    }

    async fn append(&self, rows: &[(&str, &str)]) {
        let rows: String = rows.iter().map(|(login, number)| format!("{login},{number}\n")).collect();
        let job = self.stack.append("rows.csv", format!("Login ID,Allowed Caller ID\n{rows}")).await;
        assert_eq!(job.counts.failed, 0, "{job:?}");
    }

    /// Waits until Smartflo has this list of a user.
    async fn has(&self, id: &str, list: &[&String]) {
        let wanted: Vec<String> = list.iter().map(ToString::to_string).collect();
        e2e::until(&format!("{id} to have {wanted:?}"), || {
            self.smartflo.caller_ids(id).filter(|has| *has == wanted).map(drop)
        })
        .await;
    }

    /// Waits for a push that has ended as wanted.
    async fn pushed(&self, wanted: impl Fn(&Job) -> bool) -> Job {
        let start = std::time::Instant::now();
        loop {
            let (jobs, _) = self.stack.directory.jobs(&self.stack.account, None, 50).await.expect("jobs are listed");
            let push = |job: &Job| job.upload.kind == JobKind::PushLists && !job.is_underway() && wanted(job);
            if let Some(job) = jobs.iter().find(|job| push(job)) {
                return job.clone();
            }
            assert!(start.elapsed().as_secs() < 120, "waited too long for a push: {jobs:#?}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// The login IDs of a list of users, of all its pages.
    async fn listed(&self, query: &str) -> Vec<String> {
        let owner = self.stack.caller(&["--account", self.stack.account.as_str()]);
        let (mut logins, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = owner.get(&format!("/v1/users?{query}{cursor}")).await.json();
            let users = page["items"].as_array().unwrap_or_else(|| panic!("{page}"));
            logins.extend(users.iter().map(|user| user["login"].as_str().expect("a login ID").to_owned()));
            let Some(next) = page["next"].as_str() else { return logins };
            cursor = format!("&cursor={next}");
        }
    }

    /// Asks until the answer is as wanted.
    async fn asked(&self, path: &str, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        let owner = self.stack.caller(&["--account", self.stack.account.as_str()]);
        let start = std::time::Instant::now();
        loop {
            let answer = owner.get(path).await.json();
            if wanted(&answer) {
                return answer;
            }
            assert!(start.elapsed().as_secs() < 120, "waited too long for {path}: {answer}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
}
