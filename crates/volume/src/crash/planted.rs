//! Bugs that are planted, to see that the checker finds them.

/// What a planted bug makes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planted {
    Nothing,
    NoFsync,
    EarlyAnswer,
    ReusedName,
    TornRecord,
    EarlySnapshot,
    Unpinned,
    UnsyncedBulk,
    TornBulk,
    LateSync,
}
