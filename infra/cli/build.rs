//! Says from which commit the command is built: `rollcall --version` tells it.

use std::process::Command;

fn main() {
    // A release that is built without the history says it itself.
    println!("cargo::rerun-if-env-changed=ROLLCALL_COMMIT");
    let commit = std::env::var("ROLLCALL_COMMIT").ok().or_else(|| git(&["rev-parse", "--short=12", "HEAD"]));
    // HEAD names a branch, and its log changes with every commit.
    for file in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--path-format=absolute", "--git-path", file]) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    println!("cargo::rustc-env=ROLLCALL_COMMIT={}", commit.as_deref().unwrap_or("unknown"));
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
