//! Bodies: the tables of the chunks of large values.
//!
//! A body has its chunks in order, by their slots, and knows how many need it: the item whose value
//! they are, what is still arriving, and readers. The latter may hold an older value of the same
//! key: what is appended or prepended is added at the ends of a body, and no byte of a value that
//! somebody can see is ever written again, so that all of them share the chunks.

use crate::item::Extent;

/// Chunks given back in one go; a longer body goes in as many as it takes.
pub(super) const FREED_AT_ONCE: usize = 256;

/// Places in a body's first table.
pub(super) const TABLE_LEAST: usize = 16;

/// An end of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Front,
    Back,
}

/// The chunks of one value.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) slots: Vec<u32>,
    /// By which number the first chunk is known; numbers go on from there.
    pub(super) first: u32,
    /// The item, the arrival and the holds that need it; without any its chunks go.
    pub(super) users: u32,
    /// Holds among them, and the bytes that are counted for them.
    pub(super) holds: u32,
    pub(super) held_bytes: u64,
}

/// All bodies of a shard, by number.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    list: Vec<Body>,
    empty: Vec<u32>,
    /// Those that nobody needs and that still have chunks.
    pub(super) dying: Vec<u32>,
    /// Places of all tables, taken and empty.
    pub(super) table_places: usize,
}

impl Bodies {
    /// Bytes of all tables.
    pub(super) fn bytes(&self) -> u64 {
        let numbers = self.empty.capacity() + self.dying.capacity() + self.table_places;
        (self.list.capacity() * size_of::<Body>() + numbers * 4) as u64
    }

    /// Bytes that one body more may take, without its table.
    pub(super) fn growth_bytes(&self) -> u64 {
        let full = self.empty.is_empty() && self.list.len() == self.list.capacity();
        let more = if full { self.list.len().max(4) } else { 0 };
        (more * (size_of::<Body>() + 8)) as u64
    }

    /// A body without chunks that one needs.
    pub(super) fn begin(&mut self) -> Option<u32> {
        let body = Body {
            slots: Vec::new(),
            // Far from both ends: values grow either way.
            first: 1 << 31,
            users: 1,
            holds: 0,
            held_bytes: 0,
        };
        if let Some(number) = self.empty.pop() {
            self.list[number as usize] = body;
            return Some(number);
        }
        let number = u32::try_from(self.list.len()).ok()?;
        self.list.try_reserve(1).ok()?;
        // Giving up a body must not allocate.
        let all = self.list.capacity();
        self.empty.try_reserve_exact(all).ok()?;
        self.dying.try_reserve_exact(all - self.dying.len()).ok()?;
        self.list.push(body);
        Some(number)
    }

    /// One less needs the body; whether nobody does, so that its chunks are to go.
    pub(super) fn release(&mut self, number: u32) -> bool {
        let body = self.get_mut(number);
        body.users -= 1;
        let unused = body.users == 0;
        if unused {
            self.dying.push(number);
        }
        unused
    }

    /// Gives up a body that nobody needs and that has no chunks.
    pub(super) fn end(&mut self, number: u32) {
        let slots = std::mem::take(&mut self.list[number as usize].slots);
        self.table_places -= slots.capacity();
        self.empty.push(number);
    }

    pub(super) fn get(&self, number: u32) -> &Body {
        &self.list[number as usize]
    }

    pub(super) fn get_mut(&mut self, number: u32) -> &mut Body {
        &mut self.list[number as usize]
    }

    /// How many chunks it has.
    pub(super) fn chunks(&self, number: u32) -> u32 {
        self.get(number).slots.len() as u32
    }

    /// Where a value begins whose first chunk is the body's.
    pub(super) fn extent(&self, number: u32, skip: u32) -> Extent {
        let first = self.get(number).first;
        Extent {
            body: number,
            first,
            skip,
        }
    }

    /// The slot of a value's `index`th chunk.
    pub(super) fn slot(&self, extent: Extent, index: u32) -> u32 {
        let body = self.get(extent.body);
        let from = extent.first.wrapping_sub(body.first);
        body.slots[(from + index) as usize]
    }

    /// Panics where a body has other users than these, or a chunk another owner.
    #[cfg(test)]
    pub(super) fn check(
        &self,
        users: &std::collections::HashMap<u32, u32>,
        owner_of: impl Fn(u32) -> (u32, u32),
    ) {
        let mut places = 0;
        for (number, body) in (0..).zip(&self.list) {
            places += body.slots.capacity();
            let is_empty = self.empty.contains(&number);
            let expected = users.get(&number).copied().unwrap_or(0);
            assert_eq!(body.users, expected, "users of body {number}");
            assert_eq!(expected == 0, is_empty || self.dying.contains(&number));
            assert!(!is_empty || body.slots.is_empty());
            for (index, slot) in (0..).zip(&body.slots) {
                let owner = (number + 1, body.first.wrapping_add(index));
                assert_eq!(owner_of(*slot), owner, "a chunk knows its body");
            }
        }
        assert_eq!(places, self.table_places);
    }

    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> u64 {
        self.list.iter().map(|body| body.held_bytes).sum()
    }

    /// Notes that a chunk has moved to another slot.
    pub(super) fn moved(&mut self, number: u32, chunk: u32, slot: u32) {
        let body = self.get_mut(number);
        let index = chunk.wrapping_sub(body.first);
        body.slots[index as usize] = slot;
    }
}

#[cfg(test)]
#[path = "bodies_test.rs"]
mod tests;
