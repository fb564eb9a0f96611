//! The pages, each from a template that escapes all that it is given.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use base::TrafficLimits;

use super::advice::{Advice, advice};
use super::keys::{KEYS_SHOWN, KeysView};
use super::now::Now;
use super::standing::{Standing, Used, limits};
use super::{Member, Session, Shared, Web};
use crate::alerts::AlertRule;
use crate::board::{Tile, format};
use crate::observe::event_view::EventView;
use crate::web::{page, page_with};
use crate::wire::{CredentialView, Grant};

/// Events on the page.
const EVENTS_SHOWN: usize = 12;

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/", get(overview))
}

/// What is around every page.
pub(super) struct Shell {
    pub(super) title: String,
    pub(super) tenant: String,
    pub(super) username: String,
    pub(super) version: &'static str,
    pub(super) form_token: String,
}

impl Shell {
    pub(super) fn new(session: &Session, member: &Member, title: &str) -> Self {
        Self {
            title: title.to_owned(),
            tenant: member.name.to_string(),
            username: member.username.clone(),
            version: env!("CARGO_PKG_VERSION"),
            form_token: session.form_token.clone(),
        }
    }
}

#[derive(Template)]
#[template(path = "tenant/login.html")]
pub(super) struct LoginPage {
    pub(super) form_token: String,
    pub(super) username: String,
    pub(super) failure: Option<String>,
}

#[derive(Template)]
#[template(path = "tenant/overview.html")]
struct OverviewPage {
    shell: Shell,
    as_of: String,
    live: Live,
    keys: KeysView,
    may_flush: bool,
    may_all: bool,
    servers: Vec<String>,
    credentials: Vec<CredentialView>,
    alert: AlertRule,
}

/// What changes by the second.
pub(super) struct Live {
    pub(super) standing: Standing,
    pub(super) tiles: Vec<Tile>,
    pub(super) limits: Vec<Used>,
    pub(super) advice: Vec<Advice>,
    pub(super) events: Vec<EventView>,
}

#[derive(Template)]
#[template(path = "tenant/standing.html")]
pub(super) struct StandingPart<'a> {
    pub(super) live: &'a Live,
}

#[derive(Template)]
#[template(path = "tenant/tiles.html")]
pub(super) struct TilesPart<'a> {
    pub(super) live: &'a Live,
}

#[derive(Template)]
#[template(path = "tenant/limits.html")]
pub(super) struct LimitsPart<'a> {
    pub(super) live: &'a Live,
}

#[derive(Template)]
#[template(path = "tenant/advice.html")]
pub(super) struct AdvicePart<'a> {
    pub(super) live: &'a Live,
}

#[derive(Template)]
#[template(path = "tenant/changes.html")]
pub(super) struct ChangesPart<'a> {
    pub(super) live: &'a Live,
}

#[derive(Template)]
#[template(path = "tenant/keys.html")]
pub(super) struct KeysPart<'a> {
    pub(super) keys: &'a KeysView,
}

#[derive(Template)]
#[template(path = "tenant/confirm.html")]
pub(super) struct ConfirmPage {
    pub(super) shell: Shell,
    pub(super) question: String,
    pub(super) consequence: String,
    pub(super) button: &'static str,
    pub(super) path: String,
    pub(super) is_grave: bool,
}

#[derive(Template)]
#[template(path = "tenant/grant.html")]
pub(super) struct GrantPage {
    pub(super) shell: Shell,
    pub(super) grant: Grant,
    pub(super) old: String,
}

#[derive(Template)]
#[template(path = "tenant/alerts.html")]
pub(super) struct AlertsPage {
    pub(super) shell: Shell,
    pub(super) hit_ratio: String,
    pub(super) memory: String,
    pub(super) webhook: String,
    pub(super) has_secret: bool,
    pub(super) failure: Option<String>,
}

#[derive(Template)]
#[template(path = "tenant/secret.html")]
pub(super) struct SecretPage {
    pub(super) shell: Shell,
    pub(super) secret: String,
}

#[derive(Template)]
#[template(path = "tenant/wrong.html")]
struct WrongPage<'a> {
    title: &'a str,
    why: &'a str,
}

pub(super) fn not_found(why: &str) -> Response {
    let title = "There is no such page";
    page_with(StatusCode::NOT_FOUND, &WrongPage { title, why })
}

pub(super) fn wrong(status: StatusCode, why: &str) -> Response {
    let title = "That could not be done";
    page_with(status, &WrongPage { title, why })
}

