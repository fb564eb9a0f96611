//! What went on beside a measurement: who else ran, what the host took, how long the generator had to wait.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process;

use rustix::param::clock_ticks_per_second;
use rustix::thread::gettid;

use super::report::{Other, Outside};
use crate::machine::{self, Ticks};

/// What ran for less than this is not told, in nanoseconds.
const TOLD_NS: u64 = 10_000;

/// Has the times of all threads of the machine at hand, so that a look takes less than a millisecond for a
/// few hundred of them; the first takes some.
#[derive(Debug)]
pub(crate) struct Witness {
    threads: BTreeMap<u32, Watched>,
    /// What each process had run for when the measurement began.
    ran_ns: BTreeMap<u32, u64>,
    stolen_ns: u64,
    waited_ns: u64,
}

/// A thread, its process, and where its times are told.
#[derive(Debug)]
struct Watched {
    process: u32,
    schedstat: File,
}

impl Witness {
    /// Looks who is there.
    pub(crate) fn new() -> Self {
        let mut witness = Self {
            threads: BTreeMap::new(),
            ran_ns: BTreeMap::new(),
            stolen_ns: 0,
            waited_ns: 0,
        };
        witness.find_threads();
        witness.begin();
        witness
    }

    /// From now on counts.
    pub(crate) fn begin(&mut self) {
        (self.ran_ns, self.waited_ns) = self.times_ns();
        self.stolen_ns = stolen_ns();
    }

    /// What came about since; who came later counts in whole.
    pub(crate) fn end(&mut self) -> Outside {
        let stolen_ns = stolen_ns();
        self.find_threads();
        let (ran_ns, waited_ns) = self.times_ns();
        let others = ran_ns.iter().map(|(pid, ran_ns)| {
            let before_ns = self.ran_ns.get(pid).copied().unwrap_or(0);
            (*pid, ran_ns.saturating_sub(before_ns))
        });
        Outside {
            stolen_ms: millis(stolen_ns.saturating_sub(self.stolen_ns)),
            waited_ms: millis(waited_ns.saturating_sub(self.waited_ns)),
            others: others
                .filter(|(_, ran_ns)| *ran_ns >= TOLD_NS)
                .map(|(pid, ran_ns)| Other {
                    pid,
                    name: name(pid),
                    ran_ms: millis(ran_ns),
                })
                .collect(),
        }
    }

    fn find_threads(&mut self) {
        for process in numbers(Path::new("/proc")) {
            for thread in numbers(Path::new(&format!("/proc/{process}/task"))) {
                let path = format!("/proc/{process}/task/{thread}/schedstat");
                if !self.threads.contains_key(&thread)
                    && let Ok(schedstat) = File::open(path)
                {
                    self.threads.insert(thread, Watched { process, schedstat });
                }
            }
        }
    }

    /// How long each other process has run, and how long the calling thread has waited for a core.
    fn times_ns(&mut self) -> (BTreeMap<u32, u64>, u64) {
        let (mut ran_ns, mut own_waited_ns) = (BTreeMap::new(), 0);
        let me = gettid().as_raw_nonzero().get().unsigned_abs();
        self.threads.retain(|number, thread| {
            let mut bytes = [0; 64];
            // Of a thread that has gone nothing can be read.
            let Ok(len @ 1..) = thread.schedstat.read_at(&mut bytes, 0) else {
                return false;
            };
            let (ran, waited) = parse(&String::from_utf8_lossy(&bytes[..len]));
            if *number == me {
                own_waited_ns = waited;
            } else if thread.process != process::id() {
                *ran_ns.entry(thread.process).or_insert(0) += ran;
            }
            true
        });
        (ran_ns, own_waited_ns)
    }
}

/// Taken from all cores together by the host: exactly where the kernel's own figures can be read, in clock
/// ticks elsewhere.
fn stolen_ns() -> u64 {
    machine::clocks_apart_ns().unwrap_or_else(|| {
        let ticks = u128::from(Ticks::now().steal) * 1_000_000_000;
        u64::try_from(ticks / u128::from(clock_ticks_per_second().max(1))).unwrap_or(u64::MAX)
    })
}

/// A thread's time on a core and its time waiting for one, from its `schedstat` (proc(5)).
fn parse(text: &str) -> (u64, u64) {
    let mut words = text
        .split_whitespace()
        .map(|word| word.parse().unwrap_or(0));
    (words.next().unwrap_or(0), words.next().unwrap_or(0))
}

/// The entries of a folder that are numbers.
fn numbers(folder: &Path) -> Vec<u32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

fn name(pid: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm"));
    name.unwrap_or_default().trim().to_owned()
}

fn millis(ns: u64) -> f64 {
    ns as f64 / 1e6
}

#[cfg(test)]
#[path = "outside_test.rs"]
mod tests;
