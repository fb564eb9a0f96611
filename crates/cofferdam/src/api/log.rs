//! What the admin API tells of the log: its last lines, for whoever has no way to the file.

use axum::Router;
use axum::routing::get;

use super::Api;
use crate::logging;

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/v1/log", get(async || logging::recent()))
}
