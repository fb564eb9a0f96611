//! A thread that asks control, at the priority of those who hold caches and state.
//!
//! Pages are served at low priority. What they have done to caches and state is done here, so that
//! nobody who holds one for a moment waits for a processor meanwhile.

use std::io;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use tokio::sync::oneshot;

use crate::control::{Control, ControlError};

/// Deeds that wait; past that one is refused.
const QUEUE_MAX: usize = 64;

type Deed = Box<dyn FnOnce(&Control) + Send>;

/// The way to the thread, which ends when this is dropped and all is done.
pub(super) struct Workers {
    queue: mpsc::SyncSender<Deed>,
}

impl Workers {
    pub(super) fn start(control: Arc<Control>) -> io::Result<Self> {
        let (queue, deeds) = mpsc::sync_channel::<Deed>(QUEUE_MAX);
        thread::Builder::new()
            .name("tenant-deeds".into())
            .spawn(move || deeds.iter().for_each(|deed| deed(&control)))?;
        Ok(Self { queue })
    }

    /// Has `work` done, and waits for what comes of it; the error is for people.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Control) -> Result<T, ControlError> + Send + 'static,
    ) -> Result<T, String> {
        let (tell, told) = oneshot::channel();
        let deed: Deed = Box::new(move |control| {
            // Whoever asked may have gone.
            let _ = tell.send(work(control));
        });
        if self.queue.try_send(deed).is_err() {
            return Err("Too much is being done at once: try again in a moment.".to_owned());
        }
        match told.await {
            Ok(done) => done.map_err(|error| error.to_string()),
            Err(_) => Err("It broke off: ask your operator.".to_owned()),
        }
    }
}
