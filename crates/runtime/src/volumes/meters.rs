//! What clients ask of a volume: how much, how long it takes, and whether it is answered at all.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base::Timestamp;

use super::request::PartKind;

/// The kinds of requests that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// READ.
    Read,
    /// WRITE.
    Write,
    /// WRITE_ZEROES and TRIM.
    Zero,
    /// FLUSH.
    Flush,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Zero, Self::Flush];

    /// The word for it, in metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Zero => "zero",
            Self::Flush => "flush",
        }
    }

    pub(super) const fn of(kind: PartKind) -> Self {
        match kind {
            PartKind::Read => Self::Read,
            PartKind::Write => Self::Write,
            PartKind::Zero => Self::Zero,
            PartKind::Flush => Self::Flush,
        }
    }
}

/// What clients have asked of one volume since it was attached.
#[derive(Debug)]
pub struct Meters {
    operations: [Meter; Operation::ALL.len()],
    since: Timestamp,
    under_way: AtomicU64,
    /// When something was asked while nothing was under way, and for how long in all something was.
    busy_since: AtomicU64,
    busy_nanos: AtomicU64,
    /// When something was last answered, or asked while nothing was under way.
    moved_at: AtomicU64,
}

#[derive(Debug, Default)]
struct Meter {
    count: AtomicU64,
    failed: AtomicU64,
    bytes: AtomicU64,
    nanos: AtomicU64,
}

/// One kind's figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OperationFigures {
    /// Requests answered, those included that failed.
    pub count: u64,
    /// Those that failed.
    pub failed: u64,
    /// Bytes of the others.
    pub bytes: u64,
    /// From being read to being answered, all together.
    pub time: Duration,
}

/// A volume's figures in the manner of a cloud's block store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeterFigures {
    /// In the order of [`Operation::ALL`].
    pub operations: [OperationFigures; Operation::ALL.len()],
    /// Requests under way.
    pub queue_len: u64,
    /// For how long none was, since the volume was attached.
    pub idle: Duration,
    /// For how long there has been no answer though there are requests.
    pub still: Duration,
}

impl Meters {
    /// Nothing was asked yet.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            operations: Default::default(),
            since: now,
            under_way: AtomicU64::new(0),
            busy_since: AtomicU64::new(0),
            busy_nanos: AtomicU64::new(0),
            moved_at: AtomicU64::new(0),
        }
    }

    /// A request begins.
    pub(super) fn begins(&self, now: Timestamp) {
        if self.under_way.fetch_add(1, Ordering::Relaxed) == 0 {
            self.busy_since.store(now.as_nanos(), Ordering::Relaxed);
            self.moved_at.store(now.as_nanos(), Ordering::Relaxed);
        }
    }

    /// Some of a request's bytes are done.
    pub(super) fn moves(&self, operation: Operation, bytes: u64) {
        self.meter(operation)
            .bytes
            .fetch_add(bytes, Ordering::Relaxed);
    }

    /// A request is answered.
    pub(super) fn ends(&self, operation: Operation, begun: Timestamp, now: Timestamp, ok: bool) {
        let meter = self.meter(operation);
        let nanos = nanos(now.since(begun));
        meter.count.fetch_add(1, Ordering::Relaxed);
        meter.nanos.fetch_add(nanos, Ordering::Relaxed);
        if !ok {
            meter.failed.fetch_add(1, Ordering::Relaxed);
        }
        self.moved_at.store(now.as_nanos(), Ordering::Relaxed);
        let busy_since = Timestamp::from_nanos(self.busy_since.load(Ordering::Relaxed));
        if self.under_way.fetch_sub(1, Ordering::Relaxed) == 1 {
            let busy = now.since(busy_since);
            self.busy_nanos
                .fetch_add(self::nanos(busy), Ordering::Relaxed);
        }
    }

    /// What all of that comes to.
    pub fn figures(&self, now: Timestamp) -> MeterFigures {
        let queue_len = self.under_way.load(Ordering::Relaxed);
        let at = |nanos: &AtomicU64| Timestamp::from_nanos(nanos.load(Ordering::Relaxed));
        let before = Duration::from_nanos(self.busy_nanos.load(Ordering::Relaxed));
        let (busy, still) = match queue_len {
            0 => (before, Duration::ZERO),
            _ => {
                let present = now.since(at(&self.busy_since));
                (before + present, now.since(at(&self.moved_at)))
            }
        };
        MeterFigures {
            operations: Operation::ALL.map(|operation| self.meter(operation).figures()),
            queue_len,
            idle: now.since(self.since).saturating_sub(busy),
            still,
        }
    }

    fn meter(&self, operation: Operation) -> &Meter {
        // One for each: the array has the enumeration's length.
        &self.operations[operation as usize]
    }
}

impl Meter {
    fn figures(&self) -> OperationFigures {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        OperationFigures {
            count: count(&self.count),
            failed: count(&self.failed),
            bytes: count(&self.bytes),
            time: Duration::from_nanos(count(&self.nanos)),
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "meters_test.rs"]
mod tests;
