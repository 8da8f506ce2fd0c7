//! Numbers from a file: added to the inventory and changed, many at once.
//!
//! The file is read twice. First it becomes what is to be so of each number ([`NumberUploadJob::read_row`](crate::bulk_job::BulkJob::read_row)); each
//! number is then held against the inventory ([`NumberUploadJob::plan`]), and each row is judged by what came of its number.
//!
//! **A cell that is empty, or a column that isn't there, changes nothing**, so a list that was downloaded and dropped again changes nothing.
//! What a file says of a number's state obeys the same rules as one change through the API.

mod job;
mod plan;
mod row;

#[cfg(test)]
mod tests;

pub use job::NumberUploadJob;
pub use plan::{NumberChange, NumberRefusal, NumberUploadPlan};
pub use row::{NumberRow, NumberRowReader};

use rollcall_model::{
    inventory::{InventoryNumber, utc_day},
    user::Ref,
};
use rollcall_tabular::{Column, Writer};

pub(crate) const NUMBER: usize = 0;
pub(crate) const DEPARTMENT: usize = 1;
pub(crate) const STATE: usize = 2;
pub(crate) const RESTING_UNTIL: usize = 3;
pub(crate) const PURCHASED: usize = 4;
pub(crate) const PROVIDER: usize = 5;
pub(crate) const PURPOSE: usize = 6;
pub(crate) const ATTESTATION: usize = 7;
pub(crate) const LABELS: usize = 8;

/// The columns of a file of numbers. All but the number may be absent.
pub static COLUMNS: [Column; 9] = [
    Column {
        required: true,
        ..column("Number", &["number", "callerid", "did", "didnumber", "phonenumber", "telephone"])
    },
    column("Department", &["department", "departmentid"]),
    column("State", &["state", "status"]),
    column("Resting Until", &["restinguntil", "restuntil"]),
    column("Purchase Date", &["purchasedate", "purchased", "boughton", "inservicesince"]),
    column("Provider", &["provider", "providernumber", "providerspelling"]),
    column("Purpose", &["purpose"]),
    column("Attestation", &["attestation"]),
    column("Labels", &["labels", "label", "tags"]),
];

const fn column(name: &'static str, aliases: &'static [&'static str]) -> Column {
    Column { name, aliases, required: false, takes_surplus: false }
}

/// What parts labels in a cell.
const SEPARATOR: &str = "; ";

/// A file to start from. It is written by the columns that the reader knows.
pub fn sample() -> Vec<u8> {
    let mut csv = Writer::new(b',');
    write_header(&mut csv);
    csv.record(["+919876500031", "sales", "active", "", "2026-03-01", "", "service", "A", "march; north"]);
    csv.record(["+919876500032", "", "new", "", "", "", "", "", ""]);
    csv.take()
}

/// Writes the header of a download.
pub fn write_header(csv: &mut Writer) {
    csv.record(COLUMNS.each_ref().map(|column| column.name));
}

/// Writes a number as a row of a download. Dropped again as it is, it changes nothing.
pub fn write_number(csv: &mut Writer, item: &InventoryNumber) {
    let facts = &item.facts;
    let since = item.dates.in_service_since.map(|since| utc_day(since).to_string());
    let labels: Vec<&str> = facts.labels.iter().map(Ref::as_str).collect();
    csv.record([
        item.number.to_string().as_str(),
        facts.department.as_ref().map(Ref::as_str).unwrap_or_default(),
        facts.state.as_str(),
        &facts.resting_until.map(|day| day.to_string()).unwrap_or_default(),
        &since.unwrap_or_default(),
        facts.provider.as_ref().map(rollcall_model::user::Name::as_str).unwrap_or_default(),
        facts.purpose.map_or("", |purpose| purpose.as_str()),
        facts.attestation.map_or("", |level| level.as_str()),
        &labels.join(SEPARATOR),
    ]);
}
