//! An S3 object becomes caller IDs on users' lists. What happens is in the engine; this is the function's name for it.

/// The function, as it stands between two deliveries.
pub type BulkAppend = rollcall_engine::Worker<rollcall_engine::Append>;
