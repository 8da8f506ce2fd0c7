//! A stack of a test's own.

mod jobs;
mod mails;
mod people;
mod processes;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use rollcall_model::account::AccountId;
use rollcall_storage::{
    connect::{Aws, LocalStack},
    directory::Directory,
    files::Files,
};

use self::processes::kill;
pub use self::{
    mails::Mail,
    people::{somebody, user},
};

/// Longest that anything is waited for. A test that needs it has failed; nothing is timed by it.
const TIMEOUT: Duration = Duration::from_mins(4);

/// What the stack says, beside its data.
const SAID: &str = "said.txt";

/// When nothing is due in any test's lifetime.
const NEVER: &str = "cron(0 0 1 1 ? 2199)";

/// A running `rollcall up`, in a directory of its own.
pub struct Stack {
    child: Child,
    dir: tempfile::TempDir,
    options: Vec<String>,
    manifest: serde_json::Value,
    /// The table, as a test looks at it.
    pub directory: Directory,
    /// The bucket.
    pub files: Files,
    /// The account that tests work in.
    pub account: AccountId,
}

impl Stack {
    /// Starts a stack with these parameters of the template, each `Name=value`.
    pub async fn start(parameters: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().expect("a directory for the stack"), options(parameters)).await
    }

    /// Starts a stack of another template.
    pub async fn of_template(template: &str, parameters: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a directory for the stack");
        let file = dir.path().join("template.yaml");
        fs::write(&file, template).expect("the template is written");
        let mut options = options(parameters);
        options.extend(["--template".to_owned(), file.display().to_string()]);
        Self::start_in(dir, options).await
    }

    async fn start_in(dir: tempfile::TempDir, options: Vec<String>) -> Self {
        let (child, manifest) = launch(dir.path(), &options).await;
        let aws = Aws::local(local_stack(&manifest)).await;
        let output = |name: &str| manifest["outputs"][name].as_str().expect("an output of the template").to_owned();
        Self {
            directory: Directory::new(&aws, output("TableName")),
            files: Files::new(&aws, output("FilesBucketName")),
            account: "acme".parse().expect("an account's name"),
            child,
            dir,
            options,
            manifest,
        }
    }

    /// Where the stack's services are.
    pub fn endpoints(&self) -> LocalStack {
        local_stack(&self.manifest)
    }

    /// The table itself, past Rollcall: what somebody does to it in AWS's own console.
    pub fn table(&self) -> aws_sdk_dynamodb::Client {
        self.table_at(&self.endpoints().dynamodb)
    }

    /// The same, by way of another address.
    pub fn table_at(&self, dynamodb: &str) -> aws_sdk_dynamodb::Client {
        use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
        let endpoints = self.endpoints();
        let (id, secret) = (endpoints.access_key_id, endpoints.secret_access_key);
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(endpoints.region))
            .endpoint_url(dynamodb)
            .credentials_provider(Credentials::new(id, secret, None, None, "test"));
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// An output of the template.
    pub fn output(&self, name: &str) -> &str {
        self.manifest["outputs"][name].as_str().expect("an output of the template")
    }

    /// Every output of the template, as CloudFormation would tell them.
    pub fn outputs(&self) -> std::collections::BTreeMap<String, String> {
        serde_json::from_value(self.manifest["outputs"].clone()).expect("outputs are texts")
    }

    /// The stack's directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The file of the key that signs tokens.
    pub fn key_file(&self) -> &Path {
        Path::new(self.manifest["issuer"]["key_file"].as_str().expect("the stack makes tokens"))
    }

    /// What it has said since it was started.
    pub fn said(&self) -> String {
        fs::read_to_string(self.dir.path().join(SAID)).unwrap_or_default()
    }

    /// Ends the stack, orderly or not, and starts it again on the same data.
    pub async fn restart(&mut self, signal: &str) {
        kill(signal, self.child.id());
        self.child.wait().expect("the stack ends");
        let (child, manifest) = launch(self.dir.path(), &self.options).await;
        self.child = child;
        self.manifest = manifest;
        let aws = Aws::local(self.endpoints()).await;
        self.directory = Directory::new(&aws, self.output("TableName"));
        self.files = Files::new(&aws, self.output("FilesBucketName"));
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        kill("-TERM", self.child.id());
        let _ = self.child.wait();
        if std::thread::panicking() {
            // What the functions said is the first thing to look at.
            for log in fs::read_dir(self.dir.path().join("logs")).into_iter().flatten().flatten() {
                eprintln!("--- {}\n{}", log.path().display(), fs::read_to_string(log.path()).unwrap_or_default());
            }
        } else {
            crate::canaries::look_for(&self.dir.path().join("logs"));
        }
    }
}

