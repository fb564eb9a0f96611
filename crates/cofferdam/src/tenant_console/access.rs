//! Login with a credential of a tenant, and the check that stands before every page.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Form, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use runtime::http::Peer;
use serde::Deserialize;

use super::pages::LoginPage;
use super::{Member, Shared, Web};
use crate::control::CANARY;
use crate::web::{is_foreign, page, page_with};

/// Told alike for a wrong name and a wrong password.
const WRONG: &str = "User name or password is wrong.";
const FOREIGN: &str =
    "This form did not come from a page of ours: load the page again and repeat it.";

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/login", get(ask).post(login))
        .route("/logout", post(logout))
}

/// Lets a request through whose cookie names a session of a credential that is still in force.
pub(super) async fn require(
    State(web): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let session = web.logins.visitor(request.headers());
    let member = session.who.clone().filter(|member| web.is_in_force(member));
    let Some(member) = member else {
        web.logins.log_out(&session);
        let path = request.uri().path();
        let wants_page =
            request.method() == Method::GET && path != "/live" && !path.starts_with("/data/");
        return match wants_page {
            true => Redirect::to("/login").into_response(),
            false => (StatusCode::UNAUTHORIZED, "log in first\n").into_response(),
        };
    };
    if request.method() != Method::GET && is_foreign(request.headers()) {
        return (StatusCode::FORBIDDEN, "another page sent this form\n").into_response();
    }
    request.extensions_mut().insert(session);
    request.extensions_mut().insert(member);
    next.run(request).await
}

impl Web {
    /// Whether the credential that somebody has logged in with has not been revoked since.
    pub(super) fn is_in_force(&self, member: &Member) -> bool {
        self.parts.plane.directory().is_live(member.credential)
    }

    /// Whose a credential is.
    fn verify(&self, username: &str, password: &str) -> Option<Member> {
        let directory = self.parts.plane.directory();
        let credential = directory.verify(username.as_bytes(), password.as_bytes())?;
        let tenant = directory.tenant(credential.tenant)?;
        (tenant.id != CANARY).then(|| Member {
            tenant: tenant.id,
            name: Arc::clone(&tenant.name),
            username: username.to_owned(),
            credential: credential.id,
            rights: credential.rights,
        })
    }
}

async fn ask(State(web): State<Shared>, headers: HeaderMap) -> Response {
    let visitor = web.logins.visitor(&headers);
    let response = page(&LoginPage {
        form_token: visitor.form_token.clone(),
        username: String::new(),
        failure: None,
    });
    web.logins.with_cookie(&visitor, response)
}

#[derive(Deserialize)]
struct LoginForm {
    username: String,
    password: String,
    form_token: String,
}

async fn login(
    State(web): State<Shared>,
    Extension(Peer(source)): Extension<Peer>,
    headers: HeaderMap,
    Form(form): Form<LoginForm>,
) -> Response {
    let visitor = web.logins.visitor(&headers);
    let username = form.username.trim();
    let again = |status: StatusCode, why: String| {
        let response = page_with(
            status,
            &LoginPage {
                form_token: visitor.form_token.clone(),
                username: username.to_owned(),
                failure: Some(why),
            },
        );
        web.logins.with_cookie(&visitor, response)
    };
    if !web.logins.is_ours(&visitor, &headers, &form.form_token) {
        return again(StatusCode::FORBIDDEN, FOREIGN.to_owned());
    }
    if let Err(wait) = web.logins.brake.take(Some(source)) {
        let seconds = wait.as_secs() + 1;
        let why = format!("Too many wrong passwords: wait {seconds} s, then try again.");
        let mut response = again(StatusCode::TOO_MANY_REQUESTS, why);
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, seconds.into());
        return response;
    }
    let Some(member) = web.verify(username, form.password.trim()) else {
        tracing::warn!(%source, username, "tenant console: a login with a wrong password");
        return again(StatusCode::UNAUTHORIZED, WRONG.to_owned());
    };
    web.logins.brake.give_back(Some(source));
    match web.logins.log_in(member) {
        Ok(session) => {
            let response = Redirect::to("/").into_response();
            web.logins.with_cookie(&session, response)
        }
        Err(error) => again(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("This machine has no randomness: {error}"),
        ),
    }
}

#[derive(Deserialize)]
struct LogoutForm {
    form_token: String,
}

async fn logout(
    State(web): State<Shared>,
    headers: HeaderMap,
    Form(form): Form<LogoutForm>,
) -> Response {
    let session = web.logins.visitor(&headers);
    if session.owns_form(&form.form_token) {
        web.logins.log_out(&session);
    }
    let response = Redirect::to("/login").into_response();
    web.logins.without_cookie(response)
}
