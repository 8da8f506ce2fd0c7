//! What the exit code of a command says.

/// Nothing was changed: the command waits for somebody to say that it is meant.
pub const UNDECIDED: u8 = 3;
/// Somebody pressed Ctrl-C, as shells have it (128 + SIGINT).
pub const INTERRUPTED: u8 = 130;
