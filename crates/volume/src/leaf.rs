//! Two MiB of the extent map: which of 512 blocks have a place, and the places, packed.

/// Blocks in a leaf.
pub(crate) const LEAF_BLOCKS: u64 = 512;

/// The bytes of a place.
const PLACE_LEN: usize = 5;

/// How many bits of a place are the unit; the others are the row.
const UNIT_BITS: u32 = 18;

/// Rows there may be.
pub(crate) const ROWS_MAX: u32 = 1 << (8 * PLACE_LEN as u32 - UNIT_BITS);

/// Where a block is: a row of the segment table, and the frame's distance from the segment's start
/// in units of 16 bytes. 22 and 18 bits: 16 TiB of segments of 4 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) row: u32,
    pub(crate) unit: u32,
}

impl Place {
    pub(crate) fn encode(self) -> [u8; PLACE_LEN] {
        let both = u64::from(self.row) << UNIT_BITS | u64::from(self.unit);
        let [a, b, c, d, e, ..] = both.to_le_bytes();
        [a, b, c, d, e]
    }

    pub(crate) fn decode([a, b, c, d, e]: [u8; PLACE_LEN]) -> Self {
        let both = u64::from_le_bytes([a, b, c, d, e, 0, 0, 0]);
        let low = |bits: u64| u32::try_from(bits).unwrap_or_default();
        Self {
            row: low(both >> UNIT_BITS),
            unit: low(both & ((1 << UNIT_BITS) - 1)),
        }
    }
}

/// A bit for each block, and five bytes for each bit that is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Leaf {
    bits: [u64; 8],
    places: Vec<u8>,
}

impl Leaf {
    /// How many set bits are before `slot`, and whether its own is set.
    fn rank(&self, slot: u16) -> (usize, bool) {
        let (word, bit) = (usize::from(slot >> 6), slot & 63);
        let before = self.bits.iter().take(word);
        let mut rank: u32 = before.map(|bits| bits.count_ones()).sum();
        let own = self.bits.get(word).copied().unwrap_or_default();
        rank += (own & ((1 << bit) - 1)).count_ones();
        (
            usize::try_from(rank).unwrap_or_default(),
            own >> bit & 1 == 1,
        )
    }

    pub(crate) fn get(&self, slot: u16) -> Option<Place> {
        let (rank, set) = self.rank(slot);
        self.place_at(rank).filter(|_| set)
    }

    fn place_at(&self, rank: usize) -> Option<Place> {
        let bytes = self.places.get(rank * PLACE_LEN..)?;
        bytes.first_chunk().map(|bytes| Place::decode(*bytes))
    }

    /// Sets a block's place and returns the old one.
    pub(crate) fn set(&mut self, slot: u16, place: Place) -> Option<Place> {
        let (rank, set) = self.rank(slot);
        let at = rank * PLACE_LEN;
        let old = self.place_at(rank).filter(|_| set);
        if !set && let Some(word) = self.bits.get_mut(usize::from(slot >> 6)) {
            *word |= 1 << (slot & 63);
            // Exactly what is needed: the map's size is promised, and most leaves change rarely.
            self.places.reserve_exact(PLACE_LEN);
        }
        if set && let Some(bytes) = self.places.get_mut(at..at + PLACE_LEN) {
            bytes.copy_from_slice(&place.encode());
        } else {
            self.places.splice(at..at, place.encode());
        }
        old
    }

    /// Forgets a block's place and returns it.
    pub(crate) fn clear(&mut self, slot: u16) -> Option<Place> {
        let (rank, set) = self.rank(slot);
        let old = self.place_at(rank).filter(|_| set)?;
        if let Some(word) = self.bits.get_mut(usize::from(slot >> 6)) {
            *word &= !(1 << (slot & 63));
        }
        self.places.drain(rank * PLACE_LEN..(rank + 1) * PLACE_LEN);
        Some(old)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Every place that is set.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> {
        let chunks = self.places.chunks_exact(PLACE_LEN);
        chunks.filter_map(|bytes| bytes.first_chunk().map(|bytes| Place::decode(*bytes)))
    }

    /// Appends the bits (64 bytes) and the places.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        for word in self.bits {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&self.places);
    }

    /// Reads what [`Leaf::put`] wrote.
    pub(crate) fn read(reader: &mut crate::bytes::Reader<'_>) -> Option<Self> {
        let mut bits = [0; 8];
        for word in &mut bits {
            *word = reader.u64()?;
        }
        let count: u32 = bits.iter().map(|bits| bits.count_ones()).sum();
        let places = reader.bytes(usize::try_from(count).ok()? * PLACE_LEN)?;
        let places = places.to_vec();
        Some(Self { bits, places })
    }

    /// The bytes that it takes in memory beside its own size.
    pub(crate) fn heap_len(&self) -> usize {
        self.places.capacity()
    }
}

#[cfg(test)]
#[path = "leaf_test.rs"]
mod tests;
