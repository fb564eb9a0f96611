//! The machine on the page: network, processors, pressure, disks, memory.

use std::time::Duration;

use runtime::observe::exposition::{Exposition, Kind, Value};
use runtime::observe::host::{Direction, Disk, HostSample, Pressure, Protocols, Stall};

/// A part of a name, the help, and where its values come from.
type Family<T, V> = (&'static str, &'static str, fn(&T) -> V);

pub(super) fn write(page: &mut Exposition, host: &HostSample) {
    interfaces(page, host);
    protocols(page, &host.protocols);
    sockets(page, host);
    cpu(page, host);
    pressure(page, &host.pressure);
    disks(page, &host.disks);
    memory(page, host);
}

fn interfaces(page: &mut Exposition, host: &HostSample) {
    let columns: [Family<Direction, u64>; 4] = [
        ("bytes", "Bytes by interface and direction.", |d| d.bytes),
        ("packets", "Packets by interface and direction.", |d| {
            d.packets
        }),
        ("drops", "Packets that found no room.", |d| d.drops),
        ("errors", "Packets that were damaged.", |d| d.errors),
    ];
    for (what, help, value) in columns {
        let name = format!("cofferdam_host_network_{what}_total");
        let mut family = page.family(&name, Kind::Counter, help);
        for interface in &host.interfaces {
            let directions = [
                ("receive", &interface.receive),
                ("transmit", &interface.transmit),
            ];
            for (direction, figures) in directions {
                let labels = [
                    ("interface", interface.name.as_str()),
                    ("direction", direction),
                ];
                family.sample(&labels, value(figures));
            }
        }
    }
}

fn protocols(page: &mut Exposition, protocols: &Protocols) {
    let counters = [
        (
            "udp_no_ports",
            "UDP datagrams that nobody listened for.",
            protocols.udp_no_ports,
        ),
        (
            "udp_receive_errors",
            "UDP datagrams that were damaged or found no room.",
            protocols.udp_receive_errors,
        ),
        (
            "udp_receive_buffer_errors",
            "UDP datagrams that found no room in a receive buffer.",
            protocols.udp_receive_buffer_errors,
        ),
        (
            "udp_send_buffer_errors",
            "UDP datagrams that found no room in a send buffer.",
            protocols.udp_send_buffer_errors,
        ),
        (
            "tcp_passive_opens",
            "TCP connections accepted.",
            protocols.tcp_passive_opens,
        ),
        (
            "tcp_active_opens",
            "TCP connections begun here.",
            protocols.tcp_active_opens,
        ),
        (
            "tcp_attempt_failures",
            "TCP connection attempts that came to nothing.",
            protocols.tcp_attempt_failures,
        ),
        (
            "tcp_established_resets",
            "TCP connections that were reset.",
            protocols.tcp_established_resets,
        ),
        (
            "tcp_segments_received",
            "TCP segments received.",
            protocols.tcp_segments_received,
        ),
        (
            "tcp_segments_sent",
            "TCP segments sent.",
            protocols.tcp_segments_sent,
        ),
        (
            "tcp_retransmitted_segments",
            "TCP segments sent again.",
            protocols.tcp_retransmitted_segments,
        ),
        (
            "tcp_resets_sent",
            "TCP resets sent.",
            protocols.tcp_resets_sent,
        ),
        (
            "tcp_timeouts",
            "TCP connections given up because a peer did not answer.",
            protocols.tcp_timeouts,
        ),
        (
            "tcp_memory_aborts",
            "TCP connections ended for want of memory.",
            protocols.tcp_aborts_on_memory,
        ),
        (
            "listen_overflows",
            "Connections turned away because a listen queue was full, of any listener.",
            protocols.listen_overflows,
        ),
        (
            "listen_drops",
            "Connection attempts dropped at listeners, of any listener, for whatever reason.",
            protocols.listen_drops,
        ),
        (
            "syn_cookies_sent",
            "SYN cookies sent.",
            protocols.syn_cookies_sent,
        ),
        (
            "syn_cookies_received",
            "Connections made from a SYN cookie.",
            protocols.syn_cookies_received,
        ),
        (
            "syn_cookies_failed",
            "SYN cookies received that were none of ours.",
            protocols.syn_cookies_failed,
        ),
        (
            "syn_queue_full_cookies",
            "Times that a full queue of attempts made the kernel send SYN cookies.",
            protocols.request_queue_full_cookies,
        ),
        (
            "syn_queue_full_drops",
            "Attempts dropped because that queue was full.",
            protocols.request_queue_full_drops,
        ),
    ];
    for (what, help, value) in counters {
        if let Some(value) = value {
            let name = format!("cofferdam_host_{what}_total");
            page.single(&name, Kind::Counter, help, value);
        }
    }
}

