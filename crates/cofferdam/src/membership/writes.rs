//! Changes of members' records, by whoever may make them.

use base::Timestamp;
use base::fleet::MemberId;
use fleet::cap::Cap;
use fleet::deeds::{By, Deed};
use fleet::membership::{Event, NotPossible, Standing, State};
use fleet::operator::{Act, Refused};
use fleet::registry::{MemberRecord, OUT, Registry, alive_key, deeds_key, known_key, member_key};
use runtime::store::{Change, Commit, Detail, Snapshot, Store, StoreError};

use super::join::{json, revision};
use crate::failure::Failure;

/// How often a change is tried against others.
const TRIES: usize = 16;

/// What an operator wants.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) act: Act,
    /// The name of the gateway that he has told.
    pub(crate) through: String,
    /// His reason, if he gave one.
    pub(crate) why: Option<String>,
}

/// Why a member's record is left as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    #[error("there is no member {0:?}: `cofferdam node list` shows all")]
    Unknown(String),
    #[error(
        "{0} is a member that this release cannot read, of a later one perhaps: ask a gateway of its release"
    )]
    Strange(String),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    NotPossible(#[from] NotPossible),
    #[error("as many nodes are out as may be at once")]
    CapHolds,
    #[error("too many others change the fleet: try again")]
    Busy,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What happens to a member, whoever says so and however many are out.
pub(crate) fn change_member(
    store: &dyn Store,
    name: &str,
    event: Event,
    now: Timestamp,
) -> Result<MemberRecord, ChangeError> {
    change(store, name, |_, _, record| {
        Ok((record.standing.after(event, now)?, None))
    })
}

/// What the judge decides of a node. Where others have taken nodes out since it looked, the cap holds.
pub(crate) fn judge_member(
    store: &dyn Store,
    name: &str,
    event: Event,
    now: Timestamp,
) -> Result<MemberRecord, ChangeError> {
    change(store, name, |registry, _, record| {
        let next = record.standing.after(event, now)?;
        let takes_place = next.state() == State::Ejected && Cap::counts(&record.standing);
        match takes_place && registry.cap().room() == 0 {
            true => Err(ChangeError::CapHolds),
            false => Ok((next, None)),
        }
    })
}

/// What an operator does to a node, as far as he may; it is remembered.
pub(crate) fn operate(
    store: &dyn Store,
    name: &str,
    order: &Order,
    now: Timestamp,
) -> Result<MemberRecord, ChangeError> {
    change(store, name, |registry, id, record| {
        let next = registry.after_act(id, record, order.act, now)?;
        let event = order.act.event();
        let deed = Deed::new(now, event, next.state(), By::Operator, &order.through);
        Ok((next, Some(deed.because(order.why.clone()))))
    })
}

fn change(
    store: &dyn Store,
    name: &str,
    decide: impl Fn(&Registry, MemberId, &MemberRecord) -> Result<(Standing, Option<Deed>), ChangeError>,
) -> Result<MemberRecord, ChangeError> {
    for _ in 0..TRIES {
        let (snapshot, registry) = read(store)?;
        let (id, record) = find(&snapshot, &registry, name)?;
        let (standing, deed) = decide(&registry, id, record)?;
        let next = MemberRecord {
            standing,
            ..record.clone()
        };
        let change = replaced(&snapshot, &registry, id, &next, deed);
        if store.commit(&change)? != Commit::Lost {
            return Ok(next);
        }
    }
    Err(ChangeError::Busy)
}

/// The record `next` in the place of the one that was read, and what was done. Only one of those who take
/// nodes out at the same time, by the same knowledge of who is out, does it.
pub(super) fn replaced(
    snapshot: &Snapshot,
    registry: &Registry,
    id: MemberId,
    next: &MemberRecord,
    deed: Option<Deed>,
) -> Change {
    let key = member_key(id);
    let mut change = Change::default()
        .only_if(&key, revision(snapshot, &key))
        .put(&key, json(next));
    let had_keys = |it: &MemberRecord| it.standing.share_of(it.weight) > 0;
    if registry.members.get(&id).is_some_and(had_keys) && !had_keys(next) {
        change = change
            .only_if(OUT, revision(snapshot, OUT))
            .put(OUT, id.0.to_string());
    }
    match deed {
        Some(deed) => {
            let before = registry.deeds.get(&id).map_or(&[][..], Vec::as_slice);
            change.put(&deeds_key(id), json(&deed.after(before)))
        }
        None => change,
    }
}

/// Takes a member out for good: it has ended, and will not come back.
pub(crate) fn end_member(store: &dyn Store, name: &str) -> Result<(), Failure> {
    for _ in 0..TRIES {
        let (snapshot, registry) = read(store)?;
        let (id, _) = find(&snapshot, &registry, name)?;
        if registry.alive.contains(&id) {
            return Err(Failure::new(format!(
                "{name} runs: stop it first, and wait until `node list` shows that it is gone"
            )));
        }
        if registry
            .ring
            .as_ref()
            .is_some_and(|ring| ring.count(id) > 0)
        {
            return Err(Failure::new(format!(
                "{name} owns keys: `cofferdam node drain {name}` first, and wait until it owns none"
            )));
        }
        let key = member_key(id);
        let change = Change::default()
            .only_if(&key, revision(&snapshot, &key))
            .delete(&key)
            .delete(&known_key(id))
            .delete(&deeds_key(id))
            .delete(&alive_key(id));
        if store.commit(&change)? != Commit::Lost {
            return Ok(());
        }
    }
    Err(ChangeError::Busy.into())
}

/// All that the store knows of the fleet now, which may be more than this process has heard yet.
pub(crate) fn stored(store: &dyn Store) -> Result<Registry, StoreError> {
    read(store).map(|(_, registry)| registry)
}

fn read(store: &dyn Store) -> Result<(Snapshot, Registry), StoreError> {
    let snapshot = store.range("", Detail::Values)?;
    let entries = snapshot.entries.iter();
    let registry = Registry::read(entries.map(|e| (e.key.as_str(), e.value.as_slice())));
    Ok((snapshot, registry))
}

fn find<'a>(
    snapshot: &Snapshot,
    registry: &'a Registry,
    name: &str,
) -> Result<(MemberId, &'a MemberRecord), ChangeError> {
    let mut named = registry.members.iter();
    if let Some((id, record)) = named.find(|(_, record)| record.name == name) {
        return Ok((*id, record));
    }
    let mut records = snapshot.entries.iter();
    let is_strange = records.any(|entry| {
        let json = serde_json::from_slice::<serde_json::Value>(&entry.value);
        entry.key.starts_with("members/") && json.is_ok_and(|it| it["name"] == name)
    });
    Err(match is_strange {
        true => ChangeError::Strange(name.to_owned()),
        false => ChangeError::Unknown(name.to_owned()),
    })
}

#[cfg(test)]
#[path = "writes_test.rs"]
mod tests;
