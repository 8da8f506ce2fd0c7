//! Where the functions' binaries are: beside the running executable.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Context, Result, StackError};

/// The path of each binary. Under cargo they are built first, so that a stale one never runs.
///
/// # Errors
/// If one isn't there, or can't be built.
pub(super) fn locate(names: &BTreeSet<String>) -> Result<BTreeMap<String, PathBuf>> {
    let executable = env::current_exe().context("could not tell where this executable is")?;
    let mut dir = executable.parent().unwrap_or(Path::new("/"));
    // A test's executable is one deeper than the binaries.
    if dir.ends_with("deps") {
        dir = dir.parent().unwrap_or(dir);
    }
    if let (Some(cargo), Some(target)) = (env::var_os("CARGO"), dir.parent())
        && target.join("CACHEDIR.TAG").exists()
        && !names.is_empty()
    {
        build(&cargo, names, target, dir)?;
    }
    names
        .iter()
        .map(|name| {
            let path = dir.join(format!("{name}{}", env::consts::EXE_SUFFIX));
            if path.is_file() {
                return Ok((name.clone(), path));
            }
            Err(StackError::new(format!(
                "the function {name} isn't beside this executable, in {}: build both, with \
                 `cargo build --bin rollcall --bin {name}`",
                dir.display()
            )))
        })
        .collect()
}

fn build(cargo: &OsString, names: &BTreeSet<String>, target: &Path, dir: &Path) -> Result<()> {
    let what = "could not build the functions";
    let root = workspace_root(cargo)?;
    let mut command = cargo_command(cargo);
    command.current_dir(root).arg("build").arg("--target-dir").arg(target);
    // Whoever sits at a terminal sees that something is built, and what.
    if !std::io::stderr().is_terminal() {
        command.arg("--quiet");
    }
    match dir.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => {}
        Some(profile) => {
            command.args(["--profile", profile]);
        }
    }
    for name in names {
        command.args(["--bin", name]);
    }
    let status = command.status().context(what)?;
    if status.success() { Ok(()) } else { Err(StackError::new(format!("{what}: cargo ended with {status}"))) }
}

fn workspace_root(cargo: &OsString) -> Result<PathBuf> {
    let what = "could not find the workspace of the functions";
    let mut command = cargo_command(cargo);
    command.args(["locate-project", "--workspace", "--message-format", "plain"]);
    if let Some(manifest_dir) = env::var_os("CARGO_MANIFEST_DIR") {
        command.current_dir(manifest_dir);
    }
    let output = command.output().context(what)?;
    let manifest = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    match manifest.parent().filter(|_| output.status.success()) {
        Some(root) => Ok(root.to_owned()),
        None => Err(StackError::new(what)),
    }
}

/// Cargo without the variables that an outer cargo set for the package it runs: they would make it build anew what it
/// has built.
fn cargo_command(cargo: &OsString) -> Command {
    let mut command = Command::new(cargo);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") || text == "LD_LIBRARY_PATH" {
            command.env_remove(&name);
        }
    }
    command
}
