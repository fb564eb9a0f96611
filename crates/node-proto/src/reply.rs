//! What became of a request, and how long the node took.

use std::time::Duration;

use base::fleet::Epoch;
use base::kv::{Expiry, Item, Outcome, Pin, Recache, Value};

use crate::wire::{Fields, HEADER_LEN, Header, Put, frame, kind};
use crate::{Malformed, PIECE_LEN_MAX, RequestId};

/// What a node did with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was carried out.
    Done(Outcome),
    /// Its deadline had passed when its turn came. A change was not made, and the item is gone.
    Late,
    /// The slot has changed hands since the epoch that the request knew; the reply has the newer.
    OldEpoch,
    /// The node has not been told of the tenant.
    NoTenant,
    /// The node has as much to do as it can; a change was not made, and the item is gone.
    Busy,
}

/// The item of a hit.
#[derive(Clone, Debug)]
pub struct Payload<'a> {
    /// The item. A value that is pinned follows in pieces, unless [`is_bare`](Self::is_bare).
    pub item: Item<'a>,
    /// The value was not asked for; only its length is told, by a pin that names nothing.
    pub is_bare: bool,
}

impl Payload<'_> {
    /// How many bytes of value follow in pieces, if any do.
    pub fn following(&self) -> Option<u32> {
        match self.item.value {
            Value::Pinned(pin) if !self.is_bare => Some(pin.len),
            _ => None,
        }
    }
}

/// Where in a reply's frame its times are.
const TIMES_AT: std::ops::Range<usize> = HEADER_LEN + 8..HEADER_LEN + 16;

/// Notes the times in a reply that was encoded before they were known.
pub fn set_times(frame: &mut [u8], queued: Duration, served: Duration) {
    if let Some(place) = frame.get_mut(TIMES_AT) {
        let (first, second) = place.split_at_mut(4);
        first.copy_from_slice(&nanos_of(queued).to_le_bytes());
        second.copy_from_slice(&nanos_of(served).to_le_bytes());
    }
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub struct Reply<'a> {
    /// The request.
    pub id: RequestId,
    /// The epoch of its slot, as the node knows it.
    pub epoch: Epoch,
    /// How long the request waited at the node.
    pub queued: Duration,
    /// How long the node worked on it.
    pub served: Duration,
    /// What was done.
    pub verdict: Verdict,
    /// The item, of a hit.
    pub payload: Option<Payload<'a>>,
}

mod bit {
    pub(super) const ITEM: u8 = 1;
    pub(super) const FETCHED: u8 = 1 << 1;
    pub(super) const STALE: u8 = 1 << 2;
    pub(super) const WON: u8 = 1 << 3;
    pub(super) const LOST: u8 = 1 << 4;
    /// The value follows in pieces.
    pub(super) const PIECES: u8 = 1 << 5;
    /// The value does not follow at all.
    pub(super) const BARE: u8 = 1 << 6;
}

impl<'a> Reply<'a> {
    #[inline]
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let header = Header {
            kind: kind::REPLY,
            code: code_of(self.verdict),
            a: self.payload.as_ref().map_or(0, bits_of),
            b: 0,
            id: self.id.to_bits(),
        };
        frame(out, header, |out| {
            out.put_u64(self.epoch.0);
            out.put_u32(nanos_of(self.queued));
            out.put_u32(nanos_of(self.served));
            if let Verdict::Done(Outcome::Stored { cas, value_len }) = self.verdict {
                out.put_u64(cas);
                out.put_u32(value_len);
            }
            if let Some(Payload { item, is_bare }) = &self.payload {
                out.put_u32(item.flags);
                out.put_u32(item.expiry.unix_secs());
                out.put_u64(item.cas);
                out.put_u32(item.idle_s);
                out.put_u32(u32::try_from(item.value.len()).unwrap_or(u32::MAX));
                if let (Value::Inline(bytes), false) = (item.value, is_bare) {
                    out.extend_from_slice(bytes);
                }
            }
        });
    }

    #[inline]
    pub(crate) fn decode(header: Header, mut fields: Fields<'a>) -> Result<Self, Malformed> {
        let epoch = Epoch(fields.u64()?);
        let queued = Duration::from_nanos(fields.u32()?.into());
        let served = Duration::from_nanos(fields.u32()?.into());
        let verdict = verdict_of(header.code, &mut fields)?;
        let payload = match header.a & bit::ITEM != 0 {
            true => Some(payload_of(&header, &mut fields)?),
            false => None,
        };
        let is_hit = verdict == Verdict::Done(Outcome::Hit);
        if is_hit != payload.is_some() || !fields.rest().is_empty() {
            return Err(fields.malformed());
        }
        Ok(Self {
            id: RequestId::from_bits(header.id),
            epoch,
            queued,
            served,
            verdict,
            payload,
        })
    }
}

