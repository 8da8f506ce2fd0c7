//! Keeps spreadsheets from taking a cell for a formula (OWASP ASVS 5.3.10; OWASP "CSV Injection").
//!
//! A cell that starts with a character of [`FORMULA_STARTS`] is written with a leading apostrophe, which a spreadsheet
//! shows as text. Every number in E.164 form is such a cell. Reading takes the apostrophe off again, so that writing and
//! reading give the same values, whatever they are.

use std::borrow::Cow;

/// What makes a spreadsheet reckon, or cut the cell up and then reckon.
pub const FORMULA_STARTS: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\0'];

/// The cell as it is written.
pub fn guard(value: &str) -> Cow<'_, str> {
    if value.trim_start_matches('\'').starts_with(FORMULA_STARTS) {
        Cow::Owned(format!("'{value}"))
    } else {
        Cow::Borrowed(value)
    }
}

/// The value of a cell that was written by [`guard`], or typed with an apostrophe for the same reason.
pub fn unguard(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(value) if value.trim_start_matches('\'').starts_with(FORMULA_STARTS) => value,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text_and_read_back() {
        for value in
            ["=1+1", "+919876543210", "-5", "@x", "\tx", "\rx", "\0", "'=1", "''+9", "'name", "O'Neil", "", "'"]
        {
            let written = guard(value);
            assert!(!written.starts_with(FORMULA_STARTS), "{value:?}");
            assert_eq!(unguard(&written), value, "{value:?}");
        }
        assert_eq!(guard("'name"), "'name");
        assert_eq!(unguard("'+919876543210"), "+919876543210");
    }
}
