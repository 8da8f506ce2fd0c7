use super::*;
use crate::{Column, MAX_COLUMNS, RESULT_COLUMNS, Writer, header::plain_name};

const LOGIN: usize = 0;
const NUMBERS: usize = 1;
static SCHEMA: [Column; 2] = [
    Column { name: "Login ID", aliases: &["loginid", "login"], required: true, takes_surplus: false },
    Column { name: "Numbers", aliases: &["numbers", "dids"], required: true, takes_surplus: true },
];

/// Every row as `line login|numbers|surplus…`, or as its shape.
fn read_in(bytes: &[u8], piece: usize) -> Result<Vec<String>, FileFault> {
    fn drain(reader: &mut Reader, rows: &mut Vec<String>) -> Result<(), FileFault> {
        while let Some(row) = reader.next_row()? {
            if row.shape != RowShape::Sound {
                rows.push(format!("{} {:?}", row.line, row.shape));
                continue;
            }
            let mut values = vec![row.value(LOGIN).unwrap(), row.value(NUMBERS).unwrap()];
            values.extend(row.surplus(NUMBERS));
            rows.push(format!("{} {}", row.line, values.join("|")));
        }
        Ok(())
    }
    let mut reader = Reader::new(&SCHEMA);
    let mut rows = Vec::new();
    for bytes in bytes.chunks(piece) {
        reader.push(bytes)?;
        drain(&mut reader, &mut rows)?;
    }
    reader.end()?;
    drain(&mut reader, &mut rows)?;
    assert_eq!(reader.rows(), rows.len() as u64);
    Ok(rows)
}

fn read(text: &str) -> Vec<String> {
    let rows = read_in(text.as_bytes(), usize::MAX).unwrap();
    for piece in 1..8 {
        assert_eq!(read_in(text.as_bytes(), piece).unwrap(), rows, "in pieces of {piece}");
    }
    rows
}

fn fault(text: &str) -> (FileCode, Option<u64>, String) {
    let fault = read_in(text.as_bytes(), usize::MAX).unwrap_err();
    (fault.code, fault.line, fault.message)
}

#[test]
fn every_delimiter_is_told_from_the_header() {
    for delimiter in [",", ";", "\t", "|"] {
        let text = "Login ID,Numbers\r\na,1\r\nb,2\r\n".replace(',', delimiter);
        assert_eq!(read(&text), ["2 a|1", "3 b|2"], "{delimiter}");
    }
}

#[test]
fn smartflos_header_with_curly_quotes_and_a_semicolon_in_it() {
    for name in ["Numbers (Use “;” separator in Excel)", "Numbers (Use ; separator)"] {
        assert_eq!(read(&format!("Login ID,{name}\na,1;2\n")), ["2 a|1;2"]);
        assert_eq!(read(&format!("Login ID;{name}\na;1;2\nb;3\n")), ["2 a|1|2", "3 b|3"]);
        assert_eq!(read(&format!("{name};Login ID\n1;a;2\n")), ["2 TooManyCells"]);
    }
    assert_eq!(read("Login ID,\"Numbers (Use \"\";\"\" separator)\"\na,1;2\n"), ["2 a|1;2"]);
}

#[test]
fn a_header_in_windows_1252() {
    let bytes = b"Login ID;Numbers (Use \x93;\x94 separator)\njos\xe9;1;2\n";
    let (mut reader, safe) = Reader::of_file(&SCHEMA, bytes).unwrap();
    let row = reader.next_row().unwrap().unwrap();
    assert_eq!((row.value(LOGIN).as_deref(), row.surplus(NUMBERS).count(), safe), (Some("josé"), 1, true));
}

#[test]
fn excels_own_line_for_the_delimiter() {
    assert_eq!(read("sep=;\r\nLogin;Numbers\r\na;1\r\n"), ["3 a|1"]);
}

#[test]
fn the_line_for_the_delimiter_as_other_programs_save_it_again() {
    for line in ["sep=,", "sep=,,", "\"sep=,\"", "sep=;", "SEP=;,,", "sep=,;", "\u{feff}sep=,"] {
        assert_eq!(read(&format!("{line}\nLogin,Numbers\na,1\n")), ["3 a|1"], "{line}");
    }
}

