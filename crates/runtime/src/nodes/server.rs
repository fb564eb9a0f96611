//! The threads of a node that serve gateways.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use base::Timestamp;
use base::fleet::Epoch;
use fleet::Ring;
use gateway::Backend;
use mio::net::{TcpListener, TcpStream};
use mio::{Poll, Waker};
use node::{Caller, Landlord, LinkId, Node, NodeConfig, NodeFigures, RingState};
use node_proto::Examined;

use super::errands::Examiner;
use super::own::OwnTrial;
use super::server_loop::{ServerLoop, WAKER};
use super::stream::PeerTls;
use crate::priority::serve_promptly;
use crate::{Clock, Published};

/// How often a stop looks whether it is over.
const STOP_LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// What a node knows from the store.
#[derive(Clone, Debug)]
pub struct NodeView {
    /// The ring.
    pub ring: Arc<Ring>,
    /// How far it may be relied on.
    pub state: RingState,
}

/// What a node's loops are started with.
pub struct NodeLoopsConfig {
    /// How many loops.
    pub threads: usize,
    /// Where gateways connect; port 0 picks one.
    pub listen: SocketAddr,
    /// What each of them is.
    pub node: NodeConfig,
    /// What is shown and asked on connections; none is for loopback alone.
    pub tls: Option<PeerTls>,
    /// The time.
    pub clock: Clock,
    /// What is known from the store; loops see a newer one after [`NodeLoops::wake`], or within a tenth
    /// of a second.
    pub view: Arc<Published<NodeView>>,
    /// What the gate tries this machine out with.
    pub trial: OwnTrial,
}

/// What all loops did together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeTotals {
    /// Connections of gateways' loops.
    pub links: u64,
    /// How requests fared.
    pub requests: NodeFigures,
}

/// What the loops share.
pub(super) struct Shared {
    pub(super) clock: Clock,
    pub(super) tls: Option<PeerTls>,
    pub(super) view: Arc<Published<NodeView>>,
    pub(super) figures: FiguresBoard,
    /// The last connection of each caller.
    pub(super) callers: Mutex<HashMap<Caller, Successor>>,
    pub(super) serials: AtomicU64,
    pub(super) examiner: Examiner,
}

/// Where each loop writes its figures; only it does.
pub(super) struct FiguresBoard(Vec<[AtomicU64; 9]>);

/// Where a loop writes which version of the ring it knows of, and one; 0 for none.
const ANNOUNCED: usize = 7;
/// Where it writes when it turned last, in nanoseconds of its clock.
const TURNED_AT: usize = 8;

impl FiguresBoard {
    pub(super) fn publish(&self, index: usize, figures: NodeFigures, links: usize) {
        let Some(places) = self.0.get(index) else {
            return;
        };
        let numbers = [
            links as u64,
            figures.served,
            figures.late,
            figures.refused,
            figures.queued_ns,
            figures.served_ns,
            figures.copies,
        ];
        for (place, number) in places.iter().zip(numbers) {
            place.store(number, Ordering::Relaxed);
        }
    }

    pub(super) fn note_ring(&self, index: usize, announced: Epoch) {
        if let Some(places) = self.0.get(index) {
            places[ANNOUNCED].store(announced.0 + 1, Ordering::Release);
        }
    }

    pub(super) fn note_turn(&self, index: usize, now: Timestamp) {
        if let Some(places) = self.0.get(index) {
            places[TURNED_AT].store(now.as_nanos(), Ordering::Relaxed);
        }
    }

    fn announced(&self) -> Option<Epoch> {
        let known = self
            .0
            .iter()
            .map(|places| places[ANNOUNCED].load(Ordering::Acquire));
        known.min()?.checked_sub(1).map(Epoch)
    }

    fn sum(&self) -> NodeTotals {
        let of = |at: usize| {
            let numbers = self
                .0
                .iter()
                .map(|places| places[at].load(Ordering::Relaxed));
            numbers.sum::<u64>()
        };
        NodeTotals {
            links: of(0),
            requests: NodeFigures {
                served: of(1),
                late: of(2),
                refused: of(3),
                queued_ns: of(4),
                served_ns: of(5),
                copies: of(6),
            },
        }
    }
}

/// What one loop is told by another thread.
pub(super) enum Mail {
    Admit(TcpStream, String),
    /// To serve this connection no more; then its successor is to be let ask.
    Replace {
        old: (LinkId, u64),
        successor: Successor,
    },
    /// Nothing is served any more that came before this connection.
    Greet(Successor),
    /// To tell this connection what came of what it wanted to be tried out.
    Examined {
        link: (LinkId, u64),
        token: u64,
        result: Examined,
    },
    Goodbye,
    Stop,
}

