//! What the guides name is there: parameters, outputs, alarms, scopes, files, headings, commands and their flags, fields of the log.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use e2e::{rollcall, yaml};
use serde_json::Value;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const TEMPLATE: &str = include_str!("../../../infra/template.yaml");

/// Words in capitals that are AWS's, and not the template's.
const OF_AWS: [&str; 3] = ["DDBStreamBatchInfo", "TrimmedDataAccessException", "MemorySize"];

/// The guides, by their paths.
fn documents() -> Vec<(String, String)> {
    let folders = ["infra/docs", "infra/docs/adr"].into_iter();
    let guides = folders.flat_map(|folder| {
        let files = fs::read_dir(Path::new(ROOT).join(folder)).expect("the guides").flatten();
        files.filter(|file| file.path().is_file()).map(move |file| format!("{folder}/{}", file.file_name().display()))
    });
    let others = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(str::to_owned);
    guides.chain(others).map(|path| (path.clone(), read(&path))).collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).expect("a file of the repository")
}

/// The blocks in this language; without one, those of log queries.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fenced = text.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
    fenced.filter(|(named, _)| *named == language).map(|(_, block)| block.to_owned()).collect()
}

/// What stands in backticks in running text.
fn spans(text: &str) -> Vec<String> {
    let prose: Vec<&str> = text.split("\n```").step_by(2).collect();
    prose.iter().flat_map(|part| part.split('`').skip(1).step_by(2).map(str::to_owned)).collect()
}

fn keys(section: &Value) -> BTreeSet<String> {
    section.as_object().expect("a section of the template").keys().cloned().collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !char.is_ascii_alphanumeric() && !"_.@".contains(char)).filter(|word| !word.is_empty())
}

#[test]
fn outputs_and_parameters_that_are_named_are_the_templates() {
    let template = yaml(TEMPLATE);
    let outputs = keys(&template["Outputs"]);
    let mut asked = BTreeSet::new();
    for (path, text) in documents() {
        for part in text.split("$(output ").skip(1) {
            let name = part.split([')', '"']).next().unwrap_or_default();
            assert!(outputs.contains(name), "{path}: there is no output {name}");
            asked.insert(name.to_owned());
        }
    }
    assert!(asked.contains("ApiUrl"), "{asked:?}");
    // Names in capitals: of parameters, resources, properties, or metrics.
    let metrics = read("shared/engine/src/metrics.rs");
    for guide in ["deploy.md", "operations.md", "runbook.md"] {
        for span in spans(&read(&format!("infra/docs/{guide}"))) {
            let is_name = span.chars().filter(char::is_ascii_uppercase).count() > 1
                && span.starts_with(|char: char| char.is_ascii_uppercase())
                && span.chars().all(|char| char.is_ascii_alphanumeric())
                && span.chars().any(|char| char.is_ascii_lowercase());
            // A function's alarms and queues begin with its name.
            let known = TEMPLATE.contains(&format!("  {span}Function:\n"))
                || words(TEMPLATE).any(|word| word == span)
                || metrics.contains(&format!("(\"{span}\","));
            assert!(!is_name || known || OF_AWS.contains(&span.as_str()), "{guide}: nothing is called {span}");
        }
    }
    let parameters = keys(&template["Parameters"]);
    let (_, table) = read("infra/docs/deploy.md")
        .split_once("| parameter | |")
        .map(|(a, b)| (a.len(), b.to_owned()))
        .expect("a table");
    let named = table.lines().take_while(|line| line.is_empty() || line.starts_with('|')).flat_map(|line| {
        let cell = line.split('|').nth(1).unwrap_or_default().to_owned();
        spans(&cell)
    });
    let named: Vec<String> = named.collect();
    assert!(named.len() > 10, "{named:?}");
    for name in named {
        assert!(parameters.contains(&name), "there is no parameter {name}");
    }
}

