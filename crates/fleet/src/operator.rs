//! What an operator may do to a node: where that leads, or why it is not done and what is the way round.

use base::Timestamp;
use base::fleet::MemberId;

use crate::cap::Cap;
use crate::membership::{Event, NotPossible, Standing, State};
use crate::registry::{MemberRecord, Registry, Role};

/// One of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Out for a while, as if it had been found slow.
    Eject {
        /// Also if as many as may be are out.
        force: bool,
    },
    /// Out until it is readmitted: planned work, of which there may be more than one at once.
    Drain,
    /// In again, step by step.
    Readmit,
}

/// Why something is not done to a node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is none.
    #[error(
        "{name} is a {kind}: only nodes that hold cached data are ejected, drained and readmitted"
    )]
    NoNode {
        /// The member.
        name: String,
        /// What it is.
        kind: &'static str,
    },
    /// Its state does not allow it.
    #[error("{name}: {why}{hint}")]
    NotPossible {
        /// The node.
        name: String,
        /// In words.
        why: NotPossible,
        /// What can be done, as the rest of the sentence.
        hint: String,
    },
    /// Without it nobody would have the keys.
    #[error(
        "{name} is not {done}: it is the last node that serves, and without it every request is a miss. \
         {others}: let one of them in first (`cofferdam node readmit NAME`), or start another"
    )]
    Last {
        /// The node.
        name: String,
        /// What should be done to it.
        done: &'static str,
        /// How the others are.
        others: String,
    },
    /// As many as may be are out.
    #[error(
        "{name} is not ejected: of {members} nodes no more than {most} may be out at once (a tenth, one \
         at least), and {out}. Wait until that is over, readmit one, or drain one that is to stay out; \
         for planned work `cofferdam node drain {name}`; `cofferdam node eject {name} --force` does it \
         all the same"
    )]
    TooMany {
        /// The node.
        name: String,
        /// Those that serve or would.
        members: usize,
        /// So many of them may be out.
        most: usize,
        /// Who is.
        out: String,
    },
}

impl Act {
    /// What that is to the node.
    pub fn event(self) -> Event {
        match self {
            Self::Eject { .. } => Event::Condemned,
            Self::Drain => Event::Drain,
            Self::Readmit => Event::Readmit,
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Eject { .. } => "ejected",
            Self::Drain => "drained",
            Self::Readmit => "readmitted",
        }
    }
}

impl Registry {
    /// Where the member `id` stands once an operator has done this to it.
    pub fn after_act(
        &self,
        id: MemberId,
        record: &MemberRecord,
        act: Act,
        now: Timestamp,
    ) -> Result<Standing, Refused> {
        let name = || record.name.clone();
        let kind = match record.role {
            Role::Cache => None,
            Role::Gateway => Some("gateway"),
            Role::Volume => Some("node of volumes"),
        };
        if let Some(kind) = kind {
            let name = name();
            return Err(Refused::NoNode { name, kind });
        }
        let possible = record.standing.after(act.event(), now);
        let next = possible.map_err(|why| Refused::NotPossible {
            name: name(),
            why,
            hint: hint(why, &record.name),
        })?;
        if record.standing.share_of(record.weight) > 0 && next.share_of(record.weight) == 0 {
            self.keeps_one_that_serves(id, record, act)?;
        }
        if act == (Act::Eject { force: false }) && Cap::counts(&record.standing) {
            self.keeps_to_the_cap(record)?;
        }
        Ok(next)
    }

    /// Whether it is known of another node that it runs and has keys.
    fn keeps_one_that_serves(
        &self,
        id: MemberId,
        record: &MemberRecord,
        act: Act,
    ) -> Result<(), Refused> {
        let others = || self.nodes().filter(|(other, _)| **other != id);
        let serves = |other: &MemberId, it: &MemberRecord| {
            it.standing.share_of(it.weight) > 0 && self.alive.contains(other)
        };
        if others().any(|(other, it)| serves(other, it)) {
            return Ok(());
        }
        let told: Vec<String> = others().map(|(other, it)| self.told(*other, it)).collect();
        Err(Refused::Last {
            name: record.name.clone(),
            done: act.done(),
            others: match told.is_empty() {
                true => "There is no other node".to_owned(),
                false => told.join(", "),
            },
        })
    }

    fn told(&self, id: MemberId, record: &MemberRecord) -> String {
        let (name, state) = (&record.name, record.standing.state().in_words());
        match self.alive.contains(&id) {
            true => format!("{name} is {state}"),
            false => format!("{name} is {state} and does not run"),
        }
    }

    fn keeps_to_the_cap(&self, record: &MemberRecord) -> Result<(), Refused> {
        let cap = self.cap();
        if cap.room() > 0 {
            return Ok(());
        }
        let out = cap.out.iter().filter_map(|id| {
            let record = self.members.get(id)?;
            Some(self.told(*id, record))
        });
        Err(Refused::TooMany {
            name: record.name.clone(),
            members: cap.members,
            most: cap.most,
            out: out.collect::<Vec<String>>().join(", "),
        })
    }

    /// How many nodes may be out at once, and who is.
    pub fn cap(&self) -> Cap {
        Cap::of(self.nodes().map(|(id, record)| (id, &record.standing)))
    }
}

/// What can be done instead.
fn hint(why: NotPossible, name: &str) -> String {
    match (why.state, why.event) {
        (State::Ejected | State::Drained, Event::Condemned | Event::Drain) => {
            format!("; `cofferdam node readmit {name}` lets it in again")
        }
        (State::Quarantined, Event::Condemned) => {
            format!("; it has no keys, and `cofferdam node drain {name}` keeps it out")
        }
        (State::Quarantined, Event::Readmit) => {
            format!("; the gate lets it in: `cofferdam gate run --candidate {name}`")
        }
        (State::Shadow | State::Ramping | State::Probation, Event::Readmit) => {
            ": it is on its way in already".to_owned()
        }
        (_, Event::Readmit) => ": it was not taken out".to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
#[path = "operator_test.rs"]
mod tests;
