//! Answers that deny a request.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use std::borrow::Cow;

/// Why a request is denied.
#[derive(Debug)]
pub(super) struct Denied {
    status: StatusCode,
    why: Cow<'static, str>,
}

impl Denied {
    pub(super) fn new(status: StatusCode, why: impl Into<Cow<'static, str>>) -> Self {
        Self { status, why: why.into() }
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.why).into_response();
        let header = match self.status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                (header::RETRY_AFTER, "10")
            }
            StatusCode::UNAUTHORIZED => (header::WWW_AUTHENTICATE, "Bearer"),
            StatusCode::UPGRADE_REQUIRED => (header::UPGRADE, "websocket"),
            // A room's page, which has an opaque origin, must see that its room is gone.
            StatusCode::NOT_FOUND => (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            StatusCode::METHOD_NOT_ALLOWED => (header::ALLOW, "GET, HEAD"),
            _ => return response,
        };
        response.headers_mut().insert(header.0, HeaderValue::from_static(header.1));
        response
    }
}
