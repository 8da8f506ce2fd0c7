//! The commands against a stack that is deployed: found by CloudFormation, asked through its API, with a token from the environment.
//! No command sees the stack's directory here.

use std::{collections::BTreeMap, process::Output};

use e2e::{CloudFormation, Stack, rollcall_in};
use serde_json::json;

const NUMBER: &str = "+919876500001";
const OTHER: &str = "+919876500002";

/// A stack here that CloudFormation knows as `rollcall`, beside one that is not done and one that is something else's.
struct Deployment {
    stack: Stack,
    aws: CloudFormation,
    home: tempfile::TempDir,
    token: String,
}

impl Deployment {
    async fn start() -> Self {
        let stack = Stack::start(&["AuditSettleSeconds=2"]).await;
        stack.create_users(2).await;
        stack.own(&[NUMBER, OTHER]).await;
        let other = BTreeMap::from([("Website".to_owned(), "https://example.com".to_owned())]);
        let plain = BTreeMap::from([
            ("ApiUrl".to_owned(), "http://api.example.com".to_owned()),
            ("FilesBucketName".to_owned(), "files".to_owned()),
        ]);
        let aws = CloudFormation::start([
            ("rollcall", ("UPDATE_COMPLETE", stack.outputs())),
            ("begun", ("CREATE_IN_PROGRESS", BTreeMap::new())),
            ("other", ("CREATE_COMPLETE", other)),
            ("plain", ("CREATE_COMPLETE", plain)),
        ])
        .await;
        let token = stack.caller(&["--account", "acme"]).token().expect("a token").to_owned();
        Self { stack, aws, home: tempfile::tempdir().expect("a directory"), token }
    }

