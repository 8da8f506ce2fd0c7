//! The directory's HTTP API, behind API Gateway.
//!
//! Who asks and for which account comes from the token that the gateway has verified, never from the request. Each route
//! stands in `infra/template.yaml` with the scope that it needs.

mod accept;
mod ask;
mod audit;
mod body;
mod caller;
mod catalog;
mod cursor;
mod entra;
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
mod samples;
mod seal;
mod trace;
mod users;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::StatusCode,
    middleware,
    routing::{delete, get, patch, post, put},
};
use rollcall_connectors::entra::Tenants;
use rollcall_model::{code::ApiCode, country::Country};
use rollcall_storage::{directory::Directory, files::Files, secrets::Secrets};

use problem::Problem;
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

/// Every route of the API.
pub fn router(api: Api) -> Router {
    let api = Arc::new(api);
    let routes = Router::new()
        .route("/v1/users", get(users::list::list).post(users::create::create))
        .route("/v1/users.csv", get(users::download::users))
        .route("/v1/users/{login}", get(users::one::get).patch(users::patch::patch).delete(users::delete::delete))
        .route("/v1/users/{login}/actions/{action}", post(users::act::act))
        .route("/v1/users/{login}/caller-ids", get(users::caller_ids::list).post(users::caller_ids::append))
        .route("/v1/users/{login}/caller-ids/{number}", delete(users::caller_ids::remove))
        .route("/v1/users/{login}/caller-id-policy", put(users::policy::put))
        .route("/v1/agents", get(users::list::agents))
        .route("/v1/agents.csv", get(users::download::agents))
        .route("/v1/extensions", get(users::list::extensions))
        .route("/v1/teams/{id}/members", get(users::list::members))
        .route("/v1/roles", get(catalog::roles))
        .route("/v1/departments", get(catalog::departments))
        .route("/v1/teams", get(catalog::teams))
        .route("/v1/roles/{id}", put(catalog::put_role).delete(catalog::delete_role))
        .route("/v1/departments/{id}", put(catalog::put_department).delete(catalog::delete_department))
        .route("/v1/teams/{id}", put(catalog::put_team).delete(catalog::delete_team))
        .route("/v1/numbers", get(numbers::list::list).post(numbers::add::add))
        .route("/v1/numbers/{number}", get(numbers::one::get).merge(patch(numbers::one::patch)))
        .route("/v1/numbers/rotations", post(numbers::rotate::ask))
        .route("/v1/numbers/{number}/users", get(numbers::holders::list))
        .route("/v1/jobs", get(jobs::list::list).post(jobs::create::create))
        .route("/v1/jobs/{id}", get(jobs::one::get))
        .route("/v1/jobs/{id}/results", get(jobs::one::results))
        .route("/v1/jobs/{id}/failures", get(jobs::one::failures))
        .route("/v1/jobs/{id}/execute", post(jobs::decide::execute))
        .route("/v1/jobs/{id}/discard", post(jobs::decide::discard))
        .route("/v1/jobs/{id}/undo", post(jobs::decide::undo))
        .route("/v1/mappings", get(mappings::list::list))
        .route("/v1/mappings/resync", get(mappings::resync::get).post(mappings::resync::ask))
        .route("/v1/mappings/{crm_user}", get(mappings::one::get).put(mappings::put::put).delete(mappings::one::delete))
        .route("/v1/mappings/{crm_user}/caller-ids", get(mappings::caller_ids::list))
        .route("/v1/mappings/{crm_user}/caller-ids/{number}/explanation", get(mappings::explanation::get))
        .route("/v1/phone-system", get(phone_system::get).put(phone_system::put))
        .route("/v1/audit", get(audit::list))
        .route("/v1/directory", get(entra::one::get))
        .route("/v1/directory/users", get(entra::users::list))
        .route("/v1/directory/import", post(entra::ask::import))
        .route("/v1/directory/sync", post(entra::ask::sync))
        .route("/v1/samples/{name}", get(samples::get))
        .fallback(not_found)
        .method_not_allowed_fallback(not_found)
        .layer(middleware::from_fn_with_state(Arc::clone(&api), idempotency::answer_once))
        .layer(middleware::from_fn_with_state(Arc::clone(&api), refusal::note))
        .with_state(api);
    Router::new()
        .fallback_service(routes)
        .layer(middleware::map_request(route::by_the_gateway))
        .layer(middleware::from_fn(trace::traced))
}

// The gateway answers by itself where there is no route. What comes here has a route in the template alone.
async fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, ApiCode::NotFound, "There is no such route.")
}
