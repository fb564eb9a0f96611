//! One client's connection after it was admitted.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base::kv::{Outcome, Pin, Reservation};
use base::{CredentialId, Rights, TenantId, Timestamp};
use memcache_proto::{Decoder, OwnedReply, PinnedTail};

use crate::ShardConfig;
use crate::ledger::LedgerId;
use crate::pause::{Mode, State};

/// How often it is looked, while a tenant's `max_delay` passes, how much of a session's input has
/// come.
const MARKS_PER_MAX_DELAY: u32 = 20;

/// Names a session to its shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub(crate) u32);

/// A connection that may now speak for a tenant, on its way from the door to a shard.
#[derive(Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Whom it speaks for.
    pub tenant: TenantId,
    /// What it may do.
    pub rights: Rights,
    /// The credential it showed; none on a listener that is bound to one tenant.
    pub credential: Option<CredentialId>,
    /// Where it comes from.
    pub peer: Peer,
    /// What it has sent behind its credential.
    pub unparsed: Vec<u8>,
}

/// Where a connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// Over IPv4 or IPv6; address and port.
    Ip(IpAddr, u16),
    /// Over a Unix socket.
    Unix,
}

impl From<SocketAddr> for Peer {
    fn from(addr: SocketAddr) -> Self {
        Self::Ip(addr.ip(), addr.port())
    }
}

impl fmt::Display for Peer {
    /// As memcached's `stats conns` tells it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V4(ip), port) => write!(f, "tcp:{ip}:{port}"),
            Self::Ip(IpAddr::V6(ip), port) => write!(f, "tcp6:[{ip}]:{port}"),
            Self::Unix => f.write_str("unix"),
        }
    }
}

/// What a shard keeps of a connection. An idle one holds no buffer.
#[derive(Debug)]
pub(crate) struct Session {
    /// The driver's own name for the connection.
    pub(crate) link: u64,
    /// Its place among the shard's tenants.
    pub(crate) tenant: u32,
    pub(crate) rights: Rights,
    /// Whether it stands in the queue for a turn.
    pub(crate) queued: bool,
    /// Whether its next turn can use more input than it has.
    pub(crate) needs_input: bool,
    pub(crate) credential: Option<CredentialId>,
    pub(crate) decoder: Decoder,
    /// Input that no turn has used yet.
    pub(crate) unread: Backlog,
    /// Output that the connection has not taken yet.
    pub(crate) unsent: Backlog,
    pub(crate) transfer: Option<Box<Transfer>>,
    pub(crate) peer: Peer,
    pub(crate) active_s: u32,
    /// What it counts for in its tenant's bytes on their way.
    pub(crate) inflight_bytes: u32,
    /// How it is served in the turn that it was given last.
    pub(crate) mode: Mode,
    /// Whether it has ever asked for anything.
    pub(crate) has_asked: bool,
    /// Whether it was ever answered, if only that it is alive.
    pub(crate) was_answered: bool,
    /// Since when the oldest input waits that no turn has used; means something while there is any.
    since: Timestamp,
    mark: Option<Box<Mark>>,
    /// What it is owed behind requests that nodes have yet to answer; none while there are none.
    pub(crate) ledger: Option<LedgerId>,
}

/// A look at how much input there was: what is behind it came later. Without marks a client that
/// never lets its input run dry would seem to wait ever longer.
#[derive(Debug)]
struct Mark {
    at: Timestamp,
    bytes_left: usize,
}

/// What a session is in the middle of that takes more than one turn.
#[derive(Debug)]
pub(crate) enum Transfer {
    /// Waiting for a list of connections that is no older than the question.
    Gathering { reply: OwnedReply, since: Timestamp },
    /// Taking in a value too large to cross in one piece.
    Upload {
        /// Where it goes, or why it goes nowhere.
        room: Result<Reservation, Outcome>,
        reply: OwnedReply,
    },
    /// Giving out such a value.
    Download {
        pin: Pin,
        offset: u32,
        tail: PinnedTail,
    },
}

impl Session {
    pub(crate) fn new(now: Timestamp, link: u64, tenant: u32, admitted: Admitted) -> Self {
        Self {
            link,
            tenant,
            rights: admitted.rights,
            queued: false,
            needs_input: admitted.unparsed.is_empty(),
            credential: admitted.credential,
            decoder: match admitted.credential {
                Some(_) => Decoder::of_authenticated(),
                None => Decoder::new(),
            },
            peer: admitted.peer,
            unread: Backlog::from(admitted.unparsed),
            unsent: Backlog::default(),
            transfer: None,
            active_s: now.unix_secs(),
            inflight_bytes: 0,
            mode: Mode::Serve,
            has_asked: false,
            was_answered: false,
            since: now,
            mark: None,
            ledger: None,
        }
    }

