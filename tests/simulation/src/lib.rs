//! A world in memory, in which the engine that ships can be run under a scheduler that decides who goes on: with crashes, events that
//! come twice, requests that are throttled, and answers that are lost, the same for the same seed.
//!
//! It keeps what the traits of `rollcall_engine::world` promise, as AWS does it: writes on conditions, lists as sets, batches whose items
//! are written one by one, an object whole or not at all.

#![expect(clippy::missing_panics_doc, reason = "a world of a test panics when the test has failed")]

mod edit;
mod files;
mod log;
mod memory;
mod pushes;
mod records;
mod state;
mod systems;
mod users;

pub use edit::Edit;
pub use log::{By, Entry, What};
pub use memory::{ACCOUNT, Faults, Memory};
pub use state::{Person, State};
pub use systems::Systems;
