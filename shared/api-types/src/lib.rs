//! What the API takes and answers: bodies of requests, and views of what is kept. The API and the command share these types;
//! `infra/openapi.yaml` describes them.
//!
//! A view is made from an aggregate and shows what people may know of it. What is stored is another type, so that neither holds the
//! other back.

mod catalog;
mod directory;
mod job;
mod mapping;
mod number;
mod page;
mod problem;
mod push;
mod scim;
mod settings;
mod user;

pub use catalog::{CatalogEntryRequest, CatalogEntryView, CatalogView, MovedView};
pub use directory::{DirectoryUserView, DirectoryView};
pub use job::{JobRequest, JobView, LinkView, PresignedUpload, RequestedJob, UndoJobRequest};
pub use mapping::{MappingView, PhoneSystemChoice, ResyncView, VisibleCallerIds};
pub use number::{AddedNumbers, DepartmentNumbers, NumberSummary, NumberView, NumberWarningView};
pub use page::{AuditPage, Page};
pub use problem::ProblemBody;
pub use push::{PhoneSystemView, PushView, SwitchView};
pub use scim::{NewScimKey, ScimErrorView, ScimKeyRequest, ScimKeyView, ScimKeysView};
pub use settings::{SettingsFields, SettingsView};
pub use user::{
    AppendRequest, AppendView, CallerIdsView, ExtensionView, PolicyRequest, RefusedCallerId, UserCounts, UserView,
};

#[cfg(test)]
mod tests;
