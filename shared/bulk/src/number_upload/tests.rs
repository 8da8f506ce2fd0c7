use jiff::Timestamp;
use rollcall_model::{
    catalog::CatalogEntry,
    inventory::{InventoryNumber, NumberFacts, NumberState},
    user::{Name, Ref},
};
use rollcall_tabular::{Reader, Row, Writer};

use super::*;
use crate::{bulk_job::BulkJob, report::Report, user_upload::Catalog};

fn now() -> Timestamp {
    "2026-03-20T12:00:00Z".parse().unwrap()
}

fn each_row(file: &[u8], mut take: impl FnMut(&Row<'_>)) {
    let mut reader = Reader::new(&COLUMNS);
    reader.push(file).unwrap();
    reader.end().unwrap();
    while let Some(row) = reader.next_row().unwrap() {
        take(&row);
    }
}

/// Carries a file out on an inventory; the status and codes of each row.
fn run(file: &[u8], inventory: &mut Vec<InventoryNumber>) -> Vec<String> {
    let sales = CatalogEntry { id: Ref::parse("sales").unwrap(), name: Name::parse("Sales").unwrap() };
    let catalog = Catalog { departments: vec![sales], ..Catalog::default() };
    let mut job = NumberUploadJob::new(NumberRowReader::new("IN".parse().unwrap(), inventory), catalog);
    each_row(file, |row| job.read_row(row));
    job.seal();
    for place in 0..job.users() {
        let present = inventory.iter().position(|item| item.number == job.number(place));
        let plan = job.plan(place, present.map(|at| &inventory[at]), now());
        // A plan is kept as JSON before it is carried out.
        let plan: NumberUploadPlan = serde_json::from_slice(&serde_json::to_vec(&plan).unwrap()).unwrap();
        if let Some((_, after)) = plan.write() {
            match present {
                Some(at) => inventory[at] = after.clone(),
                None => inventory.push(after.clone()),
            }
        }
        job.record(&plan);
    }
    let mut report: Option<Report> = None;
    each_row(file, |row| {
        let judgement = job.judge(row);
        report.get_or_insert_with(|| Report::new(row.header())).row(row, judgement);
    });
    let results = report.unwrap().results.take();
    let mut csv = csv::Reader::from_reader(&results[..]);
    let row = |record: csv::StringRecord| {
        let cell = |from_end: usize| record.get(record.len() - from_end).unwrap().to_owned();
        format!("{} {}", cell(5), cell(4)).trim().to_owned()
    };
    csv.records().map(|record| row(record.unwrap())).collect()
}

fn owned(number: &str, state: NumberState) -> InventoryNumber {
    let facts = NumberFacts { state, ..NumberFacts::default() };
    InventoryNumber::new(number.parse().unwrap(), facts, "2026-03-01T08:00:00Z".parse().unwrap())
}

#[test]
fn the_sample_adds_two_numbers_and_a_second_time_nothing() {
    let mut inventory = Vec::new();
    assert_eq!(run(&sample(), &mut inventory), ["applied", "applied"]);
    let first = &inventory[0];
    assert_eq!(first.facts.labels.len(), 2);
    assert_eq!(first.dates.in_service_since.unwrap().to_string(), "2026-03-01T00:00:00Z", "it was bought then");
    assert_eq!((inventory[1].facts.state, inventory[1].dates.in_service_since), (NumberState::New, None));
    assert_eq!(run(&sample(), &mut inventory), ["unchanged", "unchanged"]);
}

#[test]
fn rows_are_judged_by_what_came_of_their_numbers() {
    let retired = owned("+919811122233", NumberState::Retired);
    let mut inventory = vec![owned("+919876500001", NumberState::Active), retired];
    let file = "Number,State,Resting Until,Purchase Date,Department,Purpose\n\
        98765 00001,flagged,,,,service\n\
        9876500001,flagged,,,,service\n\
        9876500001,active,,,,\n\
        junk,,,,,\n\
        ,flagged,,,,\n\
        9876500002,resting,,,,\n\
        9876500003,resting,2026-04-01,,Slaes,\n\
        9811122233,active,,,,\n\
        9876500004,,,2026-12-01,,\n\
        9876500005,Burnt,,,,\n";
    assert_eq!(
        run(file.as_bytes(), &mut inventory),
        [
            "applied NORMALIZED",
            "unchanged DUPLICATE_IN_FILE",
            "failed DUPLICATE_NUMBER",
            "failed NUMBER_INVALID",
            "failed NUMBER_MISSING",
            "failed VALUE_INVALID",
            "applied DEPARTMENT_UNKNOWN",
            "failed NUMBER_RETIRED",
            "failed VALUE_INVALID",
            "failed VALUE_INVALID",
        ]
    );
    assert_eq!(inventory[0].facts.state, NumberState::Flagged);
    assert_eq!((inventory.len(), &inventory[2].facts.department), (3, &None));
}

#[test]
fn what_is_downloaded_and_dropped_again_changes_nothing() {
    let mut inventory: Vec<InventoryNumber> =
        NumberState::ALL.iter().enumerate().map(|(nth, &state)| owned(&format!("+91987650000{nth}"), state)).collect();
    inventory[1].facts.department = Ref::parse("sales").ok();
    inventory[1].facts.labels = vec![Ref::parse("north").unwrap(), Ref::parse("=1+1").unwrap()];
    inventory[1].facts.provider = Name::parse("98765-00001").ok();
    inventory[3].facts.resting_until = Some("2026-04-01".parse().unwrap());
    let before = inventory.clone();
    let mut csv = Writer::new(b',');
    write_header(&mut csv);
    for item in &inventory {
        write_number(&mut csv, item);
    }
    assert_eq!(run(&csv.take(), &mut inventory), ["unchanged"; 5]);
    assert_eq!(inventory, before);
}
