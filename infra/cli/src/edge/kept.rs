//! Answers that are kept: for as long as the API says, and longer where it can't be asked.

use std::hash::Hash;
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;

/// Answers that are kept at most: of more, those go first that are asked for least.
const MOST: usize = 100_000;
/// How old an answer may be that stands in for one that the API doesn't give.
const LAST_KNOWN: Duration = Duration::from_hours(1);

/// What was answered to each question.
pub struct Kept<Question, Answer> {
    answers: Cache<Question, Entry<Answer>>,
}

#[derive(Clone)]
struct Entry<Answer> {
    answer: Answer,
    /// When it was asked for: it may have been out of date by the time that it came.
    asked: Instant,
    good_for: Duration,
}

/// What is known of a question without asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known<Answer> {
    /// It may be given.
    Fresh(Answer),
    /// It may be given where the API can't be asked.
    Old(Answer),
    /// Nothing, or nothing that is young enough.
    Nothing,
}

impl<Question: Clone + Eq + Hash, Answer: Clone> Kept<Question, Answer> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { answers: Cache::new(MOST) }
    }

    /// What is known now.
    pub fn look(&self, question: &Question, now: Instant) -> Known<Answer> {
        let Some(Entry { answer, asked, good_for }) = self.answers.get(question) else { return Known::Nothing };
        match now.saturating_duration_since(asked) {
            age if age < good_for => Known::Fresh(answer),
            age if age < LAST_KNOWN => Known::Old(answer),
            _ => Known::Nothing,
        }
    }

    /// Keeps an answer to what was asked then. A later one is never written over: answers may overtake each other.
    pub fn keep(&self, question: &Question, answer: Answer, asked: Instant, good_for: Duration) {
        if self.answers.peek(question).is_none_or(|kept| kept.asked <= asked) {
            self.answers.insert(question.clone(), Entry { answer, asked, good_for });
        }
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.answers.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_fresh_as_long_as_was_said_and_stands_in_for_an_hour() {
        let (asked, moment) = (Instant::now(), Duration::from_millis(1));
        let good_for = Duration::from_secs(5);
        let kept = Kept::new();
        assert_eq!(kept.look(&1, asked), Known::Nothing);
        kept.keep(&1, "yes", asked, good_for);
        assert_eq!(kept.look(&1, asked + good_for.saturating_sub(moment)), Known::Fresh("yes"));
        assert_eq!(kept.look(&1, asked + good_for), Known::Old("yes"));
        assert_eq!(kept.look(&1, asked + LAST_KNOWN.saturating_sub(moment)), Known::Old("yes"));
        assert_eq!(kept.look(&1, asked + LAST_KNOWN), Known::Nothing);
        assert_eq!(kept.look(&2, asked), Known::Nothing);
        kept.keep(&2, "no", asked, Duration::ZERO);
        assert_eq!(kept.look(&2, asked), Known::Old("no"), "what may not be kept stands in");
    }

    #[test]
    fn the_answer_to_what_was_asked_later_stands() {
        let (first, second) = (Instant::now(), Instant::now() + Duration::from_millis(5));
        let kept = Kept::new();
        kept.keep(&1, "no", second, Duration::from_secs(2));
        kept.keep(&1, "yes", first, Duration::from_secs(5));
        assert_eq!(kept.look(&1, second), Known::Fresh("no"));
    }

    #[test]
    fn memory_is_bounded() {
        let kept = Kept::new();
        let now = Instant::now();
        (0..2 * MOST).for_each(|question| kept.keep(&question, (), now, Duration::ZERO));
        assert!(kept.len() <= MOST, "{}", kept.len());
    }
}
