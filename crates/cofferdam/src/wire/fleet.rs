//! The fleet as one of its members knows it.

use std::collections::BTreeMap;

use base::Timestamp;
use base::fleet::MemberId;
use fleet::change::Readiness;
use fleet::registry::{MemberRecord, Role};
use serde::{Deserialize, Serialize};

use crate::membership::Sight;

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

#[cfg(test)]
#[path = "fleet_test.rs"]
mod tests;
