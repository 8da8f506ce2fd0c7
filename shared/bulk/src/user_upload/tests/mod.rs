//! A file of users as a whole, over a directory of a few lines that stands for the table.

mod cells;
mod claims;
mod laws;

use super::*;
use crate::bulk_job::Plan;
use crate::report::{Counts, Report};
use jiff::Timestamp;
use proptest::prelude::*;
use rollcall_model::{
    caller_id::CallerId,
    catalog::CatalogEntry as Named,
    code::Warning,
    email::EmailAddress,
    inventory::DialableNumbers,
    settings::DEFAULT_LIST_LIMIT,
    user::{AgentStatus, Claim, Extension, LoginId, Name, Profile, Ref},
};
use rollcall_tabular::{Reader, Row};
use std::collections::{BTreeMap, HashMap};

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
            // Without an inventory, lists count alone.
            let dialable = DialableNumbers::of(&[]);
            let present = UserNow {
                user: directory.users.get(ledger.login(user)),
                owners: &owners,
                dialable: &dialable,
                now: Timestamp::UNIX_EPOCH,
                as_of: Timestamp::UNIX_EPOCH,
            };
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
        let judgement = judge(row, &mut reader, &mut ledger, catalog);
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
    let of = |ids: [&str; 1]| ids.map(|id| Named { id: Ref::parse(id).unwrap(), name: Name::parse(id).unwrap() });
    let catalog = Catalog { departments: of(["sales"]).into(), teams: of(["north"]).into(), ..Catalog::default() };
    let run = |file: &str, directory: &mut Directory| run_with(file.as_bytes(), directory, &catalog);
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
    let first = ana.clone();
    let mut directory = Directory::with([ana.clone()]);
    assert_eq!(run("Login ID,Email,Calling Agent,Designation\nana,,,Lead\n", &mut directory).rows, ["applied"]);
    ana.profile.designation = Name::parse("Lead").ok();
    assert_eq!(directory.users["ana"], ana.revised(&first, Timestamp::UNIX_EPOCH));
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
            "applied TEAM_UNKNOWN",
            "partial NUMBER_INVALID",
            "applied",
            "failed EMAIL_TAKEN",
            "failed LOGIN_ID_TAKEN",
            "applied DUPLICATE_IN_FILE",
            "failed NUMBER_INVALID; DUPLICATE_IN_FILE",
        ]
    );
    assert_eq!((directory.users.len(), &directory.users["new7"].profile.team), (4, &None));
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
        assert_eq!(
            judge(row, &mut reader, &mut ledger, &Catalog::default()).status,
            crate::report::RowStatus::Unprocessed
        );
    });
}

#[test]
fn a_department_that_nobody_has_made_is_a_slip_unless_new_ones_are_welcome() {
    let sales = Named { id: Ref::parse("sales").unwrap(), name: Name::parse("Sales India").unwrap() };
    let catalog = Catalog { departments: vec![sales], ..Catalog::default() };
    let mut old = user("old");
    old.profile.department = Ref::parse("sales").ok();
    let mut directory = Directory::with([old]);
    let file = b"Login ID,Name,Department,Team\na,A,SALES,\nb,B,sales india,\nc,C,Slaes,North West\nold,,Slaes,\n";
    let ran = run_with(file, &mut directory, &catalog);
    assert_eq!(
        ran.rows,
        ["applied", "applied", "applied DEPARTMENT_UNKNOWN; TEAM_UNKNOWN", "unchanged DEPARTMENT_UNKNOWN"]
    );
    let department = |directory: &Directory, login: &str| directory.users[login].profile.department.clone();
    let ids = ["a", "b", "c", "old"].map(|login| department(&directory, login).map(|id| id.to_string()));
    assert_eq!(ids, [Some("sales".into()), Some("sales".into()), None, Some("sales".into())]);

    let welcoming = Catalog { welcomes_new: true, ..catalog };
    let ran = run_with(file, &mut directory, &welcoming);
    assert_eq!(ran.rows[2..], ["applied DEPARTMENT_NEW; TEAM_NEW", "applied DEPARTMENT_NEW"]);
    let profile = &directory.users["c"].profile;
    assert_eq!(profile.department.as_ref().map(Ref::as_str), Some("Slaes"));
    assert_eq!(profile.team.as_ref().map(Ref::as_str), Some("north-west"), "a name with blanks makes an ID without");
}

#[test]
fn the_nearest_name_is_told() {
    let sales = Named { id: Ref::parse("sales").unwrap(), name: Name::parse("Sales").unwrap() };
    let catalog = Catalog { departments: vec![sales], ..Catalog::default() };
    let remark =
        |cell: &str| catalog.remark(DEPARTMENT, "Department", Name::parse(cell).ok().as_ref()).unwrap().message;
    assert!(remark("Slaes").ends_with("Did you mean \"Sales\"?"), "{}", remark("Slaes"));
    assert!(!remark("Purchasing").contains("Did you mean"));
}
