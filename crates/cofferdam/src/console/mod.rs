//! The operator's console: pages for people on the admin address, live, behind a login of their own.

mod actions;
mod auth;
mod form;
mod live;
mod nodes;
mod pages;

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::response::Redirect;
use axum::routing::get;
use tokio::sync::Semaphore;

use crate::api::Api;
use crate::audit::Audit;
use crate::observe::Observatory;
use crate::web::{Cookie, Logins, Visitor, assets, harden};

/// Pages that are followed live at once; each takes one of the admin listener's connections.
const FOLLOWERS_MAX: usize = 24;

/// Who is logged in here: there is but one kind of person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Operator;

type Session = Visitor<Operator>;

/// What the console's handlers share.
#[derive(Clone)]
pub(crate) struct Console {
    pub(super) api: Api,
    observatory: Arc<Observatory>,
    token: Arc<str>,
    logins: Arc<Logins<Operator>>,
    audit: Arc<Audit>,
    followers: Arc<Semaphore>,
}

impl Console {
    /// In front of `api`, for whoever has the admin `token` and, if it `is_secure`, comes over TLS;
    /// what he does is written to `audit`.
    pub(crate) fn new(
        api: Api,
        observatory: Arc<Observatory>,
        (token, is_secure): (&str, bool),
        audit: Arc<Audit>,
    ) -> io::Result<Self> {
        let cookie = Cookie {
            name: "cofferdam_session",
            path: "/console",
            is_secure,
        };
        Ok(Self {
            logins: Arc::new(Logins::new(cookie, api.clock)?),
            api,
            observatory,
            token: token.into(),
            audit,
            followers: Arc::new(Semaphore::new(FOLLOWERS_MAX)),
        })
    }

    /// All of it, to be merged with the admin API.
    pub(crate) fn router(self) -> Router {
        let inside = Router::new()
            .merge(pages::routes())
            .merge(nodes::routes())
            .merge(live::routes())
            .merge(actions::routes())
            .route_layer(middleware::from_fn_with_state(self.clone(), auth::require));
        Router::new()
            .merge(inside)
            .merge(auth::routes())
            .merge(assets::routes("/console/static/{name}"))
            .route("/", get(async || Redirect::to("/console/")))
            .route("/console", get(async || Redirect::to("/console/")))
            .layer(middleware::from_fn(harden))
            .with_state(self)
    }
}
