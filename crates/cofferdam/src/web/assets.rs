//! Style, script and drawing library, part of the binary.

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
/// Their addresses carry the release, so that a new one is never mixed with an old page.
const KEEP: &str = "public, max-age=3600";

const FILES: [(&str, &str, &str); 6] = [
    (
        "style.css",
        CSS,
        include_str!("../../assets/console/style.css"),
    ),
    (
        "app.js",
        SCRIPT,
        include_str!("../../assets/console/app.js"),
    ),
    (
        "theme.js",
        SCRIPT,
        include_str!("../../assets/console/theme.js"),
    ),
    (
        "uplot.js",
        SCRIPT,
        include_str!("../../assets/console/uplot.js"),
    ),
    (
        "uplot.css",
        CSS,
        include_str!("../../assets/console/uplot.css"),
    ),
    (
        "uplot.LICENSE",
        "text/plain; charset=utf-8",
        include_str!("../../assets/console/uplot.LICENSE"),
    ),
];

/// The files under `path`, which names the part `{name}`.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(path: &str) -> Router<S> {
    Router::new().route(path, get(file))
}

async fn file(Path(name): Path<String>) -> Response {
    match FILES.iter().find(|(own, _, _)| *own == name) {
        Some((_, kind, text)) => {
            let headers = [(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, KEEP)];
            (headers, *text).into_response()
        }
        None => (StatusCode::NOT_FOUND, "no such file\n").into_response(),
    }
}
