//! What people are called whom tokens name by an ID, as the account's settings say.

use std::collections::BTreeMap;

use rollcall_model::audit::Actor;
use rollcall_model::user::Name;

use crate::job::SHOWN_ID;
use crate::output;

/// Names by the subject of tokens.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<String, Name>);

impl Names {
    /// These names.
    pub fn new(names: BTreeMap<String, Name>) -> Self {
        Self(names)
    }

    /// Who did something, or asked for it, in words.
    pub fn actor(&self, actor: &Actor) -> String {
        match actor {
            Actor::Job(id) => format!("job {}", &id.as_str()[..SHOWN_ID]),
            Actor::Call(subject) if subject.is_empty() => "a token without a subject".to_owned(),
            Actor::Call(subject) => output::visible(self.0.get(subject).map_or(subject.as_str(), Name::as_str)),
            Actor::Schedule => "a schedule".to_owned(),
            Actor::Bucket => "a file in the bucket".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_a_name_is_called_by_it_and_others_by_their_id() {
        let names = Names::new(BTreeMap::from([("1f0c".to_owned(), Name::parse("Ann\u{202e} Rao").unwrap())]));
        let call = |subject: &str| names.actor(&Actor::Call(subject.to_owned()));
        assert_eq!((call("1f0c").as_str(), call("2a").as_str()), ("Ann· Rao", "2a"));
    }
}
