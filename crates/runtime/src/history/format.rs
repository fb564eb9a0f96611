//! What stands in the files, as bytes: headers, slots and names, each with its checksum.
//!
//! All numbers are little-endian. A ring's file begins with a header of [`HEADER_LEN`] bytes, then
//! come its slots. A slot is its checksum (CRC-32C of what follows), the seconds that it covers, its
//! time, how many values follow, and the values: means, and where a slot covers more than a second
//! the peaks after them. A figure that is not known is NaN.

use std::ops::Range;

/// Names that a history has room for.
pub const SERIES_MAX: usize = 2560;
/// Bytes of a ring's header.
pub(super) const HEADER_LEN: usize = 64;
/// Bytes of a slot before its values.
pub(super) const SLOT_HEAD_LEN: usize = 20;
/// Bytes of a name with its checksum, its time and its length.
pub(super) const NAME_RECORD_LEN: usize = 128;
/// Bytes that a name may have.
pub(super) const NAME_LEN_MAX: usize = NAME_RECORD_LEN - 13;

const MAGIC: &[u8; 8] = b"cfdmhist";
const VERSION: u32 = 1;

/// All files together.
pub(super) const LEN_MAX: u64 = {
    let mut sum = (SERIES_MAX * NAME_RECORD_LEN) as u64;
    let mut index = 0;
    while index < Resolution::ALL.len() {
        sum += Resolution::ALL[index].file_len();
        index += 1;
    }
    sum
};
// The promise of docs/console.md.
const _: () = assert!(LEN_MAX <= 512 << 20);

/// How much time a slot covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Each second of an hour.
    Second,
    /// Each minute of seven days.
    Minute,
    /// Each hour of 400 days.
    Hour,
}

impl Resolution {
    /// From fine to coarse.
    pub const ALL: [Self; 3] = [Self::Second, Self::Minute, Self::Hour];

    /// Seconds from one slot to the next.
    pub const fn step_s(self) -> u64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3600,
        }
    }

    /// Slots of the ring.
    pub const fn slots(self) -> u64 {
        match self {
            Self::Second => 3600,
            Self::Minute => 7 * 24 * 60,
            Self::Hour => 400 * 24,
        }
    }

    /// How far back the ring reaches, in seconds.
    pub const fn reach_s(self) -> u64 {
        self.step_s() * self.slots()
    }

    /// What a slot of this is made from.
    pub(super) const fn finer(self) -> Option<Self> {
        match self {
            Self::Second => None,
            Self::Minute => Some(Self::Second),
            Self::Hour => Some(Self::Minute),
        }
    }

    pub(super) const fn file_name(self) -> &'static str {
        match self {
            Self::Second => "seconds",
            Self::Minute => "minutes",
            Self::Hour => "hours",
        }
    }

    /// Values for each name: the mean, and the peak where a slot covers several seconds.
    const fn values_each(self) -> usize {
        match self {
            Self::Second => 1,
            Self::Minute | Self::Hour => 2,
        }
    }

    /// Bytes of a slot with `names` names.
    pub(super) const fn slot_len(self, names: usize) -> usize {
        SLOT_HEAD_LEN + names * self.values_each() * 4
    }

    pub(super) const fn file_len(self) -> u64 {
        HEADER_LEN as u64 + self.slots() * self.slot_len(SERIES_MAX) as u64
    }

    /// Where the slot of a time is in the file.
    pub(super) const fn offset(self, time_s: u64) -> u64 {
        let index = (time_s / self.step_s()) % self.slots();
        HEADER_LEN as u64 + index * self.slot_len(SERIES_MAX) as u64
    }
}

/// The figures of a time, by the place of their name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Slot {
    /// When it begins, seconds since the Unix epoch.
    pub(super) time_s: u64,
    /// Seconds that figures are there from; at most those that the slot covers.
    pub(super) seconds: u32,
    pub(super) means: Vec<f32>,
    /// As many as means, or none where a slot is a second.
    pub(super) peaks: Vec<f32>,
}