/// A connection that waits until its predecessor is served no more.
#[derive(Clone, Copy)]
pub(super) struct Successor {
    pub(super) loop_index: usize,
    pub(super) link: LinkId,
    /// Tells it from others that have had the same place.
    pub(super) serial: u64,
}

/// How to reach a loop.
#[derive(Clone)]
pub(super) struct NodeLoopHandle {
    mail: Sender<Mail>,
    waker: Arc<Waker>,
}

impl NodeLoopHandle {
    /// A loop that has ended takes no mail, and needs none.
    pub(super) fn send(&self, mail: Mail) {
        if self.mail.send(mail).is_ok() {
            // It is read within a tenth of a second even if the waker fails.
            let _ = self.waker.wake();
        }
    }
}

/// The running loops of a node.
pub struct NodeLoops {
    addr: SocketAddr,
    handles: Vec<NodeLoopHandle>,
    threads: Mutex<Vec<JoinHandle<io::Result<()>>>>,
    shared: Arc<Shared>,
}

impl NodeLoops {
    /// Binds, and starts the threads; `parts` gives each loop, by its index, its way to the data.
    ///
    /// # Errors
    /// The address cannot be had, or the system gives no threads.
    pub fn start<B, L>(
        config: NodeLoopsConfig,
        mut parts: impl FnMut(usize) -> (B, L),
    ) -> io::Result<Self>
    where
        B: Backend + Send + 'static,
        B::Tenant: Send,
        L: Landlord + Send + 'static,
    {
        let listener = TcpListener::bind(config.listen)?;
        let addr = listener.local_addr()?;
        let threads = config.threads.max(1);
        let examiner = Examiner {
            me: config.node.name.clone(),
            tls: config.tls.clone(),
            trial: config.trial,
            clock: config.clock,
            underway: Arc::default(),
        };
        let shared = Arc::new(Shared {
            clock: config.clock,
            examiner,
            tls: config.tls,
            view: config.view,
            figures: FiguresBoard((0..threads).map(|_| Default::default()).collect()),
            callers: Mutex::default(),
            serials: AtomicU64::new(0),
        });
        let (mut handles, mut polls) = (Vec::new(), Vec::new());
        for _ in 0..threads {
            let poll = Poll::new()?;
            let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
            let (mail, inbox) = channel();
            handles.push(NodeLoopHandle { mail, waker });
            polls.push((poll, inbox));
        }
        let mut listener = Some(listener);
        let mut running = Vec::new();
        for (index, (poll, inbox)) in polls.into_iter().enumerate() {
            let (backend, landlord) = parts(index);
            let node = Node::new(config.node.clone(), backend, landlord);
            let server_loop = ServerLoop::new(
                Arc::clone(&shared),
                poll,
                inbox,
                node,
                listener.take(),
                handles.clone(),
                index,
            );
            let thread = std::thread::Builder::new().name(format!("node-{index}"));
            running.push(thread.spawn(move || {
                serve_promptly();
                server_loop.run()
            })?);
        }
        Ok(Self {
            addr,
            handles,
            threads: Mutex::new(running),
            shared,
        })
    }

    /// Where gateways connect.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What the loops did.
    pub fn totals(&self) -> NodeTotals {
        self.shared.figures.sum()
    }

    /// The newest version of the ring that every loop knows of.
    pub fn announced(&self) -> Option<Epoch> {
        self.shared.figures.announced()
    }

    /// Whether every loop has turned within `age`; one that works does so ten times a second.
    pub fn turned_within(&self, age: Duration) -> bool {
        let now = self.shared.clock.now();
        let turned = |places: &[AtomicU64; 9]| {
            Timestamp::from_nanos(places[TURNED_AT].load(Ordering::Relaxed))
        };
        let mut places = self.shared.figures.0.iter();
        places.all(|places| now.since(turned(places)) < age)
    }

    /// Has the loops look at what was published.
    pub fn wake(&self) {
        for handle in &self.handles {
            // It is looked at within a tenth of a second even if the waker fails.
            let _ = handle.waker.wake();
        }
    }

    /// Whether a loop has ended that was not told to.
    pub fn has_failed(&self) -> bool {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.iter().any(JoinHandle::is_finished)
    }

    /// Tells gateways that this node ends, serves what they have asked already for a while, and
    /// stops.
    pub fn stop(&self, after: Duration) {
        self.handles
            .iter()
            .for_each(|loops| loops.send(Mail::Goodbye));
        let end = self.shared.clock.now() + after;
        while self.shared.clock.now() < end && self.totals().links > 0 {
            std::thread::park_timeout(STOP_LOOK_INTERVAL);
        }
        self.handles.iter().for_each(|loops| loops.send(Mail::Stop));
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            match thread.join() {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "a node's loop ended"),
                Err(_) => tracing::error!("a node's loop panicked"),
            }
        }
    }
}
