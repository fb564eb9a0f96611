//! The gate: whether a new node does as well as those that serve, before it is given any key.
//!
//! A [`Plan`] pairs all nodes with one another, the candidate with each in turn. Every pair tries out
//! the way between the two under a [`Budget`] that is a twentieth of what the serving ones can do, and
//! every node tries out its own machine. What was seen goes into an [`Evidence`]; its [`Verdict`]
//! compares the candidate with the other nodes' own distribution, by the rule of the
//! [judge](crate::judge), or, where fewer than three serve, with configured [`GateLimits`].
//!
//! Who has passed goes on as its [`Standing`](crate::membership::Standing) says: copies of requests,
//! 1 %, and up from there, while the judge looks on and sends it back at any step. [`next`] says
//! whose turn it is: one candidate at a time.

mod budget;
mod copying;
mod course;
mod evidence;
mod figures;
mod plan;
mod verdict;
mod ways;

#[cfg(test)]
mod testing;

pub use budget::{Budget, Pace, Rates, SHARE_MAX};
pub use copying::Copying;
pub use course::{Attempts, Next, next};
pub use evidence::{Evidence, Pair};
pub use figures::{NodeFigures, OwnFigures, PairFigures, Test};
pub use plan::{Plan, Round};
pub use verdict::{Against, GateLimits, Outcome, PEERS_MIN, Verdict};
