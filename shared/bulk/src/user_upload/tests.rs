//! A file of users as a whole, over a directory of a few lines that stands for the table.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::bulk_job::Plan;
use crate::report::{Counts, Report};
use rollcall_model::{
    caller_id::CallerId,
    catalog::CatalogEntry as Named,
    code::Warning,
    email::EmailAddress,
    settings::DEFAULT_LIST_LIMIT,
    user::{AgentStatus, Claim, Extension, LoginId, Name, Profile, Ref},
};
use rollcall_tabular::{Reader, Row};

#[derive(Default)]
struct Directory {
    users: BTreeMap<String, User>,
    writes: usize,
}

impl Directory {
    fn with(users: impl IntoIterator<Item = User>) -> Self {
        let users = users.into_iter().map(|user| (user.login.folded().into_owned(), user)).collect();
        Self { users, writes: 0 }
    }

    fn owners(&self) -> HashMap<Claim, String> {
        self.users
            .iter()
            .flat_map(|(login, user)| user.claims().into_iter().map(move |claim| (claim, login.clone())))
            .collect()
    }

    fn write(&mut self, plan: &UserPlan) {
        self.writes += usize::from(plan.writes());
        let login = plan.numbers.login.clone();
        match &plan.change {
            UserChange::Create(user) => assert!(self.users.insert(login.clone(), (**user).clone()).is_none()),
            UserChange::Update { before, after } => {
                let user = self.users.get_mut(&login).unwrap();
                let caller_ids = std::mem::take(&mut user.caller_ids);
                assert_eq!(user.version, before.version);
                *user = User { caller_ids, ..(**after).clone() };
            }
            UserChange::None | UserChange::Refused(_) => {}
        }
        if let Some(user) = self.users.get_mut(&login) {
            user.caller_ids.extend(&plan.numbers.add);
        }
    }
}

struct Ran {
    rows: Vec<String>,
    /// The codes of each row, each with its column.
    said: Vec<Vec<(String, String)>>,
    counts: Counts,
    failed: Vec<u8>,
}

