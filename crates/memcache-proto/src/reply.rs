//! How to answer a request: the same calls for every protocol.

use base::Timestamp;
use base::kv::{Item, Outcome, Pin, Sink};

/// How to answer one request; borrowed from its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// The key, decoded if it came in base64.
    key: &'a [u8],
    /// The request's own flags, for a meta command.
    flags: &'a [u8],
}

impl Reply<'_> {
    /// A copy that may outlive the request's bytes.
    pub fn into_owned(self) -> OwnedReply {
        OwnedReply {
            bytes: [self.key, self.flags].concat().into(),
            key_len: self.key.len(),
        }
    }

    /// Writes a hit. For a value that is pinned it writes what comes before the value; append the
    /// value's bytes and then the tail that is returned.
    pub fn item(
        &self,
        _item: &Item<'_>,
        _now: Timestamp,
        _out: &mut Vec<u8>,
    ) -> Option<PinnedTail> {
        None
    }

    /// Writes what became of the operation, but for a hit's item, which [`item`](Self::item) wrote.
    pub fn outcome(&self, _outcome: Outcome, _out: &mut Vec<u8>) {}

    /// Writes the answer to a request that is no operation on a key.
    pub fn answer(&self, _out: &mut Vec<u8>) {}

    /// Writes that the value did not end as it must.
    pub fn bad_body(&self, _out: &mut Vec<u8>) {}

    /// Writes one statistic.
    pub fn stat(&self, _name: &[u8], _value: &[u8], _out: &mut Vec<u8>) {}

    /// Writes the end of the statistics.
    pub fn stats_end(&self, _out: &mut Vec<u8>) {}
}

/// A reply that must wait, with its own copy of what it needs.
#[derive(Clone, Debug)]
pub struct OwnedReply {
    bytes: Box<[u8]>,
    key_len: usize,
}

impl OwnedReply {
    /// The reply.
    pub fn borrow(&self) -> Reply<'_> {
        let (key, flags) = self.bytes.split_at(self.key_len);
        Reply { key, flags }
    }
}

/// What follows the bytes of a value that was pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinnedTail(&'static [u8]);

impl PinnedTail {
    /// Its bytes, perhaps none.
    pub const fn as_bytes(self) -> &'static [u8] {
        self.0
    }
}

/// Lets a backend write a hit straight into a connection's output.
#[derive(Debug)]
pub struct ReplySink<'r, 'a> {
    /// How to answer.
    pub reply: &'r Reply<'a>,
    /// The time of the request.
    pub now: Timestamp,
    /// The connection's output.
    pub out: &'r mut Vec<u8>,
    /// The value to append once the operation is done, and what comes behind it.
    pub pinned: Option<(Pin, PinnedTail)>,
}

impl<'r, 'a> ReplySink<'r, 'a> {
    /// A sink for the answer of one request.
    pub fn new(reply: &'r Reply<'a>, now: Timestamp, out: &'r mut Vec<u8>) -> Self {
        Self {
            reply,
            now,
            out,
            pinned: None,
        }
    }
}

impl Sink for ReplySink<'_, '_> {
    fn item(&mut self, item: &Item<'_>) {
        let tail = self.reply.item(item, self.now, self.out);
        if let (Some(tail), base::kv::Value::Pinned(pin)) = (tail, item.value) {
            self.pinned = Some((pin, tail));
        }
    }
}
