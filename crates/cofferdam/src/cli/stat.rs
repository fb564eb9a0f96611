//! `cofferdam stat`: live figures, once or every second.

use std::io::{self, IsTerminal};
use std::sync::mpsc;
use std::time::Duration;

use runtime::http::Method;

use super::access::{Access, segment};
use super::args::StatArgs;
use super::global::Global;
use super::output::{self, pairs, size, table};
use crate::failure::Failure;
use crate::wire::{DelayFigures, Stat, TenantStat};

const PERIOD: Duration = Duration::from_secs(1);
/// Cursor to the upper left corner, then everything below it cleared (ECMA-48).
const CLEAR: &str = "\x1b[H\x1b[J";

pub(crate) fn run(global: &Global, args: &StatArgs) -> Result<(), Failure> {
    let access = Access::daemon(global)?;
    let path = match &args.tenant {
        Some(tenant) => format!("/v1/stat?tenant={}", segment(tenant)),
        None => "/v1/stat".to_owned(),
    };
    let mut before: Option<Stat> = None;
    loop {
        let stat: Stat = access.ask(Method::GET, &path, None::<&()>)?;
        if global.json {
            output::json(&stat)?;
        } else {
            let clear = if args.watch && io::stdout().is_terminal() {
                CLEAR
            } else {
                ""
            };
            output::text(&format!("{clear}{}", render(&stat, before.as_ref(), args)))?;
        }
        if !args.watch {
            return Ok(());
        }
        before = Some(stat);
        pause();
    }
}

/// A second, which nothing but the end of the process cuts short.
fn pause() {
    let (_keep, never) = mpsc::channel::<()>();
    // It always times out: the other end is kept.
    let _ = never.recv_timeout(PERIOD);
}

/// The figures as text; with the ones of a second before, rates instead of sums.
fn render(stat: &Stat, before: Option<&Stat>, args: &StatArgs) -> String {
    match (&args.tenant, stat.tenants.as_slice()) {
        (Some(_), [tenant]) => detail(tenant),
        _ => overview(stat, before),
    }
}

fn overview(stat: &Stat, before: Option<&Stat>) -> String {
    let memory = &stat.memory;
    let connections = &stat.connections;
    let head = pairs(&[
        (
            "cofferdam",
            format!(
                "{}, process {}, up {}",
                stat.version,
                stat.pid,
                uptime(stat.uptime_s)
            ),
        ),
        (
            "memory",
            format!(
                "{} held of {}, {} sold",
                size(memory.held_bytes),
                size(memory.bytes),
                size(memory.sold_bytes)
            ),
        ),
        (
            "connections",
            format!(
                "{} of {}, {} not authenticated yet; {} refused since the start",
                connections.open, connections.max, connections.unauthenticated, connections.refused
            ),
        ),
    ]);
    let rates = before.is_some();
    let rows: Vec<Vec<String>> = stat
        .tenants
        .iter()
        .map(|tenant| row(tenant, before.map(|stat| same_tenant(stat, tenant))))
        .collect();
    let (gets, sets, evictions, refused) = match rates {
        true => ("GETS/S", "SETS/S", "EVICTIONS/S", "REFUSED/S"),
        false => ("GETS", "SETS", "EVICTIONS", "REFUSED"),
    };
    let header = [
        "TENANT",
        "MEMORY",
        "USED",
        "ITEMS",
        "CONNECTIONS",
        gets,
        "HITS",
        sets,
        evictions,
        refused,
    ];
    format!("{head}\n{}", table(&header, &rows))
}

/// What the tenant had a second before; one that is new since had nothing.
fn same_tenant<'a>(before: &'a Stat, tenant: &TenantStat) -> Option<&'a TenantStat> {
    before
        .tenants
        .iter()
        .find(|old| old.tenant == tenant.tenant)
}

