//! Login with the admin token, and the check that stands before every page.

use axum::Router;
use axum::extract::{Extension, Form, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use runtime::http::{Peer, same_secret};
use serde::Deserialize;

use super::pages::LoginPage;
use super::{Console, Operator};
use crate::web::{address, is_foreign, page, page_with};

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/console/login", get(ask).post(login))
        .route("/console/logout", post(logout))
}

/// Lets a request through whose cookie names a session; a page sends others to the login.
pub(super) async fn require(
    State(console): State<Console>,
    mut request: Request,
    next: Next,
) -> Response {
    let session = console.logins.visitor(request.headers());
    if session.who.is_none() {
        let wants_page = request.method() == Method::GET
            && !request.uri().path().starts_with("/console/data/")
            && !request.uri().path().starts_with("/console/live");
        return match wants_page {
            true => Redirect::to("/console/login").into_response(),
            false => (StatusCode::UNAUTHORIZED, "log in first\n").into_response(),
        };
    }
    if request.method() != Method::GET && is_foreign(request.headers()) {
        return (StatusCode::FORBIDDEN, "another page sent this form\n").into_response();
    }
    request.extensions_mut().insert(session);
    next.run(request).await
}

async fn ask() -> Response {
    page(&LoginPage { failure: None })
}

#[derive(Deserialize)]
struct LoginForm {
    token: String,
}

async fn login(
    State(console): State<Console>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Form(form): Form<LoginForm>,
) -> Response {
    let source = address(peer);
    if is_foreign(&headers) {
        return (StatusCode::FORBIDDEN, "another page sent this form\n").into_response();
    }
    if let Err(wait) = console.logins.brake.take(source) {
        let seconds = wait.as_secs() + 1;
        let why = format!("Too many wrong tokens: wait {seconds} s, then try again.");
        let mut response = page_with(
            StatusCode::TOO_MANY_REQUESTS,
            &LoginPage { failure: Some(why) },
        );
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
        return response;
    }
    if !same_secret(form.token.trim().as_bytes(), console.token.as_bytes()) {
        tracing::warn!(?source, "console: a login with a wrong token");
        let why = "That is not the token. It stands in admin.token of the data directory.";
        let failure = Some(why.to_owned());
        return page_with(StatusCode::UNAUTHORIZED, &LoginPage { failure });
    }
    console.logins.brake.give_back(source);
    match console.logins.log_in(Operator) {
        Ok(session) => {
            let response = Redirect::to("/console/").into_response();
            console.logins.with_cookie(&session, response)
        }
        Err(error) => {
            let why = format!("no randomness to be had: {error}\n");
            (StatusCode::INTERNAL_SERVER_ERROR, why).into_response()
        }
    }
}

#[derive(Deserialize)]
struct LogoutForm {
    form_token: String,
}

async fn logout(
    State(console): State<Console>,
    headers: HeaderMap,
    Form(form): Form<LogoutForm>,
) -> Response {
    let session = console.logins.visitor(&headers);
    if session.owns_form(&form.form_token) {
        console.logins.log_out(&session);
    }
    let response = Redirect::to("/console/login").into_response();
    console.logins.without_cookie(response)
}
