//! Threads for I/O that a connection must not wait for: reads from the disk first, packing after.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use rustix::process::setpriority_process;
use volume::Command;

use super::attached::Attached;
use super::bulk::WholeBulk;

/// How many reads and syncs may wait for the disk at once: what keeps a solid-state disk busy.
const PROMPT_THREADS: usize = 12;
/// How many segments may be packed and stored at once, over all volumes.
const PATIENT_THREADS: usize = 3;

/// Packing gives way to whoever serves clients, as long as they leave time.
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
    prompt: Condvar,
    patient: Condvar,
}

#[derive(Debug, Default)]
struct Queues {
    prompt: VecDeque<Job>,
    patient: VecDeque<Job>,
    ended: bool,
}

/// How soon something is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// A client waits for it.
    Prompt,
    /// Only the journal's room does.
    Patient,
}

impl Workers {
    /// Starts the threads.
    pub(super) fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let all = [
            (Urgency::Prompt, PROMPT_THREADS, "volume-io"),
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
        match urgency {
            Urgency::Prompt => queues.prompt.push_back(job),
            Urgency::Patient => queues.patient.push_back(job),
        }
        drop(queues);
        self.shared.signal(urgency).notify_one();
    }

    /// Drops what waits, and ends the threads.
    pub(super) fn end(&self) {
        let mut queues = self.shared.queues();
        queues.ended = true;
        queues.prompt.clear();
        queues.patient.clear();
        drop(queues);
        self.shared.prompt.notify_all();
        self.shared.patient.notify_all();
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            // A panic there was reported by its own thread.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn work(&self, urgency: Urgency) {
        if urgency == Urgency::Patient
            && let Err(error) = setpriority_process(None, NICENESS)
        {
            tracing::debug!(%error, "packing is as urgent as serving");
        }
        let mut queues = self.queues();
        loop {
            let queue = match urgency {
                Urgency::Prompt => &mut queues.prompt,
                Urgency::Patient => &mut queues.patient,
            };
            if let Some((volume, work)) = queue.pop_front() {
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
        match urgency {
            Urgency::Prompt => &self.prompt,
            Urgency::Patient => &self.patient,
        }
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
