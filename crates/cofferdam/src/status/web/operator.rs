//! What operators do: publish or discard drafts, write updates and incidents, announce maintenance.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Form, Router};
use runtime::http::{Peer, same_secret};
use serde::Deserialize;
use status::board::Board;
use status::desk::DeskError;
use status::incident::{Impact, Phase};
use status::maintenance::Maintenance;
use status::{civil, forms, privacy};

use super::tenant::Signed;
use super::{Shared, Web, Who, see};
use crate::web::Visitor;

const TITLE: &str = "Operators";
const TEXT_LEN_MAX: usize = 2_000;
const TITLE_LEN_MAX: usize = 120;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/operator", get(desk))
        .route("/operator/login", post(login))
        .route("/operator/incidents", post(write))
        .route("/operator/incidents/{id}", post(change))
        .route("/operator/maintenance", post(announce))
        .route("/operator/maintenance/{id}", post(call_off))
}

async fn desk(State(web): State<Shared>, headers: HeaderMap) -> Response {
    let visitor = web.logins.visitor(&headers);
    let page = match visitor.who {
        Some(Who::Operator) => web.desk(&visitor, ""),
        _ => forms::login(web.chrome(TITLE, None), true, "", &visitor.form_token),
    };
    web.logins.with_cookie(&visitor, Html(page).into_response())
}

#[derive(Deserialize)]
struct Login {
    token: String,
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
    let refused = if web.logins.brake.take(Some(source.0)).is_err() {
        Some((
            StatusCode::TOO_MANY_REQUESTS,
            "Too many attempts from your address: wait a minute.",
        ))
    } else if !same_secret(given.token.trim().as_bytes(), web.token.as_bytes()) {
        tracing::warn!(source = %source.0, "status: wrong operator's token");
        Some((StatusCode::FORBIDDEN, "This is not the token."))
    } else {
        web.logins.brake.give_back(Some(source.0));
        None
    };
    let no_randomness = (
        StatusCode::INTERNAL_SERVER_ERROR,
        "This machine has no randomness.",
    );
    let refused = match refused.map_or_else(|| Ok(web.logins.log_in(Who::Operator)), Err) {
        Ok(Ok(visitor)) => return web.logins.with_cookie(&visitor, see("/operator")),
        Ok(Err(_)) => no_randomness,
        Err(refused) => refused,
    };
    let (status, error) = refused;
    let page = forms::login(web.chrome(TITLE, None), true, error, &visitor.form_token);
    (status, Html(page)).into_response()
}

impl Web {
    fn desk(&self, visitor: &Visitor<Who>, note: &str) -> String {
        let chrome = self.chrome(TITLE, None);
        let (board, now) = (self.hub.board(), self.hub.now());
        forms::operator(chrome, &board, now, note, &visitor.form_token)
    }

    /// Does what an operator asks with a form of ours, and shows him the desk with what came of it.
    fn act(
        &self,
        headers: &HeaderMap,
        csrf: &str,
        act: impl FnOnce(&mut Board) -> Result<&'static str, String>,
    ) -> Response {
        let visitor = self.logins.visitor(headers);
        if visitor.who != Some(Who::Operator) {
            return see("/operator");
        }
        if !self.logins.is_ours(&visitor, headers, csrf) {
            return self.forged();
        }
        let done = act(&mut self.hub.board());
        self.hub.forget_pages();
        match done {
            Ok(note) => {
                tracing::info!(note, "status: an operator");
                Html(self.desk(&visitor, note)).into_response()
            }
            Err(error) => {
                let page = self.desk(&visitor, &error);
                (StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response()
            }
        }
    }
}

#[derive(Deserialize)]
struct Change {
    csrf: String,
    #[serde(rename = "do")]
    action: String,
    #[serde(default)]
    phase: String,
    #[serde(default)]
    text: String,
}

async fn change(
    State(web): State<Shared>,
    Path(id): Path<u64>,
    headers: HeaderMap,
    Form(given): Form<Change>,
) -> Response {
    let now = web.hub.now();
    web.act(&headers, &given.csrf, |board| {
        let done = match given.action.as_str() {
            "publish" => board.publish(now, id).map(|()| "Published."),
            "discard" => board.discard(now, id).map(|()| "Discarded."),
            _ => {
                let text = public_text(board, &given.text, TEXT_LEN_MAX)?;
                let phase = Phase::parse(&given.phase).ok_or("That is no state.")?;
                board.update(now, id, phase, text).map(|()| "Written.")
            }
        };
        done.map_err(told)
    })
}

#[derive(Deserialize)]
struct NewIncident {
    csrf: String,
    title: String,
    impact: String,
    text: String,
}

async fn write(
    State(web): State<Shared>,
    headers: HeaderMap,
    Form(given): Form<NewIncident>,
) -> Response {
    let now = web.hub.now();
    web.act(&headers, &given.csrf, |board| {
        let title = public_text(board, &given.title, TITLE_LEN_MAX)?;
        let text = public_text(board, &given.text, TEXT_LEN_MAX)?;
        let impact = match given.impact.as_str() {
            "critical" => Impact::Critical,
            "major" => Impact::Major,
            _ => Impact::Minor,
        };
        board.write(now, title, impact, Vec::new(), text);
        Ok("Published.")
    })
}

#[derive(Deserialize)]
struct NewMaintenance {
    csrf: String,
    title: String,
    begins: String,
    ends: String,
    text: String,
}

async fn announce(
    State(web): State<Shared>,
    headers: HeaderMap,
    Form(given): Form<NewMaintenance>,
) -> Response {
    let now = web.hub.now();
    web.act(&headers, &given.csrf, |board| {
        let time = |text: &str| {
            civil::parse(text).ok_or(format!("{text:?} is no time: write 2026-11-22T08:00"))
        };
        let (begins, ends) = (time(&given.begins)?, time(&given.ends)?);
        if ends <= begins || ends <= now {
            return Err("It must end after it begins, and not be over.".to_owned());
        }
        board.announce(Maintenance {
            id: 0,
            title: public_text(board, &given.title, TITLE_LEN_MAX)?,
            text: public_text(board, &given.text, TEXT_LEN_MAX)?,
            components: Vec::new(),
            announced: now,
            begins,
            ends,
        });
        Ok("Announced.")
    })
}

async fn call_off(
    State(web): State<Shared>,
    Path(id): Path<u64>,
    headers: HeaderMap,
    Form(given): Form<Signed>,
) -> Response {
    let now = web.hub.now();
    web.act(&headers, &given.csrf, |board| {
        board
            .call_off(now, id)
            .map(|()| "Called off.")
            .map_err(told)
    })
}

/// A text that may be public, or what must not be in it.
fn public_text(board: &Board, text: &str, len_max: usize) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > len_max {
        return Err(format!("A text has 1 to {len_max} letters."));
    }
    match privacy::first_secret(text, board.affairs().names()) {
        None => Ok(text.to_owned()),
        Some(secret) => Err(format!(
            "Not published: {secret:?} names a customer, a machine or an address. Write it without."
        )),
    }
}

fn told(error: DeskError) -> String {
    match error {
        DeskError::Unknown => "There is no such thing any more.".to_owned(),
        DeskError::Over => "It is over already.".to_owned(),
    }
}
