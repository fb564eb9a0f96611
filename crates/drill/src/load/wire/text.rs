//! The classic text commands.

use super::{Encoder, Ending, Head, Next, Says, decimal, error_line, line, push_decimal};
use crate::load::op::Op;

impl Encoder {
    pub(super) fn encode_text(&mut self, op: Op, ids: &[u64], out: &mut Vec<u8>) {
        match op {
            Op::Get | Op::Mget => {
                out.extend_from_slice(b"get");
                for id in ids {
                    out.push(b' ');
                    out.extend_from_slice(self.keys.write(*id, &mut self.key));
                }
                out.extend_from_slice(b"\r\n");
            }
            Op::Set => ids.iter().for_each(|id| self.set_text(*id, out)),
            Op::Delete => {
                for id in ids {
                    out.extend_from_slice(b"delete ");
                    out.extend_from_slice(self.keys.write(*id, &mut self.key));
                    out.extend_from_slice(b"\r\n");
                }
            }
            Op::Touch => {
                for id in ids {
                    out.extend_from_slice(b"touch ");
                    out.extend_from_slice(self.keys.write(*id, &mut self.key));
                    out.push(b' ');
                    push_decimal(self.expiry_s, out);
                    out.extend_from_slice(b"\r\n");
                }
            }
        }
    }

    fn set_text(&mut self, id: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(b"set ");
        out.extend_from_slice(self.keys.write(id, &mut self.key));
        out.extend_from_slice(b" 0 ");
        push_decimal(self.expiry_s, out);
        out.push(b' ');
        push_decimal(self.values.len(id), out);
        out.extend_from_slice(b"\r\n");
        self.values.write(id, out);
        out.extend_from_slice(b"\r\n");
    }
}

/// Reads a reply's line.
#[inline]
pub(super) fn head(op: Op, input: &[u8]) -> Option<Head<'_>> {
    let (line, consumed) = line(input)?;
    let says = match (op, line) {
        (Op::Get | Op::Mget, b"END") | (Op::Set, b"STORED") => Says::End(Ending::Done),
        (Op::Get | Op::Mget, _) if line.starts_with(b"VALUE ") => item(&line[6..]),
        (Op::Set, b"NOT_STORED") => Says::End(Ending::NotStored),
        (Op::Delete, b"DELETED") | (Op::Touch, b"TOUCHED") => Says::End(Ending::Hit),
        (Op::Delete | Op::Touch, b"NOT_FOUND") => Says::End(Ending::Miss),
        _ => Says::End(error_line(line)),
    };
    Some(Head { consumed, says })
}

/// Reads `KEY FLAGS LEN [CAS]`.
#[inline]
fn item(words: &[u8]) -> Says<'_> {
    let mut parts = words.split(|byte| *byte == b' ');
    let key = parts.next();
    let len = parts.nth(1).and_then(decimal);
    match (key, len) {
        (Some(key), Some(len)) => Says::Item {
            key: Some(key),
            len,
            tail: 2,
            next: Next::Head,
        },
        _ => Says::End(Ending::Garbage(words)),
    }
}
