//! What the documents say is what the code does.

use std::process::Command;

use e2e::{Stack, binaries, rollcall};
use rollcall_bulk::{append, phone_snapshot, rotation, user_upload};
use rollcall_model::code::{ApiCode, DialCode, FileCode, FileWarning, NumberWarning, RowCode, Warning};

const FILES: &str = include_str!("../../../infra/docs/files.md");
const API: &str = include_str!("../../../infra/docs/api.md");
const README: &str = include_str!("../../../README.md");
const PHONES: &str = include_str!("../../../infra/docs/phone-systems.md");

#[test]
fn every_code_is_explained_and_every_explained_code_exists() {
    let file = FileCode::ALL.iter().map(|code| code.as_str());
    let row = RowCode::ALL.iter().map(|code| code.as_str());
    let warnings = Warning::ALL.iter().map(|code| code.as_str());
    let of_files = FileWarning::ALL.iter().map(|code| code.as_str());
    let codes: Vec<&str> = file.chain(row).chain(warnings).chain(of_files).collect();
    for code in &codes {
        assert!(FILES.contains(&format!("`{code}`")), "{code} is not explained");
    }
    let explained = FILES.split('`').skip(1).step_by(2);
    for code in explained
        .filter(|word| word.contains('_') && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
    {
        assert!(codes.contains(&code), "{code} is explained, but there is no such code");
    }
}

#[test]
fn every_code_of_the_api_is_explained() {
    let codes = ApiCode::ALL.iter().map(|code| code.as_str());
    for code in codes
        .chain(NumberWarning::ALL.iter().map(|code| code.as_str()))
        .chain(DialCode::ALL.iter().map(|code| code.as_str()))
    {
        assert!(API.contains(&format!("\n| `{code}` |")), "{code} is not explained");
    }
}

#[test]
fn the_columns_are_named_as_the_reader_knows_them() {
    for column in append::COLUMNS.iter().chain(&user_upload::COLUMNS).chain(&rotation::COLUMNS) {
        assert!(FILES.contains(&format!("`{}`", column.name)), "{}", column.name);
    }
    for column in &phone_snapshot::COLUMNS {
        assert!(PHONES.contains(&format!("\n| `{}` |", column.name)), "{}", column.name);
    }
}

#[test]
fn the_snapshots_of_the_documentation_are_snapshots() {
    let blocks = |language: &str| {
        let fence = format!("```{language}\n");
        let parts = PHONES.split(&fence).skip(1);
        parts.filter_map(|part| part.split("```").next()).map(str::to_owned).collect::<Vec<_>>()
    };
    let read = |file: &String| phone_snapshot::read(file.as_bytes(), "IN".parse().expect("a country"), &[]);
    let sizes: Vec<usize> = blocks("csv")
        .iter()
        .chain(&blocks("json"))
        .filter(|file| file.contains("Policy") || file.contains("users"))
        .map(|file| read(file).expect("a snapshot").users.len())
        .collect();
    assert_eq!(sizes, [4, 2]);
}

/// The README's calls of the API, run by a shell on a fresh account: each answer is the one that is shown, where "…" stands
/// for what is left out.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_calls_have_the_answers_that_are_shown() {
    /// Waits for the end of a job, at most a minute.
    const WAIT: &str =
        "for _ in $(seq 300); do ask \"$API/v1/jobs?limit=1\" | grep -q '\"done\"' && break; sleep 0.2; done";
    let stack = Stack::start(&[]).await;
    assert!(rollcall(Some(&stack), &["seed"], b"").status.success());
    let (_, section) = README.split_once("### Ask the API").expect("a section");
    let block = section.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block of commands");

    let mut script = String::new();
    let mut shown: Vec<String> = Vec::new();
    let mut is_answer = false;
    for line in block.lines() {
        match line.strip_prefix("# ") {
            Some(more) if is_answer => shown.last_mut().expect("an answer").push_str(&format!("\n{more}")),
            Some(answer) => {
                shown.push(answer.to_owned());
                script.push_str("printf '\\036'\n");
            }
            None if line.contains("/v1/jobs?limit=1") => script.push_str(&format!("{WAIT}\n{line}\n")),
            None => script.push_str(&format!("{line}\n")),
        }
        is_answer = line.starts_with("# ");
    }
    assert!(shown.len() >= 10, "ten calls");
    let path = std::env::var("PATH").unwrap_or_default();
    let run = Command::new("sh")
        .args(["-euc", &script.replace("http://127.0.0.1:8787", stack.output("ApiUrl"))])
        .env("PATH", format!("{}:{path}", binaries().display()))
        .env("ROLLCALL_DIR", stack.dir())
        .current_dir(stack.dir())
        .output()
        .expect("a shell");
    let output = String::from_utf8(run.stdout).expect("text").replace(['\r', '\u{feff}'], "");
    assert!(run.status.success(), "{output}\n{}", String::from_utf8_lossy(&run.stderr));
    let answers: Vec<_> = output.split('\u{1e}').map(str::trim).collect();
    assert_eq!(answers.len(), shown.len() + 1, "{answers:?}");
    for (answer, shown) in answers.iter().zip(&shown) {
        let mut rest = *answer;
        for (number, part) in shown.split('…').enumerate() {
            let at = rest.find(part).filter(|at| number > 0 || *at == 0);
            let at = at.unwrap_or_else(|| panic!("{part:?} is not in its place:\n{shown}\n{answer}"));
            rest = &rest[at + part.len()..];
        }
        assert!(rest.is_empty() || shown.ends_with('…'), "more than is shown:\n{shown}\n{answer}");
    }
}
