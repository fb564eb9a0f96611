//! How many nodes may be out at once, whoever takes them out.

use base::fleet::MemberId;

use crate::membership::{Standing, State};

/// Of nodes with or without keys, who is out, and how many may be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cap {
    /// Those that serve, or would if they were not out.
    pub members: usize,
    /// Those that are out: ejected, or tried out again with a few keys.
    pub out: Vec<MemberId>,
    /// So many of the members may be: a tenth and one at least, but never all.
    pub most: usize,
}

impl Cap {
    /// Of a fleet whose nodes stand so.
    pub fn of<'a>(standings: impl IntoIterator<Item = (&'a MemberId, &'a Standing)>) -> Self {
        let (mut out, mut serving) = (Vec::new(), 0);
        for (node, standing) in standings {
            match standing.state() {
                State::Ejected | State::Probation => out.push(*node),
                State::Ramping | State::Serving | State::Suspect => serving += 1,
                State::Quarantined | State::Shadow | State::Drained => {}
            }
        }
        let members = out.len() + serving;
        Self {
            members,
            out,
            most: (members / 10).max(1).min(members.saturating_sub(1)),
        }
    }

    /// How many more may be taken out.
    pub fn room(&self) -> usize {
        self.most.saturating_sub(self.out.len())
    }

    /// Whether to eject a node that stands so takes one of the places: one that was never let in, or is
    /// out already, takes none.
    pub fn counts(standing: &Standing) -> bool {
        match standing.state() {
            State::Serving | State::Suspect => true,
            State::Ramping => standing.is_admitted(),
            _ => false,
        }
    }
}

#[cfg(test)]
#[path = "cap_test.rs"]
mod tests;
