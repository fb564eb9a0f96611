//! Changes of members' records, by whoever may make them.

use base::Timestamp;
use base::fleet::MemberId;
use fleet::membership::Event;
use fleet::registry::{MemberRecord, Registry, alive_key, known_key, member_key};
use runtime::store::{Change, Commit, Detail, Snapshot, Store};

use super::join::{after_event, json, revision};
use crate::failure::Failure;

/// How often a change is tried against others.
const TRIES: usize = 16;

/// What happens to a member, as an operator says or a judge.
pub(crate) fn change_member(
    store: &dyn Store,
    name: &str,
    event: Event,
    now: Timestamp,
) -> Result<MemberRecord, Failure> {
    for _ in 0..TRIES {
        let (snapshot, registry) = read(store)?;
        let (id, record) = find(&registry, name)?;
        let next = after_event(record, event, now).map_err(Failure::new)?;
        let key = member_key(id);
        let change = Change::default()
            .only_if(&key, revision(&snapshot, &key))
            .put(&key, json(&next));
        if store.commit(&change)? != Commit::Lost {
            return Ok(next);
        }
    }
    Err(Failure::new("too many others change the fleet: try again"))
}

/// Takes a member out for good: it has ended, and will not come back.
pub(crate) fn end_member(store: &dyn Store, name: &str) -> Result<(), Failure> {
    for _ in 0..TRIES {
        let (snapshot, registry) = read(store)?;
        let (id, _) = find(&registry, name)?;
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
            .delete(&alive_key(id));
        if store.commit(&change)? != Commit::Lost {
            return Ok(());
        }
    }
    Err(Failure::new("too many others change the fleet: try again"))
}

fn read(store: &dyn Store) -> Result<(Snapshot, Registry), Failure> {
    let snapshot = store.range("", Detail::Values)?;
    let entries = snapshot.entries.iter();
    let registry = Registry::read(entries.map(|e| (e.key.as_str(), e.value.as_slice())));
    Ok((snapshot, registry))
}

fn find<'a>(registry: &'a Registry, name: &str) -> Result<(MemberId, &'a MemberRecord), Failure> {
    let mut named = registry.members.iter();
    let found = named.find(|(_, record)| record.name == name);
    let (id, record) = found.ok_or_else(|| {
        Failure::new(format!(
            "there is no member {name:?}: `cofferdam node list` shows all"
        ))
    })?;
    Ok((*id, record))
}
