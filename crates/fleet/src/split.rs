//! One limit of a tenant (a rate, a quota) split over the members that enforce it, by actual use.
//!
//! Nine in ten parts follow the demand, a tenth more is spread evenly, so that whoever was idle has
//! something to begin with: together at most the limit and a tenth. Grants travel, arrive late or
//! not at all; so a share is given to one member only after the one that had it has said that it
//! uses less. Whoever is cut off keeps what he has, and nobody else gets it.

use std::collections::BTreeMap;

use base::fleet::MemberId;
use serde::{Deserialize, Serialize};

/// The part of the limit that is spread evenly on top of it: one in this many.
const EVEN_PART: u64 = 10;
/// Grants to a silent member that are told apart; of older ones the greatest counts.
const PENDING_MAX: usize = 8;

/// What a member may use from when it hears of it, until it hears of a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Grows with every grant to this member; an older one that arrives late is not applied.
    pub serial: u64,
    /// In the limit's own unit.
    pub amount: u64,
}

/// What a member has of a limit, as it is written down: enough to go on from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Of the last grant.
    pub serial: u64,
    /// Of the last grant.
    pub amount: u64,
    /// The most that it may be using: that of all grants since the last that it has said to apply.
    pub most: u64,
}

impl Held {
    /// The same, of someone who uses no more than `amount` whatever was granted.
    pub(crate) fn at_most(self, amount: u64) -> Self {
        Self {
            amount: self.amount.min(amount),
            most: self.most.min(amount),
            ..self
        }
    }
}

/// One limit and who has how much of it.
#[derive(Clone, Debug)]
pub struct Split {
    limit: u64,
    members: BTreeMap<MemberId, Part>,
}

#[derive(Clone, Debug)]
struct Part {
    /// Its share beside the others', where there is not enough for all and of what is left.
    weight: u64,
    granted: u64,
    serial: u64,
    /// Grants that it may be using: those since the last that it has said to apply.
    pending: Vec<Grant>,
    used: u64,
}

impl Default for Part {
    fn default() -> Self {
        Self {
            weight: 1,
            granted: 0,
            serial: 0,
            pending: Vec::new(),
            used: 0,
        }
    }
}

