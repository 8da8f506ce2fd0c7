//! The rules of the tree, held by code: which crate may know which.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use serde_json::{Value, json};
use syn::{ImplItem, Item, UseTree, Visibility};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// A crate of the workspace.
struct Member {
    name: String,
    /// Where it lies.
    folder: String,
    /// What it needs to run.
    needs: BTreeSet<String>,
    /// What its manifest has no test linked of: its folder of sources, or the file of one program.
    untested: Vec<String>,
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
            let relative =
                |path: &Path| path.strip_prefix(&root).expect("a crate is in the workspace").display().to_string();
            let folder = relative(Path::new(&manifest).parent().expect("a manifest lies in a folder"));
            let targets = package["targets"].as_array().expect("targets").iter();
            let built = targets.filter(|target| [json!(["lib"]), json!(["bin"])].contains(&target["kind"]));
            let (tested, untested): (Vec<_>, Vec<_>) = built.partition(|target| target["test"] == true);
            let untested = if tested.is_empty() {
                vec![format!("{folder}/src/")]
            } else {
                untested.iter().map(|target| relative(Path::new(&text(&target["src_path"])))).collect()
            };
            let dependencies = package["dependencies"].as_array().expect("dependencies").iter();
            let needed = dependencies.filter(|dependency| dependency["kind"].is_null());
            Member {
                name: text(&package["name"]),
                folder,
                needs: needed.map(|dependency| text(&dependency["name"])).collect(),
                untested,
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
    let known = |names: &[&str]| names.iter().map(|name| format!("rollcall-{name}")).collect::<BTreeSet<String>>();
    let functions = known(&["tabular", "model", "bulk", "engine", "storage", "connectors"]);
    for member in &members {
        let allowed = match member.folder.as_str() {
            // The local stack runs any template: it knows nothing of the product.
            "shared/tabular" | "shared/scim" | "infra/local-stack" => BTreeSet::new(),
            "shared/model" => known(&["tabular"]),
            "shared/bulk" => known(&["tabular", "model"]),
            "shared/api-types" | "shared/engine" | "shared/connectors" => known(&["tabular", "model", "bulk"]),
            // The engine says what it asks of the world; storage is the world on AWS.
            "shared/storage" => known(&["tabular", "model", "bulk", "engine"]),
            // What the engine asks of phone systems, over HTTP and with accounts' secrets.
            "shared/phone-systems" => known(&["tabular", "model", "bulk", "engine", "storage", "connectors"]),
            "functions/mapping-resync" | "functions/push-lists" => {
                functions.union(&known(&["phone-systems"])).cloned().collect()
            }
            // What is pushed in means the same for a request of the directory as for a change of the settings.
            "shared/provisioning" => known(&["tabular", "model", "bulk", "engine", "scim", "storage"]),
            "functions/scim-api" => functions.union(&known(&["scim", "provisioning"])).cloned().collect(),
            "functions/users-api" => functions.union(&known(&["api-types", "provisioning"])).cloned().collect(),
            folder if folder.starts_with("functions/") => functions.clone(),
            "infra/cli" => functions.union(&known(&["api-types"])).cloned().chain(["local-stack".to_owned()]).collect(),
            // The engine that ships, on a world of its own: neither AWS nor anybody's HTTP.
            "tests/simulation" => known(&["tabular", "model", "bulk", "engine"]),
            // What crashes in a test is an operation of a function.
            "tests/e2e" => functions.union(&in_folder("functions")).cloned().chain(known(&["phone-systems"])).collect(),
            "tests/bench" => functions.union(&in_folder("tests/e2e")).cloned().collect(),
            folder => panic!("{folder} is new: say here what it may know"),
        };
        let ours: BTreeSet<String> = member.needs.intersection(&all).cloned().collect();
        let too_much: Vec<_> = ours.difference(&allowed).collect();
        assert!(too_much.is_empty(), "{} may not know {too_much:?}", member.folder);
    }
}

#[test]
fn only_storage_knows_aws_and_the_command_cloudformation() {
    for member in members() {
        // AWS-LC is cryptography, and knows nothing of the services.
        let knows = |name: &&String| name.starts_with("aws-") && *name != "aws-lc-rs";
        // The command alone asks CloudFormation, so that no function is compiled with its SDK.
        let may = |name: &String| match member.folder.as_str() {
            "shared/storage" => name != "aws-sdk-cloudformation",
            // Tests do to the table what somebody does in AWS's own console.
            "tests/e2e" => name == "aws-sdk-dynamodb",
            "infra/cli" => name == "aws-sdk-cloudformation" || name == "aws-config",
            _ => false,
        };
        let aws: Vec<_> = member.needs.iter().filter(knows).filter(|name| !may(name)).collect();
        assert!(aws.is_empty(), "{} may not know {aws:?}", member.folder);
    }
}

/// The names of an SDK's types that a file brings into scope.
fn names_of_sdk(tree: &UseTree, of_sdk: bool, names: &mut BTreeSet<String>) {
    match tree {
        UseTree::Path(path) => {
            let of_sdk = of_sdk || path.ident.to_string().starts_with("aws_");
            names_of_sdk(&path.tree, of_sdk, names);
        }
        UseTree::Name(name) if of_sdk => drop(names.insert(name.ident.to_string())),
        UseTree::Rename(rename) if of_sdk => drop(names.insert(rename.rename.to_string())),
        UseTree::Group(group) => group.items.iter().for_each(|tree| names_of_sdk(tree, of_sdk, names)),
        _ => {}
    }
}

/// What a file shows to other crates: the tokens of its public signatures, fields and re-exports.
fn shown(items: &[Item]) -> Vec<TokenStream> {
    let public = |visibility: &Visibility| matches!(visibility, Visibility::Public(_));
    let mut found = Vec::new();
    for item in items {
        match item {
            Item::Fn(item) if public(&item.vis) => found.push(item.sig.to_token_stream()),
            Item::Type(item) if public(&item.vis) => found.push(item.ty.to_token_stream()),
            Item::Const(item) if public(&item.vis) => found.push(item.ty.to_token_stream()),
            Item::Use(item) if public(&item.vis) => found.push(item.tree.to_token_stream()),
            Item::Trait(item) if public(&item.vis) => found.push(item.to_token_stream()),
            Item::Enum(item) if public(&item.vis) => found.push(item.variants.to_token_stream()),
            Item::Struct(item) if public(&item.vis) => {
                let fields = item.fields.iter().filter(|field| public(&field.vis));
                found.extend(fields.map(|field| field.ty.to_token_stream()));
            }
            Item::Impl(item) => found.extend(item.items.iter().filter_map(|item| match item {
                ImplItem::Fn(item) if public(&item.vis) => Some(item.sig.to_token_stream()),
                _ => None,
            })),
            _ => {}
        }
    }
    found
}

fn words(tokens: TokenStream) -> Vec<String> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(ident) => vec![ident.to_string()],
            TokenTree::Group(group) => words(group.stream()),
            _ => Vec::new(),
        })
        .collect()
}

