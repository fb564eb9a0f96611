//! The thread on which hands are shaken, so that what that costs is nobody's wait on a loop.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::Duration;

use base::{TenantId, Timestamp};
use gateway::{ApproachFailure, Peer};
use mio::{Events, Poll, Token, Waker};

use super::config::{Terms, TlsServer};
use super::failure;
use super::stream::{Handshake, TlsStream};
use super::turns::Turns;
use crate::net::accept::LoopHandle;
use crate::net::event_loop::{Shared, WAKER};
use crate::net::loops::Mail;
use crate::net::socket::Socket;
use crate::priority::give_way;
use crate::state::DEFAULT_TENANT;

/// Handshakes taken a step further before the kernel is asked again who has come.
const STEPS_MAX: usize = 8;
const EVENTS_MAX: usize = 256;
/// How often it is said that handshakes fail.
const WARNING_INTERVAL: Duration = Duration::from_secs(10);

/// One that is to shake hands.
#[derive(Debug)]
pub(in crate::net) struct Newcomer {
    pub(in crate::net) socket: Socket,
    pub(in crate::net) peer: Peer,
    /// What its listener speaks TLS with.
    pub(in crate::net) server: Arc<TlsServer>,
    /// The tenant that its listener is bound to.
    pub(in crate::net) tenant: Option<TenantId>,
    pub(in crate::net) since: Timestamp,
}

/// The way to the thread; it ends, and closes what it has, once this is dropped.
#[derive(Debug)]
pub(in crate::net) struct Handshakes {
    newcomers: Option<Sender<Newcomer>>,
    waker: Waker,
    /// How many are with the thread, or on their way to it.
    count: Arc<AtomicUsize>,
    count_max: usize,
}

impl Handshakes {
    /// Starts the thread; whoever is done goes to the loop behind `entrance`.
    pub(in crate::net) fn start(shared: Arc<Shared>, entrance: LoopHandle) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let (newcomers, inbox) = channel();
        let count = Arc::new(AtomicUsize::new(0));
        let count_max = shared.limits.unauthenticated_max;
        let worker = Worker {
            shared,
            poll,
            inbox,
            entrance,
            count: Arc::clone(&count),
            count_max,
            members: BTreeMap::new(),
            turns: Turns::default(),
            arrivals_total: 0,
            next_warning: Timestamp::ZERO,
        };
        std::thread::Builder::new()
            .name("handshakes".into())
            .spawn(move || worker.run())?;
        Ok(Self {
            newcomers: Some(newcomers),
            waker,
            count,
            count_max,
        })
    }

    /// Hands one over; `false` if so many are on their way that the thread has fallen far behind,
    /// or if it has ended.
    pub(in crate::net) fn begin(&self, newcomer: Newcomer) -> bool {
        // The thread sheds in order; this is for when it does not get to run at all.
        if self.count.load(Ordering::Relaxed) >= self.count_max.saturating_mul(2) {
            return false;
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        let sent = match &self.newcomers {
            Some(newcomers) => newcomers.send(newcomer).is_ok(),
            None => false,
        };
        // It is read within the timeout of those before it even if the waker fails.
        let _ = self.waker.wake();
        sent
    }

    /// How many shake hands now.
    pub(in crate::net) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }
}

impl Drop for Handshakes {
    fn drop(&mut self) {
        self.newcomers = None;
        // Without it the thread ends at its next timeout.
        let _ = self.waker.wake();
    }
}

/// One that shakes hands.
struct Member {
    stream: TlsStream,
    terms: Arc<Terms>,
    peer: Peer,
    tenant: Option<TenantId>,
    deadline: Timestamp,
    /// It has sent its last byte, though we may not have read up to it.
    peer_closed: bool,
}

struct Worker {
    shared: Arc<Shared>,
    poll: Poll,
    inbox: Receiver<Newcomer>,
    entrance: LoopHandle,
    count: Arc<AtomicUsize>,
    count_max: usize,
    /// By number of arrival, which is the order of the deadlines and the token.
    members: BTreeMap<u64, Member>,
    turns: Turns,
    arrivals_total: u64,
    next_warning: Timestamp,
}

