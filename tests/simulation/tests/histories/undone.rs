//! What must come of an undo: a swap is taken back whole or not at all, and nobody is left without a number by it.

use std::collections::{BTreeSet, HashMap};

use rollcall_bulk::undo::Act;
use rollcall_model::{caller_id::CallerId, inventory::NumberState};

use crate::reference::{APPLIED, Deed, Did, FAILED, Reference, Rows, UNCHANGED};

type Outcomes = HashMap<Act, usize>;

impl Reference {
    /// Takes back what the job at this place did; `None` where there is nothing to be undone.
    pub fn undo(&mut self, of: usize) -> Option<Rows> {
        let mut did = self.did.remove(&of)?;
        let mut outcomes = HashMap::new();
        for (&number, &before) in &did.numbers {
            let act = (String::new(), Act::RestoreNumber(number));
            if did.undone.contains(&act) {
                continue;
            }
            // Whoever has given it another state since has decided about it.
            let mine = self.numbers[&number] == (NumberState::Retired, Some(of));
            outcomes.insert(act, if mine { APPLIED } else { UNCHANGED });
            if mine {
                self.numbers.insert(number, (before, None));
            }
        }
        let mut changed = BTreeSet::new();
        for (login, deed) in &did.users {
            let acts = self.acts(login, deed, &did);
            let applied = |act: &Act| acts.get(act) == Some(&APPLIED);
            if let Some((_, list)) = self.lists.get_mut(login) {
                let before = list.clone();
                list.retain(|number| !applied(&Act::TakeOff(*number)));
                list.extend(deed.removed.keys().filter(|old| applied(&Act::PutBack(**old))));
                if *list != before {
                    changed.insert(login.clone());
                }
            }
            outcomes.extend(acts.into_iter().map(|(act, came)| ((login.clone(), act), came)));
        }
        let mut counts = Rows::default();
        for came in outcomes.values() {
            counts[*came] += 1;
        }
        self.show(&changed);
        // What is left can be asked for once more.
        if counts[APPLIED] != counts.iter().sum::<u64>() {
            did.undone.extend(outcomes.into_iter().filter(|(_, came)| *came == APPLIED).map(|(act, _)| act));
            self.did.insert(of, did);
        }
        Some(counts)
    }

    /// What comes of each act at one user.
    fn acts(&self, login: &str, deed: &Deed, did: &Did) -> Outcomes {
        let left = |act: &Act| !did.undone.contains(&(login.to_owned(), *act));
        let take_off = deed.added.iter().map(|number| Act::TakeOff(*number));
        let put_back = deed.removed.keys().map(|number| Act::PutBack(*number));
        let all: Vec<Act> = take_off.chain(put_back).filter(left).collect();
        let Some((_, list)) = self.lists.get(login).filter(|(born, _)| *born == deed.born) else {
            return all.into_iter().map(|act| (act, UNCHANGED)).collect();
        };
        let mut acts: Outcomes = all.iter().map(|act| (*act, UNCHANGED)).collect();
        let mut set = |act: Act, came: usize| _ = acts.entry(act).and_modify(|outcome| *outcome = came);
        for number in deed.added.iter().filter(|number| list.contains(number)) {
            set(Act::TakeOff(*number), APPLIED);
        }
        for (old, new) in deed.removed.iter().filter(|(old, _)| !list.contains(old)) {
            // What an earlier undo has taken off itself is nobody else's decision: that the old number comes back can be asked for once more.
            let mine = new.filter(|new| deed.added.contains(new) && left(&Act::TakeOff(*new)));
            let comes = self.numbers[old].0 != NumberState::Retired;
            match mine {
                // Somebody has taken the replacement off: it is for them to say what comes.
                Some(mine) if !list.contains(&mine) => {}
                Some(mine) if !comes => {
                    set(Act::PutBack(*old), FAILED);
                    set(Act::TakeOff(mine), FAILED);
                }
                None if !comes => {}
                _ => set(Act::PutBack(*old), APPLIED),
            }
        }
        let usable = |number: &CallerId| self.numbers[number].0.is_usable();
        let applied = |act: Act| acts.get(&act) == Some(&APPLIED);
        let mut after = list.iter().filter(|number| !applied(Act::TakeOff(**number)));
        let dials = after.any(usable) || deed.removed.keys().any(|old| applied(Act::PutBack(*old)) && usable(old));
        if list.iter().any(usable) && !dials && !deed.had_none {
            acts.values_mut().filter(|came| **came == APPLIED).for_each(|came| *came = FAILED);
        }
        acts
    }
}
