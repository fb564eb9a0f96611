//! The server's side of the handshake: fixed newstyle, option by option.

use crate::OPTION_LEN_MAX;
use crate::export::{Directory, Export};
use crate::metadata::{ALLOCATION, ALLOCATION_ID, chooses, lists};
use crate::option::{Queries, Wanted, put_list, put_refusal, put_reply};
use crate::wire::{
    GREETING_MAGIC, OPTION_MAGIC, Put, Reader, handshake_flag, info_kind, option_kind, reply_kind,
    text,
};

/// Options longer than this are not even skipped: nobody sends them who means well.
const SKIPPED_LEN_MAX: u32 = 1 << 20;

/// What TLS means on this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// There is none.
    Off,
    /// It may be had.
    Offered,
    /// Nothing goes on without.
    Required,
    /// It is on.
    Active,
}

/// What both sides have agreed on when transmission begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The export.
    pub export: Export,
    /// Whether replies are structured.
    pub structured: bool,
    /// Whether BLOCK_STATUS may ask for `base:allocation`.
    pub allocation: bool,
}

/// How far the handshake has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More has to arrive; what was not used is to be handed in again.
    More,
    /// Send what is in the output, then upgrade, then call [`Handshake::tls_started`].
    StartTls,
    /// Send what is in the output; whatever follows is transmission.
    Transmit(Box<Agreed>),
    /// The client goes in peace: send what is in the output and close.
    Closed,
    /// The client cannot be answered: close. The word says why.
    Broken(&'static str),
}

/// One connection until transmission begins.
#[derive(Debug)]
pub struct Handshake {
    tls: Tls,
    state: State,
    fixed: bool,
    no_zeroes: bool,
    structured: bool,
    /// The name of the export whose `base:allocation` was chosen.
    allocation_of: Option<String>,
}

#[derive(Debug)]
enum State {
    ClientFlags,
    Options,
    /// Bytes of an option's data to pass over, and the reply when that is done.
    Skipping {
        left: u32,
        option: u32,
        reply: u32,
    },
}

impl Handshake {
    /// A new connection; the greeting is put into `out`.
    pub fn new(tls: Tls, out: &mut Vec<u8>) -> Self {
        out.put_u64(GREETING_MAGIC);
        out.put_u64(OPTION_MAGIC);
        out.put_u16(handshake_flag::FIXED_NEWSTYLE | handshake_flag::NO_ZEROES);
        Self {
            tls,
            state: State::ClientFlags,
            fixed: false,
            no_zeroes: false,
            structured: false,
            allocation_of: None,
        }
    }

    /// TLS is on; what was negotiated in the clear is forgotten, as the protocol demands.
    pub fn tls_started(&mut self) {
        self.tls = Tls::Active;
        self.structured = false;
        self.allocation_of = None;
    }

    /// Goes as far as `input` reaches; says how many of its bytes were used, and where that led.
    ///
    /// Bytes behind [`Progress::StartTls`] and [`Progress::Transmit`] are left unused. Bytes behind
    /// STARTTLS came in the clear: the caller must not treat them as protected.
    pub fn advance(
        &mut self,
        input: &[u8],
        directory: &dyn Directory,
        out: &mut Vec<u8>,
    ) -> (usize, Progress) {
        let mut rest = input;
        loop {
            let before = rest.len();
            let progress = match self.state {
                State::ClientFlags => self.client_flags(&mut rest),
                State::Options => self.option(&mut rest, directory, out),
                State::Skipping {
                    left,
                    option,
                    reply,
                } => self.skip(&mut rest, (left, option, reply), out),
            };
            let stuck = rest.len() == before;
            if progress != Progress::More || stuck {
                return (input.len() - rest.len(), progress);
            }
        }
    }

