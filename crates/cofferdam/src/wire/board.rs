//! What the console shows at a glance, in the same words.

use serde::{Deserialize, Serialize};

/// What the console's overview says, in the same words.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct BoardView {
    /// The time of its newest figures, `HH:MM:SS` in UTC.
    pub(crate) as_of: String,
    pub(crate) verdict: String,
    /// `well`, `limited` or `trouble`.
    pub(crate) severity: String,
    pub(crate) affairs: Vec<AffairView>,
    pub(crate) tiles: Vec<TileView>,
    /// Those in trouble first.
    pub(crate) tenants: Vec<RowView>,
    /// The newest first.
    pub(crate) events: Vec<AffairView>,
}

/// Something that goes on, or that was told.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct AffairView {
    pub(crate) time: String,
    pub(crate) severity: String,
    pub(crate) state: String,
    pub(crate) sentence: String,
    pub(crate) advice: Option<String>,
}

/// A figure with its last minute, the newest second last; `null` where nothing is known.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct TileView {
    pub(crate) label: String,
    pub(crate) value: String,
    pub(crate) note: String,
    pub(crate) minute: Vec<Option<f32>>,
}

/// A tenant; the four troubles are empty where there is none of them.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct RowView {
    pub(crate) tenant: String,
    pub(crate) refused: String,
    pub(crate) throttled: String,
    pub(crate) reconnecting: String,
    pub(crate) turned_away: String,
    pub(crate) requests: String,
    pub(crate) hits: String,
    pub(crate) p99: String,
    pub(crate) connections: String,
    pub(crate) busy: String,
    pub(crate) memory: String,
}
