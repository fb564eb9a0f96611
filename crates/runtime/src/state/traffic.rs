//! The table of what tenants may take beside memory, `default` included, which has no other row.
//!
//! A column without a value is the default of [`TrafficLimits`], so that a default that changes
//! with a release changes for everybody who never asked for another.

use std::collections::HashMap;
use std::time::Duration;

use base::{TenantId, TrafficLimits};
use rusqlite::{Connection, Row, params};

use super::StateError;

const COLUMNS: &str = "tenant, ops_per_second, bytes_in_per_second, bytes_out_per_second, \
     burst_ms, weight, connections, connects_per_second, inflight_bytes, max_delay_ms, \
     hot_keys_ms";

/// The limits of all tenants that have any.
pub(super) fn read(
    connection: &Connection,
) -> Result<HashMap<TenantId, TrafficLimits>, StateError> {
    let mut query = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM traffic"))?;
    let rows = query.query_map([], limits_from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Keeps `limits` in the place of what `tenant` had.
pub(super) fn write(
    connection: &Connection,
    tenant: TenantId,
    limits: &TrafficLimits,
) -> Result<(), StateError> {
    remove(connection, tenant)?;
    let unlimited = TrafficLimits::default();
    if *limits == unlimited {
        return Ok(());
    }
    let sql =
        format!("INSERT INTO traffic ({COLUMNS}) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)");
    connection.execute(
        &sql,
        params![
            tenant.0,
            limits.ops_per_second.map(signed),
            limits.bytes_in_per_second.map(signed),
            limits.bytes_out_per_second.map(signed),
            unless(limits.burst, unlimited.burst).map(millis),
            unless(limits.weight, unlimited.weight),
            limits.connections,
            limits.connects_per_second,
            limits.inflight_bytes.map(signed),
            unless(limits.max_delay, unlimited.max_delay).map(millis),
            limits.hot_keys.map(millis),
        ],
    )?;
    Ok(())
}

/// Forgets what `tenant` had.
pub(super) fn remove(connection: &Connection, tenant: TenantId) -> Result<(), StateError> {
    connection.execute("DELETE FROM traffic WHERE tenant = ?1", [tenant.0])?;
    Ok(())
}

fn limits_from_row(row: &Row<'_>) -> rusqlite::Result<(TenantId, TrafficLimits)> {
    let number = |column: usize| -> rusqlite::Result<Option<u64>> {
        Ok(row.get::<_, Option<i64>>(column)?.map(i64::unsigned_abs))
    };
    let small = |column: usize| -> rusqlite::Result<Option<u32>> {
        Ok(number(column)?.map(|n| u32::try_from(n).unwrap_or(u32::MAX)))
    };
    let unlimited = TrafficLimits::default();
    let limits = TrafficLimits {
        ops_per_second: number(1)?,
        bytes_in_per_second: number(2)?,
        bytes_out_per_second: number(3)?,
        burst: number(4)?.map_or(unlimited.burst, Duration::from_millis),
        weight: small(5)?.unwrap_or(unlimited.weight),
        connections: small(6)?,
        connects_per_second: small(7)?,
        inflight_bytes: number(8)?,
        max_delay: number(9)?.map_or(unlimited.max_delay, Duration::from_millis),
        hot_keys: number(10)?.map(Duration::from_millis),
    };
    Ok((TenantId(row.get(0)?), limits))
}

fn unless<T: PartialEq>(value: T, default: T) -> Option<T> {
    (value != default).then_some(value)
}

/// SQLite's integers are signed; no machine serves 8 EiB a second.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "traffic_test.rs"]
mod tests;
