//! The pages, each from a template that escapes all that it is given.

use askama::Template;
use axum::Router;
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::form::Field;
use super::{Console, Session};
use crate::audit::Entry;
use crate::board::Board;
use crate::board::format;
use crate::observe::event_view::EventView;
use crate::web::{page, page_with};
use crate::wire::{Grant, TenantView};

/// Events on the overview, and on their own page.
pub(super) const EVENTS_SHOWN: usize = 8;
const EVENTS_LISTED: usize = 200;
const ACTIONS_LISTED: usize = 200;

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/console/", get(overview))
        .route("/console/tenants/{tenant}", get(tenant))
        .route("/console/events", get(events))
        .route("/console/audit", get(audit))
}

/// What is around every page.
pub(super) struct Shell {
    pub(super) title: String,
    pub(super) version: &'static str,
    pub(super) form_token: String,
}

impl Shell {
    pub(super) fn new(session: &Session, title: &str) -> Self {
        Self {
            title: title.to_owned(),
            version: env!("CARGO_PKG_VERSION"),
            form_token: session.form_token.clone(),
        }
    }
}

#[derive(Template)]
#[template(path = "console/login.html")]
pub(super) struct LoginPage {
    pub(super) failure: Option<String>,
}

#[derive(Template)]
#[template(path = "console/overview.html")]
struct OverviewPage {
    shell: Shell,
    board: Board,
    uptime: String,
}

/// The parts of the overview that change, as they are sent to whoever follows.
#[derive(Template)]
#[template(path = "console/verdict.html")]
pub(super) struct VerdictPart<'a> {
    pub(super) board: &'a Board,
}

#[derive(Template)]
#[template(path = "console/tiles.html")]
pub(super) struct TilesPart<'a> {
    pub(super) board: &'a Board,
}

#[derive(Template)]
#[template(path = "console/rows.html")]
pub(super) struct RowsPart<'a> {
    pub(super) board: &'a Board,
}

#[derive(Template)]
#[template(path = "console/changes.html")]
pub(super) struct ChangesPart<'a> {
    pub(super) board: &'a Board,
}

#[derive(Template)]
#[template(path = "console/tenant.html")]
struct TenantPage {
    shell: Shell,
    tenant: TenantView,
    limits: Vec<Field>,
    used: String,
    quota: String,
    events: Vec<EventView>,
}

#[derive(Template)]
#[template(path = "console/events.html")]
struct EventsPage {
    shell: Shell,
    tenant: Option<String>,
    events: Vec<EventView>,
}

#[derive(Template)]
#[template(path = "console/audit.html")]
struct AuditPage {
    shell: Shell,
    entries: Vec<Entry>,
}

#[derive(Template)]
#[template(path = "console/confirm.html")]
pub(super) struct ConfirmPage {
    pub(super) shell: Shell,
    pub(super) question: String,
    pub(super) consequence: String,
    pub(super) button: String,
    pub(super) path: String,
    pub(super) back: String,
    pub(super) is_grave: bool,
}

#[derive(Template)]
#[template(path = "console/limit.html")]
pub(super) struct LimitPage {
    shell: Shell,
    tenant: String,
    fields: Vec<Field>,
    /// What would change, once it is to be confirmed.
    pub(super) changes: Vec<String>,
    pub(super) failure: Option<String>,
}

impl LimitPage {
    pub(super) fn new(session: &Session, tenant: &str, fields: Vec<Field>) -> Self {
        Self {
            shell: Shell::new(session, &format!("Limits of {tenant}")),
            tenant: tenant.to_owned(),
            fields,
            changes: Vec::new(),
            failure: None,
        }
    }
}

#[derive(Template)]
#[template(path = "console/grant.html")]
pub(super) struct GrantPage {
    pub(super) shell: Shell,
    pub(super) back: String,
    pub(super) grant: Grant,
}

#[derive(Template)]
#[template(path = "console/wrong.html")]
struct WrongPage<'a> {
    title: &'a str,
    why: &'a str,
}

pub(super) fn not_found(why: &str) -> Response {
    let title = "There is no such page";
    page_with(StatusCode::NOT_FOUND, &WrongPage { title, why })
}

pub(super) fn wrong(why: &str) -> Response {
    let title = "That could not be done";
    page_with(StatusCode::CONFLICT, &WrongPage { title, why })
}

impl Console {
    /// The overview of this second.
    pub(super) fn board(&self) -> Board {
        let recent = self.observatory.recent();
        Board::new(&recent, &self.observatory.log.recent(), EVENTS_SHOWN)
    }
}

async fn overview(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
) -> Response {
    let uptime = console.api.clock.now().since(console.observatory.started());
    page(&OverviewPage {
        shell: Shell::new(&session, "Overview"),
        board: console.board(),
        uptime: format::age(uptime.as_secs()),
    })
}

async fn tenant(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path(tenant): Path<String>,
) -> Response {
    let shown = console.run(move |control| control.show(&tenant)).await;
    let tenant = match shown {
        Ok(tenant) => tenant,
        Err(why) => return not_found(&why),
    };
    let mut events = console.observatory.log.recent();
    events.retain(|event| event.tenant.as_deref() == Some(&tenant.tenant));
    events.reverse();
    events.truncate(20);
    page(&TenantPage {
        shell: Shell::new(&session, &tenant.tenant),
        limits: super::form::fields(None, &tenant.traffic),
        used: format::bytes(tenant.used_bytes.map_or(f32::NAN, |bytes| bytes as f32)),
        quota: format::bytes(tenant.memory_bytes as f32),
        tenant,
        events,
    })
}

#[derive(Deserialize)]
struct EventsQuery {
    tenant: Option<String>,
}

async fn events(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Query(query): Query<EventsQuery>,
) -> Response {
    let tenant = query.tenant.filter(|tenant| !tenant.is_empty());
    let mut events = console.observatory.log.recent();
    events.retain(|event| tenant.is_none() || event.tenant == tenant);
    events.reverse();
    events.truncate(EVENTS_LISTED);
    page(&EventsPage {
        shell: Shell::new(&session, "Events"),
        tenant,
        events,
    })
}

async fn audit(State(console): State<Console>, Extension(session): Extension<Session>) -> Response {
    let audit = console.audit.clone();
    let read = tokio::task::spawn_blocking(move || audit.last(ACTIONS_LISTED)).await;
    match read {
        Ok(Ok(entries)) => page(&AuditPage {
            shell: Shell::new(&session, "Actions"),
            entries,
        }),
        _ => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "the record cannot be read\n",
        )
            .into_response(),
    }
}
