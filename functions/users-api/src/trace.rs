//! What is logged of a request: which it is, and how it was answered. Its path isn't, which holds login IDs and numbers.

use std::time::Instant;

use axum::{extract::Request, middleware::Next, response::Response};
use lambda_http::{RequestExt, request::RequestContext};
use rollcall_engine::telemetry::{millis, trace_id};
use tracing::Instrument;

use crate::caller::Caller;

/// Has every line say of which request it is, and logs the answer.
pub(crate) async fn traced(mut request: Request, next: Next) -> Response {
    let start = Instant::now();
    let caller = Caller::of(request.extensions()).ok();
    if let Some(caller) = &caller {
        request.extensions_mut().insert(caller.clone());
    }
    let (gateway_id, route) = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => (context.request_id.clone(), context.route_key.clone()),
        _ => (None, None),
    };
    let lambda = request.lambda_context_ref();
    let span = tracing::info_span!(
        "request",
        request.id = lambda.map(|context| context.request_id.as_str()),
        // As in the gateway's own log.
        gateway.id = gateway_id,
        trace.id = trace_id(lambda.and_then(|context| context.xray_trace_id.as_deref())),
        account = caller.as_ref().map(|caller| caller.account.as_str()),
    );
    let answer = async {
        let response = next.run(request).await;
        tracing::info!(route, status = response.status().as_u16(), ms = millis(start.elapsed()), "answered");
        response
    };
    answer.instrument(span).await
}
