//! What an observer counts of the requests of one class to one node.

use std::time::Duration;

use super::sketch::Sketch;

/// Values up to so many bytes are small.
const SMALL_LEN_MAX: usize = 4096;

/// Requests that are compared with one another only.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Retrievals of small values, of nothing, and of what is not answered.
    Read,
    /// Retrievals of values above 4 KiB.
    LargeRead,
    /// Changes with small values or none.
    Write,
    /// Changes with values above 4 KiB.
    LargeWrite,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Read, Self::LargeRead, Self::Write, Self::LargeWrite];

    /// That of a request by what it does and the bytes of value that it moved.
    #[inline]
    pub const fn of(is_write: bool, value_len: usize) -> Self {
        match (is_write, value_len > SMALL_LEN_MAX) {
            (false, false) => Self::Read,
            (false, true) => Self::LargeRead,
            (true, false) => Self::Write,
            (true, true) => Self::LargeWrite,
        }
    }

    /// Its place in a table of all.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::LargeRead => "large read",
            Self::Write => "write",
            Self::LargeWrite => "large write",
        }
    }
}

/// Requests of one class to one node, as its caller saw them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// From being sent to being answered.
    pub whole: Sketch,
    /// The same, less what the node says that they waited there for their turn; without those that took as long
    /// as the answers did that came before them.
    pub bare: Sketch,
    /// Bytes of values that were moved.
    pub bytes: u64,
    /// Requests that were never sent, since the node had as many as it takes at once: they tell how
    /// much it is asked, and nothing of how it serves.
    pub held: u32,
}

impl Tally {
    /// A request was answered; `queued`: what the node says that it waited there, `None` where so much was
    /// answered before it that its time tells of that.
    #[inline]
    pub fn answered(&mut self, took: Duration, queued: Option<Duration>, bytes: u64) {
        self.whole.note(took);
        if let Some(queued) = queued {
            self.bare.note(took.saturating_sub(queued));
        }
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Requests were not answered: in time, at all, or not even asked because earlier ones were not.
    #[inline]
    pub fn unanswered(&mut self, count: u32) {
        self.whole.note_unanswered(count);
        self.bare.note_unanswered(count);
    }

    /// Adds all of another one.
    #[inline]
    pub fn absorb(&mut self, other: &Self) {
        self.whole.absorb(&other.whole);
        self.bare.absorb(&other.bare);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.held = self.held.saturating_add(other.held);
    }

    /// Whether it has anything.
    pub fn is_any(&self) -> bool {
        self.held > 0 || self.asked() > 0
    }

    /// How many requests were sent, or not even that because earlier ones were not answered.
    pub fn asked(&self) -> u32 {
        self.whole.count()
    }
}
