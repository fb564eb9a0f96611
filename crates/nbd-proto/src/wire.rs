//! The numbers of the protocol, and reading and writing them in network byte order.

/// Opens the server's greeting.
pub const GREETING_MAGIC: u64 = 0x4e42_444d_4147_4943;
/// Opens each option, and follows [`GREETING_MAGIC`].
pub const OPTION_MAGIC: u64 = 0x4948_4156_454f_5054;
/// Opens each reply to an option.
pub const OPTION_REPLY_MAGIC: u64 = 0x0003_e889_0455_65a9;
/// Opens each request.
pub const REQUEST_MAGIC: u32 = 0x2560_9513;
/// Opens a simple reply.
pub const SIMPLE_REPLY_MAGIC: u32 = 0x6744_6698;
/// Opens a chunk of a structured reply.
pub const CHUNK_MAGIC: u32 = 0x668e_33ef;

/// The bytes of a request without its payload.
pub const REQUEST_LEN: usize = 28;
/// The bytes of an option without its data.
pub const OPTION_HEADER_LEN: usize = 16;
/// The bytes of a reply to an option without its data.
pub const OPTION_REPLY_HEADER_LEN: usize = 20;
/// The bytes of a simple reply without its data.
pub const SIMPLE_REPLY_LEN: usize = 16;
/// The bytes of a chunk without its payload.
pub const CHUNK_HEADER_LEN: usize = 20;

/// Handshake flags, of server and client alike.
pub mod handshake_flag {
    /// Options are answered.
    pub const FIXED_NEWSTYLE: u16 = 1;
    /// No 124 zeroes after the answer to EXPORT_NAME.
    pub const NO_ZEROES: u16 = 1 << 1;
}

/// Transmission flags: what an export can do.
pub mod export_flag {
    /// Always set.
    pub const HAS_FLAGS: u16 = 1;
    /// Nothing may be written.
    pub const READ_ONLY: u16 = 1 << 1;
    /// FLUSH is understood.
    pub const SEND_FLUSH: u16 = 1 << 2;
    /// FUA is understood.
    pub const SEND_FUA: u16 = 1 << 3;
    /// TRIM is understood.
    pub const SEND_TRIM: u16 = 1 << 5;
    /// WRITE_ZEROES is understood.
    pub const SEND_WRITE_ZEROES: u16 = 1 << 6;
    /// DF is understood.
    pub const SEND_DF: u16 = 1 << 7;
    /// A flush on one connection covers what was answered on all.
    pub const CAN_MULTI_CONN: u16 = 1 << 8;
    /// CACHE is understood.
    pub const SEND_CACHE: u16 = 1 << 10;
    /// FAST_ZERO is understood.
    pub const SEND_FAST_ZERO: u16 = 1 << 11;
}

/// Options of the handshake.
pub mod option_kind {
    /// Chooses an export and begins transmission; cannot be refused politely.
    pub const EXPORT_NAME: u32 = 1;
    /// The client goes.
    pub const ABORT: u32 = 2;
    /// Asks for the names of the exports.
    pub const LIST: u32 = 3;
    /// Asks for TLS.
    pub const STARTTLS: u32 = 5;
    /// Asks about an export.
    pub const INFO: u32 = 6;
    /// Chooses an export and begins transmission.
    pub const GO: u32 = 7;
    /// Asks for structured replies.
    pub const STRUCTURED_REPLY: u32 = 8;
    /// Asks which metadata contexts there are.
    pub const LIST_META_CONTEXT: u32 = 9;
    /// Chooses metadata contexts.
    pub const SET_META_CONTEXT: u32 = 10;
}