#[test]
fn every_alarm_is_explained_and_has_a_way_out() {
    let template = yaml(TEMPLATE);
    let resources = template["Resources"].as_object().expect("resources");
    let of_kind = |kind: &str| {
        resources.iter().filter(|(_, one)| one["Type"] == kind).map(|(id, _)| id.clone()).collect::<Vec<_>>()
    };
    let functions = of_kind("AWS::Serverless::Function");
    let short = |alarm: &String| {
        let of = functions.iter().find_map(|function| alarm.strip_prefix(function.trim_end_matches("Function")));
        of.map_or_else(|| alarm.clone(), |kind| format!("…{kind}"))
    };
    let alarms: BTreeSet<String> = of_kind("AWS::CloudWatch::Alarm").iter().map(short).collect();
    assert!(alarms.contains("…DeadLettersWait") && alarms.contains("ApiErrors"), "{alarms:?}");
    let operations = read("infra/docs/operations.md");
    let runbook = read("infra/docs/runbook.md");
    let named = |part: &str| -> BTreeSet<String> {
        let rows = part.lines().filter(|line| line.starts_with("| `"));
        rows.flat_map(|line| spans(line.split('|').nth(1).unwrap_or_default())).collect()
    };
    // An alarm of a metric that nobody sends is silent for ever, so each has a reason why it isn't.
    let (meanings, reasons) = operations.split_once("**When each fires.**").expect("two tables");
    let (reasons, _) = reasons.split_once("\n## ").expect("the chapter ends");
    let headings: BTreeSet<String> = runbook.lines().filter(|line| line.starts_with("## `")).flat_map(spans).collect();
    for alarm in &alarms {
        assert!(named(meanings).contains(alarm), "operations.md doesn't say what {alarm} means");
        assert!(named(reasons).contains(alarm), "operations.md doesn't say when {alarm} fires");
        assert!(headings.contains(alarm), "the runbook doesn't say what to do about {alarm}");
    }
    for heading in &headings {
        assert!(alarms.contains(heading) || resources.contains_key(heading), "there is no alarm {heading}");
    }
}

#[test]
fn the_scopes_of_the_guide_are_those_of_the_routes() {
    let guide = read("infra/docs/deploy.md");
    let block =
        blocks(&guide, "sh").into_iter().find(|block| block.contains("create-resource-server")).expect("a block");
    let listed = block.split("for scope in ").nth(1).and_then(|rest| rest.split(';').next()).expect("a list");
    let listed: BTreeSet<&str> = words(listed).collect();
    let asked = TEMPLATE.split("security: [{ Jwt: [rollcall/").skip(1).filter_map(|rest| rest.split(']').next());
    assert_eq!(listed, asked.collect());
}

#[test]
fn files_and_headings_that_are_named_exist() {
    let anchors = |text: &str| -> BTreeSet<String> {
        let headings =
            text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
        let anchor = |heading: &str| heading.to_lowercase().replace(' ', "-");
        let kept = |char: &char| char.is_alphanumeric() || "-_".contains(*char);
        headings.map(|heading| anchor(heading).chars().filter(kept).collect()).collect()
    };
    for (path, text) in documents() {
        let folder = Path::new(ROOT).join(&path).parent().expect("a folder").to_path_buf();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { Path::new(ROOT).join(&path) } else { folder.join(file) };
            assert!(target.exists(), "{path} leads to {link}");
            let text = fs::read_to_string(&target).unwrap_or_default();
            assert!(anchor.is_empty() || anchors(&text).contains(anchor), "{path} leads to {link}");
        }
        for span in spans(&text) {
            let is_path =
                ["infra/", "functions/", "shared/", "tests/", ".ci/"].iter().any(|folder| span.starts_with(folder));
            let is_whole = span.chars().all(|char| char.is_ascii_alphanumeric() || "/._-".contains(char));
            assert!(!is_path || !is_whole || Path::new(ROOT).join(&span).exists(), "{path} names {span}");
        }
    }
}

