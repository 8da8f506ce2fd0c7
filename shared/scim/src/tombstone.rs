//! What Entra ID calls somebody who was deleted there and can be restored for a month.

/// Digits that Entra puts before the name: the object ID, without dashes.
const DIGITS: usize = 32;

/// The name without what Entra puts before it while its user is deleted: `<32 hex digits><name>@<domain>` is read as `<name>@<domain>`.
/// Whoever takes it for a new name overwrites the address, makes a second user at the next login, and refuses the restoration for ever.
pub fn without_tombstone(name: &str) -> &str {
    let Some((digits, rest)) = name.split_at_checked(DIGITS) else { return name };
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    // Somebody's own name may be nothing but digits.
    let names_somebody = rest.find('@').is_some_and(|at| at > 0 && at + 1 < rest.len());
    if is_hex && names_somebody { rest } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deleted_users_name_is_read_as_the_name_before() {
        let digits = "87d349ed44d743e19a835f2406dee5bd";
        assert_eq!(without_tombstone(&format!("{digits}maya@contoso.example")), "maya@contoso.example");
        for name in [
            digits.to_owned(),
            format!("{digits}@contoso.example"),
            "maya@contoso.example".to_owned(),
            String::new(),
            "é".repeat(20),
        ] {
            assert_eq!(without_tombstone(&name), name);
        }
    }
}
