//! What a client asks in its n-th request: a function of seed, client, connection and n.
//!
//! So a client need not remember what it asked, and a reply can still be checked against it.

use base::rng::Rng;
use memcache_proto::client::{Protocol, Set};

use super::group::Mix;

/// Keys that all clients of a tenant share.
pub(crate) const SHARED_KEYS: u32 = 10_000;

/// Who asks, and what kind of things.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker<'a> {
    pub(crate) seed: u64,
    pub(crate) client: u32,
    /// Which of the client's connections this is.
    pub(crate) epoch: u32,
    pub(crate) mix: &'a Mix,
    /// Length of every value, in bytes.
    pub(crate) value_len: u32,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    GetShared(SharedKeys),
    GetOwn,
    SetOwn,
    DeleteOwn,
}

/// The keys of one retrieval, in their order.
#[derive(Clone, Debug)]
pub(crate) struct SharedKeys {
    rng: Rng,
    left: u16,
}

impl Iterator for SharedKeys {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.left = self.left.checked_sub(1)?;
        Some(self.rng.below(u64::from(SHARED_KEYS)) as u32)
    }
}

impl Asker<'_> {
    /// The `n`-th request of this connection.
    pub(crate) fn request(self, n: u32) -> Request {
        let (mut rng, mix) = (self.rng(n), self.mix);
        let weights = [mix.get_shared, mix.get_own, mix.set_own, mix.delete_own];
        let sum: u32 = weights.iter().sum();
        let mut drawn = rng.below(u64::from(sum)) as u32;
        let kinds = [
            Request::GetShared(SharedKeys {
                rng,
                left: mix.keys_per_get,
            }),
            Request::GetOwn,
            Request::SetOwn,
            Request::DeleteOwn,
        ];
        for (kind, weight) in kinds.into_iter().zip(weights) {
            if drawn < weight {
                return kind;
            }
            drawn -= weight;
        }
        Request::GetOwn
    }

    fn rng(self, n: u32) -> Rng {
        let connection = u64::from(self.client) << 32 | u64::from(self.epoch);
        let mut of_connection = Rng::new(self.seed ^ connection);
        Rng::new(of_connection.next_u64().wrapping_add(u64::from(n) << 1))
    }

    /// The key that only this connection changes.
    pub(crate) fn own_key(self, out: &mut Vec<u8>) {
        out.push(b'o');
        push_hex(self.client, out);
        push_hex(self.epoch, out);
    }

    /// What the `n`-th request of this connection stores.
    pub(crate) fn own_value(self, n: u32, out: &mut Vec<u8>) {
        let from = out.len();
        self.own_key(out);
        push_hex(n, out);
        out.resize(from + self.value_len as usize, b'w');
    }

    /// Writes the `n`-th request.
    pub(crate) fn write(self, n: u32, out: &mut Vec<u8>) {
        match self.request(n) {
            Request::GetShared(keys) => {
                out.extend_from_slice(b"get");
                for key in keys {
                    out.push(b' ');
                    shared_key(key, out);
                }
                out.extend_from_slice(b"\r\n");
            }
            Request::GetOwn => self.with_own_key(|key| Protocol::Text.get(key, out)),
            Request::DeleteOwn => self.with_own_key(|key| Protocol::Text.delete(key, out)),
            Request::SetOwn => self.with_own_key(|key| {
                let mut value = Vec::with_capacity(self.value_len as usize);
                self.own_value(n, &mut value);
                let set = Set {
                    key,
                    value: &value,
                    flags: 0,
                    exptime: 0,
                };
                Protocol::Text.set(&set, out);
            }),
        }
    }

    fn with_own_key(self, write: impl FnOnce(&[u8])) {
        let mut key = Vec::with_capacity(32);
        self.own_key(&mut key);
        write(&key);
    }
}

/// The text of a shared key.
pub(crate) fn shared_key(key: u32, out: &mut Vec<u8>) {
    out.push(b's');
    push_hex(key, out);
}

/// The value that a shared key has from the start.
pub(crate) fn shared_value(key: u32, value_len: u32, out: &mut Vec<u8>) {
    let from = out.len();
    shared_key(key, out);
    out.resize(from + value_len as usize, b'v');
}

/// Eight digits.
fn push_hex(number: u32, out: &mut Vec<u8>) {
    for shift in (0..8).rev() {
        let digit = (number >> (shift * 4)) & 15;
        out.push(b"0123456789abcdef"[digit as usize]);
    }
}

#[cfg(test)]
#[path = "request_test.rs"]
mod tests;
