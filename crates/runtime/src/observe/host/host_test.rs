//! The parsers over what real machines told, and over a machine that tells nothing.

use std::fs;
use std::time::Duration;

use super::*;

fn real() -> HostSample {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/src/observe/host/samples");
    HostSampler::at(Path::new(samples)).sample()
}

#[test]
fn interfaces() {
    let sample = real();
    let names: Vec<&str> = sample.interfaces.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["lo", "ifb0", "ifb1", "eth0"]);
    let expected = Direction {
        bytes: 126_488_070,
        packets: 6312,
        errors: 0,
        drops: 0,
    };
    assert_eq!(sample.interfaces[3].receive, expected);
    assert_eq!(sample.interfaces[3].transmit.packets, 4358);
    assert_eq!(sample.interfaces[0].receive.drops, 2355);
}

#[test]
fn protocols() {
    let protocols = real().protocols;
    assert_eq!(protocols.listen_overflows, Some(18_847));
    assert_eq!(protocols.syn_cookies_sent, Some(0));
    assert_eq!(protocols.tcp_retransmitted_segments, Some(97_453));
    assert_eq!(protocols.tcp_established, Some(0));
    assert_eq!(protocols.udp_no_ports, Some(0));
    assert_eq!(protocols.udp_receive_buffer_errors, Some(0));
}

#[test]
fn sockets() {
    let expected = Sockets {
        in_use: 120,
        orphaned: 0,
        time_wait: 1795,
        memory_pages: 260,
    };
    assert_eq!(real().sockets, Some(expected));
}

#[test]
fn cpu() {
    let cpu = real().cpu.unwrap();
    assert_eq!(cpu.user, Duration::from_millis(5_547_450));
    assert_eq!(cpu.iowait, Duration::from_millis(92_520));
    assert_eq!(cpu.softirq, Duration::from_millis(615_860));
    assert_eq!(cpu.steal, Duration::from_millis(12_120));
    assert_eq!(cpu.count, 2);
    assert_eq!(cpu.total(), Duration::from_millis(24_331_100));
}

#[test]
fn pressure_of_what_the_kernel_tells() {
    let pressure = real().pressure;
    let names: Vec<&str> = pressure.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["cpu", "io"]);
    let io = pressure[1].1;
    assert_eq!(io.some.avg10_percent, 5.95);
    assert_eq!(io.full.unwrap().total, Duration::from_micros(62_122_129));
}

#[test]
fn disks_that_were_used() {
    let disks = real().disks;
    assert_eq!(disks.len(), 1);
    let disk = &disks[0];
    assert_eq!(
        (disk.name.as_str(), disk.reads, disk.writes),
        ("vda", 1_454_806, 135_613)
    );
    assert_eq!(disk.written_bytes, 45_813_784 * 512);
    assert_eq!(disk.weighted_time, Duration::from_millis(2_746_453));
    assert_eq!(disk.flushes, Some(23_171));
    assert_eq!(disk.flush_time, Some(Duration::from_millis(2139)));
}

#[test]
fn partitions_are_their_disks() {
    let line = |name: &str| format!("8 0 {name} 1 0 8 1 1 0 8 1 0 1 1\n");
    let text: String = [
        "sda",
        "sda1",
        "sdaa",
        "nvme0n1",
        "nvme0n1p2",
        "nvme0n10",
        "md127",
    ]
    .into_iter()
    .map(line)
    .collect();
    let names: Vec<String> = disks::parse(&text)
        .into_iter()
        .map(|disk| disk.name)
        .collect();
    assert_eq!(names, ["sda", "sdaa", "nvme0n1", "nvme0n10", "md127"]);
}

#[test]
fn an_old_kernel_counts_no_flushes() {
    let disks = disks::parse("8 0 sda 1 0 8 1 1 0 8 1 0 1 1\n");
    assert_eq!((disks[0].flushes, disks[0].flush_time), (None, None));
}

#[test]
fn memory() {
    let memory = real().memory.unwrap();
    assert_eq!(memory.total_bytes, 24_684_092 * 1024);
    assert!(memory.available_bytes < memory.total_bytes);
}

#[test]
fn a_process_whose_name_looks_like_fields() {
    let stat = include_str!("samples/self/stat");
    let process = Process::parse(stat, 4096);
    assert_eq!(process.user, Some(Duration::from_millis(2500)));
    assert_eq!(process.system, Some(Duration::from_millis(750)));
    assert_eq!(process.threads, Some(5));
    assert_eq!(process.virtual_bytes, Some(3_133_440));
    assert_eq!(process.resident_bytes, Some(360 * 4096));
}

#[test]
fn this_machine_tells_of_this_process() {
    let sample = HostSampler::new().sample();
    let process = sample.process;
    assert!(process.descriptors.unwrap() >= 3);
    assert!(process.resident_bytes.unwrap() > 0);
    assert!(sample.memory.is_some() && sample.cpu.is_some());
}

#[test]
fn descriptors_are_counted_as_they_are() {
    let open = || HostSampler::new().sample().process.descriptors.unwrap();
    let before = open();
    let files: Vec<_> = (0..50)
        .map(|_| fs::File::open("/dev/null").unwrap())
        .collect();
    // Other tests of this process open and close files, too.
    assert!(open() + 30 > before + files.len() as u64);
}

#[test]
fn syn_cookies() {
    assert_eq!(real().syn_cookies_enabled, Some(true));
}

#[test]
fn a_machine_that_tells_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let sample = HostSampler::at(folder.path()).sample();
    let process = Process {
        descriptors_max: sample.process.descriptors_max,
        ..Process::default()
    };
    let nothing = HostSample {
        process,
        ..HostSample::default()
    };
    assert_eq!(sample, nothing);
}
