//! What all pages of ours share: who is logged in, whose a form is, and what browsers are told not to do.

pub(crate) mod assets;
mod attempts;
pub(crate) mod feed;
mod logins;
mod sessions;

use std::net::IpAddr;

use askama::Template;
use axum::extract::{Extension, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use runtime::http::Peer;

pub(crate) use attempts::Brake;
pub(crate) use logins::{Cookie, Logins, Visitor};

/// What pages may load and where forms may go: nothing from elsewhere, nothing inline, nothing framed.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Has every answer tell the browser what it must not do with it; nobody keeps it, unless it says
/// otherwise itself.
pub(crate) async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let fixed: [(HeaderName, &'static str); 4] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Stricter, and browsers would not say either where a form of ours comes from.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A page from its template.
pub(crate) fn page(template: &impl Template) -> Response {
    page_with(StatusCode::OK, template)
}

/// The same with another status.
pub(crate) fn page_with(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be written");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                "the page cannot be written: look at the log\n",
            )
                .into_response()
        }
    }
}

/// Where a request comes from; `None` is a Unix socket.
pub(crate) fn address(peer: Option<Extension<Peer>>) -> Option<IpAddr> {
    peer.map(|Extension(Peer(address))| address)
}

/// Whether a browser says that a page of somebody else's sends this: by Fetch Metadata, and by where
/// the form's page is.
pub(crate) fn is_foreign(headers: &HeaderMap) -> bool {
    let text_of = |name: HeaderName| headers.get(name).map(HeaderValue::as_bytes);
    let site = text_of(HeaderName::from_static("sec-fetch-site"));
    let is_same_site = matches!(site, None | Some(b"same-origin" | b"none"));
    let host = text_of(header::HOST).unwrap_or_default();
    let is_same_origin = match text_of(header::ORIGIN) {
        None => true,
        Some(origin) => {
            let from = origin.windows(3).position(|part| part == b"://");
            let from = from.and_then(|place| origin.get(place + 3..));
            from.is_some_and(|from| from.eq_ignore_ascii_case(host))
        }
    };
    !is_same_site || !is_same_origin
}

#[cfg(test)]
#[path = "web_test.rs"]
mod tests;
