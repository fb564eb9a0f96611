//! The 24 bytes before every packet of the binary protocol, and its numbers.

/// The first byte of a request.
pub(crate) const MAGIC: u8 = 0x80;
/// The first byte of a response.
pub(crate) const MAGIC_RESPONSE: u8 = 0x81;
/// The header's length in bytes.
pub(crate) const HEADER_LEN: usize = 24;

/// The numbers of the commands.
pub(crate) mod opcode {
    pub(crate) const GET: u8 = 0x00;
    pub(crate) const SET: u8 = 0x01;
    pub(crate) const ADD: u8 = 0x02;
    pub(crate) const REPLACE: u8 = 0x03;
    pub(crate) const DELETE: u8 = 0x04;
    pub(crate) const INCREMENT: u8 = 0x05;
    pub(crate) const DECREMENT: u8 = 0x06;
    pub(crate) const QUIT: u8 = 0x07;
    pub(crate) const FLUSH: u8 = 0x08;
    pub(crate) const GETQ: u8 = 0x09;
    pub(crate) const NOOP: u8 = 0x0a;
    pub(crate) const VERSION: u8 = 0x0b;
    pub(crate) const GETK: u8 = 0x0c;
    pub(crate) const GETKQ: u8 = 0x0d;
    pub(crate) const APPEND: u8 = 0x0e;
    pub(crate) const PREPEND: u8 = 0x0f;
    pub(crate) const STAT: u8 = 0x10;
    pub(crate) const SETQ: u8 = 0x11;
    pub(crate) const ADDQ: u8 = 0x12;
    pub(crate) const REPLACEQ: u8 = 0x13;
    pub(crate) const DELETEQ: u8 = 0x14;
    pub(crate) const INCREMENTQ: u8 = 0x15;
    pub(crate) const DECREMENTQ: u8 = 0x16;
    pub(crate) const QUITQ: u8 = 0x17;
    pub(crate) const FLUSHQ: u8 = 0x18;
    pub(crate) const APPENDQ: u8 = 0x19;
    pub(crate) const PREPENDQ: u8 = 0x1a;
    pub(crate) const VERBOSITY: u8 = 0x1b;
    pub(crate) const TOUCH: u8 = 0x1c;
    pub(crate) const GAT: u8 = 0x1d;
    pub(crate) const GATQ: u8 = 0x1e;
    pub(crate) const SASL_LIST: u8 = 0x20;
    pub(crate) const SASL_AUTH: u8 = 0x21;
    pub(crate) const SASL_STEP: u8 = 0x22;
    pub(crate) const GATK: u8 = 0x23;
    pub(crate) const GATKQ: u8 = 0x24;
}

/// What became of a request, as a number; most also have a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Status {
    Ok = 0x00,
    KeyNotFound = 0x01,
    KeyExists = 0x02,
    TooLarge = 0x03,
    InvalidArguments = 0x04,
    NotStored = 0x05,
    NonNumeric = 0x06,
    AuthError = 0x20,
    AuthContinue = 0x21,
    UnknownCommand = 0x81,
    OutOfMemory = 0x82,
    NoAccess = 0x24,
    InternalError = 0x84,
    TemporaryFailure = 0x86,
}

impl Status {
    /// Memcached's words for it; the last two are those of servers that know rights.
    pub(crate) fn text(self) -> &'static [u8] {
        match self {
            Self::Ok | Self::AuthContinue => b"",
            Self::KeyNotFound => b"Not found",
            Self::KeyExists => b"Data exists for key.",
            Self::TooLarge => b"Too large.",
            Self::InvalidArguments => b"Invalid arguments",
            Self::NotStored => b"Not stored.",
            Self::NonNumeric => b"Non-numeric server-side value for incr or decr",
            Self::AuthError => b"Auth failure.",
            Self::UnknownCommand => b"Unknown command",
            Self::OutOfMemory => b"Out of memory",
            Self::NoAccess => b"No access",
            Self::InternalError => b"Internal error",
            Self::TemporaryFailure => b"Temporary failure",
        }
    }
}

/// The header of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) opcode: u8,
    pub(crate) key_len: u16,
    pub(crate) extras_len: u8,
    /// Of extras, key and value together.
    pub(crate) body_len: u32,
    pub(crate) opaque: u32,
    pub(crate) cas: u64,
}

impl Header {
    /// The header that `input` begins with, whatever its first byte.
    #[inline]
    pub(crate) fn of(input: &[u8]) -> Option<Self> {
        let header = input.first_chunk::<HEADER_LEN>()?;
        let [
            _magic,
            opcode,
            k0,
            k1,
            extras_len,
            _type,
            _v0,
            _v1,
            b0,
            b1,
            b2,
            b3,
            o0,
            o1,
            o2,
            o3,
            cas @ ..,
        ] = *header;
        Some(Self {
            opcode,
            key_len: u16::from_be_bytes([k0, k1]),
            extras_len,
            body_len: u32::from_be_bytes([b0, b1, b2, b3]),
            opaque: u32::from_be_bytes([o0, o1, o2, o3]),
            cas: u64::from_be_bytes(cas),
        })
    }

    /// The value's length in bytes, unless extras and key are longer than the whole.
    pub(crate) fn value_len(&self) -> Option<u32> {
        self.body_len
            .checked_sub(u32::from(self.key_len) + u32::from(self.extras_len))
    }

    /// The length of header, extras and key in bytes.
    pub(crate) fn head_len(&self) -> usize {
        HEADER_LEN + usize::from(self.extras_len) + usize::from(self.key_len)
    }
}

/// Appends the header of a response.
#[inline]
pub(crate) fn push_response(
    opcode: u8,
    opaque: u32,
    status: Status,
    lens: Lens,
    cas: u64,
    out: &mut Vec<u8>,
) {
    let mut header = [0; HEADER_LEN];
    let body_len = lens
        .value
        .saturating_add(u32::from(lens.key))
        .saturating_add(u32::from(lens.extras));
    header[0] = MAGIC_RESPONSE;
    header[1] = opcode;
    header[2..4].copy_from_slice(&lens.key.to_be_bytes());
    header[4] = lens.extras;
    header[6..8].copy_from_slice(&(status as u16).to_be_bytes());
    header[8..12].copy_from_slice(&body_len.to_be_bytes());
    header[12..16].copy_from_slice(&opaque.to_be_bytes());
    header[16..24].copy_from_slice(&cas.to_be_bytes());
    out.extend_from_slice(&header);
}

/// The lengths of a response's parts in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lens {
    pub(crate) extras: u8,
    pub(crate) key: u16,
    pub(crate) value: u32,
}

impl Lens {
    /// Of a response that is a value only.
    pub(crate) fn value(value: usize) -> Self {
        Self {
            value: u32::try_from(value).unwrap_or(u32::MAX),
            ..Self::default()
        }
    }
}

#[cfg(test)]
#[path = "header_test.rs"]
mod tests;
