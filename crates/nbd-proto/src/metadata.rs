//! The one metadata context that is served, `base:allocation`.

/// The context's number in BLOCK_STATUS replies.
pub const ALLOCATION_ID: u32 = 1;

/// The context's name.
pub(crate) const ALLOCATION: &str = "base:allocation";

/// A stretch of an export that is all alike, as `base:allocation` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Its length.
    pub len: u32,
    /// No space is taken.
    pub hole: bool,
    /// It reads as zeroes.
    pub zero: bool,
}

impl Extent {
    /// The status flags on the wire.
    pub(crate) fn flags(self) -> u32 {
        u32::from(self.hole) | u32::from(self.zero) << 1
    }

    /// From the status flags on the wire.
    pub(crate) fn from_wire(len: u32, flags: u32) -> Self {
        Self {
            len,
            hole: flags & 1 != 0,
            zero: flags & 2 != 0,
        }
    }
}

/// Whether a query of SET_META_CONTEXT chooses `base:allocation`.
pub(crate) fn chooses(query: &str) -> bool {
    query == ALLOCATION
}

/// Whether a query of LIST_META_CONTEXT asks for it; a name space alone asks for all within.
pub(crate) fn lists(query: &str) -> bool {
    query == ALLOCATION || query == "base:"
}
