//! How a process becomes a member, or the member that it was before it was started anew.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base::Timestamp;
use base::fleet::{Incarnation, MemberId};
use fleet::membership::{Event, Standing, State};
use fleet::registry::{
    FOUNDED, MemberRecord, NEXT_MEMBER, NEXT_RUN, Registry, Role, SECRET, member_key, secret_text,
};
use runtime::store::{Change, Commit, Detail, Revision, Snapshot, Store, StoreError};
use runtime::{Clock, secrets};

use super::kept::Kept;
use crate::failure::Failure;

/// Numbers of runs that are had in hand, for starts while the store is away.
const RUNS_IN_HAND: u32 = 8;
/// How often it is tried against others who join at the same time.
const TRIES: usize = 64;
const PAUSE: Duration = Duration::from_millis(250);

/// Who wants to be a member.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) fleet: String,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) address: String,
    pub(crate) weight: u32,
    pub(crate) memory_bytes: u64,
    /// For so long after its first node a fleet takes in others as if they had been there from the start.
    pub(crate) founding: Duration,
}

/// Who has become one.
#[derive(Clone, Debug)]
pub(crate) struct Joined {
    pub(crate) me: MemberId,
    pub(crate) incarnation: Incarnation,
    /// What the store held, or what was kept of it.
    pub(crate) snapshot: Arc<Snapshot>,
    pub(super) kept: Kept,
    /// Gateways judge nodes: no node goes on by itself.
    pub(super) is_judged: bool,
    /// They test nodes as well: none is let in without.
    pub(super) is_gated: bool,
}

