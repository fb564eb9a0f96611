//! The page of nodes, and what an operator does to them: out, and in again, each on record.

mod beside;
mod board;
mod deed;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Extension, Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use fleet::judge::Class;
use runtime::http::Peer;

use super::actions::{Answer, Refusal, Subject, Typed, check};
use super::pages::{ConfirmPage, Shell, wrong};
use super::{Console, Session};
use crate::membership::{Membership, Order, operate};
use crate::observe::nodes::NodeReading;
use crate::web::{page, page_with};
use crate::wire::{FleetReport, MemberReport};
pub(crate) use board::NodesBoard;
use deed::NodeDeed;

const PAGE: &str = "/console/nodes";

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route(PAGE, get(nodes))
        .route("/console/nodes/{node}/{deed}", get(ask).post(act))
}

#[derive(Template)]
#[template(path = "console/nodes.html")]
struct NodesPage {
    shell: Shell,
    as_of: String,
    board: NodesBoard,
    /// Titles of the columns of the heat map.
    classes: [&'static str; Class::ALL.len()],
    gateways: Vec<(String, String)>,
    ring: Option<FleetReport>,
}

/// The parts of the page that change, as they are sent to whoever follows.
#[derive(Template)]
#[template(path = "console/nodes_verdict.html")]
pub(super) struct NodesVerdictPart<'a> {
    pub(super) board: &'a NodesBoard,
}

#[derive(Template)]
#[template(path = "console/nodes_rows.html")]
pub(super) struct NodesRowsPart<'a> {
    pub(super) board: &'a NodesBoard,
}

#[derive(Template)]
#[template(path = "console/nodes_events.html")]
pub(super) struct NodesEventsPart<'a> {
    pub(super) board: &'a NodesBoard,
}

impl Console {
    /// The nodes of this second.
    pub(super) fn nodes_board(&self) -> NodesBoard {
        let now = self.api.clock.now();
        NodesBoard::new(
            self.observatory.fleet(now).as_ref(),
            &self.observatory.recent(),
            &self.observatory.log.recent(),
            self.api.membership.is_some(),
            now,
        )
    }

    /// A node of a fleet whose store can be asked to change it, and the others.
    fn node(
        &self,
        name: &str,
    ) -> Result<(Arc<Membership>, NodeReading, Vec<NodeReading>), Refusal> {
        let none = || {
            let why =
                "This process is no gateway of a fleet with a store: it can take no node out.";
            Refusal::NotFound(why.to_owned())
        };
        let membership = self.api.membership.clone().ok_or_else(none)?;
        let all = self
            .observatory
            .fleet(self.api.clock.now())
            .ok_or_else(none)?
            .each;
        let found = all.iter().find(|node| node.name == name).cloned();
        let node = found.ok_or_else(|| Refusal::NotFound(format!("There is no node {name:?}.")))?;
        Ok((membership, node, all))
    }
}

async fn nodes(State(console): State<Console>, Extension(session): Extension<Session>) -> Response {
    let now = console.api.clock.now();
    let membership = console.api.membership.as_ref();
    let ring = membership.map(|member| FleetReport::of(&member.sight(), now));
    let gateways = ring.as_ref().map(gateways);
    page(&NodesPage {
        shell: Shell::new(&session, "Nodes"),
        as_of: console.board().as_of,
        board: console.nodes_board(),
        classes: Class::ALL.map(beside::title),
        gateways: gateways.unwrap_or_default(),
        ring,
    })
}

/// Names and states of the gateways, with what sets one apart.
fn gateways(report: &FleetReport) -> Vec<(String, String)> {
    let told = |member: &MemberReport| {
        let mut name = member.name.clone();
        if member.member == report.member {
            name.push_str(", this one");
        }
        if report.ring.steward == Some(member.member) {
            name.push_str(", carries changes through");
        }
        let is_silent = !member.alive && member.state != "ended";
        let silent = if is_silent { ", not heard" } else { "" };
        (name, format!("{}{silent}", member.state))
    };
    let members = report.members.iter();
    let gateways = members.filter(|member| member.role == "gateway");
    gateways.map(told).collect()
}

fn named(deed: &str) -> Result<NodeDeed, Refusal> {
    let why = "Nodes are ejected, drained or readmitted.";
    NodeDeed::named(deed).ok_or_else(|| Refusal::NotFound(why.to_owned()))
}

async fn ask(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path((name, deed)): Path<(String, String)>,
) -> Answer {
    let deed = named(&deed)?;
    let (_, node, all) = console.node(&name)?;
    Ok(page(&question(&session, deed, "", &node, &all)))
}

/// What is asked before something is done; `first` is told before what it leads to.
fn question(
    session: &Session,
    deed: NodeDeed,
    first: &str,
    node: &NodeReading,
    all: &[NodeReading],
) -> ConfirmPage {
    ConfirmPage {
        shell: Shell::new(session, deed.label()),
        question: deed.question(&node.name),
        consequence: format!("{first}{}", deed.consequence(node, all)),
        button: deed.label().to_owned(),
        path: format!("{PAGE}/{}/{}", node.name, deed.name()),
        back: PAGE.to_owned(),
        is_grave: deed != NodeDeed::Readmit,
    }
}

async fn act(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    peer: Option<Extension<Peer>>,
    Path((name, deed)): Path<(String, String)>,
    Form(typed): Typed,
) -> Answer {
    check(&session, &typed)?;
    let deed = named(&deed)?;
    let (membership, node, all) = console.node(&name)?;
    let record = console.deed(peer, deed.name(), Subject::Node(&node.name));
    let (to, now) = (node.name.clone(), console.api.clock.now());
    let order = Order {
        act: deed.act(),
        through: membership.sight().own_name(),
        why: None,
    };
    let work = move || operate(&**membership.store(), &to, &order, now);
    let done = tokio::task::spawn_blocking(work).await;
    let why = match &done {
        Ok(changed) => changed.as_ref().err().map(ToString::to_string),
        Err(_) => Some("it broke off: look at the log".to_owned()),
    };
    let detail = format!("it was {:?}", node.state).to_lowercase();
    record.record(&detail, why.as_deref().map_or(Ok(()), Err));
    let refused = done.ok().and_then(Result::err);
    let again = refused.and_then(|error| deed.all_the_same(&error));
    Ok(match (why, again) {
        (None, _) => Redirect::to(PAGE).into_response(),
        (_, Some((deed, told))) => {
            let asked = question(&session, deed, &told, &node, &all);
            page_with(StatusCode::CONFLICT, &asked)
        }
        (Some(why), None) => wrong(&why),
    })
}
