//! What a tenant reads behind his login: whether it touched him.

use std::sync::PoisonError;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Form, Router};
use runtime::http::Peer;
use serde::Deserialize;
use status::forms;
use status::view::View;

use super::session::Who;
use super::{Shared, see};

const TITLE: &str = "Did it touch me?";
/// Told alike for a wrong name and a wrong password.
const WRONG: &str = "User name or password is wrong.";
const TOO_MANY: &str = "Too many attempts from your address: wait a minute.";

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/login", get(form).post(login))
        .route("/me", get(me))
        .route("/logout", post(logout))
}

async fn form(State(web): State<Shared>, headers: HeaderMap) -> Response {
    let visitor = web.visitor(&headers);
    if matches!(visitor.who, Some(Who::Tenant(_))) {
        return see("/me");
    }
    let page = forms::login(web.chrome(TITLE, None), false, "", &web.csrf(&visitor));
    web.with_cookie(&visitor, Html(page).into_response())
}

#[derive(Deserialize)]
struct Login {
    username: String,
    password: String,
    csrf: String,
}

async fn login(
    State(web): State<Shared>,
    Extension(source): Extension<Peer>,
    headers: HeaderMap,
    Form(given): Form<Login>,
) -> Response {
    let visitor = web.visitor(&headers);
    if !web.is_ours(&visitor, &headers, &given.csrf) {
        return web.forged();
    }
    let again = |status: StatusCode, error: &str| {
        let page = forms::login(web.chrome(TITLE, None), false, error, &web.csrf(&visitor));
        (status, Html(page)).into_response()
    };
    let now = web.hub.now();
    let may_try = {
        let attempts = web.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.may_try(now, source.0)
    };
    if !may_try {
        return again(StatusCode::TOO_MANY_REQUESTS, TOO_MANY);
    }
    let doorman = std::sync::Arc::clone(&web.doorman);
    let asked = tokio::task::spawn_blocking(move || doorman(&given.username, &given.password));
    match asked.await {
        Ok(Ok(Some(tenant))) => match web.log_in(Who::Tenant(tenant)) {
            Some(visitor) => web.with_cookie(&visitor, see("/me")),
            None => again(
                StatusCode::INTERNAL_SERVER_ERROR,
                "This machine has no randomness.",
            ),
        },
        Ok(Ok(None)) => {
            let mut attempts = web.attempts.lock().unwrap_or_else(PoisonError::into_inner);
            attempts.failed(now, source.0);
            drop(attempts);
            again(StatusCode::FORBIDDEN, WRONG)
        }
        Ok(Err(_)) | Err(_) => again(
            StatusCode::SERVICE_UNAVAILABLE,
            "The service does not answer, so your password cannot be checked now.",
        ),
    }
}

async fn me(State(web): State<Shared>, headers: HeaderMap) -> Response {
    let visitor = web.visitor(&headers);
    let Some(Who::Tenant(tenant)) = &visitor.who else {
        return see("/login");
    };
    let chrome = web.chrome(TITLE, Some(tenant.clone()));
    let csrf = web.csrf(&visitor);
    let hub = &web.hub;
    let board = hub.board();
    let view = View::of(&board, &hub.site, hub.now());
    let page = forms::me(chrome, &board, &view, tenant, hub.hears_events(), &csrf);
    Html(page).into_response()
}

/// A form that carries nothing but its signature.
#[derive(Deserialize)]
pub(super) struct Signed {
    pub(super) csrf: String,
}

async fn logout(
    State(web): State<Shared>,
    headers: HeaderMap,
    Form(given): Form<Signed>,
) -> Response {
    let visitor = web.visitor(&headers);
    if !web.is_ours(&visitor, &headers, &given.csrf) {
        return web.forged();
    }
    web.log_out(&visitor);
    see("/")
}
