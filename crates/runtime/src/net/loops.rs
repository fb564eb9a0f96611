//! The threads that run the event loops, and how they are told things.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use base::{IpNetwork, TenantId, Timestamp};
use gateway::directory::Directory;
use gateway::{
    Admitted, Backend, Door, DoorConfig, Figures, Gather, Peer, ServerInfo, Shard, ShardConfig,
};
use mio::{Poll, Waker};

use super::accept::{Entrance, EntranceConfig, LoopHandle};
use super::connection::Stream;
use super::event_loop::{EventLoop, Shared, WAKER};
use super::listener::{Listener, SocketOptions, backlog};
use super::owners::Question;
use super::proxy_lobby::Lobby;
use super::pulse::Pulse;
use super::tls::{Handshakes, TlsStream};
use super::upstream::{Upstream, UpstreamConfig};
use crate::priority::serve_promptly;
use crate::{Clock, Published};

/// What the loops allow.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Whether tenants are kept apart: fair turns, budgets at the door, deadlines. Off only in the
    /// control of a drill.
    pub protections: bool,
    /// Connections at once, over all loops, that have been let in.
    pub connections_max: usize,
    /// How many more there may be on their way in, so that a full server can tell whose they are.
    pub connections_reserve: usize,
    /// How long a connection may take to authenticate.
    pub auth_timeout: Duration,
    /// How many connections may be about to authenticate.
    pub unauthenticated_max: usize,
    /// Of these, how many from one source that has no authenticated connection.
    pub unauthenticated_per_source_max: usize,
    /// New connections a second from such a source, if that is bounded.
    pub connects_per_second_per_source_max: Option<u32>,
    /// Memory in bytes for what those at the door have sent.
    pub door_memory_bytes: usize,
    /// How long a client may leave its replies unread.
    pub stalled_reader_timeout: Duration,
    /// How long a client may take to complete a request, and for each part of a long one.
    pub stalled_writer_timeout: Duration,
    /// Silence after which a client is let go, if ever.
    pub idle_timeout: Option<Duration>,
    /// How long what was sent may stay unacknowledged, if that is not left to the system.
    pub user_timeout: Option<Duration>,
    /// Bytes of requests and replies that a tenant without a limit of its own may have on their way.
    pub inflight_bytes_max: u64,
    /// What the kernel may hold of one connection's replies, in bytes, if that is not left to it.
    pub send_buffer_bytes: Option<usize>,
}

impl Limits {
    /// How many connections there may be wherever they stand.
    pub(super) fn descriptors_for_connections(&self) -> usize {
        match self.protections {
            true => self
                .connections_max
                .saturating_add(self.connections_reserve),
            false => self.connections_max,
        }
    }
}

/// Connections of all loops at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoopTotals {
    /// Open now, those at the door included.
    pub connections: u64,
    /// Of those, not authenticated yet.
    pub at_door: u64,
    /// Turned away, or shed at the door, for want of a place since the start.
    pub refused: u64,
}

/// What loops are started with.
#[derive(Debug)]
pub struct LoopsConfig {
    /// How many loops; one for each core that is to serve.
    pub threads: usize,
    /// What they allow.
    pub limits: Limits,
    /// Where clients come in.
    pub listeners: Vec<Listener>,
    /// Balancers, whose connections begin with a header of the PROXY protocol.
    pub proxy_protocol_from: Vec<IpNetwork>,
    /// The time.
    pub clock: Clock,
    /// Tenants and credentials; loops see a newer one at their next turn after
    /// [`Loops::wake`].
    pub directory: Arc<Published<Directory>>,
    /// Where the loops count.
    pub figures: Arc<Figures>,
    /// What connections to nodes are made with, where the data is not in this process.
    pub upstream: Option<UpstreamConfig>,
}

/// What one loop is told by another thread.
#[derive(Debug)]
pub(super) enum Mail {
    Admit {
        stream: Stream,
        admitted: Admitted,
    },
    /// A list that this loop is to add to and send on.
    Gather(Gather),
    /// A list that has been everywhere.
    Gathered(Gather),
    /// To close the connection of this tenant that has been idle for longest.
    Displace(TenantId),
    /// Whose these connections are.
    Whose(Question),
    /// A connection that has shaken hands, and the tenant that it may speak for.
    Secured {
        stream: Box<TlsStream>,
        peer: Peer,
        tenant: Option<TenantId>,
    },
    Drain,
    /// To listen no more, and to let connections go over this time; who waits for the first is told
    /// by the end of the sender.
    Retire(Duration, Sender<()>),
    Stop,
}

