//! Files to be appended.

use rollcall_model::caller_id::CallerId;

/// Different numbers that the files of one round hold at most.
const NUMBERS: usize = 5_000;

/// Rows spread over the users, each with one number that its user hasn't had, in this round or in one before.
pub(crate) fn file(rows: usize, users: usize, round: usize) -> String {
    padded(rows, users, round, 0)
}

/// The same with a third column of so many bytes, which isn't read.
pub(crate) fn padded(rows: usize, users: usize, round: usize, padding: usize) -> String {
    assert!(rows.div_ceil(users) <= NUMBERS, "a user gets each number once");
    let (name, cell) = if padding == 0 { ("", String::new()) } else { (",Note", format!(",{}", "x".repeat(padding))) };
    let mut file = format!("Login ID,Allowed Caller ID{name}\n");
    file.reserve(rows * (32 + cell.len()));
    for row in 0..rows {
        let user = row % users;
        file.push_str(&format!("user{},{}{cell}\n", user + 1, number(user, row / users, round)));
    }
    file
}

/// What such a file says, by user: login IDs, and the numbers that each gets.
pub(crate) fn by_user(rows: usize, users: usize, round: usize) -> Vec<(String, Vec<CallerId>)> {
    let of = |user: usize| {
        let numbers = (user..rows).step_by(users).map(|row| number(user, row / users, round));
        (format!("user{}", user + 1), numbers.map(|number| number.parse().expect("a number")).collect())
    };
    (0..users).map(of).collect()
}

fn number(user: usize, nth: usize, round: usize) -> String {
    format!("+91{}", 9_000_000_000 + round * NUMBERS + (user * 31 + nth) % NUMBERS)
}