fn sockets(page: &mut Exposition, host: &HostSample) {
    let sockets = host.sockets;
    let states = [
        ("established", host.protocols.tcp_established),
        ("in_use", sockets.map(|sockets| sockets.in_use)),
        ("orphaned", sockets.map(|sockets| sockets.orphaned)),
        ("time_wait", sockets.map(|sockets| sockets.time_wait)),
    ];
    let help = "TCP sockets of the machine: established, in use by any process, closed by their \
                process and not by the peer yet, waiting out stray packets.";
    let mut family = page.family("cofferdam_host_tcp_sockets", Kind::Gauge, help);
    for (state, count) in states {
        if let Some(count) = count {
            family.sample(&[("state", state)], count);
        }
    }
    if let Some(enabled) = host.syn_cookies_enabled {
        let help = "Whether the kernel answers floods of connection attempts with cookies.";
        page.single(
            "cofferdam_host_syn_cookies_enabled",
            Kind::Gauge,
            help,
            enabled,
        );
    }
}

fn cpu(page: &mut Exposition, host: &HostSample) {
    let Some(cpu) = host.cpu else {
        return;
    };
    let help = "Time of all processors by what they did.";
    let mut family = page.family("cofferdam_host_cpu_seconds_total", Kind::Counter, help);
    for (mode, time) in cpu.modes() {
        family.sample(&[("mode", mode)], time);
    }
    page.single("cofferdam_host_cpus", Kind::Gauge, "Processors.", cpu.count);
}

fn pressure(page: &mut Exposition, pressure: &[(&'static str, Pressure)]) {
    let stalls: [Family<Pressure, Option<Stall>>; 2] = [
        (
            "waiting",
            "Time in which something waited for the resource.",
            |p| Some(p.some),
        ),
        (
            "stalled",
            "Time in which all that could run waited for the resource.",
            |p| p.full,
        ),
    ];
    for (what, help, stall) in stalls {
        let name = format!("cofferdam_host_pressure_{what}_seconds_total");
        let mut family = page.family(&name, Kind::Counter, help);
        for (resource, pressure) in pressure {
            if let Some(stall) = stall(pressure) {
                family.sample(&[("resource", resource)], stall.total);
            }
        }
    }
}

fn disks(page: &mut Exposition, disks: &[Disk]) {
    let by_operation: [Family<Disk, Vec<(&'static str, Value)>>; 3] = [
        ("operations_total", "Operations done.", |disk| {
            let mut values = vec![("read", disk.reads.into()), ("write", disk.writes.into())];
            values.extend(disk.flushes.map(|flushes| ("flush", flushes.into())));
            values
        }),
        ("bytes_total", "Bytes read and written.", |disk| {
            vec![
                ("read", disk.read_bytes.into()),
                ("write", disk.written_bytes.into()),
            ]
        }),
        (
            "operation_seconds_total",
            "Time that operations took, all together; divided by their number it is the latency.",
            |disk| {
                let times = [("read", disk.read_time), ("write", disk.write_time)];
                let times = times
                    .into_iter()
                    .chain(disk.flush_time.map(|time| ("flush", time)));
                times.map(|(name, time)| (name, time.into())).collect()
            },
        ),
    ];
    for (what, help, values) in by_operation {
        let name = format!("cofferdam_host_disk_{what}");
        let mut family = page.family(&name, Kind::Counter, help);
        for disk in disks {
            for (operation, value) in values(disk) {
                family.sample(&[("disk", &disk.name), ("operation", operation)], value);
            }
        }
    }
    let help = "Operations under way.";
    let mut family = page.family("cofferdam_host_disk_depth", Kind::Gauge, help);
    for disk in disks {
        family.sample(&[("disk", &disk.name)], disk.in_flight);
    }
    let times: [Family<Disk, Duration>; 2] = [
        ("busy", "Time with an operation under way.", |disk| {
            disk.busy_time
        }),
        (
            "weighted",
            "Time that operations were under way, all together; its rate is the mean depth.",
            |disk| disk.weighted_time,
        ),
    ];
    for (what, help, time) in times {
        let name = format!("cofferdam_host_disk_{what}_seconds_total");
        let mut family = page.family(&name, Kind::Counter, help);
        for disk in disks {
            family.sample(&[("disk", &disk.name)], time(disk));
        }
    }
}

fn memory(page: &mut Exposition, host: &HostSample) {
    let Some(memory) = host.memory else {
        return;
    };
    let kinds = [
        ("total", memory.total_bytes),
        ("available", memory.available_bytes),
        ("free", memory.free_bytes),
        ("cached", memory.cached_bytes),
        ("dirty", memory.dirty_bytes),
        ("swap_total", memory.swap_total_bytes),
        ("swap_free", memory.swap_free_bytes),
    ];
    let help = "Memory of the machine by kind; the kinds overlap.";
    let mut family = page.family("cofferdam_host_memory_bytes", Kind::Gauge, help);
    for (kind, bytes) in kinds {
        family.sample(&[("kind", kind)], bytes);
    }
}
