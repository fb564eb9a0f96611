//! What a node tells operators: whether it lives, its figures, and the fleet as it knows it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use fleet::registry::{Registry, Role};
use runtime::Clock;
use runtime::http::{Guard, Listeners, Server};
use runtime::nodes::{NodeLoops, NodeTotals, PeerTls};
use runtime::observe::exposition::{CONTENT_TYPE, Exposition, Kind};

use crate::config::{Addr, Config, Listen, Switch};
use crate::failure::Failure;
use crate::files;
use crate::membership::{Membership, Sight};
use crate::observe::certificates;
use crate::observe::detect::TURN_AGE_MAX;
use crate::observe::metrics::MachinePage;
use crate::tls;
use crate::wire::FleetReport;

/// Where it is asked unless the configuration says otherwise: beside a gateway on the same machine.
const PORT: u16 = 8321;
/// How long loops may stand still until the process is beyond help.
const DEAD_AFTER: Duration = Duration::from_secs(10);
const OPEN_PATHS: &[&str] = &["/livez", "/readyz"];

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct NodeAdmin {
    pub(crate) loops: Arc<NodeLoops>,
    pub(crate) membership: Option<Arc<Membership>>,
    /// What it shows to gateways.
    pub(crate) tls: Option<PeerTls>,
    /// It has begun to serve, and not to end.
    pub(crate) ready: Arc<AtomicBool>,
    pub(crate) clock: Clock,
    pub(crate) machine: MachinePage,
}

/// Serves `admin.sock` of the data folder, and TCP where the configuration wants it.
pub(crate) fn serve(config: &Config, admin: NodeAdmin) -> Result<Server, Failure> {
    let dir = config.data_dir();
    runtime::state::create_private_dir(&dir)?;
    let tcp = address(config.listen.admin);
    let listeners = Listeners::bind(&dir.join(files::ADMIN_SOCKET), tcp).map_err(|error| {
        Failure::new(format!(
            "{error}: choose another listen.admin, or \"off\" for {} alone",
            files::ADMIN_SOCKET
        ))
    })?;
    let guard = Guard {
        token: files::token(&dir.join(files::ADMIN_TOKEN))?,
        hosts: config.admin.hosts.clone(),
        open_paths: OPEN_PATHS,
    };
    let listeners = listeners.with_tls(tls::of_admin(config)?);
    Ok(listeners.serve(admin.router(), guard)?)
}

/// What is configured, but for the default, which is a gateway's.
pub(crate) fn address(configured: Switch<Addr>) -> Option<SocketAddr> {
    let mut addr = configured.value()?.0;
    if configured == Listen::default().admin {
        addr.set_port(PORT);
    }
    Some(addr)
}

impl NodeAdmin {
    fn router(self) -> Router {
        Router::new()
            .route("/livez", get(livez))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .route("/v1/fleet", get(fleet))
            .fallback(elsewhere)
            .method_not_allowed_fallback(elsewhere)
            .with_state(self)
    }
}

/// What a gateway answers and a node does not.
async fn elsewhere(State(admin): State<NodeAdmin>) -> Response {
    let sight = admin.membership.as_ref().map(|member| member.sight());
    let error = where_to_ask(sight.as_ref().map(|sight| &*sight.registry));
    let body = Json(serde_json::json!({ "error": error }));
    (StatusCode::NOT_FOUND, body).into_response()
}

fn where_to_ask(registry: Option<&Registry>) -> String {
    let members = registry.into_iter().flat_map(|it| it.members.values());
    let gateways = members.filter(|it| {
        it.role == Role::Gateway && it.standing.state() != fleet::membership::State::Drained
    });
    let names: Vec<&str> = gateways.map(|it| it.name.as_str()).collect();
    let which = match names.is_empty() {
        true => "a gateway of its fleet".to_owned(),
        false => format!("a gateway: {}", names.join(", ")),
    };
    format!(
        "this is a node, and knows neither what is held against nodes nor carries out what is done to \
         them: ask {which}, with that one's --data-dir or --admin"
    )
}