fn each_row(file: &[u8], mut take: impl FnMut(&Row<'_>)) {
    let mut reader = Reader::new(&COLUMNS);
    reader.push(file).unwrap();
    reader.end().unwrap();
    while let Some(row) = reader.next_row().unwrap() {
        take(&row);
    }
}

fn run_with(file: &[u8], directory: &mut Directory, catalog: &Catalog) -> Ran {
    let mut reader = UserRowReader::new("IN".parse().unwrap(), &[]);
    let mut wanted = UserRequests::default();
    each_row(file, |row| wanted.take(row, &mut reader));
    let mut ledger = wanted.finish_reading();
    let mut open: Vec<usize> = (0..ledger.users()).collect();
    loop {
        let before = open.len();
        for &user in &open {
            let owners = directory.owners();
            let present =
                UserNow { user: directory.users.get(ledger.login(user)), owners: &owners, now: Timestamp::UNIX_EPOCH };
            let plan = ledger.plan(user, present, catalog, DEFAULT_LIST_LIMIT);
            // A plan is kept as JSON before it is carried out.
            let plan: UserPlan = serde_json::from_slice(&serde_json::to_vec(&plan).unwrap()).unwrap();
            directory.write(&plan);
            ledger.record(&plan);
            assert_eq!(ledger.is_decided(user), !plan.waits());
        }
        open.retain(|&user| !ledger.is_decided(user));
        if open.is_empty() || open.len() == before {
            break;
        }
    }
    let mut report: Option<Report> = None;
    each_row(file, |row| {
        let judgement = judge(row, &mut reader, &mut ledger);
        report.get_or_insert_with(|| Report::new(row.header())).row(row, judgement);
    });
    let mut report = report.unwrap();
    let results = report.results.take();
    let mut csv = csv::Reader::from_reader(&results[..]);
    let (mut rows, mut said) = (Vec::new(), Vec::new());
    for record in csv.records().map(Result::unwrap) {
        let cell = |from_end: usize| record.get(record.len() - from_end).unwrap();
        rows.push(format!("{} {}", cell(5), cell(4)).trim().to_owned());
        said.push(
            cell(4).split("; ").zip(cell(3).split("; ")).map(|(code, field)| (code.into(), field.into())).collect(),
        );
    }
    Ran { rows, said, counts: report.counts, failed: report.failed.take() }
}

fn run(file: &str, directory: &mut Directory) -> Ran {
    run_with(file.as_bytes(), directory, &Catalog::default())
}

fn user(login: &str) -> User {
    User::new(LoginId::parse(login).unwrap(), Profile::named("Somebody").unwrap())
}

#[test]
fn the_sample_makes_two_users_and_a_second_time_nothing() {
    let mut directory = Directory::default();
    let sample =
        String::from_utf8(sample()).unwrap().replace("987654321", "9876543211").replace("987654320", "9876543212");
    assert_eq!(run(&sample, &mut directory).rows, ["applied", "applied"]);
    let meera = &directory.users["meera.nair"];
    assert_eq!((meera.caller_ids.len(), meera.profile.calling_agent), (2, true));
    assert_eq!(meera.profile.extension.as_ref().unwrap().login.as_str(), "2001");
    assert_eq!(directory.users["sunil.joshi"].web_login, WebLogin::Blocked);
    assert_eq!(run(&sample, &mut directory).rows, ["unchanged ALREADY_ALLOWED; ALREADY_ALLOWED", "unchanged"]);
    assert_eq!(directory.writes, 2);
}

#[test]
fn an_absent_column_and_an_empty_cell_change_nothing() {
    let mut ana = user("Ana");
    ana.profile.email = EmailAddress::parse("ana@example.com").ok();
    ana.profile.calling_agent = true;
    let mut directory = Directory::with([ana.clone()]);
    assert_eq!(run("Login ID,Email,Calling Agent,Designation\nana,,,Lead\n", &mut directory).rows, ["applied"]);
    ana.profile.designation = Name::parse("Lead").ok();
    ana.version = 2;
    assert_eq!(directory.users["ana"], ana);
}

#[test]
fn rows_are_refused_whole_but_for_caller_ids() {
    let mut ana = user("ana");
    ana.profile.email = EmailAddress::parse("ana@example.com").ok();
    ana.profile.extension = Some(Extension {
        login: Ref::parse("2001").unwrap(),
        intercom: Ref::parse("1").unwrap(),
        caller_id: None,
        registrations: 0,
        active: true,
    });
    let mut directory = Directory::with([ana, user("bob")]);
    let ran = run(
        "Login ID,Name,Email,Extension,Calling Agent,Agent Status,Role,Phone,Allowed Caller ID,Team\n\
         ,Nobody,,,,,,,,\n\
         new1,,,,,,,,,\n\
         new2,New,ANA@example.com,,,,,,,\n\
         new3,New,,2001,,,,,,\n\
         new4,New,x,,perhaps,,,junk,,\n\
         new5,New,,,,,boss,,,\n\
         new6,New,,,,blocked,,,,\n\
         new7,New,,,,,,,,two words\n\
         new8,New,,,Yes,,,,9876543210;junk,\n\
         bob,Bobby,new@example.com,,,,,,,\n\
         new9,New,new@example.com,,,,,,,\n\
         bob,Robert,,,,,,,9876543210,\n\
         BOB,Bobby,new@example.com,,,,,,9876543211,\n\
         bob,Bobby,new@example.com,,,,,,junk,\n",
        &mut directory,
    );
    assert_eq!(
        ran.rows,
        [
            "failed LOGIN_ID_MISSING",
            "failed NAME_MISSING",
            "failed EMAIL_TAKEN",
            "failed EXTENSION_IN_USE",
            "failed NUMBER_INVALID; VALUE_INVALID; VALUE_INVALID",
            "failed ROLE_UNKNOWN",
            "failed VALUE_INVALID",
            "failed VALUE_INVALID",
            "partial NUMBER_INVALID",
            "applied",
            "failed EMAIL_TAKEN",
            "failed LOGIN_ID_TAKEN",
            "applied DUPLICATE_IN_FILE",
            "failed NUMBER_INVALID; DUPLICATE_IN_FILE",
        ]
    );
    assert_eq!(directory.users.len(), 3);
    assert_eq!(directory.users["bob"].caller_ids, ["+919876543211".parse().unwrap()]);
    assert_eq!(directory.users["new8"].caller_ids.len(), 1);
    assert_eq!(ran.counts.rows(), 14);
    let again = run_with(&ran.failed, &mut directory, &Catalog::default());
    assert_eq!(again.rows.len() as u64, ran.counts.needs_correction(), "the failed file can be read again");
}

#[test]
fn a_role_is_a_rows_own_or_the_uploads_by_id_or_name() {
    let named = |id: &str, name: &str| Named { id: Ref::parse(id).unwrap(), name: Name::parse(name).unwrap() };
    let catalog = Catalog {
        roles: vec![named("agent", "Agent"), named("lead", "Team Lead"), named("x", "Twin"), named("y", "Twin")],
        role: Name::parse("AGENT").ok(),
        ..Catalog::default()
    };
    let mut old = user("old");
    old.profile.role = Ref::parse("gone").ok();
    let mut directory = Directory::with([old]);
    let file = "Login ID,Name,Role\na,A,\nb,B,team lead\nc,C,twin\nold,,gone\n";
    let ran = run_with(file.as_bytes(), &mut directory, &catalog);
    assert_eq!(ran.rows, ["applied", "applied", "failed VALUE_INVALID", "unchanged"]);
    let role = |login: &str| directory.users[login].profile.role.as_ref().unwrap().as_str();
    assert_eq!((role("a"), role("b"), role("old")), ("agent", "lead", "gone"));

    let unknown = Catalog { role: Name::parse("nobody").ok(), ..catalog };
    let ran = run_with(b"Login ID,Name\nd,D\n", &mut directory, &unknown);
    assert_eq!(ran.rows, ["failed ROLE_UNKNOWN"]);
}

#[test]
fn an_agents_status_moves_as_the_actions_do() {
    let mut agent = user("agent");
    agent.profile.calling_agent = true;
    let mut directory = Directory::with([agent]);
    let mut to = |status: &str| run(&format!("login,agent status\nagent,{status}\n"), &mut directory).rows.remove(0);
    assert_eq!(to("Disabled"), "applied");
    assert_eq!(to("disabled"), "unchanged");
    assert_eq!(to("blocked"), "applied");
    assert_eq!(to("disabled"), "failed VALUE_INVALID");
    assert_eq!(to("enabled"), "applied");
}

#[test]
fn rows_the_job_did_not_come_to_are_unprocessed() {
    let mut reader = UserRowReader::new("IN".parse().unwrap(), &[]);
    let file = b"login,name\nana,Ana\n";
    let mut wanted = UserRequests::default();
    each_row(file, |row| wanted.take(row, &mut reader));
    let mut ledger = wanted.finish_reading();
    each_row(file, |row| {
        assert_eq!(judge(row, &mut reader, &mut ledger).status, crate::report::RowStatus::Unprocessed);
    });
}

fn message(file: &str, directory: &mut Directory) -> String {
    let failed = String::from_utf8(run(file, directory).failed).unwrap();
    csv::Reader::from_reader(failed.trim_start_matches('\u{feff}').as_bytes())
        .records()
        .next()
        .and_then(|record| record.unwrap().iter().next_back().map(str::to_owned))
        .unwrap_or_default()
}

#[test]
fn a_login_that_looks_spoilt_creates_nobody() {
    for login in [
        "9.18766E+11",
        "100234.0",
        "01-Mar",
        "2026-03-01 00:00:00",
        "(mandatory)",
        "Total",
        "Login ID",
        "NULL",
        "#N/A",
        "=A1",
        "Ann <ann@example.com>",
        "u\u{441}er1",
    ] {
        let mut directory = Directory::default();
        let ran = run(&format!("Login ID,Name\n{login},Kiran\n"), &mut directory);
        let code = if login == "#N/A" { "SPREADSHEET_ERROR" } else { "LOGIN_ID_SUSPECT" };
        assert!(ran.rows[0].starts_with("failed") && ran.rows[0].contains(code), "{login}: {:?}", ran.rows);
        assert!(directory.users.is_empty(), "{login}");
    }
    let said = message("Login ID,Name\n9.18766E+11,Kiran\n", &mut Directory::default());
    assert!(said.contains("rounded") && said.contains("Format the column as text"), "{said}");
}

#[test]
fn a_user_who_is_there_is_found_by_a_login_that_looks_spoilt() {
    let mut directory = Directory::with(["9.18766E+11", "Total", "100234", "none"].map(user));
    let file = "Login ID,Name\n9.18766E+11,A\ntotal,B\n100234.0,C\nNONE,D\n";
    assert_eq!(run(file, &mut directory).rows, ["applied", "applied", "applied NORMALIZED", "applied"]);
    assert_eq!(directory.users.len(), 4);
}

#[test]
fn no_spelling_of_a_login_makes_a_twin() {
    let spelled = [
        "us\u{200b}er1",
        "u\u{2060}ser1",
        "\u{1f}user1",
        "user1\u{a0}",
        "\u{201c}user1\u{201d}",
        "'user1",
        "\"=\"\"user1\"\"\"",
        "ｕｓｅｒ１",
        "\u{feff}USER1",
        "mailto:user1",
    ];
    for login in spelled {
        let mut directory = Directory::with([user("user1")]);
        let ran = run(&format!("Login ID,Name\n{login},Asha Rao\n"), &mut directory);
        assert_eq!(ran.rows, ["applied NORMALIZED"], "{login:?}");
        assert_eq!(directory.users.len(), 1, "{login:?}");
    }
    for (there, written) in
        [("josé.m", "jose\u{301}.m"), ("ΑΣ", "ας"), ("front desk", "front\u{a0}desk"), ("o'neil", "O’Neil")]
    {
        let mut directory = Directory::with([user(there)]);
        assert!(run(&format!("Login ID,Name\n{written},Asha Rao\n"), &mut directory).rows[0].starts_with("applied"));
        assert_eq!(directory.users.len(), 1, "{there}");
    }
}

#[test]
fn the_zeros_that_an_export_has_kept_are_kept() {
    let mut directory = Directory::default();
    assert_eq!(run("Login ID,Name\n\"=\"\"00123\"\"\",Kiran\n", &mut directory).rows, ["applied NORMALIZED"]);
    assert_eq!(directory.users.keys().collect::<Vec<_>>(), ["00123"]);
}

#[test]
fn what_stands_for_no_value_is_never_stored_in_whatever_column() {
    let columns = [
        "Name",
        "Phone Number",
        "Email",
        "Designation",
        "Department",
        "Team",
        "Role",
        "Calling Agent",
        "Agent Status",
        "Assign Extension",
        "Block Web Login",
        "Directory ID",
        "Allowed Caller ID",
    ];
    for column in columns {
        for placeholder in ["NULL", "(null)", "nan", "N/A", "-", "<NA>", "k.A.", "\\N"] {
            let mut directory = Directory::with([user("user1")]);
            let before = directory.users.clone();
            let ran = run(&format!("Login ID,{column}\nuser1,{placeholder}\n"), &mut directory);
            assert_eq!(
                (ran.rows, &directory.users),
                (vec!["unchanged NO_VALUE".to_owned()], &before),
                "{column} {placeholder}"
            );
        }
        for error in ["#N/A", "#NAME?", "#REF!", "#BEZUG!", "#ЗНАЧ!", "Err:508", "####"] {
            let mut directory = Directory::with([user("user1")]);
            let before = directory.users.clone();
            let ran = run(&format!("Login ID,{column}\nuser1,{error}\n"), &mut directory);
            assert_eq!(
                (ran.rows, &directory.users),
                (vec!["failed SPREADSHEET_ERROR".to_owned()], &before),
                "{column} {error}"
            );
        }
    }
    let mut directory = Directory::default();
    assert_eq!(run("Login ID,Name\nuser1,NULL\n", &mut directory).rows, ["failed NAME_MISSING; NO_VALUE"]);
}

#[test]
fn text_of_a_wrong_encoding_is_never_stored() {
    for name in ["JosÃ©", "Meera à¤¨", "\u{8d}x", "caf\u{fffd}"] {
        let mut directory = Directory::default();
        assert_eq!(
            run(&format!("Login ID,Name\nuser1,{name}\n"), &mut directory).rows,
            ["failed TEXT_UNREADABLE"],
            "{name}"
        );
    }
}

/// Text of every kind that a person, a spreadsheet or an attacker puts into a name.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z ]{1,12}",
        "[=+@'-]{1,3}[A-Za-z0-9;,\"]{1,8}",
        "[a-z,\"'\n\r;|\t=+@é😀اب\u{200f}\u{a0}-]{1,16}",
        "=cmd\\|' /C calc'!A[0-9]",
    ]
}

