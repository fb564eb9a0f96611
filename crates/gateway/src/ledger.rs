//! The order of a session's replies, while nodes have yet to answer some of its requests.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use base::kv::Pin;
use memcache_proto::PinnedTail;

/// Replies of one session that wait, together with the requests that they wait for.
const ENTRIES_MAX: usize = 128;
/// Room of a ledger that is kept for the next session, in bytes.
const KEPT_LEN: usize = 4096;

/// A value that is to follow a reply, and what comes behind it.
pub(crate) type Held = (Pin, PinnedTail);

/// Names a ledger of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LedgerId(NonZeroU32);

/// The ledgers of a loop: of those sessions that need one, and some that wait for the next.
#[derive(Debug, Default)]
pub(crate) struct Ledgers {
    all: Vec<Ledger>,
    free: Vec<LedgerId>,
}

impl Ledgers {
    /// An empty one.
    pub(crate) fn begin(&mut self) -> LedgerId {
        self.free.pop().unwrap_or_else(|| {
            self.all.push(Ledger::default());
            let count = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
            LedgerId(NonZeroU32::MIN.saturating_add(count - 1))
        })
    }

    /// A session's, if it has one.
    #[inline]
    pub(crate) fn of(&mut self, id: Option<LedgerId>) -> Option<&mut Ledger> {
        self.all.get_mut(id?.0.get() as usize - 1)
    }

    /// Takes one back that nobody needs any more.
    pub(crate) fn end(&mut self, id: LedgerId) {
        if let Some(ledger) = self.of(Some(id)) {
            ledger.clear();
            self.free.push(id);
        }
    }
}

/// What a session is owed, in order, from the first answer on that has not come.
///
/// Bytes that a turn writes behind a request without an answer must wait for that answer: the turn
/// notes with [`begin_turn`](Self::begin_turn) where they begin and has them put in their place by
/// [`seal`](Self::seal).
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: VecDeque<Entry>,
    /// The number of the first entry.
    first: u32,
    /// Bytes of all [`Entry::Literal`]s, in order; those before `taken` are out.
    literals: Vec<u8>,
    taken: usize,
    /// Where in the present turn's output the bytes begin that must wait.
    mark: usize,
    /// Requests without an answer.
    waiting: usize,
    /// The session can have no turn before there is room, or before a value can go on.
    pub(crate) is_blocked: bool,
    is_barred: bool,
}

#[derive(Debug)]
enum Entry {
    /// No answer yet.
    Waiting,
    /// So many bytes of what was written at once.
    Literal(u32),
    /// An answer that came before its turn.
    Early(Box<(Vec<u8>, Option<Held>)>),
}

impl Ledger {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.is_barred || self.entries.len() >= ENTRIES_MAX
    }

    /// Has the session wait until all is answered: what it asks next could overtake a value that
    /// goes out in pieces.
    pub(crate) fn bar(&mut self) {
        self.is_barred = true;
    }

    /// Whether a session that was blocked may go on.
    pub(crate) fn has_room(&self) -> bool {
        let most = if self.is_barred { 0 } else { ENTRIES_MAX / 2 };
        self.entries.len() <= most
    }

    /// Notes that what is written to `out` from here on must wait.
    pub(crate) fn begin_turn(&mut self, out: &[u8]) {
        self.mark = out.len();
    }

    /// Takes from `out` what must wait.
    pub(crate) fn seal(&mut self, out: &mut Vec<u8>) {
        let Some(late) = out.get(self.mark..).filter(|late| !late.is_empty()) else {
            return;
        };
        let len = u32::try_from(late.len()).unwrap_or(u32::MAX);
        self.literals.extend_from_slice(late);
        out.truncate(self.mark);
        match self.entries.back_mut() {
            Some(Entry::Literal(last)) => *last = last.saturating_add(len),
            _ => self.entries.push_back(Entry::Literal(len)),
        }
    }

    /// Adds a request that has no answer yet, behind all that `out` has; its number.
    pub(crate) fn wait(&mut self, out: &mut Vec<u8>) -> u32 {
        self.seal(out);
        let count = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.entries.push_back(Entry::Waiting);
        self.waiting += 1;
        self.first.wrapping_add(count)
    }

    /// Writes an answer: to `out` if it is its turn, with all that waited for it alone. What is
    /// returned is a value that must follow before anything else does.
    pub(crate) fn answer(
        &mut self,
        number: u32,
        may_drain: bool,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Option<Held>,
    ) -> Option<Held> {
        let place = number.wrapping_sub(self.first) as usize;
        self.waiting = self.waiting.saturating_sub(1);
        if place == 0 && may_drain {
            self.pop();
            return write(out).or_else(|| self.drain(out));
        }
        let mut bytes = Vec::new();
        let held = write(&mut bytes);
        if let Some(entry) = self.entries.get_mut(place) {
            *entry = Entry::Early(Box::new((bytes, held)));
        }
        None
    }

    /// Writes what need not wait any more.
    pub(crate) fn drain(&mut self, out: &mut Vec<u8>) -> Option<Held> {
        loop {
            match self.entries.front() {
                None | Some(Entry::Waiting) => break,
                Some(Entry::Literal(len)) => {
                    let end = self.taken + *len as usize;
                    out.extend_from_slice(self.literals.get(self.taken..end).unwrap_or_default());
                    self.taken = end;
                }
                Some(Entry::Early(early)) => {
                    let (bytes, held) = &**early;
                    out.extend_from_slice(bytes);
                    if let Some(held) = *held {
                        self.pop();
                        return Some(held);
                    }
                }
            }
            self.pop();
        }
        if self.taken == self.literals.len() {
            self.literals.clear();
            self.taken = 0;
        }
        None
    }

    fn pop(&mut self) {
        if self.entries.pop_front().is_some() {
            self.first = self.first.wrapping_add(1);
        }
    }

    /// The values that would have followed answers that nobody waits for any more.
    pub(crate) fn held(&self) -> impl Iterator<Item = Pin> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Early(early) => early.1.map(|(pin, _)| pin),
            _ => None,
        })
    }

    /// Makes it ready for another session.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.literals.clear();
        self.literals.shrink_to(KEPT_LEN);
        *self = Self {
            entries: std::mem::take(&mut self.entries),
            literals: std::mem::take(&mut self.literals),
            ..Self::default()
        };
    }
}

#[cfg(test)]
#[path = "ledger_test.rs"]
mod tests;
