//! Login with the admin token, and the check that stands before every page.

use std::net::IpAddr;

use axum::extract::{Extension, Form, Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, http::HeaderValue};
use runtime::http::{Peer, same_secret};
use runtime::secrets;
use serde::Deserialize;

use super::pages::LoginPage;
use super::session::{Session, cookie};
use super::{Console, page, page_with};

const COOKIE: &str = "cofferdam_session";
/// Who sends a form, as browsers tell it (Fetch Metadata).
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

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
    let now = console.api.clock.now();
    let name = cookie(request.headers(), COOKIE).map(str::to_owned);
    let session = name.and_then(|name| console.sessions().find(now, &name));
    let Some(session) = session else {
        let wants_page = request.method() == Method::GET
            && !request.uri().path().starts_with("/console/data/")
            && !request.uri().path().starts_with("/console/live");
        return match wants_page {
            true => Redirect::to("/console/login").into_response(),
            false => (StatusCode::UNAUTHORIZED, "log in first\n").into_response(),
        };
    };
    if request.method() != Method::GET && is_foreign(request.headers()) {
        return (StatusCode::FORBIDDEN, "another page sent this form\n").into_response();
    }
    request.extensions_mut().insert(session);
    next.run(request).await
}

/// Whether a browser says that a page of somebody else's sends this.
fn is_foreign(headers: &HeaderMap) -> bool {
    let site = headers.get(FETCH_SITE).and_then(|site| site.to_str().ok());
    !matches!(site, None | Some("same-origin" | "none"))
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
    let now = console.api.clock.now();
    if is_foreign(&headers) {
        return (StatusCode::FORBIDDEN, "another page sent this form\n").into_response();
    }
    if let Err(wait) = console.attempts().check(now, source) {
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
        console.attempts().failed(now, source);
        tracing::warn!(?source, "console: a login with a wrong token");
        let why = "That is not the token. It stands in admin.token of the data directory.";
        let failure = Some(why.to_owned());
        return page_with(StatusCode::UNAUTHORIZED, &LoginPage { failure });
    }
    let (Ok(name), Ok(form_token)) = (secrets::password(), secrets::password()) else {
        return (
            StatusCode::INTERNAL_SERVER_ERROR,
            "no randomness to be had\n",
        )
            .into_response();
    };
    console.sessions().begin(now, name.clone(), form_token);
    with_cookie(Redirect::to("/console/").into_response(), &name, 24 * 3600)
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
    let now = console.api.clock.now();
    if let Some(name) = cookie(&headers, COOKIE) {
        let mut sessions = console.sessions();
        let session = sessions.find(now, name);
        if session.is_some_and(|session: Session| session.owns_form(&form.form_token)) {
            sessions.end(name);
        }
    }
    with_cookie(Redirect::to("/console/login").into_response(), "", 0)
}

fn with_cookie(mut response: Response, name: &str, age_s: u64) -> Response {
    let text =
        format!("{COOKIE}={name}; Path=/console; HttpOnly; SameSite=Strict; Max-Age={age_s}");
    // Letters and digits of ours.
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

/// Where a request comes from; `None` is the Unix socket.
pub(super) fn address(peer: Option<Extension<Peer>>) -> Option<IpAddr> {
    peer.map(|Extension(Peer(address))| address)
}