prop_compose! {
    fn somebody()(
        login in text(), name in text(), designation in prop::option::of(text()),
        phone in prop::option::of(1_000_u64..999_999_999_999_999), email in prop::option::of("[a-z+=']{1,6}@[a-zé]{1,5}\\.example"),
        refs in prop::collection::vec(prop::option::of("[A-Za-z=+@'é😀-]{1,6}"), 5),
        flags in prop::collection::vec(any::<bool>(), 2), status in 0..3_usize,
    ) -> Option<User> {
        let id = |at: usize| refs[at].as_deref().and_then(|id| Ref::parse(id).ok());
        let mut user = User::new(LoginId::parse(&login).ok()?, Profile::of(Name::parse(&name).ok()?));
        let profile = &mut user.profile;
        profile.designation = designation.and_then(|text| Name::parse(&text).ok());
        profile.call_forward_number = phone.and_then(|digits| CallerId::from_digits(&digits.to_string()).ok());
        profile.email = email.and_then(|email| EmailAddress::parse(&email).ok());
        (profile.department, profile.team, profile.role) = (id(0), id(1), id(2));
        profile.extension = id(3).map(|login| Extension { intercom: login.clone(), login, caller_id: None, registrations: 3, active: false });
        profile.calling_agent = flags[0];
        user.agent_status = [AgentStatus::Enabled, AgentStatus::Disabled, AgentStatus::Blocked][status];
        user.web_login = if flags[1] { WebLogin::Blocked } else { WebLogin::Active };
        Some(user)
    }
}