/// Waits until there is something, which a failed test names.
pub async fn until<T>(what: &str, found: impl Fn() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(start.elapsed() < TIMEOUT, "waited too long for {what}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The directory with the binaries of this workspace, built.
pub fn binaries() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let test = std::env::current_exe().expect("a test knows where it is");
        // Tests are in target/profile/deps, programs in target/profile.
        let dir = test.parent().expect("a program is in a directory");
        let dir = if dir.ends_with("deps") { dir.parent().expect("deps is in a directory") } else { dir };
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "--bins", "--quiet"]).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        build.arg("--target-dir").arg(dir.parent().expect("a target directory"));
        if dir.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().expect("cargo runs").success(), "the binaries are built");
        dir.to_owned()
    })
}

/// What a stack is started with, for these parameters.
fn options(parameters: &[&str]) -> Vec<String> {
    let named = |name: &str| parameters.iter().any(|parameter| parameter.split('=').next() == Some(name));
    // A rate is due at once, and what nobody asked for would do what a test asks for.
    let rates = ["ResyncRate", "DirectorySyncRate", "PushRate", "RestEndRate"].into_iter().filter(|name| !named(name));
    let rates: Vec<String> = rates.map(|name| format!("{name}={NEVER}")).collect();
    let parameters = parameters.iter().copied().chain(rates.iter().map(String::as_str));
    parameters.flat_map(|parameter| ["--parameter", parameter]).map(str::to_owned).collect()
}

async fn launch(dir: &Path, options: &[String]) -> (Child, serde_json::Value) {
    let mut command = Command::new(binaries().join("rollcall"));
    // Without it, the stack takes the binaries that are there: they have just been built.
    command.env_remove("CARGO").arg("up").arg("--dir").arg(dir).args(options);
    let manifest = dir.join("stack.json");
    let _ = fs::remove_file(&manifest);
    let said = fs::File::create(dir.join(SAID)).expect("a file for what the stack says");
    let mut child = command.stdout(said).stderr(Stdio::inherit()).spawn().expect("the stack starts");
    let start = Instant::now();
    loop {
        if let Some(manifest) = fs::read(&manifest).ok().and_then(|text| serde_json::from_slice(&text).ok()) {
            return (child, manifest);
        }
        if let Some(status) = child.try_wait().expect("the stack can be asked") {
            panic!("the stack ended with {status}");
        }
        assert!(start.elapsed() < TIMEOUT, "waited too long for the stack");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn local_stack(manifest: &serde_json::Value) -> LocalStack {
    let text =
        |pointer: &str| manifest.pointer(pointer).and_then(|value| value.as_str()).expect("a manifest").to_owned();
    crate::signature::know(&text("/access_key_id"), &text("/secret_access_key"));
    LocalStack {
        dynamodb: text("/endpoints/dynamodb"),
        s3: text("/endpoints/s3"),
        ses: text("/endpoints/ses"),
        secrets_manager: text("/endpoints/secrets_manager"),
        region: text("/region"),
        access_key_id: text("/access_key_id"),
        secret_access_key: text("/secret_access_key"),
    }
}
