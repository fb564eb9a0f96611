//! A run that tells what happened window by window while it goes on, and ends when it is told to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::error::LoadError;
use super::plan::Plan;
use super::report::{Errors, Phase};
use super::run::run_thread;
use super::shared::{News, Shared};
use super::tally::Timing;
use super::worker::Stop;

/// How often the wish to stop is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What happened in one stretch of the measured part of a run.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    /// Its begin and end, in nanoseconds of the monotonic clock, which all processes share.
    pub(crate) from_ns: u64,
    pub(crate) to_ns: u64,
    /// From each request's time to its reply, or to giving it up.
    pub(crate) latency: Timing,
    /// How late requests left although a connection was free.
    pub(crate) lag: Timing,
    pub(crate) requests: u64,
    /// Keys that were asked for and there, or not.
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) errors: Errors,
    pub(crate) reconnects: u64,
    pub(crate) bytes_sent: u64,
}

/// Runs the plan's one thread until it ends or `stop` is set; `each` hears of every window.
///
/// No account of the whole is given: whoever listens adds up the windows that he cares for.
pub(crate) fn stream(
    plan: &Plan,
    stop: &AtomicBool,
    each: &mut dyn FnMut(Window),
) -> Result<(), LoadError> {
    plan.validate()?;
    let shared = Shared::new(&Plan {
        threads: 1,
        ..plan.clone()
    })?;
    let (newsroom, news) = channel();
    thread::scope(|scope| {
        let shared = &shared;
        let worker = scope.spawn(move || run_thread(plan, shared, newsroom, 0));
        listen(&news, shared, stop, each);
        match worker.join() {
            Ok(Ok(_) | Err(Stop::Abandoned)) => Ok(()),
            Ok(Err(Stop::Error(error))) => Err(error),
            Err(_) => Err(LoadError::ThreadLost),
        }
    })
}

/// Passes on what is measured until nobody sends any more.
fn listen(news: &Receiver<News>, shared: &Shared, stop: &AtomicBool, each: &mut dyn FnMut(Window)) {
    loop {
        match news.recv_timeout(LOOK_EVERY) {
            Ok(item) if item.phase == Phase::Measure => each(window(item)),
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if stop.load(Ordering::Relaxed) {
            shared.gate.abandon();
        }
    }
}

fn window(news: News) -> Window {
    let tally = news.tally;
    let (hits, misses) = tally.hits_and_misses();
    Window {
        from_ns: news.at_ns.saturating_sub(news.span_ns),
        to_ns: news.at_ns,
        latency: tally.latency(),
        requests: tally.requests(),
        hits,
        misses,
        errors: tally.errors,
        reconnects: tally.reconnects,
        bytes_sent: tally.bytes_sent,
        lag: tally.lag,
    }
}

#[cfg(test)]
#[path = "stream_test.rs"]
mod tests;
