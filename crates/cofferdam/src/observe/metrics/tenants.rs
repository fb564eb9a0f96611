//! Tenants on the page: a family for each figure, a line for each tenant that has a label.

use std::time::Duration;

use gateway::Delays;
use runtime::observe::exposition::{Exposition, Kind, Value};

use super::columns::{COLUMNS, Column};
use super::rows::{Row, TenantRows};
use crate::observe::reading::TenantReading;

/// Bounds of the histogram, in powers of two of a nanosecond.
const FIRST_BOUND_LOG2: u32 = 14;
const LAST_BOUND_LOG2: u32 = 34;

pub(super) fn write(page: &mut Exposition, rows: &mut TenantRows, tenants: &[TenantReading]) {
    let table = rows.table(tenants);
    delays(page, &table);
    let mut first = 0;
    while let Some(column) = COLUMNS.get(first) {
        let same = |other: &&Column| other.name == column.name;
        let count = COLUMNS.iter().skip(first).take_while(same).count();
        write_family(page, first, count, &table);
        first += count;
    }
}

/// The family of `count` columns from the `first` on.
fn write_family(page: &mut Exposition, first: usize, count: usize, table: &[Row]) {
    let columns = COLUMNS.get(first..first + count).unwrap_or_default();
    let Some(column) = columns.first() else {
        return;
    };
    let name = format!("cofferdam_tenant_{}", column.name);
    let mut family = page.family(&name, column.kind, column.help);
    for row in table {
        for (column, value) in columns.iter().zip(row.values.iter().skip(first)) {
            let labels = [("tenant", &*row.label)].into_iter().chain(column.label);
            let labels: Vec<(&str, &str)> = labels.collect();
            family.sample(&labels, value_of(column, *value));
        }
    }
}

/// How long requests waited.
fn delays(page: &mut Exposition, table: &[Row]) {
    let mut family = page.family(
        "cofferdam_tenant_delay_seconds",
        Kind::Histogram,
        "How long requests waited from being there to being answered.",
    );
    for row in table {
        let (buckets, beyond) = coarse(&row.delays);
        let sum_s = row.delays.sum_ns() as f64 / 1e9;
        family.histogram(&[("tenant", &row.label)], buckets, beyond, sum_s);
    }
}

/// Bounds of powers of two of a nanosecond, from some 16 µs to 17 s, with the requests between each
/// and the one before, and the requests beyond the last.
fn coarse(delays: &Delays) -> (Vec<(f64, u64)>, u64) {
    let bounds = (FIRST_BOUND_LOG2..=LAST_BOUND_LOG2).map(|log2| 1u64 << log2);
    let mut buckets: Vec<(u64, u64)> = bounds.map(|bound| (bound, 0)).collect();
    let mut beyond = 0u64;
    for (end, count) in delays.buckets() {
        match buckets.iter_mut().find(|(bound, _)| end <= *bound) {
            Some((_, sum)) => *sum = sum.saturating_add(count),
            None => beyond = beyond.saturating_add(count),
        }
    }
    let seconds = |(bound, count)| (Duration::from_nanos(bound).as_secs_f64(), count);
    (buckets.into_iter().map(seconds).collect(), beyond)
}

fn value_of(column: &Column, value: u64) -> Value {
    match column.is_time() {
        true => Duration::from_nanos(value).into(),
        false => value.into(),
    }
}
