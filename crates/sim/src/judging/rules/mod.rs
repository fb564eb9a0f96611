//! Ours and others' ways to tell which node is bad.

mod envoy;
mod mcrouter;
mod ours;
mod tikv;

use base::Timestamp;

use super::FleetShape;
use super::scene::Scene;

/// Who decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RuleKind {
    /// Crate `fleet`.
    Cofferdam,
    /// Outlier detection by consecutive errors and by success rate, in each proxy.
    Envoy,
    /// Three timeouts in a row, in each proxy, and probes.
    Mcrouter,
    /// The slow score.
    Tikv,
}

impl RuleKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Cofferdam, Self::Envoy, Self::Mcrouter, Self::Tikv];

    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cofferdam => "cofferdam",
            Self::Envoy => "envoy",
            Self::Mcrouter => "mcrouter",
            Self::Tikv => "tikv",
        }
    }

    pub(super) fn build(self, shape: &FleetShape, start: Timestamp) -> Box<dyn Rule> {
        let (nodes, observers) = (shape.nodes, shape.observers);
        match self {
            Self::Cofferdam => Box::new(ours::Ours::new(nodes, observers, start)),
            Self::Envoy => Box::new(envoy::Envoy::new(nodes, observers, start)),
            Self::Mcrouter => Box::new(mcrouter::Mcrouter::new(nodes, observers)),
            Self::Tikv => Box::new(tikv::Tikv::new(nodes, start)),
        }
    }
}

/// A way to tell, which is shown every round.
pub(super) trait Rule {
    fn kind(&self) -> RuleKind;
    /// Looks at the last round.
    fn round(&mut self, scene: &mut Scene);
    /// Whether the node is out; where each observer decides for itself, with more than half of them.
    fn is_out(&self, node: usize) -> bool;
    /// Whether it has less to do than it should.
    fn is_noticed(&self, node: usize) -> bool {
        self.is_out(node)
    }
    /// Times that a node was taken out; an observer that decides for itself counts as its part.
    fn ejections(&self) -> f64;
    /// Of them, those of one node.
    fn ejections_of(&self, node: usize) -> f64;
    /// Times that a node was only suspected.
    fn suspicions(&self) -> f64 {
        0.0
    }
}
