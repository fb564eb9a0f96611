//! An event as JSON: a line of the journal, an item of the API's answer.

use base::Timestamp;
use base::event::{Event, Figure};
use serde::{Deserialize, Serialize};
use std::time::{Duration, UNIX_EPOCH};

/// An event as written. Words are kept as they are, so that a journal of another release is told
/// as well.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct EventView {
    pub(crate) id: u64,
    /// RFC 3339, in UTC, as `onset`.
    pub(crate) at: String,
    pub(crate) onset: String,
    pub(crate) event: String,
    pub(crate) cause: String,
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) tenant: Option<String>,
    pub(crate) sentence: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) advice: Option<String>,
    #[serde(default)]
    pub(crate) evidence: Vec<FigureView>,
    #[serde(default)]
    pub(crate) held_back: u64,
}

impl EventView {
    /// `HH:MM:SS` of when it was written.
    pub(crate) fn time(&self) -> &str {
        self.at.get(11..19).unwrap_or(&self.at)
    }

    /// `HH:MM:SS` of when what it tells of began.
    pub(crate) fn since(&self) -> &str {
        self.onset.get(11..19).unwrap_or(&self.onset)
    }

    /// The advice in pieces, each with whether it is something to type.
    pub(crate) fn advice_parts(&self) -> Vec<(bool, &str)> {
        let text = self.advice.as_deref().unwrap_or_default();
        let parts = text.split('`').enumerate();
        parts.map(|(index, part)| (index % 2 == 1, part)).collect()
    }

    /// `YYYY-MM-DD` of it.
    pub(crate) fn day(&self) -> &str {
        self.at.get(..10).unwrap_or("")
    }
}

/// A figure as written.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct FigureView {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: String,
}

impl From<&Event> for EventView {
    fn from(event: &Event) -> Self {
        Self {
            id: event.id,
            at: rfc3339(event.at),
            onset: rfc3339(event.onset),
            event: event.kind.code().to_owned(),
            cause: event.cause.clone().into_owned(),
            state: event.state.code().to_owned(),
            tenant: event.tenant.as_deref().map(str::to_owned),
            sentence: event.sentence.clone(),
            advice: event.advice.clone(),
            evidence: event.evidence.iter().map(FigureView::from).collect(),
            held_back: event.held_back,
        }
    }
}

impl From<&Figure> for FigureView {
    fn from(figure: &Figure) -> Self {
        Self {
            name: figure.name.clone().into_owned(),
            // JSON has no word for what is not a number.
            value: if figure.value.is_finite() {
                figure.value
            } else {
                0.0
            },
            unit: figure.unit.code().to_owned(),
        }
    }
}

/// To the millisecond.
fn rfc3339(at: Timestamp) -> String {
    // The text has four digits for a year.
    let since_epoch = Duration::from_nanos(at.as_nanos());
    humantime::format_rfc3339_millis(UNIX_EPOCH + since_epoch).to_string()
}

#[cfg(test)]
#[path = "event_view_test.rs"]
mod tests;
