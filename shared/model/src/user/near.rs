//! Login IDs that somebody may have meant who has written one that nobody has.

use rollcall_tabular::text::shown;

use super::fold;

/// Digits that a column of numbers takes the zeros off at most: codes of employees have some six to ten.
const MOST_DIGITS: usize = 10;
/// Shortest login ID, in characters, of which a single edit leaves most.
const SHORTEST: usize = 3;
/// Longest login ID, in characters, of which every single edit is looked up: an address has some thousand of them.
const LONGEST: usize = 24;
/// What login IDs are made of, beside what stands in the one that was written.
const ALPHABET: &str = "abcdefghijklmnopqrstuvwxyz0123456789._-@";

/// What a folded login ID may have been before a spreadsheet or a hand spoilt it, the likeliest first: with other zeros in front of its
/// digits, with other letters that look the same, without the domain, with another separator, with two letters changed over, without
/// one. They are some dozens.
pub fn likely(login: &str) -> Vec<String> {
    let mut found = Vec::new();
    zeros(login, &mut found);
    look_alikes(login, &mut found);
    domain(login, &mut found);
    separators(login, &mut found);
    let letters: Vec<char> = login.chars().collect();
    for at in 0..if letters.len() < SHORTEST { 0 } else { letters.len() } {
        let mut other = letters.clone();
        if at + 1 < letters.len() {
            other.swap(at, at + 1);
            found.push(other.iter().collect());
            other.swap(at, at + 1);
        }
        other.remove(at);
        found.push(other.iter().collect());
    }
    distinct(login, found)
}

/// Every login ID that has one letter more than this one, or another letter; none where that would be too many.
pub fn single_edits(login: &str) -> Vec<String> {
    let letters: Vec<char> = login.chars().collect();
    if !(SHORTEST..=LONGEST).contains(&letters.len()) {
        return Vec::new();
    }
    let mut alphabet: Vec<char> = ALPHABET.chars().chain(letters.iter().copied()).collect();
    alphabet.sort_unstable();
    alphabet.dedup();
    let mut found = Vec::with_capacity((2 * letters.len() + 1) * alphabet.len());
    for at in 0..=letters.len() {
        for &job_email in &alphabet {
            let put_in = letters[..at].iter().chain([&job_email]).chain(&letters[at..]);
            found.push(put_in.collect());
            if at < letters.len() {
                let replaced = letters[..at].iter().chain([&job_email]).chain(&letters[at + 1..]);
                found.push(replaced.collect());
            }
        }
    }
    distinct(login, found)
}

/// The question whether one of these was meant, to be put behind another sentence; nothing where nobody is near.
pub fn did_you_mean(near: &[String]) -> String {
    let quoted = near.iter().map(|login| format!("\"{}\"", shown(login))).collect::<Vec<_>>();
    if quoted.is_empty() { String::new() } else { format!(" Did you mean {}?", quoted.join(" or ")) }
}

/// The name that is nearest to one that nobody has, in any case; `None` where none is near enough to have been meant.
pub fn closest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Edits among so many letters are a slip of the hand: one in three.
    const LETTERS_PER_EDIT: usize = 3;
    let folded = fold(written);
    let near = names.into_iter().filter_map(|name| {
        let edits = strsim::damerau_levenshtein(&folded, &fold(name));
        let most = folded.chars().count().max(name.chars().count()) / LETTERS_PER_EDIT;
        (edits <= most).then_some((edits, name))
    });
    near.min_by_key(|(edits, _)| *edits).map(|(_, name)| name)
}

/// The last digits with fewer or more zeros in front.
fn zeros(login: &str, found: &mut Vec<String>) {
    let before = login.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &login[before.len()..];
    let bare = digits.trim_start_matches('0');
    if bare.is_empty() {
        return;
    }
    for width in bare.len()..=MOST_DIGITS.max(bare.len()) {
        found.push(format!("{before}{bare:0>width$}"));
    }
}

