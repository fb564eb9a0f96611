//! What a tenant's page goes on hearing, and its past: its own figures and no others.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures_util::stream::{self, Stream};
use tokio::sync::watch;

use super::pages::{AdvicePart, ChangesPart, KeysPart, LimitsPart, StandingPart, TilesPart};
use super::{Member, Place, Shared};
use crate::api::HistoryQuery;
use crate::observe::event_view::EventView;
use crate::observe::history::{Frame, tenant_series};

/// Tables are sent every so many seconds: nobody reads faster.
const TABLES_PERIOD: u64 = 2;
/// Advice is of minutes, and read at leisure.
const ADVICE_PERIOD: u64 = 10;
/// How soon a browser is to come back after the connection ended.
const RETRY: Duration = Duration::from_secs(1);

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/live", get(follow))
        .route("/data/history", get(history))
        .route("/data/events", get(events))
}

/// One page that is followed.
struct Follower {
    web: Shared,
    member: Member,
    frames: watch::Receiver<Arc<Frame>>,
    last_event: Option<u64>,
    _place: Place,
}

async fn follow(State(web): State<Shared>, Extension(member): Extension<Member>) -> Response {
    let Some(place) = web.follow(member.tenant) else {
        let why = "too many pages are open: close one\n";
        return (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    };
    let mut frames = web.parts.observatory.frames.subscribe();
    // The first message comes at once.
    frames.mark_changed();
    let follower = Follower {
        web,
        member,
        frames,
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
        // Whose credential was revoked hears nothing more.
        if !follower.web.is_in_force(&follower.member) {
            return None;
        }
        let messages = follower.second();
        Some((stream::iter(messages.into_iter().map(Ok)), follower))
    });
    futures_util::StreamExt::flatten(seconds)
}

impl Follower {
    fn second(&mut self) -> Vec<Event> {
        let frame = self.frames.borrow_and_update().clone();
        let is_first = self.last_event.is_none();
        let is_due = |period: u64| is_first || frame.time_s.is_multiple_of(period);
        let live = self.web.live(&self.member);
        let figures = serde_json::to_string(&FigureView::of(&frame, &self.member.name));
        let mut messages = vec![
            Event::default()
                .event("figures")
                .retry(RETRY)
                .data(figures.unwrap_or_default()),
            part("tiles", &TilesPart { live: &live }),
        ];
        if is_due(TABLES_PERIOD) {
            messages.push(part("standing", &StandingPart { live: &live }));
            messages.push(part("limits", &LimitsPart { live: &live }));
            let keys = self.web.keys(&self.member);
            messages.push(part("keys", &KeysPart { keys: &keys }));
        }
        if is_due(ADVICE_PERIOD) {
            messages.push(part("advice", &AdvicePart { live: &live }));
        }
        let newest = live.events.first().map_or(0, |event| event.id);
        if self.last_event != Some(newest) {
            messages.push(part("changes", &ChangesPart { live: &live }));
            let told = Event::default().event("events");
            messages.push(told.data(newest.to_string()));
            self.last_event = Some(newest);
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
struct FigureView {
    time_s: u64,
    figures: std::collections::BTreeMap<String, Option<f32>>,
}

impl FigureView {
    fn of(frame: &Frame, tenant: &str) -> Self {
        let own = frame.tenant(tenant).into_iter();
        let figures = own.flat_map(|own| own.series());
        Self {
            time_s: frame.time_s,
            figures: figures
                .map(|(name, value)| (name, Some(*value).filter(|value| value.is_finite())))
                .collect(),
        }
    }
}

async fn history(
    State(web): State<Shared>,
    Extension(member): Extension<Member>,
    Query(query): Query<HistoryQuery>,
) -> Response {
    let own = tenant_series(&member.name, "");
    let names = query.names.as_deref().unwrap_or_default().split(',');
    let strange = names.into_iter().any(|name| !name.starts_with(&own));
    let refused = match strange {
        true => Err(format!("names of your own begin with {own}")),
        false => query.check(),
    };
    if let Err(why) = refused {
        return (StatusCode::BAD_REQUEST, why).into_response();
    }
    let now_s = u64::from(web.parts.clock.now().unix_secs());
    let Some(history) = web.parts.observatory.history.get().as_ref().clone() else {
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

async fn events(
    State(web): State<Shared>,
    Extension(member): Extension<Member>,
) -> Json<Vec<EventView>> {
    let mut events = web.parts.observatory.log.recent();
    events.retain(|event| event.tenant.as_deref() == Some(&*member.name));
    // What to do about it is told in an operator's words there.
    events.iter_mut().for_each(|event| event.advice = None);
    Json(events)
}
