//! What a page that is open goes on hearing: figures, rows and events, a second at a time.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use axum::response::sse::Event;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::Console;
use super::nodes::{NodesEventsPart, NodesRowsPart, NodesVerdictPart};
use super::pages::{ChangesPart, RowsPart, TilesPart, VerdictPart};
use crate::observe::event_view::EventView;
use crate::observe::history::Frame;
use crate::web::feed::{self, Follower, part};
use crate::wire::HistoryQuery;

/// Rows are sent every so many seconds: there may be a hundred, and nobody reads faster.
const ROWS_PERIOD: u64 = 2;

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/console/live", get(follow))
        .route("/console/data/history", get(history))
        .route("/console/data/events", get(events))
}

/// Which page it is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum View {
    Overview,
    Nodes,
    Tenant(String),
}

/// One page that is followed.
struct Open {
    console: Console,
    frames: watch::Receiver<Arc<Frame>>,
    view: View,
    last_event: Option<u64>,
    _place: OwnedSemaphorePermit,
}

#[derive(Deserialize)]
struct FollowQuery {
    /// Whose figures beside the service's own.
    tenant: Option<String>,
    /// `nodes`, for the page of nodes.
    view: Option<String>,
}

async fn follow(State(console): State<Console>, Query(query): Query<FollowQuery>) -> Response {
    let Ok(place) = Arc::clone(&console.followers).try_acquire_owned() else {
        return feed::no_place();
    };
    let mut frames = console.observatory.frames.subscribe();
    // The first message comes at once.
    frames.mark_changed();
    feed::follow(Open {
        frames,
        console,
        view: match (query.tenant, query.view.as_deref()) {
            (Some(tenant), _) => View::Tenant(tenant),
            (None, Some("nodes")) => View::Nodes,
            (None, _) => View::Overview,
        },
        last_event: None,
        _place: place,
    })
}

impl Follower for Open {
    async fn next(&mut self) -> Option<Vec<Event>> {
        self.frames.changed().await.ok()?;
        Some(self.second())
    }
}

impl Open {
    /// The messages of one second.
    fn second(&mut self) -> Vec<Event> {
        let frame = Arc::clone(&self.frames.borrow_and_update());
        let mut messages = vec![self.view.figures(&frame)];
        let last_event = self.console.observatory.log.last_id();
        let is_news = self.last_event != Some(last_event);
        let is_due = frame.time_s.is_multiple_of(ROWS_PERIOD) || self.last_event.is_none();
        match self.view {
            View::Overview => self.overview(is_due, is_news, &mut messages),
            View::Nodes => self.nodes(is_due, is_news, &mut messages),
            // Its pieces are those of the moment at which it was opened.
            View::Tenant(_) => {}
        }
        if is_news {
            messages.push(feed::news(last_event));
            self.last_event = Some(last_event);
        }
        messages
    }

    fn overview(&self, is_due: bool, is_news: bool, messages: &mut Vec<Event>) {
        let board = self.console.board();
        messages.push(part("tiles", &TilesPart { board: &board }));
        if is_due {
            messages.push(part("rows", &RowsPart { board: &board }));
        }
        if is_news {
            messages.push(part("verdict", &VerdictPart { board: &board }));
            messages.push(part("changes", &ChangesPart { board: &board }));
        }
    }

    fn nodes(&self, is_due: bool, is_news: bool, messages: &mut Vec<Event>) {
        let board = self.console.nodes_board();
        messages.push(part("fleet", &NodesVerdictPart { board: &board }));
        if is_due {
            messages.push(part("nodes", &NodesRowsPart { board: &board }));
        }
        if is_news {
            messages.push(part("nodes-events", &NodesEventsPart { board: &board }));
        }
    }
}

impl View {
    /// The figures that this page draws, and some more.
    fn figures(&self, frame: &Frame) -> Event {
        let is_shown = |name: &str| *self == Self::Nodes || !name.starts_with("node/");
        let of_service = frame.figures.iter().filter(|(name, _)| is_shown(name));
        let of_service = of_service.map(|(name, value)| (name.to_owned(), value));
        let own = match self {
            Self::Tenant(name) => frame.tenant(name),
            Self::Overview | Self::Nodes => None,
        };
        let of_tenant = own.into_iter().flat_map(|own| own.series());
        feed::figures(frame.time_s, of_service.chain(of_tenant))
    }
}

async fn history(State(console): State<Console>, Query(query): Query<HistoryQuery>) -> Response {
    let now_s = u64::from(console.api.clock.now().unix_secs());
    let history = console.observatory.history.get().as_ref().clone();
    feed::history(history, query, now_s).await
}

async fn events(State(console): State<Console>) -> Json<Vec<EventView>> {
    Json(console.observatory.log.recent())
}
