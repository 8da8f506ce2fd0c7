//! The domain of Rollcall, pure: what every function means by an account, a user, a number, a row, a job.
//!
//! Nothing here reads a clock, the environment, a file or the network. Deciding happens here; doing happens in the
//! crates around it.

pub mod account;
pub mod append;
pub mod audit;
mod blank;
pub mod caller_id;
pub mod catalog;
mod cells;
pub mod code;
pub mod country;
pub mod csv_file;
pub mod directory_import;
pub mod email;
pub mod inventory;
pub mod job;
pub mod job_email;
pub mod left_out;
pub mod mapping;
pub mod misplaced;
pub mod numbers;
mod object;
pub mod outcomes;
pub mod path_part;
pub mod permit;
pub mod phone_side;
pub mod phone_snapshot;
pub mod report;
pub mod rotation;
pub mod safety_threshold;
pub mod scope;
pub mod secret;
pub mod settings;
mod spelling;
mod tel_uri;
mod text;
pub mod undo;
pub mod upload;
pub mod user;
pub mod user_upload;
pub mod version;
