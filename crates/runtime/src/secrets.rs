//! Random passwords, salts and tokens.

use std::io;

/// Digits and letters without those that people mistake for each other; 32, so five bits each.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// 26 letters of five bits: 130 bits, so that no dictionary helps and a plain salted hash is enough.
const PASSWORD_LEN: usize = 26;

/// A password of 130 random bits, in lower-case letters and digits only.
pub fn password() -> io::Result<String> {
    random_text(PASSWORD_LEN)
}

/// Sixteen random bytes to hash a password with.
pub fn salt() -> io::Result<[u8; 16]> {
    let mut salt = [0; 16];
    fill(&mut salt)?;
    Ok(salt)
}

/// A random number.
pub fn number() -> io::Result<u64> {
    let mut bytes = [0; 8];
    fill(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

/// `len` random letters and digits, five bits each.
pub fn random_text(len: usize) -> io::Result<String> {
    let mut bytes = vec![0; len];
    fill(&mut bytes)?;
    Ok(bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte & 31)]))
        .collect())
}

/// HMAC-SHA256 (RFC 2104) of `message` under `key`.
pub fn sign(key: &[u8], message: &[u8]) -> [u8; 32] {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
    let tag = ring::hmac::sign(&key, message);
    let mut bytes = [0; 32];
    bytes.copy_from_slice(tag.as_ref());
    bytes
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn fill(bytes: &mut [u8]) -> io::Result<()> {
    getrandom::fill(bytes).map_err(io::Error::other)
}

#[cfg(test)]
#[path = "secrets_test.rs"]
mod tests;