/// The running loops of a process.
#[derive(Debug)]
pub struct Loops {
    handles: Vec<LoopHandle>,
    threads: Mutex<Vec<JoinHandle<io::Result<()>>>>,
    shared: Arc<Shared>,
    pulses: Vec<Arc<Pulse>>,
}

/// How long loops are waited for that are to listen no more; one that works has turned long before.
const RETIRE_PATIENCE: Duration = Duration::from_secs(1);
/// How often a drain looks whether it is over.
const DRAIN_LOOK_INTERVAL: Duration = Duration::from_millis(5);
/// Requests that one turn serves at most.
const TURN_REQUESTS_MAX: usize = 64;
/// Output after which a turn ends, in bytes.
const TURN_OUTPUT_LEN_MAX: usize = 64 * 1024;
/// What a connection is taken to hold of the kernel's memory where that is left to the kernel.
const SEND_BUFFER_AUTO_BYTES: usize = 2 * 1024 * 1024;

impl Loops {
    /// Starts the threads; `backend` gives each loop, by its index, its way to the data.
    pub fn start<B, F>(config: LoopsConfig, mut backend: F) -> io::Result<Self>
    where
        B: Backend + Send + 'static,
        B::Tenant: Send,
        B::Prefetch: Send,
        F: FnMut(usize) -> B,
    {
        let shared = Arc::new(Shared {
            clock: config.clock,
            limits: config.limits,
            directory: config.directory,
            figures: Arc::clone(&config.figures),
            connections: AtomicUsize::new(0),
            at_door: AtomicUsize::new(0),
            refused: AtomicU64::new(0),
        });
        let threads = config.threads.max(1);
        let server = ServerInfo {
            pid: std::process::id(),
            started: shared.clock.now(),
            threads,
            connections_max: shared.limits.connections_max,
            open_port: port(&config.listeners, |listener| {
                listener.approach().tenant.is_some()
            }),
            auth_port: port(&config.listeners, |listener| {
                listener.approach().tenant.is_none()
            }),
            tcp_backlog: backlog().unsigned_abs(),
            idle_timeout_s: shared.limits.idle_timeout.map_or(0, |time| time.as_secs()),
        };
        let mut polls = Vec::new();
        let mut handles = Vec::new();
        for _ in 0..threads {
            let poll = Poll::new()?;
            let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
            let (mail, inbox) = channel();
            handles.push(LoopHandle { mail, waker });
            polls.push((poll, inbox));
        }
        let mut listeners = Some(config.listeners);
        let mut running = Vec::new();
        let mut pulses = Vec::new();
        for (index, (poll, inbox)) in polls.into_iter().enumerate() {
            let entrance = match listeners.take() {
                Some(listeners) => {
                    let door = Door::new(
                        DoorConfig {
                            connections_max: shared.limits.connections_max,
                            entrants_max: shared.limits.unauthenticated_max,
                            entrants_per_source_max: shared.limits.unauthenticated_per_source_max,
                            connects_per_second_per_source_max: shared
                                .limits
                                .connects_per_second_per_source_max,
                            memory_max: shared.limits.door_memory_bytes,
                            timeout: shared.limits.auth_timeout,
                            protections: shared.limits.protections,
                            loop_index: index,
                        },
                        shared.directory.get(),
                        Arc::clone(&config.figures),
                    );
                    for listener in &listeners {
                        listener.set_options(&socket_options(&shared.limits))?;
                    }
                    let handshakes = listeners
                        .iter()
                        .any(|listener| listener.approach().tls.is_some())
                        .then(|| Handshakes::start(Arc::clone(&shared), handles[index].clone()))
                        .transpose()?;
                    let entrance = EntranceConfig {
                        door,
                        lobby: Lobby::new(
                            shared.limits.auth_timeout,
                            shared.limits.unauthenticated_max,
                        ),
                        handshakes,
                        balancers: config.proxy_protocol_from.clone(),
                        listeners,
                        loops: handles.clone(),
                    };
                    Some(Entrance::new(entrance, poll.registry())?)
                }
                None => None,
            };
            let shard = Shard::new(
                ShardConfig {
                    loop_index: index,
                    turn_requests_max: TURN_REQUESTS_MAX,
                    turn_output_len_max: TURN_OUTPUT_LEN_MAX,
                    send_buffer_bytes: shared
                        .limits
                        .send_buffer_bytes
                        .unwrap_or(SEND_BUFFER_AUTO_BYTES),
                    inflight_bytes_max: shared.limits.inflight_bytes_max,
                    protections: shared.limits.protections,
                    server: server.clone(),
                },
                backend(index),
                shared.directory.get(),
                Arc::clone(&config.figures),
            );
            let mut event_loop = EventLoop::new(
                Arc::clone(&shared),
                poll,
                inbox,
                shard,
                entrance,
                handles.clone(),
            );
            event_loop.upstream = config.upstream.clone().map(Upstream::new);
            let pulse = Arc::new(Pulse::new(shared.clock.now()));
            pulses.push(Arc::clone(&pulse));
            let thread = std::thread::Builder::new()
                .name(format!("loop-{index}"))
                .spawn(move || {
                    serve_promptly();
                    event_loop.run(&pulse)
                })?;
            running.push(thread);
        }
        Ok(Self {
            handles,
            threads: Mutex::new(running),
            shared,
            pulses,
        })
    }

