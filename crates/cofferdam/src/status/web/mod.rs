//! The pages over HTTP: what everybody may read, and behind a login what concerns a tenant or is an
//! operator's to do.

mod metrics;
mod operator;
mod pages;
mod subscribe;
mod tenant;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{Html, IntoResponse, Response};
use status::page::{Chrome, Place};

use super::hub::Hub;
use super::settings::{Doorman, Settings};
use crate::failure::Failure;
use crate::observe::metrics::MachinePage;
use crate::web::{Brake, Cookie, Logins, harden};

/// A form of ours with everything filled in.
const BODY_LEN_MAX: usize = 16 * 1024;

/// Who is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Who {
    /// A tenant, by name.
    Tenant(String),
    /// One who runs the service.
    Operator,
}

/// What the handlers share.
pub(super) struct Web {
    hub: Arc<Hub>,
    doorman: Arc<Doorman>,
    logins: Logins<Who>,
    /// The operators' token.
    token: String,
    /// How often one may ask to be told.
    wishes: Brake,
    sends_mail: bool,
    /// Whether webhooks may be at addresses that are not public.
    allows_private: bool,
    machine: MachinePage,
}

type Shared = Arc<Web>;

/// All of the page, over `hub`.
pub(super) fn router(
    hub: &Arc<Hub>,
    settings: &Settings,
    token: String,
) -> Result<Router, Failure> {
    let cookie = Cookie {
        name: "cofferdam_status",
        path: "/",
        is_secure: settings.is_secure(),
    };
    let web = Arc::new(Web {
        hub: Arc::clone(hub),
        doorman: Arc::clone(&settings.doorman),
        logins: Logins::new(cookie, hub.clock())?,
        token,
        wishes: Brake::new(hub.clock()),
        sends_mail: settings.mailer.is_some(),
        allows_private: settings.allows_private,
        machine: MachinePage::new(hub.clock()),
    });
    Ok(Router::new()
        .merge(pages::routes())
        .merge(subscribe::routes())
        .merge(tenant::routes())
        .merge(operator::routes())
        .merge(metrics::routes())
        .fallback(pages::nothing_there)
        .layer(DefaultBodyLimit::max(BODY_LEN_MAX))
        .layer(middleware::from_fn(harden))
        .with_state(web))
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

#[cfg(test)]
#[path = "web_test.rs"]
mod tests;
