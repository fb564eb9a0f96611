//! Operations on keys and their outcomes: the one vocabulary of protocol, gateway and cache.

pub use crate::stats::Stats;

use crate::Timestamp;

/// The longest key, in bytes.
pub const KEY_LEN_MAX: usize = 250;

/// The longest value that crosses in one piece, in bytes; longer ones are reserved, filled and
/// committed on the way in, and pinned and copied piece by piece on the way out.
pub const INLINE_VALUE_LEN_MAX: usize = 64 * 1024;

/// The largest item size that may be configured: 1 GiB.
pub const ITEM_SIZE_MAX: u32 = 1 << 30;

/// When an item ends, in whole Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Expiry(u32);

impl Expiry {
    /// The item does not end by time.
    pub const NEVER: Self = Self(0);
    /// The item has ended already.
    pub const PAST: Self = Self(1);

    /// At this Unix second; 0 means never.
    pub const fn at_unix_secs(secs: u32) -> Self {
        Self(secs)
    }

    /// The Unix second of the end, 0 for never.
    pub const fn unix_secs(self) -> u32 {
        self.0
    }

    /// Whether the item has ended at `now`: the second of its end has begun.
    pub const fn is_past(self, now: Timestamp) -> bool {
        self.0 != 0 && self.0 <= now.unix_secs()
    }

    /// Seconds left, `None` for never.
    pub const fn secs_left(self, now: Timestamp) -> Option<u32> {
        match self.0 {
            0 => None,
            end => Some(end.saturating_sub(now.unix_secs())),
        }
    }
}

/// One operation on one key. Keys are 1 to [`KEY_LEN_MAX`] bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op<'a> {
    /// Retrieve, with everything that may ride on a retrieval.
    Get(Get<'a>),
    /// Store a value of at most [`INLINE_VALUE_LEN_MAX`] bytes.
    Store(Store<'a>),
    /// Remove, or mark stale.
    Delete(Delete<'a>),
    /// Add to or subtract from a decimal number.
    Arith(Arith<'a>),
}

impl<'a> Op<'a> {
    /// The key that it is about.
    pub fn key(&self) -> &'a [u8] {
        match self {
            Op::Get(op) => op.key,
            Op::Store(op) => op.key,
            Op::Delete(op) => op.key,
            Op::Arith(op) => op.key,
        }
    }
}

/// Retrieve an item; also `touch`, `gat` and `mg` with its flags.
///
/// A hit hands the item to the sink and is [`Outcome::Hit`]; else [`Outcome::Miss`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Get<'a> {
    /// The key.
    pub key: &'a [u8],
    /// Whether the value is wanted; if not, a large one is not pinned and only the length of
    /// `Item::value` counts.
    pub value: bool,
    /// Leave the value out, as if it were not wanted, if the item has this CAS (`mg C`).
    pub known_cas: Option<u64>,
    /// Give the item this end (`touch`, `gat`, `mg T`).
    pub touch: Option<Expiry>,
    /// On a miss create an empty item with this end, whatever `touch` says, and report
    /// [`Recache::Won`] (`mg N`).
    pub vivify: Option<Expiry>,
    /// Whether the asker can be told to refill the item: [`Recache::Won`] goes to one such, and
    /// those who could not know of it leave it to others (`mg`, not `get`, `gat`, `me`).
    pub may_recache: bool,
    /// Report [`Recache::Won`] once if fewer seconds than this are left (`mg R`).
    pub recache_below_s: Option<u32>,
    /// The touch comes before the look at what is left, not after it (`mg T R`).
    pub touch_first: bool,
    /// Show the end that the item had before; of one that is created, never (`mg t T`).
    pub expiry_before: bool,
    /// The CAS that a vivified item gets (`mg E`).
    pub new_cas: Option<u64>,
    /// Look without counting as an access (`mg u`, `me`).
    pub peek: bool,
}

impl<'a> Get<'a> {
    /// A plain retrieval of `key`.
    pub const fn plain(key: &'a [u8]) -> Self {
        Self {
            key,
            value: true,
            known_cas: None,
            touch: None,
            vivify: None,
            may_recache: false,
            recache_below_s: None,
            touch_first: false,
            expiry_before: false,
            new_cas: None,
            peek: false,
        }
    }

    /// Whether the value of an item with this CAS is to be handed out.
    #[inline]
    pub fn wants_value(&self, cas: u64) -> bool {
        self.value && self.known_cas != Some(cas)
    }
}

/// Under which condition, and how, a value is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreMode {
    /// Whether or not the key is there.
    Set,
    /// Only if it is not there, else [`Outcome::NotStored`].
    Add,
    /// Only if it is there, else [`Outcome::NotStored`].
    Replace,
    /// Behind the value that is there, else [`Outcome::NotStored`]; flags and end stay.
    Append,
    /// Before the value that is there, else [`Outcome::NotStored`]; flags and end stay.
    Prepend,
}

