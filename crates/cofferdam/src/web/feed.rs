//! Pages that go on hearing, a second at a time, and the past that they ask for.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Json;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, StreamExt};
use runtime::history::History;
use serde::Serialize;

use crate::wire::HistoryQuery;

/// How soon a browser is to come back after the connection ended.
const RETRY: Duration = Duration::from_secs(1);

/// One page that is followed.
pub(crate) trait Follower: Send + 'static {
    /// The messages of the next second; `None` once there is nothing more to hear.
    fn next(&mut self) -> impl Future<Output = Option<Vec<Event>>> + Send;
}

/// An answer that goes on for as long as its reader stays.
pub(crate) fn follow(follower: impl Follower) -> Response {
    let seconds = stream::unfold(follower, |mut follower| async move {
        let messages = follower.next().await?;
        let messages = messages.into_iter().map(Ok::<Event, Infallible>);
        Some((stream::iter(messages), follower))
    });
    Sse::new(seconds.flatten())
        .keep_alive(KeepAlive::default())
        .into_response()
}

/// No place is left for one more who follows.
pub(crate) fn no_place() -> Response {
    let why = "too many pages are open: close one\n";
    (StatusCode::SERVICE_UNAVAILABLE, why).into_response()
}

/// A part of the page, written anew.
pub(crate) fn part(name: &str, template: &impl Template) -> Event {
    let html = template.render().unwrap_or_default();
    Event::default().event(name).data(html)
}

/// A second's figures by the names of the history; what is not known is `null`.
pub(crate) fn figures<'a>(time_s: u64, all: impl Iterator<Item = (String, &'a f32)>) -> Event {
    #[derive(Serialize)]
    struct View {
        time_s: u64,
        figures: BTreeMap<String, Option<f32>>,
    }
    let known = |value: &f32| Some(*value).filter(|value| value.is_finite());
    let view = View {
        time_s,
        figures: all.map(|(name, value)| (name, known(value))).collect(),
    };
    // Names and numbers can be written at all times.
    let json = serde_json::to_string(&view).unwrap_or_default();
    Event::default().event("figures").retry(RETRY).data(json)
}

/// That there are events up to this one.
pub(crate) fn news(last_event: u64) -> Event {
    Event::default()
        .event("events")
        .data(last_event.to_string())
}

/// What a page asks of the past, at `now_s`.
pub(crate) async fn history(
    history: Option<Arc<History>>,
    query: HistoryQuery,
    now_s: u64,
) -> Response {
    if let Err(why) = query.check() {
        return (StatusCode::BAD_REQUEST, why).into_response();
    }
    let Some(history) = history else {
        return (StatusCode::SERVICE_UNAVAILABLE, "no history is kept\n").into_response();
    };
    let answer = tokio::task::spawn_blocking(move || query.answer(&history, now_s)).await;
    match answer {
        Ok(Ok(view)) => Json(view).into_response(),
        _ => {
            let why = "the history cannot be read\n";
            (StatusCode::INTERNAL_SERVER_ERROR, why).into_response()
        }
    }
}

#[cfg(test)]
#[path = "feed_test.rs"]
mod tests;
