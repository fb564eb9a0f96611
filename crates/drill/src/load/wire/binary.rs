//! The binary protocol.

use super::{Encoder, Ending, Failure, HEAD_LEN_MAX, Head, Next, Says};
use crate::load::op::Op;

const REQUEST: u8 = 0x80;
const REPLY: u8 = 0x81;
const HEADER_LEN: usize = 24;

const GET: u8 = 0x00;
const SET: u8 = 0x01;
const DELETE: u8 = 0x04;
const NOOP: u8 = 0x0a;
const GETKQ: u8 = 0x0d;
const TOUCH: u8 = 0x1c;
const SASL_AUTH: u8 = 0x21;

const OK: u16 = 0x00;
const NOT_FOUND: u16 = 0x01;
const NOT_STORED: u16 = 0x05;
/// From here on the server names its own faults: out of memory, busy, try again.
const SERVER_FAULTS: u16 = 0x81;

impl Encoder {
    pub(super) fn encode_binary(&mut self, op: Op, ids: &[u64], out: &mut Vec<u8>) {
        for id in ids {
            let key = self.keys.write(*id, &mut self.key);
            let expiry = self.expiry_s.to_be_bytes();
            match op {
                Op::Get => packet(GET, &[], key, 0, out),
                Op::Mget => packet(GETKQ, &[], key, 0, out),
                Op::Delete => packet(DELETE, &[], key, 0, out),
                Op::Touch => packet(TOUCH, &expiry, key, 0, out),
                Op::Set => {
                    let mut extras = [0u8; 8];
                    extras[4..].copy_from_slice(&expiry);
                    packet(SET, &extras, key, self.values.len(*id), out);
                    self.values.write(*id, out);
                }
            }
        }
        if op == Op::Mget {
            packet(NOOP, &[], &[], 0, out);
        }
    }
}

/// Appends a SASL PLAIN login.
pub(crate) fn sasl_plain(username: &str, password: &str, out: &mut Vec<u8>) {
    let len = username.len() + password.len() + 2;
    packet(
        SASL_AUTH,
        &[],
        b"PLAIN",
        u32::try_from(len).unwrap_or(u32::MAX),
        out,
    );
    out.push(0);
    out.extend_from_slice(username.as_bytes());
    out.push(0);
    out.extend_from_slice(password.as_bytes());
}

/// Reads the reply to a login: its length in bytes, and the server's words if it refused.
pub(crate) fn sasl_verdict(input: &[u8]) -> Option<(usize, Result<(), &[u8]>)> {
    let header = Header::read(input)?;
    let end = HEADER_LEN.checked_add(header.body_len as usize)?;
    let body = input.get(HEADER_LEN..end)?;
    let accepted = header.magic == REPLY && header.opcode == SASL_AUTH && header.status == OK;
    Some((end, if accepted { Ok(()) } else { Err(body) }))
}

fn packet(opcode: u8, extras: &[u8], key: &[u8], value_len: u32, out: &mut Vec<u8>) {
    let body_len = value_len.saturating_add((extras.len() + key.len()) as u32);
    let mut header = [0u8; HEADER_LEN];
    header[0] = REQUEST;
    header[1] = opcode;
    header[2..4].copy_from_slice(&(key.len() as u16).to_be_bytes());
    header[4] = extras.len() as u8;
    header[8..12].copy_from_slice(&body_len.to_be_bytes());
    out.extend_from_slice(&header);
    out.extend_from_slice(extras);
    out.extend_from_slice(key);
}

struct Header {
    magic: u8,
    opcode: u8,
    key_len: u16,
    extras_len: u8,
    status: u16,
    body_len: u32,
}

impl Header {
    #[inline]
    fn read(input: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEADER_LEN] = input.first_chunk()?;
        Some(Self {
            magic: bytes[0],
            opcode: bytes[1],
            key_len: u16::from_be_bytes([bytes[2], bytes[3]]),
            extras_len: bytes[4],
            status: u16::from_be_bytes([bytes[6], bytes[7]]),
            body_len: u32::from_be_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]),
        })
    }
}

/// Reads a reply's header, and all before its value; a reply without a value is read whole.
#[inline]
pub(super) fn head(op: Op, input: &[u8]) -> Option<Head<'_>> {
    let header = Header::read(input)?;
    if header.magic != REPLY || !answers(header.opcode, op) {
        return Some(garbage(input));
    }
    let is_hit = op.is_retrieval() && header.opcode != NOOP && header.status == OK;
    if is_hit {
        return item(op, &header, input);
    }
    let consumed = HEADER_LEN + header.body_len as usize;
    if consumed > HEAD_LEN_MAX {
        return Some(garbage(input));
    }
    let words = input.get(HEADER_LEN..consumed)?;
    let ending = ending(op, header.status, words);
    let says = match ending {
        Ending::ServerError(_) if header.opcode == GETKQ => Says::Failed(Failure::Server),
        Ending::ClientError(_) if header.opcode == GETKQ => Says::Failed(Failure::Client),
        ending => Says::End(ending),
    };
    Some(Head { consumed, says })
}

fn answers(opcode: u8, op: Op) -> bool {
    match op {
        Op::Get => opcode == GET,
        Op::Set => opcode == SET,
        Op::Mget => opcode == GETKQ || opcode == NOOP,
        Op::Delete => opcode == DELETE,
        Op::Touch => opcode == TOUCH,
    }
}

fn item<'a>(op: Op, header: &Header, input: &'a [u8]) -> Option<Head<'a>> {
    let key_at = HEADER_LEN + usize::from(header.extras_len);
    let consumed = key_at + usize::from(header.key_len);
    let before_value = u32::from(header.key_len) + u32::from(header.extras_len);
    let Some(len) = header.body_len.checked_sub(before_value) else {
        return Some(garbage(input));
    };
    let key = input.get(key_at..consumed)?;
    let says = Says::Item {
        key: (!key.is_empty()).then_some(key),
        len,
        tail: 0,
        next: match op {
            Op::Mget => Next::Head,
            _ => Next::Done,
        },
    };
    Some(Head { consumed, says })
}

fn ending(op: Op, status: u16, words: &[u8]) -> Ending<'_> {
    match (status, op) {
        (OK, Op::Delete | Op::Touch) => Ending::Hit,
        (OK, _) | (NOT_FOUND, Op::Get | Op::Mget) => Ending::Done,
        (NOT_FOUND, Op::Delete | Op::Touch) => Ending::Miss,
        (NOT_STORED, Op::Set) => Ending::NotStored,
        (SERVER_FAULTS.., _) => Ending::ServerError(words),
        _ => Ending::ClientError(words),
    }
}

fn garbage(input: &[u8]) -> Head<'_> {
    Head {
        consumed: input.len(),
        says: Says::End(Ending::Garbage(&input[..input.len().min(64)])),
    }
}