impl Split {
    /// Nobody has anything of it yet.
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            members: BTreeMap::new(),
        }
    }

    /// Changes the limit. A lower one holds once those who must give something up have heard.
    pub fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// A member that begins with nothing; one that has begun anew must get another id or have left.
    pub fn join(&mut self, member: MemberId) {
        self.members.entry(member).or_default();
    }

    /// A member that has this much already, as it was written down.
    pub fn resume(&mut self, member: MemberId, held: Held) {
        let newest = Grant {
            serial: held.serial,
            amount: held.amount.max(held.most),
        };
        let part = Part {
            granted: held.amount,
            serial: held.serial,
            pending: vec![newest],
            ..Part::default()
        };
        self.members.insert(member, part);
    }

    /// Gives a member so much weight beside the others, who have one each unless that is said.
    pub fn weigh(&mut self, member: MemberId, weight: u64) {
        if let Some(part) = self.members.get_mut(&member) {
            part.weight = weight;
        }
    }

    /// What each member has, to be written down.
    pub fn held(&self) -> impl Iterator<Item = (MemberId, Held)> + '_ {
        self.members.iter().map(|(id, part)| {
            let held = Held {
                serial: part.serial,
                amount: part.granted,
                most: part.may_use(),
            };
            (*id, held)
        })
    }

    /// A member that has ended for certain: what it had is free. Silence is no certainty.
    pub fn leave(&mut self, member: MemberId) {
        self.members.remove(&member);
    }

    /// A member says how much it has used of late (in the limit's unit) and the serial of the grant
    /// that it applies, 0 for none.
    pub fn report(&mut self, member: MemberId, used: u64, serial: u64) {
        if let Some(part) = self.members.get_mut(&member) {
            part.used = used;
            part.pending.retain(|grant| grant.serial >= serial);
            // It applies the last: of those before it none counts any more.
            if serial == part.serial
                && let Some(last) = part.pending.last_mut()
            {
                last.amount = part.granted;
            }
        }
    }

    /// The grants to be sent now; to be called some times a second, or after reports.
    pub fn rebalance(&mut self) -> Vec<(MemberId, Grant)> {
        let targets = self.targets();
        let mut grants = Vec::new();
        for (id, target) in &targets {
            if self
                .members
                .get(id)
                .is_some_and(|part| worth(part.granted, *target, true))
            {
                grants.extend(self.grant(*id, *target));
            }
        }
        for (id, target) in &targets {
            let free = self.ceiling().saturating_sub(self.outstanding());
            let Some(part) = self.members.get(id) else {
                continue;
            };
            let may_use = part.may_use();
            let amount = (*target).min(may_use + free);
            if worth(part.granted, amount, false) {
                grants.extend(self.grant(*id, amount));
            }
        }
        grants
    }

    /// The most that all together may be using now.
    pub fn outstanding(&self) -> u64 {
        self.members.values().map(Part::may_use).sum()
    }

    /// The most that they ever may, while the limit stays.
    pub fn ceiling(&self) -> u64 {
        self.limit.saturating_add(self.limit / EVEN_PART)
    }

    /// Everybody gets what he demands, or by his weight as much as the others who demand more than that;
    /// what is left over is spread by weight (max-min fairness).
    fn targets(&self) -> Vec<(MemberId, u64)> {
        let members = self.members.iter().filter(|(_, part)| part.weight > 0);
        let mut targets: Vec<(MemberId, u64, u64)> = members
            .map(|(id, part)| (*id, part.demand().min(self.limit), part.weight))
            .collect();
        // Who demands the least for his weight comes first.
        targets.sort_unstable_by(|(_, a, of_a), (_, b, of_b)| {
            let (a, b) = (u128::from(*a), u128::from(*b));
            (a * u128::from(*of_b)).cmp(&(b * u128::from(*of_a)))
        });
        let weights: u64 = targets.iter().map(|(.., weight)| weight).sum();
        let (mut left, mut open) = (self.limit, weights);
        for (_, target, weight) in &mut targets {
            *target = (*target).min(part_of(left, *weight, open));
            left -= *target;
            open -= *weight;
        }
        let spread = self.limit / EVEN_PART + left;
        let none = self.members.iter().filter(|(_, part)| part.weight == 0);
        let none = none.map(|(id, _)| (*id, 0));
        let some = (targets.into_iter())
            .map(|(id, target, weight)| (id, target + part_of(spread, weight, weights)));
        none.chain(some).collect()
    }

    fn grant(&mut self, id: MemberId, amount: u64) -> Option<(MemberId, Grant)> {
        let part = self.members.get_mut(&id)?;
        part.serial += 1;
        part.granted = amount;
        let grant = Grant {
            serial: part.serial,
            amount,
        };
        part.push(grant);
        Some((id, grant))
    }
}

impl Part {
    /// The greatest of the grants that it may be applying.
    fn may_use(&self) -> u64 {
        let amounts = self.pending.iter().map(|grant| grant.amount);
        amounts.max().unwrap_or(0)
    }

    fn push(&mut self, grant: Grant) {
        self.pending.push(grant);
        if let [first, second, ..] = self.pending[..]
            && self.pending.len() > PENDING_MAX
        {
            self.pending[1].amount = first.amount.max(second.amount);
            self.pending.remove(0);
        }
    }

    /// What it would use, and a quarter more to grow by. Who uses nearly all that he has would use
    /// more; how much more shows only when he has it.
    fn demand(&self) -> u64 {
        match self.used > 0 && self.used >= self.granted - self.granted / 8 {
            true => u64::MAX,
            false => self.used.saturating_add(self.used / 4),
        }
    }
}

/// What is due of `whole` to `weight` of `weights`.
fn part_of(whole: u64, weight: u64, weights: u64) -> u64 {
    let part = u128::from(whole) * u128::from(weight) / u128::from(weights.max(1));
    u64::try_from(part).unwrap_or(u64::MAX)
}

/// Small differences are not worth a message, unless nothing is what there was.
fn worth(granted: u64, target: u64, less: bool) -> bool {
    let (from, to) = if less {
        (target, granted)
    } else {
        (granted, target)
    };
    to > from && (to - from > granted / 20 || granted == 0)
}

#[cfg(test)]
#[path = "split_test.rs"]
mod tests;
