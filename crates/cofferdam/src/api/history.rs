//! What the admin API tells of the past: figures over a range of time.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use runtime::history::History;

use super::observe::{blocking, observatory};
use super::{Api, ApiError, Json};
use crate::wire::{HistoryQuery, HistoryView};

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/v1/history", get(tell))
}

async fn tell(
    State(api): State<Api>,
    Query(query): Query<HistoryQuery>,
) -> Result<Json<HistoryView>, ApiError> {
    query
        .check()
        .map_err(|why| ApiError(StatusCode::BAD_REQUEST, why))?;
    let now_s = u64::from(api.clock.now().unix_secs());
    let history: Option<Arc<History>> = observatory(api)?.history.get().as_ref().clone();
    let Some(history) = history else {
        let why = "no history is kept yet: look at the daemon's log";
        return Err(ApiError(StatusCode::SERVICE_UNAVAILABLE, why.into()));
    };
    let view = blocking(move || query.answer(&history, now_s)).await?;
    view.map(Json).map_err(|error| {
        let why = format!("the history cannot be read: {error}");
        ApiError(StatusCode::INTERNAL_SERVER_ERROR, why)
    })
}
