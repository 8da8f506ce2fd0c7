//! Files to be appended.

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
        let (user, nth) = (row % users, row / users);
        let number = 9_000_000_000 + round * NUMBERS + (user * 31 + nth) % NUMBERS;
        file.push_str(&format!("user{},+91{number}{cell}\n", user + 1));
    }
    file
}
