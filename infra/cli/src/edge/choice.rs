//! Which number a call shows, of those that the user may dial from.

use std::collections::HashMap;

use rollcall_model::caller_id::CallerId;
use rollcall_model::country::area_of;
use rollcall_model::dial::Choice;

/// When each number was chosen last. Kept in memory, and begun anew with the process: no call costs a write.
#[derive(Debug, Default)]
pub struct Turns {
    last: HashMap<CallerId, u64>,
    turn: u64,
}

impl Turns {
    /// Chooses a number: one of the same area as who is called, then one that isn't flagged, then the one whose turn is longest ago. `None` where
    /// there is none to choose.
    pub fn choose(&mut self, choices: &[Choice], called: Option<CallerId>) -> Option<CallerId> {
        let area = called.and_then(area_of);
        let is_elsewhere =
            |number: CallerId| area.as_ref().is_none_or(|area| !number.digits().starts_with(area.as_str()));
        let last = |number| self.last.get(&number).copied().unwrap_or_default();
        let order =
            |choice: &&Choice| (is_elsewhere(choice.number), choice.flagged, last(choice.number), choice.number);
        let chosen = choices.iter().min_by_key(order)?.number;
        self.turn += 1;
        self.last.insert(chosen, self.turn);
        Some(chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> CallerId {
        text.parse().unwrap()
    }

    fn choices(numbers: &[(&str, bool)]) -> Vec<Choice> {
        numbers.iter().map(|(text, flagged)| Choice { number: number(text), flagged: *flagged }).collect()
    }

    /// Mumbai, Mumbai, Delhi, and one of a network of mobile telephones.
    const MUMBAI: [&str; 2] = ["+912261234501", "+912261234502"];
    const DELHI: &str = "+911161234503";
    const MOBILE: &str = "+919876500004";

    #[test]
    fn who_is_called_sees_a_number_of_the_same_area() {
        let all = choices(&[(MUMBAI[0], false), (MUMBAI[1], false), (DELHI, false), (MOBILE, false)]);
        let mut turns = Turns::default();
        for _ in 0..3 {
            assert_eq!(turns.choose(&all, Some(number("+911140000000"))), Some(number(DELHI)));
            let mumbai = turns.choose(&all, Some(number("+912240000000"))).unwrap();
            assert!(MUMBAI.map(number).contains(&mumbai));
        }
        let flagged = choices(&[(MUMBAI[0], true), (DELHI, false)]);
        assert_eq!(
            turns.choose(&flagged, Some(number("+912240000000"))),
            Some(number(MUMBAI[0])),
            "the area counts first"
        );
    }

    #[test]
    fn without_an_area_the_turn_goes_round_among_those_that_are_not_flagged() {
        let all = choices(&[(MUMBAI[0], false), (DELHI, true), (MOBILE, false)]);
        for called in [None, Some(number("+919800000000")), Some(number("+12025550123"))] {
            let mut turns = Turns::default();
            let chosen: Vec<_> = (0..4).filter_map(|_| turns.choose(&all, called)).collect();
            assert_eq!(chosen, [MUMBAI[0], MOBILE, MUMBAI[0], MOBILE].map(number));
        }
        assert_eq!(Turns::default().choose(&choices(&[(DELHI, true)]), None), Some(number(DELHI)), "better than none");
        assert_eq!(Turns::default().choose(&[], None), None);
    }

    #[test]
    fn two_users_who_share_numbers_take_turns() {
        let mut turns = Turns::default();
        let (ana, ravi) =
            (choices(&[(MUMBAI[0], false), (DELHI, false)]), choices(&[(MUMBAI[0], false), (MOBILE, false)]));
        assert_eq!(turns.choose(&ana, None), Some(number(DELHI)));
        assert_eq!(turns.choose(&ana, None), Some(number(MUMBAI[0])));
        assert_eq!(turns.choose(&ravi, None), Some(number(MOBILE)));
    }
}
