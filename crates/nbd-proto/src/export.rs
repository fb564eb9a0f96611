//! What can be attached: an export, and who knows which there are.

use crate::wire::{Put, cut, export_flag, info_kind};

/// The block size that clients are told to prefer.
pub const BLOCK_LEN_PREFERRED: u32 = 4096;

/// One export as the wire tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its canonical name, which may differ from the one that was asked for.
    pub name: String,
    /// A sentence for people; may be empty.
    pub description: String,
    /// Its size.
    pub size_bytes: u64,
    /// Whether only reading is allowed.
    pub read_only: bool,
    /// Whether a flush on one connection covers what was answered on all of them.
    pub multi_conn: bool,
    /// Requests are to be multiples of this power of two; told to those who ask.
    pub block_len_min: u32,
}

impl Export {
    /// The transmission flags.
    pub fn flags(&self) -> u16 {
        use export_flag as flag;
        let mut flags = flag::HAS_FLAGS | flag::SEND_FLUSH | flag::SEND_DF | flag::SEND_CACHE;
        if self.read_only {
            flags |= flag::READ_ONLY;
        } else {
            flags |= flag::SEND_FUA | flag::SEND_TRIM;
            flags |= flag::SEND_WRITE_ZEROES | flag::SEND_FAST_ZERO;
        }
        if self.multi_conn {
            flags |= flag::CAN_MULTI_CONN;
        }
        flags
    }

    /// One fact as the data of an INFO reply; `None` for kinds that are not known.
    pub(crate) fn info(&self, kind: u16) -> Option<Vec<u8>> {
        let mut data = Vec::with_capacity(16);
        data.put_u16(kind);
        match kind {
            info_kind::EXPORT => {
                data.put_u64(self.size_bytes);
                data.put_u16(self.flags());
            }
            info_kind::NAME => data.extend_from_slice(cut(&self.name).as_bytes()),
            info_kind::DESCRIPTION => data.extend_from_slice(cut(&self.description).as_bytes()),
            info_kind::BLOCK_SIZE => {
                data.put_u32(self.block_len_min);
                data.put_u32(BLOCK_LEN_PREFERRED.max(self.block_len_min));
                data.put_u32(crate::PAYLOAD_LEN_MAX);
            }
            _ => return None,
        }
        Some(data)
    }
}

/// Why somebody may not have an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is none of that name, or none that this client may know of.
    Unknown,
    /// There is one, but not for this client now; the sentence says why.
    Policy(String),
    /// The server is going.
    Shutdown,
}

/// Who knows the exports that one client may see.
pub trait Directory {
    /// The export of this name; the empty name asks for the default one.
    fn find(&self, name: &str) -> Result<Export, Refusal>;

    /// Hands each name and description to `each`, or refuses to list.
    fn list(&self, each: &mut dyn FnMut(&str, &str)) -> Result<(), Refusal>;
}
