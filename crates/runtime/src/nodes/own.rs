//! Tries out this machine for the gate: engine, memory, processors, disk; at a pace that leaves whoever
//! serves here nearly all of it.

use std::fs;
use std::hint::black_box;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use base::Timestamp;
use fleet::gate::SHARE_MAX;
use node_proto::gate::{OwnExam, OwnResult};
use rustix::time::{ClockId, clock_gettime};

use crate::Clock;
use crate::observe::host::HostSampler;

/// The engine's operations that are timed at once, and how often.
const OPERATIONS: u64 = 64;
const BATCHES: usize = 60;
/// Memory that is copied at once, more than the caches near a processor hold, and how often.
const COPY_LEN: usize = 8 << 20;
const COPIES: usize = 9;
/// Memory for patterns is taken in parts.
const PATTERN_LEN_MAX: u32 = 64 << 20;
const WRITE_LEN: usize = 4096;
const WRITES_MAX: u32 = 200;

/// What a node's machine is tried out with.
#[derive(Clone)]
pub struct OwnTrial {
    /// Makes something that carries out one operation of the engine each time it is called.
    pub engine: Arc<dyn Fn() -> Box<dyn FnMut()> + Send + Sync>,
    /// Where a node that keeps volumes has its data.
    pub folder: PathBuf,
}

/// Tries it all out; it takes a second or two.
///
/// # Errors
/// The disk does not take what is written to it.
pub(super) fn examine(trial: &OwnTrial, exam: OwnExam, clock: Clock) -> io::Result<OwnResult> {
    let before = HostSampler::new().sample().cpu;
    let mut operation = (trial.engine)();
    let engine = timed(clock, BATCHES, || {
        for _ in 0..OPERATIONS {
            operation();
        }
    });
    let (from, mut to) = (vec![1u8; COPY_LEN], vec![0u8; COPY_LEN]);
    let copy = timed(clock, COPIES, || {
        to.copy_from_slice(black_box(&from));
        black_box(&to);
    });
    let pattern_faults = faults(exam.pattern_len.min(PATTERN_LEN_MAX), |_| {});
    let disk = match exam.disk_writes.min(WRITES_MAX) {
        0 => Duration::ZERO,
        count => written(&trial.folder, count, clock)?,
    };
    let after = HostSampler::new().sample().cpu;
    let steal_ppm = before.zip(after).map_or(0, |(before, after)| {
        let all = after.total().saturating_sub(before.total()).as_nanos();
        let stolen = after.steal.saturating_sub(before.steal).as_nanos();
        u32::try_from(stolen * 1_000_000 / all.max(1)).unwrap_or(1_000_000)
    });
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    Ok(OwnResult {
        engine_ns: u32::try_from(nanos(engine) / OPERATIONS).unwrap_or(u32::MAX),
        memory_per_s: (COPY_LEN as f64 / copy.as_secs_f64().max(1e-9)) as u64,
        pattern_faults,
        steal_ppm,
        disk_ns: nanos(disk),
    })
}

/// The median processor time of so many turns, between which the processor is left to others. By the clock a
/// turn would also take what others have of the processor meanwhile, from whom this thread stands back: that
/// says nothing of engine or memory, and to rest so many times as long would take for ever.
fn timed(clock: Clock, turns: usize, mut turn: impl FnMut()) -> Duration {
    let mut times = Vec::new();
    for _ in 0..turns {
        let before = processor_time();
        turn();
        let took = processor_time().saturating_sub(before);
        times.push(took);
        rest(clock, took);
    }
    median(times)
}

/// What the calling thread has had of the processors.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    // It is never negative.
    Duration::try_from(time).unwrap_or_default()
}

/// For as long as that what was done is a twentieth of the time.
fn rest(clock: Clock, worked: Duration) {
    let until: Timestamp = clock.now() + worked.mul_f64(1.0 / SHARE_MAX - 1.0);
    loop {
        match until.since(clock.now()) {
            Duration::ZERO => return,
            left => thread::park_timeout(left),
        }
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Words of so many bytes of memory that do not hold what was written to them: all bits of every word
/// once set and once not, beside neighbours that differ, and each word something of its own. `between`
/// has the memory after it was written and before it is read.
fn faults(len: u32, mut between: impl FnMut(&mut [u64])) -> u32 {
    let mut memory = vec![0u64; len as usize / 8];
    let patterns: [fn(u64) -> u64; 3] = [
        |_| 0x5555_5555_5555_5555,
        |_| 0xaaaa_aaaa_aaaa_aaaa,
        // Two addresses that are one word would be noticed.
        |place| place.wrapping_mul(0x9e37_79b9_7f4a_7c15),
    ];
    let mut faults = 0u32;
    for pattern in patterns {
        for (place, word) in memory.iter_mut().enumerate() {
            *word = pattern(place as u64);
        }
        between(&mut memory);
        let memory = black_box(&memory);
        let wrong = memory.iter().enumerate();
        let wrong = wrong.filter(|(place, word)| **word != pattern(*place as u64));
        faults = faults.saturating_add(u32::try_from(wrong.count()).unwrap_or(u32::MAX));
    }
    faults
}

/// What half of so many small writes take at most until they are on the disk.
fn written(folder: &Path, count: u32, clock: Clock) -> io::Result<Duration> {
    let path = folder.join("gate-exam");
    let mut file = fs::File::create(&path)?;
    let block = [3; WRITE_LEN];
    let mut times = Vec::new();
    let done = (0..count).try_for_each(|_| {
        let began = clock.now();
        file.write_all(&block)?;
        file.sync_data()?;
        let took = clock.now().since(began);
        times.push(took);
        rest(clock, took);
        Ok(())
    });
    fs::remove_file(&path)?;
    done.map(|()| median(times))
}

#[cfg(test)]
#[path = "own_test.rs"]
mod tests;
