//! What the gate has a node try out: on a thread of its own, one thing at a time, and told to whoever
//! asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use gateway::Backend;
use node::{Landlord, LinkId, Task};
use node_proto::Examined;

use super::call::Callee;
use super::own::{OwnTrial, examine};
use super::pairing::{Load, cannot_use, pair};
use super::server::Mail;
use super::server_loop::ServerLoop;
use super::stream::PeerTls;
use super::underway::Underway;
use crate::Clock;
use crate::priority::give_way;

/// Tries things out.
#[derive(Clone)]
pub(super) struct Examiner {
    pub(super) me: String,
    pub(super) tls: Option<PeerTls>,
    pub(super) trial: OwnTrial,
    pub(super) clock: Clock,
    /// What is being tried out.
    pub(super) underway: Arc<Mutex<Option<Underway>>>,
}

impl Examiner {
    fn underway(&self) -> MutexGuard<'_, Option<Underway>> {
        self.underway.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, task: Task) -> Examined {
        let result = match task {
            Task::Own(exam) => {
                give_way();
                examine(&self.trial, exam, self.clock)
                    .map(Examined::Own)
                    .map_err(|error| format!("cannot try out {}: {error}", self.me))
            }
            Task::Pair {
                name,
                address,
                length,
                requests_per_s,
                bytes_per_s,
            } => {
                let load = Load {
                    length,
                    requests_per_s,
                    bytes_per_s,
                };
                let callee = Callee {
                    name,
                    address,
                    tls: self.tls.clone(),
                    me: self.me.clone(),
                    clock: self.clock,
                };
                let told = cannot_use(&self.me, &callee.name);
                pair(&callee, &load)
                    .map(Examined::Pair)
                    .map_err(|error| format!("{told} at {}: {error}", callee.address))
            }
        };
        result.unwrap_or_else(Examined::Failed)
    }
}

impl<B: Backend, L: Landlord> ServerLoop<B, L> {
    /// What is to be known of a connection before what has come on it is served.
    pub(super) fn look_at_peer(&mut self, key: usize) {
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        if !peer.is_known
            && let Some(is_node) = peer.stream.is_node()
        {
            peer.is_known = true;
            if is_node {
                self.node.confine(peer.link);
            }
        }
        if self.node.is_examined(peer.link) {
            self.node.note_segments(peer.link, peer.stream.segments());
        }
    }

    /// Begins what gateways want to be tried out.
    pub(super) fn take_errands(&mut self) {
        while let Some(errand) = self.node.poll_errand() {
            let (link, token) = (errand.link, errand.token);
            let Some(serial) = self.peer_of(link).map(|peer| peer.serial) else {
                continue;
            };
            if let Err(why) = self.begin(link, serial, token, errand.task) {
                self.node.examined(link, token, Examined::Failed(why));
            }
        }
    }

    fn begin(&self, link: LinkId, serial: u64, token: u64, task: Task) -> Result<(), String> {
        let Some(loops) = self.loops.get(self.index).cloned() else {
            return Err("this loop cannot be told anything".to_owned());
        };
        let examiner = self.shared.examiner.clone();
        let now = examiner.clock.now();
        match &mut *examiner.underway() {
            Some(underway) => return Err(underway.in_words(&examiner.me, now)),
            nothing => *nothing = Some(Underway::new(&task, now)),
        }
        let thread = thread::Builder::new().name("gate".into());
        let examining = examiner.clone();
        let spawned = thread.spawn(move || {
            examining
                .underway()
                .iter_mut()
                .for_each(Underway::runs_here);
            let result = examining.run(task);
            *examining.underway() = None;
            let link = (link, serial);
            loops.send(Mail::Examined {
                link,
                token,
                result,
            });
        });
        spawned.map(drop).map_err(|error| {
            *examiner.underway() = None;
            format!("no thread to try it out: {error}")
        })
    }

    /// Unless whoever asked has gone.
    pub(super) fn tell_examined(
        &mut self,
        (link, serial): (LinkId, u64),
        token: u64,
        result: Examined,
    ) {
        if self.peer_of(link).is_some_and(|peer| peer.serial == serial) {
            self.node.examined(link, token, result);
        }
    }
}
