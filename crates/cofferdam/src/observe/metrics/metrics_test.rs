//! The whole page: every family once, well formed, and documented.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use base::kv::Stats;
use base::{TenantId, Timestamp, TrafficLimits};
use gateway::{ConnectionFigures, Delays};
use runtime::observe::host::{HostSample, HostSampler};
use runtime::observe::sock_diag::Queue;
use runtime::volumes::{AttachedStatus, BurstBalance, MirrorStatus, Stages, VolumeId, VolumeSpec};

use super::*;
use crate::config::JudgeMode;
use crate::gate::GateReport;
use crate::judging::JudgingReport;
use crate::observe::reading::{FleetReading, TenantReading};
use crate::observe::snapshot::Listener;
use crate::plane::Totals;

/// Of a machine that tells everything.
fn full_page() -> String {
    let mut host = HostSampler::new().sample();
    fill(&mut host);
    let snapshot = Snapshot {
        close_waits: BTreeMap::new(),
        at: Timestamp::from_secs(999),
        took: Duration::from_millis(3),
        host,
        listeners: vec![Listener {
            name: "memcache",
            states: Some([1; 11]),
            close_wait_oldest: None,
            queue: Some(Queue::default()),
            depth_peak: 3,
        }],
        affairs: 1,
    };
    let mut delays = Delays::default();
    delays.add(Duration::from_micros(80), 10);
    delays.add(Duration::from_secs(100), 1);
    let reading = Reading {
        at: Timestamp::from_secs(1000),
        tenants: vec![TenantReading {
            id: TenantId(1),
            name: Arc::from("acme"),
            traffic: TrafficLimits::default(),
            cache: Stats::default(),
            clients: ConnectionFigures::default(),
            delays,
            close_waits: 0,
        }],
        totals: Totals {
            certificate_validity_s: Some((1_800_000_000, 1_900_000_000)),
            ..Totals::default()
        },
        loop_ages: vec![Duration::from_millis(2)],
        fleet: Some(FleetReading {
            age: Some(Duration::from_secs(2)),
            certificate_validity_s: Some((1_800_000_001, 1_900_000_001)),
            judging: Some(Arc::new(judging())),
            ..FleetReading::default()
        }),
    };
    let sources = Sources {
        reading: &reading,
        snapshot: &snapshot,
        volumes: &[volume()],
        events: &[("close_wait", 1)],
        held_back: 0,
        started_s: 990.0,
    };
    page(&sources, &mut TenantRows::default())
}

/// One node, of which nothing is held against.
fn judging() -> JudgingReport {
    let node = serde_json::json!({
        "member": 3, "name": "node3", "state": "serving", "since_unix_ms": 0, "share": 1000, "score": 1.0,
        "slow_since_unix_ms": null, "voters": 2, "load": 1.0, "is_busy": false, "blaming": [], "past": [],
    });
    JudgingReport {
        nodes: vec![serde_json::from_value(node).unwrap()],
        gate: Some(GateReport::default()),
        ..JudgingReport::nothing(JudgeMode::On)
    }
}

/// One that is attached.
fn volume() -> VolumeStatus {
    VolumeStatus {
        spec: VolumeSpec {
            id: VolumeId(1),
            export: "data".to_owned(),
            tenant: TenantId(1),
            size_bytes: 1 << 30,
            journal_len: 32 << 20,
            shared: false,
            limits: Default::default(),
        },
        clients: Vec::new(),
        attached: Some(AttachedStatus {
            epoch: 1,
            figures: Default::default(),
            meters: Default::default(),
            stages: Stages::default().figures(Timestamp::ZERO),
            mirror: Some(MirrorStatus {
                dir: "/mnt/other".into(),
                behind: None,
            }),
            balance: BurstBalance {
                operations_permille: Some(250),
                bytes_permille: Some(1000),
            },
            stopped: None,
            damaged: Vec::new(),
        }),
    }
}

#[test]
fn a_volume_is_told_by_stage() {
    let page = full_page();
    assert!(page.contains("cofferdam_volume_size_bytes{volume=\"data\"} 1073741824\n"));
    let saved = "cofferdam_volume_burst_balance_ratio{volume=\"data\",limit=\"operations\"} 0.25\n";
    assert!(page.contains(saved), "{page}");
    let fsync = "cofferdam_volume_stage_under_way{volume=\"data\",stage=\"fsync\"} 0\n";
    assert!(page.contains(fsync), "{page}");
}

/// Figures that this machine may not have.
fn fill(host: &mut HostSample) {
    use runtime::observe::host::{Disk, Interface, Pressure, Stall};
    let protocols = &mut host.protocols;
    for figure in [
        &mut protocols.udp_no_ports,
        &mut protocols.udp_receive_errors,
        &mut protocols.udp_receive_buffer_errors,
        &mut protocols.udp_send_buffer_errors,
        &mut protocols.tcp_aborts_on_memory,
        &mut protocols.request_queue_full_cookies,
        &mut protocols.request_queue_full_drops,
    ] {
        *figure = Some(1);
    }
    host.syn_cookies_enabled = Some(true);
    host.interfaces.push(Interface {
        name: "wan0".into(),
        ..Interface::default()
    });
    host.disks = vec![Disk {
        name: "disk0".into(),
        flushes: Some(1),
        flush_time: Some(Duration::ZERO),
        ..Disk::default()
    }];
    let pressure = Pressure {
        some: Stall::default(),
        full: Some(Stall::default()),
    };
    host.pressure = vec![("cpu", pressure)];
}

