//! The peers: `peers/`, what somebody would write with the vendor's SDK.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use e2e::Stack;
use serde::Deserialize;

use crate::report::Report;

const DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");
const REQUIREMENTS: &str = include_str!("../peers/requirements.txt");
const PACKAGE: &str = include_str!("../peers/package.json");
const PACKAGE_LOCK: &str = include_str!("../peers/package-lock.json");
const NODE_SCRIPT: &str = include_str!("../peers/append.mjs");

/// A program that appends a file, and what it needs.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// Whether it sends as many statements in a request as we do.
    pub(crate) batches: bool,
    dir: PathBuf,
    /// The program, and what comes before the file.
    command: Vec<PathBuf>,
}

/// What the peer says of a run.
#[derive(Deserialize)]
pub(crate) struct PeerRun {
    pub(crate) rows: usize,
    /// Users whom it could not append to, and rows that it could not use.
    pub(crate) failed: usize,
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_megabytes: f64,
    pub(crate) versions: String,
}

impl Peer {
    /// Python with one request a user, set up below the target directory; or why there is none.
    pub(crate) fn python() -> Result<Self, String> {
        let dir = below_target("bench-peers");
        let python = dir.join("bin/python");
        installed(&dir, REQUIREMENTS, || {
            run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&dir))?;
            let requirements = dir.join("requirements.txt");
            write(&requirements, REQUIREMENTS)?;
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(requirements)).map(drop)
        })?;
        let command = vec![python, Path::new(DIR).join("append.py")];
        Ok(Self { name: "Python, a request a user", batches: false, dir, command })
    }

    /// Python with 25 statements in a request.
    fn python_batches() -> Result<Self, String> {
        let mut peer = Self::python()?;
        peer.command.push("--batches".into());
        Ok(Self { name: "Python, 25 statements a request", batches: true, ..peer })
    }

    /// Node with 25 statements in a request.
    fn node() -> Result<Self, String> {
        let dir = below_target("bench-peers-node");
        installed(&dir, &[PACKAGE_LOCK, NODE_SCRIPT].concat(), || {
            fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
            write(&dir.join("package.json"), PACKAGE)?;
            write(&dir.join("package-lock.json"), PACKAGE_LOCK)?;
            // A module finds its packages beside itself.
            write(&dir.join("append.mjs"), NODE_SCRIPT)?;
            run(Command::new("npm").args(["ci", "--silent"]).current_dir(&dir)).map(drop)
        })?;
        let command = vec!["node".into(), "--no-warnings".into(), dir.join("append.mjs")];
        Ok(Self { name: "Node, 25 statements a request", batches: true, dir, command })
    }

    /// The first of them, if it can be set up; if not, the report says why.
    pub(crate) fn set_up_or_say(report: &mut Report) -> Option<Self> {
        or_say(Self::python(), report)
    }

    /// Those of them that can be set up; of the others the report says why.
    pub(crate) fn all_or_say(report: &mut Report) -> Vec<Self> {
        let all = [Self::python(), Self::python_batches(), Self::node()];
        all.into_iter().filter_map(|peer| or_say(peer, report)).collect()
    }

    /// Has it append the file to the stack's users, who are found at this endpoint.
    pub(crate) async fn append(&self, stack: &Stack, endpoint: &str, file: &str) -> PeerRun {
        let path = self.dir.join("measured.csv");
        fs::write(&path, file).expect("the file is written");
        let mut command = Command::new(&self.command[0]);
        let aws = stack.endpoints();
        command
            .args(&self.command[1..])
            .arg(&path)
            .args(["--table", stack.output("TableName"), "--endpoint", endpoint, "--account", stack.account.as_str()])
            .arg("--failures")
            .arg(self.dir.join("failed.csv"))
            .envs([
                ("AWS_ACCESS_KEY_ID", aws.access_key_id),
                ("AWS_SECRET_ACCESS_KEY", aws.secret_access_key),
                ("AWS_DEFAULT_REGION", aws.region.clone()),
                ("AWS_REGION", aws.region),
            ]);
        let output = tokio::task::spawn_blocking(move || run(&mut command)).await.expect("the peer is waited for");
        let output = output.expect("the peer appends");
        serde_json::from_slice(&output.stdout).expect("what the peer says")
    }
}

fn below_target(name: &str) -> PathBuf {
    e2e::binaries().parent().expect("a target directory").join(name)
}

/// Installs what a peer needs, unless just that is there.
fn installed(dir: &Path, what: &str, install: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let marker = dir.join("installed.txt");
    if fs::read_to_string(&marker).is_ok_and(|installed| installed == what) {
        return Ok(());
    }
    install()?;
    write(&marker, what)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn or_say(peer: Result<Peer, String>, report: &mut Report) -> Option<Peer> {
    peer.inspect_err(|why| report.say(&format!("**A peer could not be set up, so it is missing.** {why}"))).ok()
}

/// Runs a command to its end; if it fails, gives its last line.
fn run(command: &mut Command) -> Result<Output, String> {
    let name = Path::new(command.get_program()).display().to_string();
    let output = command.output().map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{name}: {}", said.trim().lines().last().unwrap_or("it has failed")))
}
