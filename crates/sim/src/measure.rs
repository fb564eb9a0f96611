//! What was seen when: counts and latencies of a group of clients over the run.

use std::time::Duration;

use base::Timestamp;

/// Length of the pieces that a timeline is cut into.
pub(crate) const PIECE: Duration = Duration::from_millis(100);

/// Pieces of a power of two that a histogram tells apart, as a power of two.
const FINENESS_BITS: u32 = 3;
const BUCKETS: usize = 40 << FINENESS_BITS;

/// Counts of durations, each within an eighth.
#[derive(Clone, Debug, Default)]
pub(crate) struct Histogram {
    /// By bucket; empty while nothing was counted.
    counts: Vec<u32>,
}

impl Histogram {
    pub(crate) fn add(&mut self, duration: Duration) {
        if self.counts.is_empty() {
            self.counts = vec![0; BUCKETS];
        }
        self.counts[bucket_of(duration)] += 1;
    }

    fn merge(&mut self, other: &Self) {
        if self.counts.is_empty() {
            self.counts.clone_from(&other.counts);
            return;
        }
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
    }

    /// The least bound that at least `share` of the durations keep; zero if there are none.
    fn quantile(&self, share: f64) -> Duration {
        let total: u64 = self.counts.iter().map(|count| u64::from(*count)).sum();
        let rank = (total as f64 * share).ceil() as u64;
        let mut sum = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            sum += u64::from(*count);
            if sum >= rank.max(1) {
                return upper_bound(bucket);
            }
        }
        Duration::ZERO
    }
}

fn bucket_of(duration: Duration) -> usize {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    let fine = 1 << FINENESS_BITS;
    let bucket = if micros < fine {
        micros
    } else {
        let shift = micros.ilog2() - FINENESS_BITS;
        u64::from(shift + 1) * fine + ((micros >> shift) - fine)
    };
    usize::try_from(bucket).map_or(BUCKETS - 1, |bucket| bucket.min(BUCKETS - 1))
}

fn upper_bound(bucket: usize) -> Duration {
    let (fine, bucket) = (1u64 << FINENESS_BITS, bucket as u64);
    let micros = if bucket < fine {
        bucket + 1
    } else {
        let shift = bucket / fine - 1;
        (fine + bucket % fine + 1) << shift
    };
    Duration::from_micros(micros)
}

/// What happened to a group within one piece of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Piece {
    pub(crate) tally: Tally,
    pub(crate) latency: Histogram,
    pub(crate) connect: Histogram,
}

/// Counts of what happened to a group's clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests answered before the client gave up.
    pub answered: u64,
    /// Values received.
    pub hits: u64,
    /// Keys asked for, and answered as absent.
    pub misses: u64,
    /// Changes answered with a refusal.
    pub refused: u64,
    /// Requests answered with an error.
    pub failed: u64,
    /// Batches whose replies did not come in time.
    pub timeouts: u64,
    /// Batches given up for good, or not asked at all since the server was taken to be down.
    pub errors: u64,
    /// Connections made and, where that is asked for, authenticated.
    pub connects: u64,
    /// Attempts at that which failed.
    pub connect_failures: u64,
    /// Connections that the server ended.
    pub dropped: u64,
}

/// A group's life, piece by piece.
#[derive(Clone, Debug)]
pub struct Timeline {
    began: Timestamp,
    pieces: Vec<Piece>,
}

/// What a group saw within some span of the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// How long the span is.
    pub span: Duration,
    /// What was counted in it.
    pub tally: Tally,
    /// Half of the replies took no longer.
    pub p50: Duration,
    /// 99 of 100 replies took no longer.
    pub p99: Duration,
    /// No reply took longer.
    pub longest: Duration,
    /// 99 of 100 connections took no longer, authentication included.
    pub connect_p99: Duration,
}

impl Summary {
    /// Requests answered a second.
    pub fn rate(&self) -> f64 {
        self.tally.answered as f64 / self.span.as_secs_f64()
    }
}

impl Timeline {
    pub(crate) fn new(began: Timestamp) -> Self {
        Self {
            began,
            pieces: Vec::new(),
        }
    }

    /// The piece that `now` falls into.
    pub(crate) fn at(&mut self, now: Timestamp) -> &mut Piece {
        let index = (now.since(self.began).as_nanos() / PIECE.as_nanos()) as usize;
        if index >= self.pieces.len() {
            self.pieces.resize_with(index + 1, Piece::default);
        }
        &mut self.pieces[index]
    }

    /// What happened between two moments of the run, to the tenth of a second.
    pub fn between(&self, from: Duration, to: Duration) -> Summary {
        let index = |at: Duration| (at.as_nanos() / PIECE.as_nanos()) as usize;
        let (mut tally, mut latency, mut connect) =
            (Tally::default(), Histogram::default(), Histogram::default());
        let count = index(to).saturating_sub(index(from));
        for piece in self.pieces.iter().skip(index(from)).take(count) {
            tally.add(&piece.tally);
            latency.merge(&piece.latency);
            connect.merge(&piece.connect);
        }
        Summary {
            span: to.saturating_sub(from),
            tally,
            p50: latency.quantile(0.5),
            p99: latency.quantile(0.99),
            longest: latency.quantile(1.0),
            connect_p99: connect.quantile(0.99),
        }
    }

    /// Everything.
    pub fn total(&self) -> Summary {
        self.between(Duration::ZERO, PIECE * self.pieces.len() as u32)
    }
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        self.hits += other.hits;
        self.misses += other.misses;
        self.refused += other.refused;
        self.failed += other.failed;
        self.timeouts += other.timeouts;
        self.errors += other.errors;
        self.connects += other.connects;
        self.connect_failures += other.connect_failures;
        self.dropped += other.dropped;
    }
}

#[cfg(test)]
#[path = "measure_test.rs"]
mod tests;
