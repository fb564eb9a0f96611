//! What an operator can do to a node, in words.

use base::Timestamp;
use base::fleet::SLOT_COUNT;
use fleet::membership::Standing;
use fleet::operator::{Act, Refused};

use crate::membership::ChangeError;
use crate::observe::nodes::{Heat, NodeReading};

/// One of the four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeDeed {
    /// Out for a while, as if it had been found slow.
    Eject,
    /// The same, although as many are out as may be: offered once the other was refused for that.
    ForceEject,
    /// Out until it is let in again.
    Drain,
    /// Let in again: takes the others back.
    Readmit,
}

impl NodeDeed {
    const ALL: [Self; 4] = [Self::Readmit, Self::Eject, Self::Drain, Self::ForceEject];
    /// Those that have a button beside the node.
    const BESIDE: [Self; 3] = [Self::Readmit, Self::Eject, Self::Drain];

    /// Those that a node in this standing may have done to it.
    pub(crate) fn possible(standing: &Standing, now: Timestamp) -> Vec<Self> {
        let all = Self::BESIDE.into_iter();
        all.filter(|deed| standing.after(deed.act().event(), now).is_ok())
            .collect()
    }

    /// By its name in an address.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|deed| deed.name() == name)
    }

    /// Its name in an address, on record and for the admin API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Eject => "eject",
            Self::ForceEject => "force-eject",
            Self::Drain => "drain",
            Self::Readmit => "readmit",
        }
    }

    /// What stands on its button.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Eject => "Eject",
            Self::ForceEject => "Eject all the same",
            Self::Drain => "Drain",
            Self::Readmit => "Readmit",
        }
    }

    pub(super) fn act(self) -> Act {
        match self {
            Self::Eject => Act::Eject { force: false },
            Self::ForceEject => Act::Eject { force: true },
            Self::Drain => Act::Drain,
            Self::Readmit => Act::Readmit,
        }
    }

    pub(super) fn question(self, node: &str) -> String {
        match self {
            Self::Eject => format!("Take {node} out for a while?"),
            Self::ForceEject => format!("Take {node} out although no more may be?"),
            Self::Drain => format!("Take {node} out until it is readmitted?"),
            Self::Readmit => format!("Let {node} in again?"),
        }
    }

    /// What was refused because as many nodes are out as may be, and can be done all the same.
    pub(super) fn all_the_same(self, why: &ChangeError) -> Option<(Self, String)> {
        let ChangeError::Refused(Refused::TooMany {
            members, most, out, ..
        }) = why
        else {
            return None;
        };
        let told = format!(
            "Of {members} nodes no more than {most} may be out at once (a tenth, one at least), and {out}. The \
             bound is there because every node that is out is misses and more work for the others: wait until \
             that is over, readmit one, or drain one that is to stay out. "
        );
        (self == Self::Eject).then_some((Self::ForceEject, told))
    }

    /// What will happen, with all nodes as they are now.
    pub(super) fn consequence(self, node: &NodeReading, all: &[NodeReading]) -> String {
        if self == Self::Readmit {
            let admitted = node.standing.is_some_and(|it| it.is_admitted());
            return match admitted {
                true => "It is given a few of its keys, then more step by step as long as it does well. What it \
                         held before is not served any more: these keys are fetched from behind the cache anew."
                    .to_owned(),
                false => "It has never served at full weight: it is tested at the gate before it is given any keys."
                    .to_owned(),
            };
        }
        let serves = |other: &&NodeReading| other.name != node.name && Heat::of(other) <= Heat::Hot;
        let others = all.iter().filter(serves).count();
        let moves = match others {
            0 => {
                "NO OTHER NODE SERVES AT FULL WEIGHT: without it there may be nothing but misses. "
                    .to_owned()
            }
            _ => format!(
                "Its {} of {SLOT_COUNT} parts of the keys go to the other nodes, of which {others} serve at full \
                 weight; what it holds of them is fetched from behind the cache anew. ",
                node.slots
            ),
        };
        let back = match self {
            Self::Eject | Self::ForceEject => {
                "It is given another chance by itself, sooner or later by how often this has happened."
            }
            _ => "It stays out until an operator readmits it.",
        };
        moves + back
    }
}

#[cfg(test)]
#[path = "deed_test.rs"]
mod tests;
