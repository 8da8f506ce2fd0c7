//! "Your first account", run word by word.

use std::process::Command;

use e2e::{Stack, binaries};
use rollcall_model::{account::AccountId, user::User};

const PAGE: &str = include_str!("../../../infra/docs/first-account.md");

/// Commands of ours that the story may take.
const MOST_COMMANDS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn the_page_leads_from_nothing_to_an_account_that_works() {
    let script: String =
        PAGE.split("```sh\n").skip(1).filter_map(|block| Some(format!("{}\n", block.split_once("\n```")?.0))).collect();
    let commands = script.lines().filter(|line| line.starts_with("rollcall ")).count();
    assert!((1..=MOST_COMMANDS).contains(&commands), "{commands} commands:\n{script}");

    let stack = Stack::start(&[]).await;
    let place = tempfile::tempdir().expect("a directory");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", &script]).current_dir(place.path()).env_remove("CARGO");
    shell.env("PATH", format!("{}:{path}", binaries().display())).env("ROLLCALL_DIR", stack.dir());
    let output = shell.stdin(std::process::Stdio::null()).output().expect("a shell");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    for promised in ["3 applied", "4 applied", "Nothing is amiss", "sees +918047100001"] {
        assert!(said.contains(promised), "{promised} is not in:\n{said}");
    }

    let bright: AccountId = "bright".parse().expect("an account");
    let asha: User = stack.directory.user(&bright, "asha").await.expect("the table answers").expect("a user");
    let numbers: Vec<String> = asha.caller_ids.iter().map(ToString::to_string).collect();
    assert_eq!(numbers, ["+918047100001", "+918047100003"], "the rotation was taken back");
    let profile = asha.profile;
    let ids = [profile.role, profile.department, profile.team].map(|id| id.expect("an ID").to_string());
    assert_eq!(ids, ["agent", "Sales", "North"]);
}
