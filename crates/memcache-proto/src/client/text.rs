//! Requests in classic text.

use super::Set;
use crate::number;

/// `get` of one or more keys.
#[inline]
pub fn get(keys: &[&[u8]], out: &mut Vec<u8>) {
    out.extend_from_slice(b"get");
    push_keys(keys, out);
}

/// `gets` of one or more keys.
pub fn gets(keys: &[&[u8]], out: &mut Vec<u8>) {
    out.extend_from_slice(b"gets");
    push_keys(keys, out);
}

/// `gat` of one or more keys.
pub fn gat(exptime: i32, keys: &[&[u8]], out: &mut Vec<u8>) {
    out.extend_from_slice(b"gat ");
    push_exptime(exptime, out);
    push_keys(keys, out);
}

/// `set`, `add`, `replace`, `append` or `prepend`, as `command` says.
#[inline]
pub fn store(command: &[u8], set: &Set<'_>, out: &mut Vec<u8>) {
    push_store(command, set, None, out);
}

/// `cas`.
pub fn cas(set: &Set<'_>, cas: u64, out: &mut Vec<u8>) {
    push_store(b"cas", set, Some(cas), out);
}

/// `delete`.
pub fn delete(key: &[u8], out: &mut Vec<u8>) {
    push_line(&[b"delete ", key], out);
}

/// `incr`.
pub fn incr(key: &[u8], delta: u64, out: &mut Vec<u8>) {
    push_line(
        &[b"incr ", key, b" ", number::Digits::of(delta).as_bytes()],
        out,
    );
}

/// `decr`.
pub fn decr(key: &[u8], delta: u64, out: &mut Vec<u8>) {
    push_line(
        &[b"decr ", key, b" ", number::Digits::of(delta).as_bytes()],
        out,
    );
}

/// `touch`.
pub fn touch(key: &[u8], exptime: i32, out: &mut Vec<u8>) {
    out.extend_from_slice(b"touch ");
    out.extend_from_slice(key);
    out.push(b' ');
    push_exptime(exptime, out);
    out.extend_from_slice(b"\r\n");
}

/// `flush_all`.
pub fn flush_all(out: &mut Vec<u8>) {
    push_line(&[b"flush_all"], out);
}

/// `version`.
pub fn version(out: &mut Vec<u8>) {
    push_line(&[b"version"], out);
}

/// `stats`, general for an empty name.
pub fn stats(name: &[u8], out: &mut Vec<u8>) {
    push_line(&[b"stats ", name], out);
}

/// `quit`, which has no reply.
pub fn quit(out: &mut Vec<u8>) {
    push_line(&[b"quit"], out);
}

/// Memcached's own authentication: any key, and `user password` as the value.
pub fn auth(username: &[u8], password: &[u8], out: &mut Vec<u8>) {
    let token = [username, b" ", password].concat();
    push_auth(b"auth", &token, out);
}

/// The hosted providers' authentication: the user as the key, the password as the value.
pub fn auth_by_key(username: &[u8], password: &[u8], out: &mut Vec<u8>) {
    push_auth(username, password, out);
}

fn push_auth(key: &[u8], value: &[u8], out: &mut Vec<u8>) {
    let set = Set {
        key,
        value,
        flags: 0,
        exptime: 0,
    };
    store(b"set", &set, out);
}

#[inline]
fn push_store(command: &[u8], set: &Set<'_>, cas: Option<u64>, out: &mut Vec<u8>) {
    out.reserve(command.len() + set.key.len() + set.value.len() + 64);
    out.extend_from_slice(command);
    out.push(b' ');
    out.extend_from_slice(set.key);
    for number in [
        u64::from(set.flags),
        u64::from(set.exptime),
        set.value.len() as u64,
    ] {
        out.push(b' ');
        number::push(out, number);
    }
    if let Some(cas) = cas {
        out.push(b' ');
        number::push(out, cas);
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(set.value);
    out.extend_from_slice(b"\r\n");
}

#[inline]
fn push_keys(keys: &[&[u8]], out: &mut Vec<u8>) {
    for key in keys {
        out.push(b' ');
        out.extend_from_slice(key);
    }
    out.extend_from_slice(b"\r\n");
}

fn push_exptime(exptime: i32, out: &mut Vec<u8>) {
    if exptime < 0 {
        out.push(b'-');
    }
    number::push(out, u64::from(exptime.unsigned_abs()));
}

fn push_line(parts: &[&[u8]], out: &mut Vec<u8>) {
    for part in parts {
        out.extend_from_slice(part);
    }
    out.extend_from_slice(b"\r\n");
}
