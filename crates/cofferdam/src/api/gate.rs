//! The gate: how it stands, and whom an operator wants to be tested.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use base::Timestamp;
use base::fleet::MemberId;
use fleet::membership::State as NodeState;
use fleet::registry::{MemberRecord, Registry, Role};
use runtime::store::Store;

use super::fleet::{ask, latest_judging, membership};
use super::{Answer, Api, ApiError, Json};
use crate::failure::Failure;
use crate::gate::{self, GateReport};
use crate::membership::stored;
use crate::wire::{GateAsked, GateWish};

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/v1/fleet/gate", get(report).post(test))
}

async fn report(State(api): State<Api>) -> Answer<GateReport> {
    let sight = membership(&api)?.sight();
    let report = latest_judging(&api).and_then(|judging| judging.gate);
    let mut report = report.unwrap_or_default();
    if sight.trouble.is_some() || !is_kept(&report, &sight.registry) {
        report.tests_nobody();
    }
    Ok(Json(report))
}

/// Whether who wrote it still keeps the gate: what one that has died was doing is done by nobody.
fn is_kept(report: &GateReport, registry: &Registry) -> bool {
    let keeper = registry.steward.and_then(|id| registry.members.get(&id));
    keeper.is_some_and(|keeper| keeper.name == report.keeper)
}

async fn test(State(api): State<Api>, Json(wanted): Json<GateWish>) -> Answer<GateAsked> {
    let member = membership(&api)?;
    let Some(room) = api.judging_room.clone() else {
        return Err(conflict(
            "nobody keeps the gate: judge.mode of this gateway is not \"on\"",
        ));
    };
    if let Some((_, why)) = &member.sight().trouble {
        return Err(conflict(&format!("the store is away: {why}")));
    }
    let now = api.clock.now();
    let work = move || wish(&**member.store(), &*room, &wanted.candidate, now);
    Ok(Json(ask(work).await?))
}

/// Has a node tested. Whether it may be says the store: this gateway may not have heard yet of one that has
/// joined a moment ago, and which another gateway tests already.
fn wish(
    fleet: &dyn Store,
    room: &dyn Store,
    candidate: &str,
    now: Timestamp,
) -> Result<GateAsked, Failure> {
    let registry = stored(fleet)?;
    let (id, record) = find(&registry, candidate).map_err(Failure::new)?;
    if !registry.alive.contains(&id) {
        return Err(Failure::new(format!("{} does not run", record.name)));
    }
    if let Some(why) = why_not(record) {
        return Err(Failure::new(why));
    }
    Ok(GateAsked {
        after: gate::wish(room, id, now)?,
        name: record.name.clone(),
    })
}

/// A node by its address, or by its name.
fn find<'a>(registry: &'a Registry, wanted: &str) -> Result<(MemberId, &'a MemberRecord), String> {
    let mut all = registry
        .members
        .iter()
        .filter(|(_, it)| it.role != Role::Gateway);
    let found = all.find(|(_, it)| it.address == wanted || it.name == wanted);
    found.map(|(id, record)| (*id, record)).ok_or_else(|| {
        format!(
            "no node of this fleet is at {wanted}, or is called so: start it with this fleet's \
             store, and `cofferdam node list` shows it as quarantined"
        )
    })
}

/// Only who has not passed yet is tested.
fn why_not(record: &MemberRecord) -> Option<String> {
    let name = &record.name;
    match record.standing.state() {
        NodeState::Quarantined => None,
        NodeState::Shadow | NodeState::Ramping if !record.standing.is_admitted() => {
            Some(format!("{name} has passed already, and is on its way in"))
        }
        NodeState::Drained => Some(format!(
            "{name} is drained: `cofferdam node readmit {name}` first"
        )),
        _ => Some(format!(
            "{name} has served already: it comes back by probation, not by the gate"
        )),
    }
}

fn conflict(why: &str) -> ApiError {
    ApiError(StatusCode::CONFLICT, why.to_owned())
}

#[cfg(test)]
#[path = "gate_test.rs"]
mod tests;
