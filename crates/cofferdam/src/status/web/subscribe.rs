//! Asking to be told of incidents, confirming it, and leaving.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Form, Router};
use runtime::http::{Peer, same_secret};
use runtime::secrets;
use runtime::webhook::Target;
use serde::Deserialize;
use status::forms::{self, Ways};
use status::subscribers::{Destination, Refused};

use super::{Shared, Web};

const TITLE: &str = "Subscribe";
const TOKEN_LEN: usize = 40;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/subscribe", get(ask).post(subscribe))
        .route("/subscribe/confirm", get(ask_confirm).post(confirm))
        .route("/unsubscribe", get(ask_leave).post(leave))
}

impl Web {
    fn ways(&self) -> Ways {
        Ways {
            mail: self.sends_mail,
        }
    }

    fn again(&self, status: StatusCode, error: &str, form_token: &str) -> Response {
        let page = forms::subscribe(self.chrome(TITLE, None), self.ways(), error, form_token);
        (status, Html(page)).into_response()
    }

    /// The number of whoever has this token.
    fn subscriber(&self, token: &str) -> Option<u64> {
        let subscribers = self.hub.subscribers();
        let found = subscribers.by_token(|own| same_secret(own.as_bytes(), token.as_bytes()));
        found.map(|one| one.id)
    }

    fn unknown(&self) -> Response {
        let text = "This link is old, or was used already: there is nobody behind it any more.";
        self.message(StatusCode::NOT_FOUND, "Nothing to do", text)
    }
}

async fn ask(State(web): State<Shared>, headers: HeaderMap) -> Response {
    let visitor = web.logins.visitor(&headers);
    let response = web.again(StatusCode::OK, "", &visitor.form_token);
    web.logins.with_cookie(&visitor, response)
}

#[derive(Deserialize)]
struct Wish {
    way: String,
    to: String,
    csrf: String,
}

async fn subscribe(
    State(web): State<Shared>,
    Extension(Peer(source)): Extension<Peer>,
    headers: HeaderMap,
    Form(wish): Form<Wish>,
) -> Response {
    let visitor = web.logins.visitor(&headers);
    if !web.logins.is_ours(&visitor, &headers, &wish.csrf) {
        return web.forged();
    }
    let again = |status, error: &str| web.again(status, error, &visitor.form_token);
    let address = wish.to.trim().to_owned();
    let to = match wish.way.as_str() {
        "mail" if web.sends_mail => Destination::Mail(address),
        "webhook" => match Target::parse(&address, web.allows_private) {
            Ok(_) => Destination::Webhook(address),
            Err(why) => return again(StatusCode::UNPROCESSABLE_ENTITY, &why),
        },
        _ => return again(StatusCode::UNPROCESSABLE_ENTITY, "There is no such way."),
    };
    // Whoever asks too often asks for others.
    if web.wishes.take(Some(source)).is_err() {
        let why = "Too many wishes from your address: wait a minute.";
        return again(StatusCode::TOO_MANY_REQUESTS, why);
    }
    let (Ok(token), Ok(secret)) = (
        secrets::random_text(TOKEN_LEN),
        secrets::random_text(TOKEN_LEN),
    ) else {
        let why = "This machine has no randomness.";
        return again(StatusCode::INTERNAL_SERVER_ERROR, why);
    };
    let is_mail = matches!(to, Destination::Mail(_));
    let asked = {
        let mut subscribers = web.hub.subscribers();
        subscribers.ask(web.hub.now(), to, token.clone(), secret.clone())
    };
    match (asked, is_mail) {
        // Whether an address is known here is nobody's business but its owner's.
        (Ok(_), true) => web.message(
            StatusCode::OK,
            "Look into your mail",
            "If this address is not told already, a message is on its way to it: confirm there.",
        ),
        (Ok(true), false) => {
            let leave = format!("{}/unsubscribe?token={token}", web.hub.site.url);
            let page = forms::secret(web.chrome(TITLE, None), &secret, &leave);
            Html(page).into_response()
        }
        (Ok(false), false) => {
            let why =
                "This webhook has been asked already, or is told: its link to leave undoes that.";
            again(StatusCode::CONFLICT, why)
        }
        (Err(Refused::NoAddress), _) => {
            again(StatusCode::UNPROCESSABLE_ENTITY, "That is no address.")
        }
        (Err(Refused::Full), _) => {
            let why = "There are too many subscribers: use a feed, or try again tomorrow.";
            again(StatusCode::SERVICE_UNAVAILABLE, why)
        }
    }
}

/// What links in messages carry.
#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: String,
}

async fn ask_confirm(State(web): State<Shared>, Query(link): Query<Token>) -> Response {
    if web.subscriber(&link.token).is_none() {
        return web.unknown();
    }
    let words = (
        "Be told of incidents?",
        "You are told when one begins, when there is news of it, and when it is over.",
    );
    let chrome = web.chrome(TITLE, None);
    let page = forms::decide(
        chrome,
        words,
        "subscribe/confirm",
        &link.token,
        "Yes, tell me",
    );
    Html(page).into_response()
}

async fn confirm(State(web): State<Shared>, Form(link): Form<Token>) -> Response {
    let Some(id) = web.subscriber(&link.token) else {
        return web.unknown();
    };
    web.hub.subscribers().confirm(web.hub.now(), id);
    web.message(
        StatusCode::OK,
        "You will be told",
        "Of the next incident, at once.",
    )
}

async fn ask_leave(State(web): State<Shared>, Query(link): Query<Token>) -> Response {
    if web.subscriber(&link.token).is_none() {
        return web.unknown();
    }
    let words = ("Be told no more?", "You can subscribe again at any time.");
    let action = format!("unsubscribe?token={}", link.token);
    let chrome = web.chrome(TITLE, None);
    let page = forms::decide(chrome, words, &action, &link.token, "Leave");
    Html(page).into_response()
}

/// By the button of the page, or of a mail program, which sends the link and nothing of ours.
async fn leave(State(web): State<Shared>, Query(link): Query<Token>) -> Response {
    let Some(id) = web.subscriber(&link.token) else {
        return web.unknown();
    };
    web.hub.subscribers().leave(id);
    web.message(StatusCode::OK, "You are told no more", "You have left.")
}
