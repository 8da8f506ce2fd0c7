//! An account: its users, and what is on their lists.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use anyhow::Result;
use rollcall_api_types::{NumberView, UserView};
use rollcall_model::caller_id::CallerId;
use rollcall_model::email::EmailAddress;
use rollcall_model::user::User;
use serde::Serialize;

use crate::args::OutputFormat;
use crate::client::StackClient;
use crate::output::{self, counted, visible};
use crate::users::{numbers, with_lists};

/// Numbers of an inventory that are read at most: more than any account has.
const MAX_NUMBERS: usize = 1_000_000;

/// What is amiss with an account.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Findings {
    /// Users that were looked at, and whether there are more.
    users: usize,
    more: bool,
    /// Login IDs that read alike.
    alike: Vec<Vec<String>>,
    /// Users whose addresses can't get mail.
    unmailable: Vec<Unmailable>,
    /// Numbers on lists that are not the account's.
    not_owned: Vec<NotOwned>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Unmailable {
    login: String,
    email: String,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct NotOwned {
    login: String,
    numbers: Vec<CallerId>,
}

/// Looks at an account. Gives whether nothing is amiss.
///
/// # Errors
/// If the stack can't be asked.
pub async fn check(stack: &StackClient, limit: usize, form: OutputFormat) -> Result<bool> {
    let (users, more): (Vec<UserView>, bool) = stack.api.list(&["v1", "users"], &[], limit, |_| true).await?;
    let (owned, _): (Vec<NumberView>, bool) = stack.api.list(&["v1", "numbers"], &[], MAX_NUMBERS, |_| true).await?;
    let users = with_lists(stack, users).await?;
    let owned: BTreeSet<CallerId> = owned.into_iter().map(|shown| shown.number).collect();
    let findings = findings(&users, more, &owned);
    if form.json {
        output::print_json(&findings)?;
    } else {
        output::print(&describe(&findings, stack))?;
    }
    Ok(findings.alike.is_empty() && findings.unmailable.is_empty() && findings.not_owned.is_empty())
}

fn findings(users: &[User], more: bool, owned: &BTreeSet<CallerId>) -> Findings {
    let mut found = Findings { users: users.len(), more, ..Findings::default() };
    let mut read: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for user in users {
        let login = user.login.as_str().to_owned();
        read.entry(as_read(&login)).or_default().push(login.clone());
        if let Some(email) = user.profile.email.as_ref().filter(|email| !email.takes_reports()) {
            found.unmailable.push(Unmailable { login: login.clone(), email: EmailAddress::as_str(email).to_owned() });
        }
        // An account without an inventory takes every number.
        let foreign: Vec<CallerId> =
            user.caller_ids.iter().copied().filter(|number| !owned.is_empty() && !owned.contains(number)).collect();
        if !foreign.is_empty() {
            found.not_owned.push(NotOwned { login, numbers: foreign });
        }
    }
    found.alike = read.into_values().filter(|logins| logins.len() > 1).collect();
    found
}

/// A login ID as a person reads it: blanks, marks and invisible characters are no difference, nor are the Cyrillic and Greek letters that look
/// like Latin ones (the commonest of Unicode Technical Standard #39).
fn as_read(login: &str) -> String {
    let seen = rollcall_model::user::fold(login);
    let seen = seen.chars().filter(|c| c.is_alphanumeric() || matches!(c, '@' | '.' | '_' | '-' | '+'));
    seen.map(|c| match c {
        'а' | 'α' => 'a',
        'с' | 'ϲ' => 'c',
        'е' => 'e',
        'һ' => 'h',
        'і' | 'ι' => 'i',
        'ј' => 'j',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' => 's',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        other => other,
    })
    .collect()
}

fn describe(found: &Findings, stack: &StackClient) -> String {
    let mut text = String::new();
    for logins in &found.alike {
        let logins: Vec<_> = logins.iter().map(|login| format!("\"{}\"", visible(login))).collect();
        let _ = writeln!(text, "These login IDs read alike: {}.", logins.join(", "));
    }
    for Unmailable { login, email } in &found.unmailable {
        let _ = writeln!(text, "{}: the address {} can't get mail.", visible(login), visible(email));
    }
    for NotOwned { login, numbers: foreign } in &found.not_owned {
        let _ = writeln!(text, "{}: on the list, and not the account's: {}.", visible(login), numbers(foreign));
    }
    let looked = counted(found.users as u64, "user", "users");
    let _ = writeln!(text, "Looked at {looked} of the account {}. Nothing was changed.", stack.account);
    if found.more {
        let all = stack.hint(&format!("check --limit {}", found.users.saturating_mul(10)));
        let _ = writeln!(text, "There are more users. Look at more with: {all}");
    }
    text
}

#[cfg(test)]
mod tests {
    use rollcall_model::user::{LoginId, Profile};

    use super::*;

    fn user(login: &str, email: Option<&str>, list: &[&str]) -> User {
        let mut user = User::new(LoginId::parse(login).unwrap(), Profile::named("Asha").unwrap());
        user.profile.email = email.map(|email| EmailAddress::parse(email).unwrap());
        user.caller_ids = list.iter().map(|number| number.parse().unwrap()).collect();
        user
    }

    #[test]
    fn users_who_read_alike_lists_with_foreign_numbers_and_dead_addresses_are_found() {
        let users = [
            user("asha", Some("asha@example.com"), &["+919876500001"]),
            // The first letter is Cyrillic.
            user("аsha", Some("asha@bücher.example"), &["+919876500001", "+919876500002"]),
            user("ravi", None, &[]),
        ];
        let owned = BTreeSet::from(["+919876500001".parse().unwrap()]);
        let found = findings(&users, false, &owned);
        assert_eq!(found.alike, [["asha", "аsha"].map(str::to_owned).to_vec()]);
        assert_eq!(found.unmailable[0].email, "asha@bücher.example");
        let numbers = vec!["+919876500002".parse().unwrap()];
        assert_eq!(found.not_owned, [NotOwned { login: "аsha".into(), numbers }]);
        assert!(findings(&users, false, &BTreeSet::new()).not_owned.is_empty(), "every number is taken");
    }
}
