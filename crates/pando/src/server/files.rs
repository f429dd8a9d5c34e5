//! The files below the join token: the page, its scripts, and the function.

use super::VolunteerSite;
use crate::embedded;
use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use pando_protocol::page::SETTINGS;
use pando_web::{Network, Policy};

/// The files, and the settings of their policies.
pub(super) struct PageFiles {
    page: Bytes,
    /// The settings of the run, for native volunteers.
    settings: Bytes,
    /// The page's style, as a source of its policy.
    style: String,
    function: Bytes,
    dom: bool,
    network: Network,
}

impl PageFiles {
    pub(super) fn new(site: &VolunteerSite) -> Self {
        let html = embedded::web("index.html").unwrap_or_default();
        let page = site.page.fill(html, env!("CARGO_PKG_VERSION"), false);
        let style = page
            .split_once("<style>")
            .and_then(|(_, rest)| rest.split_once("</style>"))
            .unwrap_or_default()
            .0;
        let style = format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, style.as_bytes())));
        let network = if site.page.deny_net { Network::Closed } else { Network::Open };
        Self {
            page: page.into(),
            settings: site.page.json(env!("CARGO_PKG_VERSION"), false).into(),
            style,
            function: site.function.clone().into(),
            dom: site.page.dom,
            network,
        }
    }

    /// Sets the headers for a script, in an answer to a request with the headers `request`.
    pub(super) fn set_policy(&self, headers: &mut HeaderMap, request: &HeaderMap) {
        let policy = self.policy(request);
        policy.set(headers, &policy.script());
    }

    fn policy(&self, request: &HeaderMap) -> Policy {
        let authority =
            request.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        Policy::new(authority, self.network, self.dom).asked_by(request)
    }

    /// The file `name`, for a request with these headers; `None` if there is no such file.
    pub(super) fn file(&self, name: &str, request: &HeaderMap) -> Option<Response> {
        const SCRIPT: &str = "text/javascript; charset=utf-8";
        let (kind, content) = match name {
            "" => ("text/html; charset=utf-8", self.page.clone()),
            SETTINGS => ("application/json", self.settings.clone()),
            "function.js" => (SCRIPT, self.function.clone()),
            _ => (SCRIPT, Bytes::from_static(embedded::page_script(name)?.as_bytes())),
        };
        let policy = self.policy(request);
        // Workers use the headers of their script, not of the page.
        let content_policy =
            if name.is_empty() { policy.page(&self.style) } else { policy.script() };
        let mut response = content.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        policy.set(headers, &content_policy);
        Some(response)
    }
}
