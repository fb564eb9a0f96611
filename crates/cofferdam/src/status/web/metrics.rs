//! The page's own figures and its machine's, for whoever has the operators' token.

use axum::Router;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use runtime::http::{Peer, same_secret};
use runtime::observe::exposition::{CONTENT_TYPE, Exposition, Kind};
use status::incident::Incident;
use status::level::Level;

use super::super::hub::Hub;
use super::Shared;

const LEVELS: [(Level, &str); 6] = [
    (Level::Operational, "operational"),
    (Level::Maintenance, "maintenance"),
    (Level::NoData, "no_data"),
    (Level::Degraded, "slow"),
    (Level::Partial, "partial_outage"),
    (Level::Major, "outage"),
];

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics(
    State(web): State<Shared>,
    Extension(source): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    if web.logins.brake.take(Some(source.0)).is_err() {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    }
    let given = headers.get(header::AUTHORIZATION);
    let given = given.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    if !given.is_some_and(|given| same_secret(given, web.token.as_bytes())) {
        return (StatusCode::UNAUTHORIZED, "give the token of status.token\n").into_response();
    }
    web.logins.brake.give_back(Some(source.0));
    let mut page = of_page(&web.hub);
    web.machine.write(&mut page);
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], page.into_text()).into_response()
}

/// What the page shows, as figures.
fn of_page(hub: &Hub) -> Exposition {
    let mut page = Exposition::default();
    let (board, now) = (hub.board(), hub.now());
    let help = "1 for what the page says of a component, 0 for all else.";
    let mut family = page.family("cofferdam_status_component", Kind::Gauge, help);
    for (index, watched) in board.watched().iter().enumerate() {
        let level = board.level(now, index);
        for (one, name) in LEVELS {
            let labels = [
                ("component", watched.component.key.as_str()),
                ("level", name),
            ];
            family.sample(&labels, u64::from(one == level));
        }
    }
    let help = "Incidents that go on: those that everybody sees, and drafts of operators.";
    let mut family = page.family("cofferdam_status_incidents", Kind::Gauge, help);
    for (name, is_public) in [("published", true), ("draft", false)] {
        let is_meant = |it: &&Incident| it.is_open() && it.is_public() == is_public;
        let count = board.incidents().filter(is_meant).count();
        family.sample(&[("visibility", name)], count as u64);
    }
    drop(board);
    page.single(
        "cofferdam_status_hears_events",
        Kind::Gauge,
        "1 while the service tells the page of its events, 0 if it does not answer or is not asked.",
        u64::from(hub.hears_events()),
    );
    page
}
