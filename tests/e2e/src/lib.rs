//! What the end-to-end suites share: a stack on this machine, looked at through its public doors.

#![expect(clippy::missing_panics_doc, reason = "a test's helper panics when the test has failed")]

mod api;
mod browser;
mod canaries;
mod cloudformation;
mod command;
mod contract;
mod crashes;
mod faults;
mod graph;
mod in_process;
mod meanwhile;
mod scim;
mod seeded_rng;
mod served;
mod signature;
mod smartflo;
mod stack;
mod test_engine;
mod zoom;

pub use api::{Caller, Reply};
pub use browser::{Browser, Look};
pub use cloudformation::{CloudFormation, Deployed};
pub use command::{json, rollcall, rollcall_in};
pub use contract::{Contract, Operation, contract, yaml};
pub use crashes::{CrashTest, death_step, die_at_every_request};
pub use faults::{Faults, Fuse, Proxy, Refused};
pub use graph::{Corruption, Gone, Graph, Person, Quirks};
pub use in_process::{InProcess, function, gateway_event};
pub use meanwhile::{Event, Meanwhile};
pub use scim::{ENTERPRISE, PATCH_OP, SCIM_JSON, ScimClient, entra_user};
pub use seeded_rng::{SeededRng, how_much};
pub use smartflo::{Smartflo, SmartfloSpoil, SmartfloTraps};
pub use stack::{Mail, Stack, binaries, somebody, until, user};
pub use test_engine::{TestEngine, delivery, delivery_of};
pub use zoom::{Zoom, ZoomSpoil, ZoomTraps, ZoomUser};
