//! This process on the page: build, processor, memory, descriptors, loops, listeners.

use gateway::{ApproachFailure, DoorFigures};
use runtime::observe::exposition::{Exposition, Kind};
use runtime::observe::host::Process;
use runtime::observe::sock_diag::TcpState;

use super::Sources;
use crate::observe::snapshot::Listener;

pub(super) fn write(page: &mut Exposition, sources: &Sources<'_>) {
    itself(page, &sources.snapshot.host.process, sources.started_s);
    connections(page, sources);
    listeners(page, sources);
    observer(page, sources);
}

/// The build, and the figures that every process exports under these names.
pub(super) fn itself(page: &mut Exposition, process: &Process, started_s: f64) {
    let version = env!("CARGO_PKG_VERSION");
    page.family(
        "cofferdam_build_info",
        Kind::Gauge,
        "Always 1; the label tells the version.",
    )
    .sample(&[("version", version)], 1);
    page.single(
        "process_start_time_seconds",
        Kind::Gauge,
        "When the process began to serve, in seconds since the Unix epoch.",
        started_s,
    );
    if let (Some(user), Some(system)) = (process.user, process.system) {
        let help = "Processor time in the process's own code and in the kernel on its behalf.";
        page.single(
            "process_cpu_seconds_total",
            Kind::Counter,
            help,
            user + system,
        );
    }
    let gauges = [
        (
            "process_resident_memory_bytes",
            "Memory in use.",
            process.resident_bytes,
        ),
        (
            "process_virtual_memory_bytes",
            "Addresses in use.",
            process.virtual_bytes,
        ),
        ("process_open_fds", "Descriptors open.", process.descriptors),
        (
            "process_max_fds",
            "Descriptors that may be open.",
            process.descriptors_max,
        ),
        ("process_threads", "Threads.", process.threads),
    ];
    for (name, help, value) in gauges {
        if let Some(value) = value {
            page.single(name, Kind::Gauge, help, value);
        }
    }
}

fn connections(page: &mut Exposition, sources: &Sources<'_>) {
    let totals = sources.reading.totals;
    let gauges = [
        (
            "cofferdam_connections",
            "Client connections open, those at the door included.",
            totals.connections,
        ),
        (
            "cofferdam_connections_max",
            "Client connections that may be open.",
            totals.connections_max,
        ),
        (
            "cofferdam_connections_at_door",
            "Connections that have not authenticated yet.",
            totals.at_door,
        ),
    ];
    for (name, help, value) in gauges {
        page.single(name, Kind::Gauge, help, value);
    }
    page.single(
        "cofferdam_connections_refused_total",
        Kind::Counter,
        "Connections turned away, or shed at the door, for want of a place.",
        totals.refused,
    );
    door(page, &totals.door);
    let mut family = page.family(
        "cofferdam_loop_turn_age_seconds",
        Kind::Gauge,
        "How long ago each event loop turned; one that works does so ten times a second.",
    );
    for (index, age) in sources.reading.loop_ages.iter().enumerate() {
        family.sample(&[("loop", &index.to_string())], *age);
    }
}

fn door(page: &mut Exposition, door: &DoorFigures) {
    let counters = [
        (
            "cofferdam_door_arrivals_total",
            "Connections that came to the door, where one stands until it has authenticated.",
            door.arrivals,
        ),
        (
            "cofferdam_door_behind_total",
            "Of these, connections that waited behind all others, as their source opened them too \
             fast.",
            door.behind,
        ),
        (
            "cofferdam_door_timeouts_total",
            "Connections that did not authenticate in time.",
            door.timed_out,
        ),
    ];
    for (name, help, value) in counters {
        page.single(name, Kind::Counter, help, value);
    }
    let help = "Connections that had to leave the door: too many of one source, all places taken, \
                more sent than there is memory for, too many TLS handshakes.";
    let mut family = page.family("cofferdam_door_shed_total", Kind::Counter, help);
    for (cause, count) in [
        ("source", door.shed_for_source),
        ("full", door.shed_when_full),
        ("memory", door.shed_for_memory),
        ("handshakes", door.shed_handshakes),
    ] {
        family.sample(&[("cause", cause)], count);
    }
    let help = "Connections that ended on their way to the door: no PROXY header from a balancer; or \
                a TLS handshake that the client left, took too long for, had no version or certificate \
                for, refused, or never began.";
    let mut family = page.family("cofferdam_connections_failed_total", Kind::Counter, help);
    for (cause, count) in ApproachFailure::ALL.iter().zip(door.failed) {
        family.sample(&[("cause", cause.name())], count);
    }
    let help = "Memory for what connections at the door have sent.";
    page.single(
        "cofferdam_door_memory_bytes",
        Kind::Gauge,
        help,
        door.memory_bytes,
    );
}

fn listeners(page: &mut Exposition, sources: &Sources<'_>) {
    let listeners = &sources.snapshot.listeners;
    let mut family = page.family(
        "cofferdam_listener_connections",
        Kind::Gauge,
        "TCP connections of each listener by state, as the kernel tells.",
    );
    for listener in listeners {
        let counts = TcpState::ALL.iter().zip(listener.states.iter().flatten());
        for (state, count) in counts.filter(|(state, _)| **state != TcpState::Listen) {
            let labels = [("listener", listener.name), ("state", state.name())];
            family.sample(&labels, *count);
        }
    }
    let mut family = page.family(
        "cofferdam_listener_close_wait_oldest_seconds",
        Kind::Gauge,
        "Age of the oldest connection that its client closed and we did not.",
    );
    for listener in listeners
        .iter()
        .filter(|listener| listener.states.is_some())
    {
        let age = listener.close_wait_oldest.unwrap_or_default();
        family.sample(&[("listener", listener.name)], age);
    }
    let mut gauge = |name: &str, help: &str, value: fn(&Listener) -> Option<u64>| {
        let mut family = page.family(name, Kind::Gauge, help);
        for listener in listeners {
            if let Some(value) = value(listener) {
                family.sample(&[("listener", listener.name)], value);
            }
        }
    };
    gauge(
        "cofferdam_listener_queue",
        "Connections that wait to be accepted.",
        |listener| Some(listener.queue?.depth.into()),
    );
    gauge(
        "cofferdam_listener_queue_peak",
        "The most connections that waited to be accepted at any of ten looks a second over the \
         last minute.",
        |listener| listener.queue.map(|_| listener.depth_peak.into()),
    );
    gauge(
        "cofferdam_listener_queue_limit",
        "Connections that may wait to be accepted.",
        |listener| Some(listener.queue?.limit.into()),
    );
    let mut family = page.family(
        "cofferdam_listener_drops_total",
        Kind::Counter,
        "Connection attempts that the kernel dropped at the listener.",
    );
    for listener in listeners {
        if let Some(queue) = listener.queue {
            family.sample(&[("listener", listener.name)], queue.drops);
        }
    }
}

/// Whether these figures can be trusted themselves.
fn observer(page: &mut Exposition, sources: &Sources<'_>) {
    let snapshot = sources.snapshot;
    page.single(
        "cofferdam_sample_age_seconds",
        Kind::Gauge,
        "Age of the figures of host and listeners, which are taken once a second.",
        sources.reading.at.since(snapshot.at),
    );
    page.single(
        "cofferdam_sample_duration_seconds",
        Kind::Gauge,
        "How long it took to take them, pauses in which others ran included.",
        snapshot.took,
    );
}
