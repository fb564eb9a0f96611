//! What everybody may read: pages, feeds, Statuspage's API.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;
use status::maintenance::Stage;
use status::page::{self, Place};
use status::view::View;
use status::{api_v2, feeds, svg};

use super::{Shared, Web};

/// Between us and a reader nobody keeps a page for longer.
const CACHE: &str = "public, max-age=5";
const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json; charset=utf-8";
const LIVE: Place = Place::Live(None);

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/", get(index))
        .route("/history", get(history))
        .route("/incidents/{id}", get(incident))
        .route("/components/{key}", get(component))
        .route("/history.atom", get(atom))
        .route("/history.rss", get(rss))
        .route("/badge.svg", get(badge))
        .route(
            "/status.css",
            get(async || asset(page::STYLE, "text/css; charset=utf-8")),
        )
        .route(
            "/status.js",
            get(async || asset(page::SCRIPT, "text/javascript; charset=utf-8")),
        )
        .route(
            "/icon.svg",
            get(async || asset(page::ICON, "image/svg+xml")),
        )
        .route(
            "/favicon.ico",
            get(async || asset(page::ICON, "image/svg+xml")),
        )
        .route(
            "/robots.txt",
            get(async || asset("User-agent: *\nAllow: /\n", "text/plain")),
        )
        .route("/livez", get(async || "ok\n"))
        .nest("/api/v2", api())
}

fn api() -> Router<Shared> {
    Router::new()
        .route(
            "/summary.json",
            get(async |s: State<Shared>| json(&s, "summary", api_v2::summary)),
        )
        .route(
            "/status.json",
            get(async |s: State<Shared>| json(&s, "status", api_v2::status)),
        )
        .route(
            "/components.json",
            get(async |s: State<Shared>| json(&s, "components", api_v2::components)),
        )
        .route(
            "/incidents.json",
            get(async |s: State<Shared>| json(&s, "incidents", api_v2::incidents)),
        )
        .route(
            "/incidents/unresolved.json",
            get(async |s: State<Shared>| json(&s, "unresolved", api_v2::unresolved)),
        )
        .route(
            "/scheduled-maintenances.json",
            get(async |s: State<Shared>| {
                json(&s, "maintenances", |v| api_v2::maintenances(v, None))
            }),
        )
        .route(
            "/scheduled-maintenances/upcoming.json",
            get(async |s: State<Shared>| {
                json(&s, "upcoming", |v| {
                    api_v2::maintenances(v, Some(Stage::Scheduled))
                })
            }),
        )
        .route(
            "/scheduled-maintenances/active.json",
            get(async |s: State<Shared>| {
                json(&s, "active", |v| {
                    api_v2::maintenances(v, Some(Stage::InProgress))
                })
            }),
        )
}

async fn index(State(web): State<Shared>) -> Response {
    shared(&web, "/", HTML, |view| Some(page::index(view, &LIVE)))
}

async fn history(State(web): State<Shared>) -> Response {
    shared(&web, "/history", HTML, |view| {
        Some(page::history(view, &LIVE))
    })
}

async fn incident(State(web): State<Shared>, Path(id): Path<String>) -> Response {
    let Ok(id) = id.parse::<u64>() else {
        return nothing_there(State(web)).await;
    };
    let name = format!("/incidents/{id}");
    shared(&web, &name, HTML, |view| page::incident(view, id, &LIVE))
}

async fn component(State(web): State<Shared>, Path(key): Path<String>) -> Response {
    let known = web
        .hub
        .show(|view| view.components().any(|one| one.component().key == key));
    if !known {
        return nothing_there(State(web)).await;
    }
    let name = format!("/components/{key}");
    shared(&web, &name, HTML, |view| page::component(view, &key, &LIVE))
}

async fn atom(State(web): State<Shared>) -> Response {
    shared(
        &web,
        "atom",
        "application/atom+xml; charset=utf-8",
        |view| Some(feeds::atom(view)),
    )
}

async fn rss(State(web): State<Shared>) -> Response {
    shared(&web, "rss", "application/rss+xml; charset=utf-8", |view| {
        Some(feeds::rss(view))
    })
}

async fn badge(State(web): State<Shared>) -> Response {
    shared(&web, "badge", "image/svg+xml", |view| {
        Some(svg::badge(view))
    })
}

/// Where there is nothing.
pub(super) async fn nothing_there(State(web): State<Shared>) -> Response {
    let text = "There is no such page, or no such incident any more.";
    web.message(StatusCode::NOT_FOUND, "Nothing here", text)
}

/// A text that all who ask within a second are given alike.
fn shared(
    web: &Web,
    name: &str,
    kind: &'static str,
    make: impl FnOnce(&View<'_>) -> Option<String>,
) -> Response {
    match web.hub.shared(name, make) {
        Some(text) => (
            [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, CACHE)],
            text.to_string(),
        )
            .into_response(),
        None => web.message(
            StatusCode::NOT_FOUND,
            "Nothing here",
            "There is no such page.",
        ),
    }
}

/// An answer of the API, which pages of others may ask for as well.
fn json(web: &Web, name: &str, make: impl FnOnce(&View<'_>) -> Value) -> Response {
    let name = format!("api/{name}");
    let mut response = shared(web, &name, JSON, |view| Some(make(view).to_string()));
    let anybody = header::HeaderValue::from_static("*");
    response
        .headers_mut()
        .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anybody);
    response
}

fn asset(text: &'static str, kind: &'static str) -> Response {
    (
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, CACHE)],
        text,
    )
        .into_response()
}