impl Slot {
    pub(super) fn encode(&self) -> Vec<u8> {
        let names = self.means.len();
        let mut bytes = Vec::with_capacity(SLOT_HEAD_LEN + names * 8);
        bytes.extend([0; 4]);
        bytes.extend(self.seconds.to_le_bytes());
        bytes.extend(self.time_s.to_le_bytes());
        bytes.extend((names as u32).to_le_bytes());
        for value in self.means.iter().chain(&self.peaks) {
            bytes.extend(value.to_le_bytes());
        }
        seal(&mut bytes);
        bytes
    }

    /// The slot of `time_s`; `None` if there is none in these bytes, or not all of it.
    pub(super) fn decode(bytes: &[u8], resolution: Resolution, time_s: u64) -> Option<Self> {
        let names = usize::try_from(u32_at(bytes, 16)?).ok()?;
        if slot_time(bytes)? != time_s || names > SERIES_MAX {
            return None;
        }
        let bytes = bytes.get(..resolution.slot_len(names))?;
        if !is_sealed(bytes) {
            return None;
        }
        let values = |range: Range<usize>| -> Option<Vec<f32>> {
            let bytes = bytes.get(SLOT_HEAD_LEN..)?;
            let values = bytes.chunks_exact(4).skip(range.start).take(range.len());
            let value = |chunk: &[u8]| Some(f32::from_le_bytes(chunk.try_into().ok()?));
            values.map(value).collect()
        };
        Some(Self {
            time_s,
            seconds: u32_at(bytes, 4)?,
            means: values(0..names)?,
            peaks: values(names..names * resolution.values_each())?,
        })
    }
}

/// What a slot says its time is, whether or not it is whole; 0 where there never was one.
pub(super) fn slot_time(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(8..16)?.try_into().ok()?))
}

/// The header of a ring's file.
pub(super) fn header(resolution: Resolution) -> [u8; HEADER_LEN] {
    let mut bytes = [0; HEADER_LEN];
    let fields: [&[u8]; 5] = [
        MAGIC,
        &VERSION.to_le_bytes(),
        &(SERIES_MAX as u32).to_le_bytes(),
        &resolution.step_s().to_le_bytes(),
        &resolution.slots().to_le_bytes(),
    ];
    let text = fields.concat();
    for (to, from) in bytes.iter_mut().skip(4).zip(text) {
        *to = from;
    }
    seal(&mut bytes);
    bytes
}

/// A name from a time on: the checksum, the time, the length, the text.
pub(super) fn encode_name(name: &str, since_s: u64) -> [u8; NAME_RECORD_LEN] {
    let mut bytes = [0; NAME_RECORD_LEN];
    let text = name.as_bytes();
    let text = text.get(..text.len().min(NAME_LEN_MAX)).unwrap_or_default();
    let fields = [&since_s.to_le_bytes(), [text.len() as u8].as_slice(), text].concat();
    for (to, from) in bytes.iter_mut().skip(4).zip(fields) {
        *to = from;
    }
    seal(&mut bytes);
    bytes
}

/// The name in a record, and since when the place is its.
pub(super) fn decode_name(bytes: &[u8]) -> Option<(String, u64)> {
    if bytes.len() != NAME_RECORD_LEN || !is_sealed(bytes) {
        return None;
    }
    let since_s = u64::from_le_bytes(bytes.get(4..12)?.try_into().ok()?);
    let len = usize::from(*bytes.get(12)?);
    let name = std::str::from_utf8(bytes.get(13..)?.get(..len)?).ok()?;
    (!name.is_empty()).then(|| (name.to_owned(), since_s))
}

/// Writes the checksum of all that follows it into the first four bytes.
fn seal(bytes: &mut [u8]) {
    if let Some((sum, rest)) = bytes.split_at_mut_checked(4) {
        sum.copy_from_slice(&checksum(rest).to_le_bytes());
    }
}

fn is_sealed(bytes: &[u8]) -> bool {
    let rest = bytes.get(4..).unwrap_or_default();
    u32_at(bytes, 0) == Some(checksum(rest))
}

fn checksum(bytes: &[u8]) -> u32 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes) as u32
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
#[path = "format_test.rs"]
mod tests;
