//! The checksums of a record's blocks, which most records have just one of.

use std::ops::Deref;
use std::sync::Arc;

use crate::BLOCK_LEN;
use crate::bytes::crc;

/// A checksum for each block. One takes no memory of its own: there is one of these for each extent of the
/// journal, and most extents are a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Crcs {
    One(u32),
    Many(Arc<[u32]>),
}

impl Crcs {
    /// Those of whole blocks.
    pub(crate) fn of(data: &[u8]) -> Self {
        match data.len() {
            BLOCK_LEN => Self::One(crc(data)),
            _ => Self::Many(data.chunks_exact(BLOCK_LEN).map(crc).collect()),
        }
    }
}

impl From<Vec<u32>> for Crcs {
    fn from(crcs: Vec<u32>) -> Self {
        match crcs[..] {
            [one] => Self::One(one),
            _ => Self::Many(crcs.into()),
        }
    }
}

impl Deref for Crcs {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}
