//! Signals: reload, stop, stop at once.

use std::process;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use signal_hook::consts::SIGHUP;
use signal_hook::iterator::{Handle, Signals};

use crate::failure::Failure;
use crate::reload::Reloader;

/// Reloads on SIGHUP, asks for a stop on the first SIGTERM or SIGINT, and ends the process on the
/// second: what is durable is on disk already.
pub(super) struct SignalThread {
    /// Hears of the wish to stop.
    pub(super) stop: mpsc::Receiver<()>,
    handle: Handle,
    thread: JoinHandle<()>,
}

impl SignalThread {
    /// Handles `signals` on a thread of its own.
    pub(super) fn start(mut signals: Signals, reloader: Arc<Reloader>) -> Result<Self, Failure> {
        let handle = signals.handle();
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                let mut stopping = false;
                for signal in signals.forever() {
                    match signal {
                        SIGHUP => reloader.reload_and_log(),
                        _ if stopping => {
                            tracing::warn!("stopped at once: requests in flight were cut off");
                            process::exit(1);
                        }
                        _ => {
                            stopping = true;
                            // The main thread waits for exactly this.
                            let _ = stop.send(());
                        }
                    }
                }
            })?;
        Ok(Self {
            stop: stopped,
            handle,
            thread,
        })
    }

    /// Lets go of the state, which closes once nobody holds it.
    pub(super) fn end(self) {
        self.handle.close();
        // A panic there was reported by its own thread.
        let _ = self.thread.join();
    }
}
