//! The directory's HTTP API, behind API Gateway.
//!
//! Who asks and for which account comes from the token that the gateway has verified, never from the request. [`ROUTES`] has each
//! route, with the scope that it needs.

mod accept;
mod ask;
mod audit;
mod body;
mod caller;
mod catalog;
mod cursor;
mod entra;
mod file;
mod idempotency;
mod jobs;
mod mappings;
mod merge_patch;
mod numbers;
mod page;
mod phone_system;
mod preconditions;
mod problem;
mod query;
mod refusal;
mod route;
mod routes;
mod samples;
mod scim_keys;
mod seal;
mod settings;
mod trace;
mod users;

use std::{sync::Arc, time::Duration};

use axum::{Router, http::StatusCode, middleware};
use rollcall_connectors::entra::Tenants;
use rollcall_model::{code::ApiCode, country::Country};
use rollcall_storage::{directory::Directory, files::Files, secrets::Secrets};

use problem::Problem;
pub use routes::{ROUTES, Route};
pub use seal::Seal;

/// What every route works with.
pub struct Api {
    /// The table.
    pub directory: Directory,
    /// The bucket.
    pub files: Files,
    /// What accounts keep to themselves.
    pub secrets: Secrets,
    /// The directories that accounts have connected.
    pub tenants: Tenants,
    /// The country of accounts that name none.
    pub country: Country,
    /// How long after its completion an entry of the audit trail is shown.
    pub audit_settle: Duration,
    /// Bytes that an upload may have.
    pub max_file_bytes: u64,
    /// What cursors are sealed with.
    pub seal: Seal,
}

/// What a handler gets of it.
type Shared = axum::extract::State<Arc<Api>>;

/// The API, which answers what the gateway sends.
pub fn router(api: Api) -> Router {
    let api = Arc::new(api);
    let routes = routes::router()
        .fallback(not_found)
        .method_not_allowed_fallback(not_found)
        .layer(middleware::from_fn_with_state(Arc::clone(&api), idempotency::answer_once))
        .layer(middleware::from_fn(routes::check_scope))
        .layer(middleware::from_fn_with_state(Arc::clone(&api), refusal::note))
        .with_state(api);
    Router::new()
        .fallback_service(routes)
        .layer(middleware::map_request(route::by_the_gateway))
        .layer(middleware::from_fn(trace::traced))
}

// The gateway answers by itself where there is no route. What comes here has a route in the template alone, and not in `ROUTES`.
async fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, ApiCode::NotFound, "There is no such route.")
}
