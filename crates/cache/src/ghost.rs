//! Remembers the keys that were evicted of late, as fingerprints of 16 bits.
//!
//! S3-FIFO's ghost queue (Yang et al., SOSP 2023) as a table of small queues: a fingerprint
//! enters at the front of its bucket and pushes the oldest one out, so that on the whole as many
//! of the latest evictions are known as there are entries. One key in 8,000 is taken for another.

const BUCKET_LEN: usize = 8;

/// The fingerprints; takes no memory until [`Ghost::resize`].
#[derive(Debug, Default)]
pub(crate) struct Ghost {
    entries: Vec<u16>,
}

impl Ghost {
    pub(crate) fn bytes(&self) -> u64 {
        self.entries.capacity() as u64 * 2
    }

    /// Bytes that it takes to remember `keys` keys.
    pub(crate) fn bytes_for(keys: u64) -> u64 {
        keys.div_ceil(BUCKET_LEN as u64).max(1) * BUCKET_LEN as u64 * 2
    }

    /// Whether it has no memory, or far too little or much, for `keys` keys.
    pub(crate) fn is_unfit_for(&self, keys: u64) -> bool {
        let entries = self.entries.len() as u64;
        entries == 0 || keys > 2 * entries || entries > 4 * keys.max(64)
    }

    /// Takes memory for `keys` keys and forgets all; keeps nothing if memory is short.
    pub(crate) fn resize(&mut self, keys: u64) {
        self.entries = Vec::new();
        let len = (Self::bytes_for(keys) / 2) as usize;
        if self.entries.try_reserve_exact(len).is_ok() {
            self.entries.resize(len, 0);
        }
    }

    fn place(&self, (bucket_bits, fingerprint): (u32, u16)) -> Option<(usize, u16)> {
        let buckets = (self.entries.len() / BUCKET_LEN) as u64;
        let bucket = ((u64::from(bucket_bits) * buckets) >> 32) as usize;
        (buckets > 0).then_some((bucket * BUCKET_LEN, fingerprint.max(1)))
    }

    /// Remembers a key by its bits.
    pub(crate) fn insert(&mut self, bits: (u32, u16)) {
        if let Some((start, fingerprint)) = self.place(bits) {
            let bucket = &mut self.entries[start..start + BUCKET_LEN];
            bucket.copy_within(..BUCKET_LEN - 1, 1);
            bucket[0] = fingerprint;
        }
    }

    /// Whether the key is remembered; it no longer is afterwards.
    pub(crate) fn take(&mut self, bits: (u32, u16)) -> bool {
        let Some((start, fingerprint)) = self.place(bits) else {
            return false;
        };
        let bucket = &mut self.entries[start..start + BUCKET_LEN];
        let Some(at) = bucket.iter().position(|entry| *entry == fingerprint) else {
            return false;
        };
        bucket.copy_within(at + 1.., at);
        bucket[BUCKET_LEN - 1] = 0;
        true
    }
}

#[cfg(test)]
#[path = "ghost_test.rs"]
mod tests;
