//! The handshake as a client goes through it: STARTTLS where wanted, structured replies, `base:allocation`,
//! GO.

use crate::metadata::ALLOCATION;
use crate::wire::{
    GREETING_MAGIC, OPTION_MAGIC, OPTION_REPLY_HEADER_LEN, OPTION_REPLY_MAGIC, Put, Reader,
    handshake_flag, info_kind, option_kind, reply_kind,
};

/// What the server's replies to options may carry; more is not believed.
const REPLY_LEN_MAX: u32 = 64 << 10;

/// What the server said about the export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// Its size.
    pub size_bytes: u64,
    /// Its transmission flags, see [`crate::wire::export_flag`].
    pub flags: u16,
    /// Its least, preferred and largest block sizes, if told.
    pub block_lens: Option<(u32, u32, u32)>,
    /// Whether replies are structured.
    pub structured: bool,
    /// Whether `base:allocation` may be asked for.
    pub allocation: bool,
}

/// How far the handshake has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientProgress {
    /// More has to arrive; what was not used is to be handed in again.
    More,
    /// The server agrees to TLS: shake hands now, then call [`ClientHandshake::secured`].
    StartTls,
    /// Whatever follows is transmission.
    Transmit(Joined),
    /// The server refused: the reply's kind, and its words.
    Refused(u32, String),
    /// This is no NBD server that can be talked to. The word says why.
    Broken(&'static str),
}

/// One connection until transmission begins.
#[derive(Debug)]
pub struct ClientHandshake {
    name: String,
    greeted: bool,
    /// Nothing is asked for before TLS.
    wants_tls: bool,
    /// The option whose answer is awaited.
    asked: u32,
    joined: Joined,
}

impl ClientHandshake {
    /// Asks for the export of this name.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            greeted: false,
            wants_tls: false,
            asked: 0,
            joined: Joined::default(),
        }
    }

    /// The same under TLS.
    pub fn with_tls(name: &str) -> Self {
        Self {
            wants_tls: true,
            ..Self::new(name)
        }
    }

    /// Goes on under TLS; what came in the clear behind the server's consent is not to be handed in.
    pub fn secured(&mut self, out: &mut Vec<u8>) {
        self.ask(option_kind::STRUCTURED_REPLY, &[], out);
    }

    /// Goes as far as `input` reaches; says how many of its bytes were used, and where that led.
    pub fn advance(&mut self, input: &[u8], out: &mut Vec<u8>) -> (usize, ClientProgress) {
        let mut used = 0;
        loop {
            let rest = input.get(used..).unwrap_or_default();
            let (taken, progress) = match self.greeted {
                false => self.greeting(rest, out),
                true => self.reply(rest, out),
            };
            used += taken;
            if taken == 0 || progress != ClientProgress::More {
                return (used, progress);
            }
        }
    }

    fn greeting(&mut self, input: &[u8], out: &mut Vec<u8>) -> (usize, ClientProgress) {
        let mut reader = Reader::new(input);
        let (Some(magic), Some(style), Some(flags)) = (reader.u64(), reader.u64(), reader.u16())
        else {
            return (0, ClientProgress::More);
        };
        let fixed = flags & handshake_flag::FIXED_NEWSTYLE != 0;
        if magic != GREETING_MAGIC || style != OPTION_MAGIC || !fixed {
            return (0, ClientProgress::Broken("not fixed newstyle"));
        }
        let known = handshake_flag::FIXED_NEWSTYLE | handshake_flag::NO_ZEROES;
        out.put_u32(u32::from(flags & known));
        self.greeted = true;
        match self.wants_tls {
            true => self.ask(option_kind::STARTTLS, &[], out),
            false => self.ask(option_kind::STRUCTURED_REPLY, &[], out),
        }
        (18, ClientProgress::More)
    }

    fn ask(&mut self, option: u32, data: &[u8], out: &mut Vec<u8>) {
        self.asked = option;
        out.put_u64(OPTION_MAGIC);
        out.put_u32(option);
        out.put_u32(u32::try_from(data.len()).unwrap_or(u32::MAX));
        out.extend_from_slice(data);
    }

    fn reply(&mut self, input: &[u8], out: &mut Vec<u8>) -> (usize, ClientProgress) {
        let mut reader = Reader::new(input);
        let (Some(magic), Some(option), Some(kind), Some(len)) =
            (reader.u64(), reader.u32(), reader.u32(), reader.u32())
        else {
            return (0, ClientProgress::More);
        };
        if magic != OPTION_REPLY_MAGIC || option != self.asked || len > REPLY_LEN_MAX {
            return (0, ClientProgress::Broken("not the reply to the option"));
        }
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let Some(data) = reader.bytes(len) else {
            return (0, ClientProgress::More);
        };
        let progress = self.answered(kind, data, out);
        (OPTION_REPLY_HEADER_LEN + len, progress)
    }

    fn answered(&mut self, kind: u32, data: &[u8], out: &mut Vec<u8>) -> ClientProgress {
        match kind {
            reply_kind::INFO => self.info(data),
            reply_kind::META_CONTEXT => self.joined.allocation = true,
            _ => return self.finished(kind, data, out),
        }
        ClientProgress::More
    }

    fn finished(&mut self, kind: u32, data: &[u8], out: &mut Vec<u8>) -> ClientProgress {
        let accepted = kind == reply_kind::ACK;
        match self.asked {
            option_kind::GO if accepted => {
                return ClientProgress::Transmit(std::mem::take(&mut self.joined));
            }
            option_kind::STARTTLS if accepted => return ClientProgress::StartTls,
            option_kind::GO | option_kind::STARTTLS => {
                let words = String::from_utf8_lossy(data).into_owned();
                return ClientProgress::Refused(kind, words);
            }
            option_kind::STRUCTURED_REPLY if accepted => {
                self.joined.structured = true;
                let mut data = self.named();
                data.put_u32(1);
                put_text(&mut data, ALLOCATION);
                self.ask(option_kind::SET_META_CONTEXT, &data, out);
            }
            _ => {
                let mut data = self.named();
                data.put_u16(1);
                data.put_u16(info_kind::BLOCK_SIZE);
                self.ask(option_kind::GO, &data, out);
            }
        }
        ClientProgress::More
    }

    fn named(&self) -> Vec<u8> {
        let mut data = Vec::new();
        put_text(&mut data, &self.name);
        data
    }

    fn info(&mut self, data: &[u8]) {
        let mut reader = Reader::new(data);
        match reader.u16() {
            Some(info_kind::EXPORT) => {
                self.joined.size_bytes = reader.u64().unwrap_or_default();
                self.joined.flags = reader.u16().unwrap_or_default();
            }
            Some(info_kind::BLOCK_SIZE) => {
                let lens = (reader.u32(), reader.u32(), reader.u32());
                if let (Some(least), Some(preferred), Some(most)) = lens {
                    self.joined.block_lens = Some((least, preferred, most));
                }
            }
            _ => {}
        }
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.put_u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
#[path = "handshake_test.rs"]
mod tests;
