//! What a Cofferdam says of its tenants: how long their requests waited, and everything else.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// How long requests waited at the server, counted since its start: how many, by the upper end of
/// their bucket in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delays(BTreeMap<u64, u64>);

impl Delays {
    /// Of all tenants but `except`, from what `stat --json` tells; empty where it tells nothing.
    pub(crate) fn of(stat: &Value, except: &str) -> Self {
        let mut sum = BTreeMap::new();
        let tenants = stat["tenants"].as_array().into_iter().flatten();
        for tenant in tenants.filter(|it| it["tenant"] != except) {
            for bucket in tenant["delay"]["buckets"].as_array().into_iter().flatten() {
                let figure = |name: &str| bucket[name].as_u64().unwrap_or(0);
                *sum.entry(figure("up_to_ns")).or_insert(0) += figure("requests");
            }
        }
        Self(sum)
    }

    /// What 99 % of the requests since `earlier` waited at the most, in milliseconds.
    pub(crate) fn p99_ms_since(&self, earlier: &Self) -> f64 {
        let before = |end: &u64| earlier.0.get(end).copied().unwrap_or(0);
        let new: Vec<(u64, u64)> = self
            .0
            .iter()
            .map(|(end, count)| (*end, count.saturating_sub(before(end))))
            .collect();
        let all: u64 = new.iter().map(|(_, count)| count).sum();
        let rank = (all as f64 * 0.99).ceil();
        let mut below = 0;
        let found = new.iter().find(|(_, count)| {
            below += count;
            all > 0 && below as f64 >= rank
        });
        found.map_or(0.0, |(end, _)| *end as f64 / 1e6)
    }
}

/// Time spent serving all tenants but `except` since the start; `None` where it is not told.
pub(crate) fn busy_ns(stat: &Value, except: &str) -> Option<u64> {
    let tenants = stat["tenants"].as_array()?;
    let others = tenants.iter().filter(|it| it["tenant"] != except);
    others.map(|it| it["clients"]["busy_ns"].as_u64()).sum()
}

/// What `stat --json` tells of each tenant's clients, by tenant.
pub(crate) fn clients(stat: &Value) -> Value {
    let Some(tenants) = stat["tenants"].as_array() else {
        return Value::Null;
    };
    let named = tenants.iter().filter_map(|tenant| {
        let name = tenant["tenant"].as_str()?;
        Some((name.to_owned(), tenant["clients"].clone()))
    });
    Value::Object(named.collect::<Map<String, Value>>())
}

#[cfg(test)]
#[path = "server_view_test.rs"]
mod tests;
