//! The meta commands.

use super::{Encoder, Ending, Failure, Head, Next, Says, decimal, error_line, line, push_decimal};
use crate::load::op::Op;

impl Encoder {
    pub(super) fn encode_meta(&mut self, op: Op, ids: &[u64], out: &mut Vec<u8>) {
        for id in ids {
            match op {
                Op::Get => self.line_meta(b"mg ", *id, b" v\r\n", out),
                // Misses stay silent, hits name their key, and `mn` tells the end.
                Op::Mget => self.line_meta(b"mg ", *id, b" k q v\r\n", out),
                Op::Delete => self.line_meta(b"md ", *id, b"\r\n", out),
                Op::Touch => {
                    self.line_meta(b"mg ", *id, b" T", out);
                    push_decimal(self.expiry_s, out);
                    out.extend_from_slice(b"\r\n");
                }
                Op::Set => self.set_meta(*id, out),
            }
        }
        if op == Op::Mget {
            out.extend_from_slice(b"mn\r\n");
        }
    }

    fn line_meta(&mut self, command: &[u8], id: u64, flags: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(command);
        out.extend_from_slice(self.keys.write(id, &mut self.key));
        out.extend_from_slice(flags);
    }

    fn set_meta(&mut self, id: u64, out: &mut Vec<u8>) {
        self.line_meta(b"ms ", id, b" ", out);
        push_decimal(self.values.len(id), out);
        if self.expiry_s > 0 {
            out.extend_from_slice(b" T");
            push_decimal(self.expiry_s, out);
        }
        out.extend_from_slice(b"\r\n");
        self.values.write(id, out);
        out.extend_from_slice(b"\r\n");
    }
}

/// Reads a reply's line.
#[inline]
pub(super) fn head(op: Op, input: &[u8]) -> Option<Head<'_>> {
    let (line, consumed) = line(input)?;
    let code = line.get(..2).unwrap_or(line);
    let says = match (op, code) {
        (Op::Get | Op::Mget, b"VA") => item(op, line),
        (Op::Get, b"EN") | (Op::Mget, b"MN") | (Op::Set, b"HD") => Says::End(Ending::Done),
        (Op::Set, b"NS") => Says::End(Ending::NotStored),
        (Op::Delete | Op::Touch, b"HD") => Says::End(Ending::Hit),
        (Op::Delete, b"NF") | (Op::Touch, b"EN") => Says::End(Ending::Miss),
        (Op::Mget, _) => several(error_line(line)),
        _ => Says::End(error_line(line)),
    };
    Some(Head { consumed, says })
}

/// An error for one of several keys does not end the reply.
fn several(ending: Ending<'_>) -> Says<'_> {
    match ending {
        Ending::ServerError(_) => Says::Failed(Failure::Server),
        Ending::ClientError(_) => Says::Failed(Failure::Client),
        other => Says::End(other),
    }
}

/// Reads `VA LEN FLAG*`.
#[inline]
fn item(op: Op, line: &[u8]) -> Says<'_> {
    let mut words = line.split(|byte| *byte == b' ').skip(1);
    let Some(len) = words.next().and_then(decimal) else {
        return Says::End(Ending::Garbage(line));
    };
    let key = words.find_map(|word| word.strip_prefix(b"k"));
    let next = match op {
        Op::Mget => Next::Head,
        _ => Next::Done,
    };
    Says::Item {
        key,
        len,
        tail: 2,
        next,
    }
}
