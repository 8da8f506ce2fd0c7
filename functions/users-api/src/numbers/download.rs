//! All numbers as a CSV file.

use axum::{extract::State, response::Response};
use rollcall_bulk::number_upload::{write_header, write_number};
use rollcall_model::caller_id::CallerId;
use rollcall_tabular::Writer;

use crate::{Shared, caller::Caller, file::CsvFile, problem::Problem};

/// Numbers that one request to the table asks for.
const READS: usize = 1_000;

/// `GET /v1/numbers.csv`
pub(crate) async fn numbers(State(api): Shared, caller: Caller) -> Result<Response, Problem> {
    let mut csv = Writer::new(b',');
    write_header(&mut csv);
    let mut file = CsvFile::new(&api, &caller, "numbers.csv");
    let mut after: Option<CallerId> = None;
    loop {
        let (numbers, more) = api.directory.numbers_page(&caller.account, after, READS).await?;
        for number in &numbers {
            write_number(&mut csv, number);
        }
        file.write(csv.take()).await?;
        after = numbers.last().map(|number| number.number).or(after);
        if !more {
            return file.finish().await;
        }
    }
}
