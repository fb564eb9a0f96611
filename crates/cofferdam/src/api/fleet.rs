//! What the admin API tells of the fleet, and what an operator does to it.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use fleet::membership::Event;
use fleet::registry::{FORCE, MemberRecord};
use runtime::store::Change;

use super::{Answer, Api, ApiError, Done, Json};
use crate::control::ControlError;
use crate::judging::JudgingReport;
use crate::membership::{Membership, change_member, end_member};
use crate::wire::{FleetReport, MoveReport, MoveRequest};

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/v1/fleet", get(report))
        .route("/v1/fleet/judging", get(judging))
        .route("/v1/fleet/force", post(force))
        .route("/v1/fleet/members/{name}", delete(remove))
        .route("/v1/fleet/members/{name}/{event}", post(happen))
        .route("/v1/tenants/{tenant}/move", post(relocate))
}

pub(super) fn membership(api: &Api) -> Result<Arc<Membership>, ApiError> {
    let found = api.membership.clone();
    found.ok_or_else(|| ControlError::NoFleet.into())
}

async fn report(State(api): State<Api>) -> Answer<FleetReport> {
    let sight = membership(&api)?.sight();
    let mut report = FleetReport::of(&sight, api.clock.now());
    let judging = latest_judging(&api).unwrap_or_default();
    for member in &mut report.members {
        member.score = judging.node(&member.name).map(|node| node.score);
    }
    Ok(Json(report))
}

/// Who is slow, upon what figures, and what was decided; also where nodes are listed.
async fn judging(State(api): State<Api>) -> Answer<JudgingReport> {
    let report = latest_judging(&api).ok_or(ApiError::from(ControlError::NoFleet))?;
    Ok(Json(report))
}

pub(super) fn latest_judging(api: &Api) -> Option<JudgingReport> {
    let fleet = api.observatory.as_ref()?.fleet(api.clock.now())?;
    fleet.judging.as_deref().cloned()
}

async fn happen(
    State(api): State<Api>,
    Path((name, event)): Path<(String, String)>,
) -> Answer<MemberRecord> {
    let event = match event.as_str() {
        "drain" => Event::Drain,
        "eject" => Event::Condemned,
        "readmit" => Event::Readmit,
        _ => {
            let text = "members are drained, ejected or readmitted".to_owned();
            return Err(ApiError(StatusCode::NOT_FOUND, text));
        }
    };
    let (member, now) = (membership(&api)?, api.clock.now());
    let work = move || change_member(&**member.store(), &name, event, now);
    ask(work).await.map(Json)
}

async fn remove(State(api): State<Api>, Path(name): Path<String>) -> Done {
    let member = membership(&api)?;
    ask(move || end_member(&**member.store(), &name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The change that is under way now is made without its quorum.
async fn force(State(api): State<Api>) -> Done {
    let member = membership(&api)?;
    let sight = member.sight();
    if sight.ring.moving().is_empty() {
        let text = "no change of the ring is under way".to_owned();
        return Err(ApiError(StatusCode::CONFLICT, text));
    }
    let version = sight.ring.announced().0;
    tracing::warn!(version, "a change of the ring is forced");
    let change = Change::default().put(FORCE, version.to_string());
    ask(move || Ok(member.store().commit(&change).map(drop)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn relocate(
    State(api): State<Api>,
    Path(tenant): Path<String>,
    Json(request): Json<MoveRequest>,
) -> Answer<MoveReport> {
    let moved = api.run(move |control| control.relocate(&tenant, &request));
    let servers = moved.await?;
    Ok(Json(MoveReport { servers }))
}

/// Runs what may wait for the store.
pub(super) async fn ask<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, crate::failure::Failure> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(failure)) => Err(ApiError(StatusCode::CONFLICT, failure.to_string())),
        Err(_) => {
            let text = "the change broke off: look at the log".to_owned();
            Err(ApiError(StatusCode::INTERNAL_SERVER_ERROR, text))
        }
    }
}
