//! CSV files, the most that comes from strangers.

use rollcall_bulk::append::COLUMNS;
use rollcall_tabular::{Column, FileFault, MAX_RECORD_BYTES, Reader, Row, RowShape, Writer, guard, unguard};

/// Everything that a reader says of a file: line, shape and cells of each row, and why it stopped.
type Said = (Vec<(u64, RowShape, Vec<String>)>, Option<FileFault>);

fn read(pieces: &[&[u8]]) -> Said {
    let mut reader = Reader::new(&COLUMNS);
    let mut rows = Vec::new();
    let fault = (|| {
        for (at, piece) in pieces.iter().enumerate() {
            reader.push(piece)?;
            if at + 1 == pieces.len() {
                reader.end()?;
            }
            while let Some(row) = reader.next_row()? {
                rows.push(told(&row));
            }
        }
        Ok(())
    })();
    (rows, fault.err())
}

fn told(row: &Row<'_>) -> (u64, RowShape, Vec<String>) {
    (row.line, row.shape, row.original().into_iter().map(std::borrow::Cow::into_owned).collect())
}

/// However a file is cut on its way, the same is read. Lines go forward, and no cell that is written again is a formula.
pub fn csv_reader(data: &[u8]) {
    let whole = read(&[data]);
    let (first, rest) = data.split_at(data.len() / 3);
    assert_eq!(read(&[first, rest]), whole);
    let size = usize::from(data.first().copied().unwrap_or(0) % 7) + 1;
    let pieces: Vec<&[u8]> = if data.is_empty() { vec![data] } else { data.chunks(size).collect() };
    assert_eq!(read(&pieces), whole);

    let (rows, _) = whole;
    assert!(rows.windows(2).all(|pair| pair[0].0 < pair[1].0), "lines go forward");
    for (_, _, cells) in &rows {
        assert!(cells.iter().map(String::len).sum::<usize>() <= 4 * MAX_RECORD_BYTES, "a record is bounded");
        let mut writer = Writer::new(b',');
        writer.record(cells.iter().map(String::as_str));
        let written = writer.take();
        let mut csv = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&*written);
        for (cell, value) in csv.records().next().expect("a record").expect("a record").iter().zip(cells) {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\0']), "a formula is written: {cell:?}");
            assert_eq!(cell, guard(value));
            assert_eq!(unguard(cell), *value);
        }
        no_formula_in_any_cutting(&written);
    }
}

/// Whoever cuts the file at another delimiter than ours finds no formula either, whether by quotes or not.
fn no_formula_in_any_cutting(file: &[u8]) {
    let text = std::str::from_utf8(file).expect("UTF-8 is written");
    let harmless = |cell: &str| {
        let shown = cell
            .trim_matches(|c: char| c.is_whitespace() || c.is_control() || "\"\u{200b}\u{feff}\u{2060}".contains(c));
        assert!(
            !shown.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']),
            "a formula for some: {cell:?} of {text:?}"
        );
    };
    for delimiter in *b",;\t|" {
        let mut csv =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(file);
        csv.records().for_each(|record| record.expect("UTF-8").iter().for_each(harmless));
        text.split(['\n', '\r', char::from(delimiter)]).for_each(harmless);
    }
}

/// The columns of [`csv_differential`].
static TWO: [Column; 2] = [
    Column { name: "First", aliases: &["first"], required: true, takes_surplus: false },
    Column { name: "Second", aliases: &["second"], required: true, takes_surplus: false },
];

/// What the `csv` crate writes, ours reads as that crate does.
pub fn csv_differential(data: &[u8]) {
    // A file with NULs is no text, and refused.
    let text = String::from_utf8_lossy(data).replace('\0', "0");
    // Separators that no spreadsheet knows part records and cells, so that these may hold whatever parts and quotes.
    let delimiter = *[b',', b';', b'|', b'\t'].get(data.len() % 4).expect("one of four");
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    writer.write_record(TWO.iter().map(|column| column.name)).expect("memory takes it");
    for record in text.split('\u{1e}') {
        let (login, numbers) = record.split_once('\u{1f}').unwrap_or((record, "1"));
        // Byte-order marks that begin a record, as where files are put one behind the other, and rows of blanks or of rulers are ours to pass
        // over.
        let login = login.trim_start_matches('\u{feff}');
        let rules = |cell: &str| cell.chars().all(|c| c.is_whitespace() || "\u{1a}-+=_|:,;".contains(c));
        // And so is a header that is repeated: every cell of it names a column.
        let names = |cell: &str| {
            let letters: String = cell.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
            letters.is_empty() || letters.contains("first") || letters.contains("second")
        };
        let is_passed_over =
            login.trim().is_empty() || rules(login) && rules(numbers) || names(login) && names(numbers);
        if login.len() + numbers.len() < MAX_RECORD_BYTES / 4 && !is_passed_over {
            writer.write_record([login, numbers]).expect("memory takes it");
        }
    }
    let file = writer.into_inner().expect("memory takes it");
    let mut theirs = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(&*file);
    let mut ours = Reader::new(&TWO);
    ours.push(&file).expect("UTF-8 is read");
    ours.end().expect("UTF-8 is read");
    for record in theirs.records() {
        let record = record.expect("what the crate wrote");
        let row = ours.next_row().expect("a good file").expect("as many rows");
        assert_eq!(row.shape, RowShape::Sound, "{record:?}");
        let expected: Vec<String> = record.iter().map(|cell| unguard(cell).into_owned()).collect();
        assert_eq!(row.original(), expected, "{record:?}");
    }
    // A file without rows is an error of its own.
    assert!(!matches!(ours.next_row(), Ok(Some(_))), "as many rows");
}
