//! What has happened.

use serde::{Deserialize, Serialize};

use crate::observe::event_view::EventView;

/// Events, the oldest first.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct EventPage {
    pub(crate) events: Vec<EventView>,
    /// Ask for what is later than this next time.
    pub(crate) next: u64,
}