/// Replies to options.
pub mod reply_kind {
    /// Done.
    pub const ACK: u32 = 1;
    /// The name of an export.
    pub const SERVER: u32 = 2;
    /// A fact about an export.
    pub const INFO: u32 = 3;
    /// A metadata context.
    pub const META_CONTEXT: u32 = 4;
    /// Set in every reply that is an error.
    pub const ERROR: u32 = 1 << 31;
    /// The option is not known.
    pub const ERR_UNSUP: u32 = ERROR | 1;
    /// Forbidden here.
    pub const ERR_POLICY: u32 = ERROR | 2;
    /// Malformed, or not at this point.
    pub const ERR_INVALID: u32 = ERROR | 3;
    /// TLS comes first.
    pub const ERR_TLS_REQD: u32 = ERROR | 5;
    /// There is no such export.
    pub const ERR_UNKNOWN: u32 = ERROR | 6;
    /// The server is going.
    pub const ERR_SHUTDOWN: u32 = ERROR | 7;
    /// The option is too long.
    pub const ERR_TOO_BIG: u32 = ERROR | 9;
}

/// Facts about an export.
pub mod info_kind {
    /// Its size and flags.
    pub const EXPORT: u16 = 0;
    /// Its canonical name.
    pub const NAME: u16 = 1;
    /// Words about it.
    pub const DESCRIPTION: u16 = 2;
    /// Its block sizes: least, preferred, most.
    pub const BLOCK_SIZE: u16 = 3;
}

/// Kinds of requests.
pub mod command_kind {
    /// Asks for data.
    pub const READ: u16 = 0;
    /// Brings data.
    pub const WRITE: u16 = 1;
    /// The client goes.
    pub const DISC: u16 = 2;
    /// What was answered is to be durable.
    pub const FLUSH: u16 = 3;
    /// A range is no longer needed.
    pub const TRIM: u16 = 4;
    /// A range will be read soon.
    pub const CACHE: u16 = 5;
    /// A range becomes zero.
    pub const WRITE_ZEROES: u16 = 6;
    /// Asks what a range is made of.
    pub const BLOCK_STATUS: u16 = 7;
}

/// Flags of requests.
pub mod command_flag {
    /// Durable before it is answered.
    pub const FUA: u16 = 1;
    /// Zeroes that keep their space.
    pub const NO_HOLE: u16 = 1 << 1;
    /// The data of a READ in one chunk.
    pub const DF: u16 = 1 << 2;
    /// One extent is enough.
    pub const REQ_ONE: u16 = 1 << 3;
    /// Zeroes only if that is quicker than writing them.
    pub const FAST_ZERO: u16 = 1 << 4;
}

/// Chunks of a structured reply.
pub mod chunk_kind {
    /// No payload.
    pub const NONE: u16 = 0;
    /// An offset and data.
    pub const OFFSET_DATA: u16 = 1;
    /// An offset and how many zeroes.
    pub const OFFSET_HOLE: u16 = 2;
    /// A context and its extents.
    pub const BLOCK_STATUS: u16 = 5;
    /// An error number and a message.
    pub const ERROR: u16 = 0x8001;
    /// The same, and where.
    pub const ERROR_OFFSET: u16 = 0x8002;
    /// The flag of a reply's last chunk.
    pub const DONE: u16 = 1;
}

/// Takes numbers off the front of what arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn rest(self) -> &'a [u8] {
        self.0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A string that comes after its length.
    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let len = self.u32()?;
        let bytes = self.bytes(usize::try_from(len).ok()?)?;
        text(bytes)
    }
}

/// The protocol's idea of a string: UTF-8 of bounded length, without NUL.
pub(crate) fn text(bytes: &[u8]) -> Option<&str> {
    let fits = bytes.len() <= crate::STRING_LEN_MAX && !bytes.contains(&0);
    std::str::from_utf8(bytes).ok().filter(|_| fits)
}

/// As much of a string as the protocol allows, cut between characters.
pub(crate) fn cut(text: &str) -> &str {
    let mut len = text.len().min(crate::STRING_LEN_MAX);
    while !text.is_char_boundary(len) {
        len -= 1;
    }
    text.get(..len).unwrap_or_default()
}

/// Appends numbers in network byte order.
pub(crate) trait Put {
    fn put_u16(&mut self, value: u16);
    fn put_u32(&mut self, value: u32);
    fn put_u64(&mut self, value: u64);
}

impl Put for Vec<u8> {
    fn put_u16(&mut self, value: u16) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn put_u32(&mut self, value: u32) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn put_u64(&mut self, value: u64) {
        self.extend_from_slice(&value.to_be_bytes());
    }
}
