//! Who is sent copies of requests before it has any key, and of how many.

use std::collections::BTreeMap;

use base::fleet::MemberId;

use crate::membership::{Standing, State};

/// Which nodes are sent copies of requests, and of how many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copying {
    /// The nodes, in the order of their numbers.
    pub nodes: Vec<MemberId>,
    /// Of a million requests so many for each of them.
    pub part_ppm: u32,
}

impl Copying {
    /// For all in [`State::Shadow`], each so many of a hundred as one node that serves is asked. With
    /// nobody there to compare with there is nothing to copy.
    pub fn of(standings: &BTreeMap<MemberId, Standing>, percent: f64) -> Self {
        let of = |states: &[State]| -> Vec<MemberId> {
            let found = standings.iter().filter(|it| states.contains(&it.1.state()));
            found.map(|(node, _)| *node).collect()
        };
        let serving = of(&[State::Serving, State::Suspect]).len();
        let nodes = of(&[State::Shadow]);
        if serving == 0 || nodes.is_empty() {
            return Self::default();
        }
        let part_ppm = percent.clamp(0.0, 100.0) * 10_000.0 / serving as f64;
        match part_ppm as u32 {
            0 => Self::default(),
            part_ppm => Self { nodes, part_ppm },
        }
    }
}

#[cfg(test)]
#[path = "copying_test.rs"]
mod tests;
