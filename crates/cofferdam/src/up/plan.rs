//! What the data plane is started with: the configuration, as far as the machine allows it.

use runtime::descriptors;
use runtime::net::Limits;

use crate::config::{Auto, Config, Span};
use crate::failure::Failure;
use crate::plane::PlaneConfig;
use crate::{machine, tls};
use base::ByteSize;

/// Descriptors that listeners, state, admin API and logs may need beside the connections.
const DESCRIPTORS_FOR_OTHERS: u32 = 64;

/// Descriptors kept for those on their way in, so that a full server can tell whose they are.
const RESERVE_MIN: u32 = 16;

/// From one source at the door, however small the door is: a program's pool.
const PER_SOURCE_MIN: u32 = 16;

/// Chooses what the configuration leaves open, within `descriptors_max` open files.
pub(super) fn plane_config(
    config: &Config,
    descriptors_max: Option<u64>,
    protections: bool,
) -> PlaneConfig {
    let threads = match config.threads {
        Auto::Is(count) => count,
        Auto::Auto => machine::cores(),
    };
    PlaneConfig {
        memcache: config.listen.memcache.value().map(|addr| addr.0),
        memcache_auth: config.listen.memcache_auth.0,
        memcache_tls: config.listen.memcache_tls.value().map(|addr| addr.0),
        unix: config.listen.unix.clone(),
        unix_mode: config.listen.unix_mode.0,
        proxy_protocol_from: config
            .listen
            .proxy_protocol_from
            .iter()
            .map(|network| network.0)
            .collect(),
        tls: tls::files(config),
        tls_listeners: config.tls.listeners.clone(),
        threads,
        limits: limits(config, descriptors_max, protections),
    }
}

fn limits(config: &Config, descriptors_max: Option<u64>, protections: bool) -> Limits {
    let limits = &config.limits;
    let asked = chosen(limits.max_connections, machine::default_connections_max());
    let connections_max = connections_that_fit(asked, descriptors_max);
    let at_door = chosen(limits.max_unauthenticated, (connections_max / 2).max(1));
    let reserve = descriptors_left(connections_max, descriptors_max).min(at_door);
    let per_source = (at_door / 4).max(PER_SOURCE_MIN);
    Limits {
        protections,
        connections_max: connections_max as usize,
        connections_reserve: reserve.max(RESERVE_MIN) as usize,
        auth_timeout: limits.auth_timeout.0,
        unauthenticated_max: at_door as usize,
        unauthenticated_per_source_max: chosen(limits.max_unauthenticated_per_source, per_source)
            as usize,
        connects_per_second_per_source_max: limits.max_connects_per_second_per_source.value(),
        door_memory_bytes: usize::try_from(limits.door_memory.bytes()).unwrap_or(usize::MAX),
        stalled_reader_timeout: limits.stalled_reader_timeout.0,
        stalled_writer_timeout: limits.stalled_writer_timeout.0,
        idle_timeout: limits.idle_timeout.value().map(|Span(time)| time),
        user_timeout: limits.user_timeout.value().map(|Span(time)| time),
        inflight_bytes_max: limits.inflight_bytes.bytes(),
        send_buffer_bytes: match limits.send_buffer {
            Auto::Is(size) => usize::try_from(size.bytes()).ok(),
            Auto::Auto => None,
        },
    }
}

fn chosen(key: Auto<u32>, unsaid: u32) -> u32 {
    match key {
        Auto::Is(count) => count,
        Auto::Auto => unsaid,
    }
}

/// Has the kernel make room for all connections at once, and says how many there can be.
pub(super) fn make_room_for_connections(
    limits: &Limits,
    descriptors_max: Option<u64>,
) -> Result<(), Failure> {
    let least = DESCRIPTORS_FOR_OTHERS + RESERVE_MIN + 1;
    if let Some(limit) = descriptors_max.filter(|limit| *limit < u64::from(least)) {
        return Err(Failure::new(format!(
            "only {limit} files may be open (ulimit -Hn), and {least} is the least to serve with: \
             raise it (LimitNOFILE= of the service)"
        )));
    }
    let (connections_max, reserve) = (limits.connections_max, limits.connections_reserve);
    let wanted = u32::try_from(connections_max + reserve).unwrap_or(u32::MAX);
    descriptors::grow_table(wanted.saturating_add(DESCRIPTORS_FOR_OTHERS))?;
    tracing::info!(connections_max, reserve, "room for connections");
    Ok(())
}

/// As many connections as were asked for, or as the limit on open files leaves room for.
fn connections_that_fit(asked: u32, descriptors_max: Option<u64>) -> u32 {
    let limit = descriptors_max.map_or(u32::MAX, |limit| u32::try_from(limit).unwrap_or(u32::MAX));
    let fit = descriptors_left(RESERVE_MIN, descriptors_max).max(1);
    if asked > fit {
        tracing::warn!(
            asked,
            connections_max = fit,
            descriptors_max = limit,
            "the limit on open files allows fewer connections: raise it (ulimit -Hn, or \
             LimitNOFILE= of the service), or lower --max-connections"
        );
    }
    asked.min(fit)
}

/// What the limit on open files leaves beside so many connections.
fn descriptors_left(connections: u32, descriptors_max: Option<u64>) -> u32 {
    let limit = descriptors_max.map_or(u32::MAX, |limit| u32::try_from(limit).unwrap_or(u32::MAX));
    limit
        .saturating_sub(DESCRIPTORS_FOR_OTHERS)
        .saturating_sub(connections)
}

/// Memory that is not there is noticed only when it is used, and then by the kernel's killer.
pub(super) fn warn_of_too_much_memory(config: &Config) {
    let memory_bytes = config.memory_bytes();
    if let Some(usable) = machine::usable_memory_bytes()
        && memory_bytes > usable
    {
        tracing::warn!(
            memory = %ByteSize(memory_bytes),
            usable = %ByteSize(usable),
            "--memory is more than this machine or control group has: lower it"
        );
    }
}

#[cfg(test)]
#[path = "plan_test.rs"]
mod tests;