#[test]
fn remarks_above_the_header_are_passed_over_and_said() {
    let text = "#TYPE Selected.Microsoft.ActiveDirectory.Management.ADUser\n# exported 2026\nLogin,Numbers\na,1\n";
    assert_eq!(read(text), ["4 a|1"]);
    let (mut reader, _) = Reader::of_file(&SCHEMA, text.as_bytes()).unwrap();
    assert!(reader.next_row().unwrap().is_some());
    let lines = |note: ReaderNote| match note {
        ReaderNote::LinePassedOver { line, .. } => Some(line),
        ReaderNote::NulBytes => None,
    };
    let notes: Vec<_> = reader.notes().into_iter().map(lines).collect();
    assert_eq!(notes, [Some(1), Some(2)]);
    assert_eq!(read("#,Login,Numbers\n1,a,5\n"), ["2 a|5"]);
}

#[test]
fn surplus_cells_are_more_numbers_only_past_the_numbers() {
    assert_eq!(read("Login;Numbers\na;1;2;3\n"), ["2 a|1|2|3"]);
    assert_eq!(read("Login;Numbers;;\na;1;2;3;4\n"), ["2 a|1|2|3|4"], "a spreadsheet has widened the header");
    assert_eq!(read("Login;Numbers;Note\na;1;x;2\nb;1;x;\n"), ["2 TooManyCells", "3 b|1"]);
    assert_eq!(read("Login,Numbers,,\na,1,2\nb,1,,\n"), ["2 TooManyCells", "3 b|1"]);
}

#[test]
fn the_end_of_a_dos_file_is_no_row() {
    assert_eq!(read("Login,Numbers\na,1\n\u{1a}"), ["2 a|1"]);
    assert_eq!(read("Login,Numbers\na,1\n\u{1a}\r\n"), ["2 a|1"]);
    assert_eq!(read("Login,Numbers\na,1\u{1a}"), ["2 a|1"]);
}

#[test]
fn rulers_of_tables_are_no_rows() {
    assert_eq!(read("Login|Numbers\n-----+-----\na|1\n"), ["3 a|1"]);
    assert_eq!(read("|Login|Numbers|\n|---|:---:|\n|a|1|\n"), ["3 a|1"]);
}

#[test]
fn a_header_that_is_repeated_is_no_row_and_one_with_other_columns_ends_what_can_be_read() {
    let repeated = "Login ID,Numbers\na,1\n\u{feff}\"login id\",NUMBERS\nb,2\nlogin,3\n";
    assert_eq!(read(repeated), ["2 a|1", "3 Header", "4 b|2", "5 login|3"]);
    let other = "Login ID,Numbers\na,1\nNumbers,Login ID\n2,b\nLogin ID,Numbers\nc,3\n";
    assert_eq!(read(other), ["2 a|1", "3 OtherHeader(3)", "4 OtherHeader(3)", "5 Header", "6 c|3"]);
}

#[test]
fn a_blank_before_a_quote_is_passed_over() {
    assert_eq!(read("Login ID, Numbers\na, \"1; 2\"\nb,  \"3\" \n"), ["2 a|1; 2", "3 b|3"]);
    assert_eq!(read("\"Login ID\", \"Numbers\"\n\"a\", \"1\n2\"\n"), ["2 a|1\n2"]);
    // It is a character where it closes nothing.
    assert_eq!(read("Login,Numbers\na, \"b\" c\nd,2\n"), ["2 a|\"b\" c", "3 d|2"]);
}

#[test]
fn the_header_says_why_it_is_none() {
    for (text, why) in [
        ("\"Login ID,Numbers\"\n\"a,1\"\n", "one quoted cell"),
        ("<html>\n", "web page"),
        ("{\\rtf1\\ansi\n", "word processor"),
    ] {
        let (code, _, message) = fault(text);
        assert!(code == FileCode::HeaderMissing && message.contains(why), "{message}");
    }
}

#[test]
fn names_compare_by_letters_and_digits() {
    for name in [
        "LOGIN ID",
        " login_id ",
        "Login-Id",
        "loginID (required)",
        "(Required) Login ID",
        "[required] Login ID",
        "Login ID [x]",
        "*Login ID",
        "\u{200b}Login\u{a0}ID",
    ] {
        assert_eq!(plain_name(name), "loginid", "{name}");
    }
}

