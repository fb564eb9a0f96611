//! Keys of a run: a number written with leading zeros, so that a key can be made and read back
//! without any table.

use base::kv::KEY_LEN_MAX;

/// The keys `k000…0` to `k…(count - 1)`, all equally long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    count: u64,
    len: usize,
}

impl Keys {
    /// `count` keys of `len` bytes that [`Keys::check`] finds possible.
    pub(crate) fn new(count: u64, len: u32) -> Self {
        Self {
            count,
            len: len as usize,
        }
    }

    /// Says why there cannot be `count` different keys of `len` bytes, if so.
    pub(crate) fn check(count: u64, len: u32) -> Result<(), String> {
        if !(2..=KEY_LEN_MAX).contains(&(len as usize)) {
            return Err(format!("keys of {len} bytes: give 2 to {KEY_LEN_MAX}"));
        }
        let digits = count.saturating_sub(1).max(1).ilog10() + 1;
        if digits >= len {
            return Err(format!(
                "{count} keys do not fit into {len} bytes: give keys of at least {} bytes",
                digits + 1
            ));
        }
        Ok(())
    }

    /// Writes the key of number `id` into `buffer` and returns it.
    #[inline]
    pub(crate) fn write<'a>(&self, id: u64, buffer: &'a mut KeyBuffer) -> &'a [u8] {
        let key = &mut buffer.0[..self.len];
        let mut rest = id;
        for byte in key[1..].iter_mut().rev() {
            *byte = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        key
    }

    /// The number of a key that came back, if it is one of ours.
    #[inline]
    pub(crate) fn read(&self, key: &[u8]) -> Option<u64> {
        if key.len() != self.len || key.first() != Some(&b'k') {
            return None;
        }
        let mut id = 0u64;
        for byte in &key[1..] {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            id = id.checked_mul(10)?.checked_add(u64::from(digit))?;
        }
        (id < self.count).then_some(id)
    }
}

/// Room for one key.
#[derive(Clone, Debug)]
pub(crate) struct KeyBuffer([u8; KEY_LEN_MAX]);

impl KeyBuffer {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let mut bytes = [b'0'; KEY_LEN_MAX];
        bytes[0] = b'k';
        Self(bytes)
    }
}

#[cfg(test)]
#[path = "keys_test.rs"]
mod tests;
