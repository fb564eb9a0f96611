//! The pages over HTTP: what everybody may read, and behind a login what concerns a tenant or is an
//! operator's to do.

mod operator;
mod pages;
mod session;
mod tenant;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use runtime::secrets;
use status::page::{Chrome, Place};

use super::hub::Hub;
use super::settings::{Doorman, Settings};
use crate::failure::Failure;
use session::{Attempts, Sessions};

/// A form of ours with everything filled in.
const BODY_LEN_MAX: usize = 16 * 1024;
const KEY_LEN: usize = 52;

/// Nothing from elsewhere, nothing framed, no form sent anywhere but here.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// What the handlers share.
pub(super) struct Web {
    hub: Arc<Hub>,
    doorman: Arc<Doorman>,
    sessions: Mutex<Sessions>,
    attempts: Mutex<Attempts>,
    /// The operators' token.
    token: String,
    /// What forms are signed with.
    key: String,
    /// Whether readers come over https.
    is_secure: bool,
}

type Shared = Arc<Web>;

/// All of the page, over `hub`.
pub(super) fn router(
    hub: &Arc<Hub>,
    settings: &Settings,
    token: String,
) -> Result<Router, Failure> {
    let web = Arc::new(Web {
        hub: Arc::clone(hub),
        doorman: Arc::clone(&settings.doorman),
        sessions: Mutex::default(),
        attempts: Mutex::default(),
        token,
        key: secrets::random_text(KEY_LEN)?,
        is_secure: settings.url.starts_with("https://"),
    });
    Ok(Router::new()
        .merge(pages::routes())
        .merge(tenant::routes())
        .merge(operator::routes())
        .fallback(pages::nothing_there)
        .layer(DefaultBodyLimit::max(BODY_LEN_MAX))
        .layer(middleware::from_fn(guarded))
        .with_state(web))
}

/// What every answer carries, unless it says otherwise itself: nobody keeps it.
async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Stricter, and browsers would not say either where a form of ours comes from.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

impl Web {
    fn chrome(&self, title: &str, tenant: Option<String>) -> Chrome {
        let hub = &self.hub;
        Chrome::new(&hub.site.name, hub.now(), Some(title), &Place::Live(tenant))
    }

    /// A page that says one thing.
    fn message(&self, status: StatusCode, title: &str, text: &str) -> Response {
        let page = status::forms::message(self.chrome(title, None), title, text);
        (status, Html(page)).into_response()
    }

    /// The answer to a form that did not come from a page of ours.
    fn forged(&self) -> Response {
        let text = "This form did not come from a page of ours, or its page is old: load the page \
                    again and repeat it.";
        self.message(StatusCode::FORBIDDEN, "Not done", text)
    }
}

/// Sends a reader on to another page of ours.
fn see(path: &'static str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, path)]).into_response()
}

fn text_of<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> &'a str {
    let value = headers.get(name);
    value.and_then(|value| value.to_str().ok()).unwrap_or("")
}

#[cfg(test)]
#[path = "web_test.rs"]
mod tests;