#[test]
fn blank_rows_and_columns_are_passed_over() {
    assert_eq!(read("\n\nLogin,Numbers,\n\na,1,\n,,\n\"\",\"\"\n \nb,2\n,,,,\n\n"), ["5 a|1", "9 b|2"]);
}

#[test]
fn a_row_whose_cells_hold_a_quote_or_a_quoted_delimiter_is_not_blank() {
    assert_eq!(read("Login;Numbers\n\";;\";\n\" \";\n"), ["2 ;;|"]);
    assert_eq!(
        read("Login,Numbers\n\"\"\"\",\n \",1\n,\"\"\"\"\n\" \"\"\",1\n\"\",\" \"\n"),
        ["2 \"|", "3 \"|1", "4 |\"", "5 \"|1"]
    );
}

#[test]
fn column_count() {
    assert_eq!(
        read("Login,Numbers,Note\na\nb,1\nc,2,x\nd,3,x,\ne,4,x,5\n"),
        ["2 TooFewCells", "3 b|1", "4 c|2", "5 d|3", "6 TooManyCells"]
    );
}

#[test]
fn broken_rows_cost_themselves_alone() {
    assert_eq!(read("Login,Numbers\na,\"1\nb,2\n\"c\",\"3\n4\"\nd,5"), ["2 Unbalanced", "3 b|2", "4 c|3\n4", "6 d|5"]);
}

#[test]
fn header_missing() {
    let (code, line, message) = fault("\nuser1,98765\nuser2,98766\n");
    assert_eq!((code, line), (FileCode::HeaderMissing, Some(2)));
    assert_eq!(
        message,
        r#"The first row must name the columns. Missing: "Login ID", "Numbers". It has: "user1", "98765"."#
    );
}

