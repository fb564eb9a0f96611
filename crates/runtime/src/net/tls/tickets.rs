//! Session tickets: what clients keep so that their next handshake is short, and the keys of these,
//! which a successor takes over.
//!
//! A ticket is its key's name, a nonce, and the session sealed with ChaCha20-Poly1305 (RFC 8439). Keys
//! are drawn anew every six hours; the one before still opens, so that a ticket is good for that long at
//! least.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use rustix::fs::{MemfdFlags, memfd_create};
use rustls::server::ProducesTickets;

const ROTATION_S: u64 = 6 * 60 * 60;
const LIFETIME_S: u64 = 2 * ROTATION_S;
const KEY_LEN: usize = 32;
const NAME_LEN: usize = 16;

/// Makes tickets and opens them.
pub(super) struct Tickets {
    keys: Mutex<Keys>,
    /// Seconds since any moment that a successor has too.
    now_s: fn() -> u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Keys {
    current: [u8; KEY_LEN],
    /// As the current one, if there was none.
    previous: [u8; KEY_LEN],
    since_s: u64,
}

impl Tickets {
    /// With new keys.
    pub(super) fn new(now_s: fn() -> u64) -> io::Result<Self> {
        let key = new_key()?;
        Ok(Self::of(
            Keys {
                current: key,
                previous: key,
                since_s: now_s(),
            },
            now_s,
        ))
    }

    /// With the keys that a predecessor has written, if it wrote them for the same `authorities`; a
    /// ticket vouches for the certificate that was shown when it was given.
    pub(super) fn inherited(
        from: OwnedFd,
        authorities: Option<&[u8]>,
        now_s: fn() -> u64,
    ) -> Option<Self> {
        let mut bytes = Vec::new();
        let mut file = File::from(from);
        file.rewind().ok()?;
        file.read_to_end(&mut bytes).ok()?;
        let (mark, rest) = bytes.split_first_chunk::<SHA256_OUTPUT_LEN>()?;
        let (current, rest) = rest.split_first_chunk()?;
        let (previous, rest) = rest.split_first_chunk()?;
        let since_s = u64::from_le_bytes(*rest.first_chunk()?);
        (*mark == mark_of(authorities)).then(|| {
            let keys = Keys {
                current: *current,
                previous: *previous,
                since_s,
            };
            Self::of(keys, now_s)
        })
    }

    /// Writes the keys into memory that a successor can be given.
    pub(super) fn hand_over(&self, authorities: Option<&[u8]>) -> io::Result<OwnedFd> {
        let keys = *self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = File::from(memfd_create("tickets", MemfdFlags::CLOEXEC)?);
        file.write_all(&mark_of(authorities))?;
        file.write_all(&keys.current)?;
        file.write_all(&keys.previous)?;
        file.write_all(&keys.since_s.to_le_bytes())?;
        Ok(file.into())
    }

    fn of(keys: Keys, now_s: fn() -> u64) -> Self {
        Self {
            keys: Mutex::new(keys),
            now_s,
        }
    }

    /// The keys of now.
    fn keys(&self) -> Option<Keys> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let now_s = (self.now_s)();
        let age_s = now_s.saturating_sub(keys.since_s);
        if age_s >= ROTATION_S {
            let current = new_key().ok()?;
            let previous = match age_s {
                // Of what was given in the last hours of a quiet day nothing is to be opened either.
                ..LIFETIME_S => keys.current,
                _ => current,
            };
            *keys = Keys {
                current,
                previous,
                since_s: now_s,
            };
        }
        Some(*keys)
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        LIFETIME_S as u32
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let key = self.keys()?.current;
        let name = name_of(&key);
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).ok()?;
        let mut sealed = plain.to_vec();
        opener(&key)?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(name),
                &mut sealed,
            )
            .ok()?;
        Some([&name[..], &nonce, &sealed].concat())
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let (name, rest) = ticket.split_first_chunk::<NAME_LEN>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let keys = self.keys()?;
        let key = [keys.current, keys.previous]
            .into_iter()
            .find(|key| name_of(key) == *name)?;
        let mut opened = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let len = opener(&key)?
            .open_in_place(nonce, Aad::from(*name), &mut opened)
            .ok()?
            .len();
        opened.truncate(len);
        Some(opened)
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").finish_non_exhaustive()
    }
}

fn new_key() -> io::Result<[u8; KEY_LEN]> {
    let mut key = [0; KEY_LEN];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    Ok(key)
}

fn opener(key: &[u8; KEY_LEN]) -> Option<LessSafeKey> {
    UnboundKey::new(&CHACHA20_POLY1305, key)
        .ok()
        .map(LessSafeKey::new)
}

/// What tells a key from another, and nothing of it.
fn name_of(key: &[u8; KEY_LEN]) -> [u8; NAME_LEN] {
    let digest = digest(&SHA256, &[b"ticket", &key[..]].concat());
    let mut name = [0; NAME_LEN];
    name.iter_mut()
        .zip(digest.as_ref())
        .for_each(|(to, from)| *to = *from);
    name
}

fn mark_of(authorities: Option<&[u8]>) -> [u8; SHA256_OUTPUT_LEN] {
    let mut mark = [0; SHA256_OUTPUT_LEN];
    if let Some(pem) = authorities {
        mark.copy_from_slice(digest(&SHA256, pem).as_ref());
    }
    mark
}

#[cfg(test)]
#[path = "tickets_test.rs"]
mod tests;
