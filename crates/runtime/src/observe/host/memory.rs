//! `/proc/meminfo`: the machine's memory.

/// Memory of the machine, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// All.
    pub total_bytes: u64,
    /// What a program could get without anybody being paged out.
    pub available_bytes: u64,
    /// Used for nothing.
    pub free_bytes: u64,
    /// Holding files.
    pub cached_bytes: u64,
    /// Written to files, not to disks yet.
    pub dirty_bytes: u64,
    /// Room for what is paged out.
    pub swap_total_bytes: u64,
    /// Of that, free.
    pub swap_free_bytes: u64,
}

impl Memory {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let value = |name: &str| {
            let rest = text
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            let kib: u64 = rest.trim().strip_suffix("kB")?.trim().parse().ok()?;
            kib.checked_mul(1024)
        };
        Some(Self {
            total_bytes: value("MemTotal")?,
            available_bytes: value("MemAvailable")?,
            free_bytes: value("MemFree").unwrap_or(0),
            cached_bytes: value("Cached").unwrap_or(0),
            dirty_bytes: value("Dirty").unwrap_or(0),
            swap_total_bytes: value("SwapTotal").unwrap_or(0),
            swap_free_bytes: value("SwapFree").unwrap_or(0),
        })
    }
}