#[test]
fn rows_about_one_user_add_up_and_contradict_each_other_only_where_both_say_something() {
    let mut directory = Directory::default();
    let file = "Login ID,Name,Designation,DID\nuser1,Asha Rao,,9876543210\nuser1,,,9876543211\nUSER1,,Lead,\nuser1,Asha Rao,,9876543210\nuser1,Somebody,,9876543212\n";
    let ran = run(file, &mut directory);
    assert_eq!(
        ran.rows,
        ["applied", "applied", "applied", "unchanged DUPLICATE_IN_FILE; DUPLICATE_IN_FILE", "failed LOGIN_ID_TAKEN"]
    );
    let asha = &directory.users["user1"];
    assert_eq!((asha.caller_ids.len(), asha.profile.name.as_str()), (2, "Asha Rao"));
    assert_eq!(asha.profile.designation.as_ref().map(Name::as_str), Some("Lead"));
    assert!(String::from_utf8(ran.failed).unwrap().contains("with another Name"));
}

#[test]
fn an_address_that_one_row_gives_up_is_anothers_in_any_order() {
    let email = |login: &str, address: &str| {
        let mut user = user(login);
        user.profile.email = EmailAddress::parse(address).ok();
        user
    };
    for file in [
        "Login ID,Email\na,two@example.com\nb,three@example.com\n",
        "Login ID,Email\nb,three@example.com\na,two@example.com\n",
        // A chain: each waits for the next.
        "Login ID,Email\na,two@example.com\nb,three@example.com\nc,four@example.com\n",
    ] {
        let mut directory = Directory::with([email("a", "one@example.com"), email("b", "two@example.com")]);
        if file.contains("\nc,") {
            directory.users.insert("c".to_owned(), email("c", "three@example.com"));
        }
        let ran = run(file, &mut directory);
        assert!(ran.rows.iter().all(|row| row == "applied"), "{file}: {:?}", ran.rows);
        let has = |login: &str| directory.users[login].profile.email.as_ref().unwrap().as_str().to_owned();
        assert_eq!((has("a"), has("b")), ("two@example.com".to_owned(), "three@example.com".to_owned()));
    }
    // A swap is left out: neither can be first.
    let mut directory = Directory::with([email("a", "one@example.com"), email("b", "two@example.com")]);
    let swap = "Login ID,Email\na,two@example.com\nb,one@example.com\n";
    assert_eq!(run(swap, &mut directory).rows, ["failed EMAIL_TAKEN", "failed EMAIL_TAKEN"]);
    // Who keeps an address keeps it.
    let kept = "Login ID,Email\na,two@example.com\nb,\n";
    assert_eq!(run(kept, &mut directory).rows, ["failed EMAIL_TAKEN", "unchanged"]);
}

