//! What the documents say is what the code does.

use rollcall_model::{
    append,
    code::{ApiCode, FileCode, RowCode, Warning},
    phone_snapshot, roster,
};

const FILES: &str = include_str!("../../../infra/docs/files.md");
const API: &str = include_str!("../../../infra/docs/api.md");
const PHONES: &str = include_str!("../../../infra/docs/phone-systems.md");

#[test]
fn every_code_is_explained_and_every_explained_code_exists() {
    let file = FileCode::ALL.iter().map(|code| code.as_str());
    let row = RowCode::ALL.iter().map(|code| code.as_str());
    let codes: Vec<&str> = file.chain(row).chain(Warning::ALL.iter().map(|code| code.as_str())).collect();
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
    for code in ApiCode::ALL {
        assert!(API.contains(&format!("\n| `{code}` |")), "{code} is not explained");
    }
}

#[test]
fn the_columns_are_named_as_the_reader_knows_them() {
    for column in append::COLUMNS.iter().chain(&roster::COLUMNS) {
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
