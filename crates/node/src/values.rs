//! Values in pieces: taken in as they come, given out tenant by tenant as gateways allow.

use base::Timestamp;
use base::kv::{INLINE_VALUE_LEN_MAX, Op, Outcome};
use gateway::{Backend, Chunk, Execution};
use node_proto::{Message, PIECE_LEN_MAX, Piece, Request, RequestId, Verdict, WINDOW_LEN};

use crate::link::{LinkId, Upload};
use crate::node::{Landlord, Node};

impl<B: Backend, L: Landlord> Node<B, L> {
    pub(crate) fn begin_upload(
        &mut self,
        now: Timestamp,
        id: LinkId,
        request: &Request<'_>,
        op: &Op<'_>,
        len: u32,
    ) {
        let Some(data) = self.tenants.get(&request.tenant).cloned() else {
            return;
        };
        let Op::Store(store) = op else {
            return;
        };
        match self.backend.reserve(&data, now, store, len) {
            Err(outcome) => self.answer(id, request, Verdict::Done(outcome)),
            Ok(reservation) => {
                let upload = Upload {
                    data,
                    reservation,
                    left: len,
                    ungranted: 0,
                };
                if let Some(link) = self.links.get_mut(id.0 as usize) {
                    link.uploads.insert(request.id, upload);
                }
            }
        }
    }

    pub(crate) fn piece(&mut self, now: Timestamp, id: LinkId, piece: Piece<'_>) {
        let Some(link) = self.links.get_mut(id.0 as usize) else {
            return;
        };
        // Of a value that was refused the rest comes all the same.
        let Some(upload) = link.uploads.get_mut(&piece.id) else {
            return;
        };
        let len = u32::try_from(piece.bytes.len()).unwrap_or(u32::MAX);
        let fits = len <= upload.left;
        let is_whole = len == upload.left;
        let (data, reservation) = (upload.data.clone(), upload.reservation);
        let is_filled =
            fits && !piece.is_broken && self.backend.fill(&data, reservation, piece.bytes);
        let outcome = if piece.is_broken || !fits || piece.is_last && !is_whole {
            self.backend.abort(&data, reservation);
            Some(Outcome::NotStored)
        } else if !is_filled {
            Some(Outcome::OutOfMemory)
        } else if piece.is_last {
            match self.backend.commit(&data, now, reservation) {
                Execution::Done(outcome) => Some(outcome),
                Execution::Pending(_) => Some(Outcome::NotStored),
            }
        } else {
            upload.left -= len;
            upload.ungranted += len;
            None
        };
        match outcome {
            None => self.grant(id, piece.id),
            Some(outcome) => {
                link.uploads.remove(&piece.id);
                if !piece.is_broken {
                    let epoch = base::fleet::Epoch::ZERO;
                    self.reply(id, piece.id, epoch, Verdict::Done(outcome));
                }
            }
        }
    }

    /// Allows the gateway more of a value, if that is worth a message.
    fn grant(&mut self, id: LinkId, value: RequestId) {
        let Some(link) = self.links.get_mut(id.0 as usize) else {
            return;
        };
        if let Some(upload) = link.uploads.get_mut(&value)
            && upload.ungranted >= WINDOW_LEN / 2
        {
            let len = std::mem::take(&mut upload.ungranted);
            Message::Window { id: value, len }.encode(&mut link.out);
            self.mark_dirty(id);
        }
    }

    /// The gateway can take more of a value.
    pub(crate) fn widen(&mut self, id: LinkId, value: RequestId, len: u32) {
        let Some(link) = self.links.get_mut(id.0 as usize) else {
            return;
        };
        if let Some(download) = link.downloads.get_mut(&value) {
            download.window = download.window.saturating_add(len);
            if !std::mem::replace(&mut download.is_queued, true) {
                let tenant = download.tenant;
                link.enqueue(tenant, value);
            }
        }
    }

    /// The gateway wants no more of a value.
    pub(crate) fn cancel(&mut self, id: LinkId, value: RequestId) {
        let Some(link) = self.links.get_mut(id.0 as usize) else {
            return;
        };
        if let Some(download) = link.downloads.remove(&value) {
            self.backend.unpin(&download.data, download.pin);
        }
    }

    /// Sends pieces of values while they hold up nothing else.
    pub(crate) fn pump(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id.0 as usize) else {
            return;
        };
        while link.has_bulk_room()
            && let Some(value) = link.dequeue()
        {
            let Some(download) = link.downloads.get_mut(&value) else {
                continue;
            };
            download.is_queued = false;
            let max = PIECE_LEN_MAX
                .min(download.window as usize)
                .min(INLINE_VALUE_LEN_MAX);
            let (pin, offset) = (download.pin, download.offset);
            let mut bytes = Vec::with_capacity(max.min((pin.len - offset) as usize));
            let chunk = match max {
                0 => continue,
                max => self
                    .backend
                    .read_pinned(&download.data, pin, offset, max, &mut bytes),
            };
            let count = match chunk {
                Chunk::Copied(count) => u32::try_from(count).unwrap_or(u32::MAX),
                Chunk::Lost => 0,
            };
            download.offset += count;
            download.window -= count;
            let is_last = download.offset >= pin.len;
            let is_broken = count == 0;
            let piece = Piece {
                id: value,
                bytes: &bytes,
                is_last: is_last || is_broken,
                is_broken,
            };
            Message::Piece(piece).encode(&mut link.out);
            if is_last || is_broken {
                if let Some(download) = link.downloads.remove(&value) {
                    self.backend.unpin(&download.data, download.pin);
                }
            } else if download.window > 0 {
                download.is_queued = true;
                let tenant = download.tenant;
                link.enqueue(tenant, value);
            }
        }
        if !link.outgoing().is_empty() {
            self.mark_dirty(id);
        }
    }
}
