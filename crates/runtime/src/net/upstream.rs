//! A loop's connections to the nodes that have the data, where it is not in this process.

use std::io;
use std::sync::Arc;

use base::Timestamp;
use gateway::remote::{Command, FleetView, LinkId};
use gateway::{Backend, Delivery, TenantSlot};
use mio::Token;
use mio::event::Event;

use super::event_loop::{EventLoop, FIRST_LISTENER};
use super::link::find;
use super::meter::Meter;
use crate::Published;
use crate::nodes::stream::{PeerStream, PeerTls, Received};

/// Tokens from here up to the listeners' are nodes.
pub(super) const FIRST_NODE: usize = FIRST_LISTENER - NODES_MAX;
const NODES_MAX: usize = 1 << 16;
/// Answers of one node are read so many times before clients have their turn.
const READS_MAX: usize = 4;

/// What the connections to nodes are made with.
#[derive(Clone, Debug)]
pub struct UpstreamConfig {
    /// Nodes, ring and tenants; loops see a newer one at their next turn after
    /// [`Loops::wake`](super::Loops::wake).
    pub view: Arc<Published<FleetView>>,
    /// What is shown and asked; none is for loopback alone.
    pub tls: Option<PeerTls>,
}

/// The sockets of one loop.
pub(super) struct Upstream {
    config: UpstreamConfig,
    view_version: u64,
    sockets: Vec<Option<NodeSocket>>,
    /// Nodes that may have sent something.
    ready: Vec<LinkId>,
    /// What it takes to write answers, by tenant.
    meter: Meter<TenantSlot>,
}

struct NodeSocket {
    stream: PeerStream,
    is_connected: bool,
    is_ready: bool,
}

impl Upstream {
    pub(super) fn new(config: UpstreamConfig) -> Self {
        Self {
            config,
            view_version: u64::MAX,
            sockets: Vec::new(),
            ready: Vec::new(),
            meter: Meter::default(),
        }
    }

    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    fn socket(&mut self, link: LinkId) -> Option<&mut NodeSocket> {
        self.sockets.get_mut(link.0 as usize)?.as_mut()
    }

    fn make_ready(&mut self, link: LinkId) {
        if let Some(socket) = self.socket(link)
            && !std::mem::replace(&mut socket.is_ready, true)
        {
            self.ready.push(link);
        }
    }
}

impl<B: Backend> EventLoop<B> {
    /// When the connections to nodes are to be looked after, if there are any.
    pub(super) fn upstream_deadline(&mut self) -> Option<Timestamp> {
        self.shard.remote().and_then(|remote| remote.poll_timeout())
    }

