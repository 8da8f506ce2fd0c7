//! The domain of Rollcall, pure: what every function means by an account, a user, a number, a row, a job.
//!
//! Nothing here reads a clock, the environment, a file or the network. Deciding happens here; doing happens in the
//! crates around it.

pub mod account;
pub mod audit;
pub mod blank;
pub mod caller_id;
pub mod catalog;
pub mod code;
pub mod country;
pub mod dial;
pub mod email;
pub mod fingerprint;
pub mod inventory;
pub mod jobs;
pub mod mapping;
pub mod numbers;
pub mod object;
pub mod path_part;
pub mod permit;
pub mod phone_side;
pub mod push;
pub mod safety_threshold;
pub mod scim_key;
pub mod scope;
pub mod secret;
pub mod settings;
pub mod spelling;
pub mod stored;
pub mod tel_uri;
mod text_value;
pub mod user;
pub mod version;

#[cfg(test)]
mod names;
