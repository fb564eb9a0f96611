//! What a client asks for, whichever protocol it speaks.

use std::time::Duration;

use base::kv::{Op, Store};

use crate::Reply;

/// How a connection speaks; found out from its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Lines of text: the classic and the meta commands.
    Text,
    /// Packets with a header of 24 bytes.
    Binary,
}

/// One request, and how to answer it.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// What is asked.
    pub action: Action<'a>,
    /// How to answer.
    pub reply: Reply<'a>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// An operation on one key; answer with [`Reply::item`] (through the sink) and [`Reply::outcome`].
    Kv(Op<'a>),
    /// Store a value of more than [`base::kv::INLINE_VALUE_LEN_MAX`] bytes, which follows in
    /// [`crate::Step::Body`] steps; answer with [`Reply::outcome`] after the last of them, or with
    /// [`Reply::bad_body`] if it was not intact.
    StoreLarge {
        /// The store, without its value.
        store: Store<'a>,
        /// The value's length in bytes.
        len: u32,
    },
    /// A value longer than [`crate::Limits::item_size_max`] was announced; its bytes are skipped by
    /// the decoder. Answer with `outcome(Outcome::TooLarge)`.
    Refused {
        /// The key that was to be stored.
        key: &'a [u8],
        /// Remove the item that is there, so that nobody goes on reading what was to be replaced.
        drop_old: bool,
    },
    /// Empty the tenant, after this delay if there is one; answer with [`Reply::answer`], or with
    /// `outcome(Outcome::Denied)`.
    FlushAll {
        /// From now; `None` is at once.
        delay: Option<Duration>,
    },
    /// Statistics; answer with [`Reply::stat`] for each and [`Reply::stats_end`].
    Stats(StatsKind<'a>),
    /// A change of the server's verbosity, which nobody here is given; answer with [`Reply::answer`].
    Verbosity,
    /// Nothing to do but to answer with [`Reply::answer`].
    Answer,
    /// Answer with [`Reply::answer`], which may write nothing, and close once that is written.
    Close,
}

/// Which statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatsKind<'a> {
    /// The figures without a name behind `stats`.
    General,
    /// `settings`.
    Settings,
    /// `items`.
    Items,
    /// `slabs`.
    Slabs,
    /// `sizes`.
    Sizes,
    /// `conns`.
    Conns,
    /// `reset`: counters back to 0; answer with [`Reply::answer`].
    Reset,
    /// `detail on`; answer with [`Reply::answer`].
    DetailOn,
    /// `detail off`; answer with [`Reply::answer`].
    DetailOff,
    /// `detail dump`: counts by prefix, with [`Reply::prefixes`] and then [`Reply::answer`].
    DetailDump,
    /// Any other name; [`Reply::answer`] refuses it.
    Unknown(&'a [u8]),
}
