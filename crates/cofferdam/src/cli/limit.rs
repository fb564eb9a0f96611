//! The flags of `cofferdam tenant limit`, and how limits are shown.

use std::str::FromStr;
use std::time::Duration;

use base::ByteSize;
use clap::Args;

use super::output;
use crate::config::{Size, Span, Word};
use crate::wire::{LimitChange, TrafficChange, TrafficView};

/// A new limit, or `none` to take it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OrNone<T>(pub(super) Option<T>);

impl<T: Word> FromStr for OrNone<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self(None)),
            _ => match T::read(text) {
                Ok(value) => Ok(Self(Some(value))),
                Err(e) => Err(format!("{e} (or \"none\")")),
            },
        }
    }
}

/// A length of time in whole milliseconds: what is between two of them is refused, and not rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Millis(u64);

impl Word for Millis {
    fn read(text: &str) -> Result<Self, String> {
        let Span(time) = text.parse()?;
        if time.subsec_nanos() % 1_000_000 != 0 {
            return Err(format!(
                "{text:?} is no whole number of milliseconds: write for instance 500ms"
            ));
        }
        Ok(Self(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// What to change; every limit but memory and item size can be `none`.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(crate) struct LimitArgs {
    /// What its cache may hold
    #[arg(long, value_name = "SIZE")]
    memory: Option<Size>,
    /// Its largest value
    #[arg(long, value_name = "SIZE")]
    item_size: Option<Size>,
    /// Requests a second; each key of a multi-get is one
    #[arg(long, value_name = "N")]
    ops: Option<OrNone<u64>>,
    /// Bytes a second that its clients may send
    #[arg(long, value_name = "SIZE")]
    bytes_in: Option<OrNone<Size>>,
    /// Bytes a second that its clients may be sent
    #[arg(long, value_name = "SIZE")]
    bytes_out: Option<OrNone<Size>>,
    /// How much of these rates may be saved up while it is quiet: that of so long [none: 1s]
    #[arg(long, value_name = "TIME")]
    burst: Option<OrNone<Millis>>,
    /// Its share beside the other tenants' while there is not enough for all [none: 100]
    #[arg(long, value_name = "N")]
    weight: Option<OrNone<u64>>,
    /// Connections at once
    #[arg(long, value_name = "N")]
    connections: Option<OrNone<u64>>,
    /// New connections a second
    #[arg(long, value_name = "N")]
    connects_per_second: Option<OrNone<u64>>,
    /// Bytes of its requests and replies on their way, kernel buffers included
    #[arg(long, value_name = "SIZE")]
    inflight_bytes: Option<OrNone<Size>>,
    /// How long a request above a limit waits before it is refused as a miss; less than after what
    /// the clients give up [none: 200]
    #[arg(long, value_name = "N")]
    max_delay_ms: Option<OrNone<u64>>,
    /// At gateways of a fleet: let them answer for its busiest keys out of their own memory, with
    /// what is no older than this, at most 1s
    #[arg(long, value_name = "TIME")]
    hot_keys: Option<OrNone<Millis>>,
}

impl LimitArgs {
    /// What the admin API is asked for.
    pub(super) fn change(&self) -> LimitChange {
        fn bytes(limit: OrNone<Size>) -> Option<u64> {
            limit.0.map(Size::bytes)
        }
        LimitChange {
            memory_bytes: self.memory.map(Size::bytes),
            item_size_bytes: self.item_size.map(Size::bytes),
            traffic: TrafficChange {
                ops_per_second: self.ops.map(|limit| limit.0),
                bytes_in_per_second: self.bytes_in.map(bytes),
                bytes_out_per_second: self.bytes_out.map(bytes),
                burst_ms: self.burst.map(|limit| limit.0.map(|Millis(ms)| ms)),
                weight: self.weight.map(|limit| limit.0),
                connections: self.connections.map(|limit| limit.0),
                connects_per_second: self.connects_per_second.map(|limit| limit.0),
                inflight_bytes: self.inflight_bytes.map(bytes),
                max_delay_ms: self.max_delay_ms.map(|limit| limit.0),
                hot_keys_ms: self.hot_keys.map(|limit| limit.0.map(|Millis(ms)| ms)),
            },
        }
    }
}

/// Names and values for people, each under the name of its flag.
pub(super) fn shown(traffic: &TrafficView) -> [(&'static str, String); 10] {
    let size = |bytes: u64| ByteSize(bytes).to_string();
    let count = |count: u64| count.to_string();
    let small = |limit: Option<u32>| output::limit(limit.map(u64::from), count);
    [
        ("ops/s", output::limit(traffic.ops_per_second, count)),
        (
            "bytes in/s",
            output::limit(traffic.bytes_in_per_second, size),
        ),
        (
            "bytes out/s",
            output::limit(traffic.bytes_out_per_second, size),
        ),
        ("burst", millis(traffic.burst_ms)),
        ("weight", traffic.weight.to_string()),
        ("most connections", small(traffic.connections)),
        ("connects/s", small(traffic.connects_per_second)),
        (
            "inflight bytes",
            output::limit(traffic.inflight_bytes, size),
        ),
        ("max delay", millis(traffic.max_delay_ms)),
        ("hot keys", output::limit(traffic.hot_keys_ms, millis)),
    ]
}

fn millis(value: u64) -> String {
    humantime::format_duration(Duration::from_millis(value)).to_string()
}

#[cfg(test)]
#[path = "limit_test.rs"]
mod tests;
