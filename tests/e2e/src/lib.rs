//! What the end-to-end suites share: a stack on this machine, looked at through its public doors.

mod faults;
mod stack;

pub use faults::{Faults, Proxy};
pub use stack::{Mail, Stack, binaries, user};
