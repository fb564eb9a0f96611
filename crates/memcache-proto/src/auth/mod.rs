//! What a connection may say before it has said who it is, and the answers to it.
//!
//! Three dialects: memcached's own in text (`set <anything> 0 0 <length>` with a body of
//! `user password`), that of hosted providers (the key is the user, the body the password), and
//! SASL PLAIN in binary. Which of the two protocols is spoken is looked at anew with every step,
//! and there is nothing in either of them that gets past this module but a pair to be checked.

mod binary;
mod text;

use crate::binary::header::{Lens, MAGIC, Status, push_response};

/// The most bytes that a step may need; what claims to be longer is refused.
pub const INPUT_LEN_MAX: usize = 4096;

/// What the next bytes of a connection mean that is not authenticated.
#[derive(Debug)]
pub enum Step<'a> {
    /// Not enough to say; call again with the same bytes and more behind them.
    Incomplete,
    /// A user name and a password to be checked; answer with [`AuthReply::accepted`] or
    /// [`AuthReply::rejected`].
    Attempt {
        /// How many bytes it took.
        consumed: usize,
        /// Who it says it is.
        username: &'a [u8],
        /// What it proves it with.
        password: &'a [u8],
        /// How to answer.
        reply: AuthReply,
    },
    /// Something that may be asked by anybody; answer with [`AuthReply::answer`] and go on.
    Answer {
        /// How many bytes it took.
        consumed: usize,
        /// How to answer.
        reply: AuthReply,
    },
    /// Anything else: answer with [`AuthReply::answer`], which may write nothing, and close.
    Refuse {
        /// How to answer.
        reply: AuthReply,
    },
}

/// How to answer before a connection is admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthReply(Form);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// An attempt in text.
    Text,
    /// A line of text.
    Line(&'static [u8]),
    /// An attempt in binary.
    Binary { opcode: u8, opaque: u32 },
    /// A response in binary.
    Packet {
        opcode: u8,
        opaque: u32,
        status: Status,
        value: &'static [u8],
    },
}

impl AuthReply {
    /// Writes that the connection is admitted.
    pub fn accepted(&self, out: &mut Vec<u8>) {
        match self.0 {
            Form::Text => out.extend_from_slice(b"STORED\r\n"),
            Form::Binary { opcode, opaque } => {
                push_packet(opcode, opaque, Status::Ok, b"Authenticated", out);
            }
            Form::Line(_) | Form::Packet { .. } => {}
        }
    }

    /// Writes that user name or password is wrong.
    pub fn rejected(&self, out: &mut Vec<u8>) {
        match self.0 {
            Form::Text => out.extend_from_slice(b"CLIENT_ERROR authentication failure\r\n"),
            Form::Binary { opcode, opaque } => {
                let status = Status::AuthError;
                push_packet(opcode, opaque, status, status.text(), out);
            }
            Form::Line(_) | Form::Packet { .. } => {}
        }
    }

    /// Writes the answer to what may be asked by anybody, or the refusal.
    pub fn answer(&self, out: &mut Vec<u8>) {
        match self.0 {
            Form::Line(line) => out.extend_from_slice(line),
            Form::Packet {
                opcode,
                opaque,
                status,
                value,
            } => push_packet(opcode, opaque, status, value, out),
            Form::Text | Form::Binary { .. } => {}
        }
    }
}

fn push_packet(opcode: u8, opaque: u32, status: Status, value: &[u8], out: &mut Vec<u8>) {
    push_response(opcode, opaque, status, Lens::value(value.len()), 0, out);
    out.extend_from_slice(value);
}

/// Looks at the next bytes of a connection that is not authenticated; keeps no state.
///
/// Needs at most [`INPUT_LEN_MAX`] bytes: with as many it is never [`Step::Incomplete`].
pub fn decode(input: &[u8]) -> Step<'_> {
    match input.first() {
        None => Step::Incomplete,
        Some(&MAGIC) => binary::decode(input),
        Some(_) => text::decode(input),
    }
}

/// Whom the beginning of an attempt names, as soon as it does: for input that [`decode`] finds
/// incomplete. In text that is the key until the body has shown a user name of its own.
pub fn username_of_part(input: &[u8]) -> Option<&[u8]> {
    match input.first() {
        Some(&MAGIC) => binary::username_of_part(input),
        _ => text::username_of_part(input),
    }
}

#[cfg(test)]
#[path = "auth_test.rs"]
mod tests;
