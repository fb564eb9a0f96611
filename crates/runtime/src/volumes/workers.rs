//! Threads for I/O that a connection must not wait for: reads from the disk first, packing after.
//!
//! Packing has what is left of the processors as long as there is room in the journal. Once room runs short, or
//! somebody waits for it, other threads do it, with a share of their own: else a machine that is busy for good
//! would never come to it.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use rustix::process::setpriority_process;
use volume::Command;

use super::attached::Attached;
use super::bulk::WholeBulk;
use crate::priority::take_what_is_left;

/// How many reads and syncs may wait for the disk at once: what keeps a solid-state disk busy.
const PROMPT_THREADS: usize = 12;
/// How many segments may be packed and stored at once, over all volumes.
const PATIENT_THREADS: usize = 3;

/// Packing that is pressed gives way to whoever serves clients, but has about a quarter of a processor.
const NICENESS: i32 = 5;

/// One thing to do, and for whom.
pub(super) type Job = (Arc<Attached>, Work);

/// What there is to do.
#[derive(Debug)]
pub(super) enum Work {
    /// Some I/O that the engine asked for.
    Command(Command),
    /// A large write of which all has come.
    Bulk(Box<WholeBulk>),
}

/// The threads and what waits for them.
#[derive(Debug)]
pub(super) struct Workers {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    queues: Mutex<Queues>,
    signals: [Condvar; URGENCIES],
}

#[derive(Debug, Default)]
struct Queues {
    /// One for each urgency.
    jobs: [VecDeque<Job>; URGENCIES],
    ended: bool,
}

/// How soon something is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// A client waits for it.
    Prompt,
    /// Only the journal's room does, and there is little of it.
    Pressed,
    /// There is time.
    Patient,
}

const URGENCIES: usize = 3;

impl Workers {
    /// Starts the threads.
    pub(super) fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let all = [
            (Urgency::Prompt, PROMPT_THREADS, "volume-io"),
            (Urgency::Pressed, PATIENT_THREADS, "volume-pressed"),
            (Urgency::Patient, PATIENT_THREADS, "volume-pack"),
        ];
        let mut threads = Vec::new();
        for (urgency, count, name) in all {
            for _ in 0..count {
                let shared = Arc::clone(&shared);
                let builder = thread::Builder::new().name(name.to_owned());
                threads.push(builder.spawn(move || shared.work(urgency))?);
            }
        }
        Ok(Self {
            shared,
            threads: Mutex::new(threads),
        })
    }

    /// Has a thread do it.
    pub(super) fn give(&self, urgency: Urgency, job: Job) {
        let mut queues = self.shared.queues();
        if queues.ended {
            // As if the process had been killed: what was acknowledged is in the journal.
            return;
        }
        queues.of(urgency).push_back(job);
        drop(queues);
        self.shared.signal(urgency).notify_one();
    }

    /// What a volume has here and has time has none any more.
    pub(super) fn press(&self, volume: &Arc<Attached>) {
        let mut queues = self.shared.queues();
        let patient = std::mem::take(queues.of(Urgency::Patient));
        let (pressed, patient): (VecDeque<Job>, VecDeque<Job>) = patient
            .into_iter()
            .partition(|(whose, _)| Arc::ptr_eq(whose, volume));
        *queues.of(Urgency::Patient) = patient;
        if pressed.is_empty() {
            return;
        }
        queues.of(Urgency::Pressed).extend(pressed);
        drop(queues);
        self.shared.signal(Urgency::Pressed).notify_all();
    }

    /// Drops what waits, and ends the threads.
    pub(super) fn end(&self) {
        let mut queues = self.shared.queues();
        queues.ended = true;
        queues.jobs.iter_mut().for_each(VecDeque::clear);
        drop(queues);
        self.shared.signals.iter().for_each(Condvar::notify_all);
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            // A panic there was reported by its own thread.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn work(&self, urgency: Urgency) {
        match urgency {
            Urgency::Prompt => {}
            Urgency::Pressed => {
                if let Err(error) = setpriority_process(None, NICENESS) {
                    tracing::debug!(%error, "packing is as urgent as serving");
                }
            }
            Urgency::Patient => take_what_is_left(),
        }
        let mut queues = self.queues();
        loop {
            if let Some((volume, work)) = queues.of(urgency).pop_front() {
                drop(queues);
                match work {
                    Work::Command(command) => volume.carry_out(command),
                    Work::Bulk(bulk) => bulk.store(&volume),
                }
                queues = self.queues();
            } else if queues.ended {
                return;
            } else {
                let signal = self.signal(urgency);
                queues = signal.wait(queues).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn signal(&self, urgency: Urgency) -> &Condvar {
        let [prompt, pressed, patient] = &self.signals;
        match urgency {
            Urgency::Prompt => prompt,
            Urgency::Pressed => pressed,
            Urgency::Patient => patient,
        }
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queues {
    fn of(&mut self, urgency: Urgency) -> &mut VecDeque<Job> {
        let [prompt, pressed, patient] = &mut self.jobs;
        match urgency {
            Urgency::Prompt => prompt,
            Urgency::Pressed => pressed,
            Urgency::Patient => patient,
        }
    }
}

#[cfg(test)]
#[path = "workers_test.rs"]
mod tests;
