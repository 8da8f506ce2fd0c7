//! Files that are dropped, and the jobs that come of them.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use rollcall_bulk::{
    job::Job,
    upload::{InboxKey, UploadOptions},
};
use rollcall_engine::world::{Bucket, Jobs};
use rollcall_model::jobs::{JobId, JobKind, ObjectVersion};

use super::{Stack, TIMEOUT, somebody, until};

impl Stack {
    /// Drops a file of caller IDs into the inbox.
    pub async fn drop_file(&self, name: &str, bytes: impl Into<Vec<u8>>) -> ObjectVersion {
        self.drop_as(JobKind::AppendCallerIds, name, bytes).await
    }

    /// Drops a file for a job of this kind into the inbox.
    pub async fn drop_as(&self, kind: JobKind, name: &str, bytes: impl Into<Vec<u8>>) -> ObjectVersion {
        self.drop_on(kind, name, bytes, &UploadOptions::default()).await
    }

    /// Drops a file for a job on these options into the inbox.
    pub async fn drop_on(
        &self,
        kind: JobKind,
        name: &str,
        bytes: impl Into<Vec<u8>>,
        options: &UploadOptions,
    ) -> ObjectVersion {
        self.files.drop_file(&self.upload_of(kind, name), bytes.into(), options).await.expect("the file is dropped")
    }

    /// Drops a file for a job that only shows what it would do, and waits for that.
    pub async fn preview(&self, kind: JobKind, name: &str, bytes: impl Into<Vec<u8>>) -> Job {
        let options = UploadOptions { preview: true, ..UploadOptions::default() };
        let source = self.drop_on(kind, name, bytes, &options).await;
        self.ended(&source).await
    }

    /// Has a job executed that has shown what it would do, and waits for its end.
    pub async fn execute(&self, job: &Job) -> Job {
        let executed = rollcall_engine::execute((&self.directory, &self.files), job, &somebody()).await;
        executed.expect("the decision is written").expect("the job can be executed");
        self.ended(&job.source).await
    }

    /// The upload of a file of caller IDs.
    pub fn upload(&self, name: &str) -> InboxKey {
        self.upload_of(JobKind::AppendCallerIds, name)
    }

    /// The upload of a file for a job of this kind.
    pub fn upload_of(&self, kind: JobKind, name: &str) -> InboxKey {
        let key = format!("inbox/{}/{}/{name}", self.account, kind.as_str());
        InboxKey::from_key(&key).expect("the key of an upload")
    }

    /// Puts a file where no event comes of it, for tests that deliver events themselves.
    pub async fn put_quietly(&self, name: &str, bytes: impl Into<Vec<u8>>) -> ObjectVersion {
        let bytes = bytes.into();
        let key = format!("quiet/{name}");
        self.files.put_version(&key, bytes, &UploadOptions::default()).await.expect("the file is written")
    }

    /// Drops a file and waits for the end of its job.
    pub async fn append(&self, name: &str, bytes: impl Into<Vec<u8>>) -> Job {
        let source = self.drop_file(name, bytes).await;
        self.ended(&source).await
    }

    /// Drops a file of users and waits for the end of its job.
    pub async fn upload_users(&self, name: &str, bytes: impl Into<Vec<u8>>) -> Job {
        let source = self.drop_as(JobKind::UploadUsers, name, bytes).await;
        self.ended(&source).await
    }

    /// Waits for the end of the job that the API has told of in this answer.
    pub async fn ended_asked(&self, asked: &crate::Reply) -> Job {
        let asked = asked.json();
        let upload = asked["upload"].as_str().expect("an upload");
        let start = Instant::now();
        loop {
            // The list comes from an index, which follows the table by some milliseconds.
            let (jobs, _) = self.directory.jobs(&self.account, None, 50).await.expect("jobs are listed");
            if let Some(job) = jobs.into_iter().find(|job| job.upload.key() == upload) {
                return self.ended(&job.source).await;
            }
            assert!(start.elapsed() < TIMEOUT, "waited too long for {upload}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits for the end of a source's job.
    pub async fn ended(&self, source: &ObjectVersion) -> Job {
        self.job_when(source, |job| !job.is_underway()).await
    }

    /// Waits until a source's job is as wanted.
    pub async fn job_when(&self, source: &ObjectVersion, wanted: impl Fn(&Job) -> bool) -> Job {
        let id = JobId::of(source);
        let start = Instant::now();
        loop {
            let job = self.directory.job(&self.account, &id).await.expect("the job is read");
            match job {
                Some(job) if wanted(&job) => return job,
                job => assert!(start.elapsed() < TIMEOUT, "waited too long for the job: {job:?}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A result file's rows; each a map from column to cell. Empty when there is no such file.
    pub async fn report(&self, job: &Job, file: &str) -> Vec<HashMap<String, String>> {
        let key = if file == "failed" { job.keys().failed() } else { job.keys().results() };
        let bytes = self.files.get(&key).await.expect("the result file is read").unwrap_or_default();
        let text = String::from_utf8(bytes.to_vec()).expect("result files are UTF-8");
        let text = text.trim_start_matches('\u{feff}');
        let delimiter = text.lines().next().and_then(|header| {
            [b',', b';', b'\t'].into_iter().find(|d| header.contains(&format!("Line{}", char::from(*d))))
        });
        let mut csv = csv::ReaderBuilder::new().delimiter(delimiter.unwrap_or(b',')).from_reader(text.as_bytes());
        csv.deserialize().map(|row| row.expect("a row of the report")).collect()
    }

    /// Waits until this many messages lie in the dead-letter queues.
    pub async fn dead_letters(&self, count: u64) {
        let there_are = || {
            let queues = crate::json(&crate::rollcall(Some(self), &["queues", "--json"], &[]));
            let queues = queues.as_array().expect("a list of queues").iter();
            let dead = queues.filter(|queue| queue["name"].as_str().is_some_and(|name| name.ends_with("DeadLetters")));
            let waiting: u64 = dead.map(|queue| queue["waiting"].as_u64().expect("a number")).sum();
            (waiting == count).then_some(())
        };
        until(&format!("{count} dead letters"), there_are).await;
    }
}
