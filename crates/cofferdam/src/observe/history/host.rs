//! The machine: processors, pressure, memory, network, disks, and our listeners in the kernel.

use std::time::Duration;

use runtime::observe::host::{Disk, HostSample, Interface, Pressure};
use runtime::observe::sock_diag::TcpState;

use super::figures::Figures;
use crate::observe::snapshot::{Listener, Snapshot};

/// Interfaces and disks beyond so many are left out; each takes places of the history.
const DEVICES_MAX: usize = 12;
/// The machine's way to itself, which no uplink carries.
const LOOPBACK: &str = "lo";

/// A part of a name and the count that it is the growth of.
type Column<T> = (&'static str, fn(&T) -> u64);

pub(super) fn add(figures: &mut Figures, before: &Snapshot, now: &Snapshot) {
    processors(figures, &before.host, &now.host);
    pressure(figures, &before.host.pressure, &now.host.pressure);
    memory(figures, &now.host);
    network(figures, &before.host.interfaces, &now.host.interfaces);
    disks(figures, &before.host.disks, &now.host.disks);
    protocols(figures, &before.host, &now.host);
    process(figures, &before.host, &now.host);
    for listener in &now.listeners {
        let same = before
            .listeners
            .iter()
            .find(|old| old.name == listener.name);
        add_listener(figures, same, listener);
    }
}

/// Shares of all processors together.
fn processors(figures: &mut Figures, before: &HostSample, now: &HostSample) {
    let (Some(before), Some(now)) = (before.cpu, now.cpu) else {
        return;
    };
    let passed = now.total().saturating_sub(before.total()).as_secs_f64();
    let modes = before.modes().into_iter().zip(now.modes());
    for ((mode, before), (_, now)) in modes {
        let time = now.saturating_sub(before).as_secs_f64();
        let share = (passed > 0.0).then(|| time / passed);
        figures.gauge(format!("host/cpu/{mode}"), share);
    }
    figures.gauge("host/cpus", Some(now.count as f64));
}

fn pressure(
    figures: &mut Figures,
    before: &[(&'static str, Pressure)],
    now: &[(&'static str, Pressure)],
) {
    for (name, pressure) in now {
        let Some((_, old)) = before.iter().find(|(other, _)| other == name) else {
            continue;
        };
        let waiting = format!("host/pressure/{name}/waiting");
        figures.share(waiting, old.some.total, pressure.some.total);
        if let (Some(old), Some(full)) = (old.full, pressure.full) {
            figures.share(
                format!("host/pressure/{name}/stalled"),
                old.total,
                full.total,
            );
        }
    }
}

fn memory(figures: &mut Figures, now: &HostSample) {
    let bytes = |value: Option<u64>| value.map(|bytes| bytes as f64);
    let memory = now.memory;
    figures.gauge(
        "host/memory/total_bytes",
        bytes(memory.map(|m| m.total_bytes)),
    );
    let available = memory.map(|m| m.available_bytes);
    figures.gauge("host/memory/available_bytes", bytes(available));
    figures.gauge(
        "host/memory/dirty_bytes",
        bytes(memory.map(|m| m.dirty_bytes)),
    );
}

fn network(figures: &mut Figures, before: &[Interface], now: &[Interface]) {
    let mut outside: (Vec<&Interface>, Vec<&Interface>) = Default::default();
    for interface in now.iter().take(DEVICES_MAX) {
        let Some(old) = before.iter().find(|old| old.name == interface.name) else {
            continue;
        };
        let name = &interface.name;
        add_interfaces(figures, &format!("host/net/{name}"), &[old], &[interface]);
        if name != LOOPBACK {
            outside.0.push(old);
            outside.1.push(interface);
        }
    }
    add_interfaces(figures, "host/net/all", &outside.0, &outside.1);
}

fn add_interfaces(figures: &mut Figures, name: &str, before: &[&Interface], now: &[&Interface]) {
    let columns: [Column<Interface>; 6] = [
        ("received_bytes", |i| i.receive.bytes),
        ("sent_bytes", |i| i.transmit.bytes),
        ("received_packets", |i| i.receive.packets),
        ("sent_packets", |i| i.transmit.packets),
        ("drops", |i| {
            i.receive.drops.saturating_add(i.transmit.drops)
        }),
        ("errors", |i| {
            i.receive.errors.saturating_add(i.transmit.errors)
        }),
    ];
    for (what, value) in columns {
        figures.rate(
            format!("{name}/{what}"),
            sum(before, value),
            sum(now, value),
        );
    }
}

fn disks(figures: &mut Figures, before: &[Disk], now: &[Disk]) {
    let mut all: (Vec<&Disk>, Vec<&Disk>) = Default::default();
    for disk in now.iter().take(DEVICES_MAX) {
        let Some(old) = before.iter().find(|old| old.name == disk.name) else {
            continue;
        };
        add_disks(
            figures,
            &format!("host/disk/{}", disk.name),
            &[old],
            &[disk],
        );
        all.0.push(old);
        all.1.push(disk);
    }
    add_disks(figures, "host/disk/all", &all.0, &all.1);
}

/// One disk, or the sum of some; their depth is a mean over the second.
fn add_disks(figures: &mut Figures, name: &str, before: &[&Disk], now: &[&Disk]) {
    let columns: [Column<Disk>; 4] = [
        ("reads", |d| d.reads),
        ("writes", |d| d.writes),
        ("read_bytes", |d| d.read_bytes),
        ("written_bytes", |d| d.written_bytes),
    ];
    for (what, value) in columns {
        figures.rate(
            format!("{name}/{what}"),
            sum(before, value),
            sum(now, value),
        );
    }
    let time = |disks: &[&Disk], value: fn(&Disk) -> Duration| {
        let times = disks.iter().map(|disk| value(disk));
        times.fold(Duration::ZERO, Duration::saturating_add)
    };
    let passed =
        |value: fn(&Disk) -> Duration| time(now, value).saturating_sub(time(before, value));
    let operations = |disks: &[&Disk]| {
        let count = |disk: &&Disk| disk.reads.saturating_add(disk.writes);
        disks.iter().map(count).fold(0, u64::saturating_add)
    };
    let done = operations(now).saturating_sub(operations(before));
    let took = passed(|d| d.read_time.saturating_add(d.write_time));
    // Where nothing was done nothing took long.
    let latency = (done > 0).then(|| took.as_secs_f64() / done as f64);
    figures.gauge(format!("{name}/latency_s"), Some(latency.unwrap_or(0.0)));
    figures.share(
        format!("{name}/busy"),
        Duration::ZERO,
        passed(|d| d.busy_time),
    );
    figures.share(
        format!("{name}/depth"),
        Duration::ZERO,
        passed(|d| d.weighted_time),
    );
}

fn sum<T>(parts: &[&T], value: fn(&T) -> u64) -> Option<u64> {
    Some(
        parts
            .iter()
            .map(|part| value(part))
            .fold(0, u64::saturating_add),
    )
}

fn protocols(figures: &mut Figures, before: &HostSample, now: &HostSample) {
    let (old, new) = (&before.protocols, &now.protocols);
    let pairs = [
        (
            "tcp/retransmits",
            old.tcp_retransmitted_segments,
            new.tcp_retransmitted_segments,
        ),
        (
            "tcp/established_resets",
            old.tcp_established_resets,
            new.tcp_established_resets,
        ),
        ("tcp/resets_sent", old.tcp_resets_sent, new.tcp_resets_sent),
        (
            "tcp/attempt_failures",
            old.tcp_attempt_failures,
            new.tcp_attempt_failures,
        ),
        (
            "tcp/passive_opens",
            old.tcp_passive_opens,
            new.tcp_passive_opens,
        ),
        ("tcp/timeouts", old.tcp_timeouts, new.tcp_timeouts),
        (
            "tcp/listen_overflows",
            old.listen_overflows,
            new.listen_overflows,
        ),
        ("tcp/listen_drops", old.listen_drops, new.listen_drops),
        (
            "tcp/syn_cookies_sent",
            old.syn_cookies_sent,
            new.syn_cookies_sent,
        ),
        ("udp/no_ports", old.udp_no_ports, new.udp_no_ports),
        (
            "udp/receive_errors",
            old.udp_receive_errors,
            new.udp_receive_errors,
        ),
    ];
    for (name, old, new) in pairs {
        figures.rate(format!("host/{name}"), old, new);
    }
    let sockets = now.sockets;
    let count = |value: Option<u64>| value.map(|count| count as f64);
    figures.gauge("host/tcp/in_use", count(sockets.map(|s| s.in_use)));
    figures.gauge("host/tcp/time_wait", count(sockets.map(|s| s.time_wait)));
}

fn process(figures: &mut Figures, before: &HostSample, now: &HostSample) {
    let time = |sample: &HostSample| {
        let process = &sample.process;
        Some(process.user?.saturating_add(process.system?))
    };
    if let (Some(before), Some(now)) = (time(before), time(now)) {
        figures.share("process/cpu", before, now);
    }
    let process = &now.process;
    let count = |value: Option<u64>| value.map(|count| count as f64);
    figures.gauge("process/resident_bytes", count(process.resident_bytes));
    figures.gauge("process/descriptors", count(process.descriptors));
    figures.gauge("process/descriptors_max", count(process.descriptors_max));
}

fn add_listener(figures: &mut Figures, before: Option<&Listener>, now: &Listener) {
    let name = format!("listener/{}", now.name);
    let kinds: [(&str, &[TcpState]); 6] = [
        ("established", &[TcpState::Established]),
        ("syn_received", &[TcpState::SynReceived]),
        ("close_wait", &[TcpState::CloseWait]),
        ("fin_wait", &[TcpState::FinWait1, TcpState::FinWait2]),
        ("time_wait", &[TcpState::TimeWait]),
        ("closing", &[TcpState::LastAck, TcpState::Closing]),
    ];
    for (kind, states) in kinds {
        let count = now.states.map(|counts| {
            let of = |state: &TcpState| counts.get(state.index()).copied().unwrap_or(0);
            states.iter().map(of).sum::<u64>() as f64
        });
        figures.gauge(format!("{name}/{kind}"), count);
    }
    let queue = now.queue;
    figures.gauge(
        format!("{name}/queue"),
        queue.map(|queue| queue.depth.into()),
    );
    figures.gauge(
        format!("{name}/queue_limit"),
        queue.map(|queue| queue.limit.into()),
    );
    let drops = |listener: &Listener| listener.queue.map(|queue| queue.drops);
    let dropped = (before.and_then(drops), drops(now));
    figures.rate(format!("{name}/drops"), dropped.0, dropped.1);
}

#[cfg(test)]
#[path = "host_test.rs"]
mod tests;