/// Joins, waiting for the store for a while; if it does not answer and this process has been a
/// member before, it goes on as that.
pub(super) fn join(
    candidate: &Candidate,
    store: &Arc<dyn Store>,
    file: &Path,
    clock: Clock,
    patience: Duration,
) -> Result<Joined, Failure> {
    let kept = Kept::read(file);
    let kept = kept.filter(|kept| (&kept.fleet, &kept.name) == (&candidate.fleet, &candidate.name));
    let until = clock.now() + patience;
    loop {
        match online(candidate, &**store, kept.as_ref(), clock.now()) {
            Ok(joined) => {
                joined.kept.write(file)?;
                return Ok(joined);
            }
            Err(StoreError::Unavailable(why)) => {
                if let Some(kept) = &kept
                    && let Some(joined) = offline(kept, file)?
                {
                    tracing::warn!(why, "the store is away: going on with what was kept of it");
                    return Ok(joined);
                }
                if clock.now() >= until {
                    return Err(Failure::new(format!(
                        "the store cannot be reached, and this process has not been a member \
                         before: {why}: look at store.endpoints"
                    )));
                }
                tracing::warn!(why, "waiting for the store");
                std::thread::park_timeout(PAUSE);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// One of the numbers that were had in hand; it is used up before it is used.
fn offline(kept: &Kept, file: &Path) -> Result<Option<Joined>, Failure> {
    let mut rest = kept.clone();
    let Some(incarnation) = rest.runs.pop().and_then(Incarnation::new) else {
        return Ok(None);
    };
    rest.write(file)?;
    Ok(Some(Joined {
        me: kept.member(),
        incarnation,
        snapshot: Arc::new(kept.snapshot()),
        kept: rest,
        is_judged: false,
        is_gated: false,
    }))
}

fn online(
    candidate: &Candidate,
    store: &dyn Store,
    kept: Option<&Kept>,
    now: Timestamp,
) -> Result<Joined, StoreError> {
    for _ in 0..TRIES {
        let snapshot = store.range("", Detail::Values)?;
        let entries = snapshot.entries.iter();
        let registry = Registry::read(entries.map(|e| (e.key.as_str(), e.value.as_slice())));
        let (me, change) = entry(candidate, &snapshot, &registry, kept, now)?;
        let first_run = number(&snapshot, NEXT_RUN)?;
        let next_run = first_run + 1 + RUNS_IN_HAND;
        let change = change
            .only_if(NEXT_RUN, revision(&snapshot, NEXT_RUN))
            .put(NEXT_RUN, next_run.to_string());
        if store.commit(&change)? == Commit::Lost {
            continue;
        }
        let used_up = || StoreError::Refused("no numbers are left for runs".to_owned());
        let incarnation = Incarnation::new(first_run).ok_or_else(used_up)?;
        let runs = (first_run + 1..next_run).rev().collect();
        let mut kept = Kept::new(&candidate.fleet, &candidate.name, me, runs);
        let snapshot = store.range("", Detail::Values)?;
        kept.keep(&snapshot);
        return Ok(Joined {
            me,
            incarnation,
            snapshot: Arc::new(snapshot),
            kept,
            is_judged: false,
            is_gated: false,
        });
    }
    let text = "too many others join at the same time".to_owned();
    Err(StoreError::Unavailable(text))
}

/// Which member it is, and what is to be written for that.
fn entry(
    candidate: &Candidate,
    snapshot: &Snapshot,
    registry: &Registry,
    kept: Option<&Kept>,
    now: Timestamp,
) -> Result<(MemberId, Change), StoreError> {
    let mut change = Change::default();
    if registry.secret.is_none() {
        let random = |e: std::io::Error| StoreError::Config(format!("no random bytes: {e}"));
        let secret = secrets::salt().map_err(random)?;
        change = change
            .only_if(SECRET, revision(snapshot, SECRET))
            .put(SECRET, secret_text(&secret));
    }
    let same = |record: &&MemberRecord| record.name == candidate.name;
    let mut named = registry.members.iter().filter(|(_, record)| same(record));
    if let Some((id, record)) = named.next() {
        if record.role != candidate.role {
            return Err(StoreError::Refused(format!(
                "{:?} is a member already, as another role: choose another fleet.name",
                candidate.name
            )));
        }
        let standing = match record.standing.state() {
            State::Serving => record.standing,
            // A gateway that had ended for good serves again, and it is never out otherwise.
            _ if record.role == Role::Gateway => Standing::founder(now),
            _ => record.standing,
        };
        let next = candidate.record(standing);
        let key = member_key(*id);
        if next != *record {
            change = change
                .only_if(&key, revision(snapshot, &key))
                .put(&key, json(&next));
        }
        return Ok((*id, change));
    }
    let free = number(snapshot, NEXT_MEMBER)?.max(1);
    // One that the store has forgotten keeps its number if that was never given to another.
    let me = match kept {
        Some(kept) if kept.member().0 >= free => kept.member(),
        _ => MemberId(free),
    };
    let standing = registry.standing_of_new(candidate.role, candidate.founding, now);
    if registry.is_founded_by(candidate.role) {
        change = change
            .only_if(FOUNDED, revision(snapshot, FOUNDED))
            .put(FOUNDED, now.as_nanos().to_string());
    }
    let record = candidate.record(standing);
    let change = change
        .only_if(NEXT_MEMBER, revision(snapshot, NEXT_MEMBER))
        .put(NEXT_MEMBER, (me.0 + 1).to_string())
        .only_if(&member_key(me), Revision(0))
        .put(&member_key(me), json(&record));
    Ok((me, change))
}

impl Candidate {
    fn record(&self, standing: Standing) -> MemberRecord {
        MemberRecord {
            name: self.name.clone(),
            role: self.role,
            address: self.address.clone(),
            weight: self.weight,
            standing,
            memory_bytes: self.memory_bytes,
        }
    }
}

pub(super) fn revision(snapshot: &Snapshot, key: &str) -> Revision {
    snapshot
        .get(key)
        .map_or(Revision(0), |entry| entry.revision)
}

pub(super) fn json(value: &impl serde::Serialize) -> Vec<u8> {
    // Text and numbers have no way to fail.
    serde_json::to_vec(value).unwrap_or_default()
}

/// A number that only grows; 1 before it was written.
fn number(snapshot: &Snapshot, key: &str) -> Result<u32, StoreError> {
    let Some(entry) = snapshot.get(key) else {
        return Ok(1);
    };
    let text = std::str::from_utf8(&entry.value).unwrap_or_default();
    let bad = || StoreError::Nonsense(format!("{key} as {text:?}"));
    text.parse().map_err(|_| bad())
}

/// What happens to a member, for its record.
pub(super) fn after_event(
    record: &MemberRecord,
    event: Event,
    now: Timestamp,
) -> Result<MemberRecord, String> {
    let standing = record.standing.after(event, now);
    Ok(MemberRecord {
        standing: standing.map_err(|error| error.to_string())?,
        ..record.clone()
    })
}

#[cfg(test)]
#[path = "join_test.rs"]
mod tests;