/// The types of an SDK that a source file shows to other crates.
fn sdk_types_shown(text: &str) -> Vec<String> {
    let file = syn::parse_file(text).expect("Rust");
    let mut names = BTreeSet::new();
    for item in &file.items {
        if let Item::Use(item) = item {
            names_of_sdk(&item.tree, false, &mut names);
        }
    }
    let words = shown(&file.items).into_iter().flat_map(words);
    words.filter(|word| word.starts_with("aws_") || names.contains(word)).collect()
}

#[test]
fn storage_shows_no_type_of_an_sdk() {
    for (file, text) in sources("shared/storage/src") {
        assert!(sdk_types_shown(&text).is_empty(), "{file} shows {:?} of an AWS SDK", sdk_types_shown(&text));
    }
}

#[test]
fn a_type_of_an_sdk_is_found_wherever_it_is_shown() {
    let used = "use aws_sdk_dynamodb::{Client, types::{AttributeValue, Put as Write}};";
    for shows in [
        "pub async fn one() -> AttributeValue { todo!() }",
        "impl A { pub fn many(\n &self,\n values: Vec<AttributeValue>,\n) {} }",
        "pub struct A { pub value: Option<Write> }",
        "pub type Value = aws_sdk_s3::types::Object;",
        "pub enum A { One(Client) }",
        "pub use aws_sdk_s3::Client as Bucket;",
    ] {
        assert!(!sdk_types_shown(&format!("{used}\n{shows}")).is_empty(), "{shows}");
    }
    for hides in [
        "pub(crate) fn one() -> AttributeValue { todo!() }",
        "pub struct A { value: Client }",
        "impl A { pub fn one() -> String { AttributeValue::S(String::new()); todo!() } }",
    ] {
        assert!(sdk_types_shown(&format!("{used}\n{hides}")).is_empty(), "{hides}");
    }
}

