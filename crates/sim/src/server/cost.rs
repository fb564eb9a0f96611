//! What the server's work costs in virtual time.

use std::time::Duration;

/// Costs of each kind of work, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    /// Asking the kernel who has news.
    pub poll_ns: u64,
    /// Hearing of one connection's news.
    pub news_ns: u64,
    /// One read.
    pub read_ns: u64,
    /// One write.
    pub write_ns: u64,
    /// One operation on one key.
    pub operation_ns: u64,
    /// A byte of input, in picoseconds.
    pub byte_in_ps: u64,
    /// A byte of output, in picoseconds.
    pub byte_out_ps: u64,
    /// Accepting a connection.
    pub accept_ns: u64,
    /// Hearing one that stands at the door.
    pub hear_ns: u64,
    /// Checking a password and answering.
    pub judge_ns: u64,
    /// Closing a connection.
    pub close_ns: u64,
    /// A slice of the cache's background work.
    pub maintain_ns: u64,
}

impl Default for Costs {
    /// As measured: 4 µs a request of 100 bytes, 0.3 µs for each that is pipelined behind it, 40 µs
    /// for a retrieval of 100 such keys.
    fn default() -> Self {
        Self {
            poll_ns: 700,
            news_ns: 60,
            read_ns: 1_400,
            write_ns: 2_200,
            operation_ns: 250,
            byte_in_ps: 300,
            byte_out_ps: 600,
            accept_ns: 4_000,
            hear_ns: 1_500,
            judge_ns: 3_000,
            close_ns: 2_000,
            maintain_ns: 5_000,
        }
    }
}

/// Costs, and by how much everything takes longer at present.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pricing {
    pub(super) costs: Costs,
    /// 100 is as usual.
    pub(super) slowness_percent: u64,
}

impl Pricing {
    pub(super) fn of(&self, nanos: u64) -> Duration {
        Duration::from_nanos(nanos * self.slowness_percent / 100)
    }

    pub(super) fn read(&self, len: usize) -> Duration {
        self.of(self.costs.read_ns + len as u64 * self.costs.byte_in_ps / 2000)
    }

    /// Half of what bytes cost is to move them, half to understand or to make them.
    pub(super) fn serve(&self, operations: u64, len_in: usize, len_out: usize) -> Duration {
        let costs = &self.costs;
        let bytes_ps = len_in as u64 * costs.byte_in_ps + len_out as u64 * costs.byte_out_ps;
        self.of(operations * costs.operation_ns + bytes_ps / 2000)
    }

    pub(super) fn write(&self, len: usize) -> Duration {
        self.of(self.costs.write_ns + len as u64 * self.costs.byte_out_ps / 2000)
    }
}

#[cfg(test)]
#[path = "cost_test.rs"]
mod tests;
