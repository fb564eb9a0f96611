//! Nodes, a gateway's connections to them, and a network between, in virtual time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use base::{TenantId, Timestamp, fleet::MemberId, rng::Rng};
use gateway::Backend;
use gateway::remote::{
    Command, DeadlineBounds, Event, FleetView, HotTerms, RemoteBackend, RemoteBoard, RemoteConfig,
    StatsBoard,
};
use node_proto::RequestId;

use crate::copies::WarmUp;
use crate::machine::{Machine, Pipe};
use crate::view::view;

pub(crate) const TENANT: TenantId = TenantId(1);
pub(crate) const DEADLINES: DeadlineBounds = DeadlineBounds {
    min: Duration::from_millis(5),
    max: Duration::from_millis(50),
};
const MS: Duration = Duration::from_millis(1);

/// What has become of a request, with everything owned.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The loop that was asked.
    pub(crate) at: usize,
    pub(crate) id: RequestId,
    pub(crate) outcome: base::kv::Outcome,
    pub(crate) value: Option<Vec<u8>>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Connected(usize),
    ToNode(usize, Vec<u8>),
    EndToNode(usize),
    ToGateway(usize, Vec<u8>),
    EndToGateway(usize),
    Resume(usize),
}

pub(crate) struct World {
    pub(crate) now: Timestamp,
    /// One for each loop of each gateway.
    pub(crate) loops: Vec<RemoteBackend>,
    /// Of the first gateway.
    pub(crate) board: Arc<StatsBoard>,
    pub(crate) remote_board: Arc<RemoteBoard>,
    /// Nothing takes so long that it is given up.
    pub(crate) is_swift: bool,
    pub(crate) answers: Vec<Answer>,
    /// Planted faults.
    pub(crate) serves_earlier_connections: bool,
    pub(crate) planted: Option<WarmUp>,
    rng: Rng,
    pub(crate) machines: Vec<Machine>,
    pipes: Vec<Pipe>,
    by_link: BTreeMap<(usize, u32), usize>,
    events: BinaryHeap<Reverse<(Timestamp, u64, What)>>,
    serial: u64,
}

impl World {
    pub(crate) fn new(seed: u64, nodes: u32) -> Self {
        Self::with_gateways(seed, nodes, &[1], None)
    }

    /// With gateways that have so many loops.
    pub(crate) fn with_gateways(
        seed: u64,
        nodes: u32,
        gateways: &[usize],
        hot: Option<HotTerms>,
    ) -> Self {
        let now = Timestamp::from_secs(1_000_000);
        let members: Vec<MemberId> = (1..=nodes).map(MemberId).collect();
        let view = view(&members, hot);
        let mut all = Vec::new();
        let boards: Vec<Arc<StatsBoard>> = gateways.iter().map(|_| Arc::default()).collect();
        let first = Arc::new(RemoteBoard::new(gateways[0]));
        for ((instance, loops), stats) in (1..).zip(gateways).zip(&boards) {
            let board = match instance {
                1 => Arc::clone(&first),
                _ => Arc::new(RemoteBoard::new(*loops)),
            };
            for loop_index in 0..*loops {
                let mut backend = RemoteBackend::new(RemoteConfig {
                    name: format!("gateway{instance}"),
                    instance,
                    loop_index: loop_index as u32,
                    deadlines: DEADLINES,
                    stats: Arc::clone(stats),
                    board: Arc::clone(&board),
                });
                backend.remote().unwrap().apply(now, &view);
                all.push(backend);
            }
        }
        Self {
            now,
            loops: all,
            board: Arc::clone(&boards[0]),
            remote_board: first,
            is_swift: false,
            answers: Vec::new(),
            serves_earlier_connections: false,
            planted: None,
            rng: Rng::new(seed ^ 0x5eed),
            machines: members.iter().map(|id| Machine::new(*id, 1)).collect(),
            pipes: Vec::new(),
            by_link: BTreeMap::new(),
            events: BinaryHeap::new(),
            serial: 0,
        }
    }

    /// The fleet is another now, as the gateways learn.
    pub(crate) fn learn(&mut self, view: &FleetView) {
        for backend in &mut self.loops {
            backend.remote().unwrap().apply(self.now, view);
        }
    }