#[test]
fn header_ambiguous() {
    let (code, line, message) = fault("Login ID,Numbers,Login\na,1,b\n");
    assert_eq!((code, line), (FileCode::HeaderAmbiguous, Some(1)));
    assert_eq!(message, r#"The columns "Login ID" and "Login" both stand for Login ID. Keep one of them."#);
}

#[test]
fn file_empty() {
    for text in ["", "\n\n", "\u{feff}", "Login,Numbers", "Login,Numbers\n\n,,\n"] {
        assert_eq!(fault(text).0, FileCode::FileEmpty, "{text:?}");
    }
}

#[test]
fn malformed_csv() {
    assert_eq!(fault("Login,\"Numbers\na,1\n").0, FileCode::MalformedCsv);
    assert_eq!(fault(&"x".repeat(MAX_RECORD_BYTES * 2)).0, FileCode::MalformedCsv);
}

/// A header of so many columns, those of the schema first.
fn header_of(columns: usize) -> String {
    let names = (2..columns).map(|column| format!(",c{column}"));
    format!("Login,Numbers{}\n", names.collect::<String>())
}

#[test]
fn columns_are_bounded_and_so_are_those_of_a_report() {
    let ours = format!(",{}\n", RESULT_COLUMNS.join(","));
    let report = |columns| header_of(columns).replace('\n', &ours);
    for good in [header_of(MAX_COLUMNS), report(MAX_COLUMNS)] {
        assert_eq!(read(&format!("{good}a,1\n")), ["2 a|1"]);
    }
    for bad in [header_of(MAX_COLUMNS + 1), report(MAX_COLUMNS + 1), ",".repeat(100_000), header_of(15_000)] {
        for delimiter in [",", ";", "\t"] {
            let (code, line, _) = fault(&format!("{bad}a,1\n").replace(',', delimiter).replace("\n\n", "\n"));
            let blank = bad.starts_with(',');
            assert!(blank || (code, line) == (FileCode::TooManyColumns, Some(1)), "{delimiter} {code}");
        }
    }
}

#[test]
fn rows_may_end_early_as_long_as_that_is_little_beside_the_file() {
    let usual = "user12345,+919876543210\n".repeat(10_000);
    for columns in [2, 20, 190] {
        assert_eq!(read_in(format!("{}{usual}", header_of(columns)).as_bytes(), 1 << 16).unwrap().len(), 10_000);
    }
    let few = "a,1\n".repeat(50);
    assert_eq!(read_in(format!("{}{few}", header_of(MAX_COLUMNS)).as_bytes(), 1 << 16).unwrap().len(), 50);
    let full = format!("a,1{}\n", ",".repeat(MAX_COLUMNS - 2)).repeat(1_000);
    assert_eq!(read_in(format!("{}{full}", header_of(MAX_COLUMNS)).as_bytes(), 1 << 16).unwrap().len(), 1_000);
    for columns in [60, 200, MAX_COLUMNS] {
        let many = "a,1\n".repeat(10_000);
        let fault = read_in(format!("{}{many}", header_of(columns)).as_bytes(), 1 << 16).unwrap_err();
        assert_eq!(fault.code, FileCode::TooManyColumns, "{columns}");
        assert!(fault.line.is_some_and(|line| line > 50), "{fault}");
    }
}

#[test]
fn an_earlier_report_is_read_as_the_file_it_reports_on() {
    let report = "Login ID,Numbers,Line,Status,Error Code,Error Field,Error Value,Error Message\n\
                  a,1,2,failed,X,Y,Z,\"A, B\"\nb,2\n";
    assert_eq!(read(report), ["2 a|1", "3 b|2"]);
    let mut reader = Reader::new(&SCHEMA);
    reader.push(report.as_bytes()).unwrap();
    reader.end().unwrap();
    let row = reader.next_row().unwrap().unwrap();
    assert_eq!(row.header().names, ["Login ID", "Numbers"]);
    assert_eq!(row.original(), ["a", "1"]);
}

#[test]
fn a_report_repeats_every_value_whatever_the_shape() {
    let text = "Login;Numbers;Note\na;1;x;2;3\n\"b;1\nc\n'+5;\"'=6\";\n";
    let mut reader = Reader::new(&SCHEMA);
    reader.push(text.as_bytes()).unwrap();
    reader.end().unwrap();
    let mut originals = Vec::new();
    while let Some(row) = reader.next_row().unwrap() {
        originals.push(row.original().join("/"));
    }
    assert_eq!(originals, ["a/1/x;2;3", "\"b;1//", "c//", "+5/=6/"]);
}

#[test]
fn what_is_written_reads_back() {
    let rows = [["=1+1", "+91"], ["'=1", "a;b"], ["x\ny", "\"q\""], ["José 😀", "عربي"]];
    for delimiter in *b",;\t|" {
        let mut writer = Writer::new(delimiter);
        writer.record(["Login ID", "Numbers"]);
        for row in &rows {
            writer.record(row.iter().copied());
        }
        let written = writer.take();
        let expected: Vec<_> = rows.iter().map(|row| row.join("|")).collect();
        let read = read_in(&written, 7).unwrap();
        let read: Vec<_> = read.iter().map(|row| row.split_once(' ').unwrap().1.to_owned()).collect();
        assert_eq!(read, expected);
    }
}

#[test]
fn ranges_read_side_by_side_give_the_rows_of_the_whole() {
    let text = "Login,Numbers\na,1\n\"b\",\"2\n2\"\nc,3\nd,4\n";
    let starts = [(14, 2), (18, 3), (28, 5), (32, 6)];
    let mut whole = Reader::new(&SCHEMA);
    whole.push(text.as_bytes()).unwrap();
    whole.end().unwrap();
    whole.next_row().unwrap();
    let header = whole.header().unwrap().clone();
    let mut rows = Vec::new();
    for (index, &(start, first_line)) in starts.iter().enumerate() {
        let end = starts.get(index + 1).map_or(text.len() as u64, |next| next.0);
        let mut reader = Reader::of_range(&SCHEMA, header.clone(), ByteRange { start, end, first_line });
        reader.push(&text.as_bytes()[usize::try_from(start).unwrap()..]).unwrap();
        reader.end().unwrap();
        while let Some(row) = reader.next_row().unwrap() {
            rows.push(format!("{} {}", row.line, row.value(LOGIN).unwrap()));
        }
    }
    assert_eq!(rows, ["2 a", "3 b", "5 c", "6 d"]);
}
