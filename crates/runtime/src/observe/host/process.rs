//! `/proc/self`: this process's descriptors, memory and processor time.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::param::page_size;
use rustix::process::{Resource, getrlimit};

use super::cpu;

/// What this process uses. What the kernel does not tell is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Descriptors open.
    pub descriptors: Option<u64>,
    /// Descriptors that may be open; none if there is no limit.
    pub descriptors_max: Option<u64>,
    /// Memory that is in use and not paged out, in bytes.
    pub resident_bytes: Option<u64>,
    /// Addresses in use, in bytes.
    pub virtual_bytes: Option<u64>,
    /// Processor time in its own code.
    pub user: Option<Duration>,
    /// Processor time in the kernel on its behalf.
    pub system: Option<Duration>,
    /// Threads.
    pub threads: Option<u64>,
}

impl Process {
    pub(super) fn read(folder: &Path) -> Self {
        let stat = fs::read_to_string(folder.join("stat")).unwrap_or_default();
        Self {
            descriptors: descriptors(&folder.join("fd")),
            descriptors_max: getrlimit(Resource::Nofile).current,
            ..Self::parse(&stat, page_size() as u64)
        }
    }

    /// The fields of `stat` behind the name, which may itself hold spaces and brackets.
    pub(super) fn parse(stat: &str, page_len: u64) -> Self {
        let Some((_, fields)) = stat.rsplit_once(") ") else {
            return Self::default();
        };
        let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
        // Numbered as in proc(5), where the first behind the name is 3.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Self {
            descriptors: None,
            descriptors_max: None,
            resident_bytes: field(24).map(|pages| pages.saturating_mul(page_len)),
            virtual_bytes: field(23),
            user: field(14).map(cpu::time),
            system: field(15).map(cpu::time),
            threads: field(20),
        }
    }
}

/// How many descriptors are open. Since Linux 6.2 that is the folder's size; before, it is counted,
/// which takes some microseconds for each.
fn descriptors(folder: &Path) -> Option<u64> {
    let size = fs::metadata(folder).ok()?.len();
    if size > 0 {
        return Some(size);
    }
    let count = fs::read_dir(folder).ok()?.count();
    // One of them was the folder's own.
    u64::try_from(count.saturating_sub(1)).ok()
}
