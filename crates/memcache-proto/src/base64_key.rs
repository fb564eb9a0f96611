//! Keys in base64, as meta commands carry those that are not text.

use base::kv::KEY_LEN_MAX;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::decoder::KeyBuf;

/// Bytes that base64 makes of the longest key.
const ENCODED_LEN_MAX: usize = KEY_LEN_MAX.div_ceil(3) * 4;

/// Decodes a key of 1 to [`KEY_LEN_MAX`] characters.
pub(crate) fn decode<'a>(encoded: &[u8], buf: &'a mut KeyBuf) -> Option<&'a [u8]> {
    let len = STANDARD.decode_slice(encoded, &mut buf.0).ok()?;
    buf.0.get(..len).filter(|key| !key.is_empty())
}

/// Appends a key in base64.
pub(crate) fn push(key: &[u8], out: &mut Vec<u8>) {
    let mut encoded = [0; ENCODED_LEN_MAX];
    if let Ok(len) = STANDARD.encode_slice(key, &mut encoded) {
        out.extend_from_slice(&encoded[..len]);
    }
}

#[cfg(test)]
#[path = "base64_key_test.rs"]
mod tests;
