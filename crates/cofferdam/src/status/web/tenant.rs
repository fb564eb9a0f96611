//! What a tenant reads behind his login: whether it touched him.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Form, Router};
use runtime::http::Peer;
use serde::Deserialize;
use status::forms;
use status::view::View;

use super::{Shared, Who, see};

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
    let visitor = web.logins.visitor(&headers);
    if matches!(visitor.who, Some(Who::Tenant(_))) {
        return see("/me");
    }
    let page = forms::login(web.chrome(TITLE, None), false, "", &visitor.form_token);
    web.logins.with_cookie(&visitor, Html(page).into_response())
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
    let visitor = web.logins.visitor(&headers);
    if !web.logins.is_ours(&visitor, &headers, &given.csrf) {
        return web.forged();
    }
    let again = |status: StatusCode, error: &str| {
        let page = forms::login(web.chrome(TITLE, None), false, error, &visitor.form_token);
        (status, Html(page)).into_response()
    };
    let source = Some(source.0);
    if web.logins.brake.take(source).is_err() {
        return again(StatusCode::TOO_MANY_REQUESTS, TOO_MANY);
    }
    let doorman = std::sync::Arc::clone(&web.doorman);
    let asked = tokio::task::spawn_blocking(move || doorman(&given.username, &given.password));
    match asked.await {
        Ok(Ok(Some(tenant))) => {
            web.logins.brake.give_back(source);
            match web.logins.log_in(Who::Tenant(tenant)) {
                Ok(visitor) => web.logins.with_cookie(&visitor, see("/me")),
                Err(_) => again(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "This machine has no randomness.",
                ),
            }
        }
        Ok(Ok(None)) => again(StatusCode::FORBIDDEN, WRONG),
        Ok(Err(_)) | Err(_) => {
            web.logins.brake.give_back(source);
            again(
                StatusCode::SERVICE_UNAVAILABLE,
                "The service does not answer, so your password cannot be checked now.",
            )
        }
    }
}

async fn me(State(web): State<Shared>, headers: HeaderMap) -> Response {
    let visitor = web.logins.visitor(&headers);
    let Some(Who::Tenant(tenant)) = &visitor.who else {
        return see("/login");
    };
    let chrome = web.chrome(TITLE, Some(tenant.clone()));
    let csrf = &visitor.form_token;
    let hub = &web.hub;
    let board = hub.board();
    let view = View::of(&board, &hub.site, hub.now());
    let page = forms::me(chrome, &board, &view, tenant, hub.hears_events(), csrf);
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
    let visitor = web.logins.visitor(&headers);
    if !web.logins.is_ours(&visitor, &headers, &given.csrf) {
        return web.forged();
    }
    web.logins.log_out(&visitor);
    see("/")
}