/// Families and their types.
fn families(page: &str) -> BTreeMap<&str, &str> {
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let mut families = BTreeMap::new();
    for line in types {
        let (name, kind) = line.split_once(' ').unwrap();
        assert_eq!(families.insert(name, kind), None, "{name} comes twice");
    }
    families
}

#[test]
fn every_family_comes_once_with_its_samples_below_it() {
    let page = full_page();
    let families = families(&page);
    assert!(families.len() > 80, "{}", families.len());
    let mut current = "";
    let mut seen = BTreeSet::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            current = rest.split(' ').next().unwrap();
            continue;
        }
        if line.starts_with('#') {
            continue;
        }
        let name = line.split(['{', ' ']).next().unwrap();
        let plain = name
            .strip_suffix("_bucket")
            .or(name.strip_suffix("_sum"))
            .or(name.strip_suffix("_count"));
        assert!(
            name == current || plain == Some(current),
            "{line} under {current}"
        );
        assert!(
            seen.insert(line.rsplit_once(' ').unwrap().0),
            "{line} comes twice"
        );
    }
}

#[test]
fn a_service_without_anything_has_a_page() {
    let reading = Reading {
        at: Timestamp::from_secs(1),
        tenants: Vec::new(),
        totals: Totals::default(),
        loop_ages: Vec::new(),
        fleet: None,
    };
    let sources = Sources {
        reading: &reading,
        snapshot: &Snapshot::default(),
        volumes: &[],
        events: &[],
        held_back: 0,
        started_s: 1.0,
    };
    let page = page(&sources, &mut TenantRows::default());
    assert!(page.contains("cofferdam_build_info{version="));
    assert!(!page.contains("cofferdam_host_disk"));
}

#[test]
fn delays_are_told_in_seconds() {
    let page = full_page();
    assert!(
        page.contains("cofferdam_tenant_delay_seconds_count{tenant=\"acme\"} 11\n"),
        "{page}"
    );
    assert!(page.contains("le=\"+Inf\"} 11\n"));
    assert!(page.contains(
        "cofferdam_tenant_delay_seconds_bucket{tenant=\"acme\",le=\"0.000131072\"} 10\n"
    ));
}

/// `docs/metrics.md` names every family with its type and help, and nothing else.
#[test]
fn the_reference_page_is_the_truth() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
    let written = std::fs::read_to_string(path).unwrap();
    let page = full_page();
    let expected = reference(&page);
    if std::env::var_os("COFFERDAM_WRITE_DOCS").is_some() {
        let (head, _) = written.split_once(TABLE_START).unwrap();
        std::fs::write(path, format!("{head}{TABLE_START}{expected}")).unwrap();
        return;
    }
    let (_, table) = written.split_once(TABLE_START).unwrap();
    assert_eq!(
        table, expected,
        "run this test with COFFERDAM_WRITE_DOCS=1 to write the page"
    );
}

const TABLE_START: &str = "| metric | type | labels | what |\n|---|---|---|---|\n";

/// The table of all families of a page.
fn reference(page: &str) -> String {
    let mut table = String::new();
    let help = page.lines().filter_map(|line| line.strip_prefix("# HELP "));
    for line in help {
        let (name, help) = line.split_once(' ').unwrap();
        let labels = labels(page, name).join(", ");
        let kind = families(page)[name];
        table.push_str(&format!("| `{name}` | {kind} | {labels} | {help} |\n"));
    }
    table
}

/// The labels of a family, each with its values if they are always the same.
fn labels(page: &str, family: &str) -> Vec<String> {
    const FREE: [&str; 7] = [
        "tenant",
        "volume",
        "node",
        "interface",
        "disk",
        "loop",
        "version",
    ];
    const MANY: [&str; 3] = ["event", "listener", "le"];
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in page.lines() {
        let Some((name, rest)) = line.split_once('{') else {
            continue;
        };
        if name != family && name.strip_suffix("_bucket") != Some(family) {
            continue;
        }
        let Some((labels, _)) = rest.split_once('}') else {
            continue;
        };
        for label in labels.split(',') {
            let (name, value) = label.split_once('=').unwrap();
            let value = value.trim_matches('"');
            match found.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) if !values.contains(&value) => values.push(value),
                Some(_) => {}
                None => found.push((name, vec![value])),
            }
        }
    }
    let told = found.into_iter().map(|(name, values)| {
        let free = FREE.contains(&name) || MANY.contains(&name);
        // Of pressure, the kernel of the machine at hand decides.
        match free || name == "resource" {
            true => format!("`{name}`"),
            false => format!("`{name}` ({})", values.join(", ")),
        }
    });
    told.collect()
}