#[test]
fn everything_that_is_wrong_with_a_row_is_told_at_once() {
    let file = "Login ID,Name,Email,DID\nuser1,#N/A,nobody,junk\nuser2,,a@example.com,junk\n";
    let expected = ["failed SPREADSHEET_ERROR; VALUE_INVALID; NUMBER_INVALID", "failed NAME_MISSING; NUMBER_INVALID"];
    assert_eq!(run(file, &mut Directory::default()).rows, expected);
}

#[test]
fn a_cell_that_takes_one_number_or_id_says_so() {
    for (column, cell, words) in [
        ("Phone Number", "9876543210 9876543211", "several numbers: this column takes one"),
        ("Phone Number", "9876543210;9876543211", "several numbers: this column takes one"),
        ("Department", "#5 / x", "No department has this ID or name"),
        ("Email", "nobody", "an e-mail address has one @"),
    ] {
        let said = message(&format!("Login ID,{column}\nuser1,{cell}\n"), &mut Directory::with([user("user1")]));
        assert!(said.contains(words), "{column}: {said}");
    }
}

#[test]
fn every_claim_that_is_anothers_is_told_at_once_with_who_has_it() {
    let (mut mail, mut phone, mut person) = (user("mail"), user("phone"), user("person"));
    mail.profile.email = EmailAddress::parse("one@example.com").ok();
    phone.profile.extension = Some(Extension {
        login: Ref::parse("2001").unwrap(),
        intercom: Ref::parse("2001").unwrap(),
        caller_id: None,
        registrations: 0,
        active: true,
    });
    person.directory_id = rollcall_model::user::DirectoryId::parse("id-1").ok();
    let mut directory = Directory::with([mail, phone, person, user("user1")]);
    let file = "login,email,extension,directory id,role,did\nuser1,one@example.com,2001,id-1,chief,junk\n";
    let ran = run(file, &mut directory);
    let codes = "failed EMAIL_TAKEN; EXTENSION_IN_USE; DIRECTORY_ID_TAKEN; ROLE_UNKNOWN; NUMBER_INVALID";
    assert_eq!(ran.rows, [codes]);
    let said = String::from_utf8(ran.failed).unwrap();
    for owner in ["mail", "phone", "person"] {
        assert!(said.contains(&format!("The user \"\"{owner}\"\" has this")), "{said}");
    }
    // Rows further up are told in the same way.
    let file = "login,name,email,extension\na,A,x@example.com,7\nb,B,x@example.com,7\n";
    let ran = run(file, &mut Directory::default());
    assert_eq!(ran.rows, ["applied", "failed EMAIL_TAKEN; EXTENSION_IN_USE"]);
    // What somebody is about to give up is no fault beside another.
    let mut directory = Directory::with([has_email("a", "a@example.com"), has_email("b", "b@example.com")]);
    let ran = run("login,email,role\na,b@example.com,chief\nb,c@example.com,\n", &mut directory);
    assert_eq!(ran.rows, ["failed ROLE_UNKNOWN", "applied"]);
}

