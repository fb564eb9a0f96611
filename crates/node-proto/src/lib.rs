//! The protocol between gateways and nodes: bytes to messages and messages to bytes, without I/O.
//!
//! A connection carries frames in both directions, each with a header of 16 bytes that is the same
//! for all (see [`wire`]). Both sides begin with a [`Hello`], from which each [`agree`]s on a version;
//! a gateway says nothing more before it has heard the node's, which may wait for the end of the gateway's
//! earlier connection.
//! Then the gateway sends [`Request`]s, as many at once as the node's credits allow, and the node
//! answers them in any order with a [`Reply`] that names the request. Values above
//! [`PIECE_LEN_MAX`] follow in [`Piece`]s, between which other frames go; the receiver of a value
//! allows the sender so many bytes at a time ([`Message::Window`]). An [`Inbox`] puts frames
//! together from whatever pieces the bytes come in. Before a node is let in, it is examined ([`gate`]).
#![forbid(unsafe_code)]

pub mod gate;
mod hello;
mod inbox;
mod message;
mod op;
mod reply;
mod stats;
pub mod wire;

pub use gate::{Echo, Echoed, Exam, Examined};
pub use hello::{Hello, Mismatch, agree};
pub use inbox::Inbox;
pub use message::{Message, Piece, Request, TenantTerms, set_budget};
pub use reply::{Payload, Reply, Verdict, set_times};

/// The newest version that is spoken.
pub const VERSION: u16 = 3;
/// The first version in which a node takes copies of requests ([`Message::Copy`]).
pub const VERSION_OF_COPIES: u16 = 3;
/// The oldest version that is understood, so that a fleet can be upgraded one process at a time.
pub const VERSION_LEAST: u16 = 1;

/// Bytes of a value that one frame carries at most.
pub const PIECE_LEN_MAX: usize = base::kv::INLINE_VALUE_LEN_MAX;
/// The longest frame in bytes: a value, a key, and what is said of them.
pub const FRAME_LEN_MAX: usize = PIECE_LEN_MAX + 1024;
/// Bytes of a value that may be under way before the receiver has allowed any.
pub const WINDOW_LEN: u32 = 4 * PIECE_LEN_MAX as u32;

/// Names a request on its connection: a place, and a generation that tells it from those that had
/// the place before. None is ever used again on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId {
    /// Its place in the gateway's table.
    pub slot: u32,
    /// Which of those that had this place it is.
    pub generation: u32,
}

impl RequestId {
    /// As one number.
    pub const fn to_bits(self) -> u64 {
        (self.generation as u64) << 32 | self.slot as u64
    }

    /// From that number.
    pub const fn from_bits(bits: u64) -> Self {
        Self {
            slot: bits as u32,
            generation: (bits >> 32) as u32,
        }
    }
}

/// Bytes that are no message of this protocol; the connection can only be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// A frame is longer than [`FRAME_LEN_MAX`], or shorter than its header.
    FrameLen(u32),
    /// A frame of a kind that there is not.
    Kind(u8),
    /// A frame ends before what it announces, or announces what cannot be.
    Content(u8),
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::FrameLen(len) => write!(f, "a frame of {len} bytes"),
            Self::Kind(kind) => write!(f, "a frame of unknown kind {kind}"),
            Self::Content(kind) => write!(f, "a frame of kind {kind} with impossible content"),
        }
    }
}

impl std::error::Error for Malformed {}

#[cfg(test)]
mod hostile_test;
#[cfg(test)]
mod testing;
