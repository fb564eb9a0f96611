//! What a fleet keeps in its store, by key, and what a member makes of all of it.
//!
//! | key | value |
//! |---|---|
//! | `ring` | the [ring](crate::Ring::to_json) |
//! | `secret` | 32 hexadecimal digits, for the [`SlotHasher`](crate::SlotHasher); written once |
//! | `members/N` | a [`MemberRecord`] as JSON |
//! | `known/N` | the version that member N knows of ([`Knowledge::announced`]), decimal |
//! | `founded` | when the first cache node joined, in nanoseconds since 1970, decimal; nothing else writes it |
//! | `next/member`, `next/run` | the next free [`MemberId`] and [`Incarnation`], decimal |
//! | `alive/N` | anything; under a lease that member N keeps up |
//! | `steward` | the number of the member that carries changes through, under its lease |
//! | `use/N` | what gateway N's tenants use of their rates ([`Use`](crate::shares::Use)) |
//! | `shares` | what each gateway may use of them ([`Shares`](crate::shares::Shares)) |
//! | `memory` | what each node may hold of them, where that is not the ring's ([`Parts`](crate::memory::Parts)) |
//! | `force` | the version of a ring that an operator wants made although nodes are missing |
//! | `deeds/N` | what was done to node N other than by its judge ([`Deed`]s), as JSON |
//! | `out` | the number of the node that was taken out last; whoever takes one out compares its revision |
//!
//! [`Knowledge::announced`]: crate::knowledge::Knowledge::announced
//! [`Incarnation`]: base::fleet::Incarnation

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::Timestamp;
use base::fleet::{Epoch, MemberId};
use serde::{Deserialize, Serialize};

use crate::assignment::Weights;
use crate::change::Heard;
use crate::deeds::Deed;
use crate::membership::{Standing, State};
use crate::ring::Ring;

/// The key of the ring.
pub const RING: &str = "ring";
/// The key of the secret that slots are hashed with.
pub const SECRET: &str = "secret";
/// The key of when the fleet got its first cache node.
pub const FOUNDED: &str = "founded";
/// The key of the next member's number.
pub const NEXT_MEMBER: &str = "next/member";
/// The key of the next run's number.
pub const NEXT_RUN: &str = "next/run";

/// The key of the member that carries changes through.
pub const STEWARD: &str = "steward";
/// The key of the version that an operator forces.
pub const FORCE: &str = "force";

/// The key that changes whenever a node is taken out: two that look at who is out and take out another
/// at the same time cannot both do so.
pub const OUT: &str = "out";

/// What the keys begin with under which gateways say what their tenants use. They change each second
/// while that shifts, and nothing that must last is in them.
pub const USE_PREFIX: &str = "use/";
/// The key of what each gateway may use.
pub const SHARES: &str = "shares";
/// The key of what each node may hold.
pub const MEMORY: &str = "memory";

/// The key under which a gateway says what its tenants use.
pub fn use_key(id: MemberId) -> String {
    format!("{USE_PREFIX}{}", id.0)
}

/// The key that is there while a member is.
pub fn alive_key(id: MemberId) -> String {
    format!("alive/{}", id.0)
}

/// The key of a member's record.
pub fn member_key(id: MemberId) -> String {
    format!("members/{}", id.0)
}

/// The key under which a member says what it knows of.
pub fn known_key(id: MemberId) -> String {
    format!("known/{}", id.0)
}

/// The key of what was done to a member.
pub fn deeds_key(id: MemberId) -> String {
    format!("deeds/{}", id.0)
}

/// What a member does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Tenants connect to it.
    Gateway,
    /// It holds cached data.
    Cache,
    /// It serves volumes.
    Volume,
}

/// A member as the store has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRecord {
    /// For people.
    pub name: String,
    /// What it does.
    pub role: Role,
    /// Where other members reach it, `host:port`.
    pub address: String,
    /// Its part of the keys, or of the tenants, beside the others of its role.
    pub weight: u32,
    /// Where it stands; a gateway that has ended for good is drained.
    pub standing: Standing,
    /// Of a node: what all tenants together may hold there, in bytes.
    #[serde(default)]
    pub memory_bytes: u64,
}