#[test]
fn commands_and_flags_of_ours_exist() {
    let mut helps = BTreeMap::new();
    let mut help = |command: &[&str]| -> String {
        let asked = || {
            let output = rollcall(None, &[command, &["--help"]].concat(), b"");
            assert!(output.status.success(), "there is no rollcall {command:?}");
            String::from_utf8(output.stdout).expect("text")
        };
        helps.entry(command.join(" ")).or_insert_with(asked).clone()
    };
    let aliases = read(".cargo/config.toml");
    let mut seen = 0;
    for (path, text) in documents() {
        let lines = blocks(&text, "sh").join("\n");
        // Up to a pipe, a comment, or what else ends a command.
        let commands = lines.lines().map(str::to_owned).chain(spans(&text));
        for line in commands {
            for part in line.split(['|', ';', '#', '(', ')']) {
                let mut words = part.split_whitespace();
                match words.next() {
                    Some("rollcall") => {
                        let mut words: Vec<&str> = words.collect();
                        // Which stack is meant may stand before the command.
                        if words.first() == Some(&"--stack") {
                            words.drain(..2.min(words.len()));
                        }
                        if words.first() == Some(&"help") {
                            words.remove(0);
                        }
                        let is_command = |word: &&&str| {
                            !word.starts_with("--") && word.chars().all(|char| char.is_ascii_lowercase() || char == '-')
                        };
                        let mut command: Vec<&str> = words.iter().take(1).filter(is_command).copied().collect();
                        let mut said = help(&command);
                        if let Some(second) = words.get(1).filter(|word| said.contains(&format!("\n  {word} "))) {
                            command.push(second);
                            said = help(&command);
                        }
                        for flag in words.iter().filter(|word| word.starts_with("--")) {
                            let flag = flag.split(['=', ',', '.']).next().unwrap_or_default();
                            assert!(said.contains(flag), "{path}: {part} has no {flag}");
                        }
                        seen += 1;
                    }
                    Some("cargo") => {
                        let words: Vec<&str> = words.collect();
                        if let Some(at) = words.iter().position(|word| *word == "--test") {
                            let suite = Path::new(ROOT).join("tests/e2e/tests").join(words.get(at + 2).unwrap_or(&""));
                            let files = [suite.with_extension("rs"), suite.join("mod.rs")];
                            assert!(files.iter().any(|file| file.exists()), "{path}: {part}");
                        }
                        let command = words.first().copied().unwrap_or_default();
                        let known =
                            ["build", "test", "deny", "fmt", "clippy", "install", "nextest", "fuzz"].contains(&command);
                        assert!(known || aliases.contains(&format!("{command} = ")), "{path}: {part}");
                    }
                    _ => {}
                }
            }
        }
    }
    assert!(seen > 20, "{seen} commands");
}

/// Every field that a query asks for is one that is logged: by us, by the gateway as the template says, or by Lambda.
#[test]
fn the_fields_of_log_queries_are_logged() {
    fn sources(folder: &Path, text: &mut String) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                sources(&entry.path(), text);
            } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
                let source = fs::read_to_string(entry.path()).expect("a source file");
                if source.contains("tracing::") || source.contains("measure(") {
                    text.push_str(&source);
                }
            }
        }
    }
    let mut code = String::new();
    for folder in ["functions", "shared"] {
        sources(&Path::new(ROOT).join(folder), &mut code);
    }
    let gateway = TEMPLATE
        .split("Format: >-")
        .nth(1)
        .and_then(|rest| rest.split("DefaultRouteSettings").next())
        .expect("a format");
    let ours = |field: &str| {
        ["message", "level", "target"].contains(&field)
            || [format!("({field},"), format!(" {field},"), format!("{field} = "), format!("(\"{field}\",")]
                .iter()
                .any(|shape| code.contains(shape))
    };
    let known = |field: &str| {
        field.starts_with('@')
            || field == "type"
            || field.starts_with("record.")
            || gateway.contains(&format!("\"{field}\":"))
            || ours(field.strip_prefix("span.").unwrap_or(field))
    };
    let mut seen = BTreeSet::new();
    for (path, text) in documents() {
        for query in blocks(&text, "").iter().filter(|block| block.contains("fields @timestamp")) {
            for step in query.lines().filter(|line| !line.starts_with('#')).flat_map(|line| line.split('|')) {
                let mut step = step.trim().splitn(2, ' ');
                let (verb, rest) = (step.next().unwrap_or_default(), step.next().unwrap_or_default());
                // Without what is compared with.
                let bare: String = rest.split('"').step_by(2).collect::<Vec<_>>().join(" ");
                let bare: String = bare.split('/').step_by(2).collect::<Vec<_>>().join(" ");
                let operators = ["and", "or", "like", "desc", "asc", "ispresent"];
                for field in words(&bare).filter(|word| !operators.contains(word)) {
                    let is_number = field.bytes().all(|byte| byte.is_ascii_digit());
                    assert!(verb == "limit" || is_number || known(field), "{path} asks for {field}, which nobody logs");
                    seen.insert(field.to_owned());
                }
            }
        }
    }
    assert!(seen.contains("RowsFailed") && seen.contains("error"), "{seen:?}");
}
