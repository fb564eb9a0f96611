//! Whose a connection is, asked by other threads, for whom the kernel knows only addresses.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use base::{TenantId, Timestamp};
use gateway::{Backend, Peer, Shard};

use super::Loops;
use super::loops::Mail;

/// Loops answer at their next turn; one that stands still does not.
const PATIENCE: Duration = Duration::from_millis(100);

/// A question on its way to a loop.
#[derive(Debug)]
pub(super) struct Question {
    clients: Arc<HashSet<Peer>>,
    answers: Sender<Vec<(Peer, TenantId)>>,
}

impl Question {
    /// Answers with what this loop knows.
    pub(super) fn answer<B: Backend>(self, shard: &Shard<B>) {
        // Whoever asked may have lost patience.
        let _ = self.answers.send(shard.owners(&self.clients));
    }
}

impl Loops {
    /// The tenants of the connections from these clients. One that has not authenticated, that has
    /// gone, or whose loop stands still is not told of. Each loop looks through its connections
    /// once, so this is for rare occasions.
    pub fn owners(&self, clients: &[SocketAddr]) -> Vec<(SocketAddr, TenantId)> {
        let wanted: HashSet<Peer> = clients.iter().map(|addr| Peer::from(*addr)).collect();
        let wanted = Arc::new(wanted);
        let (answers, answered) = channel();
        self.send_all(|| {
            Mail::Whose(Question {
                clients: Arc::clone(&wanted),
                answers: answers.clone(),
            })
        });
        drop(answers);
        let deadline = self.now() + PATIENCE;
        let mut owners = Vec::new();
        let left = |now: Timestamp| deadline.since(now);
        while let Ok(known) = answered.recv_timeout(left(self.now())) {
            owners.extend(known.into_iter().filter_map(|(peer, tenant)| match peer {
                Peer::Ip(ip, port) => Some((SocketAddr::new(ip, port), tenant)),
                Peer::Unix => None,
            }));
        }
        owners
    }
}
