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

/// CPU time of all threads of these processes, in nanoseconds; nothing for those that have gone.
pub(crate) fn cpu_ns(pids: &[u32]) -> u64 {
    let tasks = pids
        .iter()
        .flat_map(|pid| fs::read_dir(format!("/proc/{pid}/task")));
    tasks
        .flatten()
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .sum()
}

/// By how much the clocks of all cores are ahead of what those cores had for their threads: what the host
/// took (sched_clock, with steal accounted for); none where the kernel does not tell.
pub(crate) fn clocks_apart_ns() -> Option<u64> {
    apart_ns(&fs::read_to_string("/sys/kernel/debug/sched/debug").ok()?)
}

fn apart_ns(text: &str) -> Option<u64> {
    let of = |name: &str| -> Option<u64> {
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        let times = lines.filter(|(key, _)| key.trim() == name);
        // Milliseconds with six digits behind the point.
        let times = times.filter_map(|(_, time)| time.trim().replace('.', "").parse::<u64>().ok());
        times.reduce(|all, time| all.saturating_add(time))
    };
    Some(of(".clock")?.saturating_sub(of(".clock_task")?))
}

/// Time of the machine, or of one core, since its start, in clock ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ticks {
    pub(crate) all: u64,
    /// Neither idle nor taken away.
    pub(crate) busy: u64,
    /// Taken away by the host.
    pub(crate) steal: u64,
}

impl Ticks {
    /// Of all cores until now; zeros where the system does not tell.
    pub(crate) fn now() -> Self {
        Self::parse(&fs::read_to_string("/proc/stat").unwrap_or_default(), "cpu")
    }

    /// Of one core until now; zeros where the system does not tell.
    pub(crate) fn of_core(core: usize) -> Self {
        let text = fs::read_to_string("/proc/stat").unwrap_or_default();
        Self::parse(&text, &format!("cpu{core}"))
    }

    /// From the text of `/proc/stat` (proc(5)): user, nice, system, idle, iowait, irq, softirq,
    /// steal; what follows is counted in the first ones already.
    fn parse(text: &str, name: &str) -> Self {
        let mut lines = text.lines().map(str::split_whitespace);
        let Some(words) = lines.find_map(|mut words| (words.next()? == name).then_some(words))
        else {
            return Self::default();
        };
        let ticks: Vec<u64> = words
            .take(8)
            .map(|word| word.parse().unwrap_or(0))
            .collect();
        let tick = |index: usize| ticks.get(index).copied().unwrap_or(0);
        let all = ticks.iter().sum();
        let (idle, steal) = (tick(3) + tick(4), tick(7));
        Self {
            all,
            busy: all - idle - steal,
            steal,
        }
    }

    /// The part of the time since `earlier` that the host took away.
    pub(crate) fn steal_since(self, earlier: Self) -> f64 {
        part(self.steal, earlier.steal, self.all, earlier.all)
    }

    /// The part of the time since `earlier` that was neither idle nor taken away.
    pub(crate) fn busy_since(self, earlier: Self) -> f64 {
        part(self.busy, earlier.busy, self.all, earlier.all)
    }
}

fn part(ticks: u64, ticks_before: u64, all: u64, all_before: u64) -> f64 {
    let all = all.saturating_sub(all_before).max(1);
    ticks.saturating_sub(ticks_before) as f64 / all as f64
}

#[cfg(test)]
#[path = "machine_test.rs"]
mod tests;
