//! Where connections of balancers wait until they have said which client they are for.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use base::{Ordinal, Timestamp};
use gateway::Peer;
use gateway::proxy_header::{NoProxyHeader, PROXY_HEADER_LEN_MAX, ProxyHeader, parse};
use thiserror::Error;

use super::listener::Approach;

/// Names a connection to the lobby: its number in the order of arrival, never given twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LobbyId(Ordinal);

/// What is known of a connection that has not named its client.
#[derive(Debug)]
pub(super) struct Guest {
    /// The driver's name for it.
    link: u64,
    since: Timestamp,
    /// The balancer.
    pub(super) peer: Peer,
    /// What its listener makes of it afterwards.
    pub(super) approach: Approach,
    header: Header,
}

/// The connections that have begun a header and not ended it, and those that have not begun one.
#[derive(Debug)]
pub(super) struct Lobby {
    timeout: Duration,
    guests_max: usize,
    /// In the order of arrival, which is the order of the deadlines.
    guests: BTreeMap<LobbyId, Guest>,
    arrivals_total: u64,
}

/// What has come of a header.
#[derive(Debug, Default)]
pub(super) struct Header(Vec<u8>);

/// What a look at a header brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// More is to come.
    Part,
    /// It was whole; the client that it names, if it names one.
    Whole(Option<Peer>),
}

/// Why a balancer's connection is closed.
#[derive(Debug, Error)]
pub(super) enum NoGuest {
    /// It broke off.
    #[error("it ended within its PROXY protocol header")]
    Ended,
    /// It sends something else.
    #[error(transparent)]
    Header(#[from] NoProxyHeader),
    /// The system has nothing more to read from it.
    #[error(transparent)]
    Socket(#[from] io::Error),
}

impl Header {
    /// Reads no more than the header: what follows stays with the kernel, for whoever comes next.
    /// `read` gives `None` where nothing has come, and 0 at the end.
    pub(super) fn receive(
        &mut self,
        mut read: impl FnMut(&mut [u8]) -> io::Result<Option<usize>>,
    ) -> Result<Seen, NoGuest> {
        let mut room = [0; PROXY_HEADER_LEN_MAX];
        loop {
            let missing_len = match parse(&self.0)? {
                ProxyHeader::Complete { client, .. } => return Ok(Seen::Whole(client)),
                ProxyHeader::Incomplete { missing_len } => missing_len.min(room.len()),
            };
            match read(&mut room[..missing_len])? {
                Some(0) => return Err(NoGuest::Ended),
                Some(count) => self.0.extend_from_slice(&room[..count]),
                None => return Ok(Seen::Part),
            }
        }
    }
}

impl Lobby {
    pub(super) fn new(timeout: Duration, guests_max: usize) -> Self {
        Self {
            timeout,
            guests_max,
            guests: BTreeMap::new(),
            arrivals_total: 0,
        }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.guests.len()
    }

    /// The name that the next one will have.
    pub(super) fn next_id(&self) -> LobbyId {
        LobbyId(Ordinal::new(self.arrivals_total + 1))
    }

    /// Lets one wait; where there is no room, the link of the oldest, which is to be closed.
    pub(super) fn enter(
        &mut self,
        now: Timestamp,
        link: u64,
        peer: Peer,
        approach: Approach,
        header: Header,
    ) -> Option<u64> {
        let shed = match self.guests.len() >= self.guests_max {
            true => self.shed_oldest(),
            false => None,
        };
        self.arrivals_total += 1;
        let guest = Guest {
            link,
            since: now,
            peer,
            approach,
            header,
        };
        self.guests
            .insert(LobbyId(Ordinal::new(self.arrivals_total)), guest);
        shed
    }

    /// The header of one that waits.
    pub(super) fn header(&mut self, id: LobbyId) -> Option<&mut Header> {
        self.guests.get_mut(&id).map(|guest| &mut guest.header)
    }

    /// Forgets one, and tells what was known of it.
    pub(super) fn leave(&mut self, id: LobbyId) -> Option<Guest> {
        self.guests.remove(&id)
    }

    /// Forgets the oldest, to make room; close the connection of this link.
    pub(super) fn shed_oldest(&mut self) -> Option<u64> {
        self.guests.pop_first().map(|(_, guest)| guest.link)
    }

    /// When the next one's time is up.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let (_, oldest) = self.guests.first_key_value()?;
        Some(oldest.since + self.timeout)
    }

    /// Forgets one whose time is up; close the connection of this link.
    pub(super) fn expire(&mut self, now: Timestamp) -> Option<u64> {
        if self.deadline()? > now {
            return None;
        }
        self.shed_oldest()
    }
}

#[cfg(test)]
#[path = "proxy_lobby_test.rs"]
mod tests;
