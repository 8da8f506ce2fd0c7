//! The rules of the tree, held by code: which crate may know which.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use rollcall_platform::telemetry;
use serde_json::Value;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// A crate of the workspace: where it lies, and what it needs to run.
struct Member {
    name: String,
    folder: String,
    needs: BTreeSet<String>,
}

fn members() -> Vec<Member> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(ROOT)
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata");
    let root = metadata["workspace_root"].as_str().expect("a root").to_owned();
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let manifest = text(&package["manifest_path"]);
            let folder = Path::new(&manifest).parent().and_then(|folder| folder.strip_prefix(&root).ok());
            let dependencies = package["dependencies"].as_array().expect("dependencies").iter();
            let needed = dependencies.filter(|dependency| dependency["kind"].is_null());
            Member {
                name: text(&package["name"]),
                folder: folder.expect("a crate is in the workspace").display().to_string(),
                needs: needed.map(|dependency| text(&dependency["name"])).collect(),
            }
        })
        .collect()
}

#[test]
fn dependencies_point_one_way() {
    let members = members();
    let in_folder = |folder: &str| -> BTreeSet<String> {
        members.iter().filter(|member| member.folder.starts_with(folder)).map(|member| member.name.clone()).collect()
    };
    let all = in_folder("");
    let shared: Vec<BTreeSet<String>> =
        [&[][..], &["model"], &["model", "platform", "remote"], &["model", "platform", "remote", "engine"]]
            .map(|names| names.iter().map(|name| format!("rollcall-{name}")).collect())
            .into();
    let engine: BTreeSet<String> = ["model", "platform"].map(|name| format!("rollcall-{name}")).into();
    for member in &members {
        let allowed = match member.folder.as_str() {
            "shared/model" => shared[0].clone(),
            "shared/platform" | "shared/remote" => shared[1].clone(),
            "shared/engine" => engine.clone(),
            folder if folder.starts_with("functions/") => shared[3].clone(),
            "infra/local" => shared[2].clone(),
            // What dies in a test is an operation of a function.
            "tests/e2e" => shared[3].union(&in_folder("functions")).cloned().collect(),
            "tests/bench" => shared[3].union(&in_folder("tests/e2e")).cloned().collect(),
            folder => panic!("{folder} is new: say here what it may know"),
        };
        let ours: BTreeSet<String> = member.needs.intersection(&all).cloned().collect();
        let too_much: Vec<_> = ours.difference(&allowed).collect();
        assert!(too_much.is_empty(), "{} may not know {too_much:?}", member.folder);
    }
}

#[test]
fn only_the_platform_knows_aws() {
    for member in members() {
        // AWS-LC is cryptography, and knows nothing of the services.
        let knows = |name: &&String| name.starts_with("aws-") && *name != "aws-lc-rs";
        let aws: Vec<_> = member.needs.iter().filter(knows).collect();
        let may = member.folder == "shared/platform";
        assert!(may || aws.is_empty(), "{} may not know {aws:?}", member.folder);
    }
    for (file, text) in sources("shared/platform/src") {
        let shown = text.lines().find(|line| line.trim_start().starts_with("pub fn") && line.contains("aws_"));
        assert_eq!(shown, None, "{file} shows a type of an AWS SDK");
    }
}

#[test]
fn the_model_is_pure() {
    let impure = [
        "std::env",
        "std::fs",
        "std::net",
        "std::process",
        "SystemTime",
        "Instant",
        "Timestamp::now",
        "async fn",
        "tokio",
    ];
    for (file, text) in sources("shared/model/src") {
        for name in impure {
            assert!(!text.contains(name), "{file} uses {name}");
        }
    }
}

/// What a crate says is heard only if the log knows it.
#[test]
fn the_log_hears_every_crate_that_logs() {
    let linked = members()
        .into_iter()
        .filter(|member| ["functions/", "shared/"].iter().any(|folder| member.folder.starts_with(folder)));
    let logs =
        |member: &Member| sources(&format!("{}/src", member.folder)).iter().any(|(_, text)| text.contains("tracing::"));
    let logging: BTreeSet<String> = linked.filter(logs).map(|member| member.name.replace('-', "_")).collect();
    assert_eq!(logging, telemetry::OURS.map(str::to_owned).into());
}

#[test]
fn a_functions_main_only_wires() {
    for (file, text) in sources("functions") {
        if file.ends_with("main.rs") {
            assert!(text.lines().count() < 60, "{file} does more than wire");
        }
    }
}

/// Every Rust file below a folder, with its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(ROOT).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the workspace").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.display().to_string(), fs::read_to_string(&path).expect("a source file")));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has sources");
    found
}
