//! Which encoding a file is in that neither says so nor is UTF-8.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::MACINTOSH;

use super::{Encoding, Of, dos::Page};

/// What a file's encoding seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The likeliest encoding.
    pub encoding: Encoding,
    /// Nothing else is likely. Where it isn't safe, names may come out wrong.
    pub safe: bool,
}

/// Judges a whole file, byte by byte. Memory stays within one word.
///
/// - Words that are UTF-8 hardly ever occur in another encoding. A file with as many of them as of others is UTF-8, and the
///   others are broken.
/// - Western languages set single accented letters between plain ones, so it shows whether the words of a file make sense in
///   Windows-1252, in the encoding of old Macs, or in the code pages of DOS.
/// - Everything else is guessed by the frequencies of letters (the crate `chardetng`, which is Firefox's).
pub struct Judge {
    detector: EncodingDetector,
    word: Vec<u8>,
    utf8: Count,
    western: [(Encoding, Count); 4],
}

#[derive(Clone, Copy, Default)]
struct Count {
    good: u64,
    bad: u64,
}

/// Longest word that is looked at, in bytes.
const MAX_WORD: usize = 64;
/// Words in another alphabet from which on a guess by frequencies is safe.
const ENOUGH_WORDS: u64 = 40;
/// Words below which a guess by frequencies says less than that every word makes sense in Windows-1252.
const FEW_WORDS: u64 = 5;

impl Default for Judge {
    fn default() -> Self {
        let western = [
            Encoding::WINDOWS_1252,
            Encoding(Of::Web(MACINTOSH)),
            Encoding(Of::Dos(Page::Cp850)),
            Encoding(Of::Dos(Page::Cp437)),
        ];
        Self {
            detector: EncodingDetector::new(Iso2022JpDetection::Deny),
            word: Vec::new(),
            utf8: Count::default(),
            western: western.map(|encoding| (encoding, Count::default())),
        }
    }
}

impl Judge {
    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.detector.feed(bytes, false);
        for &byte in bytes {
            // What parts cells and words is the same in every encoding.
            if matches!(byte, 0..=b' ' | b'"' | b',' | b';' | b'(' | b')' | b'@' | b':' | b'/') {
                self.end_word();
            } else if self.word.len() < MAX_WORD {
                self.word.push(byte);
            }
        }
    }

    /// The whole of a file.
    pub fn of(bytes: &[u8]) -> Judged {
        let mut judge = Self::default();
        judge.push(bytes);
        judge.finish()
    }

    /// The judgement, when the file has ended.
    pub fn finish(mut self) -> Judged {
        self.end_word();
        self.detector.feed(&[], true);
        let words = self.utf8.good + self.utf8.bad;
        if self.utf8.good > 0 && self.utf8.good >= self.utf8.bad {
            return Judged { encoding: Encoding::UTF_8, safe: true };
        }
        let guess = Encoding(Of::Web(self.detector.guess(None, Utf8Detection::Deny)));
        let [(windows, count), others @ ..] = self.western;
        if count.makes_sense() {
            if guess == windows {
                return Judged { encoding: windows, safe: true };
            }
            // By a handful of words frequencies can't be told.
            let encoding = if words < FEW_WORDS { windows } else { guess };
            return Judged { encoding, safe: words < FEW_WORDS };
        }
        let other = others.into_iter().find(|(_, count)| count.makes_sense()).map(|(encoding, _)| encoding);
        match other {
            Some(encoding) => Judged { encoding, safe: false },
            None => Judged { encoding: guess, safe: guess != windows && words >= ENOUGH_WORDS },
        }
    }

    fn end_word(&mut self) {
        if !self.word.is_ascii() {
            self.utf8.add(std::str::from_utf8(&self.word).is_ok());
            for (encoding, count) in &mut self.western {
                let word: Vec<char> = match encoding.0 {
                    Of::Web(web) => web.decode_without_bom_handling(&self.word).0.chars().collect(),
                    Of::Dos(page) => self.word.iter().map(|&byte| page.char(byte)).collect(),
                };
                count.add(makes_sense(&word));
            }
        }
        self.word.clear();
    }
}

impl Count {
    fn add(&mut self, good: bool) {
        *if good { &mut self.good } else { &mut self.bad } += 1;
    }

    fn makes_sense(self) -> bool {
        self.good > 0 && self.bad == 0
    }
}

const SMALL: &str = "àáâãäåæçèéêëìíîïñòóôõöøùúûüÿœß";
const CAPITAL: &str = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜŒ";
/// Marks that stand before a word.
const OPENING: &str = "‘“„‚«¡¿";
/// Marks that stand by themselves, or beside digits.
const BEFORE_DIGITS: &str = "–—…•€£©®™§";
/// Marks that stand at an end of a word.
const MARKS: &str = "’”»°ºª·\u{a0}";

