//! What a node does for the gate: gives bytes back, and has what it is to try out done by its driver.

use std::time::Duration;

use base::Timestamp;
use gateway::Backend;
use node_proto::gate::{OwnExam, Segments};
use node_proto::{Echo, Echoed, Exam, Examined, Message, PIECE_LEN_MAX};

use crate::link::LinkId;
use crate::node::{Landlord, Node};

/// What an answer is filled with.
static FILLING: [u8; PIECE_LEN_MAX] = [0; PIECE_LEN_MAX];

/// Something that a gateway wants to be tried out; it takes seconds, and is no work for a loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// Who asked.
    pub link: LinkId,
    /// Given back with what came of it.
    pub token: u64,
    /// What.
    pub task: Task,
}

/// What is to be tried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// The way to another node.
    Pair {
        /// Its name.
        name: String,
        /// Where it is.
        address: String,
        /// For how long.
        length: Duration,
        /// Round trips a second at most.
        requests_per_s: u32,
        /// Bytes a second at most.
        bytes_per_s: u64,
    },
    /// This machine.
    Own(OwnExam),
}

impl From<Exam<'_>> for Task {
    fn from(exam: Exam<'_>) -> Self {
        match exam {
            Exam::Own(exam) => Self::Own(exam),
            Exam::Pair(exam) => Self::Pair {
                name: exam.name.to_owned(),
                address: exam.address.to_owned(),
                length: exam.length,
                requests_per_s: exam.requests_per_s,
                bytes_per_s: exam.bytes_per_s,
            },
        }
    }
}

impl<B: Backend, L: Landlord> Node<B, L> {
    /// Whoever has connected is another node, as its certificate says: it may try out the way, and
    /// whatever else it asks ends the connection.
    pub fn confine(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id.0 as usize) {
            link.is_confined = true;
        }
    }

    /// Whether the way over this connection is being tried out: then [`note_segments`] is to be told
    /// what the socket has sent before the next [`receive`].
    ///
    /// [`note_segments`]: Self::note_segments
    /// [`receive`]: Self::receive
    pub fn is_examined(&self, id: LinkId) -> bool {
        let link = self.links.get(id.0 as usize);
        link.is_some_and(|link| link.is_examined)
    }

    /// What a connection's socket has sent.
    pub fn note_segments(&mut self, id: LinkId, segments: Segments) {
        if let Some(link) = self.links.get_mut(id.0 as usize) {
            link.segments = segments;
        }
    }

    /// Something to try out; tell with [`examined`](Self::examined) what came of it.
    pub fn poll_errand(&mut self) -> Option<Errand> {
        self.errands.pop()
    }

    /// What came of an errand.
    pub fn examined(&mut self, id: LinkId, token: u64, result: Examined) {
        self.say(id, &Message::Examined { token, result });
    }

    pub(crate) fn take_exam(&mut self, link: LinkId, token: u64, exam: Exam<'_>) {
        let task = exam.into();
        self.errands.push(Errand { link, token, task });
    }

    pub(crate) fn echo(&mut self, now: Timestamp, id: LinkId, echo: Echo<'_>) {
        let Some(link) = self.links.get_mut(id.0 as usize) else {
            return;
        };
        link.is_examined = true;
        link.replies.push(link.out.len());
        let answer = Echoed {
            token: echo.token,
            at: now,
            // Noted when they are known.
            queued: Duration::ZERO,
            served: Duration::ZERO,
            segments: link.segments,
            bytes: FILLING.get(..echo.answer_len as usize).unwrap_or_default(),
        };
        Message::Echoed(answer).encode(&mut link.out);
        self.mark_dirty(id);
    }
}

#[cfg(test)]
#[path = "gate_test.rs"]
mod tests;
