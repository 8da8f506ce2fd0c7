//! All numbers as a CSV file.

use axum::{extract::State, response::Response};
use rollcall_bulk::number_upload::{write_header, write_number};
use rollcall_tabular::Writer;

use crate::{Shared, caller::Caller, file::CsvFile, problem::Problem};

/// Numbers that are written at a time.
const HELD: usize = 1_000;

/// `GET /v1/numbers.csv`
pub(crate) async fn numbers(State(api): Shared, caller: Caller) -> Result<Response, Problem> {
    let mut csv = Writer::new(b',');
    write_header(&mut csv);
    let mut file = CsvFile::new(&api, &caller, "numbers.csv");
    let inventory = api.directory.packed_inventory(&caller.account).await?;
    for (at, number) in inventory.whole().enumerate() {
        write_number(&mut csv, &number);
        if at % HELD == 0 {
            file.write(csv.take()).await?;
        }
    }
    file.write(csv.take()).await?;
    file.finish().await
}