    fn client_flags(&mut self, rest: &mut &[u8]) -> Progress {
        let mut reader = Reader::new(rest);
        let Some(flags) = reader.u32() else {
            return Progress::More;
        };
        *rest = reader.rest();
        let fixed = u32::from(handshake_flag::FIXED_NEWSTYLE);
        let no_zeroes = u32::from(handshake_flag::NO_ZEROES);
        if flags & !(fixed | no_zeroes) != 0 {
            return Progress::Broken("unknown client flags");
        }
        self.fixed = flags & fixed != 0;
        self.no_zeroes = flags & no_zeroes != 0;
        self.state = State::Options;
        Progress::More
    }

    fn option(
        &mut self,
        rest: &mut &[u8],
        directory: &dyn Directory,
        out: &mut Vec<u8>,
    ) -> Progress {
        let mut reader = Reader::new(rest);
        let (Some(magic), Some(option), Some(len)) = (reader.u64(), reader.u32(), reader.u32())
        else {
            let known = rest.len().min(8);
            let begins_well = rest.get(..known) == OPTION_MAGIC.to_be_bytes().get(..known);
            return match begins_well {
                true => Progress::More,
                false => Progress::Broken("not an option"),
            };
        };
        if magic != OPTION_MAGIC {
            return Progress::Broken("not an option");
        }
        if !self.fixed && option != option_kind::EXPORT_NAME {
            return Progress::Broken("an option from a client that cannot read the answer");
        }
        if len > SKIPPED_LEN_MAX {
            return Progress::Broken("an option beyond measure");
        }
        if let Some(reply) = self.refuses_unread(option, len) {
            if option == option_kind::EXPORT_NAME {
                return Progress::Broken("no such export, or not without TLS");
            }
            *rest = reader.rest();
            self.state = State::Skipping {
                left: len,
                option,
                reply,
            };
            return self.skip(rest, (len, option, reply), out);
        }
        let Some(data) = usize::try_from(len).ok().and_then(|len| reader.bytes(len)) else {
            return Progress::More;
        };
        *rest = reader.rest();
        self.known_option(option, data, directory, out)
    }

    /// The error for an option that needs no look at its data.
    fn refuses_unread(&self, option: u32, len: u32) -> Option<u32> {
        let exempt = matches!(option, option_kind::STARTTLS | option_kind::ABORT);
        let known = (option_kind::EXPORT_NAME..=option_kind::SET_META_CONTEXT).contains(&option);
        if self.tls == Tls::Required && !exempt {
            Some(reply_kind::ERR_TLS_REQD)
        } else if !known || option == 4 {
            Some(reply_kind::ERR_UNSUP)
        } else if len > OPTION_LEN_MAX {
            Some(reply_kind::ERR_TOO_BIG)
        } else {
            None
        }
    }

    fn skip(
        &mut self,
        rest: &mut &[u8],
        (left, option, reply): (u32, u32, u32),
        out: &mut Vec<u8>,
    ) -> Progress {
        let passed = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        *rest = rest.get(passed..).unwrap_or_default();
        let left = left.saturating_sub(u32::try_from(passed).unwrap_or(u32::MAX));
        self.state = State::Skipping {
            left,
            option,
            reply,
        };
        if left == 0 {
            self.state = State::Options;
            put_reply(out, option, reply, b"");
        }
        Progress::More
    }

    fn known_option(
        &mut self,
        option: u32,
        data: &[u8],
        directory: &dyn Directory,
        out: &mut Vec<u8>,
    ) -> Progress {
        match option {
            option_kind::EXPORT_NAME => return self.export_name(data, directory, out),
            option_kind::ABORT => {
                put_reply(out, option, reply_kind::ACK, b"");
                return Progress::Closed;
            }
            option_kind::STARTTLS => return self.start_tls(data, out),
            option_kind::INFO | option_kind::GO => return self.go(option, data, directory, out),
            option_kind::LIST => put_list(data, directory, out),
            option_kind::STRUCTURED_REPLY => self.structured_reply(data, out),
            _ => self.meta_context(option, data, directory, out),
        }
        Progress::More
    }