    /// Connections open now, and those that found no place.
    pub fn totals(&self) -> LoopTotals {
        LoopTotals {
            connections: self.shared.connections.load(Ordering::Relaxed) as u64,
            at_door: self.shared.at_door.load(Ordering::Relaxed) as u64,
            refused: self.shared.refused.load(Ordering::Relaxed),
        }
    }

    /// Whether a loop has ended that was not told to: its clients are not served any more.
    pub fn has_failed(&self) -> bool {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.iter().any(JoinHandle::is_finished)
    }

    /// How long ago each loop turned. One that works does so at least ten times a second; one that
    /// has ended in order is not missed.
    pub fn turn_ages(&self) -> Vec<Duration> {
        let now = self.now();
        self.pulses.iter().map(|pulse| pulse.age(now)).collect()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Lets the loops look at once at what was published, instead of within a tenth of a second.
    pub fn wake(&self) {
        for handle in &self.handles {
            // A loop that has ended needs no waking.
            let _ = handle.waker.wake();
        }
    }

    /// Listens no more, and lets connections go between requests, evenly over a time. Returns when
    /// nobody listens; [`Loops::totals`] shows how many are left, and [`Loops::drain`] ends the rest.
    pub fn retire(&self, over: Duration) {
        let (listens, until_nobody_listens) = channel();
        self.send_all(|| Mail::Retire(over, listens.clone()));
        drop(listens);
        // Nothing is ever sent: it ends when the last loop has let go of its end.
        let _ = until_nobody_listens.recv_timeout(RETIRE_PATIENCE);
    }

    /// Lets nobody in any more and serves what is in flight, for at most `timeout`; then ends the
    /// loops and waits for that.
    pub fn drain(&self, timeout: Duration) {
        self.send_all(|| Mail::Drain);
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let deadline = self.shared.clock.now() + timeout;
        while self.shared.clock.now() < deadline && !threads.iter().all(JoinHandle::is_finished) {
            std::thread::park_timeout(DRAIN_LOOK_INTERVAL);
        }
        self.send_all(|| Mail::Stop);
        for thread in threads.drain(..) {
            match thread.join() {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "an event loop ended"),
                Err(_) => tracing::error!("an event loop panicked"),
            }
        }
    }

    pub(super) fn send_all(&self, mail: impl Fn() -> Mail) {
        for handle in &self.handles {
            // A loop that has ended need not be told.
            let _ = handle.send(mail());
        }
    }
}

/// The port of the first TCP listener that `is_wanted`, else 0.
fn port(listeners: &[Listener], is_wanted: fn(&Listener) -> bool) -> u16 {
    let wanted = listeners.iter().filter(|listener| is_wanted(listener));
    let mut addresses = wanted.filter_map(Listener::local_addr);
    addresses.next().map_or(0, |addr| addr.port())
}

fn socket_options(limits: &Limits) -> SocketOptions {
    SocketOptions {
        send_buffer_bytes: limits.send_buffer_bytes,
        user_timeout: limits.user_timeout,
    }
}
