//! A thread that goes on until it is told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crate::error::DrillError;

/// A thread that is stopped, and waited for, when this is dropped.
#[derive(Debug)]
pub(crate) struct Task<T> {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<T>>,
}

impl<T: Send + 'static> Task<T> {
    /// Runs `work`, which ends soon after its flag is set.
    pub(crate) fn start(
        name: &str,
        work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
    ) -> Result<Self, DrillError> {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name(name.into())
            .spawn(move || work(&flag))
            .map_err(DrillError::system(format!("cannot start thread {name}")))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }

    /// Whether it has ended, by itself or since it was told to.
    pub(crate) fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// What it found, if it has ended by itself without a panic.
    pub(crate) fn take_outcome(&mut self) -> Option<T> {
        let thread = self.thread.take_if(|thread| thread.is_finished())?;
        thread.join().ok()
    }

    /// Tells it to stop, without waiting.
    pub(crate) fn end(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Stops it and takes what it found; `None` if it panicked.
    pub(crate) fn finish(mut self) -> Option<T> {
        self.end();
        self.thread.take()?.join().ok()
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic was told by the thread itself.
            let _ = thread.join();
        }
    }
}
