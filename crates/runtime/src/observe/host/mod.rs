//! The machine's own figures, read from `/proc`; what a kernel does not tell is left out.

mod cpu;
mod disks;
mod memory;
mod network;
mod pressure;
mod process;
mod protocols;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::priority::step_aside;

pub use cpu::Cpu;
pub use disks::Disk;
pub use memory::Memory;
pub use network::{Direction, Interface};
pub use pressure::{Pressure, Stall};
pub use process::Process;
pub use protocols::{Protocols, Sockets};

/// Room for a file. The kernel makes such a file anew for each part that is read of it, so it is read at once.
const FILE_LEN: usize = 16 * 1024;

/// The machine and this process at one moment. Counts are since the machine's (the process's) start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostSample {
    /// By interface, as far as this process's network namespace goes.
    pub interfaces: Vec<Interface>,
    /// TCP's and UDP's counters.
    pub protocols: Protocols,
    /// TCP sockets by kind.
    pub sockets: Option<Sockets>,
    /// Where the processors' time went.
    pub cpu: Option<Cpu>,
    /// Time lost for want of processor, disk, memory, by these names.
    pub pressure: Vec<(&'static str, Pressure)>,
    /// By whole disk.
    pub disks: Vec<Disk>,
    /// The machine's memory.
    pub memory: Option<Memory>,
    /// This process.
    pub process: Process,
    /// Whether the kernel answers a flood of connection attempts with cookies.
    pub syn_cookies_enabled: Option<bool>,
}

/// Reads [`HostSample`]s.
#[derive(Clone, Debug)]
pub struct HostSampler {
    proc: PathBuf,
}

impl HostSampler {
    /// Of the machine that this process runs on.
    pub fn new() -> Self {
        Self::at(Path::new("/proc"))
    }

    /// Of the files in `proc`, laid out as in `/proc` (proc(5)).
    pub fn at(proc: &Path) -> Self {
        Self {
            proc: proc.to_owned(),
        }
    }

    /// One sample. Takes well under a millisecond of the processor, which whoever serves may have between any
    /// two files.
    pub fn sample(&self) -> HostSample {
        let read = |path: &str| self.read(path);
        HostSample {
            interfaces: read("net/dev").map_or_else(Vec::new, |text| network::parse(&text)),
            protocols: protocols::parse(
                &read("net/snmp").unwrap_or_default(),
                &read("net/netstat").unwrap_or_default(),
                &read("net/snmp6").unwrap_or_default(),
            ),
            sockets: read("net/sockstat").and_then(|text| Sockets::parse(&text)),
            cpu: read("stat").and_then(|text| Cpu::parse(&text)),
            pressure: ["cpu", "io", "memory"]
                .into_iter()
                .filter_map(|name| {
                    let text = read(&format!("pressure/{name}"))?;
                    Some((name, Pressure::parse(&text)?))
                })
                .collect(),
            disks: read("diskstats").map_or_else(Vec::new, |text| disks::parse(&text)),
            memory: read("meminfo").and_then(|text| Memory::parse(&text)),
            process: Process::read(&self.proc.join("self")),
            syn_cookies_enabled: read("sys/net/ipv4/tcp_syncookies").map(|text| text.trim() != "0"),
        }
    }

    /// A file that is not there, or that may not be read, has nothing to tell.
    fn read(&self, path: &str) -> Option<String> {
        step_aside();
        let mut bytes = Vec::with_capacity(FILE_LEN);
        let mut file = File::open(self.proc.join(path)).ok()?;
        file.read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl Default for HostSampler {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
#[path = "hostile_test.rs"]
mod hostile_test;
#[cfg(test)]
#[path = "host_test.rs"]
mod tests;
