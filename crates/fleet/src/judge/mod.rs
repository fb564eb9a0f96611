//! Which nodes are slow, by what their callers see of them and of their peers, and what is done.
//!
//! Every gateway has an [`Observer`]. It counts how long each request took and how long the node
//! says that it waited there ([`Tally`]), in windows that are closed by count; compares each
//! window with the median of the node's peers; and keeps a [`Score`] that rises by factors while a
//! node is slow and falls by steps. What it has to say is a [`Ballot`]. One [`Judge`] takes the
//! ballots of all: who is slow itself has no vote, more than half of the others must agree
//! ([`Panel`]), and what a node's load explains is left out. Its [`Decision`]s are events of the
//! node's [`Standing`](crate::membership::Standing), and it takes out no more than a tenth of the
//! nodes, at least one, and nobody while most are slow.
//!
//! Call [`Observer::round`], [`Observer::ballot`] and [`Judge::round`] every [`ROUND`].

mod ballot;
mod bench;
mod case;
pub(crate) mod compare;
mod court;
mod number;
mod observer;
mod panel;
mod score;
mod sketch;
mod tally;

pub use ballot::{Ballot, Finding, Opinion, Statistic};
pub use case::{Blame, Case, Why};
pub use compare::{Beside, Limits};
pub use court::{Decision, Judge, Notice, Ruling};
pub use observer::{Observer, ROUND};
pub use panel::{Agreed, Blamed, Panel};
pub use score::Score;
pub use sketch::{BUCKETS, Sketch};
pub use tally::{Class, Tally};

#[cfg(test)]
mod scenario_test;
#[cfg(test)]
mod world;