/// Store a value.
///
/// [`Outcome::Stored`], [`Outcome::NotStored`], [`Outcome::Exists`] (CAS differs),
/// [`Outcome::NotFound`] (CAS given, key absent), [`Outcome::TooLarge`] or [`Outcome::OutOfMemory`];
/// after the last two the old item is gone if the mode was `Set`, so that nobody reads stale data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store<'a> {
    /// The key.
    pub key: &'a [u8],
    /// The value; empty where it follows through a reservation.
    pub value: &'a [u8],
    /// The client's own 32 bits, kept and returned.
    pub flags: u32,
    /// When the item ends.
    pub expiry: Expiry,
    /// Condition and manner.
    pub mode: StoreMode,
    /// Store only if the item has this CAS.
    pub compare_cas: Option<u64>,
    /// The CAS that the item gets, instead of the next one (`ms E`).
    pub new_cas: Option<u64>,
    /// With `compare_cas` older than the item's: store all the same and mark it stale (`ms I`).
    pub invalidate: bool,
    /// For append and prepend: create the item with this end if it is not there (`ms N`).
    pub vivify: Option<Expiry>,
}

impl<'a> Store<'a> {
    /// An ordinary `set` without flags and without end.
    pub const fn plain(key: &'a [u8], value: &'a [u8]) -> Self {
        Self {
            key,
            value,
            flags: 0,
            expiry: Expiry::NEVER,
            mode: StoreMode::Set,
            compare_cas: None,
            new_cas: None,
            invalidate: false,
            vivify: None,
        }
    }
}

/// Remove an item, or mark it stale.
///
/// [`Outcome::Deleted`], [`Outcome::NotFound`] or [`Outcome::Exists`] (CAS differs).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delete<'a> {
    /// The key.
    pub key: &'a [u8],
    /// Remove only if the item has this CAS.
    pub compare_cas: Option<u64>,
    /// The CAS that a marked item gets, instead of the next one (`md E`).
    pub new_cas: Option<u64>,
    /// Keep the item, mark it stale and let one client win its recache (`md I`).
    pub invalidate: bool,
    /// The end that a marked item gets (`md I T`).
    pub touch: Option<Expiry>,
    /// Keep the item but drop its value and client flags (`md x`).
    pub clear_value: bool,
}

/// Add to, or subtract from, a decimal number.
///
/// A success hands the item with its new digits to the sink and is [`Outcome::Hit`]; else
/// [`Outcome::NotFound`], [`Outcome::Exists`] (CAS differs), [`Outcome::NonNumeric`] or
/// [`Outcome::OutOfMemory`]. Addition wraps at 2⁶⁴, subtraction stops at 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arith<'a> {
    /// The key.
    pub key: &'a [u8],
    /// By how much.
    pub delta: u64,
    /// Subtract instead of add.
    pub decrement: bool,
    /// Create the item with this number and end, whatever `touch` says, if it is not there.
    pub initial: Option<(u64, Expiry)>,
    /// Give the item this end (`ma T`).
    pub touch: Option<Expiry>,
    /// Show the end that the item had before; of one that is created, never (`ma t T`).
    pub expiry_before: bool,
    /// Only if the item has this CAS.
    pub compare_cas: Option<u64>,
    /// The CAS that the item gets, instead of the next one (`ma E`).
    pub new_cas: Option<u64>,
}

/// What became of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The item went to the sink.
    Hit,
    /// A retrieval found nothing.
    Miss,
    /// Stored; the item has this CAS and a value of this many bytes.
    Stored {
        /// The item's CAS.
        cas: u64,
        /// The stored value's length in bytes (after an append: of the whole).
        value_len: u32,
    },
    /// The mode's condition was not met.
    NotStored,
    /// The CAS given is not the item's.
    Exists,
    /// A change found no item.
    NotFound,
    /// Removed, or marked as asked.
    Deleted,
    /// The value does not begin with a decimal number that fits 64 bits.
    NonNumeric,
    /// Longer than the tenant's item size.
    TooLarge,
    /// No room could be made.
    OutOfMemory,
    /// The credential lacks the right.
    Denied,
}

/// Who is to refill an item that is missing, stale, or about to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recache {
    /// Nobody needs to.
    No,
    /// This caller (`W`).
    Won,
    /// Another caller was told already (`Z`).
    Lost,
}

/// An item as the sink sees it, for the length of one call.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// Its value.
    pub value: Value<'a>,
    /// The client's own 32 bits.
    pub flags: u32,
    /// Its CAS, never 0.
    pub cas: u64,
    /// Its end, after any touch unless it was asked for as it was before.
    pub expiry: Expiry,
    /// Seconds since the access before this one.
    pub idle_s: u32,
    /// Whether it had been fetched before this access.
    pub fetched: bool,
    /// Marked stale by an invalidation (`X`).
    pub stale: bool,
    /// Who is to refill it.
    pub recache: Recache,
}

/// A value on its way out.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// All of it.
    Inline(&'a [u8]),
    /// Longer than [`INLINE_VALUE_LEN_MAX`]: to be copied out piece by piece, then unpinned.
    Pinned(Pin),
}

impl Value<'_> {
    /// Its length in bytes.
    pub const fn len(&self) -> usize {
        match self {
            Value::Inline(bytes) => bytes.len(),
            Value::Pinned(pin) => pin.len as usize,
        }
    }

    /// Whether it has no bytes.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A hold on a large value that keeps its bytes in place until it is let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Names the hold to the backend that gave it.
    pub token: u64,
    /// The value's length in bytes.
    pub len: u32,
}

/// Room for a large value that is still arriving; names it to the backend that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reservation(pub u64);

/// Takes the item of a [`Outcome::Hit`], while the backend still holds it.
pub trait Sink {
    /// Called once, before the operation returns `Hit`; must not block.
    fn item(&mut self, item: &Item<'_>);
}

#[cfg(test)]
#[path = "kv_test.rs"]
mod tests;