    pub(super) fn take_node_event(&mut self, now: Timestamp, event: &Event) {
        let link = LinkId(u32::try_from(event.token().0 - FIRST_NODE).unwrap_or(u32::MAX));
        let Some(upstream) = &mut self.upstream else {
            return;
        };
        let Some(socket) = upstream.socket(link) else {
            return;
        };
        if event.is_writable() {
            socket.stream.writable = true;
            if !socket.is_connected {
                socket.is_connected = true;
                match socket.stream.check_connected() {
                    Ok(()) => self.node_connected(now, link),
                    Err(error) => return self.lose_node(now, link, &error),
                }
            }
        }
        let Some(socket) = self.upstream.as_mut().and_then(|it| it.socket(link)) else {
            return;
        };
        if let Err(error) = socket.stream.push_tls() {
            return self.lose_node(now, link, &error);
        }
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            socket.stream.readable = true;
            if let Some(upstream) = &mut self.upstream {
                upstream.make_ready(link);
            }
        }
        self.transmit_to_node(now, link);
    }

    fn node_connected(&mut self, now: Timestamp, link: LinkId) {
        if let Some(remote) = self.shard.remote() {
            remote.connected(now, link);
        }
    }

    /// Takes in what nodes have answered, and writes it to the clients who asked.
    pub(super) fn hear_nodes(&mut self, now: Timestamp) {
        let Some(upstream) = &mut self.upstream else {
            return;
        };
        let version = upstream.config.view.version();
        if upstream.view_version != version {
            upstream.view_version = version;
            let view = upstream.config.view.get();
            if let Some(remote) = self.shard.remote() {
                remote.apply(now, &view);
            }
        }
        let Some(upstream) = &mut self.upstream else {
            return;
        };
        for link in std::mem::take(&mut upstream.ready) {
            self.hear_node(now, link);
        }
        self.shard.expire_requests(now);
        self.deliver(now);
    }

    fn hear_node(&mut self, now: Timestamp, link: LinkId) {
        for _ in 0..READS_MAX {
            let Some(socket) = self.upstream.as_mut().and_then(|it| it.socket(link)) else {
                return;
            };
            socket.is_ready = false;
            if !socket.stream.readable {
                return;
            }
            let received = match socket.stream.read(&mut self.input) {
                Ok(Received::Bytes(count)) => {
                    let bytes = &self.input[..count];
                    let taken = self.shard.receive(now, link, bytes);
                    taken.map_err(io::Error::other)
                }
                Ok(Received::End) => Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) => Err(error),
            };
            if let Err(error) = received {
                return self.lose_node(now, link, &error);
            }
        }
        if let Some(upstream) = &mut self.upstream {
            upstream.make_ready(link);
        }
    }

    /// Does what the connections need: makes and closes them, and sends what is to go.
    pub(super) fn tend_nodes(&mut self, now: Timestamp) {
        while let Some(command) = self.shard.remote().and_then(|remote| remote.poll_command()) {
            match command {
                Command::Connect { link, addr, name } => {
                    if let Err(error) = self.connect(link, addr, &name) {
                        self.lose_node(now, link, &error);
                    }
                }
                Command::Close(link) => self.drop_node(link),
                Command::Refuse(link, mismatch) => {
                    self.lose_node(now, link, &io::Error::other(mismatch));
                }
            }
        }
        while let Some(link) = self
            .shard
            .remote()
            .and_then(|remote| remote.poll_transmit())
        {
            self.transmit_to_node(now, link);
        }
    }

    fn connect(&mut self, link: LinkId, addr: std::net::SocketAddr, name: &str) -> io::Result<()> {
        let Some(upstream) = &mut self.upstream else {
            return Ok(());
        };
        let place = link.0 as usize;
        if place >= NODES_MAX {
            return Err(io::Error::other("too many nodes have come and gone"));
        }
        let mut stream = PeerStream::connect(addr, name, upstream.config.tls.as_ref())?;
        stream.register(self.poll.registry(), Token(FIRST_NODE + place))?;
        if upstream.sockets.len() <= place {
            upstream.sockets.resize_with(place + 1, || None);
        }
        upstream.sockets[place] = Some(NodeSocket {
            stream,
            is_connected: false,
            is_ready: false,
        });
        Ok(())
    }

    fn transmit_to_node(&mut self, now: Timestamp, link: LinkId) {
        loop {
            let Some(socket) = self.upstream.as_mut().and_then(|it| it.socket(link)) else {
                return;
            };
            let Some(remote) = self.shard.remote() else {
                return;
            };
            let bytes = remote.outgoing(link);
            if bytes.is_empty() || !socket.stream.writable || !socket.is_connected {
                return;
            }
            match socket.stream.write(bytes) {
                Ok(0) => return,
                Ok(count) => self.shard.node_sent(now, link, count),
                Err(error) => return self.lose_node(now, link, &error),
            }
        }
    }

    fn lose_node(&mut self, now: Timestamp, link: LinkId, error: &io::Error) {
        tracing::debug!(node = link.0, %error, "the connection to a node is lost");
        self.drop_node(link);
        self.shard.node_closed(now, link);
        self.deliver(now);
    }

    fn drop_node(&mut self, link: LinkId) {
        if let Some(place) = self
            .upstream
            .as_mut()
            .and_then(|upstream| upstream.sockets.get_mut(link.0 as usize))
        {
            // Closing the descriptor ends its registration too.
            *place = None;
        }
    }

    /// Writes the replies that have become due.
    pub(super) fn deliver(&mut self, now: Timestamp) {
        let deliveries = self.shard.take_deliveries();
        if !deliveries.runs.is_empty() {
            let clock = self.shared.clock;
            let kept = self
                .upstream
                .as_mut()
                .map(|it| std::mem::take(&mut it.meter));
            let mut meter = kept.unwrap_or_default();
            meter.start(now);
            for run in &deliveries.runs {
                meter.switch(run.tenant, || clock.now());
                self.deliver_run(now, run, &deliveries.out[run.bytes.clone()]);
            }
            let end = clock.now();
            meter.stop(end);
            for (tenant, took) in meter.spent() {
                self.shard.settle(end, *tenant, *took);
            }
            if let Some(upstream) = &mut self.upstream {
                upstream.meter = meter;
            }
        }
        self.shard.recycle(deliveries);
    }

    fn deliver_run(&mut self, now: Timestamp, run: &Delivery, bytes: &[u8]) {
        let Some(connection) = find(&mut self.connections, run.link) else {
            return;
        };
        let owes = !self.shard.unsent(run.session).is_empty();
        let written = match owes || !connection.writable {
            true => 0,
            false => match connection.write(bytes) {
                Ok(count) => count,
                Err(_) => return self.close(run.link),
            },
        };
        let is_waited_for = connection.at_end || connection.leaving || connection.closing;
        self.shard
            .keep_unsent(run.session, written, &bytes[written..]);
        if written < bytes.len() && !owes {
            let patience = self.patience(run.link);
            self.close_after(now, run.link, patience);
        }
        if (is_waited_for || self.draining) && !self.shard.is_awaiting(run.session) {
            // Its turn finds out that nothing is left to do.
            self.shard.make_ready(now, run.session);
        }
    }
}
