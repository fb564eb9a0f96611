//! The operator's console: pages for people on the admin address, live, behind a login of their own.

mod actions;
mod affairs;
mod assets;
mod attempts;
mod audit;
mod auth;
mod board;
mod form;
mod format;
mod live;
mod pages;
mod session;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use tokio::sync::Semaphore;

use crate::api::Api;
use crate::observe::Observatory;
use attempts::Attempts;
pub(crate) use audit::{AUDIT, Audit};
pub(crate) use board::Board;
use session::Sessions;

/// Pages that are followed live at once; each takes one of the admin listener's connections.
const FOLLOWERS_MAX: usize = 24;

/// What pages may load and where forms may go: nothing from elsewhere, nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What the console's handlers share.
#[derive(Clone)]
pub(crate) struct Console {
    pub(super) api: Api,
    observatory: Arc<Observatory>,
    token: Arc<str>,
    sessions: Arc<Mutex<Sessions>>,
    attempts: Arc<Mutex<Attempts>>,
    audit: Arc<Audit>,
    followers: Arc<Semaphore>,
}

impl Console {
    /// In front of `api`, for whoever has the admin `token`; what he does is written to `audit`.
    pub(crate) fn new(api: Api, observatory: Arc<Observatory>, token: &str, audit: Audit) -> Self {
        Self {
            api,
            observatory,
            token: token.into(),
            sessions: Arc::default(),
            attempts: Arc::default(),
            audit: Arc::new(audit),
            followers: Arc::new(Semaphore::new(FOLLOWERS_MAX)),
        }
    }

    /// All of it, to be merged with the admin API.
    pub(crate) fn router(self) -> Router {
        let inside = Router::new()
            .merge(pages::routes())
            .merge(live::routes())
            .merge(actions::routes())
            .route_layer(middleware::from_fn_with_state(self.clone(), auth::require));
        Router::new()
            .merge(inside)
            .merge(auth::routes())
            .merge(assets::routes())
            .route("/", get(async || Redirect::to("/console/")))
            .route("/console", get(async || Redirect::to("/console/")))
            .layer(middleware::from_fn(harden))
            .with_state(self)
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        // Nothing in it is left half changed by a panic.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has every answer tell the browser what it must not do with it.
async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let fixed: [(HeaderName, &'static str); 4] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Pages hold what only whoever is logged in may see.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A page from its template.
fn page(template: &impl askama::Template) -> Response {
    page_with(StatusCode::OK, template)
}

fn page_with(status: StatusCode, template: &impl askama::Template) -> Response {
    match template.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page of the console cannot be written");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                "the page cannot be written: look at the log\n",
            )
                .into_response()
        }
    }
}
