//! What the machine and the environment suggest where nobody has said otherwise.

use std::env;
use std::fs;
use std::num::NonZero;
use std::path::PathBuf;
use std::thread;

use rustix::process::{Resource, getrlimit};

const GIB: u64 = 1 << 30;
const DESCRIPTORS_UNKNOWN: u64 = 1024;
const CONNECTIONS_DEFAULT_MAX: u32 = 100_000;

/// The configuration file that is read if none is given, if there is one.
pub(crate) fn config_file() -> Option<PathBuf> {
    let own = xdg_folder("XDG_CONFIG_HOME", ".config").map(|dir| dir.join("cofferdam"));
    let folders = own.into_iter().chain([PathBuf::from("/etc/cofferdam")]);
    folders
        .map(|dir| dir.join("cofferdam.toml"))
        .find(|file| file.is_file())
}

/// The folder for state, admin socket and token if none is given.
pub(crate) fn data_dir() -> PathBuf {
    xdg_folder("XDG_STATE_HOME", ".local/state").map_or_else(
        || PathBuf::from("/var/lib/cofferdam"),
        |dir| dir.join("cofferdam"),
    )
}

/// A quarter of the memory that the process may use, at most 1 GiB, in whole MiB.
pub(crate) fn default_cache_bytes() -> u64 {
    let quarter = usable_memory_bytes().map_or(GIB, |bytes| bytes / 4);
    quarter.clamp(64 << 20, GIB) & !((1 << 20) - 1)
}

/// Cores that the process may use.
pub(crate) fn cores() -> u16 {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    u16::try_from(cores).unwrap_or(u16::MAX)
}

/// Nine tenths of the files that the process may have open, which `up` raises first; the rest is
/// for state, admin and logs. At most 100,000, so that a hard limit of millions costs no memory.
pub(crate) fn default_connections_max() -> u32 {
    let limit = getrlimit(Resource::Nofile)
        .current
        .unwrap_or(DESCRIPTORS_UNKNOWN);
    u32::try_from(limit / 10 * 9).map_or(CONNECTIONS_DEFAULT_MAX, |count| {
        count.min(CONNECTIONS_DEFAULT_MAX)
    })
}

/// The machine's memory, or the control group's limit where that is less.
pub(crate) fn usable_memory_bytes() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| mem_total(&text));
    let group = fs::read_to_string("/sys/fs/cgroup/memory.max")
        .ok()
        .and_then(|text| text.trim().parse().ok());
    machine.into_iter().chain(group).min()
}

/// The line `MemTotal:  24567 kB` (proc(5)).
fn mem_total(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// An absolute folder from `variable`, else `fallback` in the home folder (XDG base directories).
fn xdg_folder(variable: &str, fallback: &str) -> Option<PathBuf> {
    let absolute = |name: &str| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|dir| dir.is_absolute())
    };
    absolute(variable).or_else(|| absolute("HOME").map(|home| home.join(fallback)))
}

#[cfg(test)]
#[path = "machine_test.rs"]
mod tests;
