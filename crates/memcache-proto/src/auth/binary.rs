//! SASL in binary: the list of mechanisms, PLAIN at once or as a second step.
//!
//! PLAIN is a message of three parts parted by zero bytes: whom to act for (which is not looked
//! at: nobody acts for another here), user name, password (RFC 4616).

use super::{AuthReply, Form, INPUT_LEN_MAX, Step};
use crate::VERSION;
use crate::binary::MECHANISMS;
use crate::binary::header::{HEADER_LEN, Header, Status, opcode};

/// A packet before authentication.
pub(super) fn decode(input: &[u8]) -> Step<'_> {
    let Some(header) = Header::of(input) else {
        return Step::Incomplete;
    };
    let Some(value_len) = header.value_len() else {
        return refuse(&header, Status::UnknownCommand);
    };
    let consumed = HEADER_LEN.saturating_add(header.body_len as usize);
    match header.opcode {
        opcode::SASL_AUTH | opcode::SASL_STEP => {}
        opcode::SASL_LIST if header.body_len == 0 => return answer(&header, MECHANISMS),
        opcode::VERSION if header.body_len == 0 => return answer(&header, VERSION.as_bytes()),
        opcode::QUITQ => return silence(),
        opcode::QUIT => return refuse(&header, Status::Ok),
        _ => return refuse(&header, Status::AuthError),
    }
    if consumed > INPUT_LEN_MAX || header.extras_len != 0 {
        return refuse(&header, Status::AuthError);
    }
    let Some(body) = input.get(HEADER_LEN..consumed) else {
        return Step::Incomplete;
    };
    let (mechanism, message) = body.split_at(usize::from(header.key_len));
    if mechanism != MECHANISMS {
        return packet(
            &header,
            consumed,
            Status::AuthError,
            Status::AuthError.text(),
        );
    }
    if value_len == 0 && header.opcode == opcode::SASL_AUTH {
        return packet(&header, consumed, Status::AuthContinue, b"");
    }
    match plain(message) {
        Some((username, password)) => Step::Attempt {
            consumed,
            username,
            password,
            reply: AuthReply(Form::Binary {
                opcode: header.opcode,
                opaque: header.opaque,
            }),
        },
        None => refuse(&header, Status::AuthError),
    }
}

/// The user name once a zero byte has ended it.
pub(super) fn username_of_part(input: &[u8]) -> Option<&[u8]> {
    let header = Header::of(input)?;
    if !matches!(header.opcode, opcode::SASL_AUTH | opcode::SASL_STEP) {
        return None;
    }
    let message = input.get(HEADER_LEN + usize::from(header.key_len)..)?;
    let mut parts = message.split(|byte| *byte == 0);
    let (_, username, _) = (parts.next()?, parts.next()?, parts.next()?);
    Some(username)
}

/// User name and password; a password may hold any byte but zero.
fn plain(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut parts = message.split(|byte| *byte == 0);
    let (_, username, password) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then_some((username, password))
}

fn answer(header: &Header, value: &'static [u8]) -> Step<'static> {
    packet(header, HEADER_LEN, Status::Ok, value)
}

fn packet(header: &Header, consumed: usize, status: Status, value: &'static [u8]) -> Step<'static> {
    let reply = reply(header, status, value);
    Step::Answer { consumed, reply }
}

fn refuse(header: &Header, status: Status) -> Step<'static> {
    let reply = reply(header, status, status.text());
    Step::Refuse { reply }
}

fn silence() -> Step<'static> {
    Step::Refuse {
        reply: AuthReply(Form::Line(b"")),
    }
}

fn reply(header: &Header, status: Status, value: &'static [u8]) -> AuthReply {
    AuthReply(Form::Packet {
        opcode: header.opcode,
        opaque: header.opaque,
        status,
        value,
    })
}