impl Worker {
    fn run(mut self) {
        // A handshake takes half a millisecond of a core.
        give_way();
        let mut events = Events::with_capacity(EVENTS_MAX);
        loop {
            let wait = self.time_to_wait();
            match self.poll.poll(&mut events, wait) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                    tracing::error!(%error, "TLS is not served any more");
                    break;
                }
                _ => {}
            }
            for event in &events {
                if event.token() != WAKER {
                    let number = event.token().0 as u64;
                    if let Some(member) = self.members.get_mut(&number) {
                        member.peer_closed |= event.is_read_closed();
                    }
                    self.turns.push(number);
                }
            }
            if !self.take_newcomers() {
                break;
            }
            for _ in 0..STEPS_MAX {
                let Some(number) = self.turns.pop() else {
                    break;
                };
                self.step(number);
            }
            self.expire();
        }
        while let Some(number) = self.turns.oldest() {
            self.end(number);
        }
    }

    fn time_to_wait(&self) -> Option<Duration> {
        if self.turns.has_waiting() {
            return Some(Duration::ZERO);
        }
        let (_, oldest) = self.members.first_key_value()?;
        Some(oldest.deadline.since(self.shared.clock.now()))
    }

    /// False once nobody can come any more.
    fn take_newcomers(&mut self) -> bool {
        loop {
            match self.inbox.try_recv() {
                Ok(newcomer) => self.take_in(newcomer),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn take_in(&mut self, newcomer: Newcomer) {
        // The last descriptors are the door's, for it tells tenants apart.
        let limits = &self.shared.limits;
        let descriptors = limits.connections_max + limits.connections_reserve / 2;
        let is_full = self.shared.connections.load(Ordering::Relaxed) > descriptors;
        if (is_full || self.turns.len() >= self.count_max)
            && let Some(number) = self.turns.oldest_of_fattest()
        {
            self.shared.refused.fetch_add(1, Ordering::Relaxed);
            if let Some(member) = self.members.get(&number) {
                self.shared.figures.note_handshake_shed(member.peer);
            }
            self.end(number);
        }
        self.arrivals_total += 1;
        let number = self.arrivals_total;
        let terms = newcomer.server.terms();
        let token = Token(usize::try_from(number).unwrap_or(0));
        let stream = TlsStream::new(newcomer.socket, Arc::clone(&terms.config));
        let Ok(stream) = stream else {
            return self.count_closed();
        };
        if stream.socket.register(self.poll.registry(), token).is_err() {
            return self.count_closed();
        }
        let member = Member {
            stream,
            terms,
            peer: newcomer.peer,
            tenant: newcomer.tenant,
            deadline: newcomer.since + self.shared.limits.auth_timeout,
            peer_closed: false,
        };
        self.turns.enter(number, newcomer.peer.into());
        self.members.insert(number, member);
        self.turns.push(number);
    }

    fn step(&mut self, number: u64) {
        let Some(member) = self.members.get_mut(&number) else {
            return;
        };
        match member.stream.shake_hands() {
            // No edge announces an end that was announced with what came before it.
            Ok(Handshake::Waiting) if member.peer_closed => self.turns.push(number),
            Ok(Handshake::Waiting) => {}
            Ok(Handshake::MoreToDo) => self.turns.push(number),
            Ok(Handshake::Done) => self.pass_on(number),
            Err(error) => {
                let peer = member.peer;
                self.fail(peer, failure::cause_of(&error), &error);
                self.end(number);
            }
        }
    }

    /// Sends one that is done to the loop, which lets it in.
    fn pass_on(&mut self, number: u64) {
        self.turns.leave(number);
        let Some(member) = self.members.remove(&number) else {
            return;
        };
        let directory = self.shared.directory.get();
        let named = member
            .terms
            .tenant_of(member.stream.certificates(), &directory)
            // Nobody authenticates as the open tenant: it is there for who reaches its own listener.
            .filter(|tenant| *tenant != DEFAULT_TENANT);
        let tenant = member.tenant.or(named);
        if tenant.is_none() && member.terms.certificate_required {
            let why = "none of its certificate's names is one tenant's name";
            self.fail(member.peer, ApproachFailure::TlsCertificate, &why);
            return self.count_closed();
        }
        if member
            .stream
            .socket
            .deregister(self.poll.registry())
            .is_err()
        {
            return self.count_closed();
        }
        let mail = Mail::Secured {
            stream: Box::new(member.stream),
            peer: member.peer,
            tenant,
        };
        match self.entrance.send(mail) {
            Ok(()) => drop(self.count.fetch_sub(1, Ordering::Relaxed)),
            Err(_) => self.count_closed(),
        }
    }

    /// Counts one whose handshake came to nothing, and says so now and then, since that is as a rule
    /// for somebody to mend: but not of those who only knock, as health checks do.
    fn fail(&mut self, peer: Peer, cause: ApproachFailure, why: &dyn Display) {
        self.shared.figures.note_approach_failure(cause);
        let now = self.shared.clock.now();
        if cause == ApproachFailure::TlsEnded || now < self.next_warning {
            tracing::debug!(%peer, cause = cause.name(), %why, "a TLS handshake failed");
            return;
        }
        self.next_warning = now + WARNING_INTERVAL;
        tracing::warn!(
            %peer,
            cause = cause.name(),
            %why,
            "a TLS handshake failed; others that do are not told of for {} s, see \
             cofferdam_connections_failed_total",
            WARNING_INTERVAL.as_secs()
        );
    }

    fn expire(&mut self) {
        let now = self.shared.clock.now();
        while let Some((number, oldest)) = self.members.first_key_value()
            && oldest.deadline <= now
        {
            let (number, peer) = (*number, oldest.peer);
            self.fail(peer, ApproachFailure::TlsTimeout, &"it took too long");
            self.end(number);
        }
    }

    fn end(&mut self, number: u64) {
        self.turns.leave(number);
        if self.members.remove(&number).is_some() {
            self.count_closed();
        }
    }

    fn count_closed(&self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
        self.shared.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
