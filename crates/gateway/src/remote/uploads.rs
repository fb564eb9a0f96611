//! Values in pieces, as the gateway's sessions hand them over and take them.

use std::time::Duration;

use base::Timestamp;
use base::kv::Outcome;
use node_proto::{Message, Piece, RequestId};

use super::hot_path::change_hot;
use super::requests::State;
use super::{LinkId, Remote};
use crate::{Chunk, Execution};

/// How long a value may stand still.
pub(super) const STILL_MAX: Duration = Duration::from_secs(5);

impl Remote {
    pub(super) fn can_fill(&mut self, id: RequestId) -> bool {
        let request = self.requests.get(id);
        let Some(State::Upload(upload)) = request.map(|request| &mut request.state) else {
            return true;
        };
        upload.is_awaited = !upload.can_fill();
        !upload.is_awaited
    }

    /// Adds bytes to a value on its way in. A value that goes nowhere is taken all the same, and
    /// answered for at its end.
    pub(super) fn fill(&mut self, id: RequestId, bytes: &[u8]) -> bool {
        let Some(request) = self.requests.get(id) else {
            return false;
        };
        let State::Upload(upload) = &mut request.state else {
            return false;
        };
        if upload.refused.is_none() {
            upload.buffer.extend_from_slice(bytes);
            let link = request.link;
            self.offer(id, link);
        }
        true
    }

    pub(super) fn commit(&mut self, now: Timestamp, id: RequestId) -> Execution {
        let Some(request) = self.requests.get(id) else {
            return Execution::Done(Outcome::NotStored);
        };
        let State::Upload(upload) = &mut request.state else {
            return Execution::Done(Outcome::NotStored);
        };
        if let Some(outcome) = upload.refused {
            self.requests.end(id);
            return Execution::Done(outcome);
        }
        upload.is_committed = true;
        request.sent_at = now;
        request.deadline = now + STILL_MAX;
        let link = request.link;
        self.wheel.add(now, now + STILL_MAX, id);
        self.offer(id, link);
        Execution::Pending(id)
    }

    pub(super) fn abort(&mut self, id: RequestId) {
        let Some(request) = self.requests.get(id) else {
            return;
        };
        let State::Upload(upload) = &request.state else {
            return;
        };
        let (is_open, index) = (upload.refused.is_none(), request.link);
        change_hot(&self.hot, request.tenant_place, request.slot);
        if let (true, Some(link)) = (is_open, self.links.get_mut(index as usize)) {
            let piece = Piece {
                id,
                bytes: b"",
                is_last: true,
                is_broken: true,
            };
            Message::Piece(piece).encode(link.out());
            link.outstanding = link.outstanding.saturating_sub(1);
            self.mark_dirty(LinkId(index));
        }
        self.requests.end(id);
    }

    pub(super) fn read(&mut self, id: RequestId, max: usize, out: &mut Vec<u8>) -> Chunk {
        let Some(request) = self.requests.get(id) else {
            return Chunk::Lost;
        };
        let index = request.link;
        let State::Download(download) = &mut request.state else {
            return Chunk::Lost;
        };
        let count = download.copy(max, out);
        if count == 0 && download.is_broken {
            return Chunk::Lost;
        }
        if let Some(len) = download.take_grant()
            && let Some(link) = self.links.get_mut(index as usize)
        {
            Message::Window { id, len }.encode(link.out());
            self.mark_dirty(LinkId(index));
        }
        Chunk::Copied(count)
    }

    pub(super) fn unpin(&mut self, id: RequestId) {
        let Some(request) = self.requests.get(id) else {
            return;
        };
        let index = request.link;
        if let State::Download(download) = &request.state
            && download.left > 0
            && !download.is_broken
            && let Some(link) = self.links.get_mut(index as usize)
        {
            Message::Cancel(id).encode(link.out());
            self.mark_dirty(LinkId(index));
        }
        self.requests.end(id);
    }

    /// Puts a value in its connection's queue if some of it can be sent.
    fn offer(&mut self, id: RequestId, index: u32) {
        let request = self.requests.get(id);
        let Some(State::Upload(upload)) = request.map(|request| &mut request.state) else {
            return;
        };
        let Some(link) = self.links.get_mut(index as usize) else {
            return;
        };
        if upload.can_send() && !upload.is_queued {
            upload.is_queued = true;
            link.bulk.push_back(id);
        }
        self.pump(Timestamp::ZERO, LinkId(index));
    }

    /// The node allows more bytes of a value.
    pub(super) fn widen(&mut self, id: RequestId, len: u32) {
        let Some(request) = self.requests.get(id) else {
            return;
        };
        let index = request.link;
        if let State::Upload(upload) = &mut request.state {
            upload.window = upload.window.saturating_add(len);
            self.offer(id, index);
        }
    }
}
