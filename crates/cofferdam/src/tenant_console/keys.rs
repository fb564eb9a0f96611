//! The busiest keys as people read them.

use base::top::Counted;
use gateway::BusiestKeys;

use crate::board::format;

/// Shown of each kind.
pub(super) const KEYS_SHOWN: usize = 10;
/// Letters of a key that are shown.
const LEN_MAX: usize = 64;
/// Fewer samples than this say nothing of shares.
const SAMPLES_MIN: u64 = 50;

/// Two tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KeysView {
    pub(super) keys: Vec<KeyRow>,
    pub(super) prefixes: Vec<KeyRow>,
    /// What is to be known beside them.
    pub(super) note: String,
}

/// A key, or what keys begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyRow {
    pub(super) key: String,
    pub(super) share: String,
    /// Of a hundred.
    pub(super) percent: u8,
    pub(super) rate: String,
}

impl KeysView {
    /// Of a sample, beside so many `requests` a second.
    pub(super) fn of(busiest: &BusiestKeys, requests: f32) -> Self {
        let samples = busiest.samples;
        if samples < SAMPLES_MIN {
            let note =
                "Keys are looked at while this page is open, one request in 64: wait a moment.";
            return Self {
                note: note.to_owned(),
                ..Self::default()
            };
        }
        let rows = |counted: &[Counted]| {
            let rows = counted.iter().filter_map(|one| row(one, samples, requests));
            rows.collect()
        };
        Self {
            keys: rows(&busiest.keys),
            prefixes: rows(&busiest.prefixes),
            note: format!(
                "From {samples} of your last requests, one in 64; the newest half minute counts most."
            ),
        }
    }
}

/// None where the count may be nothing but error.
fn row(one: &Counted, samples: u64, requests: f32) -> Option<KeyRow> {
    let sure = one.count.saturating_sub(one.error);
    if sure * 2 < one.count || sure < 2 {
        return None;
    }
    let share = one.count as f32 / samples as f32;
    Some(KeyRow {
        key: readable(&one.key),
        share: format::percent(share),
        percent: (share * 100.0).clamp(0.0, 100.0) as u8,
        rate: format!("{}/s", format::count(share * requests)),
    })
}

/// A key's letters; bytes that are none are escaped.
fn readable(key: &[u8]) -> String {
    let text = match std::str::from_utf8(key) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => key.escape_ascii().to_string(),
    };
    match text.char_indices().nth(LEN_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
#[path = "keys_test.rs"]
mod tests;
