//! A way to a server that can be made bad: later, narrower, stuck or cut, in any combination.
//!
//! A [`Link`] listens on loopback, or in the network of the thread that makes it, carries bytes to a
//! server and back, and does to them what its [`Faults`] say. It lives in the process of whoever made it
//! and ends with it, so that nothing is left when a drill is killed. What it does not do is lose or
//! reorder bytes within a connection: TCP would not either.

mod engine;
mod pipe;
mod shaper;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mio::Waker;

use crate::error::DrillError;
use engine::Engine;

/// What is bad about a way; the default is nothing. All of it adds up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// Every reply comes so much later.
    pub reply_delay: Duration,
    /// Some replies come later.
    pub bad_moments: Option<BadMoments>,
    /// What goes through in a second, each way, in bits.
    pub bits_per_s: Option<u64>,
    /// Nothing goes through, and nobody is told: as behind a broken switch.
    pub is_stalled: bool,
    /// Connections are closed, and new ones as soon as they are made.
    pub is_cut: bool,
}

/// Moments in which replies are late; as on a line that loses a packet now and then, what is behind
/// a late reply is late with it.
#[derive(Clone, Debug, PartialEq)]
pub struct BadMoments {
    /// The part of all moments.
    pub share: f64,
    /// How long a moment is.
    pub length: Duration,
    /// How late replies are in a bad one, evenly distributed.
    pub delay: Range<Duration>,
}

/// A way from an address of its own to a server.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    shared: Arc<Shared>,
    waker: Arc<Waker>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    stop: AtomicBool,
    setting: Mutex<Setting>,
}

/// Where it leads, and what is bad about it.
#[derive(Clone, Debug)]
struct Setting {
    target: SocketAddr,
    faults: Faults,
}

impl Shared {
    fn setting(&self) -> MutexGuard<'_, Setting> {
        self.setting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    /// To `target`, from a free port of loopback; random choices follow from `seed`.
    pub fn start(target: SocketAddr, seed: u64) -> Result<Self, DrillError> {
        Self::start_on(Ipv4Addr::LOCALHOST, target, seed)
    }

    /// To `target`, from a free port of an address of the caller's network.
    pub fn start_on(from: Ipv4Addr, target: SocketAddr, seed: u64) -> Result<Self, DrillError> {
        let failed = || DrillError::system("cannot make a way to a server");
        let listener = TcpListener::bind((from, 0)).map_err(failed())?;
        listener.set_nonblocking(true).map_err(failed())?;
        let address = listener.local_addr().map_err(failed())?;
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            setting: Mutex::new(Setting {
                target,
                faults: Faults::default(),
            }),
        });
        let mut engine = Engine::new(listener, Arc::clone(&shared), seed).map_err(failed())?;
        let waker = engine.waker();
        let thread = thread::Builder::new()
            .name("way".into())
            .spawn(move || engine.run())
            .map_err(failed())?;
        Ok(Self {
            address,
            shared,
            waker,
            thread: Some(thread),
        })
    }

    /// Where to connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads new connections to another server.
    pub fn lead_to(&self, target: SocketAddr) {
        self.shared.setting().target = target;
    }

    /// From now on this is bad about it, and nothing else.
    pub fn set(&self, faults: Faults) {
        self.shared.setting().faults = faults;
        // It looks by itself within a moment.
        let _ = self.waker.wake();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        let _ = self.waker.wake();
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by its own thread.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
#[path = "proxy_test.rs"]
mod tests;