async fn livez(State(admin): State<NodeAdmin>) -> Response {
    health(admin.loops.turned_within(DEAD_AFTER))
}

async fn readyz(State(admin): State<NodeAdmin>) -> Response {
    health(admin.ready.load(Ordering::Acquire) && admin.loops.turned_within(TURN_AGE_MAX))
}

fn health(is_well: bool) -> Response {
    match is_well {
        true => "ok\n".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "event loops do not turn\n").into_response(),
    }
}

async fn metrics(State(admin): State<NodeAdmin>) -> Response {
    let sight = admin.membership.as_ref().map(|member| member.sight());
    let age = sight
        .as_ref()
        .and_then(|sight| sight.age(admin.clock.now()));
    let validity_s = admin.tls.as_ref().and_then(PeerTls::validity);
    let mut page = page(&admin.loops.totals(), sight.as_deref(), age, validity_s);
    admin.machine.write(&mut page);
    let page = page.into_text();
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], page).into_response()
}

async fn fleet(State(admin): State<NodeAdmin>) -> Response {
    match &admin.membership {
        Some(member) => {
            let report = FleetReport::of(&member.sight(), admin.clock.now());
            Json(report).into_response()
        }
        None => {
            let error = "this node is in no fleet with a store";
            let body = Json(serde_json::json!({ "error": error }));
            (StatusCode::CONFLICT, body).into_response()
        }
    }
}

/// In the text format of Prometheus.
fn page(
    totals: &NodeTotals,
    sight: Option<&Sight>,
    age: Option<Duration>,
    certificate_validity_s: Option<(u64, u64)>,
) -> Exposition {
    let mut page = Exposition::default();
    let requests = &totals.requests;
    page.single(
        "cofferdam_node_links",
        Kind::Gauge,
        "Connections of gateways' loops.",
        totals.links,
    );
    let help = "Requests of gateways by what became of them: served, late (their time was up), refused \
                (the ring is another, or nobody is sure of it).";
    let mut family = page.family("cofferdam_node_requests_total", Kind::Counter, help);
    for (outcome, count) in [
        ("served", requests.served),
        ("late", requests.late),
        ("refused", requests.refused),
    ] {
        family.sample(&[("outcome", outcome)], count);
    }
    page.single(
        "cofferdam_node_copies_total",
        Kind::Counter,
        "Copies of requests that this node was sent before it had any key, and carried out.",
        requests.copies,
    );
    let mut seconds = |name: &str, help: &str, nanos: u64| {
        page.single(name, Kind::Counter, help, Duration::from_nanos(nanos));
    };
    seconds(
        "cofferdam_node_queued_seconds_total",
        "Time that requests have waited here.",
        requests.queued_ns,
    );
    seconds(
        "cofferdam_node_served_seconds_total",
        "Time that it took to serve them.",
        requests.served_ns,
    );
    certificates(&mut page, &[("members", certificate_validity_s)]);
    if let Some(sight) = sight {
        of_store(&mut page, sight, age);
    }
    page
}

fn of_store(page: &mut Exposition, sight: &Sight, age: Option<Duration>) {
    let mut gauge =
        |name: &str, help: &str, value: u64| page.single(name, Kind::Gauge, help, value);
    gauge(
        "cofferdam_fleet_store_up",
        "1 while the fleet's store answers.",
        u64::from(sight.trouble.is_none()),
    );
    gauge(
        "cofferdam_fleet_ring_version",
        "Changes of the ring that were made, as far as this node knows.",
        sight.ring.version().0,
    );
    gauge(
        "cofferdam_node_slots",
        "Of 4,096 slots those that this node owns.",
        sight.ring.count(sight.me) as u64,
    );
    if let Some(age) = age {
        let help = "How old what this node knows of the store is.";
        page.single("cofferdam_fleet_store_age_seconds", Kind::Gauge, help, age);
    }
}

#[cfg(test)]
#[path = "node_admin_test.rs"]
mod tests;
