//! What the virtual network is like, and what it counted.

use std::time::Duration;

/// What the network is like.
#[derive(Clone, Copy, Debug)]
pub struct NetworkConfig {
    /// Connections that may wait to be accepted.
    pub backlog: usize,
    /// After how long a client's kernel asks again to connect; each time it waits twice as long.
    pub syn_retry: Duration,
    /// How often it asks again.
    pub syn_retries: u8,
    /// Of one way, in microseconds: the least.
    pub latency_us: u32,
    /// What a connection's latency may be above that, in microseconds.
    pub latency_spread_us: u32,
    /// Bytes that a client's kernel keeps of what it could not send.
    pub client_send_buffer_len: usize,
    /// Bytes that a client's kernel keeps of what its program has not read.
    pub client_receive_buffer_len: usize,
    /// Bytes that the server's kernel keeps of what it could not send.
    pub server_send_buffer_len: usize,
    /// Bytes that the server's kernel keeps of what was not read.
    pub server_receive_buffer_len: usize,
    /// How long the server's kernel lets bytes go unacknowledged (`TCP_USER_TIMEOUT`).
    pub user_timeout: Duration,
    /// After how long it finds out that an idle connection's client has gone.
    pub keepalive: Duration,
}

impl Default for NetworkConfig {
    /// A data centre's network, and Linux's usual buffers.
    fn default() -> Self {
        Self {
            backlog: 4096,
            syn_retry: Duration::from_secs(1),
            syn_retries: 5,
            latency_us: 50,
            latency_spread_us: 50,
            client_send_buffer_len: 256 * 1024,
            client_receive_buffer_len: 128 * 1024,
            server_send_buffer_len: 256 * 1024,
            server_receive_buffer_len: 128 * 1024,
            user_timeout: Duration::from_secs(10),
            keepalive: Duration::from_secs(60),
        }
    }
}

/// What the network counted over a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetworkFigures {
    /// Wishes to connect that found the queue full.
    pub syn_dropped: u64,
    /// Connections accepted.
    pub accepted: u64,
    /// Connections that the server's kernel gave up, since nothing was acknowledged.
    pub given_up: u64,
    /// Connections now whose client has ended them and whose server has not.
    pub close_wait: u64,
    /// The most there were of those at once.
    pub close_wait_peak: u64,
    /// The longest that one was such, in milliseconds.
    pub close_wait_oldest_ms: u32,
}