impl Web {
    /// What a tenant's page shows of this second.
    pub(super) fn live(&self, member: &Member) -> Live {
        let observatory = &self.parts.observatory;
        let recent = observatory.recent();
        let mut events = observatory.log.recent();
        events.retain(|event| event.tenant.as_deref() == Some(&*member.name));
        let limits_in_force = self.limits_of(member);
        let now = Now {
            tenant: &member.name,
            limits: &limits_in_force,
            recent: &recent,
            events: &events,
        };
        let (standing, tiles) = (Standing::of(&now), tiles(&now));
        let (limits, advice) = (limits(&now), advice(&now));
        events.reverse();
        events.truncate(EVENTS_SHOWN);
        Live {
            standing,
            tiles,
            limits,
            advice,
            events,
        }
    }

    /// Its busiest keys, for whoever may read them; they are sampled as long as somebody asks.
    pub(super) fn keys(&self, member: &Member) -> KeysView {
        if !member.rights.read {
            return KeysView {
                note: "Your credential may not read, so it is not told which keys there are."
                    .to_owned(),
                ..KeysView::default()
            };
        }
        let busiest = self.parts.plane.busiest_keys(member.tenant, KEYS_SHOWN);
        let recent = self.parts.observatory.recent();
        let limits = TrafficLimits::default();
        let now = Now {
            tenant: &member.name,
            limits: &limits,
            recent: &recent,
            events: &[],
        };
        KeysView::of(&busiest, now.requests())
    }

    fn limits_of(&self, member: &Member) -> TrafficLimits {
        let directory = self.parts.plane.directory();
        let tenant = directory.tenant(member.tenant);
        tenant.map(|tenant| tenant.traffic).unwrap_or_default()
    }

    /// When the newest figures are of.
    pub(super) fn as_of(&self) -> String {
        let frame = Arc::clone(&self.parts.observatory.frames.borrow());
        match frame.time_s {
            0 => "–".to_owned(),
            time_s => crate::board::clock_time(time_s),
        }
    }
}

fn tiles(now: &Now<'_>) -> Vec<Tile> {
    let hits = |hits: f32, misses: f32| hits / (hits + misses);
    let ratio = hits(now.mean("hits"), now.mean("misses"));
    let sum = |names: [&'static str; 3]| {
        now.minute(move |frame| names.iter().map(|name| frame.get(name)).sum())
    };
    let line = |name: &'static str| now.minute(move |frame| frame.get(name));
    vec![
        Tile::new(
            "Requests a second",
            format::count(now.requests()),
            format!("{} reads", format::count(now.mean("reads"))),
            sum(["reads", "writes", "refused"]),
        ),
        Tile::new(
            "Waited, 99th percentile",
            format::time(now.last("p99_s")),
            format!("half within {}", format::time(now.last("p50_s"))),
            line("p99_s"),
        ),
        Tile::new(
            "Hit ratio",
            format::percent(ratio),
            format!("{} misses a second", format::count(now.mean("misses"))),
            now.minute(|frame| hits(frame.get("hits"), frame.get("misses"))),
        ),
        Tile::new(
            "Connections",
            format::count(now.last("connections")),
            format!("{} new a second", format::count(now.mean("connects"))),
            line("connections"),
        ),
        Tile::new(
            "Memory",
            format::bytes(now.last("held_bytes")),
            format!("of {}", format::bytes(now.last("quota_bytes"))),
            line("held_bytes"),
        ),
        Tile::new(
            "Held back",
            format::percent(now.mean("paused").clamp(0.0, 1.0)),
            format!("{} refused a second", format::count(now.mean("refused"))),
            line("paused"),
        ),
    ]
}

async fn overview(
    State(web): State<Shared>,
    Extension(session): Extension<Session>,
    Extension(member): Extension<Member>,
) -> Response {
    let name = member.name.to_string();
    let asked = web.workers.run(move |control| {
        let credentials = control.credentials(&name)?;
        Ok((credentials, control.servers()))
    });
    let (credentials, servers) = match asked.await {
        Ok(answer) => answer,
        Err(why) => return wrong(StatusCode::SERVICE_UNAVAILABLE, &why),
    };
    page(&OverviewPage {
        shell: Shell::new(&session, &member, "Overview"),
        as_of: web.as_of(),
        live: web.live(&member),
        keys: web.keys(&member),
        may_flush: member.rights.flush,
        may_all: member.rights == base::Rights::ALL,
        servers,
        credentials,
        alert: web.parts.alerts.of(member.tenant),
    })
}
