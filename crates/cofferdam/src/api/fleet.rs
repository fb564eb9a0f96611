//! What the admin API tells of the fleet, and what an operator does to it.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use fleet::operator::{Act, Refused};
use fleet::registry::{FORCE, MemberRecord};
use runtime::store::Change;
use serde::Deserialize;

use super::{Answer, Api, ApiError, Done, Json};
use crate::control::ControlError;
use crate::judging::{JudgingReport, unjudged};
use crate::membership::{ChangeError, Membership, Order, end_member, operate};
use crate::wire::{FleetReport, MoveReport, MoveRequest};

/// What an operator may give as his reason, in bytes.
const REASON_LEN_MAX: usize = 200;

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
    // Where nobody judges it is still known where nodes stand, and who brought them there.
    let sight = api.membership.as_ref().map(|member| member.sight());
    Ok(Json(match sight {
        Some(sight) if report.nodes.is_empty() => unjudged(report, &sight, api.clock.now()),
        _ => report,
    }))
}

pub(super) fn latest_judging(api: &Api) -> Option<JudgingReport> {
    let fleet = api.observatory.as_ref()?.fleet(api.clock.now())?;
    fleet.judging.as_deref().cloned()
}

/// How something is done to a node.
#[derive(Debug, Default, Deserialize)]
struct Manner {
    /// Although as many nodes are out as may be.
    #[serde(default)]
    force: bool,
    /// Why, in the operator's words.
    reason: Option<String>,
}

async fn happen(
    State(api): State<Api>,
    Path((name, event)): Path<(String, String)>,
    Query(manner): Query<Manner>,
) -> Answer<MemberRecord> {
    let act = match event.as_str() {
        "drain" => Act::Drain,
        "eject" => Act::Eject {
            force: manner.force,
        },
        "readmit" => Act::Readmit,
        _ => {
            let text = "nodes are drained, ejected or readmitted".to_owned();
            return Err(ApiError(StatusCode::NOT_FOUND, text));
        }
    };
    if let Some(text) = manner.is_wrong_for(act) {
        return Err(ApiError(StatusCode::BAD_REQUEST, text));
    }
    let (member, now) = (membership(&api)?, api.clock.now());
    let order = Order {
        act,
        through: member.sight().own_name(),
        why: manner.reason,
    };
    let work = move || operate(&**member.store(), &name, &order, now);
    let done = tokio::task::spawn_blocking(work).await;
    Ok(Json(done.map_err(|_| broke_off())??))
}

impl Manner {
    fn is_wrong_for(&self, act: Act) -> Option<String> {
        if self.force && !matches!(act, Act::Eject { .. }) {
            return Some("only an ejection can be forced".to_owned());
        }
        let reason = self.reason.as_deref().unwrap_or_default();
        let is_too_long = reason.len() > REASON_LEN_MAX;
        (is_too_long || reason.chars().any(char::is_control)).then(|| {
            format!("the reason is one line of text of no more than {REASON_LEN_MAX} bytes")
        })
    }
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        let status = match &error {
            ChangeError::Unknown(_) => StatusCode::NOT_FOUND,
            ChangeError::Strange(_) | ChangeError::Refused(Refused::NoNode { .. }) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            ChangeError::Refused(_)
            | ChangeError::NotPossible(_)
            | ChangeError::CapHolds
            | ChangeError::Busy => StatusCode::CONFLICT,
            ChangeError::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self(status, error.to_string())
    }
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
        Err(_) => Err(broke_off()),
    }
}

fn broke_off() -> ApiError {
    let text = "the change broke off: look at the log".to_owned();
    ApiError(StatusCode::INTERNAL_SERVER_ERROR, text)
}

#[cfg(test)]
#[path = "fleet_test.rs"]
mod tests;
