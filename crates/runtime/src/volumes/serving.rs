//! The threads that let clients in, and how all of it ends.

use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread;

use base::Timestamp;

use super::connection;
use super::listener::NbdListener;
use super::service::{Shared, Streams, TICK};
use super::session::Client;
use super::spec::Identity;
use super::stream::Stream;

/// Connections at once, a thread for each.
const CONNECTIONS_MAX: usize = 4096;

impl Shared {
    pub(super) fn accept(self: &Arc<Self>, listener: &NbdListener) {
        while !self.drains.load(Ordering::Acquire) {
            match listener.accept() {
                Ok(None) => {}
                Ok(Some((socket, identity))) => self.welcome(listener, socket, identity),
                Err(error) => {
                    tracing::warn!(%error, "no connection could be accepted");
                    self.pause();
                }
            }
        }
        if !self.leaves_files.load(Ordering::Acquire) {
            listener.remove_file();
        }
    }

    /// Waits a moment, as after the descriptors were used up.
    pub(super) fn pause(&self) {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.ending.wait_timeout(ended, TICK));
    }

    fn welcome(self: &Arc<Self>, listener: &NbdListener, socket: OwnedFd, identity: Identity) {
        let stream = Stream::new(socket);
        let mut streams = self.streams();
        if streams.open.len() >= CONNECTIONS_MAX {
            tracing::warn!(
                connections = CONNECTIONS_MAX,
                "an NBD client is turned away"
            );
            return;
        }
        streams.next += 1;
        let number = streams.next;
        streams.open.insert(number, stream.clone());
        drop(streams);
        let mut client = Client {
            shared: Arc::clone(self),
            number,
            identity,
            tls: listener.tls().cloned(),
        };
        let serving = thread::Builder::new().name("nbd-client".to_owned());
        let served = serving.spawn(move || {
            connection::serve(&mut client, stream);
            client.leave();
        });
        if let Err(error) = served {
            tracing::warn!(%error, "no thread for a client; it is turned away");
            self.streams().open.remove(&number);
        }
    }

    pub(super) fn drain(&self, deadline: Timestamp) {
        self.drains.store(true, Ordering::Release);
        self.streams().open.values().for_each(Stream::shut_input);
        // Else whoever waits for them would hold up the end.
        self.entries()
            .values()
            .for_each(|entry| entry.limiter.lift());
        let mut streams = self.streams();
        let left = deadline.since(self.clock.now());
        let busy = |streams: &mut Streams| !streams.open.is_empty();
        let waited = self.gone.wait_timeout_while(streams, left, busy);
        streams = waited.unwrap_or_else(PoisonError::into_inner).0;
        if !streams.open.is_empty() {
            tracing::warn!(connections = streams.open.len(), "NBD clients are cut off");
            streams.open.values().for_each(Stream::shut_down);
        }
        drop(streams);
        for volume in self.attached() {
            if !volume.settle(deadline) {
                tracing::info!("a volume is detached with records in its journal");
            }
        }
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.ending.notify_all();
        self.workers.end();
        let entries = self.entries();
        let places: Vec<_> = entries.values().map(|one| Arc::clone(&one.place)).collect();
        // Whoever attaches a volume still holds its place, and looks among the entries before letting go.
        drop(entries);
        for place in places {
            *place.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}
