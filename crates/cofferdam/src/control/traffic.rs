//! Bounds of what tenants may take beside memory, and what a change makes of it.

use std::time::Duration;

use base::{ByteSize, TrafficLimits};
use gateway::remote::HOT_AGE_MAX;

use super::ControlError;
use crate::wire::TrafficChange;

/// One limit: how it is called, and what it may be.
struct Bound {
    key: &'static str,
    flag: &'static str,
    min: u64,
    max: u64,
    show: fn(u64) -> String,
}

const OPS: Bound = Bound {
    key: "ops_per_second",
    flag: "--ops",
    min: 1,
    max: 1_000_000_000,
    show: count,
};
/// Less a second than one packet is no rate but a wall.
const RATE_MIN: u64 = 1 << 10;
const RATE_MAX: u64 = 1 << 40;
const BYTES_IN: Bound = Bound {
    key: "bytes_in_per_second",
    flag: "--bytes-in",
    min: RATE_MIN,
    max: RATE_MAX,
    show: size,
};
const BYTES_OUT: Bound = Bound {
    key: "bytes_out_per_second",
    flag: "--bytes-out",
    ..BYTES_IN
};
const BURST: Bound = Bound {
    key: "burst_ms",
    flag: "--burst",
    min: 1,
    max: 60_000,
    show: millis,
};
const WEIGHT: Bound = Bound {
    key: "weight",
    flag: "--weight",
    min: 1,
    max: TrafficLimits::WEIGHT_MAX as u64,
    show: count,
};
const CONNECTIONS: Bound = Bound {
    key: "connections",
    flag: "--connections",
    min: 1,
    max: 10_000_000,
    show: count,
};
const CONNECTS: Bound = Bound {
    key: "connects_per_second",
    flag: "--connects-per-second",
    min: 1,
    max: 1_000_000,
    show: count,
};
/// One reply of a usual size and the buffer that it leaves through.
const INFLIGHT: Bound = Bound {
    key: "inflight_bytes",
    flag: "--inflight-bytes",
    min: 64 << 10,
    max: 1 << 40,
    show: size,
};
const MAX_DELAY: Bound = Bound {
    key: "max_delay_ms",
    flag: "--max-delay-ms",
    min: 0,
    max: 10_000,
    show: count,
};

const HOT_KEYS: Bound = Bound {
    key: "hot_keys_ms",
    flag: "--hot-keys",
    min: 1,
    max: HOT_AGE_MAX.as_millis() as u64,
    show: millis,
};

/// What `tenant` may take once `change` is made to `limits`.
pub(super) fn changed(
    tenant: &str,
    mut limits: TrafficLimits,
    change: &TrafficChange,
) -> Result<TrafficLimits, ControlError> {
    let unlimited = TrafficLimits::default();
    if let Some(asked) = change.ops_per_second {
        limits.ops_per_second = OPS.check(tenant, asked)?;
    }
    if let Some(asked) = change.bytes_in_per_second {
        limits.bytes_in_per_second = BYTES_IN.check(tenant, asked)?;
    }
    if let Some(asked) = change.bytes_out_per_second {
        limits.bytes_out_per_second = BYTES_OUT.check(tenant, asked)?;
    }
    if let Some(asked) = change.burst_ms {
        let burst = BURST.check(tenant, asked)?.map(Duration::from_millis);
        limits.burst = burst.unwrap_or(unlimited.burst);
    }
    if let Some(asked) = change.weight {
        limits.weight = WEIGHT.check_u32(tenant, asked)?.unwrap_or(unlimited.weight);
    }
    if let Some(asked) = change.connections {
        limits.connections = CONNECTIONS.check_u32(tenant, asked)?;
    }
    if let Some(asked) = change.connects_per_second {
        limits.connects_per_second = CONNECTS.check_u32(tenant, asked)?;
    }
    if let Some(asked) = change.inflight_bytes {
        limits.inflight_bytes = INFLIGHT.check(tenant, asked)?;
    }
    if let Some(asked) = change.max_delay_ms {
        let delay = MAX_DELAY.check(tenant, asked)?.map(Duration::from_millis);
        limits.max_delay = delay.unwrap_or(unlimited.max_delay);
    }
    if let Some(asked) = change.hot_keys_ms {
        limits.hot_keys = HOT_KEYS.check(tenant, asked)?.map(Duration::from_millis);
    }
    Ok(limits)
}

/// What is set of `limits`, for the log: each under the name of its key.
pub(super) fn in_words(limits: &TrafficLimits) -> String {
    let unlimited = TrafficLimits::default();
    let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let differs = |value: u64, unsaid: u64| (value != unsaid).then_some(value);
    let all = [
        (&OPS, limits.ops_per_second),
        (&BYTES_IN, limits.bytes_in_per_second),
        (&BYTES_OUT, limits.bytes_out_per_second),
        (&BURST, differs(ms(limits.burst), ms(unlimited.burst))),
        (
            &WEIGHT,
            differs(limits.weight.into(), unlimited.weight.into()),
        ),
        (&CONNECTIONS, limits.connections.map(u64::from)),
        (&CONNECTS, limits.connects_per_second.map(u64::from)),
        (&INFLIGHT, limits.inflight_bytes),
        (
            &MAX_DELAY,
            differs(ms(limits.max_delay), ms(unlimited.max_delay)),
        ),
        (&HOT_KEYS, limits.hot_keys.map(ms)),
    ];
    let set = all.into_iter().filter_map(|(bound, value)| {
        let value = (bound.show)(value?);
        Some(format!("{} {value}", bound.key))
    });
    let words: Vec<String> = set.collect();
    match words.is_empty() {
        true => "none".to_owned(),
        false => words.join(", "),
    }
}

impl Bound {
    /// `asked` if it is within bounds; none always is.
    fn check(&self, tenant: &str, asked: Option<u64>) -> Result<Option<u64>, ControlError> {
        match asked {
            Some(value) if !(self.min..=self.max).contains(&value) => {
                Err(ControlError::Invalid(format!(
                    "{} of tenant {tenant:?} cannot be {}: give {} {} to {}, or none",
                    self.key,
                    (self.show)(value),
                    self.flag,
                    (self.show)(self.min),
                    (self.show)(self.max),
                )))
            }
            _ => Ok(asked),
        }
    }

    fn check_u32(&self, tenant: &str, asked: Option<u64>) -> Result<Option<u32>, ControlError> {
        let value = self.check(tenant, asked)?;
        // The bounds of what is kept in 32 bits are within them.
        Ok(value.map(|value| u32::try_from(value).unwrap_or(u32::MAX)))
    }
}

fn count(value: u64) -> String {
    value.to_string()
}

fn size(bytes: u64) -> String {
    ByteSize(bytes).to_string()
}

fn millis(value: u64) -> String {
    humantime::format_duration(Duration::from_millis(value)).to_string()
}

#[cfg(test)]
#[path = "traffic_test.rs"]
mod tests;
