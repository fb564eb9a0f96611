//! What the admin API tells of the service's health, figures and events.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use runtime::observe::exposition::CONTENT_TYPE;
use serde::Deserialize;

use super::{Api, ApiError, Json};
use crate::control::ControlError;
use crate::observe::Observatory;
use crate::wire::EventPage;

/// How long a question for events waits for one at most.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// Events in one answer.
const EVENTS_MAX: usize = 1000;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/v1/events", get(events))
}

/// Whether it makes sense to keep this process: not if its loops have stood still for long.
async fn livez(State(api): State<Api>) -> Response {
    match api.observatory.is_none_or(|o| o.is_alive()) {
        true => "ok\n".into_response(),
        false => unavailable("event loops do not turn\n"),
    }
}

/// Whether clients should be sent here: all listeners serve, nothing drains, and every loop has
/// turned within the last second, so that a dead path is not hidden behind a healthy answer.
async fn readyz(State(api): State<Api>) -> Response {
    if !api.ready.load(Ordering::Acquire) {
        return unavailable("not ready\n");
    }
    match api.observatory.is_none_or(|o| o.is_turning()) {
        true => "ok\n".into_response(),
        false => unavailable("an event loop does not turn\n"),
    }
}

fn unavailable(why: &'static str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, why).into_response()
}

async fn metrics(State(api): State<Api>) -> Result<Response, ApiError> {
    let control = Arc::clone(&api.control);
    let observatory = observatory(api)?;
    let page = blocking(move || observatory.metrics(&control.volume_statuses())).await?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], page).into_response())
}

#[derive(Deserialize)]
struct EventsQuery {
    /// Only later ones than the event of this number; else the last ones.
    since: Option<u64>,
    tenant: Option<String>,
    /// How long to wait for one if there is none yet, in seconds.
    #[serde(default)]
    wait_s: u64,
}

async fn events(
    State(api): State<Api>,
    Query(query): Query<EventsQuery>,
) -> Result<Json<EventPage>, ApiError> {
    let observatory = observatory(api)?;
    let mut news = observatory.log.watch();
    let since = query.since.unwrap_or(0);
    let wait = Duration::from_secs(query.wait_s).min(WAIT_MAX);
    // Nothing later comes only if the process ends; the answer is then what there is.
    let _ = tokio::time::timeout(wait, news.wait_for(|last| *last > since)).await;
    let page = blocking(move || read_events(&observatory, &query)).await??;
    Ok(Json(page))
}

fn read_events(observatory: &Observatory, query: &EventsQuery) -> Result<EventPage, ApiError> {
    let last = observatory.log.last_id();
    let mut events = observatory
        .log
        .after(query.since.unwrap_or(0))
        .map_err(|e| {
            let error = format!("the journal of events cannot be read: {e}");
            ApiError(StatusCode::INTERNAL_SERVER_ERROR, error)
        })?;
    let mut next = last.max(query.since.unwrap_or(0));
    if query.since.is_some() && events.len() > EVENTS_MAX {
        events.truncate(EVENTS_MAX);
        next = events.last().map_or(next, |event| event.id);
    }
    if let Some(tenant) = &query.tenant {
        events.retain(|event| event.tenant.as_ref() == Some(tenant));
    }
    events.drain(..events.len().saturating_sub(EVENTS_MAX));
    Ok(EventPage { events, next })
}

/// With no daemon running there is nothing to observe.
pub(super) fn observatory(api: Api) -> Result<Arc<Observatory>, ApiError> {
    api.observatory
        .ok_or_else(|| ApiError::from(ControlError::NotRunning))
}

/// Runs what takes longer than an answer may hold up others.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| {
        let error = "the answer broke off: look at the daemon's log";
        ApiError(StatusCode::INTERNAL_SERVER_ERROR, error.into())
    })
}

#[cfg(test)]
#[path = "observe_test.rs"]
mod tests;