    /// Now and then, breaks something.
    pub(crate) fn do_harm(&mut self) {
        let at = self.rng.below(self.machines.len() as u64) as usize;
        let span = MS * self.rng.below(400) as u32;
        let until = self.now + span;
        match self.rng.below(400) {
            0..2 => self.machines[at].parted_until = until,
            2..4 => {
                self.machines[at].stopped_until = until;
                self.schedule(until, What::Resume(at));
            }
            4 => {
                let runs = self.machines[at].runs + 1;
                self.machines[at] = Machine::new(MemberId(at as u32 + 1), runs);
                for pipe in 0..self.pipes.len() {
                    if self.pipes[pipe].node == at {
                        self.pipes[pipe].accepted = None;
                        self.schedule(self.now, What::EndToGateway(pipe));
                    }
                }
            }
            5 => {
                let open = (0..self.pipes.len()).rfind(|pipe| self.pipes[*pipe].node == at);
                if let Some(pipe) = open {
                    self.schedule(self.now, What::EndToGateway(pipe));
                    self.schedule(self.now + span, What::EndToNode(pipe));
                }
            }
            _ => {}
        }
    }

    /// Nothing is broken any more.
    pub(crate) fn heal(&mut self) {
        for at in 0..self.machines.len() {
            self.machines[at].parted_until = self.now;
            self.machines[at].stopped_until = self.now;
            self.resume(at);
        }
    }

    /// Goes on to the next thing that happens, a millisecond at most.
    pub(crate) fn advance(&mut self) {
        self.drive();
        let end = self.now + MS;
        let timeouts = self.loops.iter_mut();
        let timeout = timeouts
            .filter_map(|it| it.remote().unwrap().poll_timeout())
            .min();
        let next = self.events.peek().map(|Reverse((at, ..))| *at);
        self.now = [Some(end), timeout, next]
            .into_iter()
            .flatten()
            .min()
            .unwrap()
            .max(self.now);
        while let Some(Reverse((at, _, _))) = self.events.peek()
            && *at <= self.now
        {
            if let Some(Reverse((_, _, what))) = self.events.pop() {
                self.happen(what);
            }
            self.drive();
        }
        for at in 0..self.loops.len() {
            self.with_gateway(at, |now, remote, each| remote.handle_timeout(now, each));
        }
        self.drive();
    }

    fn happen(&mut self, what: What) {
        match what {
            What::Connected(pipe) => {
                let Pipe { at, node, link, .. } = self.pipes[pipe];
                if self.pipes[pipe].open_at_gateway {
                    self.pipes[pipe].accepted = Some(self.machines[node].node.accept());
                    self.loops[at].remote().unwrap().connected(self.now, link);
                }
            }
            What::ToNode(pipe, bytes) => self.arrive_at_node(pipe, bytes),
            What::EndToNode(pipe) => {
                if let Some(link) = self.pipes[pipe].accepted.take() {
                    let machine = &mut self.machines[self.pipes[pipe].node];
                    machine.node.closed(link);
                }
            }
            What::ToGateway(pipe, bytes) => {
                let Pipe { at, link, .. } = self.pipes[pipe];
                if self.pipes[pipe].open_at_gateway {
                    self.with_gateway(at, |now, remote, each| {
                        remote.receive(now, link, &bytes, each).unwrap();
                    });
                }
            }
            What::EndToGateway(pipe) => {
                let Pipe { at, link, .. } = self.pipes[pipe];
                if std::mem::replace(&mut self.pipes[pipe].open_at_gateway, false) {
                    self.with_gateway(at, |now, remote, each| remote.closed(now, link, each));
                }
            }
            What::Resume(at) => self.resume(at),
        }
    }

    fn arrive_at_node(&mut self, pipe: usize, bytes: Vec<u8>) {
        let at = self.pipes[pipe].node;
        let machine = &mut self.machines[at];
        if machine.stopped_until > self.now {
            machine.waiting.push((pipe, bytes));
            return;
        }
        self.serve(pipe, &bytes);
    }

    fn serve(&mut self, pipe: usize, bytes: &[u8]) {
        let Some(link) = self.pipes[pipe].accepted else {
            return;
        };
        let at = self.pipes[pipe].node;
        let machine = &mut self.machines[at];
        machine
            .node
            .receive(self.now, self.now, link, bytes)
            .unwrap();
        machine
            .node
            .settle(link, self.now, self.now, self.now + MS / 100);
        while let Some((link, caller)) = machine.node.poll_greeting() {
            let before = machine.callers.insert(caller, link);
            if let Some(before) = before.filter(|before| *before != link)
                && !self.serves_earlier_connections
            {
                machine.node.closed(before);
                for pipe in &mut self.pipes {
                    if pipe.node == at && pipe.accepted == Some(before) {
                        pipe.accepted = None;
                    }
                }
            }
            machine.node.greet(link);
        }
        self.answer(at);
    }

