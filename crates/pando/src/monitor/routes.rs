//! The paths below the page's token.

use super::{
    Monitor,
    actions::{OwnerAction, act},
    files, streams,
};
use axum::{
    body::to_bytes,
    extract::Request,
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// The longest request of the owner, in bytes.
const LONGEST_ACTION: usize = 4096;

impl Monitor {
    /// Answers a request for `path`, without the token.
    pub(crate) async fn respond(self: &Arc<Self>, path: &str, request: Request) -> Response {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        match path {
            "actions" if request.method() == Method::POST => self.act(request).await,
            "actions" => StatusCode::METHOD_NOT_ALLOWED.into_response(),
            _ if !reads => StatusCode::METHOD_NOT_ALLOWED.into_response(),
            "status.json" => typed("application/json", self.status_json()),
            "metrics" => typed("text/plain; version=0.0.4; charset=utf-8", self.metrics()),
            "events" => streams::states(self),
            "results" => streams::results(self),
            name => files::file(name).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response()),
        }
    }

    async fn act(&self, request: Request) -> Response {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        // A form of another site cannot send this type.
        if !kind.eq_ignore_ascii_case("application/json") {
            let text = "An action is JSON: Content-Type: application/json.";
            return (StatusCode::UNSUPPORTED_MEDIA_TYPE, text).into_response();
        }
        let Ok(body) = to_bytes(request.into_body(), LONGEST_ACTION).await else {
            return (StatusCode::PAYLOAD_TOO_LARGE, "This action is too long.").into_response();
        };
        let action: OwnerAction = match serde_json::from_slice(&body) {
            Ok(action) => action,
            Err(error) => {
                let text = format!("This is no action: {error}.");
                return (StatusCode::BAD_REQUEST, text).into_response();
            }
        };
        match act(&self.master, &action) {
            Ok(()) => StatusCode::NO_CONTENT.into_response(),
            Err(why) => (StatusCode::CONFLICT, why).into_response(),
        }
    }
}

fn typed(kind: &'static str, content: impl IntoResponse) -> Response {
    ([(header::CONTENT_TYPE, kind)], content).into_response()
}