/// Whether a word could be of a western language: single accented letters among plain ones, small beside small, and marks
/// at its ends.
fn makes_sense(word: &[char]) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || SMALL.contains(c) || CAPITAL.contains(c);
    let plain = word.iter().any(char::is_ascii_alphabetic);
    let mut run = 0;
    for (at, &c) in word.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| word[at]);
        let after = word.get(at + 1).copied();
        run = if c.is_ascii() { 0 } else { run + 1 };
        let fits = match c {
            _ if c.is_ascii() => true,
            _ if run > 2 => false,
            // A word of one accented letter, such as "à".
            _ if !plain && SMALL.contains(c) => word.len() == 1 && "àéóèù".contains(c),
            _ if SMALL.contains(c) => {
                let capital = |c: Option<char>| c.is_some_and(|c| c.is_ascii_uppercase());
                plain && !(capital(before) && capital(after))
            }
            _ if CAPITAL.contains(c) => plain && before.is_none_or(|before| !letter(before) || before.is_uppercase()),
            // O’Neil, D’Souza, Ann’s.
            '’' if before.is_some_and(letter) && after.is_some_and(letter) => {
                at <= 2 || (after == Some('s') && at + 2 == word.len())
            }
            _ if OPENING.contains(c) => !before.is_some_and(letter),
            _ if BEFORE_DIGITS.contains(c) => !before.is_some_and(letter) && !after.is_some_and(letter),
            _ if MARKS.contains(c) => !(before.is_some_and(letter) && after.is_some_and(letter)),
            _ => false,
        };
        if !fits {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(label: &str, text: &str) -> Vec<u8> {
        let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
        let (bytes, _, unmappable) = encoding.encode(text);
        assert!(!unmappable, "{text}");
        bytes.into_owned()
    }

    fn dos(text: &str) -> Vec<u8> {
        let byte = |c: char| (0..=255).find(|&byte| Page::Cp850.char(byte) == c).unwrap();
        text.chars().map(byte).collect()
    }

    #[test]
    fn names_of_western_europe_are_safe_in_windows_1252() {
        for name in [
            "José",
            "Jürgen Müller",
            "Françoise Lefèvre",
            "Zoë",
            "Åse Sørensen",
            "O’Neil",
            "“;”",
            "MÜLLER",
            "Größe",
            "Núñez",
        ] {
            let file = encoded("windows-1252", &format!("Login ID,Name\na,{name}\n"));
            assert_eq!(Judge::of(&file), Judged { encoding: Encoding::WINDOWS_1252, safe: true }, "{name}");
        }
    }

    #[test]
    fn a_file_of_an_old_mac_or_of_dos_is_known_and_doubted() {
        let text = "Login ID,Name\na,José Núñez\nb,Jürgen Müller\nc,François\n";
        assert_eq!(
            Judge::of(&encoded("macintosh", text)),
            Judged { encoding: "macintosh".parse().unwrap(), safe: false }
        );
        assert_eq!(Judge::of(&dos(text)), Judged { encoding: "cp850".parse().unwrap(), safe: false });
    }

    #[test]
    fn other_alphabets_are_told_and_doubted_where_there_is_little_of_them() {
        for (label, name) in [
            ("windows-1251", "Иван Петров"),
            ("shift_jis", "佐藤太郎"),
            ("gbk", "王小明"),
            ("windows-1256", "أحمد الشيخ"),
        ] {
            let judged = Judge::of(&encoded(label, &format!("Login ID,Name\na,{name}\n")));
            assert!(!judged.safe, "{label} {name}: {judged:?}");
        }
        // One letter by itself is no word of western Europe.
        assert!(!Judge::of(b"Login ID,Name\na,\xC7\n").safe);
        for (label, names) in [
            ("windows-1251", ["Иван Петров", "Мария Смирнова", "Сергей Кузнецов", "Ольга Соколова"].as_slice()),
            ("shift_jis", &["佐藤太郎", "鈴木花子さん", "高橋のカスタマー", "田中サポート"]),
        ] {
            let rows: String = (0..60).map(|row| format!("user{row},{}\n", names[row % names.len()])).collect();
            let judged = Judge::of(&encoded(label, &format!("Login ID,Name\n{rows}")));
            assert_eq!(judged, Judged { encoding: label.parse().unwrap(), safe: true });
        }
    }

    #[test]
    fn utf8_with_a_broken_cell_stays_utf8() {
        let mut file = "Login ID,Name\na,मीरा\nb,José\nc,".as_bytes().to_vec();
        file.extend_from_slice(b"\xE0\xA4\xA8\xE0\xA4\n");
        assert_eq!(Judge::of(&file), Judged { encoding: Encoding::UTF_8, safe: true });
    }

    #[test]
    fn the_pieces_that_a_file_comes_in_never_matter() {
        let file = encoded("windows-1251", "Login ID,Name\na,Иван Петров\nb,Ольга\n");
        for piece in 1..9 {
            let mut judge = Judge::default();
            file.chunks(piece).for_each(|bytes| judge.push(bytes));
            assert_eq!(judge.finish(), Judge::of(&file), "{piece}");
        }
    }
}
