//! What a tenant's page goes on hearing, and its past: its own figures and no others.

use std::sync::Arc;

use axum::extract::{Extension, Query, State};
use axum::http::StatusCode;
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use tokio::sync::watch;

use super::pages::{AdvicePart, ChangesPart, KeysPart, LimitsPart, StandingPart, TilesPart};
use super::{Member, Place, Shared};
use crate::observe::event_view::EventView;
use crate::observe::history::{Frame, tenant_series};
use crate::web::feed::{self, Follower, part};
use crate::wire::HistoryQuery;

/// Tables are sent every so many seconds: nobody reads faster.
const TABLES_PERIOD: u64 = 2;
/// Advice is of minutes, and read at leisure.
const ADVICE_PERIOD: u64 = 10;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/live", get(follow))
        .route("/data/history", get(history))
        .route("/data/events", get(events))
}

/// One page that is followed.
struct Open {
    web: Shared,
    member: Member,
    frames: watch::Receiver<Arc<Frame>>,
    last_event: Option<u64>,
    _place: Place,
}

async fn follow(State(web): State<Shared>, Extension(member): Extension<Member>) -> Response {
    let Some(place) = web.follow(member.tenant) else {
        return feed::no_place();
    };
    let mut frames = web.parts.observatory.frames.subscribe();
    // The first message comes at once.
    frames.mark_changed();
    feed::follow(Open {
        web,
        member,
        frames,
        last_event: None,
        _place: place,
    })
}

impl Follower for Open {
    async fn next(&mut self) -> Option<Vec<Event>> {
        self.frames.changed().await.ok()?;
        // Whose credential was revoked hears nothing more.
        match self.web.is_in_force(&self.member) {
            true => Some(self.second()),
            false => None,
        }
    }
}

impl Open {
    fn second(&mut self) -> Vec<Event> {
        let frame = self.frames.borrow_and_update().clone();
        let is_first = self.last_event.is_none();
        let is_due = |period: u64| is_first || frame.time_s.is_multiple_of(period);
        let live = self.web.live(&self.member);
        let own = frame.tenant(&self.member.name).into_iter();
        let figures = own.flat_map(|own| own.series());
        let mut messages = vec![
            feed::figures(frame.time_s, figures),
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
            messages.push(feed::news(newest));
            self.last_event = Some(newest);
        }
        messages
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
    if strange {
        let why = format!("names of your own begin with {own}");
        return (StatusCode::BAD_REQUEST, why).into_response();
    }
    let now_s = u64::from(web.parts.clock.now().unix_secs());
    let history = web.parts.observatory.history.get().as_ref().clone();
    feed::history(history, query, now_s).await
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
