//! What a node is trying out just now, in words for whoever wants something else tried out meanwhile.

use std::fs;
use std::time::Duration;

use base::Timestamp;
use node::Task;
use rustix::thread::gettid;

/// Something that has begun and is not over.
#[derive(Debug)]
pub(super) struct Underway {
    what: String,
    asked_at: Timestamp,
    /// The kernel's number of the thread that does it, once that runs.
    thread: Option<i32>,
}

impl Underway {
    /// A task that was asked for at `now`.
    pub(super) fn new(task: &Task, now: Timestamp) -> Self {
        Self {
            what: match task {
                Task::Own(_) => "its own machine".to_owned(),
                Task::Pair { name, .. } => format!("its way to {name}"),
            },
            asked_at: now,
            thread: None,
        }
    }

    /// The calling thread does it.
    pub(super) fn runs_here(&mut self) {
        self.thread = Some(gettid().as_raw_nonzero().get());
    }

    /// Why the node `me` tries nothing else out, and what this waits for if it is a processor.
    pub(super) fn in_words(&self, me: &str, now: Timestamp) -> String {
        let asked_s = now.since(self.asked_at).as_secs_f64();
        let what = &self.what;
        let told = format!("{me} is still trying out {what}, as it was asked {asked_s:.1} s ago");
        let Some(thread) = self.thread else {
            return format!("{told}: it has had no processor for that yet");
        };
        match times_of(thread) {
            Some((ran, waited)) => format!(
                "{told}: it has run for {:.1} s of that, and waited {:.1} s for a processor",
                ran.as_secs_f64(),
                waited.as_secs_f64()
            ),
            // This kernel does not count.
            None => told,
        }
    }
}

/// How long a thread of this process has run, and waited for a processor (proc(5), `schedstat`).
fn times_of(thread: i32) -> Option<(Duration, Duration)> {
    let text = fs::read_to_string(format!("/proc/self/task/{thread}/schedstat")).ok()?;
    let mut times = text.split_whitespace();
    let mut next = || Some(Duration::from_nanos(times.next()?.parse().ok()?));
    Some((next()?, next()?))
}

#[cfg(test)]
#[path = "underway_test.rs"]
mod tests;