fn bits_of(payload: &Payload<'_>) -> u8 {
    let set = |bit, is_set: bool| if is_set { bit } else { 0 };
    let item = &payload.item;
    let is_pinned = matches!(item.value, Value::Pinned(_));
    bit::ITEM
        | set(bit::FETCHED, item.fetched)
        | set(bit::STALE, item.stale)
        | set(bit::WON, item.recache == Recache::Won)
        | set(bit::LOST, item.recache == Recache::Lost)
        | set(bit::PIECES, is_pinned && !payload.is_bare)
        | set(bit::BARE, payload.is_bare)
}

fn payload_of<'a>(header: &Header, fields: &mut Fields<'a>) -> Result<Payload<'a>, Malformed> {
    let has = |bit: u8| header.a & bit != 0;
    let flags = fields.u32()?;
    let expiry = Expiry::at_unix_secs(fields.u32()?);
    let cas = fields.u64()?;
    let idle_s = fields.u32()?;
    let len = fields.u32()?;
    let is_bare = has(bit::BARE);
    let value = match is_bare || has(bit::PIECES) {
        true => Value::Pinned(Pin {
            token: if is_bare { 0 } else { header.id },
            len,
        }),
        false if len as usize <= PIECE_LEN_MAX => Value::Inline(fields.bytes(len as usize)?),
        false => return Err(fields.malformed()),
    };
    let item = Item {
        value,
        flags,
        cas,
        expiry,
        idle_s,
        fetched: has(bit::FETCHED),
        stale: has(bit::STALE),
        recache: match (has(bit::WON), has(bit::LOST)) {
            (true, _) => Recache::Won,
            (false, true) => Recache::Lost,
            (false, false) => Recache::No,
        },
    };
    Ok(Payload { item, is_bare })
}

fn nanos_of(time: Duration) -> u32 {
    u32::try_from(time.as_nanos()).unwrap_or(u32::MAX)
}

const CODES: [(u8, Verdict); 14] = [
    (0, Verdict::Done(Outcome::Hit)),
    (1, Verdict::Done(Outcome::Miss)),
    (3, Verdict::Done(Outcome::NotStored)),
    (4, Verdict::Done(Outcome::Exists)),
    (5, Verdict::Done(Outcome::NotFound)),
    (6, Verdict::Done(Outcome::Deleted)),
    (7, Verdict::Done(Outcome::NonNumeric)),
    (8, Verdict::Done(Outcome::TooLarge)),
    (9, Verdict::Done(Outcome::OutOfMemory)),
    (10, Verdict::Done(Outcome::Denied)),
    (32, Verdict::Late),
    (33, Verdict::OldEpoch),
    (34, Verdict::NoTenant),
    (35, Verdict::Busy),
];
/// `Stored`, which has fields of its own.
const STORED: u8 = 2;

#[inline]
fn code_of(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Done(Outcome::Hit) => 0,
        Verdict::Done(Outcome::Miss) => 1,
        Verdict::Done(Outcome::Stored { .. }) => STORED,
        _ => CODES
            .iter()
            .find(|(_, known)| *known == verdict)
            .map_or(u8::MAX, |(code, _)| *code),
    }
}

#[inline]
fn verdict_of(code: u8, fields: &mut Fields<'_>) -> Result<Verdict, Malformed> {
    if code == STORED {
        let (cas, value_len) = (fields.u64()?, fields.u32()?);
        return Ok(Verdict::Done(Outcome::Stored { cas, value_len }));
    }
    let known = CODES.iter().find(|(known, _)| *known == code);
    known
        .map(|(_, verdict)| *verdict)
        .ok_or_else(|| fields.malformed())
}

#[cfg(test)]
#[path = "reply_test.rs"]
mod tests;
