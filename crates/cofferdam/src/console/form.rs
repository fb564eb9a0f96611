//! The form of limits: what a person typed, as a change of limits.

use std::collections::HashMap;

use base::ByteSize;

use crate::config::Size;
use crate::wire::{LimitChange, TrafficChange, TrafficView};

/// How a field is read and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Count,
    Size,
    Millis,
}

/// One line of the form.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) hint: &'static str,
    /// What is in force, or was typed; empty is none.
    pub(crate) value: String,
}

type Pick = fn(&mut TrafficChange) -> &mut Option<Option<u64>>;

/// Name, label, hint, kind, and where it goes.
const FIELDS: [(&str, &str, &str, Kind, Pick); 7] = [
    (
        "ops_per_second",
        "Requests a second",
        "each key of a multi-get is one",
        Kind::Count,
        |c| &mut c.ops_per_second,
    ),
    (
        "bytes_in_per_second",
        "Bytes in a second",
        "as 10MiB",
        Kind::Size,
        |c| &mut c.bytes_in_per_second,
    ),
    (
        "bytes_out_per_second",
        "Bytes out a second",
        "as 10MiB",
        Kind::Size,
        |c| &mut c.bytes_out_per_second,
    ),
    ("connections", "Connections", "at once", Kind::Count, |c| {
        &mut c.connections
    }),
    (
        "connects_per_second",
        "New connections a second",
        "past that they wait at the door",
        Kind::Count,
        |c| &mut c.connects_per_second,
    ),
    (
        "weight",
        "Weight",
        "its share beside others; 100 where empty",
        Kind::Count,
        |c| &mut c.weight,
    ),
    (
        "max_delay_ms",
        "Longest wait, in ms",
        "then it is a miss; 200 where empty",
        Kind::Millis,
        |c| &mut c.max_delay_ms,
    ),
];

/// The memory's line, which stands apart: it can be changed and not taken away.
const MEMORY: &str = "memory";

/// The form with what is in force; `memory_bytes` is none for a tenant whose memory follows others'.
pub(crate) fn fields(memory_bytes: Option<u64>, traffic: &TrafficView) -> Vec<Field> {
    let current = |name: &str| match name {
        "ops_per_second" => traffic.ops_per_second,
        "bytes_in_per_second" => traffic.bytes_in_per_second,
        "bytes_out_per_second" => traffic.bytes_out_per_second,
        "connections" => traffic.connections.map(u64::from),
        "connects_per_second" => traffic.connects_per_second.map(u64::from),
        "weight" => Some(traffic.weight.into()),
        "max_delay_ms" => Some(traffic.max_delay_ms),
        _ => None,
    };
    let memory = memory_bytes.map(|bytes| Field {
        name: MEMORY,
        label: "Memory",
        hint: "as 64MiB; items go as far as less needs",
        value: ByteSize(bytes).to_string(),
    });
    let others = FIELDS.iter().map(|(name, label, hint, kind, _)| Field {
        name,
        label,
        hint,
        value: current(name).map_or_else(String::new, |value| shown(*kind, value)),
    });
    memory.into_iter().chain(others).collect()
}

fn shown(kind: Kind, value: u64) -> String {
    match kind {
        Kind::Size => ByteSize(value).to_string(),
        Kind::Count | Kind::Millis => value.to_string(),
    }
}

/// What `typed` changes of the fields in force, and that in words; an error names the field.
pub(crate) fn change(
    current: &[Field],
    typed: &HashMap<String, String>,
) -> Result<(LimitChange, Vec<String>), String> {
    let mut change = LimitChange::default();
    let mut words = Vec::new();
    for field in current {
        let Some(text) = typed.get(field.name).map(|text| text.trim()) else {
            continue;
        };
        if text == field.value {
            continue;
        }
        match FIELDS.iter().find(|(name, ..)| *name == field.name) {
            Some((_, label, _, kind, pick)) => {
                *pick(&mut change.traffic) = Some(parse(label, *kind, text)?);
            }
            None => change.memory_bytes = parse(field.label, Kind::Size, text)?,
        }
        let or_none = |value: &str| match value {
            "" => "none".to_owned(),
            _ => value.to_owned(),
        };
        words.push(format!(
            "{}: {} → {}",
            field.label,
            or_none(&field.value),
            or_none(text)
        ));
    }
    Ok((change, words))
}

fn parse(label: &str, kind: Kind, text: &str) -> Result<Option<u64>, String> {
    if text.is_empty() || text == "none" {
        return Ok(None);
    }
    let number = match kind {
        Kind::Size => text.parse::<Size>().ok().map(Size::bytes),
        Kind::Count | Kind::Millis => text.parse().ok(),
    };
    let example = match kind {
        Kind::Size => "a size as 10MiB",
        Kind::Count | Kind::Millis => "a whole number",
    };
    number
        .map(Some)
        .ok_or_else(|| format!("{label}: {text:?} is not {example}; leave it empty for none"))
}

#[cfg(test)]
#[path = "form_test.rs"]
mod tests;