/// What a pure crate could reach the world by. The standard library's ways are forbidden by `clippy.toml` of the crate.
const IMPURE: [&str; 6] = ["tokio", "lambda_runtime", "tracing", "uuid", "getrandom", "rand"];

#[test]
fn a_pure_crate_needs_nothing_that_reaches_the_world() {
    let members = members();
    for folder in ["shared/tabular", "shared/model", "shared/bulk", "shared/api-types"] {
        let pure = members.iter().find(|member| member.folder == folder).expect("the crate");
        let impure: Vec<_> = pure.needs.iter().filter(|name| IMPURE.contains(&name.as_str())).collect();
        assert!(impure.is_empty(), "{folder} may not need {impure:?}");
    }
}

/// A use of each thing that `clippy.toml` forbids, in the ways that it is imported here.
const FORBIDDEN: [(&str, &str); 30] = [
    ("jiff::Timestamp::now", "Timestamp::now()"),
    ("jiff::Zoned::now", "jiff::Zoned::now()"),
    ("std::time::SystemTime::now", "SystemTime::now()"),
    ("std::time::Instant::now", "time::Instant::now()"),
    ("std::env::var", r#"env::var("HOME")"#),
    ("std::env::var_os", r#"env::var_os("HOME")"#),
    ("std::env::vars", "env::vars()"),
    ("std::env::args", "env::args()"),
    ("std::env::current_dir", "env::current_dir()"),
    ("std::fs::read", r#"fs::read("x")"#),
    ("std::fs::read_to_string", r#"read_to_string("x")"#),
    ("std::fs::write", r#"fs::write("x", "y")"#),
    ("std::fs::metadata", r#"fs::metadata("x")"#),
    ("std::fs::read_dir", r#"fs::read_dir("x")"#),
    ("std::fs::remove_file", r#"fs::remove_file("x")"#),
    ("std::fs::File::open", r#"fs::File::open("x")"#),
    ("std::fs::File::create", r#"fs::File::create("x")"#),
    ("std::fs::File", "None::<fs::File>"),
    ("std::fs::OpenOptions", "fs::OpenOptions::new()"),
    ("std::io::stdin", "std::io::stdin()"),
    ("std::io::stdout", "std::io::stdout()"),
    ("std::io::stderr", "std::io::stderr()"),
    ("std::net::TcpStream", "None::<net::TcpStream>"),
    ("std::net::TcpListener", "None::<net::TcpListener>"),
    ("std::net::UdpSocket", "None::<net::UdpSocket>"),
    ("std::process::Command", r#"process::Command::new("x")"#),
    ("std::thread::spawn", "thread::spawn(|| {})"),
    ("std::thread::sleep", "thread::sleep(time::Duration::ZERO)"),
    ("std::println", r#"println!("x")"#),
    ("std::eprintln", r#"eprintln!("x")"#),
];

/// Clippy finds nothing where a path is misspelt, and says nothing of it either.
#[test]
fn what_the_pure_crates_forbid_is_found() {
    let [rules, others @ ..] = ["tabular", "model", "bulk"]
        .map(|name| fs::read_to_string(Path::new(ROOT).join("shared").join(name).join("clippy.toml")).expect("rules"));
    assert!(others.iter().all(|other| *other == rules), "the pure crates have different rules");
    let forbidden: BTreeSet<&str> =
        rules.split("{ path = \"").skip(1).filter_map(|rule| rule.split('"').next()).collect();
    assert_eq!(forbidden, FORBIDDEN.iter().map(|(path, _)| *path).collect());

    let planted = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(planted.path().join(name), text).expect("a file is written");
    let uses = FORBIDDEN.iter().map(|(_, used)| format!("    let _ = {used};\n")).collect::<String>();
    write("clippy.toml", &rules);
    write(
        "Cargo.toml",
        "[package]\nname = \"planted\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\n[dependencies]\n\
                         jiff = { version = \"0.2\", default-features = false, features = [\"std\"] }\n",
    );
    write("Cargo.lock", &fs::read_to_string(Path::new(ROOT).join("Cargo.lock")).expect("the lock file"));
    write(
        "lib.rs",
        &format!(
            "use std::{{env, fs::{{self, read_to_string}}, net, process, thread, time::{{self, SystemTime}}}};\n\
                              use jiff::Timestamp;\npub fn impure() {{\n{uses}}}\n"
        ),
    );
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let test = std::env::current_exe().expect("a test knows where it is");
    let found = Command::new(cargo)
        .args(["clippy", "--quiet", "--offline", "--target-dir"])
        // Beside what the tests are compiled into, so that jiff is there the next time.
        .arg(test.parent().and_then(Path::parent).expect("a test lies in target/profile/deps").join("planted"))
        .current_dir(planted.path())
        .output()
        .expect("clippy runs");
    let found = String::from_utf8_lossy(&found.stderr);
    for (path, _) in FORBIDDEN {
        let told = ["method", "type", "macro"].map(|kind| format!("use of a disallowed {kind} `{path}`"));
        assert!(told.iter().any(|told| found.contains(told)), "{path} is not found: {found}");
    }
}

#[test]
fn a_functions_main_only_wires() {
    for (file, text) in sources("functions") {
        if file.ends_with("main.rs") {
            assert!(text.lines().count() < 60, "{file} does more than wire");
        }
    }
}

/// What is no module of the one program would be passed over without a word, and so would a test of what is linked without tests.
#[test]
fn every_test_runs() {
    let folder = Path::new(ROOT).join("tests/e2e/tests");
    let program = fs::read_to_string(folder.join("main.rs")).expect("the program");
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let name = entry.path().file_stem().expect("a name").display().to_string();
        assert!(name == "main" || program.contains(&format!("\nmod {name};\n")), "{name} is not run");
    }
    for path in members().into_iter().flat_map(|member| member.untested) {
        for (file, text) in sources(&path) {
            assert!(!text.contains("#[test]") && !text.contains("#[tokio::test"), "a test in {file} is not run");
        }
    }
}

/// Lines of a file at most: what is longer has more than one subject.
const MAX_LINES: usize = 400;

#[test]
fn no_file_is_long() {
    for (file, text) in ["functions", "infra", "shared", "tests"].into_iter().flat_map(sources) {
        assert!(text.lines().count() <= MAX_LINES, "{file} is too long: cut it");
    }
}

/// Every Rust file below a folder, or the one that is named, with its text.
fn sources(within: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut paths = vec![Path::new(ROOT).join(within)];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a folder of the workspace").flatten();
            paths.extend(entries.map(|entry| entry.path()).filter(|path| !path.ends_with("target")));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.display().to_string(), fs::read_to_string(&path).expect("a source file")));
        }
    }
    assert!(!found.is_empty(), "{within} has sources");
    found
}
