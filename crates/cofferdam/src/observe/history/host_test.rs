//! The machine's figures from two looks at it.

use std::time::Duration;

use base::Timestamp;
use runtime::observe::host::{Cpu, Direction};
use runtime::observe::sock_diag::Queue;

use super::*;

fn look(at_s: u64, host: HostSample) -> Snapshot {
    Snapshot {
        at: Timestamp::from_secs(at_s),
        host,
        listeners: vec![Listener {
            name: "memcache",
            states: Some(std::array::from_fn(|state| state as u64)),
            close_wait_oldest: None,
            queue: Some(Queue {
                depth: 3,
                limit: 128,
                drops: at_s * 5,
            }),
            depth_peak: 3,
        }],
        ..Snapshot::default()
    }
}

fn figure(figures: &Figures, name: &str) -> f32 {
    let found: Vec<f32> = figures
        .all
        .iter()
        .filter(|(own, _)| own == name)
        .map(|(_, value)| *value)
        .collect();
    assert_eq!(found.len(), 1, "{name} in {:?}", figures.all);
    found[0]
}

fn figures(before: HostSample, now: HostSample) -> Figures {
    let mut figures = Figures::over(Duration::from_secs(2));
    add(&mut figures, &look(10, before), &look(12, now));
    figures
}

fn interface(name: &str, bytes: u64) -> Interface {
    Interface {
        name: name.to_owned(),
        receive: Direction {
            bytes,
            ..Direction::default()
        },
        ..Interface::default()
    }
}

#[test]
fn the_uplinks_together_leave_the_loopback_out() {
    let sample = |factor: u64| HostSample {
        interfaces: vec![
            interface("lo", 9000 * factor),
            interface("eth0", 100 * factor),
            interface("eth1", 30 * factor),
        ],
        ..HostSample::default()
    };
    let figures = figures(sample(1), sample(3));
    assert_eq!(figure(&figures, "host/net/lo/received_bytes"), 9000.0);
    assert_eq!(figure(&figures, "host/net/all/received_bytes"), 130.0);
    assert_eq!(figure(&figures, "host/net/eth0/sent_bytes"), 0.0);
}

#[test]
fn a_disk_s_latency_is_time_by_operations() {
    let disk = |reads: u64, took_ms: u64, busy_ms: u64| HostSample {
        disks: vec![Disk {
            name: "vda".into(),
            reads,
            read_time: Duration::from_millis(took_ms),
            busy_time: Duration::from_millis(busy_ms),
            weighted_time: Duration::from_millis(took_ms),
            ..Disk::default()
        }],
        ..HostSample::default()
    };
    let busy = figures(disk(100, 500, 10), disk(120, 700, 1010));
    assert_eq!(figure(&busy, "host/disk/vda/reads"), 10.0);
    assert_eq!(figure(&busy, "host/disk/vda/latency_s"), 0.01);
    assert_eq!(figure(&busy, "host/disk/all/busy"), 0.5);
    assert_eq!(figure(&busy, "host/disk/all/depth"), 0.1);
    let idle = figures(disk(100, 500, 10), disk(100, 500, 10));
    assert_eq!(figure(&idle, "host/disk/vda/latency_s"), 0.0);
}

#[test]
fn processors_are_shares_of_all_of_them() {
    let cpu = |user_s: u64, idle_s: u64| HostSample {
        cpu: Some(Cpu {
            user: Duration::from_secs(user_s),
            idle: Duration::from_secs(idle_s),
            count: 2,
            ..Cpu::default()
        }),
        ..HostSample::default()
    };
    let figures = figures(cpu(10, 10), cpu(11, 13));
    assert_eq!(figure(&figures, "host/cpu/user"), 0.25);
    assert_eq!(figure(&figures, "host/cpu/idle"), 0.75);
}

#[test]
fn listeners_by_state_and_what_the_kernel_dropped() {
    let figures = figures(HostSample::default(), HostSample::default());
    assert_eq!(figure(&figures, "listener/memcache/established"), 0.0);
    let fin_wait = (TcpState::FinWait1.index() + TcpState::FinWait2.index()) as f32;
    assert_eq!(figure(&figures, "listener/memcache/fin_wait"), fin_wait);
    assert_eq!(figure(&figures, "listener/memcache/drops"), 5.0);
    assert_eq!(figure(&figures, "listener/memcache/queue"), 3.0);
}

#[test]
fn a_machine_that_tells_nothing_has_gaps_and_no_zeros() {
    let figures = figures(HostSample::default(), HostSample::default());
    assert!(figure(&figures, "host/tcp/retransmits").is_nan());
    assert!(figure(&figures, "host/memory/total_bytes").is_nan());
}
