//! The key under which an item is stored: the tenant's, and the epoch of its slot behind it.

use base::fleet::Epoch;
use base::kv::{Arith, Delete, Get, KEY_LEN_MAX, Op, Store};

const STAMP_LEN: usize = Epoch::ZERO.stamp().len();

/// A key with its stamp, for the length of one operation.
#[derive(Debug)]
pub(crate) struct StampedKey {
    bytes: [u8; KEY_LEN_MAX + STAMP_LEN],
    len: usize,
}

impl StampedKey {
    /// What an item of `key` is stored under while its slot has this epoch.
    #[inline]
    pub(crate) fn new(key: &[u8], epoch: Epoch) -> Self {
        let mut bytes = [0; KEY_LEN_MAX + STAMP_LEN];
        let key_len = key.len().min(KEY_LEN_MAX);
        let len = key_len + STAMP_LEN;
        bytes[..key_len].copy_from_slice(&key[..key_len]);
        bytes[key_len..len].copy_from_slice(&epoch.stamp());
        Self { bytes, len }
    }

    /// Its bytes.
    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The same operation on another key.
#[inline]
pub(crate) fn with_key<'a>(op: &Op<'a>, key: &'a [u8]) -> Op<'a> {
    match op {
        Op::Get(op) => Op::Get(Get { key, ..op.clone() }),
        Op::Store(op) => Op::Store(Store { key, ..op.clone() }),
        Op::Delete(op) => Op::Delete(Delete { key, ..op.clone() }),
        Op::Arith(op) => Op::Arith(Arith { key, ..op.clone() }),
    }
}

#[cfg(test)]
#[path = "key_test.rs"]
mod tests;
