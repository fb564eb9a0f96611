//! What a tenant may take beside memory, as the admin API takes and tells it.

use base::TrafficLimits;
use serde::{Deserialize, Deserializer, Serialize};

/// New limits: what is not given stays, and `null` takes a limit away.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TrafficChange {
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) ops_per_second: Option<Option<u64>>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) bytes_in_per_second: Option<Option<u64>>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) bytes_out_per_second: Option<Option<u64>>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) burst_ms: Option<Option<u64>>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) weight: Option<Option<u64>>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) connections: Option<Option<u64>>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) connects_per_second: Option<Option<u64>>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) inflight_bytes: Option<Option<u64>>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) max_delay_ms: Option<Option<u64>>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) hot_keys_ms: Option<Option<u64>>,
}

/// Tells `null` from a field that is not there.
pub(super) fn given<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<u64>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// Limits as shown; `null` is none.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct TrafficView {
    pub(crate) ops_per_second: Option<u64>,
    pub(crate) bytes_in_per_second: Option<u64>,
    pub(crate) bytes_out_per_second: Option<u64>,
    pub(crate) burst_ms: u64,
    pub(crate) weight: u32,
    pub(crate) connections: Option<u32>,
    pub(crate) connects_per_second: Option<u32>,
    pub(crate) inflight_bytes: Option<u64>,
    pub(crate) max_delay_ms: u64,
    #[serde(default)]
    pub(crate) hot_keys_ms: Option<u64>,
}

impl From<&TrafficLimits> for TrafficView {
    fn from(limits: &TrafficLimits) -> Self {
        let millis =
            |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            ops_per_second: limits.ops_per_second,
            bytes_in_per_second: limits.bytes_in_per_second,
            bytes_out_per_second: limits.bytes_out_per_second,
            burst_ms: millis(limits.burst),
            weight: limits.weight,
            connections: limits.connections,
            connects_per_second: limits.connects_per_second,
            inflight_bytes: limits.inflight_bytes,
            max_delay_ms: millis(limits.max_delay),
            hot_keys_ms: limits.hot_keys.map(millis),
        }
    }
}
