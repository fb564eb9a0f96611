//! The cable between a host and its switch: narrow, or pulled.

use std::sync::{Mutex, PoisonError};

use super::space::Space;
use crate::error::DrillError;

/// A host's end of its cable.
pub(super) const UPLINK: &str = "uplink";
/// Waits at most before it is dropped, each way; a quarter of a second at 2 Mbit/s.
const QUEUE_BYTES: u64 = 64 * 1024;
/// A packet and its head: less would let nothing through.
const PACKET_BYTES: u64 = 1600;

/// How a cable is; by default as good as the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// What goes through in a second, each way, in bits. What is too much waits, in 64 KiB, and what
    /// waits there not is dropped.
    pub bits_per_s: Option<u64>,
    /// Nothing goes through, and nobody is told but the host's own kernel.
    pub is_pulled: bool,
}

/// A pair of veth devices.
#[derive(Debug)]
pub(super) struct Cable {
    host: Space,
    switch: Space,
    port: String,
    line: Mutex<Line>,
}

impl Cable {
    /// As good as the machine, until a line is set.
    pub(super) fn new(host: Space, switch: Space, port: String) -> Self {
        let line = Mutex::default();
        Self {
            host,
            switch,
            port,
            line,
        }
    }

    /// From now on it is like this; after an error it may be half so, and is of no use any more.
    pub(super) fn set(&self, wanted: &Line) -> Result<(), DrillError> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted.bits_per_s != line.bits_per_s {
            for (space, device) in [(&self.host, UPLINK), (&self.switch, self.port.as_str())] {
                space.tc(&queue(device, wanted.bits_per_s))?;
            }
            line.bits_per_s = wanted.bits_per_s;
        }
        if wanted.is_pulled != line.is_pulled {
            let state = if wanted.is_pulled { "down" } else { "up" };
            let port = &self.port;
            self.switch.ip(&format!("link set {port} {state}\n"))?;
            line.is_pulled = wanted.is_pulled;
        }
        Ok(())
    }
}

/// What `tc` is told about one end: a token bucket (tc-tbf(8)) lets through what the line carries.
fn queue(device: &str, bits_per_s: Option<u64>) -> String {
    let Some(bits_per_s) = bits_per_s else {
        return format!("qdisc delete dev {device} root\n");
    };
    // A millisecond's worth at once, since timers are no finer.
    let burst = (bits_per_s / 8 / 1000).max(PACKET_BYTES);
    format!(
        "qdisc replace dev {device} root tbf rate {bits_per_s}bit burst {burst} limit {QUEUE_BYTES}\n"
    )
}
