//! The peer: `peers/append.py`, what somebody would write with boto3.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use e2e::Stack;
use serde::Deserialize;

use crate::report::Report;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/append.py");
const REQUIREMENTS: &str = include_str!("../peers/requirements.txt");

/// A Python with what the peer needs.
pub(crate) struct Peer {
    dir: PathBuf,
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
    /// The peer, set up below the target directory; or why there is none.
    pub(crate) fn set_up() -> Result<Self, String> {
        let dir = e2e::binaries().parent().expect("a target directory").join("bench-peers");
        let (marker, python) = (dir.join("installed.txt"), dir.join("bin/python"));
        if fs::read_to_string(&marker).is_ok_and(|installed| installed == REQUIREMENTS) {
            return Ok(Self { dir });
        }
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&dir))?;
        let requirements = dir.join("requirements.txt");
        fs::write(&requirements, REQUIREMENTS).map_err(|error| error.to_string())?;
        run(Command::new(python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(requirements))?;
        fs::write(marker, REQUIREMENTS).map_err(|error| error.to_string())?;
        Ok(Self { dir })
    }

    /// The peer, if it can be set up; if not, the report says why.
    pub(crate) fn set_up_or_say(report: &mut Report) -> Option<Self> {
        let peer = Self::set_up();
        peer.inspect_err(|why| report.say(&format!("**The peer could not be set up, so ours stand alone.** {why}")))
            .ok()
    }

    /// Has it append the file to the stack's users, who are found at this endpoint.
    pub(crate) async fn append(&self, stack: &Stack, endpoint: &str, file: &str) -> PeerRun {
        let path = self.dir.join("measured.csv");
        fs::write(&path, file).expect("the file is written");
        let mut command = Command::new(self.dir.join("bin/python"));
        let aws = stack.endpoints();
        command
            .arg(SCRIPT)
            .arg(&path)
            .args(["--table", stack.output("TableName"), "--endpoint", endpoint, "--account", stack.account.as_str()])
            .arg("--failures")
            .arg(self.dir.join("failed.csv"))
            .envs([
                ("AWS_ACCESS_KEY_ID", aws.access_key_id),
                ("AWS_SECRET_ACCESS_KEY", aws.secret_access_key),
                ("AWS_DEFAULT_REGION", aws.region),
            ]);
        let output = tokio::task::spawn_blocking(move || run(&mut command)).await.expect("the peer is waited for");
        let output = output.expect("the peer appends");
        serde_json::from_slice(&output.stdout).expect("what the peer says")
    }
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