/// A login ID or a name as programs spell them.
fn spelled() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[a-cA-C]{1,2}",
        "[éσςß0-9]{1,3}",
        text(),
        Just("NULL".to_owned()),
        Just("#N/A".to_owned()),
        Just("9.1E+11".to_owned())
    ];
    in_some_way(word)
}

/// A word in one of the ways in which programs spell it.
fn in_some_way(word: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (word, 0..9).prop_map(|(word, way)| match way {
        0 => format!("\u{a0}{word}\u{200b}"),
        1 => format!("=\"{word}\""),
        2 => format!("'{word}"),
        3 => format!("“{word}”"),
        4 => word.to_uppercase(),
        5 => icu_normalizer::DecomposingNormalizer::new_nfd().normalize(&word).into_owned(),
        6 => word.chars().flat_map(|c| [c, '\u{2060}']).collect(),
        _ => word,
    })
}

/// The columns whose text is stored.
const STORED: [usize; 7] = [LOGIN, NAME, DESIGNATION, EMAIL, DEPARTMENT, TEAM, EXTENSION];

/// A row of them. Most have a login ID that others of the file have too, in whatever spelling.
fn stored_cells() -> impl Strategy<Value = [String; 7]> {
    let optional = || prop_oneof![Just(String::new()), spelled()];
    let email = prop_oneof![
        Just(String::new()),
        "[a-c]{1,2}@[a-c]{1,2}",
        spelled().prop_map(|word| format!("{word}@example.com")),
        "<[a-c]@x>\u{200b}",
    ];
    // Few words, so that rows of a file are about the same user.
    let few = prop::sample::select(vec!["josé", "straße", "ΑΣ", "user1", "front desk"]).prop_map(str::to_owned);
    let login = prop_oneof![4 => in_some_way(few), 1 => spelled()];
    (login, spelled(), optional(), email, optional(), optional(), optional()).prop_map(
        |(login, name, designation, email, department, team, extension)| {
            [login, name, designation, email, department, team, extension]
        },
    )
}

