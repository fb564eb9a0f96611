//! Keeps this process's certificate good: renews it at the fleet's authority in time, and takes up one
//! that somebody else has put into its folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use runtime::Clock;
use runtime::cluster;
use runtime::nodes::PeerTls;

/// How often it is looked after the certificate: a twentieth of its time, within these.
const LOOK_EVERY_MIN: Duration = Duration::from_millis(500);
const LOOK_EVERY_MAX: Duration = Duration::from_secs(600);

/// A thread that does so until this is dropped.
pub(crate) struct Renewal {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Renewal {
    pub(crate) fn start(folder: PathBuf, tls: PeerTls, clock: Clock) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let work = move || {
            while !stopped.load(Ordering::Acquire) {
                look(&folder, &tls, clock);
                thread::park_timeout(look_every(&tls));
            }
        };
        Ok(Self {
            stop,
            thread: Some(thread::Builder::new().name("renewal".into()).spawn(work)?),
        })
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic there was reported by its own thread.
            let _ = thread.join();
        }
    }
}

fn look_every(tls: &PeerTls) -> Duration {
    let lifetime_s = tls
        .validity()
        .map_or(0, |(from, until)| until.saturating_sub(from));
    Duration::from_secs(lifetime_s / 20).clamp(LOOK_EVERY_MIN, LOOK_EVERY_MAX)
}

fn look(folder: &Path, tls: &PeerTls, clock: Clock) {
    refresh(tls);
    let now_s = u64::from(clock.now().unix_secs());
    let Some((from, until)) = tls.validity() else {
        return;
    };
    if !is_due(from, until, now_s) {
        return;
    }
    let left_s = until.saturating_sub(now_s);
    match cluster::membership(folder) {
        Ok(Some(membership)) => match cluster::renew(folder, &membership) {
            Ok(()) => {
                refresh(tls);
                tracing::info!("this member's certificate was renewed");
            }
            Err(error) => tracing::warn!(%error, left_s, "the certificate is not renewed"),
        },
        Ok(None) => tracing::warn!(
            left_s,
            folder = %folder.display(),
            "the certificate ends soon: put a new one there, it is taken up without a restart"
        ),
        Err(error) => tracing::warn!(%error, left_s, "the certificate is not renewed"),
    }
}

/// When a third of its time is left.
fn is_due(from_s: u64, until_s: u64, now_s: u64) -> bool {
    until_s.saturating_sub(now_s) < until_s.saturating_sub(from_s) / 3
}

fn refresh(tls: &PeerTls) {
    match tls.refresh() {
        Ok(true) => tracing::info!("another certificate is shown from now on"),
        Ok(false) => {}
        Err(error) => tracing::warn!(%error, "the certificate cannot be read again"),
    }
}

#[cfg(test)]
#[path = "renewal_test.rs"]
mod tests;
