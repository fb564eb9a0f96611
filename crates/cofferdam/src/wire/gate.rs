//! What an operator asks of the gate.

use serde::{Deserialize, Serialize};

/// Whom to test.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GateWish {
    /// The node's address or name.
    pub(crate) candidate: String,
}

/// What was asked for.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct GateAsked {
    /// The number of its last test before: what comes of this one has a higher one in the report.
    pub(crate) after: u64,
    /// The candidate's name.
    pub(crate) name: String,
}