    /// A node that goes on finds its connections in any order.
    fn resume(&mut self, at: usize) {
        if self.machines[at].stopped_until > self.now {
            return;
        }
        let mut waiting = std::mem::take(&mut self.machines[at].waiting);
        if self.rng.below(2) == 0 {
            // Those of the last connection first, each in its order.
            waiting.sort_by_key(|(pipe, _)| Reverse(*pipe));
        }
        for (pipe, bytes) in waiting {
            self.serve(pipe, &bytes);
        }
    }

    fn answer(&mut self, at: usize) {
        while let Some(link) = self.machines[at].node.poll_transmit() {
            let bytes = self.machines[at].node.outgoing(link).to_vec();
            self.machines[at].node.sent(link, bytes.len());
            let open = |pipe: &Pipe| pipe.node == at && pipe.accepted == Some(link);
            if let Some(pipe) = self.pipes.iter().position(open) {
                let arrival = self.arrival(at).max(self.pipes[pipe].last_from);
                self.pipes[pipe].last_from = arrival;
                self.schedule(arrival, What::ToGateway(pipe, bytes));
            }
        }
    }

    /// Carries out what the gateway wants done.
    fn drive(&mut self) {
        for at in 0..self.loops.len() {
            self.drive_loop(at);
        }
    }

    fn drive_loop(&mut self, at: usize) {
        while let Some(command) = self.loops[at].remote().unwrap().poll_command() {
            match command {
                Command::Connect { link, addr, .. } => {
                    let node = usize::from(addr.port()) - 1;
                    let pipe = self.pipes.len();
                    self.pipes.push(Pipe {
                        at,
                        node,
                        link,
                        accepted: None,
                        open_at_gateway: true,
                        last_to: self.now,
                        last_from: self.now,
                    });
                    self.by_link.insert((at, link.0), pipe);
                    let arrival = self.arrival(node);
                    self.schedule(arrival, What::Connected(pipe));
                }
                Command::Close(link) => {
                    let pipe = self.by_link[&(at, link.0)];
                    self.pipes[pipe].open_at_gateway = false;
                    // What was sent before arrives before the end does.
                    let arrival = self.arrival(self.pipes[pipe].node);
                    let arrival = arrival.max(self.pipes[pipe].last_to);
                    self.schedule(arrival, What::EndToNode(pipe));
                }
                Command::Refuse(..) => panic!("there is one version"),
            }
        }
        while let Some(link) = self.loops[at].remote().unwrap().poll_transmit() {
            let bytes = self.loops[at].remote().unwrap().outgoing(link).to_vec();
            let Some(pipe) = self.by_link.get(&(at, link.0)).copied() else {
                continue;
            };
            if bytes.is_empty() || self.pipes[pipe].accepted.is_none() {
                continue;
            }
            // The socket may take any part of it.
            let taken = match self.rng.below(4) {
                // A planted fault looks at whole frames.
                0 if self.planted.is_none() => 1 + self.rng.below(bytes.len() as u64) as usize,
                _ => bytes.len(),
            };
            let arrival = self.arrival(self.pipes[pipe].node);
            let arrival = arrival.max(self.pipes[pipe].last_to);
            self.pipes[pipe].last_to = arrival;
            let sent = match &self.planted {
                Some(fault) => fault.apply(&bytes),
                None => bytes[..taken].to_vec(),
            };
            self.schedule(arrival, What::ToNode(pipe, sent));
            self.with_gateway(at, |now, remote, each| remote.sent(now, link, taken, each));
        }
    }

    /// When what is sent now to or from a node comes there.
    fn arrival(&mut self, node: usize) -> Timestamp {
        let is_late = self.rng.below(50) == 0 && !self.is_swift;
        let (least, more) = if is_late { (0, 80_000) } else { (50, 400) };
        let way = Duration::from_micros(least + self.rng.below(more));
        self.now.max(self.machines[node].parted_until) + way
    }

    fn schedule(&mut self, at: Timestamp, what: What) {
        self.serial += 1;
        self.events.push(Reverse((at, self.serial, what)));
    }

    fn with_gateway(
        &mut self,
        at: usize,
        work: impl FnOnce(Timestamp, &mut gateway::remote::Remote, &mut dyn FnMut(Event<'_>)),
    ) {
        let answers = &mut self.answers;
        let remote = self.loops[at].remote().unwrap();
        work(self.now, remote, &mut |event| {
            if let Event::Answered { id, outcome, item } = event {
                let value = item.map(|item| match item.value {
                    base::kv::Value::Inline(bytes) => bytes.to_vec(),
                    base::kv::Value::Pinned(_) => Vec::new(),
                });
                answers.push(Answer {
                    at,
                    id,
                    outcome,
                    value,
                });
            }
        });
    }
}