    fn export_name(
        &mut self,
        data: &[u8],
        directory: &dyn Directory,
        out: &mut Vec<u8>,
    ) -> Progress {
        let found = text(data).and_then(|name| directory.find(name).ok());
        let Some(export) = found else {
            return Progress::Broken("no such export, or not without TLS");
        };
        out.put_u64(export.size_bytes);
        out.put_u16(export.flags());
        if !self.no_zeroes {
            out.extend_from_slice(&[0; 124]);
        }
        let name = text(data).unwrap_or_default().to_owned();
        self.transmit(export, &name)
    }

    fn transmit(&mut self, export: Export, asked_for: &str) -> Progress {
        let chosen = self.allocation_of.take();
        let allocation = self.structured && chosen.is_some_and(|name| name == asked_for);
        Progress::Transmit(Box::new(Agreed {
            export,
            structured: self.structured,
            allocation,
        }))
    }

    fn start_tls(&mut self, data: &[u8], out: &mut Vec<u8>) -> Progress {
        let reply = match self.tls {
            _ if !data.is_empty() => reply_kind::ERR_INVALID,
            Tls::Off => reply_kind::ERR_POLICY,
            Tls::Active => reply_kind::ERR_INVALID,
            Tls::Offered | Tls::Required => reply_kind::ACK,
        };
        put_reply(out, option_kind::STARTTLS, reply, b"");
        match reply {
            reply_kind::ACK => Progress::StartTls,
            _ => Progress::More,
        }
    }

    fn go(
        &mut self,
        option: u32,
        data: &[u8],
        directory: &dyn Directory,
        out: &mut Vec<u8>,
    ) -> Progress {
        let Some(wanted) = Wanted::parse(data) else {
            put_reply(out, option, reply_kind::ERR_INVALID, b"malformed option");
            return Progress::More;
        };
        let export = match directory.find(wanted.name) {
            Ok(export) => export,
            Err(refusal) => {
                put_refusal(out, option, &refusal);
                return Progress::More;
            }
        };
        // Size and flags always, block sizes too: a client need not ask to profit. The rest if asked.
        let mut kinds = vec![info_kind::EXPORT, info_kind::BLOCK_SIZE];
        for kind in wanted.infos {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        for info in kinds.into_iter().filter_map(|kind| export.info(kind)) {
            put_reply(out, option, reply_kind::INFO, &info);
        }
        put_reply(out, option, reply_kind::ACK, b"");
        match option {
            option_kind::GO => self.transmit(export, wanted.name),
            _ => Progress::More,
        }
    }

    fn structured_reply(&mut self, data: &[u8], out: &mut Vec<u8>) {
        let reply = match data.is_empty() && !self.structured {
            true => reply_kind::ACK,
            false => reply_kind::ERR_INVALID,
        };
        self.structured |= data.is_empty();
        put_reply(out, option_kind::STRUCTURED_REPLY, reply, b"");
    }

    fn meta_context(
        &mut self,
        option: u32,
        data: &[u8],
        directory: &dyn Directory,
        out: &mut Vec<u8>,
    ) {
        let setting = option == option_kind::SET_META_CONTEXT;
        if setting {
            self.allocation_of = None;
        }
        let parsed = Queries::parse(data).filter(|_| self.structured);
        let Some(Queries { name, queries }) = parsed else {
            let why = b"malformed, or without structured replies";
            return put_reply(out, option, reply_kind::ERR_INVALID, why);
        };
        if let Err(refusal) = directory.find(name) {
            return put_refusal(out, option, &refusal);
        }
        let matches = match setting {
            true => queries.iter().any(|query| chooses(query)),
            false => queries.is_empty() || queries.iter().any(|query| lists(query)),
        };
        if matches {
            let mut context = Vec::new();
            context.put_u32(if setting { ALLOCATION_ID } else { 0 });
            context.extend_from_slice(ALLOCATION.as_bytes());
            put_reply(out, option, reply_kind::META_CONTEXT, &context);
        }
        if matches && setting {
            self.allocation_of = Some(name.to_owned());
        }
        put_reply(out, option, reply_kind::ACK, b"");
    }
}

#[cfg(test)]
#[path = "handshake_test.rs"]
mod tests;
