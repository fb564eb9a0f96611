//! What a page that is open goes on hearing: figures, rows and events, a second at a time.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::Console;
use super::pages::{ChangesPart, RowsPart, TilesPart, VerdictPart};
use crate::api::HistoryQuery;
use crate::observe::event_view::EventView;
use crate::observe::history::Frame;

/// Rows of tenants are sent every so many seconds: there may be a hundred, and nobody reads faster.
const ROWS_PERIOD: u64 = 2;
/// How soon a browser is to come back after the connection ended.
const RETRY: Duration = Duration::from_secs(1);

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/console/live", get(follow))
        .route("/console/data/history", get(history))
        .route("/console/data/events", get(events))
}

/// One page that is followed.
struct Follower {
    console: Console,
    frames: watch::Receiver<Arc<Frame>>,
    tenant: Option<String>,
    last_event: Option<u64>,
    _place: OwnedSemaphorePermit,
}

#[derive(Deserialize)]
struct FollowQuery {
    /// Whose figures beside the service's own.
    tenant: Option<String>,
}

async fn follow(State(console): State<Console>, Query(query): Query<FollowQuery>) -> Response {
    let Ok(place) = Arc::clone(&console.followers).try_acquire_owned() else {
        let why = "too many pages are open: close one\n";
        return (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    };
    let mut frames = console.observatory.frames.subscribe();
    // The first message comes at once.
    frames.mark_changed();
    let follower = Follower {
        frames,
        console,
        tenant: query.tenant,
        last_event: None,
        _place: place,
    };
    Sse::new(messages(follower))
        .keep_alive(KeepAlive::default())
        .into_response()
}

fn messages(follower: Follower) -> impl Stream<Item = Result<Event, Infallible>> {
    let seconds = stream::unfold(follower, |mut follower| async move {
        follower.frames.changed().await.ok()?;
        let messages = follower.second();
        Some((stream::iter(messages.into_iter().map(Ok)), follower))
    });
    futures_util::StreamExt::flatten(seconds)
}

impl Follower {
    /// The messages of one second.
    fn second(&mut self) -> Vec<Event> {
        let frame = Arc::clone(&self.frames.borrow_and_update());
        let board = self.console.board();
        let figures = serde_json::to_string(&FigureView::of(&frame, self.tenant.as_deref()));
        let mut messages = vec![
            Event::default()
                .event("figures")
                .retry(RETRY)
                .data(figures.unwrap_or_default()),
            part("tiles", &TilesPart { board: &board }),
        ];
        if frame.time_s.is_multiple_of(ROWS_PERIOD) || self.last_event.is_none() {
            messages.push(part("rows", &RowsPart { board: &board }));
        }
        let last_event = self.console.observatory.log.last_id();
        if self.last_event != Some(last_event) {
            messages.push(part("verdict", &VerdictPart { board: &board }));
            messages.push(part("changes", &ChangesPart { board: &board }));
            messages.push(
                Event::default()
                    .event("events")
                    .data(last_event.to_string()),
            );
            self.last_event = Some(last_event);
        }
        messages
    }
}

/// A part of the page, written anew.
fn part(name: &str, template: &impl Template) -> Event {
    let html = template.render().unwrap_or_default();
    Event::default().event(name).data(html)
}

/// A second's figures by the names of the history; what is not known is `null`.
#[derive(serde::Serialize)]
struct FigureView<'a> {
    time_s: u64,
    figures: std::collections::BTreeMap<String, Option<&'a f32>>,
}

impl<'a> FigureView<'a> {
    fn of(frame: &'a Frame, tenant: Option<&str>) -> Self {
        let of_service = frame
            .figures
            .iter()
            .map(|(name, value)| (name.to_owned(), value));
        let own = tenant.and_then(|name| frame.tenant(name));
        let of_tenant = own.into_iter().flat_map(|own| own.series());
        let all = of_service.chain(of_tenant);
        Self {
            time_s: frame.time_s,
            figures: all
                .map(|(name, v)| (name, Some(v).filter(|v| v.is_finite())))
                .collect(),
        }
    }
}

async fn history(State(console): State<Console>, Query(query): Query<HistoryQuery>) -> Response {
    if let Err(why) = query.check() {
        return (StatusCode::BAD_REQUEST, why).into_response();
    }
    let now_s = u64::from(console.api.clock.now().unix_secs());
    let Some(history) = console.observatory.history.get().as_ref().clone() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "no history is kept\n").into_response();
    };
    let answer = tokio::task::spawn_blocking(move || query.answer(&history, now_s)).await;
    match answer {
        Ok(Ok(view)) => Json(view).into_response(),
        _ => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "the history cannot be read\n",
        )
            .into_response(),
    }
}

async fn events(State(console): State<Console>) -> Json<Vec<EventView>> {
    Json(console.observatory.log.recent())
}
