//! An S3 object becomes users, created and changed. What happens is in the engine; this is the function's name for it.

/// The function, as it stands between two deliveries.
pub type BulkUsers = rollcall_engine::Worker<rollcall_engine::UploadUsers>;
