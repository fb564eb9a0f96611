//! What the machine allows and what it did meanwhile: descriptors, ports, cores, CPU, steal.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::sched_getaffinity;

use crate::error::DrillError;

/// Highest core number looked at.
const CORES_MAX: usize = 1024;

/// Raises the soft limit on open files to the hard one; the limit, or `u64::MAX` for none.
pub(crate) fn raise_descriptors() -> Result<u64, DrillError> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised)
        .map_err(DrillError::errno("cannot raise the limit on open files"))?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}

/// The numbers of the cores that this process may use.
pub(crate) fn cores() -> Result<Vec<usize>, DrillError> {
    let set = sched_getaffinity(None).map_err(DrillError::errno("cannot tell the cores"))?;
    Ok((0..CORES_MAX).filter(|core| set.is_set(*core)).collect())
}

/// Whether this user may run at real-time priority.
pub(crate) fn may_run_in_real_time() -> bool {
    let status = Command::new("chrt")
        .args(["-f", "1", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// How many ports the kernel may choose from for a connection from one address.
pub(crate) fn ephemeral_ports() -> Option<u64> {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut words = text.split_whitespace().map(str::parse::<u64>);
    let (low, high) = (words.next()?.ok()?, words.next()?.ok()?);
    Some(high.saturating_sub(low) + 1)
}

/// A port that nobody listens on right now.
pub(crate) fn free_port() -> Result<u16, DrillError> {
    let listener = TcpListener::bind(("127.0.0.1", 0));
    let address = listener.and_then(|it| it.local_addr());
    address
        .map(|it| it.port())
        .map_err(DrillError::system("cannot find a free port"))
}

/// CPU time of all threads of these processes, in nanoseconds.
pub(crate) fn cpu_ns(pids: &[u32]) -> u64 {
    pids.iter().map(|pid| process_cpu_ns(*pid)).sum()
}

fn process_cpu_ns(pid: u32) -> u64 {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return 0;
    };
    tasks
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .sum()
}

/// Time of the machine since its start, in clock ticks over all cores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ticks {
    pub(crate) all: u64,
    /// Taken away by the host.
    pub(crate) steal: u64,
}

impl Ticks {
    /// Now; zeros where the system does not tell.
    pub(crate) fn now() -> Self {
        Self::parse(&fs::read_to_string("/proc/stat").unwrap_or_default())
    }

    /// From the text of `/proc/stat` (proc(5)): user, nice, system, idle, iowait, irq, softirq,
    /// steal; what follows is counted in the first ones already.
    pub(crate) fn parse(text: &str) -> Self {
        let line = text.lines().next().unwrap_or_default();
        let ticks: Vec<u64> = line
            .split_whitespace()
            .skip(1)
            .take(8)
            .map(|word| word.parse().unwrap_or(0))
            .collect();
        Self {
            all: ticks.iter().sum(),
            steal: ticks.get(7).copied().unwrap_or(0),
        }
    }

    /// The part of the time since `earlier` that the host took away.
    pub(crate) fn steal_since(self, earlier: Self) -> f64 {
        let all = self.all.saturating_sub(earlier.all);
        let steal = self.steal.saturating_sub(earlier.steal);
        steal as f64 / all.max(1) as f64
    }
}

#[cfg(test)]
#[path = "machine_test.rs"]
mod tests;