/// A cell without white space around it, and without apostrophes that keep formulas from being reckoned: of neither is there anything to say.
fn bare(cell: &str) -> String {
    let mut bare = String::new();
    let mut rest = rollcall_tabular::text::trim(cell).chars().peekable();
    while let Some(c) = rest.next() {
        let guards = c == '\'' && rest.peek().is_some_and(|next| !next.is_alphanumeric());
        if !guards {
            bare.push(c);
        }
    }
    rollcall_tabular::text::trim(&bare).to_owned()
}

/// A text as a person reads it: without what nobody sees, with one kind of blank and of every letter. Told in another way than the product does.
fn as_read(text: &str) -> String {
    let seen: String =
        text.chars().filter(|&c| c.is_whitespace() || !rollcall_tabular::text::is_invisible(c)).collect();
    let upper = icu_normalizer::ComposingNormalizer::new_nfkc().normalize(&seen).to_uppercase().to_lowercase();
    upper.split_whitespace().collect::<Vec<_>>().join(" ")
}

proptest! {
    /// **For any file**, what is stored for a user is text that stood in one of its rows, in that column, or that such a row is said to have been
    /// read as; and no two users read alike.
    #[test]
    fn what_is_stored_stood_in_the_file_or_is_said_to_be_normalised(rows in prop::collection::vec(stored_cells(), 1..8)) {
        let mut csv = Writer::new(b',');
        csv.record(STORED.map(|column| COLUMNS[column].name));
        for row in &rows {
            csv.record(row.iter().map(String::as_str));
        }
        let mut directory = Directory::default();
        let ran = run_with(&csv.take(), &mut directory, &Catalog::default());
        for (key, user) in &directory.users {
            let is_of = |row: &[String; 7]| LoginId::parse(&row[0]).is_ok_and(|login| login.folded() == key.as_str());
            let own: Vec<usize> = (0..rows.len()).filter(|&at| is_of(&rows[at])).collect();
            for (place, column) in STORED.into_iter().enumerate() {
                let stored = super::cell(user, column);
                let stood = own.iter().any(|&at| bare(&rows[at][place]) == bare(&stored));
                let said = (Warning::Normalized.as_str().to_owned(), COLUMNS[column].name.to_owned());
                let said = own.iter().any(|&at| ran.said[at].contains(&said));
                prop_assert!(stored.is_empty() || stood || said, "{}: {stored:?} of {rows:?}", COLUMNS[column].name);
            }
        }
        let read: Vec<String> = directory.users.values().map(|user| as_read(user.login.as_str())).collect();
        let distinct: std::collections::HashSet<&String> = read.iter().collect();
        prop_assert_eq!(distinct.len(), read.len(), "two users read alike: {:?}", read);
    }

    #[test]
    fn a_download_dropped_again_is_unchanged_and_writes_nothing(people in prop::collection::vec(somebody(), 1..8)) {
        let mut seen = std::collections::HashSet::new();
        let mut unique = |user: &User| user.claims().into_iter().all(|claim| seen.insert(claim));
        let mut directory = Directory::with(people.into_iter().flatten().filter(|user| unique(user)));
        prop_assume!(!directory.users.is_empty());
        let mut csv = Writer::new(b',');
        write_header(&mut csv);
        directory.users.values().for_each(|user| write_user(&mut csv, user));
        let before = directory.users.clone();

        let ran = run_with(&csv.take(), &mut directory, &Catalog::default());
        prop_assert_eq!(ran.counts.unchanged, before.len() as u64, "{:?}", ran.rows);
        prop_assert_eq!(directory.writes, 0);
        prop_assert_eq!(directory.users, before);
    }
}