    /// Since when its oldest input waits.
    pub(crate) fn since(&self) -> Timestamp {
        self.since
    }

    /// What it stands in need of.
    pub(crate) fn state(&self) -> State {
        if !self.unsent.is_empty() {
            State::Owes
        } else if self.transfer.is_some() {
            State::MidValue
        } else if self.needs_input {
            State::NeedsInput
        } else {
            State::HasInput
        }
    }

    /// Notes that input has come, unless it is more of a value: that waits since it began.
    pub(crate) fn wait_for_input(&mut self, at: Timestamp) {
        if self.transfer.is_none() {
            self.wait_from(at);
        }
    }

    /// Notes that all that waits has come at this time, or later.
    pub(crate) fn wait_from(&mut self, at: Timestamp) {
        self.since = at;
        self.mark = None;
    }

    /// Notes that a turn has used so much of its input.
    pub(crate) fn use_input(&mut self, count: usize) {
        if let Some(mark) = &mut self.mark {
            mark.bytes_left = mark.bytes_left.saturating_sub(count);
        }
    }

    /// Finds out since when what a turn has left waits. `pending` is what its connection has of it;
    /// it is asked for once in a while, and only of a session that has not run dry for some time.
    pub(crate) fn go_on_waiting(
        &mut self,
        now: Timestamp,
        max_delay: Duration,
        pending: impl FnOnce() -> usize,
    ) {
        if self.transfer.is_some() {
            return;
        }
        if let Some(mark) = self.mark.take_if(|mark| mark.bytes_left == 0) {
            self.since = mark.at;
        }
        if self.mark.is_none() && now.since(self.since) >= max_delay / MARKS_PER_MAX_DELAY {
            let bytes_left = self.unread.len() + pending();
            self.mark = Some(Box::new(Mark {
                at: now,
                bytes_left,
            }));
        }
    }

    /// What it counts for in its tenant's bytes on their way. While it owes anything, the kernel
    /// holds as much for it as it may.
    pub(crate) fn inflight_bytes_now(&self, config: &ShardConfig) -> u32 {
        let held = match self.unsent.is_empty() {
            true => 0,
            false => config.send_buffer_bytes,
        };
        u32::try_from(self.unread.len() + self.unsent.len() + held).unwrap_or(u32::MAX)
    }

    /// memcached's word for what it is doing.
    pub(crate) fn state_name(&self) -> &'static str {
        match self.transfer.as_deref() {
            Some(Transfer::Gathering { .. }) => "conn_waiting",
            Some(Transfer::Upload { .. }) => "conn_nread",
            Some(Transfer::Download { .. }) => "conn_mwrite",
            None if !self.unsent.is_empty() => "conn_mwrite",
            None if !self.unread.is_empty() => "conn_parse_cmd",
            None => "conn_read",
        }
    }
}

/// Bytes that wait, taken from the front; a pointer, and no memory behind it, while there are none.
#[derive(Debug, Default)]
pub(crate) struct Backlog(Option<Box<Waiting>>);

#[derive(Debug)]
struct Waiting {
    bytes: Vec<u8>,
    taken: usize,
}

impl Backlog {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn len(&self) -> usize {
        self.as_slice().len()
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        let waiting = self.0.as_ref();
        let rest = waiting.and_then(|waiting| waiting.bytes.get(waiting.taken..));
        rest.unwrap_or_default()
    }

    pub(crate) fn append(&mut self, more: &[u8]) {
        let Some(waiting) = &mut self.0 else {
            *self = Self::from(more.to_vec());
            return;
        };
        waiting.bytes.drain(..waiting.taken);
        waiting.taken = 0;
        waiting.bytes.extend_from_slice(more);
    }

    /// Drops `count` bytes from the front.
    pub(crate) fn consume(&mut self, count: usize) {
        if let Some(waiting) = &mut self.0 {
            waiting.taken += count;
            if waiting.taken >= waiting.bytes.len() {
                self.0 = None;
            }
        }
    }
}

impl From<Vec<u8>> for Backlog {
    fn from(bytes: Vec<u8>) -> Self {
        Self((!bytes.is_empty()).then(|| Box::new(Waiting { bytes, taken: 0 })))
    }
}

#[cfg(test)]
#[path = "session_test.rs"]
mod tests;
