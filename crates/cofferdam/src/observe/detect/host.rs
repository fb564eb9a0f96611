//! What runs out on the machine: descriptors, listen queues, room on the disk.

use std::collections::HashMap;

use base::Timestamp;
use base::event::{EventKind, Figure, Unit};

use super::{ListenQueue, Observation, told};
use crate::observe::signal::Signal;

/// Descriptors in use from which on they are said to be low, and down to which they still are, in
/// parts of a hundred.
const DESCRIPTORS_LOW_PERCENT: u64 = 90;
const DESCRIPTORS_FINE_PERCENT: u64 = 80;
/// Room on the disk of the data directory under which it is said to be full.
const ROOM_MIN_BYTES: u64 = 64 << 20;

/// What was known at the look before.
#[derive(Debug, Default)]
pub(super) struct HostWatch {
    descriptors_low_since: Option<Timestamp>,
    drops: HashMap<&'static str, u64>,
    cookies: Option<u64>,
}

impl HostWatch {
    pub(super) fn observe(&mut self, seen: &Observation<'_>, signals: &mut Vec<Signal>) {
        signals.extend(self.descriptors(seen));
        for queue in seen.queues {
            signals.extend(self.listen_overflow(seen.now, queue));
        }
        signals.extend(self.syn_cookies(seen));
        signals.extend(data_directory(seen));
    }

    fn descriptors(&mut self, seen: &Observation<'_>) -> Option<Signal> {
        let process = &seen.host.process;
        let (used, max) = (process.descriptors?, process.descriptors_max?);
        let percent = used.saturating_mul(100) / max.max(1);
        let bound = match self.descriptors_low_since {
            Some(_) => DESCRIPTORS_FINE_PERCENT,
            None => DESCRIPTORS_LOW_PERCENT,
        };
        if percent < bound {
            self.descriptors_low_since = None;
            return None;
        }
        let since = *self.descriptors_low_since.get_or_insert(seen.now);
        let sentence = format!(
            "{percent} % of the descriptors of this process are in use ({} of {}).",
            told(used as f64),
            told(max as f64)
        );
        let ended = "Enough descriptors are free again";
        let signal = Signal::lasting(EventKind::DescriptorsLow, since, sentence, ended)
            .advice(
                "Raise the limit on open files (LimitNOFILE= of the service, ulimit -Hn), or limit \
                 the tenant that has most of the connections.",
            )
            .evidence([
                Figure::new("descriptors", used as f64, Unit::Count),
                Figure::new("descriptors_max", max as f64, Unit::Count),
            ]);
        Some(signal)
    }

    fn listen_overflow(&mut self, now: Timestamp, queue: &ListenQueue) -> Option<Signal> {
        let listener = queue.listener;
        let drops = queue.queue.drops;
        let before = self.drops.insert(listener, drops).unwrap_or(drops);
        let dropped = drops.saturating_sub(before);
        let full = queue.queue.limit > 0 && queue.depth_max >= queue.queue.limit;
        if dropped == 0 && !full {
            return None;
        }
        let sentence = format!(
            "The kernel's queue of listener {listener} is full: {} connection attempts were dropped \
             in the last second, and up to {} of {} waited to be accepted.",
            told(dropped as f64),
            told(f64::from(queue.depth_max)),
            told(f64::from(queue.queue.limit))
        );
        let ended = format!("The kernel's queue of listener {listener} has room again");
        let signal = Signal::lasting(EventKind::ListenOverflow, now, sentence, ended)
            .cause(listener)
            .advice(
                "Whoever was dropped tries again after a second: see that net.core.somaxconn is \
                 4096 or more, and that the event loops have a processor.",
            )
            .evidence([
                Figure::new("connects_dropped", dropped as f64, Unit::Count),
                Figure::new("queue", f64::from(queue.depth_max), Unit::Count),
                Figure::new("queue_limit", f64::from(queue.queue.limit), Unit::Count),
            ]);
        Some(signal)
    }

    fn syn_cookies(&mut self, seen: &Observation<'_>) -> Option<Signal> {
        let protocols = &seen.host.protocols;
        let sent = protocols.syn_cookies_sent?;
        let before = self.cookies.replace(sent)?;
        let grown = sent.saturating_sub(before);
        if grown == 0 {
            return None;
        }
        let sentence = format!(
            "The kernel answered {} connection attempts of the last second with SYN cookies, as more \
             were begun than it remembers.",
            told(grown as f64)
        );
        let ended = "The kernel needs no SYN cookies any more";
        let signal = Signal::lasting(EventKind::SynCookies, seen.now, sentence, ended)
            .advice(
                "Few connections from many attempts is a SYN flood; as many connections as attempts \
                 is a storm of clients. Legitimate connections come through either way.",
            )
            .evidence([
                Figure::new("syn_cookies_sent", grown as f64, Unit::PerSecond),
                Figure::new(
                    "syn_cookies_failed_total",
                    protocols.syn_cookies_failed.unwrap_or(0) as f64,
                    Unit::Count,
                ),
            ]);
        Some(signal)
    }
}

fn data_directory(seen: &Observation<'_>) -> Option<Signal> {
    let ended = "The data directory can be written again";
    let kind = EventKind::DataDirectory;
    if let Some(failure) = seen.journal_failure {
        let sentence = format!("Events cannot be written to the data directory: {failure}.");
        let signal = Signal::lasting(kind, seen.now, sentence, ended)
            .cause("journal")
            .advice("Mend the disk or its permissions; until then events are in the log alone.");
        return Some(signal);
    }
    let (free, all) = seen.room?;
    if free >= ROOM_MIN_BYTES {
        return None;
    }
    let sentence = format!(
        "The disk of the data directory has only {} MiB left, and changes of tenants will soon fail.",
        free >> 20
    );
    let signal = Signal::lasting(kind, seen.now, sentence, ended)
        .cause("room")
        .advice("Make room on that disk; the cache itself does not need it.")
        .evidence([
            Figure::new("free", free as f64, Unit::Bytes),
            Figure::new("size", all as f64, Unit::Bytes),
        ]);
    Some(signal)
}

#[cfg(test)]
#[path = "host_test.rs"]
mod tests;
