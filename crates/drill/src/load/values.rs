//! The value of every key: bytes and length follow from seed and key, so that a hit can be checked
//! without having kept what was stored.

use base::rng::Rng;

use super::plan::ValueLen;

/// Bytes of the pool that values are cut from; odd, so that no power of two repeats a phase.
const POOL_LEN: usize = (1 << 18) - 5;
/// Leading bytes of a value that name its key and seed.
const STAMP_LEN: usize = 8;

/// The values of one run.
#[derive(Debug)]
pub(crate) struct Values {
    seed: u64,
    lens: ValueLen,
    pool: Vec<u8>,
}

impl Values {
    /// Values of these lengths for this seed.
    pub(crate) fn new(seed: u64, lens: ValueLen) -> Self {
        let mut rng = Rng::new(seed ^ 0x7661_6c75_6573);
        let mut pool = Vec::with_capacity(POOL_LEN + 8);
        while pool.len() < POOL_LEN {
            pool.extend_from_slice(&rng.next_u64().to_le_bytes());
        }
        pool.truncate(POOL_LEN);
        Self { seed, lens, pool }
    }

    /// The length of this key's value in bytes.
    #[inline]
    pub(crate) fn len(&self, id: u64) -> u32 {
        match &self.lens {
            ValueLen::Fixed(len) => *len,
            ValueLen::Uniform(low, high) => {
                let span = u64::from(high.saturating_sub(*low)) + 1;
                let offset = Rng::new(self.stamp(id)).below(span);
                low.saturating_add(u32::try_from(offset).unwrap_or(0))
            }
            ValueLen::List(lens) => {
                let at = Rng::new(self.stamp(id)).below(lens.len() as u64);
                lens.get(at as usize).copied().unwrap_or(0)
            }
        }
    }

    /// Appends this key's value.
    #[inline]
    pub(crate) fn write(&self, id: u64, out: &mut Vec<u8>) {
        let stamp = self.stamp(id);
        self.pieces(stamp, 0, self.len(id) as usize, |piece| {
            out.extend_from_slice(piece);
            true
        });
    }

    /// Where `bytes` first differ from what this key's value has from `offset` on, as an offset into
    /// the value; `None` where they are as they should be.
    pub(crate) fn difference(&self, id: u64, offset: usize, bytes: &[u8]) -> Option<usize> {
        let stamp = self.stamp(id);
        let mut rest = bytes;
        let mut found = None;
        self.pieces(stamp, offset, bytes.len(), |piece| {
            let (head, tail) = rest.split_at(piece.len());
            if head != piece {
                let equal = head.iter().zip(piece).take_while(|(a, b)| a == b).count();
                found = Some(offset + bytes.len() - rest.len() + equal);
                return false;
            }
            rest = tail;
            true
        });
        found
    }

    fn stamp(&self, id: u64) -> u64 {
        Rng::new(self.seed ^ id.wrapping_mul(0xd6e8_feb8_6659_fd93)).next_u64()
    }

    /// Hands out `len` bytes of the value from `offset` on, piece by piece, while `take` says true.
    #[inline]
    fn pieces(&self, stamp: u64, offset: usize, len: usize, mut take: impl FnMut(&[u8]) -> bool) {
        let end = offset + len;
        let mut at = offset;
        if at < STAMP_LEN {
            let bytes = stamp.to_le_bytes();
            let stop = end.min(STAMP_LEN);
            if !take(&bytes[at..stop]) {
                return;
            }
            at = stop;
        }
        let phase = (stamp % POOL_LEN as u64) as usize;
        while at < end {
            let start = (phase + at) % POOL_LEN;
            let stop = POOL_LEN.min(start + end - at);
            if !take(&self.pool[start..stop]) {
                return;
            }
            at += stop - start;
        }
    }
}

#[cfg(test)]
#[path = "values_test.rs"]
mod tests;
