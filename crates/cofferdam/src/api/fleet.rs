//! The fleet as one of its members knows it, and what an operator does to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use base::Timestamp;
use base::fleet::MemberId;
use fleet::change::Readiness;
use fleet::membership::Event;
use fleet::registry::{FORCE, MemberRecord, Role};
use runtime::store::Change;
use serde::{Deserialize, Serialize};

use super::types::{MoveReport, MoveRequest};
use super::{Answer, Api, ApiError, Done, Json};
use crate::control::ControlError;
use crate::judging::JudgingReport;
use crate::membership::{Membership, Sight, change_member, end_member};

/// What is told of the fleet.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct FleetReport {
    /// This member.
    pub(crate) member: u32,
    pub(crate) store: StoreReport,
    pub(crate) ring: RingReport,
    pub(crate) members: Vec<MemberReport>,
}

/// How the store is.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct StoreReport {
    /// Since when it does not answer, if it does not; and why.
    pub(crate) away_unix_s: Option<u64>,
    pub(crate) why: Option<String>,
    /// How old what is known of it is; `null` if this run of the process has never heard from it.
    pub(crate) age_ms: Option<u64>,
}

/// How the ring is.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct RingReport {
    pub(crate) version: u64,
    /// Slots that are about to change hands.
    pub(crate) moving: usize,
    /// What that waits for, where this member carries changes through.
    pub(crate) waits_for: Option<String>,
    /// For how long this member serves reads, and changes, by what it knows now; 0: not any more.
    pub(crate) reads_for_ms: u64,
    pub(crate) changes_for_ms: u64,
    /// Who carries changes through.
    pub(crate) steward: Option<u32>,
}

/// One member.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct MemberReport {
    pub(crate) member: u32,
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) address: String,
    pub(crate) weight: u32,
    pub(crate) memory_bytes: u64,
    pub(crate) state: String,
    pub(crate) since_unix_s: u64,
    /// How surely it is slow, from 1 to 100; of nodes, where somebody judges.
    #[serde(default)]
    pub(crate) score: Option<f32>,
    /// Of 4,096.
    pub(crate) slots: usize,
    /// Its lease holds.
    pub(crate) alive: bool,
    /// The version of the ring that it has said to know of.
    pub(crate) knows: Option<u64>,
}

impl FleetReport {
    pub(crate) fn of(sight: &Sight, now: Timestamp) -> Self {
        let left =
            |until: Timestamp| u64::try_from(until.since(now).as_millis()).unwrap_or(u64::MAX);
        let trouble = sight.trouble.as_ref();
        Self {
            member: sight.me.0,
            store: StoreReport {
                away_unix_s: trouble.map(|(since, _)| u64::from(since.unix_secs())),
                why: trouble.map(|(_, why)| why.clone()),
                age_ms: sight
                    .age(now)
                    .and_then(|age| u64::try_from(age.as_millis()).ok()),
            },
            ring: RingReport {
                version: sight.ring.version().0,
                moving: sight.ring.moving().len(),
                waits_for: sight.waiting.as_ref().map(|it| waits_for(sight, it)),
                reads_for_ms: left(sight.assurance.read_until),
                changes_for_ms: left(sight.assurance.change_until),
                steward: sight.registry.steward.map(|id| id.0),
            },
            members: members(sight),
        }
    }
}

fn members(sight: &Sight) -> Vec<MemberReport> {
    let owners: BTreeMap<MemberId, usize> = (sight.ring.owners().into_iter())
        .map(|id| (id, sight.ring.count(id)))
        .collect();
    let all = sight.registry.members.iter();
    all.map(|(id, record)| MemberReport {
        member: id.0,
        name: record.name.clone(),
        role: word(&record.role),
        address: record.address.clone(),
        weight: record.weight,
        memory_bytes: record.memory_bytes,
        state: state(record),
        since_unix_s: u64::from(record.standing.since().unix_secs()),
        score: None,
        slots: owners.get(id).copied().unwrap_or(0),
        alive: sight.registry.alive.contains(id),
        knows: sight.registry.known(*id).map(|epoch| epoch.0),
    })
    .collect()
}

fn state(record: &MemberRecord) -> String {
    let word = word(&record.standing.state());
    match (record.role, word.as_str()) {
        // A gateway that was let go is not out for a while, but has ended.
        (Role::Gateway, "drained") => "ended".to_owned(),
        _ => word,
    }
}

/// As it is written in the store.
fn word(value: &impl Serialize) -> String {
    let json = serde_json::to_value(value).ok();
    let word = json.as_ref().and_then(serde_json::Value::as_str);
    word.unwrap_or("unknown").to_owned()
}

fn waits_for(sight: &Sight, readiness: &Readiness) -> String {
    match readiness {
        Readiness::Ready => "nothing".to_owned(),
        Readiness::Quorum { have, need } => format!(
            "{have} of the {need} nodes that must know of it do: bring the others back, or, if they \
             are dead for certain, `cofferdam node force`"
        ),
        Readiness::Silence(members) => {
            let names = members.iter().map(|id| {
                let member = sight.registry.members.get(id);
                member.map_or_else(|| id.to_string(), |member| member.name.clone())
            });
            let names: Vec<String> = names.collect();
            format!(
                "a word, or five seconds of silence, of {}",
                names.join(", ")
            )
        }
    }
}

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/v1/fleet", get(report))
        .route("/v1/fleet/judging", get(judging))
        .route("/v1/fleet/force", post(force))
        .route("/v1/fleet/members/{name}", delete(remove))
        .route("/v1/fleet/members/{name}/{event}", post(happen))
        .route("/v1/tenants/{tenant}/move", post(relocate))
}

fn membership(api: &Api) -> Result<Arc<Membership>, ApiError> {
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

fn latest_judging(api: &Api) -> Option<JudgingReport> {
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
async fn ask<T: Send + 'static>(
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

#[cfg(test)]
#[path = "fleet_test.rs"]
mod tests;
