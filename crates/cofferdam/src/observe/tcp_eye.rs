//! Looks at our listeners through the kernel's socket diagnostics.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use base::Timestamp;
use runtime::Clock;
use runtime::observe::sock_diag::{
    CloseWaits, Listeners, Overdue, Query, Queue, SockDiag, StateCounts, TcpState,
};

use super::detect::ListenQueue;
use super::snapshot::Listener;

/// How often queues are looked at.
pub(crate) const QUEUE_PERIOD: Duration = Duration::from_millis(100);
/// A connection that its client has closed is closed here at once; after so long it is a defect.
const CLOSE_WAIT_MAX: Duration = Duration::from_secs(1);
/// Between two pieces of a long list, so that whoever shares the processor gets it.
const BREATH: Duration = Duration::from_millis(1);
/// A list is taken again only after this many times the work that it was.
const REST_FACTOR: u32 = 4;
/// Over how many seconds the peak of a queue is told.
const PEAK_SECS: usize = 60;

/// Queues ten times a second, connections once a second.
#[derive(Debug)]
pub(crate) struct TcpEye {
    clock: Clock,
    names: Vec<&'static str>,
    listeners: Listeners,
    queue_diag: Option<SockDiag>,
    diag: Option<SockDiag>,
    next_queues: Timestamp,
    next_list: Timestamp,
    queues: Vec<Depths>,
    states: Option<Vec<StateCounts>>,
    close_waits: CloseWaits,
    overdue: Vec<Overdue>,
}

/// A queue and its peaks.
#[derive(Clone, Debug, Default)]
struct Depths {
    queue: Option<Queue>,
    /// The greatest depth since the last look.
    depth_max: u32,
    /// The greatest depths of the last seconds.
    peaks: VecDeque<u32>,
}