/// Everything, as read at one moment.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    /// The ring; `None` before the first was written.
    pub ring: Option<Arc<Ring>>,
    /// The secret that slots are hashed with.
    pub secret: Option<[u8; 16]>,
    /// When the first cache node joined; `None` also of a fleet that an earlier release founded.
    pub founded: Option<Timestamp>,
    /// All members.
    pub members: BTreeMap<MemberId, MemberRecord>,
    /// Those whose lease holds.
    pub alive: BTreeSet<MemberId>,
    /// Who carries changes through.
    pub steward: Option<MemberId>,
    /// The version that an operator wants made whatever the quorum.
    pub force: Option<Epoch>,
    /// What was done to each node other than by its judge, the latest last.
    pub deeds: BTreeMap<MemberId, Vec<Deed>>,
    known: BTreeMap<MemberId, Epoch>,
    /// Keys whose values make no sense, with the reason. They count as not there.
    pub problems: Vec<(String, String)>,
}

impl Registry {
    /// From the store's keys and values. Keys that this release does not know are left alone, since
    /// a later one may run beside it.
    pub fn read<'a>(entries: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut registry = Self::default();
        for (key, value) in entries {
            if let Err(why) = registry.take(key, value) {
                registry.problems.push((key.to_owned(), why));
            }
        }
        registry
    }

    fn take(&mut self, key: &str, value: &[u8]) -> Result<(), String> {
        match key.split_once('/') {
            None if key == RING => {
                let ring = Ring::from_json(value).map_err(|e| e.to_string())?;
                self.ring = Some(Arc::new(ring));
            }
            None if key == SECRET => {
                self.secret = Some(secret(value).ok_or("not 32 hexadecimal digits")?);
            }
            Some(("members", id)) => {
                let record = serde_json::from_slice(value).map_err(|e| e.to_string())?;
                self.members.insert(number(id)?, record);
            }
            None if key == FOUNDED => {
                self.founded = Some(Timestamp::from_nanos(decimal(value)?));
            }
            None if key == STEWARD => self.steward = Some(MemberId(decimal(value)?)),
            None if key == FORCE => self.force = Some(Epoch(decimal(value)?)),
            Some(("known", id)) => {
                self.known.insert(number(id)?, Epoch(decimal(value)?));
            }
            Some(("deeds", id)) => {
                let deeds = serde_json::from_slice(value).map_err(|e| e.to_string())?;
                self.deeds.insert(number(id)?, deeds);
            }
            Some(("alive", id)) => {
                self.alive.insert(number(id)?);
            }
            _ => {}
        }
        Ok(())
    }

    /// The cache nodes.
    pub fn nodes(&self) -> impl Iterator<Item = (&MemberId, &MemberRecord)> {
        self.members.iter().filter(|(_, m)| m.role == Role::Cache)
    }

    /// What each cache node is to have of the keys now.
    pub fn weights(&self) -> Weights {
        let weights = self
            .nodes()
            .map(|(id, m)| (*id, m.standing.share_of(m.weight)));
        weights.collect()
    }

    /// What a member has said to know of.
    pub fn known(&self, id: MemberId) -> Option<Epoch> {
        self.known.get(&id).copied()
    }

    /// Who knows of which version, for [`Patience`](crate::change::Patience). A gateway counts from
    /// when it is a member until it is none, heard or not.
    pub fn heard(&self) -> Heard {
        let serves =
            |m: &MemberRecord| m.role == Role::Gateway && m.standing.state() != State::Drained;
        let gateways = self.members.iter().filter(|(_, m)| serves(m));
        let known = |id: &MemberId| self.known.get(id).copied().unwrap_or(Epoch::ZERO);
        Heard {
            gateways: gateways.map(|(id, _)| (*id, known(id))).collect(),
            nodes: self.known.clone(),
        }
    }
}

#[cfg(test)]
impl Registry {
    /// With what the members of another have said to know.
    pub(crate) fn absorb_known(&mut self, other: &Self) {
        self.known.extend(&other.known);
    }
}

/// The secret as it is written.
pub fn secret_text(secret: &[u8; 16]) -> String {
    secret.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn secret(text: &[u8]) -> Option<[u8; 16]> {
    let digits = text.iter().map(|digit| char::from(*digit).to_digit(16));
    let digits = digits.collect::<Option<Vec<u32>>>()?;
    let pairs = digits
        .chunks_exact(2)
        .map(|pair| (pair[0] * 16 + pair[1]) as u8);
    let bytes: Vec<u8> = pairs.collect();
    (digits.len() == 32)
        .then(|| bytes.try_into().ok())
        .flatten()
}

fn decimal<T: std::str::FromStr>(value: &[u8]) -> Result<T, String> {
    let text = std::str::from_utf8(value).unwrap_or_default();
    text.parse().map_err(|_| "not a number".to_owned())
}

fn number(text: &str) -> Result<MemberId, String> {
    let id = text.parse().map_err(|_| "its key ends in no number")?;
    Ok(MemberId(id))
}

#[cfg(test)]
#[path = "registry_test.rs"]
mod tests;
