//! Mappings of CRM users, and what each sees.

pub(crate) mod caller_ids;
pub(crate) mod explanation;
pub(crate) mod list;
pub(crate) mod one;
pub(crate) mod put;
pub(crate) mod resync;

use rollcall_model::mapping::CrmUserId;

use crate::problem::Problem;

/// The CRM user whom a path names. What can't be one has no mapping.
fn named(crm_user: &str) -> Result<CrmUserId, Problem> {
    CrmUserId::parse(crm_user).map_err(|_| Problem::not_found("mapping"))
}
