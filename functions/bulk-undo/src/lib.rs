//! What another job did is taken back: exactly that, and nothing that has been changed since.
//!
//! An undo is a job like any other. Its rows are the deeds of the other job, as that one has kept them beside its results.

mod effects;
mod undo;

pub use undo::Undo;

/// The function, as it stands between two deliveries.
pub type BulkUndo = rollcall_engine::Worker<Undo>;