    /// What everybody has set who uses AWS, but for a token; with these in addition, or in place.
    fn environment<'a>(&'a self, more: &[(&'a str, &'a str)]) -> BTreeMap<&'a str, &'a str> {
        let usual = [
            ("HOME", self.home.path().to_str().expect("a path")),
            ("AWS_REGION", CloudFormation::REGION),
            ("AWS_ACCESS_KEY_ID", CloudFormation::ACCESS_KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", CloudFormation::SECRET_ACCESS_KEY),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_ENDPOINT_URL_CLOUDFORMATION", &self.aws.url),
        ];
        usual.into_iter().chain(more.iter().copied()).collect()
    }

    fn run_in(&self, environment: &BTreeMap<&str, &str>, arguments: &[&str], input: &str) -> Output {
        let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, *value)).collect();
        let output = rollcall_in(&environment, arguments, input.as_bytes());
        assert!(!said(&output).contains(&self.token), "the token is shown by {arguments:?}");
        output
    }

    fn run(&self, arguments: &[&str], input: &str) -> Output {
        let environment = self.environment(&[("ROLLCALL_TOKEN", &self.token)]);
        self.run_in(&environment, &[&["--stack", "rollcall"], arguments].concat(), input)
    }

    /// What a command says that fails.
    fn failure(&self, environment: &BTreeMap<&str, &str>, arguments: &[&str]) -> String {
        let output = self.run_in(environment, arguments, "");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", said(&output));
        String::from_utf8(output.stderr).expect("text")
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_in_and_what_came_of_it_is_explained() {
    let deployment = Deployment::start().await;
    let run = |arguments: &[&str]| {
        let output = deployment.run(arguments, "");
        (output.status.code(), said(&output))
    };
    let file = format!("Login ID,Allowed Caller ID\nuser1,{NUMBER}\nuser1,junk\n");
    let mend = deployment.home.path().join("mend.csv");
    let append = ["append", "-", "--name", "may.csv", "--json", "--failures", mend.to_str().expect("a path")];
    let appended = deployment.run(&append, &file);
    assert_eq!(appended.status.code(), Some(1), "one row is to be mended: {}", said(&appended));
    let job = e2e::json(&appended);
    assert_eq!((&job["counts"]["applied"], &job["counts"]["failed"]), (&json!(1), &json!(1)), "{job}");
    assert_eq!(deployment.stack.list("user1").await.expect("a user"), [NUMBER]);
    assert!(std::fs::read_to_string(mend).expect("the file is saved").contains("NUMBER_INVALID"));
    // Whoever the token is gets the report, under the file's own name.
    let mail = deployment.stack.mails().pop().expect("a mail");
    assert_eq!(mail.to, ["ann@example.com"]);
    assert!(mail.text.contains("1 of 2 rows of may.csv need correction"), "{}", mail.text);

    let (code, shown) = run(&["job", "latest"]);
    let bucket = deployment.stack.output("FilesBucketName");
    let (id, short) = (job["id"].as_str().expect("an ID"), &job["id"].as_str().expect("an ID")[..12]);
    for promised in
        ["may.csv (", "finished", &format!("s3://{bucket}/results/acme/{id}/failed.csv"), "--stack rollcall job"]
    {
        assert!(code == Some(0) && shown.contains(promised), "{promised}: {shown}");
    }
    assert_eq!(run(&["job", short, "--results", "-"]).1.lines().count(), 3);

    assert_eq!(run(&["why", "crm-1", NUMBER]).0, Some(1), "nobody is mapped");
    assert_eq!(run(&["map", "crm-1", "--to", "user1"]).0, Some(0));
    let (code, shown) = run(&["resync"]);
    assert!(code == Some(0) && shown.contains("Numbers added  1"), "{shown}");
    let (code, shown) = run(&["why", "crm-1", "98765 00001"]);
    assert!(code == Some(0) && shown.contains(&format!("sees {NUMBER}")), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_that_makes_sense_there_works_there_and_the_others_say_so() {
    let deployment = Deployment::start().await;
    let file = format!("Login ID,Allowed Caller ID\nuser1,{NUMBER}\n");
    let shows = |arguments: &[&str], input: &str, promised: &str| {
        let shown = deployment.run(arguments, input);
        assert!(shown.status.success() && said(&shown).contains(promised), "{arguments:?}: {}", said(&shown));
    };
    let users = "Login ID,Name\nuser1,Asha Rao\nmaya,Maya Pillai\n";
    shows(&["upload", "-", "--name", "people.csv"], users, "2 applied");
    let preview = deployment.run(&["append", "-", "--preview"], &file);
    assert_eq!(preview.status.code(), Some(3), "nobody sits there to be asked: {}", said(&preview));
    assert!(said(&preview).contains("Would add      1"), "{}", said(&preview));
    shows(&["job", "latest", "--execute"], "", "Numbers added  1");
    shows(&["rotate", "--yes", &format!("{NUMBER}={OTHER}")], "", "Numbers gone   1");
    assert_eq!(deployment.stack.list("user1").await.expect("a user"), [OTHER]);
    shows(&["undo", "latest", "--yes"], "", "Numbers gone   1");
    assert_eq!(deployment.stack.list("user1").await.expect("a user"), [NUMBER]);
    shows(&["jobs"], "", "people.csv");
    shows(&["users", "--limit", "2"], "", "There are more");
    shows(&["users", "user1"], "", NUMBER);
    shows(&["numbers", "--state", "active"], "", OTHER);
    shows(&["mappings"], "", "--stack rollcall map");
    shows(&["audit", "--to", "2020-01-01T00:00:00Z"], "", "Nothing of the kind");
    shows(&["phone-system"], "", "builtin");
    shows(&["phone-system", "snapshot", "--json"], "", "snapshot");
    shows(&["directory", "status"], "", "infra/docs/directory.md");
    shows(&["sample", "users"], "", "Login ID");
    shows(&["settings", "--recipient", "ops@example.com"], "", "ops@example.com");
    shows(&["departments", "add", "sales", "Sales"], "", "is called Sales");
    shows(&["users", "edit", "maya", "--department", "Sales"], "", "Maya Pillai");
    shows(&["numbers", "flag", OTHER], "", "flagged");

    let here: &[&[&str]] = &[
        &["demo"],
        &["up"],
        &["seed"],
        &["mail"],
        &["queues"],
        &["schedules"],
        &["token"],
        &["directory", "connect", "--tenant", "contoso.example", "--client-id", "x"],
        &["phone-system", "zoom-phone", "--secret-from", "-"],
    ];
    for arguments in here {
        let refused = deployment.run(arguments, "{}");
        let told = said(&refused);
        assert!(refused.status.code() == Some(1) && told.contains("for the stack on this machine"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stack_and_the_token_are_found_in_every_usual_way() {
    let deployment = Deployment::start().await;
    let jobs = |environment: &BTreeMap<&str, &str>| {
        let listed = deployment.run_in(environment, &["jobs", "--stack", "rollcall", "--account", "acme"], "");
        assert!(listed.status.success() && said(&listed).contains("acme has no jobs"), "{}", said(&listed));
    };
    let file = deployment.home.path().join("token");
    std::fs::write(&file, format!("{}\n", deployment.token)).expect("the token is written");
    let command = format!("cat {}", file.display());
    jobs(&deployment.environment(&[("ROLLCALL_TOKEN_COMMAND", &command)]));

    let mut everywhere = deployment.environment(&[
        ("ROLLCALL_TOKEN_COMMAND", &command),
        ("AWS_ENDPOINT_URL", &deployment.aws.url),
        ("AWS_SESSION_TOKEN", "a session's"),
    ]);
    everywhere.remove("AWS_ENDPOINT_URL_CLOUDFORMATION");
    jobs(&everywhere);

    let config = deployment.home.path().join("config");
    let profile = format!(
        "[profile ops]\nregion = {}\naws_access_key_id = {}\naws_secret_access_key = {}\nservices = played\n\
         [services played]\ncloudformation =\n  endpoint_url = {}\n",
        CloudFormation::REGION,
        CloudFormation::ACCESS_KEY_ID,
        CloudFormation::SECRET_ACCESS_KEY,
        deployment.aws.url
    );
    std::fs::write(&config, profile).expect("the profile is written");
    let mut by_profile = deployment.environment(&[
        ("ROLLCALL_TOKEN", &deployment.token),
        ("AWS_CONFIG_FILE", config.to_str().expect("a path")),
        ("AWS_PROFILE", "ops"),
    ]);
    for name in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_CLOUDFORMATION"] {
        by_profile.remove(name);
    }
    jobs(&by_profile);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_amiss_is_said_with_what_mends_it() {
    let deployment = Deployment::start().await;
    let claiming = |claims| deployment.stack.caller_claiming(&claims).token().expect("a token").to_owned();
    let with = |variable, value| deployment.environment(&[(variable, value)]);
    let amiss = |environment: &BTreeMap<&str, &str>, arguments: &[&str], promised: &[&str]| {
        let told = deployment.failure(environment, arguments);
        assert!(promised.iter().all(|promised| told.contains(promised)), "{promised:?}: {told}");
        told
    };
    let jobs = ["--stack", "rollcall", "jobs"];

    let good = with("ROLLCALL_TOKEN", &deployment.token);
    amiss(&good, &["--stack", "rolcall", "jobs"], &["Stack with id rolcall does not exist", "AWS_REGION"]);
    amiss(&good, &["--stack", "begun", "jobs"], &["begun (CREATE_IN_PROGRESS)", "ApiUrl", "not deployed yet"]);
    amiss(&good, &["--stack", "other", "jobs"], &["other (CREATE_COMPLETE)", "ApiUrl"]);
    amiss(&good, &["--stack", "plain", "jobs"], &["ApiUrl", "not a base URL: https://host"]);
    amiss(&good, &["--stack", "rollcall", "jobs", "--account", "other"], &["for the account acme", "names other"]);

    let nobody = deployment.environment(&[]);
    amiss(&nobody, &jobs, &["no token", "ROLLCALL_TOKEN", "ROLLCALL_TOKEN_COMMAND"]);
    let told = amiss(&with("ROLLCALL_TOKEN", "hush-hush"), &jobs, &["ROLLCALL_TOKEN gives no token", "JSON Web Token"]);
    assert!(!told.contains("hush"), "{told}");
    let fails = "echo hush-hush; echo signed out >&2; exit 3";
    let told = amiss(&with("ROLLCALL_TOKEN_COMMAND", fails), &jobs, &["signed out", "failed (exit status: 3)"]);
    assert!(!told.contains("hush"), "{told}");
    amiss(&with("ROLLCALL_TOKEN_COMMAND", "true"), &jobs, &["ROLLCALL_TOKEN_COMMAND gives no token"]);

    let expired = claiming(json!({ "exp": 1_000_000_000 }));
    let told = amiss(&with("ROLLCALL_TOKEN", &expired), &jobs, &["expired, at 2001-09-09T01:46:40Z", "Get a new one"]);
    assert!(!told.contains(&expired), "{told}");
    let foreign = claiming(json!({ "aud": "another" }));
    amiss(&with("ROLLCALL_TOKEN", &foreign), &jobs, &["doesn't take the token", "Get a new one"]);
    let nameless = claiming(json!({ "custom:account": null }));
    amiss(&with("ROLLCALL_TOKEN", &nameless), &jobs, &["names no account", "custom:account"]);
    let reader = claiming(json!({ "scope": "rollcall/users.read" }));
    amiss(&with("ROLLCALL_TOKEN", &reader), &jobs, &["lacks the scope"]);

    let mut bare = good.clone();
    bare.remove("AWS_ACCESS_KEY_ID");
    amiss(&bare, &jobs, &["no AWS credentials", "AWS_PROFILE"]);
    let mut nowhere = good.clone();
    nowhere.remove("AWS_REGION");
    amiss(&nowhere, &jobs, &["no AWS region", "AWS_REGION"]);
    let mut wrong = good.clone();
    wrong.insert("AWS_ACCESS_KEY_ID", "AKIDOTHER");
    amiss(&wrong, &jobs, &["CloudFormation refuses (InvalidClientTokenId)"]);
    let mut forged = good.clone();
    forged.insert("AWS_SECRET_ACCESS_KEY", "another");
    amiss(&forged, &jobs, &["CloudFormation refuses (SignatureDoesNotMatch)"]);
}