impl TcpEye {
    /// Over the TCP listeners of this process, by name. Where the kernel tells nothing, that is
    /// logged once, and nothing is told.
    pub(crate) fn new(clock: Clock, listeners: &[(&'static str, SocketAddr)]) -> Self {
        let diag = SockDiag::open().and_then(|first| Ok((first, SockDiag::open()?)));
        if let Err(error) = &diag {
            tracing::warn!(%error, "the kernel does not tell of sockets: no figures by TCP state");
        }
        let (queue_diag, diag) = diag.ok().unzip();
        Self {
            clock,
            names: listeners.iter().map(|(name, _)| *name).collect(),
            listeners: Listeners::new(listeners.iter().map(|(_, addr)| *addr).collect()),
            queue_diag,
            diag,
            next_queues: Timestamp::ZERO,
            next_list: Timestamp::ZERO,
            queues: vec![Depths::default(); listeners.len()],
            states: None,
            close_waits: CloseWaits::default(),
            overdue: Vec::new(),
        }
    }

    /// Looks at the queues if it is time.
    pub(crate) fn look_at_queues(&mut self, now: Timestamp) {
        if now < self.next_queues {
            return;
        }
        self.next_queues = now + QUEUE_PERIOD;
        let Some(diag) = &mut self.queue_diag else {
            return;
        };
        let mut seen = vec![None; self.queues.len()];
        let query = Query {
            addresses: self.listeners.addresses(),
            states: &[TcpState::Listen],
        };
        let mut each = |socket| {
            let listener = self.listeners.of(&socket);
            if let Some(queue) = listener.and_then(|index| seen.get_mut(index)) {
                queue.get_or_insert_with(Queue::default).add(&socket);
            }
        };
        if let Err(error) = diag.dump(query, &mut each, &mut || {}) {
            tracing::debug!(%error, "listen queues not read");
            return;
        }
        for (depths, queue) in self.queues.iter_mut().zip(seen) {
            depths.queue = queue;
            depths.depth_max = depths.depth_max.max(queue.map_or(0, |queue| queue.depth));
        }
    }

    /// Counts connections by state, and finds those that should have been closed. With very many
    /// connections it does so less often than it is asked to.
    pub(crate) fn look_at_connections(&mut self, now: Timestamp) {
        if now < self.next_list {
            return;
        }
        let Some(mut diag) = self.diag.take() else {
            return;
        };
        let mut states = vec![StateCounts::default(); self.names.len()];
        let mut close_waits = std::mem::take(&mut self.close_waits);
        let listeners = self.listeners.clone();
        let mut each = |socket| {
            let Some(index) = listeners.of(&socket) else {
                return;
            };
            let counts = states.get_mut(index);
            if let Some(count) = counts.and_then(|counts| counts.get_mut(socket.state.index())) {
                *count += 1;
            }
            close_waits.see(now, index, &socket);
        };
        let clock = self.clock;
        let began = clock.now();
        let mut paused = Duration::ZERO;
        let mut pause = || {
            let since = clock.now();
            thread::park_timeout(BREATH);
            self.look_at_queues(clock.now());
            paused += clock.now().since(since);
        };
        let query = Query {
            addresses: listeners.addresses(),
            states: &STATES,
        };
        let done = diag.dump(query, &mut each, &mut pause);
        self.diag = Some(diag);
        self.close_waits = close_waits;
        if let Err(error) = done {
            tracing::debug!(%error, "connections not read");
            return;
        }
        self.states = Some(states);
        self.overdue = self.close_waits.finish(now, CLOSE_WAIT_MAX);
        let work = clock.now().since(began).saturating_sub(paused);
        self.next_list = now + work * REST_FACTOR;
    }

    /// The connections that should have been closed: listener, peer, age.
    pub(crate) fn overdue(&self) -> impl Iterator<Item = (&'static str, &Overdue)> {
        let named = self.overdue.iter();
        named.filter_map(|overdue| Some((*self.names.get(overdue.listener)?, overdue)))
    }

    /// The clients of all connections in CLOSE_WAIT, those that should have been closed first.
    pub(crate) fn close_waits(&self) -> impl Iterator<Item = SocketAddr> {
        let overdue = self.overdue.iter().map(|overdue| overdue.peer);
        let is_new = |peer: &SocketAddr| !self.overdue.iter().any(|known| known.peer == *peer);
        overdue.chain(self.close_waits.peers().filter(is_new))
    }

    /// The queues, and the greatest depths since this was asked last.
    pub(crate) fn take_queues(&mut self) -> Vec<ListenQueue> {
        let mut taken = Vec::new();
        for (name, depths) in self.names.iter().zip(&mut self.queues) {
            let depth_max = std::mem::take(&mut depths.depth_max);
            depths.peaks.push_back(depth_max);
            if depths.peaks.len() > PEAK_SECS {
                depths.peaks.pop_front();
            }
            taken.extend(depths.queue.map(|queue| ListenQueue {
                listener: name,
                queue,
                depth_max,
            }));
        }
        taken
    }

    /// The listeners as the page of metrics tells of them.
    pub(crate) fn listeners(&self, now: Timestamp) -> Vec<Listener> {
        let all = self.names.iter().zip(&self.queues).enumerate();
        all.map(|(index, (name, depths))| Listener {
            name,
            states: self
                .states
                .as_ref()
                .and_then(|states| states.get(index))
                .copied(),
            close_wait_oldest: self.close_waits.oldest(now, index),
            queue: depths.queue,
            depth_peak: depths.peaks.iter().copied().max().unwrap_or(0),
        })
        .collect()
    }
}

/// All states but that of listeners.
const STATES: [TcpState; 10] = [
    TcpState::Established,
    TcpState::SynSent,
    TcpState::SynReceived,
    TcpState::FinWait1,
    TcpState::FinWait2,
    TcpState::TimeWait,
    TcpState::Close,
    TcpState::CloseWait,
    TcpState::LastAck,
    TcpState::Closing,
];

#[cfg(test)]
#[path = "tcp_eye_test.rs"]
mod tests;