/// Letters and digits that look the same on a screen or in print, one by one and all together.
fn look_alikes(login: &str, found: &mut Vec<String>) {
    const PAIRS: [(&str, &str); 8] =
        [("o", "0"), ("l", "1"), ("i", "1"), ("l", "i"), ("s", "5"), ("b", "8"), ("rn", "m"), ("vv", "w")];
    for (one, other) in PAIRS.into_iter().flat_map(|(one, other)| [(one, other), (other, one)]) {
        for (at, _) in login.match_indices(one) {
            found.push(format!("{}{other}{}", &login[..at], &login[at + one.len()..]));
        }
        found.push(login.replace(one, other));
    }
}

/// The name before a domain, or behind the name of one (`ACME\ann`).
fn domain(login: &str, found: &mut Vec<String>) {
    if let Some((name, _)) = login.split_once('@') {
        found.push(name.to_owned());
    }
    if let Some((_, name)) = login.rsplit_once(['\\', '/']) {
        found.push(name.to_owned());
    }
}

/// Names with another separator between them, without one, or the other way round.
fn separators(login: &str, found: &mut Vec<String>) {
    const SEPARATORS: [&str; 5] = [".", "_", "-", " ", ""];
    let is_separator = |c: char| matches!(c, '.' | '_' | '-' | ' ');
    let parts: Vec<&str> = login.split(is_separator).filter(|part| !part.is_empty()).collect();
    if parts.len() > 1 {
        found.extend(SEPARATORS.map(|separator| parts.join(separator)));
        let turned: Vec<&str> = parts.iter().rev().copied().collect();
        found.extend(SEPARATORS.map(|separator| turned.join(separator)));
    }
}

/// Each once, in their order, without the login ID itself.
fn distinct(login: &str, found: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::from([login.to_owned()]);
    found.into_iter().filter(|one| !one.is_empty() && seen.insert(one.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spreadsheets_and_hands_do_to_a_login_is_among_the_likely() {
        for (written, meant) in [
            ("123", "00123"),
            ("00123", "123"),
            ("emp7", "emp007"),
            ("user1o", "user10"),
            ("useri", "user1"),
            ("rnaya", "maya"),
            ("o0o", "ooo"),
            ("asha.rao@example.com", "asha.rao"),
            ("acme\\asha", "asha"),
            ("asha rao", "asha.rao"),
            ("asharao.", "asharao"),
            ("rao.asha", "asha.rao"),
            ("ahsa.rao", "asha.rao"),
            ("usser1", "user1"),
        ] {
            assert!(likely(written).iter().any(|one| one == meant), "{written} {meant}");
        }
    }

    #[test]
    fn every_single_edit_is_found_and_only_those() {
        for (written, meant) in
            [("usr1", "user1"), ("uset1", "user1"), ("ser1", "user1"), ("आशा", "आशाआ"), ("asha", "ashá")]
        {
            let found =
                single_edits(written).iter().any(|one| one == meant) || likely(written).iter().any(|one| one == meant);
            assert_eq!(found, meant != "ashá", "{written} {meant}");
        }
        assert!(single_edits(&"x".repeat(LONGEST + 1)).is_empty() && single_edits("ab").is_empty());
    }

    #[test]
    fn there_are_not_many_and_none_twice() {
        let longest = "meera.nair_north-desk 0012";
        for login in ["user1", "123", longest, "", "0", "ä"] {
            for found in [likely(login), single_edits(login)] {
                let distinct: std::collections::HashSet<&String> = found.iter().collect();
                assert!(distinct.len() == found.len() && !distinct.contains(&login.to_owned()), "{login}");
                assert!(found.len() <= (2 * LONGEST + 1) * 60, "{login}: {}", found.len());
            }
        }
        assert!(likely(longest).len() <= 130, "{}", likely(longest).len());
    }
}