fn has_email(login: &str, email: &str) -> User {
    let mut user = user(login);
    user.profile.email = EmailAddress::parse(email).ok();
    user
}

#[test]
fn a_deactivation_waits_for_no_address() {
    let mut leaver = has_email("leaver", "leaver@x.example");
    leaver.profile.calling_agent = true;
    let mut directory = Directory::with([leaver, has_email("other", "taken@x.example")]);
    let file =
        "login,name,email,agent status,block web login,did\nleaver,Gone,taken@x.example,disabled,yes,9876543210\n";
    assert_eq!(run(file, &mut directory).rows, ["partial EMAIL_TAKEN"]);
    let leaver = &directory.users["leaver"];
    assert_eq!((leaver.web_login, leaver.agent_status), (WebLogin::Blocked, AgentStatus::Disabled));
    let email = leaver.profile.email.as_ref().map(EmailAddress::as_str);
    assert_eq!((email, leaver.profile.name.as_str()), (Some("leaver@x.example"), "Somebody"));
    assert!(leaver.caller_ids.is_empty());
    let again = run(file, &mut directory).rows;
    assert_eq!(again, ["failed EMAIL_TAKEN"], "who is out already is kept out by nothing of this");
}

#[test]
fn nobody_is_kept_out_in_the_name_of_another_person() {
    let person = |id: &str| rollcall_model::user::DirectoryId::parse(id).ok();
    let mut heir = user("shared");
    heir.directory_id = person("new");
    let mut owner = user("owner");
    owner.directory_id = person("old");
    let mut directory = Directory::with([heir, owner]);
    let file = "login,block web login,directory id\nshared,yes,old\nfresh,yes,old\n";
    let refused = ["failed DIRECTORY_ID_TAKEN", "failed DIRECTORY_ID_TAKEN; NAME_MISSING"];
    assert_eq!(run(file, &mut directory).rows, refused);
    assert_eq!(directory.users["shared"].web_login, WebLogin::Active);
}
