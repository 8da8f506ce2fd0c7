//! What holds for every file and every directory.

use super::*;

/// Cells of every kind: good, bad, odd, empty, quoted, with line ends, with formulas.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "(user[0-9]|USER[0-9])",
        6 => "98765432[0-9]{2}(;98765432[0-9]{2}){0,3}",
        1 => "[ ;'=+@.-]{0,4}98765432[0-9]{2}[ ;]?",
        1 => "9\\.[0-9]{4}E[0-9]{1,2}",
        1 => "[a-z\"',;\n\r =+@\u{0}\u{a0}é😀ا-]{0,12}",
    ]
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r', ';']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

prop_compose! {
    fn file()(rows in prop::collection::vec((cell(), cell(), any::<bool>(), 0..20_u8), 1..30)) -> String {
        let mut file = "Login ID,Allowed Caller ID\n".to_owned();
        for (login, numbers, crlf, broken) in rows {
            let open = if broken == 0 { "\"" } else { "" };
            file.push_str(&format!("{},{open}{}{}", quoted(&login), quoted(&numbers), if crlf { "\r\n" } else { "\n" }));
        }
        file.push_str("user0,9876543200\n");
        file
    }
}

proptest! {
    #[test]
    fn rows_in_are_rows_out_an_append_never_removes_and_a_replay_changes_nothing(file in file(), limit in 1..8_usize) {
        let mut directory = Directory::with(&["user0", "user1", "user2"]);
        directory.user("user3", Policy::All, &["+919876543200", "+919876543201"]);
        let before = directory.clone();

        let ran = run_with(file.as_bytes(), &mut directory, &[], limit);
        let mut rows = 0;
        each_row(file.as_bytes(), |_| rows += 1);
        prop_assert_eq!(ran.counts.rows(), rows);
        prop_assert_eq!(ran.rows.len() as u64, rows);
        prop_assert_eq!(ran.counts.unprocessed, 0);
        for (login, (standing, list)) in &before.0 {
            let (standing_after, after) = &directory.0[login];
            prop_assert!(after.is_superset(list));
            prop_assert_eq!(standing, standing_after);
        }

        let after = directory.clone();
        let again = run_with(file.as_bytes(), &mut directory, &[], limit);
        prop_assert_eq!(again.added, 0);
        prop_assert_eq!(again.counts.applied, 0);
        prop_assert_eq!(again.counts.rows(), rows);
        prop_assert_eq!(&after.0, &directory.0);
    }

    #[test]
    fn the_failed_file_dropped_again_gives_the_same_verdicts(file in file()) {
        let mut directory = Directory::with(&["user0", "user1", "user2"]);
        run_with(file.as_bytes(), &mut directory, &[], 100);
        let ran = run_with(file.as_bytes(), &mut directory, &[], 100);
        if ran.counts.needs_correction() > 0 {
            let again = run_with(&ran.failed, &mut directory, &[], 100);
            let verdict = |row: &&String| row.starts_with("failed") || row.starts_with("partial");
            // A row that could not be cut comes back as one whole cell, which is another complaint.
            let kinds = |rows: &[String]| rows.iter().filter(verdict).count();
            prop_assert_eq!(kinds(&ran.rows), kinds(&again.rows));
        }
    }
}
