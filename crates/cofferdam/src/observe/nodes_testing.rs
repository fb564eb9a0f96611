//! Nodes for tests.

use base::Timestamp;
use fleet::membership::{Event, Standing};

use super::NodeReading;

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// One that stands where the store says, and does well.
pub(crate) fn standing(name: &str, standing: Standing) -> NodeReading {
    NodeReading {
        name: name.to_owned(),
        address: "10.0.0.1:11300".to_owned(),
        standing: Some(standing),
        state: standing.state(),
        since: Some(standing.since()),
        slots: 1024,
        is_alive: true,
        is_heard: true,
        beside: Default::default(),
        case: None,
    }
}

/// One that serves.
pub(crate) fn node(name: &str) -> NodeReading {
    standing(name, Standing::founder(NOW))
}

/// One that served until this happened.
pub(crate) fn after(name: &str, event: Event) -> NodeReading {
    standing(name, Standing::founder(NOW).after(event, NOW).unwrap())
}
