//! Which node of a fleet is busier than all others.

use super::fleet::Fleet;
use crate::machine::cpu_ns;

/// So much processor time is more than a node takes that has nothing to do, and so many times that of any other
/// one no matter of chance.
const LEAST_NS: u64 = 5_000_000;
const TIMES: u64 = 3;

/// What each node has had of the processors, from a moment on.
pub(crate) struct Busy {
    /// By name: process, and what it had had at that moment.
    before: Vec<(String, u32, u64)>,
}

impl Busy {
    /// From now on.
    pub(crate) fn from_now(fleet: &Fleet) -> Self {
        let nodes = fleet.nodes.iter().enumerate();
        let before = nodes.filter_map(|(place, node)| {
            let pid = fleet.node_pid(place)?;
            Some((node.name.clone(), pid, cpu_ns(&[pid])))
        });
        Self {
            before: before.collect(),
        }
    }

    /// The node that stands out by now.
    pub(crate) fn node(&self) -> Option<String> {
        let used = self.before.iter();
        let used = used.map(|(name, pid, before_ns)| {
            (name.as_str(), cpu_ns(&[*pid]).saturating_sub(*before_ns))
        });
        busiest(used.collect()).map(str::to_owned)
    }
}

fn busiest(mut used_ns: Vec<(&str, u64)>) -> Option<&str> {
    used_ns.sort_by_key(|it| std::cmp::Reverse(it.1));
    let mut used_ns = used_ns.into_iter();
    let (name, most_ns) = used_ns.next()?;
    let next_ns = used_ns.next().map_or(0, |it| it.1);
    (most_ns >= LEAST_NS && most_ns >= TIMES * next_ns).then_some(name)
}

#[cfg(test)]
#[path = "busy_test.rs"]
mod tests;
