//! Cells that hold no value, though they aren't empty.

use crate::spelling::fold;

/// What stands in a cell in place of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blank {
    /// The error of a formula: `#N/A`, `#REF!`. There should have been a value, and it is lost.
    Error,
    /// What an export writes where there is nothing: `NULL`, `nan`, `-`. It is read as an empty cell.
    Placeholder,
}

/// What a cell without padding holds in place of a value, if it does.
pub fn of(text: &str) -> Option<Blank> {
    /// No word of the lists has more bytes.
    const LONGEST: usize = 40;
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    if is_error(text) {
        return Some(Blank::Error);
    }
    is_placeholder(text).then_some(Blank::Placeholder)
}

/// Errors of Excel, `LibreOffice`, Google Sheets and Numbers, in the languages that they are written in: `#` and capitals
/// with `!`, `?` or `/`, or one of those that have no such mark.
fn is_error(text: &str) -> bool {
    const UNMARKED: &[&str] = &[
        "nv",
        "nd",
        "yok",
        "hiányzik",
        "puuttuu",
        "saknas",
        "field",
        "getting_data",
        "spill",
        "calc",
        "blocked",
        "connect",
        "busy",
        "unknown",
        "external",
        "ref",
        "value",
        "name",
        "num",
        "null",
        "div0",
        "nosp",
        "n/a n/a",
        "údaj_není_k_dispozici",
        "nenídostupný",
        "manquant",
    ];
    if let Some(error) = text.strip_prefix(['#', '＃']) {
        let error = fold(error);
        // A column that was too narrow when it was printed into a file.
        let narrow = !error.is_empty() && error.chars().all(|c| c == '#');
        let letters = |c: char| {
            (c.is_alphanumeric() && !c.is_lowercase()) || matches!(c, '/' | '_' | '-' | ' ' | '¡' | '¿' | '.')
        };
        let marked = error.ends_with(['!', '?']) && !error.contains("  ") && {
            let capitals = text.trim_start_matches(['#', '＃']).trim_end_matches(['!', '?']);
            !capitals.is_empty() && capitals.chars().all(|c| letters(c) || c.is_lowercase())
        };
        return narrow || marked || is_short_fraction(&error) || UNMARKED.contains(&&*error);
    }
    // `LibreOffice` writes the number of the error behind a word of the user's language.
    let number = text.rsplit_once(':').filter(|(word, _)| !word.is_empty() && word.chars().all(char::is_alphabetic));
    number.is_some_and(|(word, number)| {
        const WORDS: &[&str] = &[
            "err",
            "error",
            "fehler",
            "erreur",
            "errore",
            "erro",
            "fout",
            "fel",
            "feil",
            "fejl",
            "błąd",
            "ошибка",
            "chyba",
            "hiba",
        ];
        number.len() == 3
            && number.starts_with('5')
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && WORDS.contains(&&*fold(word))
    })
}

/// `N/A` and its translations: letters, a slash, letters.
fn is_short_fraction(text: &str) -> bool {
    text.trim_start_matches('¡').split_once('/').is_some_and(|(before, after)| {
        let letters = |part: &str| (1..=2).contains(&part.chars().count()) && part.chars().all(char::is_alphabetic);
        letters(before) && letters(after.trim_end_matches(['!', '?']))
    })
}

/// Words for nothing, of databases, programs and people.
fn is_placeholder(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "null",
        "none",
        "nan",
        "-nan",
        "nat",
        "na",
        "nil",
        "n/a",
        "n.a.",
        "n.a",
        "n/d",
        "n.d.",
        "undefined",
        "blank",
        "empty",
        "missing",
        "no value",
        "no data",
        "not available",
        "not applicable",
        "not set",
        "k. a.",
        "k.a.",
        "keine angabe",
        "leer",
        "vide",
        "s/o",
        "néant",
        "nulo",
        "vacío",
        "vazio",
        "vuoto",
        "n.v.t.",
        "nvt",
        "н/д",
        "нет данных",
        "пусто",
        "なし",
        "該当なし",
        "无",
        "空",
        "沒有",
        "없음",
        "\\n",
        "1.#qnan",
        "1.#ind",
        "-1.#ind",
        "#n/a",
    ];
    let bare = text.trim();
    // Dashes, points and question marks alone say that there is nothing to say.
    if bare.chars().all(|c| matches!(c, '-' | '.' | '?' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '…')) {
        return true;
    }
    let bracketed = [('(', ')'), ('<', '>'), ('[', ']'), ('{', '}')]
        .iter()
        .find_map(|(open, close)| bare.strip_prefix(*open)?.strip_suffix(*close));
    let word = bracketed.unwrap_or(bare).trim();
    // People are called Na, Nan and Nil.
    let name = matches!(word, "Na" | "Nan" | "Nil") && bracketed.is_none();
    if name {
        return false;
    }
    if word.is_ascii() {
        return WORDS.iter().any(|known| known.eq_ignore_ascii_case(word));
    }
    let folded = fold(word);
    WORDS.iter().any(|known| *known == folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_spreadsheets_in_their_languages() {
        for text in [
            "#N/A",
            "#NAME?",
            "#REF!",
            "#VALUE!",
            "#DIV/0!",
            "#NULL!",
            "#NUM!",
            "#SPILL!",
            "#CALC!",
            "#GETTING_DATA",
            "#NV",
            "#BEZUG!",
            "#WERT!",
            "#¡REF!",
            "#¡VALOR!",
            "#¿NOMBRE?",
            "#ЗНАЧ!",
            "#Н/Д",
            "#ССЫЛКА!",
            "#N/D",
            "#NOM?",
            "#ARG!",
            "#YOK",
            "#SAYI/0!",
            "####",
            "#ERROR!",
            "Err:502",
            "Fehler:508",
            "#n/a",
            "#I/T",
            "#ADR!",
            "#I/T!",
        ] {
            assert_eq!(of(text), Some(Blank::Error), "{text}");
        }
    }

    #[test]
    fn placeholders_of_databases_programs_and_people() {
        for text in [
            "NULL",
            "null",
            "(null)",
            "<null>",
            "[NULL]",
            "nan",
            "NaN",
            "<NA>",
            "NA",
            "N/A",
            "n/a",
            "n.a.",
            "None",
            "none",
            "nil",
            "-",
            "--",
            "—",
            "–",
            ".",
            "?",
            "\\N",
            "undefined",
            "(blank)",
            "(empty)",
            "NaT",
            "k.A.",
            "н/д",
            "なし",
            "…",
            "( null )",
            "[not set]",
        ] {
            assert_eq!(of(text), Some(Blank::Placeholder), "{text}");
        }
    }

    #[test]
    fn values_that_look_like_none_are_values() {
        for text in [
            "Asha",
            "Nan Goldin",
            "Nan",
            "Na",
            "Nil",
            "Christopher Null",
            "#1 Team",
            "#sales",
            "A/B",
            "Nova",
            "No",
            "0",
            "Err",
            "Error:5",
            "Nanny",
            "O'Neil",
            "Desk - 2",
            "K. Angabe",
            "#5",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
