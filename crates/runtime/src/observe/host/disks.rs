//! `/proc/diskstats`: operations, bytes, waiting time and depth of each whole disk.

use std::time::Duration;

/// The unit of this table, whatever the disk's own sectors are.
const SECTOR_LEN: u64 = 512;

/// One disk. Latency is the growth of a time divided by that of its operations; mean depth the growth
/// of `weighted_time` by the clock's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// Its name, as `vda`.
    pub name: String,
    /// Reads done.
    pub reads: u64,
    /// Bytes read.
    pub read_bytes: u64,
    /// Time that reads took, all of them together.
    pub read_time: Duration,
    /// Writes done.
    pub writes: u64,
    /// Bytes written.
    pub written_bytes: u64,
    /// Time that writes took, all of them together.
    pub write_time: Duration,
    /// Operations under way now.
    pub in_flight: u64,
    /// Time with at least one operation under way.
    pub busy_time: Duration,
    /// Time that operations were under way, all of them together.
    pub weighted_time: Duration,
    /// Flushes done; only newer kernels count them.
    pub flushes: Option<u64>,
    /// Time that flushes took, all of them together.
    pub flush_time: Option<Duration>,
}

/// The whole disks that were ever used: a partition's work is its disk's, too.
pub(super) fn parse(text: &str) -> Vec<Disk> {
    let mut disks: Vec<Disk> = text.lines().filter_map(disk).collect();
    disks.retain(|disk| disk.reads > 0 || disk.writes > 0);
    let names: Vec<String> = disks.iter().map(|disk| disk.name.clone()).collect();
    disks.retain(|disk| !names.iter().any(|whole| is_partition(&disk.name, whole)));
    disks
}

/// `sda1` of `sda`, `nvme0n1p1` of `nvme0n1`.
fn is_partition(name: &str, whole: &str) -> bool {
    let Some(rest) = name.strip_prefix(whole) else {
        return false;
    };
    let number = match whole.ends_with(|c: char| c.is_ascii_digit()) {
        true => rest.strip_prefix('p').unwrap_or(""),
        false => rest,
    };
    !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())
}

fn disk(line: &str) -> Option<Disk> {
    let mut words = line.split_ascii_whitespace().skip(2);
    let name = words.next()?.to_owned();
    if ["loop", "ram"].iter().any(|kind| name.starts_with(kind)) {
        return None;
    }
    let figures: Vec<u64> = words.map_while(|word| word.parse().ok()).collect();
    let [
        reads,
        _,
        read_sectors,
        read_ms,
        writes,
        _,
        written_sectors,
        write_ms,
        in_flight,
        busy_ms,
        weighted_ms,
        rest @ ..,
    ] = figures.as_slice()
    else {
        return None;
    };
    // Four figures of discards come before the flushes.
    let flushes = rest.get(4).copied();
    Some(Disk {
        name,
        reads: *reads,
        read_bytes: read_sectors.saturating_mul(SECTOR_LEN),
        read_time: Duration::from_millis(*read_ms),
        writes: *writes,
        written_bytes: written_sectors.saturating_mul(SECTOR_LEN),
        write_time: Duration::from_millis(*write_ms),
        in_flight: *in_flight,
        busy_time: Duration::from_millis(*busy_ms),
        weighted_time: Duration::from_millis(*weighted_ms),
        flushes,
        flush_time: rest.get(5).copied().map(Duration::from_millis),
    })
}