fn row(tenant: &TenantStat, before: Option<Option<&TenantStat>>) -> Vec<String> {
    let since = |figure: fn(&TenantStat) -> u64| {
        let old = before.flatten().map_or(0, figure);
        figure(tenant).saturating_sub(old)
    };
    let gets = since(|t| t.cache.cmd_get);
    let hits = since(|t| t.cache.get_hits);
    vec![
        tenant.tenant.clone(),
        size(tenant.memory_bytes),
        size(tenant.cache.held_bytes),
        tenant.cache.curr_items.to_string(),
        tenant.clients.connections.to_string(),
        gets.to_string(),
        percent(hits, gets),
        since(|t| t.cache.cmd_set).to_string(),
        since(|t| t.cache.evictions).to_string(),
        since(|t| {
            t.clients
                .reads_refused
                .saturating_add(t.clients.writes_refused)
        })
        .to_string(),
    ]
}

fn detail(tenant: &TenantStat) -> String {
    let mut all = memory_and_requests(tenant);
    all.extend(connections_and_limits(tenant));
    pairs(&all)
}

/// What its cache holds and was asked.
fn memory_and_requests(tenant: &TenantStat) -> Vec<(&'static str, String)> {
    let cache = &tenant.cache;
    vec![
        ("tenant", tenant.tenant.clone()),
        (
            "memory",
            format!(
                "{} used of {}",
                size(cache.held_bytes),
                size(tenant.memory_bytes)
            ),
        ),
        ("item size", size(tenant.item_size_bytes.into())),
        (
            "items",
            format!(
                "{} now, {} stored in all",
                cache.curr_items, cache.total_items
            ),
        ),
        (
            "gets",
            format!(
                "{}, {} hits",
                cache.cmd_get,
                percent(cache.get_hits, cache.cmd_get)
            ),
        ),
        ("sets", cache.cmd_set.to_string()),
        (
            "evictions",
            format!(
                "{}, {} of them never read",
                cache.evictions, cache.evicted_unfetched
            ),
        ),
        ("expired", cache.reclaimed.to_string()),
        ("flushes", cache.cmd_flush.to_string()),
        ("too large", cache.store_too_large.to_string()),
        ("no memory", cache.store_no_memory.to_string()),
    ]
}

/// What its clients do, and what its limits and its fair share made of that.
fn connections_and_limits(tenant: &TenantStat) -> Vec<(&'static str, String)> {
    let clients = &tenant.clients;
    vec![
        (
            "connections",
            format!(
                "{} now, {} in all",
                clients.connections, clients.connections_total
            ),
        ),
        ("read", size(clients.bytes_read)),
        ("written", size(clients.bytes_written)),
        (
            "shed",
            format!("{} connections that had to leave a full door", clients.shed),
        ),
        (
            "logins",
            format!(
                "{}, {} with a wrong password",
                clients.auth_attempts, clients.auth_failures
            ),
        ),
        ("delay", delay(&tenant.delay)),
        (
            "paused",
            format!(
                "{} times, {} in all",
                clients.pauses,
                milliseconds(clients.paused_ns)
            ),
        ),
        (
            "refused",
            format!(
                "{} reads, {} writes",
                clients.reads_refused, clients.writes_refused
            ),
        ),
        (
            "connects",
            format!(
                "{} delayed, {} of them refused; {} turned away, {} given up for others; {} \
                 connections asked nothing",
                clients.connects_delayed,
                clients.connects_refused,
                clients.turned_away,
                clients.displaced,
                clients.connections_unused
            ),
        ),
        ("inflight", size(clients.inflight_bytes)),
        ("served for", milliseconds(clients.busy_ns)),
    ]
}

/// From being there to being answered.
fn delay(delay: &DelayFigures) -> String {
    match (delay.p50_us, delay.p99_us) {
        (Some(p50), Some(p99)) => format!(
            "half within {:.2} ms, 99 of 100 within {:.2} ms",
            p50 as f64 / 1000.0,
            p99 as f64 / 1000.0
        ),
        _ => "-".to_owned(),
    }
}

fn milliseconds(nanos: u64) -> String {
    humantime::format_duration(Duration::from_millis(nanos / 1_000_000)).to_string()
}

fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    format!("{:.1}%", part as f64 / whole as f64 * 100.0)
}

fn uptime(seconds: u64) -> String {
    humantime::format_duration(Duration::from_secs(seconds)).to_string()
}

#[cfg(test)]
#[path = "stat_test.rs"]
mod tests;
