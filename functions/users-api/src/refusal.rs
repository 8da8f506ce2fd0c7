//! Who was refused by a guard of ours, for the audit trail. What the gateway refuses by itself is in its own log.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use jiff::Timestamp;
use lambda_http::{RequestExt, request::RequestContext};
use rollcall_model::code::ApiCode;

use crate::{Api, caller::Caller, problem::Code};

/// Codes by which somebody is refused for who they are, and not for what they have written.
const GUARDS: [ApiCode; 2] = [ApiCode::ScopeMissing, ApiCode::ReportAddressNotAllowed];

/// Writes down who was refused. The answer doesn't wait for a table that can't be written: that is in the log.
pub(crate) async fn note(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let caller = Caller::of(request.extensions());
    let route = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.route_key.clone(),
        _ => None,
    };
    let response = next.run(request).await;
    let code = response.extensions().get::<Code>().map(|Code(code)| *code).filter(|code| GUARDS.contains(code));
    if let (Ok(caller), Some(route), Some(code)) = (caller, route, code) {
        let by = caller.actor();
        let noted = api.directory.note_refusal(&caller.account, &by, (&route, code), Timestamp::now());
        if let Err(error) = noted.await {
            tracing::error!(error = error.chain(), "a refusal could not be written down");
        }
    }
    response
}
